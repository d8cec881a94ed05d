"""Converts plain values to DynamoDB's attribute values and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

type Item = dict[str, Any]


def to_attribute(value: object) -> dict[str, Any]:  # noqa: PLR0911 - one line per type
    """Return a value as an attribute value. Numbers keep three decimals: they are counts and epoch seconds."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case str():
            return {"S": value}
        case int():
            return {"N": str(value)}
        case float():
            return {"N": f"{value:.3f}"}
        case bytes():
            return {"B": value}
        case frozenset():
            return {"SS": sorted(value)}
        case Mapping():
            return {"M": {name: to_attribute(each) for name, each in value.items()}}
        case _:
            raise TypeError(type(value).__name__)


def from_attribute(attribute: Mapping[str, Any]) -> Any:  # noqa: PLR0911 - one line per type
    """Return the value of one attribute. Whole numbers are returned as int, others as float."""
    ((kind, value),) = attribute.items()
    match kind:
        case "S":  # Most values are text.
            return value
        case "N":
            return float(value) if "." in value else int(value)
        case "NULL":
            return None
        case "SS":
            return frozenset(value)
        case "M":
            return {name: from_attribute(each) for name, each in value.items()}
        case "B":
            return bytes(value)
        case _:
            return value


def to_item(values: Mapping[str, object]) -> Item:
    """Return the values as attributes, without those that are None. An item has no empty sets."""
    return {name: to_attribute(value) for name, value in values.items() if value is not None and value != frozenset()}


def from_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item as plain values."""
    return {name: from_attribute(attribute) for name, attribute in item.items()}
