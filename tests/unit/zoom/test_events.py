"""What an event says about itself."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.events import meeting
from zoom_common.events.bus import rfc3339
from zoom_common.zoom.events import MalformedEvent, ZoomEvent, identifier, parse

ODD_TIMES: tuple[object, ...] = (-1, 10**17, True, "soon", "\u0663", "9" * 5000, {}, -1.5)


def event(name: str, payload: dict[str, Any], **top: Any) -> ZoomEvent:
    return parse(json.dumps({"event": name, "payload": payload, **top}).encode())


def test_an_id_is_one_identity() -> None:
    """Zoom writes a meeting's id as text in some events and as a number in others."""
    as_text = event("meeting.started", {"object": {"id": "85746065"}})
    as_number = event("meeting.updated", {"object": {"id": 85746065}})
    assert as_text.subject == as_number.subject == "meetings/85746065"


@pytest.mark.parametrize(
    ("value", "expected"), [("a", "a"), (7, "7"), ("", None), (None, None), (True, None), ([], None)]
)
def test_identifiers(value: object, expected: str | None) -> None:
    """Text and whole numbers are ids; an empty text is none, as guests have it."""
    assert identifier(value) == expected


@pytest.mark.parametrize(
    ("name", "thing", "subject"),
    [
        ("webinar.ended", {"id": 5}, "webinars/5"),
        ("recording.completed", {"id": 5, "uuid": "u"}, "meetings/5/recordings"),
        ("meeting.summary_completed", {"meeting_id": 5}, "meetings/5"),
        ("meeting.rtms_started", {}, None),
        ("user.updated", {"id": "u1"}, "users/u1"),
        ("group.created", {"id": "g1"}, "groups/g1"),
        ("phone.callee_ringing", {"id": "c1"}, "phone/c1"),
        ("recording.cloud_storage_usage_updated", {}, None),
    ],
)
def test_subjects(name: str, thing: dict[str, Any], subject: str | None) -> None:
    """The subject is a path that a subscriber can match by its beginning."""
    assert event(name, {"object": thing}).subject == subject


def test_a_run_without_an_id_is_named_by_its_uuid() -> None:
    """RTMS events know only the instance, and have it beside the object's place."""
    assert event("meeting.rtms_started", {"meeting_uuid": "u/1=="}).subject == "meetings/u/1=="


def test_users_come_host_first_and_once() -> None:
    """Host and operator own an event; participants do not."""
    found = event(
        "meeting.participant_left",
        {"operator_id": "op", "object": {"host_id": "host", "participant": {"id": "guest", "user_id": "1"}}},
    )
    assert found.users == ("host", "op")
    assert event("meeting.updated", {"operator_id": "h", "object": {"host_id": "h"}}).users == ("h",)
    assert event("user.updated", {"operator_id": "", "object": {"id": "u"}}).users == ("u",)
    assert event("meeting.summary_shared", {"object": {"meeting_host_id": "h"}}).users == ("h",)


def test_deauthorization_has_a_shape_of_its_own() -> None:
    """No top-level time, no object, and a date where other events have a number."""
    payload = {"account_id": "a", "user_id": "u", "event_ts": "2024-09-08 15:58:40", "client_id": "c"}
    found = event("app_deauthorized", payload)
    assert (found.users, found.subject, found.account_id) == (("u",), "users/u", "a")
    assert found.occurred_at_ms == 1_725_811_120_000
    later = {**payload, "event_ts": None, "deauthorization_time": "2020-06-17T13:52:28.632Z"}
    assert event("app_deauthorized", later).occurred_at_ms == 1_592_401_948_632


