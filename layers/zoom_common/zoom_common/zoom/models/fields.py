"""What all request bodies share: the base model, how faults are reported, and the kinds of values."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError

from zoom_common.errors import FieldError

# Keyed by pydantic's type of error. The value a caller sent is never part of a message.
_MESSAGES = {
    "missing": "This field is required.",
    "string_type": "Must be a string.",
    "list_type": "Must be a list.",
    "model_type": "Must be an object.",
    "literal_error": "Must be {expected}.",
    "string_too_long": "Must have at most {max_length} characters.",
    "too_long": "Must have at most {max_length} entries.",
    "too_short": "Must have at least {min_length} entries.",
    "greater_than_equal": "Must be {ge} or more.",
    "less_than_equal": "Must be {le} or less.",
}


@dataclass(frozen=True, slots=True)
class _Member:
    """What decides whether a value of one member counts as absent."""

    required: bool
    enumerated: bool
    zero_is_absent: bool
    is_list: bool


class ZoomModel(BaseModel):
    """A JSON object of Zoom's. Members that it does not list are allowed: Zoom adds some every month.

    Clients of many languages send all members of a type, with empty values where nothing is set. So an empty string,
    null and an empty list count as absent, an empty object in the place of a list as well, and so does 0 where an
    enumeration or a count has no 0.
    """

    model_config = ConfigDict(extra="allow", defer_build=True, hide_input_in_errors=True)

    any_choice: ClassVar[bool] = False
    """Whether a value outside an enumeration passes, as it does inside `settings`."""

    @classmethod
    def ignored(cls, members: Mapping[str, Any]) -> Collection[str]:
        """Return the names of the members that Zoom does not read in an object with these `members`."""
        del members
        return ()

    @model_validator(mode="before")
    @classmethod
    def _present(cls, value: Any) -> Any:
        """Drop members that count as absent, so that no rule applies to them."""
        if not isinstance(value, dict):
            return value
        known, ignored = _members(cls), cls.ignored(value)
        return {
            name: each
            for name, each in value.items()
            if name not in ignored and not (name in known and _is_absent(known[name], each, any_choice=cls.any_choice))
        }

    def conflicts(self) -> Sequence[FieldError]:
        """What is wrong between fields that are each right."""
        return ()


class SettingsModel(ZoomModel):
    """An object inside `settings`, where a value outside an enumeration passes.

    Measured for `auto_recording`: Zoom answers 204 and stores its default. Nobody knows about the others.
    """

    any_choice = True


_KNOWN: dict[type[ZoomModel], Mapping[str, _Member]] = {}


def _members(model: type[ZoomModel]) -> Mapping[str, _Member]:
    found = _KNOWN.get(model)
    if found is None:
        found = _KNOWN[model] = {name: _member(each) for name, each in model.model_fields.items()}
    return found


def _member(info: FieldInfo) -> _Member:
    choices = _choices(info.annotation)
    least = max((each.ge for each in info.metadata if isinstance(getattr(each, "ge", None), int)), default=0)
    zero_is_absent = least > 0 or (bool(choices) and 0 not in choices)
    return _Member(info.is_required(), bool(choices), zero_is_absent, _is_list(info.annotation))


def _is_list(annotation: Any) -> bool:
    return get_origin(annotation) is list or any(get_origin(each) is list for each in get_args(annotation))


def _choices(annotation: Any) -> tuple[Any, ...]:
    """The values of an enumeration, which may stand in a union. Empty for any other type."""
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    return tuple(value for each in get_args(annotation) for value in _choices(each))


def _is_absent(member: _Member, value: Any, *, any_choice: bool) -> bool:
    if member.required:
        return False
    if is_empty(value) or (member.is_list and value == {}):
        return True
    if not isinstance(value, str | int | float) or (not member.enumerated and not member.zero_is_absent):
        return False
    if any_choice and member.enumerated:
        return True
    return member.zero_is_absent and not isinstance(value, bool) and value in (0, "0")


def is_empty(value: Any) -> bool:
    """Return whether a value says nothing, as clients send it for a member that is not set."""
    return value is None or value in ("", [])


def faults(model: type[ZoomModel], value: Any) -> list[FieldError]:
    """Every fault of `value` as a body of `model`, each field once. Empty: Zoom's contract allows it."""
    try:
        found = list(model.model_validate(value).conflicts())
    except ValidationError as error:
        # No input and no URL: a fault is reported without quoting the caller.
        details = error.errors(include_url=False, include_input=False)
        found = [FieldError(_field(each["loc"]), _message(dict(each))) for each in details]
    first: dict[str, FieldError] = {}
    for each in found:
        first.setdefault(each.field, each)
    return list(first.values())


