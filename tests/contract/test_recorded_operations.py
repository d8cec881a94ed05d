"""Our operations against what is on record about Zoom's, for when Zoom's own documents are not at hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from zoom_common.zoom.models.base import faults
from zoom_common.zoom.operations import OPERATIONS, Operation

RECORDED: list[dict[str, Any]] = json.loads((Path(__file__).parent / "recorded_operations.json").read_text())
ROWS = {each.name: each for each in OPERATIONS if not each.own}


def told(operation: Operation) -> dict[str, Any]:
    """What a row says, in the form of the record. `*` marks what is required; `body` lists a body's required fields."""
    required = None
    if operation.body is not None:
        lacking = [each for each in faults(operation.body, {}) if each.message == "This field is required."]
        required = sorted(each.field for each in lacking)
    return {
        "name": operation.name,
        "method": operation.method,
        "path": operation.path,
        "success": operation.success,
        "label": str(operation.label),
        "scopes": sorted({*operation.scopes.granular, *operation.scopes.classic}),
        "query": sorted(each.name + "*" * each.required for each in operation.query),
        "body": required,
    }


@pytest.mark.parametrize("recorded", [pytest.param(each, id=each["name"]) for each in RECORDED])
def test_a_row_is_what_is_on_record(recorded: dict[str, Any]) -> None:
    """Method, path, success status, label, scopes, parameters and required fields."""
    assert told(ROWS[recorded["name"]]) == recorded


def test_nothing_is_off_the_record() -> None:
    """A new row comes with its entry."""
    assert set(ROWS) == {each["name"] for each in RECORDED}
