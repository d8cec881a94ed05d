"""CloudEvents."""

from __future__ import annotations

import json

import pytest

from zoom_common.events.bus import CloudEvent, event_id, rfc3339, source_of

EVENT = CloudEvent(
    id="evt_1",
    source=source_of("App"),
    type="zoom.meeting.started",
    time="2026-01-01T00:00:00.000Z",
    tenant="acme",
    subject="meetings/1",
    connection_id="con_1",
    data={"event": "meeting.started", "payload": {"topic": "é"}},
)


def test_an_event_is_a_cloudevent() -> None:
    """Required attributes, our two extensions, and Zoom's body as data."""
    assert json.loads(EVENT.to_json()) == {
        "specversion": "1.0",
        "id": "evt_1",
        "source": "/zoom/App",
        "type": "zoom.meeting.started",
        "subject": "meetings/1",
        "time": "2026-01-01T00:00:00.000Z",
        "datacontenttype": "application/json",
        "tenant": "acme",
        "connectionid": "con_1",
        "data": {"event": "meeting.started", "payload": {"topic": "é"}},
    }


def test_what_is_written_is_read_back() -> None:
    """An event taken up after a crash is the event that was admitted."""
    assert CloudEvent.from_json(EVENT.to_json()) == EVENT
    bare = CloudEvent(id="1", source="s", type="connection.connected", time="t", tenant="a")
    assert CloudEvent.from_json(bare.to_json()) == bare
    assert set(json.loads(bare.to_json())) == {"specversion", "id", "source", "type", "time", "tenant"}


def test_rules_match_zooms_names() -> None:
    """The detail type of a Zoom event is Zoom's own name, of another event its type."""
    assert EVENT.detail_type == "meeting.started"
    assert CloudEvent(id="1", source="s", type="connection.connected", time="t", tenant="a").detail_type == (
        "connection.connected"
    )


def test_an_event_by_reference_has_no_data() -> None:
    """It says where the data is."""
    found = json.loads(EVENT.by_reference().to_json())
    assert found["dataref"] == "/events/evt_1"
    assert not {"data", "datacontenttype"} & set(found)


def test_ids_are_stable_and_apart() -> None:
    """The same key gives the same id; another app, owner or key another one."""
    ids = [event_id("s", "a", "k"), event_id("t", "a", "k"), event_id("s", "b", "k"), event_id("s", "a", "l")]
    assert len(set(ids)) == 4
    assert event_id("s", "a", "k") == ids[0]
    assert ids[0] == "evt_" + ids[0][4:].lower()
    assert len(ids[0]) == 36


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (0, "1970-01-01T00:00:00.000Z"),
        (1_626_230_691_572, "2021-07-14T02:44:51.572Z"),
        (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
    ],
)
def test_times_keep_their_milliseconds(moment: int, text: str) -> None:
    """RFC 3339, in UTC, without the rounding of floating point."""
    assert rfc3339(moment) == text
