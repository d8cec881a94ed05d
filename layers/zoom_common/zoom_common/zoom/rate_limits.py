"""Zoom's rate limits: how much an account may call by plan and label, and the content of a 429."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from math import ceil

from zoom_common.zoom.http import HttpResponse, retry_after
from zoom_common.zoom.operations.model import RateLabel

# Creates and updates of one user's meetings and webinars together, from 00:00 UTC.
USER_DAILY = 100

_SECOND, _MINUTE = 1, 60


class Plan(StrEnum):
    """Zoom's plans, as far as their limits differ. `business` stands for Business, Education, Enterprise and higher."""

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


# Families that Zoom counts separately. The page has no numbers for the free plan, which has neither product, so the
# lower value of both tables is used. Contact Center's table has no resource-intensive row and says that heavy calls
# share their daily limit with it, so Phone's is used. https://developers.zoom.us/docs/api/rate-limits/
_APART: dict[Plan, dict[RateLabel, Rate]] = {
    Plan.FREE: {_L: Rate(4, _SECOND), _M: Rate(2, _SECOND), _H: Rate(1, _SECOND), _R: Rate(5, _MINUTE)},
    Plan.PRO: {_L: Rate(20, _SECOND), _M: Rate(10, _SECOND), _H: Rate(5, _SECOND), _R: Rate(5, _MINUTE)},
    Plan.BUSINESS: {_L: Rate(40, _SECOND), _M: Rate(20, _SECOND), _H: Rate(10, _SECOND), _R: Rate(10, _MINUTE)},
}

_APART_DAILY = {Plan.FREE: 1_000, Plan.PRO: 15_000, Plan.BUSINESS: 30_000}


def rate(plan: Plan, label: RateLabel, pool: str = "") -> Rate:
    """Return how fast an account may call operations of `label`. `pool` names a family that Zoom counts separately."""
    return _APART[plan][label] if pool else _RATES[plan][label]


def daily(plan: Plan, label: RateLabel, pool: str = "") -> Daily | None:
    """Return how many of them an account may call in a day, or None where Zoom states no number."""
    if pool:
        return Daily(f"{pool}.costly", _APART_DAILY[plan]) if label in {_H, _R} else None
    return _DAILY[plan].get(label)


_HEADERS = "x-ratelimit-"

CATEGORY_HEADER = "x-ratelimit-category"

# A longer wait, in seconds, is for the next day and not for the next second or minute.
_LONGEST_SHORT_WAIT = 5 * 60

# Zoom's contract prints this code for its limit per second; its guide and its answers use 429 for all limits.
_PER_SECOND_CODE = 4001

_CONCURRENT_MESSAGE = "too many concurrent requests"


class Limit(StrEnum):
    """Zoom's limits.

    The limits per second and of concurrent requests pass at once, a daily limit at the time that Zoom states, and the
    limit per user at 00:00 UTC.
    """

    PER_SECOND = "per_second"
    CONCURRENT = "concurrent"
    DAILY = "daily"
    PER_USER = "per_user"


@dataclass(frozen=True, slots=True)
class RateLimitResponse:
    """A 429. `retry_after` is in seconds from now, or None when the response has no time.

    `from_zoom` is False for the page of a proxy on the way. The caller waits for it, and nothing is closed for others.
    """

    limit: Limit
    retry_after: float | None
    from_zoom: bool = True

    @property
    def lasts(self) -> bool:
        """Whether Zoom says that a day's limit is used up."""
        return self.from_zoom and self.limit in {Limit.DAILY, Limit.PER_USER}


def read(response: HttpResponse, *, counts_for_user: bool, now: float) -> RateLimitResponse:
    """Return the content of a 429. `counts_for_user`: Zoom counts this operation for each user and day."""
    code, message = _body(response)
    wait = retry_after(response.headers.get("retry-after"), now=now)
    if code is None and not any(name.startswith(_HEADERS) for name in response.headers):
        return RateLimitResponse(Limit.PER_SECOND, wait, from_zoom=False)
    return _from_zoom(response.headers, code, message, wait, counts_for_user=counts_for_user, now=now)


def _from_zoom(
    headers: Mapping[str, str],
    code: int | None,
    message: str,
    wait: float | None,
    *,
    counts_for_user: bool,
    now: float,
) -> RateLimitResponse:
    kind = headers.get("x-ratelimit-type", "").lower()
    if kind.startswith("concurrent"):
        return RateLimitResponse(Limit.CONCURRENT, wait)
    if kind.startswith("daily") or (not kind and wait is not None and wait > _LONGEST_SHORT_WAIT):
        return RateLimitResponse(Limit.DAILY, wait if wait is not None else until_midnight(now))
    if code == _PER_SECOND_CODE or kind.startswith("qps"):
        return RateLimitResponse(Limit.PER_SECOND, wait)
    if counts_for_user and wait is None and _quota_left(headers):
        # Seen on the limit of 100 a day for one user: the account has quota left, and no header says when to retry.
        return RateLimitResponse(Limit.PER_USER, until_midnight(now))
    if not kind and message.lower().startswith(_CONCURRENT_MESSAGE):
        return RateLimitResponse(Limit.CONCURRENT, wait)
    return RateLimitResponse(Limit.PER_SECOND, wait)


def _body(response: HttpResponse) -> tuple[int | None, str]:
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        return None, ""
    if not isinstance(body, dict):
        return None, ""
    code = body.get("code")
    return code if isinstance(code, int) else None, str(body.get("message", ""))


def _quota_left(headers: Mapping[str, str]) -> bool:
    remaining = headers.get("x-ratelimit-remaining", "").strip()
    return remaining.isascii() and remaining.isdigit() and int(remaining[:9]) > 0


def until_midnight(now: float) -> float:
    """Return the seconds until 00:00 UTC, when Zoom's daily counts start again."""
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return float(ceil((today + timedelta(days=1)).timestamp() - now))
