"""A recurrence rule expanded into dates, in the meeting's own time zone, so that summer time does not move it.

https://developers.zoom.us/docs/api/rest/reference/zoom-api/methods/#operation/meetingCreate
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from zoom_simulator.model import Json

DAILY, WEEKLY, MONTHLY = 1, 2, 3
MOST = 110  # what Zoom makes of a weekly series without an end, measured in 2026-08
INTERVALS = {DAILY: 99, WEEKLY: 50, MONTHLY: 10}
HORIZON_DAYS = 366 * 60
DECEMBER = 12
LAST = -1


INTEGERS = ("type", "repeat_interval", "end_times", "monthly_day", "monthly_week", "monthly_week_day")
WITHOUT_ZERO = ("repeat_interval", "weekly_days", "monthly_day", "monthly_week", "monthly_week_day")


def read(rule: Json) -> None:
    """Convert the members of a rule as Zoom does, in place, and drop what means "not set"."""
    for name, value in list(rule.items()):
        if name in INTEGERS and isinstance(value, str) and value.strip().lstrip("-").isdecimal():
            rule[name] = int(value)
        if name == "weekly_days" and isinstance(value, str):
            rule[name] = value.strip(", ")
        if value in (None, "", []) or (name in WITHOUT_ZERO and str(rule[name]) == "0"):
            del rule[name]


def problems(rule: Json) -> list[tuple[str, str]]:
    """What is wrong with a rule, as field and message; empty when it can be expanded."""
    found: list[tuple[str, str]] = []
    kind = rule.get("type")
    if kind not in INTERVALS:
        return [("recurrence.type", "Invalid field.")]
    interval = rule.get("repeat_interval", 1)
    if not isinstance(interval, int) or not 1 <= interval <= INTERVALS[kind]:
        found.append(("recurrence.repeat_interval", "Invalid field."))
    times = rule.get("end_times")
    if times is not None and (not isinstance(times, int) or times < 0):
        found.append(("recurrence.end_times", "Invalid field."))
    if rule.get("end_date_time") and not _is_time(rule["end_date_time"]):
        found.append(("recurrence.end_date_time", "Invalid field."))
    if kind == WEEKLY and not _weekdays(rule):
        found.append(("recurrence.weekly_days", "Invalid field."))
    if kind == MONTHLY:
        found += _monthly_problems(rule)
    return found


def expand(rule: Json, start: float, timezone: str) -> list[float]:
    """The starts of a series that begins at `start`: as many as the rule says, 110 at most. An end date goes first."""
    zone = ZoneInfo(timezone)
    first = datetime.fromtimestamp(start, zone)
    until = _until(rule)
    count = MOST if until is not None or rule.get("end_times") == 0 else min(rule.get("end_times", 1), MOST)
    starts: list[float] = []
    for each in _days(rule, first.date()):
        moment = datetime.combine(each, first.timetz().replace(tzinfo=None), zone).timestamp()
        if moment < start:
            continue
        if len(starts) >= count or (until is not None and moment > until):
            break
        starts.append(moment)
    return starts


def _days(rule: Json, first: date) -> Iterator[date]:
    interval = rule.get("repeat_interval", 1)
    if rule["type"] == DAILY:
        yield from (first + timedelta(days=number * interval) for number in range(HORIZON_DAYS // interval))
    elif rule["type"] == WEEKLY:
        sunday = first - timedelta(days=_sunday_based(first) - 1)
        for week in range(0, HORIZON_DAYS // 7, interval):
            for weekday in _weekdays(rule):
                yield sunday + timedelta(days=week * 7 + weekday - 1)
    else:
        for number in range(0, HORIZON_DAYS // 28, interval):
            month = first.month - 1 + number
            found = _day_of_month(rule, first.year + month // DECEMBER, month % DECEMBER + 1, first.day)
            if found is not None:
                yield found


def _day_of_month(rule: Json, year: int, month: int, fallback: int) -> date | None:
    length = monthrange(year, month)[1]
    week, weekday = rule.get("monthly_week"), rule.get("monthly_week_day")
    if week and weekday:
        days = [day for day in range(1, length + 1) if _sunday_based(date(year, month, day)) == weekday]
        if week == LAST:
            return date(year, month, days[-1])
        return date(year, month, days[week - 1])
    day = rule.get("monthly_day", fallback)
    return date(year, month, day) if day <= length else None  # a month without that day is left out


def _monthly_problems(rule: Json) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    day = rule.get("monthly_day")
    if day is not None and (not isinstance(day, int) or not 1 <= day <= 31):  # noqa: PLR2004 - days of a month
        found.append(("recurrence.monthly_day", "Invalid field."))
    if rule.get("monthly_week") not in (None, LAST, 1, 2, 3, 4):
        found.append(("recurrence.monthly_week", "Invalid field."))
    if rule.get("monthly_week_day") not in (None, 1, 2, 3, 4, 5, 6, 7):
        found.append(("recurrence.monthly_week_day", "Invalid field."))
    return found


def _weekdays(rule: Json) -> list[int]:
    parts = str(rule.get("weekly_days", "1")).split(",")
    if not all(part.strip() in {"1", "2", "3", "4", "5", "6", "7"} for part in parts):
        return []
    return sorted({int(part) for part in parts})


def _sunday_based(day: date) -> int:
    return day.isoweekday() % 7 + 1


def _is_time(value: object) -> bool:
    try:
        datetime.fromisoformat(str(value))
    except ValueError:
        return False
    return isinstance(value, str)


def _until(rule: Json) -> float | None:
    text = rule.get("end_date_time")
    if not text:
        return None
    moment = datetime.fromisoformat(str(text))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
