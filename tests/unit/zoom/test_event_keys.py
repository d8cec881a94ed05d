"""When two deliveries are one event."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fakes.events import meeting
from zoom_common.zoom.event_keys import dedupe_key
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


@pytest.mark.parametrize("thing", [{"recording_files": 7}, {"recording_files": [7, {"id": {}}]}, {"participant": []}])
def test_odd_shapes_have_keys(thing: dict[str, Any]) -> None:
    """A natural key that cannot be made is no error."""
    for name in ("recording.completed", "meeting.participant_joined", "meeting.ended", "app_deauthorized"):
        body = {"event": name, "payload": {"object": {"uuid": "u", **thing}}}
        assert key(json.dumps(body).encode())
