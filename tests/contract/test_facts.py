"""The committed facts of Zoom's contracts: complete, without Zoom's text, and what the script makes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from dev.contract_facts import REFERENCE, SIMULATED, rendered, simulated
from tests.contract import facts
from zoom_common.zoom.operations.table import operations

SCHEMA_WORDS = {
    *("type", "format", "enum", "default", "pattern", "required", "properties", "items", "allOf", "anyOf"),
    *("minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "deprecated", "shape"),
}
OPERATION_WORDS = {"id", "tag", "method", "path", "label", "scopes", "parameters", "responses", "media", "body"}
KINDS = {*facts.LEAVES, "integer", "number", "boolean", "null"}


@pytest.mark.skipif(not (REFERENCE / "zoom-contracts").is_dir(), reason="Zoom's contracts are not here")
def test_the_committed_facts_are_what_the_script_makes() -> None:
    """After a change of the script or of the contracts: make contract-facts."""
    assert facts.FILE.read_text() == rendered(REFERENCE)


def test_the_simulated_zoom_has_the_same_facts() -> None:
    """It covers the operations without code there. After code was added for one: make contract-facts."""
    assert SIMULATED.read_text() == simulated(facts.FACTS["operations"])


def test_all_of_zooms_operations_and_events_have_facts() -> None:
    """The facts cover all contracts of meetings, users and the Marketplace, also operations that we do not serve."""
    assert {name: len(rows) for name, rows in facts.FACTS.items()} == {"operations": 255, "events": 128, "samples": 144}
    served = {f"{each.method} {each.path}" for each in operations() if not each.own}
    assert served <= facts.FACTS["operations"].keys()


def test_one_fact_stands_on_one_line() -> None:
    """So that a change of one operation is a diff of one line."""
    lines = facts.FILE.read_text().splitlines()
    assert len(lines) == sum(len(rows) for rows in facts.FACTS.values()) + 2 * len(facts.FACTS) + 2
    assert facts.FILE.stat().st_size < 1_000_000


def schemas() -> Iterator[dict[str, Any]]:
    """Every schema in the facts, with all schemas inside it."""
    for row in facts.FACTS["operations"].values():
        yield from (found for each in row["parameters"] for found in nested(each["schema"]))
        for schema in (row.get("body"), *row["responses"].values()):
            yield from nested(schema) if schema is not None else ()
    for schema in facts.EVENTS.values():
        yield from nested(schema)


def nested(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A schema and all schemas inside it."""
    yield schema
    inner = [*schema.get("properties", {}).values(), *schema.get("allOf", ()), *schema.get("anyOf", ())]
    for each in [*inner, schema["items"]] if "items" in schema else inner:
        yield from nested(each)


def test_no_text_of_zooms_is_in_the_facts() -> None:
    """Descriptions, titles and examples stay out; a shape has no letter but `a` unless it is one of our values."""
    for row in facts.FACTS["operations"].values():
        assert row.keys() <= OPERATION_WORDS
    ours = {"ann@guest.example", "https://guest.example/a", "Europe/Berlin"}
    for schema in schemas():
        assert schema.keys() <= SCHEMA_WORDS
        shape = schema.get("shape", "")
        assert shape in ours or re.fullmatch(r"[aA1\W_]*|[\d:.+TZ -]*", shape), shape


def test_a_sample_holds_kinds_and_no_values() -> None:
    """Each leaf of a sample is a word of ours."""
    assert {leaf for each in facts.SAMPLES.values() for leaf in leaves(each)} <= KINDS


def leaves(structure: Any) -> Iterator[str]:
    """Every leaf of a sample's structure."""
    if not isinstance(structure, dict | list):
        yield structure
        return
    for each in structure.values() if isinstance(structure, dict) else structure:
        yield from leaves(each)
