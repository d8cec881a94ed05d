"""Writes the facts of Zoom's API contracts that our tests need: `python -m dev.contract_facts FOLDER`.

Zoom publishes its contracts at https://developers.zoom.us/docs/api/ (OpenAPI) and, with a sample of every event, at
https://developers.zoom.us/docs/api/webhooks/. This project commits no text of them. This module keeps method, path,
parameters, scopes, rate label, status codes, member names, types, limits and enumerated values. It drops every
description, title, summary and example. Where a test needs a value of the right form, `shape` holds one of ours.

FOLDER holds `zoom-contracts/*.json` and `zoom-webhook-samples/*.json`. Without FOLDER the variable ZOOM_REFERENCE or
`../shared/reference` is used. The result has one operation, event or sample per line, in a stable order.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import zoneinfo
from collections.abc import Iterator
from pathlib import Path
from typing import Any

type Json = dict[str, Any]

ROOT = Path(__file__).parents[1]
REFERENCE = Path(os.environ.get("ZOOM_REFERENCE") or ROOT.parent / "shared" / "reference")
TARGET = ROOT / "tests" / "contract" / "zoom_facts.json"
# The simulated Zoom is a package of its own with its own file, from which it serves operations without code there.
SIMULATED = ROOT / "simulator" / "src" / "zoom_simulator" / "rest" / "facts.json"

# The words of JSON Schema that are kept as facts. Words with text for people are not among them.
LIMITS = ("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "pattern")
KEPT = ("type", "format", *LIMITS, "deprecated")
LONGEST_SHAPE = 60
# What a value of a schema needs, besides its members.
FORM = ("type", "format", "enum", "default", "pattern", "minimum", "minLength", "maxLength", "minItems")

# Defects of the contracts. Each is corrected here and nowhere else.
# * `additionalProperties: false` is dropped: Zoom adds members every month.
# * `oneOf` becomes `anyOf`: the alternatives have no required members, so that several match at once.
# * `nullable` (OpenAPI 3.0) becomes a type "null" (JSON Schema 2020-12).
# * References lead to `#/paths/...` in documents that say `webhooks`: both are looked up.
# * A list of weekdays is "2,4" as well, although the enumeration has single days only.
WEEKDAYS = ["1", "2", "3", "4", "5", "6", "7"]
WEEKDAY_LIST = "^[1-7](,[1-7])*$"
# * Some lists have the values that their entries may have as values of the list: they move to the entries.
# * Zoom writes a TIMELINE file beside recordings; the enumerations of file types leave it out.
FILE_TYPE, LEFT_OUT_FILE_TYPE = "MP4", "TIMELINE"
# * Zoom takes these scopes and lists them at https://developers.zoom.us/docs/integrations/oauth-scopes-granular/ and
#   https://developers.zoom.us/docs/integrations/oauth-scopes/; these operations of the contracts leave them out.
LEFT_OUT_SCOPES: dict[str, dict[str, list[str]]] = {
    "recordingGet": {"classic": ["recording:read:admin"]},
    "reportDaily": {"granular": ["report:read:daily_usage:admin"]},
    "reportCloudRecording": {"granular": ["report:read:cloud_recording:admin"]},
    # The contract has `division:wirte:admin`. An app may hold either.
    **{
        name: {"classic": ["division:write:admin"]}
        for name in ("Createadivision", "Updateadivision", "Deletedivision", "Getdivision", "assigndivisionMember")
    },
}
# * The sample of `meeting.participant_joined` says `date_time`. Real events and the schema say `join_time`, and real
#   events also carry `public_ip`.
# * The sample of `webinar.updated` nests `old_object` in `object`; the schema and real events have it beside.


def main() -> None:
    """Write the facts, or with --check say whether the committed ones match the contracts."""
    parser = argparse.ArgumentParser(prog="python -m dev.contract_facts", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", nargs="?", type=Path, default=REFERENCE)
    parser.add_argument("--target", type=Path, default=TARGET)
    parser.add_argument("--simulated", type=Path, default=SIMULATED)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if not (options.folder / "zoom-contracts").is_dir():
        sys.exit(f"{options.folder} has no folder zoom-contracts. Say where Zoom's contracts are.")
    text = rendered(options.folder)
    for target, wanted in ((options.target, text), (options.simulated, simulated(json.loads(text)["operations"]))):
        if not options.check:
            target.write_text(wanted)
            print(f"{target}: {len(wanted) // 1024} KB")
        elif target.read_text() != wanted:
            sys.exit(f"{target} is not what the contracts say. Run: make contract-facts")


def rendered(folder: Path) -> str:
    """Return the file of facts, with one operation, event or sample per line."""
    return "{\n" + ",\n".join(_section(name, rows) for name, rows in facts(folder).items()) + "\n}\n"


def simulated(operations: Json) -> str:
    """Return the file of facts for the simulated Zoom."""
    rows = {key: _of_simulated(row, operations) for key, row in operations.items()}
    return "{\n" + ",\n".join(f"{json.dumps(key)}:{_compact(row)}" for key, row in sorted(rows.items())) + "\n}\n"


def _of_simulated(row: Json, operations: Json) -> Json:
    """Return method, path, label, scopes, what is required, and the form of the answer.

    `creatable` means that a POST of the contracts makes what the path lists or names, `item` is the rest of the path of
    one of them, and `lists` are the members in which they are listed.
    """
    path: str = row["path"]
    place = path.rpartition("/")[0] if path.endswith("}") else path
    items = [key for key in operations if re.fullmatch(rf"\w+ {re.escape(place)}/\{{\w+\}}", key)]
    listed = operations.get(f"GET {place}", {}).get("responses", {}).get("200") or {}
    (status,) = (each for each in row["responses"] if each < "300")
    found = {
        "id": row["id"].replace("/", "_"),
        **{name: row[name] for name in ("method", "path", "label")},
        **row["scopes"],
        "query": [each["name"] for each in row["parameters"] if each["in"] == "query" and each.get("required")],
        "required": [name for name in _required(row.get("body") or {}) if name in _members(row["body"])],
        "status": int(status),
        "answer": row["responses"][status] and _without_limits(row["responses"][status]),
        "creatable": f"POST {place}" in operations and bool(items or listed),
        "item": items[0].rpartition("/")[2] if items else "",
        "lists": [name for name, each in _members(listed).items() if each.get("type") == "array"],
        "media": (row.get("media") or "").partition(";")[0],
    }
    return {
        name: value
        for name, value in found.items()
        if value or name in {"label", "granular", "classic", "lists", "item"}
    }


def _members(schema: Json) -> Json:
    found = dict(schema.get("properties", {}))
    for part in (*schema.get("allOf", ()), *schema.get("anyOf", ())):
        found |= _members(part)
    return found


def _required(schema: Json) -> list[str]:
    found = list(schema.get("required", ()))
    for part in schema.get("allOf", ()):
        found += _required(part)
    alternatives = [set(_required(part)) for part in schema.get("anyOf", ())]
    return found + (sorted(set.intersection(*alternatives)) if alternatives else [])


def _without_limits(schema: Json) -> Json:
    """Return what a value of this form needs: types, enumerated values and members."""
    kept: Json = {name: schema[name] for name in FORM if name in schema}
    if "properties" in schema:
        kept["properties"] = {name: _without_limits(each) for name, each in schema["properties"].items()}
    if "items" in schema:
        kept["items"] = _without_limits(schema["items"])
    for name in ("allOf", "anyOf"):
        if name in schema:
            kept[name] = [_without_limits(each) for each in schema[name]]
    return kept


def _section(name: str, rows: Json) -> str:
    lines = (f"{json.dumps(key)}:{_compact(rows[key])}" for key in sorted(rows))
    return f"{json.dumps(name)}:{{\n" + ",\n".join(lines) + "\n}"


def _compact(row: Any) -> str:
    return json.dumps(row, separators=(",", ":"), sort_keys=True)


def facts(folder: Path) -> dict[str, Json]:
    """Return operations by "METHOD path", and schemas and samples by event type."""
    contracts = folder / "zoom-contracts"
    return {
        "operations": dict(_operations(contracts)),
        "events": dict(_events(contracts)),
        "samples": dict(_samples(folder / "zoom-webhook-samples")),
    }


def _operations(contracts: Path) -> Iterator[tuple[str, Json]]:
    for file in sorted(contracts.glob("zoom-*-openapi.*.json")):
        document = json.loads(file.read_text())
        for path, item in document["paths"].items():
            for method, operation in item.items():
                key = f"{method.upper()} {path}"
                yield key, {"method": method.upper(), "path": path, **_facts(document, operation)}


def _facts(document: Json, operation: Json) -> Json:
    found = {
        "id": operation["operationId"],
        "tag": operation["tags"][0],
        "label": _label(operation),
        "scopes": _scopes(operation),
        "parameters": [_parameter(document, each) for each in operation.get("parameters", ())],
        "responses": {
            status: schema[1] if (schema := _content(document, response)) else None
            for status, response in operation["responses"].items()
        },
    }
    body = _content(document, operation.get("requestBody", {}), shapes=True)
    return found if body is None else {**found, "media": body[0], "body": body[1]}


def _label(operation: Json) -> str | None:
    """Return the rate limit label in the description, or None without one."""
    found = re.search(r"Rate Limit Label.*?`([A-Za-z_-]+)`", operation["description"], re.DOTALL)
    return found[1].upper().replace("-", "_") if found else None


def _scopes(operation: Json) -> Json:
    extensions = operation["x-extensions"]
    printed = {"granular": extensions.get("x-granular-scopes", ()), "classic": extensions.get("x-macro-scopes", ())}
    left_out = LEFT_OUT_SCOPES.get(operation["operationId"], {})
    return {
        kind: sorted({*(each.strip() for each in scopes), *left_out.get(kind, ())}) for kind, scopes in printed.items()
    }


def _parameter(document: Json, parameter: Json) -> Json:
    schema = _Distiller(document, shapes=True).schema(parameter["schema"], parameter.get("example"))
    found = {"name": parameter["name"], "in": parameter["in"], "schema": schema}
    return {**found, "required": True} if parameter.get("required") else found


def _content(document: Json, holder: Json, *, shapes: bool = False) -> tuple[str, Json] | None:
    for media, content in holder.get("content", {}).items():
        if "schema" in content:
            return media, _Distiller(document, shapes=shapes).schema(content["schema"])
    return None


def _events(contracts: Path) -> Iterator[tuple[str, Json]]:
    for file in sorted(contracts.glob("zoom-*-webhooks.*.json")):
        document = json.loads(file.read_text())
        for event, item in (document.get("webhooks") or document["paths"]).items():
            body = _content(document, item["post"]["requestBody"])
            if body is not None:
                yield event, body[1]


class _Distiller:
    """Reads the schemas of one document. With `shapes`, text members get a value of ours in the form of the example."""

    def __init__(self, document: Json, *, shapes: bool) -> None:
        self._document = document
        self._shapes = shapes

    def schema(self, schema: Json, example: Any = None) -> Json:
        """Return the facts of `schema`. `example` is the part of an enclosing example that belongs to it."""
        if "$ref" in schema:
            return self.schema(self._referenced(schema["$ref"]))
        example = schema.get("example", schema.get("default") if example is None else example)
        found = {key: schema[key] for key in KEPT if key in schema}
        found |= {**_values(schema), **self._members(schema, example), **self._shape(schema, example)}
        if found.get("type") == "array" and "enum" in found:
            found["items"] = {**found.get("items", {"type": "string"}), "enum": found.pop("enum")}
        return found

    def _referenced(self, reference: str) -> Json:
        found: Any = self._document
        for part in reference.split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            found = found["webhooks" if name == "paths" and "webhooks" in found else name]
        return dict(found)

    def _members(self, schema: Json, example: Any) -> Json:
        found: Json = {}
        if "properties" in schema:
            shown = example if isinstance(example, dict) else {}
            members = schema["properties"]
            found["properties"] = {name: self.schema(each, shown.get(name)) for name, each in members.items()}
        if isinstance(schema.get("required"), list) and schema["required"]:
            found["required"] = sorted(schema["required"])
        if "items" in schema:
            found["items"] = self.schema(schema["items"], example[0] if isinstance(example, list) and example else None)
        for key, ours in (("allOf", "allOf"), ("oneOf", "anyOf"), ("anyOf", "anyOf")):
            if key in schema:
                found[ours] = [self.schema(part) for part in schema[key]]
        return found

    def _shape(self, schema: Json, example: Any) -> Json:
        if not self._shapes or schema.get("type") != "string" or "enum" in schema or not isinstance(example, str):
            return {}
        shape = shape_of(example)
        return {"shape": shape} if shape else {}


def _values(schema: Json) -> Json:
    """Return the enumerated values, the default and whether null is allowed, corrected."""
    found: Json = {}
    values = schema.get("enum", [])
    if values == WEEKDAYS:
        found["pattern"] = WEEKDAY_LIST
    elif values:
        found["enum"] = [*values, LEFT_OUT_FILE_TYPE] if FILE_TYPE in values else values
    default = schema.get("default")
    if isinstance(default, bool | int | float) or (isinstance(default, str) and default in values):
        found["default"] = default
    if schema.get("nullable") and isinstance(schema.get("type"), str):
        found["type"] = [schema["type"], "null"]
        found |= {"enum": [*found["enum"], None]} if "enum" in found else {}
    return found


DATE, TIME = r"\d{4}-\d\d-\d\d", r"\d\d:\d\d"


def shape_of(example: str) -> str | None:
    """Return a value of ours in the form of `example`, or None for prose, which has no form.

    Dates, times, addresses, links and time zones become fixed ones; letters become `a` or `A` and digits `1`.
    """
    if re.fullmatch(rf"{DATE}([T ]{TIME}.*)?|{TIME}(:\d\d)?", example):
        return re.sub(r"09:30:\d\d", "09:30:00", re.sub(TIME, "09:30", re.sub(DATE, "2030-01-07", example), count=1))
    if example in zoneinfo.available_timezones():
        return "Europe/Berlin"
    for form, ours in ((r"[^@\s,;]+@[^@\s,;]+", "ann@guest.example"), (r"\w+://\S+", "https://guest.example/a")):
        if re.fullmatch(form, example):
            return ours
    if len(example) > LONGEST_SHAPE or example.count(" ") > 1:
        return None
    for letters, ours in ((r"[^\W\d_A-Z]", "a"), (r"[^\W\d_a]", "A"), (r"\d", "1")):
        example = re.sub(letters, ours, example)
    return example


def _samples(folder: Path) -> Iterator[tuple[str, Json]]:
    for file in sorted(folder.glob("*.json")):
        yield file.stem, _corrected(file.stem, structure(json.loads(file.read_text())))


def structure(value: Any) -> Any:
    """Return member names and types of a sample: objects as objects, a list as the list of its distinct elements."""
    if isinstance(value, dict):
        return {name: structure(member) for name, member in value.items()}
    if isinstance(value, list):
        found: list[Any] = []
        for each in map(structure, value):
            found += [] if each in found else [each]
        return found
    return _kind(value)


FORMS = (
    ("empty", r""),
    ("date-time", rf"{DATE}[T ]{TIME}.*"),
    ("date", DATE),
    ("email", r"[^@\s,;]+@[^@\s,;]+\.\w+"),
    ("uri", r"\w+://\S+"),
    ("digits", r"\d+"),
)


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return next((name for name, form in FORMS if re.fullmatch(form, value)), "string")
    for kind, name in ((bool, "boolean"), (int, "integer"), (float, "number")):
        if isinstance(value, kind):
            return name
    return "null"


def _corrected(event: str, sample: Json) -> Json:
    """Return the sample's structure as real events have it."""
    held = sample["payload"].get("object", {}) if event in {"meeting.participant_joined", "webinar.updated"} else {}
    if "date_time" in held.get("participant", {}):
        held["participant"]["join_time"] = held["participant"].pop("date_time")
        held["participant"]["public_ip"] = "string"
    if "old_object" in held:
        sample["payload"]["old_object"] = held.pop("old_object")
    return sample


if __name__ == "__main__":
    main()
