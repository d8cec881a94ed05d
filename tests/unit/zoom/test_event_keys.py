"""When two deliveries are one event."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fakes.events import meeting
from zoom_common.zoom.event_keys import dedupe_key, former_keys
from zoom_common.zoom.events import parse


def key(body: bytes) -> str:
    return dedupe_key(parse(body))


def user(name: str, ts: int) -> bytes:
    return json.dumps({"event": name, "event_ts": ts, "payload": {"object": {"id": "u"}}}).encode()


def recording(token: str, link: str, *files: str, ts: int = 1) -> bytes:
    body = {
        "event": "recording.completed",
        "event_ts": ts,
        "download_token": token,
        "payload": {"object": {"uuid": "u", "recording_files": [{"id": file, "download_url": link} for file in files]}},
    }
    return json.dumps(body).encode()


def test_deactivated_activated_deactivated_are_three() -> None:
    """The same thing happening again later is another event."""
    assert (
        len({key(user("user.deactivated", 1)), key(user("user.activated", 2)), key(user("user.deactivated", 3))}) == 3
    )


def test_the_order_of_keys_does_not_matter() -> None:
    """Two subscriptions of one app may get the same event from two producers."""
    assert key(b'{"event":"a.b","event_ts":1,"payload":{"x":1,"y":2}}') == key(
        b'{ "payload": {"y": 2, "x": 1}, "event_ts": 1, "event": "a.b" }'
    )


def test_links_and_download_tokens_do_not_matter() -> None:
    """They are made anew for each delivery."""

    def trashed(token: str, link: str) -> str:
        payload = {"object": {"id": 1, "share_url": link}}
        body = {"event": "recording.trashed", "event_ts": 1, "download_token": token, "payload": payload}
        return key(json.dumps(body).encode())

    assert trashed("t1", "https://zoom.us/rec/1") == trashed("t2", "https://zoom.us/rec/2")


def test_twin_recordings_are_one() -> None:
    """The same files of the same instance, with another token, other links, another order and another time."""
    assert key(recording("t1", "l1", "a", "b")) == key(recording("t2", "l2", "b", "a", ts=9))
    assert key(recording("t1", "l1", "a", "b")) != key(recording("t1", "l1", "a"))


def test_a_recording_without_file_ids_goes_by_its_content() -> None:
    """A natural key needs all of its parts."""
    assert key(recording("t", "l", ts=1)) != key(recording("t", "l", ts=2))


@pytest.mark.parametrize("name", ["meeting.ended", "webinar.ended"])
def test_an_instance_ends_once(name: str) -> None:
    """A late original and its reconstruction agree on the instance, not on every field."""
    assert key(meeting(name, ts=1)) == key(meeting(name, ts=2, topic="renamed"))
    assert key(meeting(name, uuid="a")) != key(meeting(name, uuid="b"))


def test_a_participants_session_is_one_join_and_one_leave() -> None:
    """Instance, session and time: a guest has no other identity, and joins again as another session."""

    def joined(session: str, time: str, **more: Any) -> str:
        return key(meeting("meeting.participant_joined", participant={"user_id": session, "join_time": time, **more}))

    assert joined("167", "2026-01-01T10:00:00Z", id="") == joined("167", "2026-01-01T10:00:00Z", public_ip="10.0.0.1")
    assert joined("167", "2026-01-01T10:00:00Z") != joined("168", "2026-01-01T10:00:00Z")
    assert joined("167", "2026-01-01T10:00:00Z") != joined("167", "2026-01-01T10:05:00Z")


@pytest.mark.parametrize("what", [("joined", "join_time"), ("left", "leave_time")])
def test_fractions_of_a_second_do_not_matter(what: tuple[str, str]) -> None:
    """Zoom's lists of webinars' participants have them, its events do not."""
    name, field = what

    def took_part(moment: str) -> str:
        return key(meeting(f"webinar.participant_{name}", participant={"user_id": "167", field: moment}))

    assert took_part("2026-01-01T10:00:00.66Z") == took_part("2026-01-01T10:00:00Z")
    assert took_part("2026-01-01T10:00:00.66Z") != took_part("2026-01-01T10:00:01Z")


def test_a_join_is_no_leave() -> None:
    """The name is part of every key."""
    participant = {"user_id": "1", "join_time": "t", "leave_time": "t"}
    assert key(meeting("meeting.participant_joined", participant=participant)) != key(
        meeting("meeting.participant_left", participant=participant)
    )


def test_deauthorizations_have_an_id() -> None:
    """What Zoom calls their signature is one per deauthorization."""
    bodies = [{"event": "app_deauthorized", "payload": {"signature": "s", "event_ts": moment}} for moment in (1, "2")]
    first, second = (key(json.dumps(body).encode()) for body in bodies)
    assert first == second


def test_an_event_without_a_payload_goes_by_all_it_has() -> None:
    """Unknown shapes stay apart."""
    assert key(b'{"event":"x.y","data":1}') != key(b'{"event":"x.y","data":2}')


@pytest.mark.parametrize(
    "thing", [{"recording_files": 7}, {"recording_files": [7, {"id": {}, "status": [7]}]}, {"participant": []}]
)
def test_odd_shapes_have_keys(thing: dict[str, Any]) -> None:
    """A natural key that cannot be made is no error."""
    for name in ("recording.completed", "meeting.participant_joined", "meeting.ended", "app_deauthorized"):
        body = {"event": name, "payload": {"object": {"uuid": "u", **thing}}}
        assert key(json.dumps(body).encode())


def sent(name: str, ts: int, obj: dict[str, Any] | None = None, **payload: Any) -> bytes:
    """A delivery of an event with this `event_ts` and payload."""
    return json.dumps({"event": name, "event_ts": ts, "payload": {"object": obj or {"id": 1}, **payload}}).encode()


OWN_MOMENTS = [
    ("meeting.sharing_started", {"participant": {"sharing_details": {"date_time": "2026-01-01T10:00:00Z"}}}),
    ("meeting.participant_joined_waiting_room", {"participant": {"date_time": "2026-01-01T10:00:00Z"}}),
    ("meeting.participant_left_breakout_room", {"participant": {"leave_time": "2026-01-01T10:00:00Z"}}),
    ("user.presence_status_updated", {"id": "u", "date_time": "2026-01-01T10:00:00Z"}),
    ("phone.callee_ended", {"call_id": "c", "call_end_time": "2026-01-01T10:00:00Z"}),
    ("chat_message.sent", {"message": "hi", "date_time": "2026-01-01T10:00:00Z"}),
    ("zoomroom.alert", {"id": "r", "alert_time": "2026-01-01T10:00:00Z"}),
    ("meeting.registration_created", {"registrant": {"id": "r", "create_time": "2026-01-01T10:00:00Z"}}),
    ("webinar.registration_created", {"registrant": {"id": "r", "create_time": "2026-01-01T10:00:00Z"}}),
    ("recording.registration_created", {"registrant": {"id": "r", "create_time": "2026-01-01T10:00:00Z"}}),
    ("recording.started", {"recording_file": {"recording_start": "2026-01-01T10:00:00Z"}}),
    ("recording.paused", {"recording_file": {"recording_end": "2026-01-01T10:00:00Z"}}),
    ("recording.stopped", {"recording_file": {"recording_end": "2026-01-01T10:00:00Z"}}),
    ("meeting.participant_qos", {"participant": {"qos": [{"date_time": "2026-01-01T10:00:00Z"}]}}),
    ("meeting.summary_updated", {"summary_last_modified_time": "2026-01-01T10:00:00Z"}),
    ("meeting.chat_message_sent", {"chat_message": {"date_time": "GMT20260101-100000"}}),
]


@pytest.mark.parametrize(("name", "about"), OWN_MOMENTS)
def test_twins_are_one_event_where_the_payload_has_a_moment(name: str, about: dict[str, Any]) -> None:
    """Zoom sends an event twice with a shifted `event_ts`; the payload says when it happened."""
    assert key(sent(name, 1, about)) == key(sent(name, 2, about))
    later = json.loads(json.dumps(about).replace("10:00:00", "10:00:01").replace("-100000", "-100001"))
    assert key(sent(name, 1, about)) != key(sent(name, 1, later))


@pytest.mark.parametrize("name", ["meeting.created", "webinar.created", "meeting.permanently_deleted"])
def test_what_happens_once_needs_no_moment(name: str) -> None:
    """A number is given once: twins have one payload but for links, and two occurrences of a series have two."""
    about = {"id": 85746065, "uuid": "u", "start_time": "2026-01-01T10:00:00Z"}
    assert key(sent(name, 1, {**about, "join_url": "a"})) == key(sent(name, 38, {**about, "join_url": "b"}))
    assert key(sent(name, 1, about)) != key(sent(name, 1, {**about, "id": 85746066}))
    assert key(sent(name, 1, about, operation="single")) != key(sent(name, 1, about, operation="all"))


def test_an_update_goes_by_its_time_stamp() -> None:
    """`meeting.updated` carries the time of the change in its payload."""
    assert key(sent("meeting.updated", 1, time_stamp=5)) == key(sent("meeting.updated", 9, time_stamp=5))
    assert key(sent("meeting.updated", 1, time_stamp=5)) != key(sent("meeting.updated", 1, time_stamp=6))


@pytest.mark.parametrize(
    ("name", "about"),
    [
        ("phone.caller_hold", {"call_id": "c", "ringing_start_time": "2026-01-01T10:00:00Z"}),
        ("team_chat.dm_message_updated", {"message": "a", "date_time": "2026-01-01T10:00:00Z"}),
        ("meeting.deleted", {"id": 1, "start_time": "2026-01-01T10:00:00Z"}),
        ("meeting.registration_approved", {"registrant": {"id": "r", "create_time": "2026-01-01T10:00:00Z"}}),
        ("recording.resumed", {"recording_file": {"recording_start": "2026-01-01T10:00:00Z"}}),
    ],
)
def test_a_moment_of_something_older_does_not_identify_an_event(name: str, about: dict[str, Any]) -> None:
    """Put on hold twice in one call, edited back and forth, planned: the same payload can be two events."""
    assert key(sent(name, 1, about)) != key(sent(name, 2, about))


def test_a_recording_file_that_completes_is_an_event() -> None:
    """The same files first in processing, then completed, are two events; a status that is left out is completed."""

    def completed(**status: str) -> str:
        files = [{"id": "a", **status}, {"id": "b", "status": "completed"}]
        return key(sent("recording.completed", 1, {"uuid": "u", "recording_files": files}))

    assert completed(status="processing") != completed(status="completed")
    assert completed() == completed(status="completed")


def test_a_second_start_after_a_practice_session_is_an_event() -> None:
    """A webinar starts again under the same UUID; twins of one start stay one."""

    def started(moment: str, ts: int) -> bytes:
        return sent("webinar.started", ts, {"uuid": "u", "start_time": moment})

    assert key(started("2026-01-01T10:00:00Z", 1)) == key(started("2026-01-01T10:00:00.5Z", 2))
    assert key(started("2026-01-01T10:00:00Z", 1)) != key(started("2026-01-01T10:20:00Z", 1))


def test_former_keys_are_those_of_the_release_before() -> None:
    """Byte for byte: the log holds entries under them for 30 days."""
    presence = parse(sent("user.presence_status_updated", 1, {"id": "u", "date_time": "2026-01-01T10:00:00Z"}))
    webinar = parse(sent("webinar.started", 1, {"uuid": "u", "start_time": "2026-01-01T10:00:00Z"}))
    assert former_keys(presence) == ["content:881a75c5ce48286d5270635be27092294e9455be850fbf2ca462291dbbdb3400"]
    assert former_keys(webinar) == ["natural:f77d85c42087cb9c19d42dec0dc9c5e0621ca217fd7eb4a8a3e845ca2ade41c7"]
    files = [{"id": "a", "status": "processing"}, {"id": "b", "status": "completed"}]
    processing = parse(sent("recording.completed", 1, {"uuid": "u", "recording_files": files}))
    completed = parse(sent("recording.completed", 1, {"uuid": "u", "recording_files": [{"id": "a"}, {"id": "b"}]}))
    assert former_keys(processing) == ["natural:53104dac8891891af4f224c37be4535f1ce15a75f74bafc0c223ea2e1472b1bd"]
    assert former_keys(processing) == [dedupe_key(completed)]
    assert former_keys(completed) == []
    assert former_keys(parse(sent("user.updated", 1))) == []
    assert former_keys(parse(meeting("meeting.ended"))) == []
