"""The stories of deliveries that lie beside the repository, with their right results, through the processor."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.fakes.connection_stores import Memory
from tests.fakes.connections import connection
from tests.fakes.event_stores import Hosts, Log, Projections
from tests.fakes.events import APP, Bus, Clock, Counts, plenty, record
from zoom_common.connections.link_store import Claim
from zoom_common.connections.store import folded_item
from zoom_common.events.processor import EventProcessor
from zoom_common.events.projections.reader import MeetingReader
from zoom_common.zoom.event_redaction import Redaction
from zoom_common.zoom.events import epoch_ms, parse

_PLACE = Path("shared", "cases", "stories.json")
CASES = next((each / _PLACE for each in Path(__file__).parents if (each / _PLACE).exists()), None)
WHOLE: dict[str, Any] = json.loads(CASES.read_text()) if CASES else {"host": "", "stories": []}

type Story = dict[str, Any]


def arranged(events: Sequence[Any], order: str) -> list[Any]:
    """The deliveries in an order, or with repeats and with half of them lost at first."""
    match order:
        case "in reverse":
            return list(reversed(events))
        case "shuffled":
            return Random(len(events)).sample(events, k=len(events))  # noqa: S311 - an order, no secret
        case "repeated and lost at first":
            return [*events[1::2], *events[1::2], *events[::2], *events]
    return list(events)


def vault() -> Memory:
    """The host's connection, as linking stores it."""
    memory = Memory()
    ids = {"tenant": "acme", "connection_id": "con_a"}
    host = connection(**ids, client_id=APP, zoom_user_id=WHOLE["host"], zoom_account_id=WHOLE["account"])
    memory.put(host)
    memory.claims[APP, WHOLE["host"]] = Claim(**ids)
    memory.table.put(folded_item(host))
    return memory


def processed(events: Sequence[Any]) -> tuple[MeetingReader, Bus]:
    """What is known, and what was published, after these deliveries."""
    received = max(parse(json.dumps(each).encode()).true_since_ms or 0 for each in events)
    clock, bus, projections = Clock(received / 1000 + 1), Bus(), Projections()
    processor = EventProcessor(
        log=Log(clock),
        connections=vault(),
        hosts=Hosts(),
        projections=projections,
        publisher=bus,
        redaction=Redaction(),
        count=Counts().count,
        report=Counts().report,
    )
    for at, body in enumerate(events):
        message = record(json.dumps(body).encode(), message=f"m-{at}", received_at_ms=received + at)
        assert processor.process([message], plenty()) == []
    return MeetingReader(projections, clock=clock), bus


@pytest.mark.skipif(CASES is None, reason="the shared cases are not beside this repository")
@pytest.mark.parametrize("order", ["in order", "in reverse", "shuffled", "repeated and lost at first"])
@pytest.mark.parametrize("story", WHOLE["stories"], ids=lambda story: story["name"])
def test_a_shared_story_has_its_result(story: Story, order: str) -> None:
    """Its people and minutes, status, start, who waits and is there, whom it reaches and how often it is published."""
    reader, bus = processed(arranged(story["events"], order))
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
