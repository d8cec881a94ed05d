"""The kinds of value that Zoom's request bodies are made of.

Every field of a body may be left out or null. A kind refuses what Zoom is sure to refuse and nothing else: Zoom reads
`"60"` where it wants 60 and `"true"` where it wants true, so clients send them, so they pass.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, Strict
from pydantic_core import PydanticCustomError

from zoom_common.zoom.models.timezones import is_time_zone

_WHOLE = re.compile(r"[+-]?\d{1,19}")
_FLAGS = {"true": True, "false": False}
# RFC 3339, with what Zoom and its clients leave out of it: the offset (then it is local time), the seconds, the time.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
_WEEKDAYS = re.compile(r"\s*[1-7]\s*(,\s*[1-7]\s*)*")


def whole(value: Any) -> Any:
    """A whole number, also when it comes as text or as 60.0."""
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    raise PydanticCustomError("whole", "Must be a whole number.")


def flag(value: Any) -> Any:
    """True or false, also when it comes as text or as 0 and 1."""
    if isinstance(value, str) and value.strip().lower() in _FLAGS:
        return _FLAGS[value.strip().lower()]
    if value is None or value in (0, 1):
        return None if value is None else bool(value)
    raise PydanticCustomError("flag", "Must be true or false.")


def moment(value: str | None) -> str | None:
    """An ISO 8601 time. With an offset or Z it is absolute, without one it is local to the body's `timezone`."""
    if not value:
        return value
    if _MOMENT.fullmatch(value.upper()):
        try:
            datetime.fromisoformat(value.upper().replace(":60", ":59"))  # RFC 3339 knows leap seconds
        except ValueError:
            pass
        else:
            return value
    raise PydanticCustomError("moment", "Must be a time such as 2030-01-31T09:30:00Z or 2030-01-31T09:30:00.")


def time_zone(value: str | None) -> str | None:
    """The name of a time zone, such as America/Los_Angeles."""
    if not value or is_time_zone(value):
        return value
    raise PydanticCustomError("time_zone", "Must be a time zone such as America/Los_Angeles or UTC.")


def e_mail(value: str | None) -> str | None:
    """An e-mail address, as far as its shape is beyond doubt."""
    if not value or re.fullmatch(r"\S[^\r\n]*@[^\r\n]*\S", value):
        return value
    raise PydanticCustomError("e_mail", "Must be an e-mail address.")


def weekdays(value: Any) -> Any:
    """Days of the week as text, 1 (Sunday) to 7, several separated by commas."""
    if value is None or value == "":
        return value
    if not isinstance(value, bool) and _WEEKDAYS.fullmatch(str(value)):
        return str(value)
    raise PydanticCustomError("weekdays", "Must be days from 1 (Sunday) to 7, such as 2 or 2,4,6.")


def code(value: Any) -> Any:
    """Text that people often send as a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Text = Annotated[str | None, Strict()]
Flag = Annotated[bool | None, BeforeValidator(flag)]
Whole = Annotated[int | None, BeforeValidator(whole)]
Moment = Annotated[str | None, Strict(), AfterValidator(moment)]
TimeZone = Annotated[str | None, Strict(), AfterValidator(time_zone)]
EMail = Annotated[str | None, Strict(), AfterValidator(e_mail)]
Weekdays = Annotated[str | None, BeforeValidator(weekdays)]
Passcode = Annotated[str | None, Strict(), Field(max_length=10), BeforeValidator(code)]
Texts = list[Text] | None
