"""Zoom's contracts as facts: what tests compare our operations, events and the simulated Zoom with.

`python -m dev.contract_facts` makes the file from Zoom's own documents, which are not part of this project.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

type Json = dict[str, Any]

FILE = Path(__file__).parent / "zoom_facts.json"
FACTS: dict[str, Json] = json.loads(FILE.read_text())
EVENTS: Json = FACTS["events"]
SAMPLES: Json = FACTS["samples"]


@cache
def _by_shape() -> Json:
    return {shape(row["method"], row["path"]): row for row in FACTS["operations"].values()}


def shape(method: str, path: str) -> str:
    """Return what names an operation, whatever its path calls the ids."""
    return f"{method} {re.sub(r'\{[^}]+\}', '{}', path)}"


def operation(method: str, path: str) -> Json:
    """Return Zoom's facts of an operation, whatever its path calls the ids. Raises KeyError when Zoom has none."""
    found: Json = _by_shape()[shape(method, path)]
    return found


def value(schema: Json) -> Any:
    """Return a value of the form that `schema` describes: the default, an enumerated value, or one of ours."""
    if "properties" in schema:
        return {name: value(member) for name, member in schema["properties"].items()}
    if "items" in schema:
        return [value(schema["items"])] * max(schema.get("minItems", 1), 1)
    for key in ("default", "shape"):
        if key in schema:
            return schema[key]
    if "enum" in schema:
        return schema["enum"][0]
    return {"integer": schema.get("minimum", 1), "boolean": True}.get(schema["type"], "text")


ADDRESS = "https://zoom.example/{}?pwd=p&access_token=t&zak=z"
LEAVES = {
    "string": "value-{}",
    "digits": "10{}",
    "email": "person-{}@guest.example",
    "uri": ADDRESS,
    "date-time": "2026-11-20T10:00:00Z",
    "date": "2026-11-20",
    "empty": "",
}


def sample(event: str) -> Json:
    """Return a delivery of `event`: members and types as in Zoom's sample, with values of ours, nearly all distinct."""
    body = _filled(SAMPLES[event], itertools.count(1))
    body["event"] = event
    return dict(body)


def _filled(structure: Any, numbers: Iterator[int]) -> Any:
    if isinstance(structure, dict):
        return {name: _filled(member, numbers) for name, member in structure.items()}
    if isinstance(structure, list):
        return [_filled(member, numbers) for member in structure]
    number = next(numbers)
    if structure in LEAVES:
        return LEAVES[structure].format(number)
    return {"integer": 1_790_000_000_000 + number, "number": number + 0.5, "boolean": True, "null": None}[structure]
