"""Values in the form of one of Zoom's schemas, merged with stored values."""

from __future__ import annotations

from typing import Any

from zoom_simulator.clock import day, iso
from zoom_simulator.ids import Ids
from zoom_simulator.model import Json

DEEPEST = 8
TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def members(schema: Json) -> Json:
    """Return the members of an object by name, also those that parts of the schema add."""
    found = dict(schema.get("properties", {}))
    for part in (*schema.get("allOf", ()), *schema.get("anyOf", ())):
        found |= members(part)
    return found


def sample(ids: Ids, schema: Json, now: float, name: str = "") -> Any:
    """Return a value that `schema` describes, for the member `name`. Lists have one entry; ids are fresh."""
    known = members(schema)
    if known:
        return {each: sample(ids, member, now, each) for each, member in known.items()}
    if "items" in schema:
        return [sample(ids, schema["items"], now) for _ in range(max(1, schema.get("minItems", 1)))]
    if "default" in schema or "enum" in schema:
        return schema["default"] if "default" in schema else schema["enum"][0]
    kind = _type(schema)
    if kind == "string":
        return _text(ids, schema, now, name)
    return {"integer": schema.get("minimum", 1), "number": 1.0, "boolean": True, "array": []}.get(kind, {})


def _type(schema: Json) -> str:
    kind = schema.get("type", "object")
    return str(kind[0] if isinstance(kind, list) else kind)


def _text(ids: Ids, schema: Json, now: float, name: str) -> str:
    formed = {
        "date-time": iso(now),
        "date": day(now),
        "email": "someone@zoom.example",
        "uri": "https://zoom.example/",
    }
    named = {"next_page_token": "", "from": day(now), "to": day(now)}
    if schema.get("format") in formed or name in named:
        return formed.get(schema.get("format", ""), "") or named[name]
    if "pattern" in schema:
        return "1"
    text = ids.opaque() if name == "id" or name.endswith("_id") else "text"
    return text[: schema.get("maxLength", len(text))].ljust(schema.get("minLength", 0), "x")


def laid_over(schema: Json, found: Any, kept: Json) -> Any:
    """Return `found` with the members of `kept` that have the type which `schema` gives them."""
    if not isinstance(found, dict):
        return found
    known, result = members(schema), dict(found)
    for name, value in kept.items():
        member = known.get(name)
        if member is None:
            continue
        if isinstance(value, dict) and members(member):
            result[name] = laid_over(member, result.get(name), value)
        elif _fits(member, value):
            result[name] = value
    return result


def _fits(member: Json, value: Any) -> bool:
    if "enum" in member and value not in member["enum"]:
        return False
    if isinstance(value, bool):
        return _type(member) == "boolean"
    if isinstance(value, list) and "items" in member:
        return all(isinstance(each, dict) and not members(member["items"]).keys() - each.keys() for each in value)
    return isinstance(value, TYPES[_type(member)]) and not members(member)
