"""Whether a resource at Zoom is what a create request asked for, to find what a lost response would have said."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

# Zoom's clock and ours differ, and its `created_at` has whole seconds.
_SKEW = 5.0
_TEXTS = ("topic", "agenda", "password")
_NUMBERS = ("type", "duration")


def created_since(found: Mapping[str, Any], since: float, *, member: str = "created_at") -> bool:
    """Whether it was created at `since` (epoch seconds) or later. What does not say when it was created was not."""
    created = _instant(found.get(member), None)
    return created is not None and created >= since - _SKEW


def matches(asked: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether `found`, from a list or by itself, has everything that `asked`, the body of a create, said."""
    same_texts = all(_same(asked.get(name), found.get(name), _text) for name in _TEXTS)
    same_numbers = all(_same(asked.get(name), found.get(name), _number) for name in _NUMBERS)
    return same_texts and same_numbers and _same_start(asked, found)


def _same_start(asked: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    start = _instant(asked.get("start_time"), asked.get("timezone"))
    theirs = _instant(found.get("start_time"), found.get("timezone"))
    # A series has the start of one of its dates, and a local time without a zone means the host's: neither tells.
    return start is None or theirs is None or "recurrence" in asked or int(start) == int(theirs)


def _same(asked: Any, found: Any, read: Any) -> bool:
    return asked in {None, ""} or found is None or read(asked) == read(found)


def _text(value: Any) -> str:
    return " ".join(str(value).split())


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _instant(value: Any, zone: Any) -> float | None:
    if not isinstance(value, str):
        return None
    try:
        when = datetime.fromisoformat(value)
        if when.tzinfo is None:
            when = when.replace(tzinfo=UTC if zone == "UTC" else ZoneInfo(str(zone))) if zone else None  # type: ignore[assignment]
    except (ValueError, OSError, KeyError):
        return None
    return None if when is None else when.timestamp()
