"""Distilling facts from contracts: what is kept, what is dropped, what is corrected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dev.contract_facts import WEEKDAY_LIST, facts, rendered, shape_of, structure

DESCRIPTION = "Makes a thing. **[Rate Limit Label](https://zoom.example)** `Heavy`"
TEXT = {"type": "string", "description": "Prose.", "example": "Weekly planning of 7"}
BODY = {
    "title": "Prose",
    "type": "object",
    "required": ["topic"],
    "properties": {
        "topic": {**TEXT, "maxLength": 20},
        "description": {"type": "string", "default": "Prose of some words."},
        "kind": {"type": "string", "enum": ["MP4", "CHAT"], "default": "CHAT"},
        "days": {"type": "string", "enum": ["1", "2", "3", "4", "5", "6", "7"]},
        "restriction": {"type": "string", "enum": ["SOME"], "nullable": True},
        "either": {"oneOf": [{"type": "string"}, {"type": "integer", "minimum": 1}]},
        "people": {"type": "array", "items": {"type": "string"}, "example": ["Ada@zoom.example"]},
    },
}
OPERATION = {
    "operationId": "makeThing",
    "tags": ["Things"],
    "summary": "Make a thing",
    "description": DESCRIPTION,
    "x-extensions": {"x-granular-scopes": ["thing:write:thing"], "x-macro-scopes": ["thing:write"]},
    "parameters": [{"name": "at", "in": "query", "required": True, "description": "Prose.", "schema": TEXT}],
    "requestBody": {"content": {"application/json": {"schema": BODY}}},
    "responses": {
        "201": {"content": {"application/json": {"schema": {"type": "object"}}}},
        "404": {"description": "No."},
    },
}
EVENT = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "object": {"type": "object", "properties": {"topic": TEXT}},
        "old_object": {
            "$ref": "#/paths/thing.made/post/requestBody/content/application~1json/schema/properties/object"
        },
    },
}


@pytest.fixture
def distilled(tmp_path: Path) -> dict[str, Any]:
    """Facts of a made-up contract."""
    written(tmp_path, {"thing.made": {"event": "thing.made", "payload": {"object": {"id": "7"}}}})
    return facts(tmp_path)


def written(folder: Path, samples: dict[str, Any]) -> None:
    """Write contracts and samples as the reference folder has them."""
    for name in ("zoom-contracts", "zoom-webhook-samples"):
        (folder / name).mkdir()
    contract = {"paths": {"/things": {"post": OPERATION}}}
    (folder / "zoom-contracts" / "zoom-things-openapi.2026.json").write_text(json.dumps(contract))
    event = {"post": {"requestBody": {"content": {"application/json": {"schema": EVENT}}}}}
    webhooks = {"webhooks": {"thing.made": event}}
    (folder / "zoom-contracts" / "zoom-things-webhooks.2026.json").write_text(json.dumps(webhooks))
    for name, sample in samples.items():
        (folder / "zoom-webhook-samples" / f"{name}.json").write_text(json.dumps(sample))


def test_an_operation_keeps_its_facts(distilled: dict[str, Any]) -> None:
    """Id, label in capitals, scopes, parameters, and one entry per status."""
    row = distilled["operations"]["POST /things"]
    assert (row["id"], row["label"], row["media"]) == ("makeThing", "HEAVY", "application/json")
    assert row["scopes"] == {"granular": ["thing:write:thing"], "classic": ["thing:write"]}
    assert row["responses"] == {"201": {"type": "object"}, "404": None}
    assert row["parameters"] == [{"name": "at", "in": "query", "required": True, "schema": {"type": "string"}}]


def test_no_prose_is_kept(distilled: dict[str, Any]) -> None:
    """A member may be called `description`; the word of the schema is dropped, and so is a default in prose."""
    text = json.dumps(distilled)
    assert "Prose" not in text
    assert "planning" not in text
    assert distilled["operations"]["POST /things"]["body"]["properties"]["description"] == {"type": "string"}


def test_a_body_is_corrected(distilled: dict[str, Any]) -> None:
    """Each defect of the contracts that concerns schemas."""
    members = distilled["operations"]["POST /things"]["body"]["properties"]
    assert members["kind"] == {"type": "string", "enum": ["MP4", "CHAT", "TIMELINE"], "default": "CHAT"}
    assert members["days"] == {"type": "string", "pattern": WEEKDAY_LIST}
    assert members["restriction"] == {"type": ["string", "null"], "enum": ["SOME", None]}
    assert members["either"] == {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 1}]}
    assert members["people"]["items"] == {"type": "string", "shape": "ann@guest.example"}


def test_a_reference_of_an_event_is_followed(distilled: dict[str, Any]) -> None:
    """It says `paths` where the document says `webhooks`; members that Zoom does not list are allowed."""
    members = distilled["events"]["thing.made"]["properties"]
    assert members["old_object"] == members["object"] == {"type": "object", "properties": {"topic": {"type": "string"}}}
    assert "additionalProperties" not in distilled["events"]["thing.made"]


def test_samples_are_corrected(tmp_path: Path) -> None:
    """A participant joins at `join_time`, and an old object stands beside the new one."""
    joined = {"payload": {"object": {"participant": {"date_time": "2030-01-07T09:30:00Z"}}}}
    updated = {"payload": {"object": {"id": "7", "old_object": {"id": "7"}}}}
    written(tmp_path, {"meeting.participant_joined": joined, "webinar.updated": updated})
    samples = facts(tmp_path)["samples"]
    participant = samples["meeting.participant_joined"]["payload"]["object"]["participant"]
    assert participant == {"join_time": "date-time", "public_ip": "string"}
    assert samples["webinar.updated"]["payload"] == {"object": {"id": "digits"}, "old_object": {"id": "digits"}}


def test_the_file_has_one_row_per_line(tmp_path: Path) -> None:
    """The file's rows are in a stable order."""
    written(tmp_path, {"b": {"payload": {}}, "a": {"payload": {}}})
    lines = rendered(tmp_path).splitlines()
    assert json.loads("\n".join(lines)) == facts(tmp_path)
    assert [line[:4] for line in lines if '"payload"' in line] == ['"a":', '"b":']


@pytest.mark.parametrize(
    ("example", "shape"),
    [
        ("2021-03-18T05:41:36Z", "2030-01-07T09:30:00Z"),
        ("2021-03-18", "2030-01-07"),
        ("jchill@zoom.example", "ann@guest.example"),
        ("https://zoom.example/j/1", "https://guest.example/a"),
        ("America/Los_Angeles", "Europe/Berlin"),
        ("+49 30Ab", "+11 11Aa"),
        ("A sentence of five words", None),
        ("x" * 61, None),
    ],
)
def test_a_shape_is_a_value_of_ours(example: str, shape: str | None) -> None:
    """It has the form of the example and none of its letters."""
    assert shape_of(example) == shape


def test_a_structure_holds_types() -> None:
    """Elements of a list that look alike are one."""
    value = {"a": [{"b": 1}, {"b": 2}, {"b": "x"}], "c": True, "d": None, "e": 1.5, "f": "", "g": "2030-01-07"}
    assert structure(value) == {
        "a": [{"b": "integer"}, {"b": "string"}],
        "c": "boolean",
        "d": "null",
        "e": "number",
        "f": "empty",
        "g": "date",
    }