def _field(location: Sequence[int | str]) -> str:
    name = ""
    for step in location:
        name += f"[{step}]" if isinstance(step, int) else f".{step}" if name else step
    return name


def _message(detail: dict[str, Any]) -> str:
    kind = detail["type"]
    if kind == "too_long" and detail["ctx"]["field_type"] != "List":
        kind = "string_too_long"  # so pydantic reports a limit that stands around a union
    template = _MESSAGES.get(kind)
    return str(detail["msg"]) if template is None else template.format(**detail.get("ctx", {}))


_PLACE = r"[A-Za-z0-9_+-]+"

_ZONE = re.compile(
    rf"""
    (Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Brazil|Canada|Chile|Etc|Europe|Indian|Mexico|Pacific
    |SystemV|US) / {_PLACE} (/{_PLACE})?
    # The names without an area: IANA's, and the short ones that Java knows beside them.
    |ACT|AET|AGT|ART|AST|BET|BST|CAT|CET|CNT|CST|CST6CDT|CTT|Cuba|EAT|ECT|EET|EST|EST5EDT|Egypt|Eire|GB|GB-Eire|GMT|GMT0
    |Greenwich|HST|Hongkong|IET|IST|Iceland|Iran|Israel|JST|Jamaica|Japan|Kwajalein|Libya|MET|MIT|MST|MST7MDT|NET|NST|NZ
    |NZ-CHAT|Navajo|PLT|PNT|PRC|PRT|PST|PST8PDT|Poland|Portugal|ROC|ROK|SST|Singapore|Turkey|UCT|UTC|Universal|VST|W-SU
    |WET|Zulu
    # The abbreviations of other zones and of summer time, which browsers print.
    |ACDT|ACST|AEDT|AEST|AKDT|AKST|AWST|BRT|CDT|CEST|EDT|EEST|HKT|IDT|KST|MDT|MSK|NDT|NZDT|NZST|PDT|PKT|SAST|SGT|WEST
    |WIB
    |(GMT|UTC|UT)[+-]\d\d?(:?\d\d)?
    # As lists of zones show them: `(GMT+7:00) Bangkok`, `Pacific Standard Time`, `Eastern Time (US & Canada)`.
    |\((GMT|UTC|UT)([+-]\d\d?(:?\d\d)?)?\).*|[A-Z][A-Z .&-]*\ Time(\ \(.+\))?
    """,
    re.VERBOSE | re.IGNORECASE,  # a name in another case is not beyond doubt
)


def is_time_zone(name: str) -> bool:
    """Whether `name` can be a time zone: an area and a place in it, a known name without an area, or an offset."""
    return _ZONE.fullmatch(name) is not None


_WHOLE = re.compile(r"[+-]?[0-9]{1,19}(\.[0-9]+)?")

_FLAGS = {"true": True, "false": False, "1": True, "0": False}

# A day as programs print it: `1/7/2030` and `2030/1/7`. Programs that send it are said to work.
_PRINTED_DAY = re.compile(r"([0-9]{1,2}/[0-9]{1,2}/[0-9]{4}|[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}).*", re.DOTALL)

# ISO 8601, with what Zoom and its clients leave out of it: the offset (then it is local time), the seconds, the time.
# Formatters of some languages leave out leading zeros, write the zone as a word or in brackets, or put a blank before
# it; a tutorial that is often copied has blanks after the colons. Strict and lenient readers of such times both exist.
# The groups are the day and the time of day.
_MOMENT = re.compile(
    r"""\s* (\d{4}-\d\d?-\d\d? | \d{8})
    (?: [T\s] \s* (\d\d?:\s*\d\d?(?::\s*\d\d?)? | \d{4}(?:\d\d)?) (?:[.,]\d+)? (?:\s*[AP]M)?
        (?:\s* (?:Z | UTC | GMT | [+-]\d\d(?::?\d\d)?))? (?:\[[A-Z0-9_/+-]+\])? )? \s*""",
    re.ASCII | re.VERBOSE,
)

_ONE_DIGIT = re.compile(r"(?<!\d)\d(?!\d)", re.ASCII)

