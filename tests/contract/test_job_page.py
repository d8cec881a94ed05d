"""What the web client's page for jobs offers, compared with Zoom's contracts."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ops.project import ROOT
from tests.contract import facts
from zoom_common.jobs.mapping import ids_of
from zoom_common.zoom.operations.table import named

OFFERED: list[dict[str, Any]] = json.loads((ROOT / "web" / "src" / "jobs" / "operations.json").read_text())


@pytest.mark.parametrize("offered", OFFERED, ids=lambda each: str(each["name"]))
def test_every_member_that_the_page_offers_is_one_of_the_operation(offered: dict[str, Any]) -> None:
    """It is an id of the path, a parameter of the query, or a member of Zoom's body."""
    operation = named(offered.get("like", offered["name"]))
    known = {*ids_of(operation), *(each.name for each in operation.query)}
    body = facts.operation(operation.method, operation.path).get("body", {})
    unknown = [name for name in offered["members"] if name not in known and not _has(body, name.split("."))]
    assert unknown == []


def _has(schema: Any, path: list[str]) -> bool:
    if any(_has(part, path) for part in (*schema.get("allOf", ()), *schema.get("anyOf", ()))):
        return True
    members = schema.get("properties", {})
    return path[0] in members and (len(path) == 1 or _has(members[path[0]], path[1:]))
