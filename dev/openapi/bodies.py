"""Bodies of operations without a model, as JSON Schema made of Zoom's names and types."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

from dev.contract_facts import TARGET
from zoom_common.zoom.operations.model import MULTIPART, Operation

type Json = dict[str, Any]

_KEPT = ("type", "format", "enum", "required", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems")
# The members of these bodies change every month, and the gateway does not check them.
_HUGE = 8_000
_FILE: Json = {"type": "string", "format": "binary"}


@cache
def _facts() -> Json:
    rows: Json = json.loads(TARGET.read_text())["operations"]
    return {_shape(row["method"], row["path"]): row for row in rows.values()}


def _shape(method: str, path: str) -> str:
    return method + re.sub(r"\{\w+\}", "{}", path)


def member_schema(operation: Operation) -> Json:
    """Return the schema of a body: members, types and limits. Very large bodies are described as objects only."""
    schema = _schema(_facts()[_shape(operation.method, operation.path)]["body"])
    if operation.media == MULTIPART:
        for name, member in schema.get("properties", {}).items():
            schema["properties"][name] = _FILE if member["type"] == "string" else member
    if len(json.dumps(schema)) > _HUGE:
        schema = {"type": "object"}
    schema |= {"required": sorted(operation.required)} if operation.required else {}
    return schema


def _schema(schema: Json) -> Json:
    found = {key: schema[key] for key in _KEPT if key in schema}
    if "properties" in schema:
        found["properties"] = {name: _schema(member) for name, member in schema["properties"].items()}
        if "required" in found:
            found["required"] = [name for name in found["required"] if name in found["properties"]]
    if "items" in schema:
        found["items"] = _schema(schema["items"])
    for key in ("allOf", "anyOf"):
        if key in schema:
            found[key] = [_schema(part) for part in schema[key]]
    return found
