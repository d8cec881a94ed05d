"""What Zoom allows an account: calls per second, minute and day by plan and rate label, and per user and day.

All apps of an account share these. https://developers.zoom.us/docs/api/rate-limits/
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from zoom_common.zoom.operations.model import RateLabel

# Creates and updates of one user's meetings and webinars together, from 00:00 UTC.
USER_DAILY = 100
_SECOND, _MINUTE = 1, 60


class Plan(StrEnum):
    """Zoom's plans, as far as their limits differ. `business` stands for Business, Education, Enterprise and up."""

    FREE = "free"
    PRO = "pro"
    BUSINESS = "business"


@dataclass(frozen=True, slots=True)
class Rate:
    """`calls` within any `seconds`."""

    calls: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Daily:
    """`calls` from one 00:00 UTC to the next. Labels with the same `name` are counted together."""

    name: str
    calls: int


_L, _M, _H, _R = RateLabel.LIGHT, RateLabel.MEDIUM, RateLabel.HEAVY, RateLabel.RESOURCE_INTENSIVE
_RATES: dict[Plan, dict[RateLabel, Rate]] = {
    Plan.FREE: {_L: Rate(4, _SECOND), _M: Rate(2, _SECOND), _H: Rate(1, _SECOND), _R: Rate(10, _MINUTE)},
    Plan.PRO: {_L: Rate(30, _SECOND), _M: Rate(20, _SECOND), _H: Rate(10, _SECOND), _R: Rate(10, _MINUTE)},
    Plan.BUSINESS: {_L: Rate(80, _SECOND), _M: Rate(60, _SECOND), _H: Rate(40, _SECOND), _R: Rate(20, _MINUTE)},
}
_COSTLY_PRO, _COSTLY_BUSINESS = Daily("costly", 30_000), Daily("costly", 60_000)
_DAILY: dict[Plan, dict[RateLabel, Daily]] = {
    Plan.FREE: {
        _L: Daily("light", 6_000),
        _M: Daily("medium", 2_000),
        _H: Daily("heavy", 1_000),
        _R: Daily("resource-intensive", 30_000),
    },
    Plan.PRO: {_H: _COSTLY_PRO, _R: _COSTLY_PRO},
    Plan.BUSINESS: {_H: _COSTLY_BUSINESS, _R: _COSTLY_BUSINESS},
}


def rate(plan: Plan, label: RateLabel) -> Rate:
    """How fast an account may call operations of `label`."""
    return _RATES[plan][label]


def daily(plan: Plan, label: RateLabel) -> Daily | None:
    """How many of them it may call in a day, or None where Zoom names no number."""
    return _DAILY[plan].get(label)