# Programs that join days with a loop leave a comma at the end.
_WEEKDAYS = re.compile(r"\s*[1-7]\s*(,\s*[1-7]\s*)*,?\s*")


def whole(value: Any) -> Any:
    """A whole number, also when it comes as text, as 60.0, or as 62.5.

    Programs that divide milliseconds send fractions, others send false for "no limit". They pass, because it is not
    known whether Zoom refuses them.
    """
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value.strip().partition(".")[0])
    if isinstance(value, float) and isfinite(value):
        return int(value)
    if value is None or value is False or (isinstance(value, int) and not isinstance(value, bool)):
        return None if value is False else value
    raise PydanticCustomError("whole", "Must be a whole number.")


def flag(value: Any) -> Any:
    """True or false, also when it comes as text or as a number: 0 is false, any other whole number is true.

    Programs send 2 here. Nobody knows whether Zoom takes it, so it passes.
    """
    if isinstance(value, str):
        value = _FLAGS.get(value.strip().lower(), value)
    if value is None or isinstance(value, int) or value in (0.0, 1.0):
        return None if value is None else bool(value)
    raise PydanticCustomError("flag", "Must be true or false.")


def moment(value: str | None) -> str | None:
    """An ISO 8601 time. With an offset or Z it is absolute, without one it is local to the body's `timezone`."""
    if not value or _PRINTED_DAY.fullmatch(value):
        return value
    found = _MOMENT.fullmatch(value.upper())
    if found is not None:
        day, time = (_padded("".join(each.split())) for each in (found[1], found[2] or "00:00"))
        try:  # a leap second and the end of a day exist as well
            datetime.fromisoformat(f"{day}T{time.replace(':60', ':59').replace('24:00', '00:00')}")
        except ValueError:
            pass
        else:
            return value
    raise PydanticCustomError("moment", "Must be a time such as 2030-01-31T09:30:00Z or 2030-01-31T09:30:00.")


def _padded(time: str) -> str:
    """Return a time with two digits in each part that has one."""
    return _ONE_DIGIT.sub(r"0\g<0>", time)


def not_judged(value: Any) -> Any:
    """Return None for a number where a time or a zone is meant: what Zoom makes of it is not known."""
    return None if isinstance(value, int | float) else value


def time_zone(value: str | None) -> str | None:
    """The name of a time zone, such as America/Los_Angeles."""
    if not value or is_time_zone(value):
        return value
    raise PydanticCustomError("time_zone", "Must be a time zone such as America/Los_Angeles or UTC.")


def e_mail(value: str | None) -> str | None:
    """An e-mail address, as far as its shape is beyond doubt."""
    if not value or re.fullmatch(r"\S[^\r\n]*@[^\r\n]*\S", value.strip()):
        return value
    raise PydanticCustomError("e_mail", "Must be an e-mail address.")


def weekdays(value: Any) -> Any:
    """Days of the week as text, 1 (Sunday) to 7, several separated by commas. There is no 0, so it means "not set"."""
    if value is None or str(value) in {"", "0"}:
        return None
    if not isinstance(value, bool) and _WEEKDAYS.fullmatch(str(value)):
        return str(value)
    raise PydanticCustomError("weekdays", "Must be days from 1 (Sunday) to 7, such as 2 or 2,4,6.")


def text(value: Any) -> Any:
    """Text, also when it comes as a number or as true or false."""
    return json.dumps(value) if isinstance(value, int | float) else value


def several(value: Any) -> Any:
    """A list, also of one text that comes by itself, as libraries declare some of Zoom's lists."""
    return [value] if isinstance(value, str) else value


Text = Annotated[str | None, Strict(), BeforeValidator(text)]

RequiredText = Annotated[str, Strict(), BeforeValidator(text)]

Flag = Annotated[bool | None, BeforeValidator(flag)]

Whole = Annotated[int | None, BeforeValidator(whole)]

Moment = Annotated[str | None, Strict(), AfterValidator(moment), BeforeValidator(not_judged)]

TimeZone = Annotated[str | None, Strict(), AfterValidator(time_zone), BeforeValidator(not_judged)]

EMail = Annotated[str | None, Strict(), AfterValidator(e_mail)]

Weekdays = Annotated[str | None, BeforeValidator(weekdays)]

Passcode = Annotated[str | None, Strict(), Field(max_length=10), BeforeValidator(text)]

Texts = Annotated[list[Text] | None, BeforeValidator(several)]
