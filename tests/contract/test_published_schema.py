"""What subscribers were promised, against what is published."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dev.event_schema import TARGET, rendered
from tests.fakes.event_stores import Connection, Connections, Hosts, Log, Projections
from tests.fakes.events import APP, Bus, Clock, Counts, plenty, record
from tests.fakes.meeting_life import HOST, Life
from zoom_common.events.bus import CloudEvent
from zoom_common.events.connection_events import to_event
from zoom_common.events.processor import EventProcessor
from zoom_common.events.published_schema import cloud_event_schema, named_types
from zoom_common.zoom.event_redaction import Redaction

SCHEMA = jsonschema.Draft202012Validator(cloud_event_schema(), format_checker=jsonschema.FormatChecker())
ROOT = Path(__file__).parents[2]


def published() -> list[CloudEvent]:
    """A meeting's whole life, through the processor."""
    life, bus = Life(), Bus()
    life.plan("meeting.created", topic="Stand-up", password="secret")
    life.start("u/1==")
    life.join("s-1", {"user_name": "Ada"})
    life.leave("s-1", {"user_name": "Ada"})
    life.end()
    life.recorded("f-1")
    life.send("meeting.invented_yesterday", {"object": {"host_id": HOST}})
    processor = EventProcessor(
        log=Log(Clock()),
        connections=Connections(users={(APP, HOST): Connection("acme", "con_a")}),
        hosts=Hosts(),
        projections=Projections(),
        publisher=bus,
        redaction=Redaction(),
        count=Counts().count,
        report=Counts().report,
    )
    for at, body in enumerate(life.deliveries):
        processor.process([record(body, message=f"m-{at}")], plenty())
    assert len(bus.events) == len(life.deliveries)
    return bus.events


def test_the_committed_document_is_what_the_code_says() -> None:
    """`python -m dev.event_schema` writes it."""
    assert TARGET.read_text() == rendered()


def test_every_published_event_keeps_the_promise() -> None:
    """Events in full, by reference and reconciled all match the schema."""
    for event in published():
        for form in (event, event.by_reference(), replace(event, reconciled=True)):
            SCHEMA.validate(json.loads(form.to_json()))


def test_a_changed_connection_keeps_the_promise() -> None:
    """Its events come on the same bus."""
    change = {
        "type": "connection.connected",
        "tenant": "acme",
        "connection_id": "con_1",
        "state": "connected",
        "at": 1.0,
    }
    SCHEMA.validate(json.loads(to_event(change).to_json()))


def test_every_attribute_is_promised() -> None:
    """Whatever an event may carry stands in the schema."""
    event = published()[0]
    everything = replace(event, dataref="/events/x", reconciled=True, correlation_id="c", subject="s")
    assert set(json.loads(everything.to_json())) == set(cloud_event_schema()["properties"])
    assert len(fields(CloudEvent)) == len(cloud_event_schema()["properties"]) - 2  # specversion, datacontenttype


@pytest.mark.parametrize(
    "broken",
    [
        {"id": "7"},
        {"tenant": "Acme"},
        {"type": "meeting.started"},
        {"time": "yesterday"},
        {"data": None},
        {"specversion": "2"},
    ],
)
def test_the_schema_refuses_what_was_not_promised(broken: dict[str, Any]) -> None:
    """The schema refuses malformed events, so the tests above can fail."""
    event = {**json.loads(published()[0].to_json()), **broken}
    assert not SCHEMA.is_valid(event)


def test_zooms_name_of_a_finished_recording_is_the_one_handled() -> None:
    """A setup guide of 2024 calls it meeting.recording_completed, which never comes."""
    assert "zoom.recording.completed" in named_types()
    assert "zoom.meeting.recording_completed" not in named_types()
