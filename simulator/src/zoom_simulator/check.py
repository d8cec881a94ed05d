"""Request bodies against what Zoom documents; every fault is reported as field and message."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from zoom_simulator import recurrence
from zoom_simulator.errors import validation_failed
from zoom_simulator.model import Json

Form = Literal["string", "integer", "boolean", "object", "array", "objects", "email", "time", "timezone", "recurrence"]
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "email": str,
    "time": str,
    "timezone": str,
    "integer": int,
    "boolean": bool,
    "object": dict,
    "recurrence": dict,
    "array": list,
    "objects": list,
}


@dataclass(frozen=True)
class Field:
    """What one field of a body has to be."""

    form: Form = "string"
    required: bool = False
    longest: int = 0
    allowed: tuple[Any, ...] = ()
    lowest: int | None = None
    highest: int | None = None


def check(body: Mapping[str, Any], fields: Mapping[str, Field], prefix: str = "") -> None:
    """ZoomError 300 naming every field that is wrong; unknown fields are let through."""
    found = problems(body, fields, prefix)
    if found:
        raise validation_failed(*found)


def problems(body: Mapping[str, Any], fields: Mapping[str, Field], prefix: str = "") -> list[tuple[str, str]]:
    """What is wrong with a body."""
    found: list[tuple[str, str]] = []
    for name, field in fields.items():
        value = body.get(name)
        if value is None:
            if field.required:
                found.append((prefix + name, "Required field."))
        elif not isinstance(value, _TYPES[field.form]) or (isinstance(value, bool) and field.form == "integer"):
            found.append((prefix + name, "Invalid field."))
        else:
            found += _value_problems(prefix + name, value, field)
    return found


def _value_problems(name: str, value: Any, field: Field) -> list[tuple[str, str]]:
    if field.form == "recurrence":
        return recurrence.problems(value)
    if field.allowed and value not in field.allowed:
        return [(name, "Invalid field.")]
    if field.longest and len(value) > field.longest:
        return [(name, f"The length must be at most {field.longest} characters.")]
    if (field.lowest is not None and value < field.lowest) or (field.highest is not None and value > field.highest):
        return [(name, "Invalid field.")]
    return [] if _is_well_formed(value, field.form) else [(name, "Invalid field.")]


def _is_well_formed(value: Any, form: Form) -> bool:
    if form == "email":
        return _EMAIL.fullmatch(value) is not None
    if form == "time":
        return is_time(value)
    if form == "objects":
        return all(isinstance(each, dict) for each in value)
    return form != "timezone" or is_timezone(value)


def is_time(text: str) -> bool:
    """Whether this is `yyyy-MM-ddTHH:mm:ss`, with or without Z."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return "T" in text


def is_timezone(name: str) -> bool:
    """Whether this is an IANA time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return bool(name)


def moment(text: str, timezone: str) -> float:
    """Epoch seconds of a start time: with Z it is UTC, without it is local to `timezone`."""
    value = datetime.fromisoformat(text)
    return (value if value.tzinfo else value.replace(tzinfo=ZoneInfo(timezone))).timestamp()


def changed(before: Json, after: Json) -> Json:
    """The entries of `before` that `after` has otherwise."""
    return {key: value for key, value in before.items() if after.get(key) != value}
