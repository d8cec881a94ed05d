"""Turns the columns of a row into one request: ids of the path, query, and body.

Names in a row are members of the operation: ids of its path, parameters of its query, and members of its body, with
dots between levels (`settings.waiting_room`). Cells of a file are text, and are converted to the member's type. A
spreadsheet's change of a value is undone if no information was lost, else the row is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, get_args, get_origin
from urllib.parse import quote, urlencode

from pydantic import BaseModel

from zoom_common.errors import FieldError, InvalidRequest
from zoom_common.zoom import api
from zoom_common.zoom.models.fields import flag, whole
from zoom_common.zoom.operations.model import JSON, Operation, check_query

ME = "me"
UNKNOWN_HOST = "?"
_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_ALIASES = {
    "meeting_id": "meetingId",
    "meeting": "meetingId",
    "webinar_id": "webinarId",
    "webinar": "webinarId",
    "user_id": "userId",
    "user": "userId",
    "host": "userId",
    "host_id": "userId",
    "host_email": "userId",
    "registrant_id": "registrantId",
    "recording_id": "recordingId",
}
_NUMBERED = frozenset({"meetingId", "webinarId"})
_UUID = re.compile(r"[A-Za-z0-9+/]{20,24}={0,2}")
_LONGEST_ID = 200
_SCIENTIFIC = re.compile(r"([0-9])(?:[.,]([0-9]+))?[eE]\+?([0-9]{1,2})")
_DATES = re.compile(r"(start|end|join|leave|expires?|recording)_(date_?)?(time|date|at)|end_date_time|from|to")
_DAY = re.compile(
    r"(\d{1,4})\s*[./\- ]\s*(\d{1,2})\s*[./\- ]\s*(\d{1,4})"
    r"(?:[\sT,]+(\d{1,2})[:.h](\d{2})(?:[:.](\d{2}))?\s*([AaPp])?\.?[Mm]?\.?)?"
)
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}([T ].*)?")
# Languages and countries that write the month first, and those that write the year first. All others write the day
# first. https://cldr.unicode.org/translation/date-time/date-time-patterns
_MONTH_FIRST = frozenset({"en", "en-us", "en-ph", "es-pa", "es-pr"})
_YEAR_FIRST = frozenset({"zh", "ja", "ko", "hu", "lt", "sv", "mn", "eu", "en-ca", "fr-ca", "en-za"})
_LOCALE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*")
_TRUE, _FALSE = (
    frozenset({"true", "1", "yes", "y", "ja", "oui", "si", "sí", "wahr", "vrai", "x"}),
    frozenset({"false", "0", "no", "n", "nein", "non", "falsch", "faux"}),
)


@dataclass(frozen=True, slots=True)
class ColumnMapping:
    """How columns become members. `locale` says how dates in cells are written; None accepts ISO 8601 only."""

    columns: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    locale: str | None = None

    @classmethod
    def of(cls, given: Any) -> ColumnMapping:
        """Read the mapping of a request. Raises InvalidRequest."""
        if given is None:
            return cls()
        if not isinstance(given, dict):
            raise InvalidRequest([FieldError("mapping", "An object with columns, defaults and locale.")])
        wrong = [FieldError(f"mapping.{name}", "Unknown field.") for name in sorted(given.keys() - _FIELDS)[:20]]
        columns, defaults, locale = given.get("columns", {}), given.get("defaults", {}), given.get("locale")
        if not isinstance(columns, dict) or not all(isinstance(each, str) and each for each in columns.values()):
            wrong.append(FieldError("mapping.columns", "An object from the names of columns to the names of members."))
        if not isinstance(defaults, dict):
            wrong.append(FieldError("mapping.defaults", "An object from the names of members to values."))
        if locale is not None and not (isinstance(locale, str) and _LOCALE.fullmatch(locale)):
            wrong.append(FieldError("mapping.locale", "A language and a country, such as de-DE or en-US."))
        if wrong:
            raise InvalidRequest(wrong)
        return cls(columns, defaults, locale)


_FIELDS = frozenset({"columns", "defaults", "locale"})


class RowRefused(Exception):
    """A row cannot become a request. `faults` name columns and fixes."""

    def __init__(self, faults: Sequence[FieldError]) -> None:
        super().__init__("row refused")
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class RowRequest:
    """The request of one row."""

    ids: Mapping[str, str] = field(repr=False)
    query_string: str = field(default="", repr=False)
    body: bytes = field(default=b"", repr=False)


def ids_of(operation: Operation) -> list[str]:
    """Return the names of the ids in the operation's path."""
    return _PLACEHOLDER.findall(operation.path)


