"""Recurrence rules expanded into dates."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from zoom_simulator.model import Json
from zoom_simulator.recurrence import expand, problems

BERLIN = "Europe/Berlin"


def at(text: str) -> float:
    """A moment."""
    return datetime.fromisoformat(text).timestamp()


def dates(rule: Json, start: str, timezone: str = "UTC") -> list[str]:
    """The dates a rule expands to, UTC."""
    return [datetime.fromtimestamp(each, UTC).strftime("%Y-%m-%dT%H:%M") for each in expand(rule, at(start), timezone)]


def test_daily() -> None:
    """Every second day gives the right three dates."""
    rule = {"type": 1, "repeat_interval": 2, "end_times": 3}
    assert dates(rule, "2026-12-30T10:00+00:00") == ["2026-12-30T10:00", "2027-01-01T10:00", "2027-01-03T10:00"]


def test_weekly_on_several_days() -> None:
    """Sunday is 1; the days of the first week that have passed are left out."""
    rule = {"type": 2, "weekly_days": "2,4", "end_times": 3}  # Monday and Wednesday, from a Tuesday on
    assert dates(rule, "2026-11-24T10:00+00:00") == ["2026-11-25T10:00", "2026-11-30T10:00", "2026-12-02T10:00"]


def test_monthly_by_day_leaves_short_months_out() -> None:
    """Months without a 31st have no date."""
    rule = {"type": 3, "monthly_day": 31, "end_times": 3}
    assert [each[:10] for each in dates(rule, "2026-10-31T10:00+00:00")] == ["2026-10-31", "2026-12-31", "2027-01-31"]


def test_monthly_by_week_and_the_last_one() -> None:
    """The second Tuesday, and the last Friday."""
    second = {"type": 3, "monthly_week": 2, "monthly_week_day": 3, "end_times": 2}
    assert [each[:10] for each in dates(second, "2026-11-01T10:00+00:00")] == ["2026-11-10", "2026-12-08"]
    last = {"type": 3, "monthly_week": -1, "monthly_week_day": 6, "end_times": 2}
    assert [each[:10] for each in dates(last, "2026-11-01T10:00+00:00")] == ["2026-11-27", "2026-12-25"]


def test_summer_time_does_not_move_a_meeting() -> None:
    """Ten o'clock in Berlin stays ten o'clock when the clocks change."""
    rule = {"type": 1, "end_times": 3}
    assert dates(rule, "2027-03-27T10:00+01:00", BERLIN) == ["2027-03-27T09:00", "2027-03-28T08:00", "2027-03-29T08:00"]


def test_until_a_date() -> None:
    """The end is included."""
    rule = {"type": 1, "end_date_time": "2026-11-26T10:00:00Z"}
    assert len(dates(rule, "2026-11-24T10:00+00:00")) == 3


@pytest.mark.parametrize("rule", [{"type": 1, "end_times": 0}, {"type": 1, "end_date_time": "2030-01-01T00:00:00Z"}])
def test_110_are_the_most(rule: Json) -> None:
    """Without an end, and with one far away."""
    assert len(dates(rule, "2026-11-24T10:00+00:00")) == 110


@pytest.mark.parametrize(
    "rule",
    [
        {},
        {"type": 4},
        {"type": 1, "repeat_interval": 100},
        {"type": 2, "repeat_interval": 51},
        {"type": 2, "weekly_days": "0"},
        {"type": 2, "weekly_days": "eight"},
        {"type": 3, "repeat_interval": 11},
        {"type": 3, "monthly_day": 32},
        {"type": 3, "monthly_week": 5, "monthly_week_day": 1},
        {"type": 1, "end_times": -1},
        {"type": 1, "end_times": "many"},
    ],
)
def test_bad_rules_are_named(rule: Json) -> None:
    """Every rule that Zoom would refuse has at least one problem, with its field."""
    assert all(field.startswith("recurrence.") for field, _ in problems(rule))
    assert problems(rule)
