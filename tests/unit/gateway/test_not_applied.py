"""What Zoom drops silently is named in X-Gateway-Not-Applied, and only that."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.fakes.gateway import NOW, World, answer

CREATE, UPDATE = ("POST", "/v2/users/me/meetings", 201), ("PATCH", "/v2/meetings/123456789", 204)
LATER = "2031-01-07T10:00:00Z"
FIELD = {"field": "a", "value": "1"}


def dropped(
    sent: dict[str, Any] | str, answered: dict[str, Any] | None = None, *, call: tuple[str, str, int] = CREATE
) -> list[str]:
    """The names in the header, for a body and Zoom's answer to it."""
    method, path, status = call
    said = b"" if answered is None else json.dumps(answered).encode()
    world = World.of(answer(status, said))
    body = sent if isinstance(sent, str) else json.dumps(sent)
    found = world.call(method, path, body=body.encode())
    return [each for each in found.headers.get("x-gateway-not-applied", "").split(", ") if each]


# What is sent, what Zoom answers, and what is named. `S` stands for settings.
CREATES: list[tuple[dict[str, Any], dict[str, Any], list[str]]] = [
    ({"topic": "a"}, {"topic": "a", "type": 2}, []),
    ({"auto_recording": "cloud"}, {"S": {"auto_recording": "none"}}, ["auto_recording"]),
    ({"S": {"topic": "b"}}, {"topic": "a", "S": {}}, ["settings.topic"]),
    ({"made_up": 1}, {"topic": "a"}, ["made_up"]),
    ({"new_in_2027": 1}, {"new_in_2027": 1}, []),
    ({"S": {"auto_recording": "cloud"}}, {"S": {"auto_recording": "none"}}, ["settings.auto_recording"]),
    ({"S": {"auto_recording": "nonsense"}}, {"S": {"auto_recording": "none"}}, ["settings.auto_recording"]),
    ({"S": {"alternative_hosts": "a@x;B@x"}}, {"S": {"alternative_hosts": "b@x"}}, ["settings.alternative_hosts"]),
    ({"S": {"alternative_hosts": "A@x, b@x"}}, {"S": {"alternative_hosts": "b@x;a@x"}}, []),
    ({"S": {"alternative_hosts": "a@x"}}, {"S": {"waiting_room": True}}, ["settings.alternative_hosts"]),
    ({"S": {"alternative_hosts": "a@x"}}, {"topic": "a"}, []),
    ({"S": {"waiting_room": "true", "jbh_time": "5"}}, {"S": {"waiting_room": True, "jbh_time": 5}}, []),
    ({"S": {"waiting_room": True}}, {"S": {"waiting_room": False}}, ["settings.waiting_room"]),
    ({"S": {"private_meeting": True}}, {"S": {}}, []),
    ({"duration": "60", "topic": " a  b "}, {"duration": 60, "topic": "a b"}, []),
    ({"made_up": "", "S": {"auto_recording": None, "made_up": []}}, {"S": {}}, []),
    ({"type": 2, "recurrence": {"type": 1}}, {"type": 2}, ["recurrence"]),
    ({"type": 8, "recurrence": {"type": 1}}, {"type": 8}, []),
    ({"type": 1, "start_time": LATER}, {"type": 1}, ["start_time"]),
    ({"schedule_for": "a@x.org"}, {"host_email": "b@x.org"}, ["schedule_for"]),
    ({"schedule_for": "A@x.org"}, {"host_email": "a@x.org"}, []),
    ({"schedule_for": "user-id"}, {"host_email": "a@x.org"}, []),
    ({"tracking_fields": [FIELD]}, {"tracking_fields": [FIELD | {"value": "2"}]}, ["tracking_fields"]),
    ({"tracking_fields": [FIELD]}, {"tracking_fields": [FIELD]}, []),
]


@pytest.mark.parametrize(("sent", "answered", "names"), CREATES)
def test_a_create_is_compared_with_zooms_answer(
    sent: dict[str, Any], answered: dict[str, Any], names: list[str]
) -> None:
    """Names members at the wrong level, unknown ones, and those that came back with another value."""
    found = dropped(*({"settings" if name == "S" else name: each[name] for name in each} for each in (sent, answered)))
    assert found == names


