"""Request bodies against what Zoom documents; every fault is reported as field and message."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from zoom_simulator import recurrence
from zoom_simulator.errors import validation_failed
from zoom_simulator.model import Json

Form = Literal["string", "integer", "boolean", "object", "array", "objects", "email", "time", "timezone", "recurrence"]
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]+)?")
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


def check(body: Json, fields: Mapping[str, Field], prefix: str = "") -> None:
    """Read the values of `body` as Zoom does, in place. ZoomError 300 naming every field that is wrong.

    Unknown fields are let through.
    """
    read(body, fields)
    found = problems(body, fields, prefix)
    if found:
        raise validation_failed(*found)


def read(body: Json, fields: Mapping[str, Field]) -> None:
    """Convert values as Zoom does, in place: "60" to 60, "true" to true, 5 to "5"; and drop what means "not set".

    That is an empty string, null, an empty list, and 0 where the field has no 0. Public programs send all of these.
    """
    for name, field in fields.items():
        if name not in body:
            continue
        value = converted(body[name], field.form)
        if value is None or value in ("", []) or _is_unset_zero(value, field):
            if not (field.required and value in ("", [])):
                del body[name]
        else:
            body[name] = value


def _is_unset_zero(value: Any, field: Field) -> bool:
    if isinstance(value, bool) or value not in (0, "0") or field.required:
        return False
    return (bool(field.allowed) and value not in field.allowed) or (field.lowest or 0) > 0


def converted(value: Any, form: Form) -> Any:
    """Return `value` in the type that `form` has, or as it is when no conversion fits."""
    reader = _READERS.get(form)
    return value if reader is None else reader(value)


def _integer(value: Any) -> Any:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        return int(float(value))
    if isinstance(value, float) and math.isfinite(value):
        return int(value)
    return None if value is False else value


def _boolean(value: Any) -> Any:
    if isinstance(value, str):
        return {"true": True, "1": True, "false": False, "0": False}.get(value.strip().lower(), value)
    return bool(value) if isinstance(value, int) else value


def _string(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, int | float) else value


def _time(value: Any) -> Any:
    """A time as ISO 8601 has it: programs write small letters, blanks, and parts of one digit."""
    if not isinstance(value, str):
        return value
    plain = re.sub(r"(?<![0-9])[0-9](?![0-9])", r"0\g<0>", re.sub(r":\s+", ":", value.strip().upper()))
    return plain if is_time(plain) else value


def _array(value: Any) -> Any:
    return [value] if isinstance(value, str) and value else _objects(value)


def _objects(value: Any) -> Any:
    return [] if value == {} else value


_READERS: Mapping[Form, Callable[[Any], Any]] = {
    "integer": _integer,
    "boolean": _boolean,
    "string": _string,
    "time": _time,
    "array": _array,
    "objects": _objects,
}


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
    """Whether this is a day, or a day and a time with or without an offset."""
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def is_timezone(name: str) -> bool:
    """Whether this is an IANA time zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return bool(name)


def moment(text: str, timezone: str, *, offset: Literal["honour", "ignore"] = "honour") -> float:
    """Epoch seconds of a start time: with Z it is UTC, without it is local to `timezone`.

    An `offset` that is ignored makes the time one in UTC.
    """
    value = datetime.fromisoformat(text)
    if value.tzinfo and offset == "ignore":
        value = value.replace(tzinfo=UTC)
    return (value if value.tzinfo else value.replace(tzinfo=ZoneInfo(timezone))).timestamp()


def changed(before: Json, after: Json) -> Json:
    """The entries of `before` that `after` has otherwise."""
    return {key: value for key, value in before.items() if after.get(key) != value}