@pytest.mark.parametrize(
    ("stamp", "moment"),
    [
        (1_626_230_691_572, 1_626_230_691_572),
        ("1641884378841", 1_641_884_378_841),
        *((odd, None) for odd in ODD_TIMES),
    ],
)
def test_times(stamp: object, moment: int | None) -> None:
    """Milliseconds, as a number or as digits; anything else is no time and no error."""
    assert event("meeting.started", {}, event_ts=stamp).occurred_at_ms == moment


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b'{"event":"a","n":NaN}', "not_json"),
        (b'{"event":"a","n":1e999}', "not_json"),
        (b'{"event":"a","n":' + b"9" * 5000 + b"}", "not_json"),
        (b"\xff", "not_utf8"),
        (b"[]", "not_an_object"),
        (b"null", "not_an_object"),
        (b"{}", "no_name"),
        (b'{"event":7}', "no_name"),
        (b'{"event":""}', "no_name"),
        (b'{"event":"a b"}', "no_name"),
        (b'{"event":"' + b"a" * 121 + b'"}', "no_name"),
        (b'{"event":"a","x":' + b"[" * 300 + b"]" * 300 + b"}", "too_deep"),
        (b"[" * 200_000, "too_deep"),
    ],
)
def test_malformed_bodies_have_a_reason(body: bytes, reason: str) -> None:
    """Whatever is signed and unreadable ends in one error with one reason."""
    with pytest.raises(MalformedEvent) as caught:
        parse(body)
    assert caught.value.reason == reason


def test_what_other_readers_refuse_is_made_portable() -> None:
    """EventBridge takes integers of 64 bits, DynamoDB no lone surrogates: the event still goes through."""
    found = parse(
        b'{"event":"x.y","payload":{"n":123456789012345678901,"t":"a\\ud83d","\\ud83dk":-9223372036854775808}}'
    )
    assert found.payload == {"n": "123456789012345678901", "t": "a?", "?k": -(2**63)}


def test_a_repr_shows_no_content() -> None:
    """Events get into logs by their name only."""
    assert "Stand-up" not in repr(parse(meeting("meeting.started")))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@given(payload=json_values, event_ts=json_values)
def test_no_shape_breaks_the_reader(payload: Any, event_ts: Any) -> None:
    """Every property has an answer for every JSON that Zoom could send."""
    body = json.dumps({"event": "meeting.new_one", "payload": payload, "event_ts": event_ts}).encode()
    found = parse(body)
    assert found.name == "meeting.new_one"
    assert isinstance(found.users, tuple)
    assert found.subject is None or found.subject.startswith("meetings/")
    assert found.occurred_at_ms is None or found.occurred_at_ms > 0
    found.body["event"].encode()
    json.dumps(found.body, ensure_ascii=False).encode()


SECONDS, MS = 1_790_000_000, 1_790_000_000_000


@pytest.mark.parametrize(
    ("event_ts", "moment"),
    [
        (MS, MS),
        (SECONDS, MS),
        (str(SECONDS), MS),
        (str(MS), MS),
        (SECONDS + 0.5, MS),
        ("2026-09-21T14:13:20Z", MS),
        ("2026-09-21 14:13:20", MS),
        (None, MS + 7),
        ("", MS + 7),
        (True, MS + 7),
        ({}, MS + 7),
        (-5, MS + 7),
        ("0001-01-01T00:00:00Z", MS + 7),
        ("0001-01-01T00:00:00+14:00", MS + 7),
        ("9999-12-31T23:59:59-14:00", MS + 7),
        ("12000-01-01T00:00:00Z", MS + 7),
        (316_520_000_000_000, MS + 7),
        (MS + 2 * 86_400_000, MS + 7),
        ("9" * 5000, MS + 7),
    ],
)
def test_the_time_of_an_event_is_read_in_every_form_or_is_that_of_receipt(event_ts: object, moment: int) -> None:
    """Seconds, text and dates are read; what is no moment near ours gives the time at which it was received."""
    body = {"event": "user.updated", "event_ts": event_ts, "payload": {"object": {"id": "u"}}}
    read = parse(json.dumps(body).encode())
    assert read.occurred_by(MS + 7) == moment
    assert rfc3339(read.occurred_by(MS + 7)).startswith("2026-09-21T14:13:20")
    assert read.true_since_by(MS + 7) == moment
