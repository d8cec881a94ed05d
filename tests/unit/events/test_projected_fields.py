"""What each kind of event leaves in the projections, row by row: statuses, marks, and what must not be there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from zoom_common.events.projections.projectors import changes
from zoom_common.zoom.events import parse

MEETING = {"id": 85746065, "uuid": "u/1=="}
AT_MS = 1_790_000_000_000
LINKS = {
    "start_url": "https://zoom.example/s",
    "join_url": "https://zoom.example/j",
    "pic_url": "https://zoom.example/p",
}


def reported(name: str, about: dict[str, Any], **payload: Any) -> dict[str, dict[str, Any]]:
    """Return what an event changes: by sort key, the latest and earliest values and the marks."""
    body = {"event": name, "event_ts": AT_MS, "payload": {"account_id": "acc-1", **payload, "object": about}}
    found = changes(parse(json.dumps(body).encode()))
    return {each.sort: {**each.latest, "earliest": each.earliest, "marks": each.marks} for each in found}


DEFINITIONS = [
    ("meeting.created", True, "meeting"),
    ("meeting.updated", True, "meeting"),
    ("meeting.recovered", True, "meeting"),
    ("meeting.deleted", False, "meeting"),
    ("meeting.permanently_deleted", False, "meeting"),
    ("meeting.converted_to_webinar", True, "webinar"),
    ("webinar.converted_to_meeting", True, "meeting"),
    ("webinar.created", True, "webinar"),
]


@pytest.mark.parametrize(("name", "exists", "kind"), DEFINITIONS)
def test_whether_a_meeting_is_there(name: str, kind: str, *, exists: bool) -> None:
    """Each event about the whole of it says so, and of which kind it is now."""
    definition = reported(name, {**MEETING, "topic": "Plan"})["definition"]
    assert (definition["exists"], definition["kind"], definition["topic"]) == (exists, kind, "Plan")


@pytest.mark.parametrize(
    ("what", "status"),
    [("created", None), ("approved", "approved"), ("denied", "denied"), ("cancelled", "cancelled")],
)
def test_a_registration_has_a_status_and_says_what_its_meeting_is(what: str, status: str | None) -> None:
    """The meeting's definition is told along, though not whether it is there."""
    registrant = {"id": "r-1", "email": "ada@acme.example", "join_url": "https://zoom.example/w?tk=1"}
    found = reported(f"meeting.registration_{what}", {**MEETING, "topic": "Plan", "registrant": registrant})
    assert found["registrant#r-1"].get("status") == status
    assert found["registrant#r-1"]["email"] == "ada@acme.example"
    assert found["definition"]["topic"] == "Plan"
    assert "exists" not in found["definition"]


def test_a_registrants_link_is_not_kept() -> None:
    """It lets its holder in as this person."""
    found = reported("meeting.registration_created", {**MEETING, "registrant": {"id": "r-1", **LINKS}})
    assert not LINKS.keys() & found["registrant#r-1"].keys()
    assert "id" not in found["registrant#r-1"]


def test_a_definition_has_no_links_no_persons_and_nothing_twice() -> None:
    """What is kept elsewhere (ids, settings, occurrences, people) and every link is left out."""
    about = {**MEETING, **LINKS, "topic": "Plan", "host_email": "ada@acme.example", "settings": {"mute": True}}
    about |= {"participant": {"user_name": "Ada"}, "registrant": {"id": "r"}, "occurrences": []}
    definition = reported("meeting.created", about)["definition"]
    assert definition.keys() == {"topic", "settings.mute", "exists", "kind", "earliest", "marks"}


def test_an_occurrence_has_three_fields() -> None:
    """Its start, its duration and its status; its own links are left out."""
    occurrence = {"occurrence_id": "1", "start_time": "s", "duration": 5, "status": "available", **LINKS}
    definition = reported("meeting.updated", {**MEETING, "occurrences": [occurrence]})["definition"]
    kept = {name for name in definition if name.startswith("occurrences.")}
    assert kept == {"occurrences.1.start_time", "occurrences.1.duration", "occurrences.1.status"}