def members_of(operation: Operation, mapping: ColumnMapping, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members of a row by name: its columns by the mapping, then the defaults for missing ones.

    With a mapping of columns, other columns are left out.
    """
    named = {column: mapping.columns.get(column) for column in values} if mapping.columns else {}
    found: dict[str, Any] = {}
    for column, value in values.items():
        member = named.get(column, column if not mapping.columns else None)
        if member is not None and value not in ("", None):
            found[_canonical(operation, member)] = value
    for member, value in mapping.defaults.items():
        found.setdefault(_canonical(operation, member), value)
    return found


def request_of(operation: Operation, mapping: ColumnMapping, values: Mapping[str, Any], *, as_text: bool) -> RowRequest:
    """Return the request of one row. `as_text`: the values are cells of a file. Raises RowRefused.

    A path without a user means the connection's own.
    """
    members, faults = members_of(operation, mapping, values), list[FieldError]()
    column = {_canonical(operation, member): name for name, member in mapping.columns.items()}

    def failing(name: str) -> Callable[[str], object]:
        return lambda message: faults.append(FieldError(column.get(name, name), message))

    if as_text:
        members = {
            name: _typed(operation, mapping, name, value.strip(), failing(name)) if isinstance(value, str) else value
            for name, value in members.items()
        }
    ids = {name: _identifier(name, members.pop(name, None), failing(name)) for name in ids_of(operation)}
    in_query = {each.name for each in operation.query} - _body_names(operation)
    query = {name: _plain(members.pop(name)) for name in list(members) if name in in_query}
    for name in members if operation.media != JSON else ():
        failing(name)(f"{operation.name} has no such member.")
    if faults:
        raise RowRefused(faults)
    request = RowRequest(
        ids=ids,
        query_string=urlencode(query, quote_via=quote),
        body=_body(members) if operation.media == JSON else b"",
    )
    _check(operation, request, column)
    return request


def _check(operation: Operation, request: RowRequest, column: Mapping[str, str]) -> None:
    try:
        check_query(operation.query, request.query_string)
        api.check_body(operation, request.body)
    except InvalidRequest as invalid:
        found = [FieldError(column.get(each.field, each.field), each.message) for each in invalid.fields]
        raise RowRefused(found or [FieldError("row", str(invalid))]) from None


def host_of(operation: Operation, mapping: ColumnMapping, values: Mapping[str, Any]) -> str | None:
    """Return the user whose daily limit of creates and updates a row counts against, or None for no user's.

    Return UNKNOWN_HOST when only Zoom knows the user.
    """
    if not operation.counts_for_user:
        return None
    members = members_of(operation, mapping, values)
    if "userId" not in ids_of(operation):
        return UNKNOWN_HOST
    return _plain(members.get("schedule_for") or members.get("userId") or ME).strip().casefold()


def _canonical(operation: Operation, member: str) -> str:
    ids = ids_of(operation)
    return _ALIASES[member] if member not in ids and _ALIASES.get(member) in ids else member


def _identifier(name: str, value: Any, fail: Callable[[str], object]) -> str:
    if value in (None, ""):
        if name == "userId":
            return ME
        fail(f"Name the {name}.")
        return ""
    text = _plain(value).strip()
    if name in _NUMBERED:
        return _number(text, fail)
    if not text.isprintable() or "/" in text or len(text) > _LONGEST_ID:
        fail("This is not an id.")
    return text


def _number(text: str, fail: Callable[[str], object]) -> str:
    """Undo what a spreadsheet does to a long number. A number that has lost digits is refused."""
    scientific = _SCIENTIFIC.fullmatch(text)
    if scientific is not None:
        digits, places = scientific[1] + (scientific[2] or ""), int(scientific[3]) + 1
        if len(digits) >= places and not digits[places:].strip("0"):
            return digits[:places]
        fail("The spreadsheet has cut the number. Format the column as text and enter it again.")
        return text
    joined = re.sub(r"[\s\u00a0-]", "", text)
    if re.fullmatch(r"[0-9]+(\.0+)?", joined):
        return joined.partition(".")[0]
    if not _UUID.fullmatch(text):
        fail("This is not a meeting number.")
    return text


def _typed(operation: Operation, mapping: ColumnMapping, name: str, text: str, fail: Callable[[str], object]) -> Any:
    """Return a cell in the member's type. `fail` notes an error in it."""
    if _DATES.fullmatch(name.rpartition(".")[2]) and not _ISO.fullmatch(text):
        return _moment(text, mapping.locale, fail)
    match _kind(operation, name):
        case "whole":
            return _whole(text, fail)
        case "flag":
            return _flag(text, fail)
        case "list":
            return [each.strip() for each in re.split(r"[;,\n]", text) if each.strip()]
        case _:
            return text


def _whole(text: str, fail: Callable[[str], object]) -> Any:
    if re.fullmatch(r"[+-]?[0-9]{1,19}([.,]0+)?", text):
        return int(re.split("[.,]", text)[0])
    fail("Must be a whole number.")
    return text


def _flag(text: str, fail: Callable[[str], object]) -> Any:
    if text.casefold() in _TRUE | _FALSE:
        return text.casefold() in _TRUE
    fail("Must be true or false.")
    return text


def _moment(text: str, locale: str | None, fail: Callable[[str], object]) -> str:
    found = _DAY.fullmatch(text)
    if found is None:
        fail("Must be a time such as 2030-01-31T09:30:00.")
        return text
    if locale is None:
        fail("Write 2030-01-31T09:30:00, or set mapping.locale to the form of your dates, such as de-DE.")
        return text
    first, second, third, hour, minute, seconds, half = found.groups()
    day, month, year = _ordered(first, second, third, locale)
    try:
        hours = _hours(int(hour or 0), half)
        moment = datetime(year, month, day, hours, int(minute or 0), int(seconds or 0), tzinfo=UTC)
    except ValueError:
        fail(f"There is no such time, as {locale} writes it.")
        return text
    return moment.strftime("%Y-%m-%dT%H:%M:%S") if hour else moment.strftime("%Y-%m-%d")


def _ordered(first: str, second: str, third: str, locale: str) -> tuple[int, int, int]:
    """Return day, month and year. A first number of four digits is always the year."""
    known = locale.replace("_", "-").lower()
    if len(first) > 2 or _is(known, _YEAR_FIRST):  # noqa: PLR2004 - more digits than a day has
        return int(third), int(second), _year(first)
    if _is(known, _MONTH_FIRST):
        return int(second), int(first), _year(third)
    return int(first), int(second), _year(third)


def _is(locale: str, known: frozenset[str]) -> bool:
    return locale in known or ("-" in locale and locale.partition("-")[0] in known - {"en"})


def _year(text: str) -> int:
    return int(text) if len(text) > 2 else 2000 + int(text)  # noqa: PLR2004 - as above


def _hours(hour: int, half: str | None) -> int:
    if half is None:
        return hour
    if not 1 <= hour <= 12:  # noqa: PLR2004 - of a half day
        raise ValueError(hour)
    return hour % 12 + (12 if half in "pP" else 0)


def _kind(operation: Operation, name: str) -> Literal["whole", "flag", "list", "text"]:
    """Return the type of a member of the body or of a parameter of the query."""
    parameter = next((each for each in operation.query if each.name == name), None)
    if parameter is not None and name not in _body_names(operation):
        return "text"
    model: Any = operation.body if operation.model is not None else None
    for step in name.split("."):
        info = model.model_fields.get(step) if isinstance(model, type) and issubclass(model, BaseModel) else None
        if info is None:
            return "text"
        validators = {getattr(each, "func", None) for each in info.metadata}
        inner = [each for each in (info.annotation, *get_args(info.annotation)) if each is not None]
        metadata = {getattr(each, "func", None) for kind in inner for each in getattr(kind, "__metadata__", ())}
        if whole in validators | metadata or any(_is_numeric(each) for each in inner):
            return "whole"
        if flag in validators | metadata:
            return "flag"
        if any(get_origin(each) is list for each in inner):
            return "list"
        model = next((each for each in inner if isinstance(each, type) and issubclass(each, BaseModel)), None)
    return "text"


def _is_numeric(kind: Any) -> bool:
    if kind is int:
        return True
    return get_origin(kind) is Literal and all(isinstance(each, int) for each in get_args(kind))


def _body_names(operation: Operation) -> frozenset[str]:
    model = operation.body if operation.model is not None else None
    return frozenset(model.model_fields) if model is not None else frozenset()


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _body(members: Mapping[str, Any]) -> bytes:
    """Return members as a JSON object. Dots in names make levels."""
    nested: dict[str, Any] = {}
    for name, value in members.items():
        *levels, last = name.split(".")
        place = nested
        for level in levels:
            inner = place.get(level)
            place[level] = place = dict(inner) if isinstance(inner, dict) else {}
        place[last] = value
    return json.dumps(nested, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
