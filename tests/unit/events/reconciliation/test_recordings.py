"""Recordings of several sets of files: what Zoom's API tells of them, and in how many events it is told."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.events import Clock
from tests.fakes.meeting_life import HOST, NUMBER, START, iso
from tests.fakes.reconciling import Room
from zoom_common.events.projections.keys import RECORDING, file_sort
from zoom_common.events.projections.meeting import Meeting
from zoom_common.events.projections.reader import MeetingReader
from zoom_common.events.reconciliation.missing_events import missing_recordings
from zoom_common.zoom.event_keys import dedupe_key
from zoom_common.zoom.events import parse

UUID = "/recorded//=="
SETS = 3
LATER = START + 6 * 3600.0


def files(part: int) -> list[dict[str, Any]]:
    """One set: a film, its sound, and a timeline, which has no id in the REST API."""
    span = {"recording_start": iso(START + 1000 * part), "recording_end": iso(START + 1000 * part + 900)}
    film, sound = ({"id": f"{part}-{kind}", "file_type": kind, "file_size": 7, **span} for kind in ("MP4", "M4A"))
    return [film, sound, {"file_type": "TIMELINE", **span}]


def recording(*parts: int) -> dict[str, Any]:
    """What the REST API tells, or an event's object."""
    listed = [each for part in parts for each in files(part)]
    about = {"uuid": UUID, "id": NUMBER, "host_id": HOST, "type": "2", "recording_count": len(listed)}
    return {**about, "recording_files": listed}


def completed(*parts: int) -> bytes:
    """Zoom's own event: the timeline has an id there, and nothing says that it is the same file."""
    about = recording(*parts)
    about["recording_files"] = [{"id": f"t{each['recording_start']}", **each} for each in about["recording_files"]]
    body = {"event": "recording.completed", "event_ts": 5, "payload": {"account_id": "acc-1", "object": about}}
    return json.dumps(body).encode()


def missing(room: Room, whole: dict[str, Any]) -> list[bytes]:
    place = room.projections.read("acme", f"meeting#{NUMBER}", RECORDING + UUID)
    place |= room.projections.read("acme", f"meeting#{NUMBER}", file_sort(UUID))
    return missing_recordings("acc-1", whole, Meeting(str(NUMBER), place))


def names(bodies: Sequence[bytes]) -> list[list[str]]:
    """The films and sounds of each event."""
    objects = (json.loads(body)["payload"]["object"] for body in bodies)
    return [[file["id"] for file in each["recording_files"] if "id" in file] for each in objects]


@pytest.fixture
def room() -> Room:
    return Room(Clock(LATER))


def test_nobody_knows_how_it_would_have_been_reported(room: Room) -> None:
    """Of a recording of which nothing was told, one event tells all."""
    bodies = missing(room, recording(0, 1, 2))
    assert names(bodies) == [["0-MP4", "0-M4A", "1-MP4", "1-M4A", "2-MP4", "2-M4A"]]
    assert dedupe_key(parse(bodies[0])) == dedupe_key(parse(completed(0, 1, 2)))


@given(reported=st.sets(st.integers(0, SETS - 1), min_size=1, max_size=SETS))
def test_where_zoom_reported_set_by_set_so_is_the_rest(reported: set[int]) -> None:
    """And each late original is the same event as its reconstruction."""
    room = Room(Clock(LATER))
    room.deliver([completed(part) for part in sorted(reported)])
    bodies = missing(room, recording(*range(SETS)))
    lost = [part for part in range(SETS) if part not in reported]
    assert names(bodies) == [[f"{part}-MP4", f"{part}-M4A"] for part in lost]
    assert [dedupe_key(parse(body)) for body in bodies] == [dedupe_key(parse(completed(part))) for part in lost]
    assert all(json.loads(body)["payload"]["object"]["recording_count"] == 3 for body in bodies)
    room.deliver(bodies)
    published = len(room.bus.events)
    room.deliver([completed(part) for part in range(SETS)])
    assert len(room.bus.events) == published == SETS
    assert missing(room, recording(*range(SETS))) == []


def test_a_set_of_which_some_files_were_reported_says_nothing_of_the_others(room: Room) -> None:
    """Files come in late, whatever the set: what is missing of it and of all others is told in one."""
    part = json.loads(completed(0))
    del part["payload"]["object"]["recording_files"][1:]
    room.deliver([json.dumps(part).encode()])
    assert names(missing(room, recording(0, 1, 2))) == [["0-M4A", "1-MP4", "1-M4A", "2-MP4", "2-M4A"]]


def test_a_file_that_was_reported_in_processing_only_is_missing(room: Room) -> None:
    """The event with the completed files was lost; its reconstruction is the same event. Other sets are known."""
    part = json.loads(completed(0))
    part["payload"]["object"]["recording_files"][0]["status"] = "processing"
    room.deliver([json.dumps(part).encode(), completed(1)])
    [body] = missing(room, recording(0, 1))
    assert dedupe_key(parse(body)) == dedupe_key(parse(completed(0)))
    room.deliver([body])
    assert missing(room, recording(0, 1)) == []


def test_an_original_that_reported_otherwise_is_published_and_changes_nothing(room: Room) -> None:
    """The one thing that cannot be known: the files are the same, the event is another."""
    room.deliver(missing(room, recording(0, 1)))
    before = MeetingReader(room.projections).recordings("acme", str(NUMBER))
    room.deliver([completed(0), completed(1)])
    assert len(room.bus.events) == 3
    [shown] = MeetingReader(room.projections).recordings("acme", str(NUMBER))
    assert [each["id"] for each in shown["recording_files"]] == [each["id"] for each in before[0]["recording_files"]]
