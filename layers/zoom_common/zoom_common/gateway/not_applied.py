"""Finds the members of a create or update of a meeting or webinar that Zoom did not apply although it answered 2xx.

Zoom silently drops members that it does not know, that stand at the wrong level, or that the host may not use, and a
past start becomes now (https://github.com/Jericho/ZoomNet/issues/359, https://github.com/frappe/lms/issues/2438). After
a create, the request is compared with Zoom's answer and with Zoom's contract. An update has an empty answer, so only
the contract decides. Members about which this is not known are not named.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from zoom_common.errors import InvalidRequest
from zoom_common.gateway.create_lookup import instant
from zoom_common.zoom.api import parsed
from zoom_common.zoom.models.fields import ZoomModel, is_empty
from zoom_common.zoom.operations.model import Operation

HEADER = "x-gateway-not-applied"

# Types without a start of their own: instant, recurring without a fixed time, and webinars of that kind.
_WITHOUT_START = frozenset({"1", "3", "6"})
_SERIES = frozenset({"8", "9"})

# In seconds. The answer's start has whole seconds, and a start only just in the past is no mistake of the caller's.
_CLOSE = 60.0

_MOST = 20
_NAME = re.compile(r"[A-Za-z0-9_]{1,64}")
# How Zoom treats a setting that its answer does not have.
_ABSENT = {"alternative_hosts": ""}
_FLAGS = {"true": True, "1": True, "false": False, "0": False}


def names(operation: Operation, sent: bytes, answered: Mapping[str, Any], *, now: float) -> str:
    """Return the value of the header: names of members, separated by commas; empty when all was applied.

    `answered` is Zoom's answer, empty for an update, and `now` is in epoch seconds. At most 20 names are listed.
    """
    try:
        asked = parsed(sent)
    except InvalidRequest:
        return ""
    model = operation.body
    if model is None:
        return ""
    found = dict.fromkeys(_Comparison(model, asked, answered, now).dropped())
    return ", ".join(list(found)[:_MOST])


@dataclass(frozen=True, slots=True)
class _Comparison:
    """The body of a request (`asked`) and of Zoom's answer (`answered`, empty for an update)."""

    model: type[ZoomModel]
    asked: Mapping[str, Any]
    answered: Mapping[str, Any]
    now: float

    def dropped(self) -> Iterator[str]:
        """Yield the names of members that Zoom did not apply."""
        for name, value in self.asked.items():
            if name != "settings" and not is_empty(value) and not self._is_applied(name, value):
                yield from _named(name)
        settings = self.asked.get("settings")
        if isinstance(settings, dict):
            yield from self._dropped_settings(settings)

    def _dropped_settings(self, settings: Mapping[str, Any]) -> Iterator[str]:
        known, theirs = _settings_model(self.model).model_fields, self.answered.get("settings")
        for name, value in settings.items():
            reported = theirs.get(name, _ABSENT.get(name)) if isinstance(theirs, dict) and theirs else None
            if not is_empty(value) and not _is_setting_applied(name, value, reported, known=name in known):
                yield from _named(name, "settings.")

    def _is_applied(self, name: str, value: Any) -> bool:
        reported = self.answered.get(name)
        if name not in self.model.model_fields:
            return reported is not None and _same(value, reported)
        match name:
            case "start_time":
                return self._is_start_applied()
            case "recurrence":
                return self._type in {*_SERIES, ""}
            case "schedule_for":
                host = self.answered.get("host_email")
                return host is None or "@" not in str(value) or _same(value, host)
            case "tracking_fields":
                return reported is None or _holds_fields(value, reported)
            case _:
                return reported is None or _same(value, reported)

    @property
    def _type(self) -> str:
        return str(self.answered.get("type") or self.asked.get("type") or "")

    def _is_start_applied(self) -> bool:
        if self._type in _WITHOUT_START:
            return False
        both = (self.asked, self.answered)
        start, theirs = (instant(each.get("start_time"), each.get("timezone")) for each in both)
        if start is None:
            return True
        if theirs is None or self._type in _SERIES:  # a series begins with its first date, whatever the start says
            return bool(self.answered) or start >= self.now - _CLOSE
        return abs(theirs - start) <= _CLOSE


def _named(name: str, prefix: str = "") -> Iterator[str]:
    # A name is the caller's text. Names that cannot stand in a header are left out.
    if _NAME.fullmatch(name):
        yield prefix + name


def _settings_model(model: type[ZoomModel]) -> type[ZoomModel]:
    parts = getattr(model.model_fields["settings"].annotation, "__args__", ())
    return next(each for each in parts if isinstance(each, type) and issubclass(each, ZoomModel))


def _is_setting_applied(name: str, value: Any, reported: Any, *, known: bool) -> bool:
    if reported is None:
        return known
    return _holds_hosts(value, reported) if name == "alternative_hosts" else _same(value, reported)


def _same(value: Any, reported: Any) -> bool:
    """Return whether two scalars are equal, however they are written. Lists and objects are not compared."""
    if not isinstance(value, str | int | float) or not isinstance(reported, str | int | float):
        return True
    if isinstance(reported, bool):
        return _FLAGS.get(_plain(value), reported) is reported
    return _plain(value) == _plain(reported)


def _plain(value: str | float) -> str:
    return " ".join(str(value).split()).casefold().removesuffix(".0")


def _holds_hosts(value: Any, reported: Any) -> bool:
    """Return whether every named host is among those of the answer."""
    return _people(value) <= _people(reported)


def _people(value: Any) -> set[str]:
    return {each.strip().casefold() for each in re.split("[;,]", str(value)) if each.strip()}


def _holds_fields(value: Any, reported: Any) -> bool:
    if not isinstance(value, list) or not isinstance(reported, list):
        return True
    has = {(str(each.get("field")), str(each.get("value", ""))) for each in reported if isinstance(each, dict)}
    return {(str(each.get("field")), str(each.get("value", ""))) for each in value if isinstance(each, dict)} <= has