@pytest.mark.parametrize(
    ("start", "zone", "theirs", "names"),
    [
        ("2031-01-07T10:00:00", "Europe/Berlin", "2031-01-07T09:00:00Z", []),
        ("2031-01-07T10:00:00+01:00", "Europe/Berlin", "2031-01-07T09:00:00Z", []),
        ("2019-01-07T10:00:00Z", "UTC", LATER, ["start_time"]),
        ("2031-01-07T10:00:00", None, LATER, []),
        ("1/7/2031", "UTC", LATER, []),
    ],
)
def test_a_start_is_compared_as_an_instant(start: str, zone: str | None, theirs: str, names: list[str]) -> None:
    """However it is written. A past start becomes now at Zoom, which shows in the answer."""
    found = dropped({"type": 2, "start_time": start, "timezone": zone}, {"type": 2, "start_time": theirs})
    assert found == names


def test_an_update_is_compared_with_the_contract() -> None:
    """Its answer is empty: what may have been applied is not named."""
    past = datetime.fromtimestamp(NOW - 3600, UTC).isoformat()
    sent = {"id": 1, "auto_recording": "cloud", "topic": "b", "start_time": past, "settings": {"waiting_room": True}}
    assert dropped(sent, call=UPDATE) == ["id", "auto_recording", "start_time"]
    assert dropped({"start_time": LATER}, call=UPDATE) == []


def test_names_cannot_break_the_header() -> None:
    """A name is the caller's text: only plain names are told, and at most twenty."""
    assert dropped({"a\r\nx-evil: 1": 1, "é": 1, "b c": 1, "good": 1}, {}) == ["good"]
    assert len(dropped({f"member_{number}": 1 for number in range(50)}, {})) == 20


def test_other_answers_have_no_such_header() -> None:
    """Reads, and creates whose answer nobody can read."""
    assert dropped({"made_up": 1}, {"id": 1}, call=("GET", "/v2/meetings/123456789", 200)) == []
    assert dropped('{"made_up": 1}', call=("PUT", "/v2/meetings/123456789/status", 204)) == []


def test_webinars_are_compared_too() -> None:
    """A webinar's body is compared by the settings of webinars."""
    sent = {"type": 5, "settings": {"waiting_room": True, "on_demand": True}}
    answered = {"type": 5, "settings": {"on_demand": False}}
    found = dropped(sent, answered, call=("POST", "/v2/users/me/webinars", 201))
    assert found == ["settings.waiting_room", "settings.on_demand"]


@pytest.mark.parametrize(
    ("sent", "out"),
    [
        ("2030-01-07T10:00:00+05:30", "2030-01-07T04:30:00Z"),
        ("2030-01-07T10:00:00+0530", "2030-01-07T04:30:00Z"),
        ("2030-01-01T00:15-02:00", "2030-01-01T02:15:00Z"),
        ("2030-01-07T10:00:00.123-01:00", "2030-01-07T11:00:00Z"),
        ("2030-01-07 10:00:00+01:00", "2030-01-07T09:00:00Z"),
        ("2030-01-07T10:00:00\\u002B01:00", "2030-01-07T09:00:00Z"),
        ("2030-01-07 10:00:00 -0500", "2030-01-07T15:00:00Z"),
        ("2030-1-7T9:05-05", "2030-01-07T14:05:00Z"),
        ("2030-01-07T10:00:00+01:00[Europe/Paris]", "2030-01-07T09:00:00Z"),
        ("2030-01-07T10:00:00Z", "2030-01-07T10:00:00Z"),
        ("2030-01-07T10:00:00", "2030-01-07T10:00:00"),
        ("2030-01-07T10:00:00+99:00", "2030-01-07T10:00:00+99:00"),
        ("0001-01-01T00:00:00+01:00", "0001-01-01T00:00:00+01:00"),
    ],
)
def test_a_start_with_an_offset_reaches_zoom_in_utc(sent: str, out: str) -> None:
    """With the same meaning; everything around it stays byte for byte, also a text that quotes such a member."""
    world = World.of(answer(201, b"{}"))
    around = '{ "agenda":"\\"start_time\\": \\"2030-01-07T10:00:00+01:00\\"",\t"start_time" : "%s","x":1.0}'
    world.call("POST", "/v2/users/me/meetings", body=(around % sent).encode())
    assert world.zoom.sent[0].body == (around % out).encode()
