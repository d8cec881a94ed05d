"""What all request bodies have in common, and how their faults are told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

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


class ZoomModel(BaseModel):
    """A JSON object of Zoom's. Members that it does not list are allowed: Zoom adds some every month."""

    model_config = ConfigDict(extra="allow", defer_build=True, hide_input_in_errors=True)

    def conflicts(self) -> Sequence[FieldError]:
        """What is wrong between fields that are each right."""
        return ()


def faults(model: type[ZoomModel], value: Any) -> list[FieldError]:
    """Every fault of `value` as a body of `model`, each field once. Empty: Zoom's contract allows it."""
    try:
        found = list(model.model_validate(value).conflicts())
    except ValidationError as error:
        # No input and no URL: a fault is told without quoting the caller.
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
    template = _MESSAGES.get(detail["type"])
    return str(detail["msg"]) if template is None else template.format(**detail.get("ctx", {}))