@pytest.mark.parametrize(
    ("what", "status"), [("deleted", "deleted"), ("permanently_deleted", "deleted"), ("recovered", "available")]
)
def test_one_occurrence_goes_and_comes_back(what: str, status: str) -> None:
    """Without a word on the whole series when it goes."""
    about = {**MEETING, "occurrences": [{"occurrence_id": "1"}]}
    definition = reported(f"meeting.{what}", about, operation="single")["definition"]
    assert definition["occurrences.1.status"] == status
    assert definition.get("exists") is (True if what == "recovered" else None)
    if what != "recovered":
        assert reported(f"meeting.{what}", about, operation="all")["definition"]["exists"] is False


def test_a_session_keeps_who_it_is_and_nothing_of_their_device() -> None:
    """Neither addresses nor what else Zoom says about a participant."""
    participant = {
        "user_id": "s-1",
        "user_name": "Ada",
        "email": "ada@acme.example",
        "registrant_id": "r-1",
        "customer_key": "c",
        "phone_number": "+49",
        "participant_uuid": "p",
        "id": "zoom-user",
        "public_ip": "192.0.2.1",
        "private_ip": "10.0.0.1",
        "device": "Mac",
        **LINKS,
    }
    session = reported("meeting.participant_joined", {**MEETING, "participant": participant})["session#u/1==#s-1"]
    kept = {"user_name", "email", "registrant_id", "customer_key", "phone_number", "participant_uuid", "zoom_user_id"}
    assert session.keys() == {*kept, f"user_name.joined.{MOMENT_MS - 10_000}", "earliest", "marks"}
    assert session["zoom_user_id"] == "zoom-user"


def test_an_empty_text_says_nothing_about_a_session() -> None:
    """What another event said stays."""
    participant = {"user_id": "s-1", "user_name": "", "email": ""}
    session = reported("meeting.participant_left", {**MEETING, "participant": participant})["session#u/1==#s-1"]
    assert session.keys() == {"earliest", "marks"}


MOMENT = "2026-09-21T14:13:30Z"
MOMENT_MS = 1_790_000_010_000


@pytest.mark.parametrize(
    ("what", "field", "mark"),
    [
        ("participant_joined", "join_time", "joined"),
        ("participant_left", "leave_time", "left"),
        ("participant_joined_waiting_room", "date_time", "waiting"),
        ("participant_put_in_waiting_room", "date_time", "waiting"),
        ("participant_left_waiting_room", "date_time", "waited"),
        ("participant_admitted", "date_time", "admitted"),
    ],
)
def test_a_session_has_marks_at_the_times_zoom_names(what: str, field: str, mark: str) -> None:
    """Where Zoom names none, the event's own time counts."""
    for participant, at in (({"user_id": "s-1", field: MOMENT}, MOMENT_MS), ({"user_id": "s-1"}, AT_MS)):
        session = reported(f"meeting.{what}", {**MEETING, "participant": participant})["session#u/1==#s-1"]
        assert session["marks"] == {(mark, at)}


@pytest.mark.parametrize(("what", "sharing"), [("sharing_started", True), ("sharing_ended", False)])
def test_who_shares(what: str, *, sharing: bool) -> None:
    """As of the last event."""
    session = reported(f"meeting.{what}", {**MEETING, "participant": {"user_id": "s-1"}})["session#u/1==#s-1"]
    assert (session["sharing"], session["marks"]) == (sharing, frozenset())


def test_an_instance_ends_by_its_end_only() -> None:
    """Every event while it runs says since when; who hosts it comes along, without links."""
    about = {**MEETING, **LINKS, "topic": "Plan", "host_id": "h", "start_time": MOMENT, "end_time": MOMENT}
    running = reported("meeting.sharing_started", {**about, "participant": {"user_id": "s-1"}})["instance#u/1=="]
    assert running["earliest"] == {"topic": "Plan", "host_id": "h", "started_ms": MOMENT_MS, "kind": "meeting"}
    assert "ended_ms" not in running
    assert reported("meeting.ended", about)["instance#u/1=="]["ended_ms"] == MOMENT_MS
    without_time = reported("meeting.ended", MEETING)["instance#u/1=="]
    assert (without_time["end_told"], "ended_ms" in without_time) == (True, False)
    assert reported("meeting.started", MEETING)["instance#u/1=="]["earliest"]["started_ms"] == AT_MS


@pytest.mark.parametrize(
    ("what", "capture"),
    [("started", "recording"), ("resumed", "recording"), ("paused", "paused"), ("stopped", "stopped")],
)
def test_what_a_recording_is_doing(what: str, capture: str) -> None:
    """While the meeting is on."""
    assert reported(f"recording.{what}", {**MEETING, "topic": "Plan"})["recording#u/1=="]["capture"] == capture


