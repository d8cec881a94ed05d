"""The stories of deliveries that lie beside the repository, with their right results, through the processor."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.processed import ORDERS, arranged, processed
from zoom_common.zoom.events import epoch_ms

_PLACE = Path("shared", "cases", "stories.json")
CASES = next((each / _PLACE for each in Path(__file__).parents if (each / _PLACE).exists()), None)
WHOLE: dict[str, Any] = json.loads(CASES.read_text()) if CASES else {"host": "", "stories": []}

type Story = dict[str, Any]


@pytest.mark.skipif(CASES is None, reason="the shared cases are not beside this repository")
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("story", WHOLE["stories"], ids=lambda story: story["name"])
def test_a_shared_story_has_its_result(story: Story, order: str) -> None:
    """Its people and minutes, status, start, who waits and is there, whom it reaches and how often it is published."""
    reader, bus = processed(arranged(story["events"], order), WHOLE["host"], WHOLE["account"])
    if "reaches" in story:
        assert [(each.tenant, each.connection_id) for each in bus.events] == [("acme", "con_a")]
        return
    assert len(bus.events) == story.get("published", len(story["events"]))
    number = str(story["events"][0]["payload"]["object"]["id"])
    state = reader.state("acme", number)
    found = {
        "status": state["status"],
        "waiting": len(state["waiting"]),
        "present": state["participants_count"],
        "start_time": (state["instance"] or {}).get("start_time"),
    }
    assert all(found[name] == story[name] for name in found.keys() & story.keys())
    if "people" in story:
        seen = reader.attendance("acme", number, occurrence=epoch_ms(story.get("occurrence")))["participants"]
        right = sorted((each["name"], each["minutes"]) for each in story["people"])
        assert sorted((each["name"], each["minutes"]) for each in seen) == right
