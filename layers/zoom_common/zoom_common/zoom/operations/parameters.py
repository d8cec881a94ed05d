"""Query parameters that Zoom's contract fixes. Every other one passes through."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Literal
from urllib.parse import parse_qsl

from zoom_common.errors import FieldError, InvalidRequest

type Kind = Literal["string", "integer", "boolean", "date"]

_BOOLEANS = frozenset({"true", "false", "1", "0"})
_WHOLE = re.compile(r"-?[0-9]{1,19}")
_DAY = re.compile(r"(\d{4}-\d\d-\d\d)(T.*)?", re.ASCII | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Parameter:
    """One query parameter. `values` are all that Zoom knows, none means any; the limits are for integers."""

    name: str
    kind: Kind = "string"
    values: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None
    required: bool = False

    def fault(self, text: str) -> str | None:
        """What is wrong with `text` as its value, or None."""
        if self.values and text not in self.values:
            return f"Must be one of {', '.join(self.values)}."
        match self.kind:
            case "integer":
                return self._integer_fault(text)
            case "boolean":
                return None if text.lower() in _BOOLEANS else "Must be true or false."
            case "date":
                return None if _is_day(text) else "Must be a day such as 2030-01-31."
            case _:
                return None

    def _integer_fault(self, text: str) -> str | None:
        if not _WHOLE.fullmatch(text):
            return "Must be a whole number."
        if self.minimum is not None and int(text) < self.minimum:
            return f"Must be {self.minimum} or more."
        if self.maximum is not None and int(text) > self.maximum:
            return f"Must be {self.maximum} or less."
        return None


def check_query(parameters: Iterable[Parameter], query_string: str) -> None:
    """Raise InvalidRequest with every fault of the raw query string, each parameter once. A blank value is no value."""
    given: dict[str, list[str]] = {}
    for name, value in parse_qsl(query_string):
        given.setdefault(name, []).append(value)
    faults = []
    for parameter in parameters:
        values = given.get(parameter.name, [])
        found = next((fault for value in values if (fault := parameter.fault(value))), None)
        if parameter.required and not values:
            found = "This parameter is required."
        if found is not None:
            faults.append(FieldError(parameter.name, found))
    if faults:
        raise InvalidRequest(faults)


def _is_day(text: str) -> bool:
    day = _DAY.fullmatch(text)
    if day is None:
        return False
    try:
        date.fromisoformat(day[1])
    except ValueError:
        return False
    return True


PAGE_SIZE = Parameter("page_size", "integer", minimum=1, maximum=300)
PAGE_NUMBER = Parameter("page_number", "integer")
NEXT_PAGE_TOKEN = Parameter("next_page_token")
TOKEN_PAGES = (PAGE_SIZE, NEXT_PAGE_TOKEN)
EVERY_PAGE = (PAGE_SIZE, PAGE_NUMBER, NEXT_PAGE_TOKEN)
OCCURRENCE_ID = Parameter("occurrence_id")
SHOW_PREVIOUS_OCCURRENCES = Parameter("show_previous_occurrences", "boolean")
FROM = Parameter("from", "date")
TO = Parameter("to", "date")
SPAN = (Parameter("from", "date", required=True), Parameter("to", "date", required=True))
REGISTRANT_STATUS = Parameter("status", values=("pending", "approved", "denied"))