@pytest.mark.parametrize(
    ("what", "status"),
    [("completed", "available"), ("recovered", "available"), ("trashed", "trashed"), ("deleted", "deleted")],
)
def test_where_a_recording_is(what: str, status: str) -> None:
    """The whole of it, where no files are listed; else each listed file without links, completed unless it says."""
    assert reported(f"recording.{what}", MEETING)["recording#u/1=="]["status"] == status
    file = {
        "id": "f-1",
        "file_type": "MP4",
        "download_url": "https://zoom.example/d",
        "play_url": "https://zoom.example/p",
    }
    found = reported(f"recording.{what}", {**MEETING, "recording_files": [file]})
    assert "status" not in found["recording#u/1=="]
    (kept,) = (values for sort, values in found.items() if sort.startswith("recording-file#"))
    assert {**kept, "earliest": None, "marks": None} == {
        "file_type": "MP4",
        "list": "recording_files",
        "availability": status,
        "earliest": None,
        "marks": None,
        **({"status": "completed"} if what == "completed" else {}),
    }


def test_a_recording_keeps_what_it_is_about() -> None:
    """Whose it is, when it was made and when it goes; no links, passcodes or sizes."""
    kept = {"topic": "Plan", "host_id": "h", "host_email": "ada@acme.example", "type": 2, "start_time": MOMENT}
    kept |= {"timezone": "UTC", "duration": 5, "auto_delete_date": "2026-10-01"}
    about = {**MEETING, **kept, "share_url": "https://zoom.example/s", "password": "p", "total_size": 9}
    recording = reported("recording.completed", about)["recording#u/1=="]
    assert {name: recording[name] for name in recording.keys() - {"earliest", "marks", "status"}} == kept


def test_an_instance_keeps_what_it_is_about() -> None:
    """What was said first counts."""
    kept = {"topic": "Plan", "host_id": "h", "host_email": "ada@acme.example", "type": 2, "timezone": "UTC"}
    about = {**MEETING, **kept, **LINKS, "duration": 5, "password": "p"}
    instance = reported("meeting.ended", about)["instance#u/1=="]
    assert instance["earliest"] == {**kept, "duration": 5, "kind": "meeting"}


@pytest.mark.parametrize(
    ("what", "status"),
    [
        ("created", "active"),
        ("activated", "active"),
        ("invitation_accepted", "active"),
        ("deactivated", "inactive"),
        ("deleted", "deleted"),
        ("disassociated", "disassociated"),
        ("updated", None),
    ],
)
def test_a_users_status(what: str, status: str | None) -> None:
    """Neither settings, nor the picture, nor an organisation's own attributes are kept."""
    about = {"id": "user-1", "email": "ada@acme.example", "pic_url": "x", "settings": {}, "custom_attributes": []}
    user = reported(f"user.{what}", about)["user#user-1"]
    assert user.get("status") == status
    assert user.keys() - {"status"} == {"email", "earliest", "marks"}


@pytest.mark.parametrize(("what", "field"), [("signed_in", "signed_in_at"), ("signed_out", "signed_out_at")])
def test_when_a_user_was_seen(what: str, field: str) -> None:
    """The time alone: where from and with which client is not kept."""
    about = {"id": "user-1", "date_time": MOMENT, "client_type": "mac", "email": "ada@acme.example"}
    user = reported(f"user.{what}", about)["user#user-1"]
    assert {name: value for name, value in user.items() if name not in {"earliest", "marks"}} == {field: MOMENT}


@pytest.mark.parametrize("name", ["meeting.alert", "user.presence_status_updated", "recording.link_viewed", "phone.x"])
def test_other_events_change_nothing(name: str) -> None:
    """They are published and kept in the log, and no projection is made of them."""
    assert reported(name, {**MEETING, "topic": "Plan"}) == {}


def test_a_name_longer_than_zooms_is_left_out() -> None:
    """DynamoDB's keys are limited; 200 letters of key are the most that is kept."""
    longest = "r" * (200 - len("registrant#"))
    for name, kept in ((longest, True), (longest + "r", False)):
        found = reported("meeting.registration_created", {**MEETING, "registrant": {"id": name}})
        assert (f"registrant#{name}" in found) is kept
