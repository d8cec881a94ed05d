"""`POST /meetings/{id}/sdk-signature`, from event to answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.fakes.edge import LambdaContext
from zoom_common.access.principal import Principal
from zoom_common.deadline import Deadline
from zoom_common.errors import ZoomRefused, ZoomScopesMissing
from zoom_common.gateway.join import JoinCredentials, JoinRequest, Kind
from zoom_common.secret import Secret
from zoom_common.zoom.meeting_sdk import Role, Signature

SIGNATURE = Signature(token=Secret("head.claims.seal"), expires_at=1_900_000_000)


class Doors:
    """Admits everybody the same way and remembers what was wished."""

    def __init__(self, **admission: Any) -> None:
        usual: dict[str, Any] = {"password": None, "outside": None, "due": None}
        self.admission = JoinCredentials(sdk_key="sdk-key", signature=SIGNATURE, **(usual | admission))
        self.wishes: list[JoinRequest] = []

    def admit(self, principal: Principal, wish: JoinRequest, deadline: Deadline) -> JoinCredentials:
        assert principal.tenant == "acme"
        assert deadline.remaining() > 0
        self.wishes.append(wish)
        return self.admission


type Post = Callable[..., tuple[int, dict[str, Any]]]


@pytest.fixture
def post(function: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> Post:
    """Call the handler behind these doors."""
    module = function("meeting_sdk")

    def call(doors: Doors, body: Any = None, *, number: str = "85123456789", **headers: str) -> tuple[int, Any]:
        monkeypatch.setattr(module, "_meeting_access", lambda: doors)
        principal = Principal("acme", "key:abcdefghijkl", frozenset({"meetings:read"}))
        event = {
            "rawPath": f"/meetings/{number}/sdk-signature",
            "headers": {"content-type": "application/json"} | headers,
            "body": json.dumps(body) if body is not None else "",
            "requestContext": {
                "http": {"method": "POST"},
                "requestId": "request-1",
                "authorizer": {"lambda": principal.to_context()},
            },
        }
        answer = module.handler(event, LambdaContext())
        return answer["statusCode"], json.loads(answer["body"])

    return call


def test_a_browser_gets_what_the_sdk_takes(post: Post) -> None:
    """Everything `join` wants, and null for what is not due."""
    doors = Doors(password=Secret("pass"), outside=False)
    status, body = post(doors, {"role": 0})
    assert status == 200
    assert body == {
        "signature": "head.claims.seal",
        "sdk_key": "sdk-key",
        "meeting_number": "85123456789",
        "role": 0,
        "expires_at": "2030-03-17T17:46:40Z",
        "password": "pass",
        "outside_account": False,
        "zak": None,
        "obf": None,
    }


def test_no_body_is_an_attendee_for_two_hours(post: Post) -> None:
    """The least, by default; the connection may be named as everywhere."""
    doors = Doors()
    assert post(doors, **{"x-zoom-connection": "con_1"})[0] == 200
    (wish,) = doors.wishes
    assert (wish.role, wish.lifetime, wish.video_webrtc_mode, wish.connection) == (Role.ATTENDEE, 7200, None, "con_1")


def test_each_token_has_its_field(post: Post) -> None:
    """The SDK takes them by different names."""
    assert post(Doors(due=Kind.ZAK, token=Secret("z")))[1]["zak"] == "z"
    body = post(Doors(due=Kind.ON_BEHALF, token=Secret("o")))[1]
    assert (body["zak"], body["obf"]) == (None, "o")


def test_a_missing_token_has_a_reason(post: Post) -> None:
    """Scopes by name and the way to consent again; or Zoom's own words."""
    refusal = ZoomScopesMissing(["user:read:token"], reconnect_url="https://x.example/r")
    body = post(Doors(due=Kind.ON_BEHALF, refusal=refusal))[1]
    assert body["obf"] is None
    assert body["token_missing"] == {
        "kind": "obf",
        "code": 4711,
        "message": "Invalid access token, does not contain scopes:[user:read:token].",
        "missing_scopes": ["user:read:token"],
        "reconnect_url": "https://x.example/r",
        "reason": "missing_zoom_scopes",
    }
    zooms = ZoomRefused(400, b'{"code":300,"message":"Not in the meeting."}', zoom_code=300, reason="zoom_refused")
    body = post(Doors(due=Kind.ON_BEHALF, refusal=zooms))[1]
    assert body["token_missing"]["message"] == "Not in the meeting."


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"role": 2}, ["role"]),
        ({"role": True}, ["role"]),
        ({"role": "1"}, ["role"]),
        ({"expires_in": 1799}, ["expires_in"]),
        ({"expires_in": 172_801, "video_webrtc_mode": 2}, ["expires_in", "video_webrtc_mode"]),
        ({"expires_in": "7200"}, ["expires_in"]),
    ],
)
def test_what_cannot_be_signed_is_named(post: Post, body: dict[str, Any], fields: list[str]) -> None:
    """Each field, in Zoom's shape, and nothing is asked of anybody."""
    doors = Doors()
    status, answer = post(doors, body)
    assert (status, answer["code"]) == (400, 300)
    assert [each["field"] for each in answer["errors"]] == fields
    assert doors.wishes == []


@pytest.mark.parametrize("number", ["12345678", "1234567890123", "85123x56789", "%2e%2e"])
def test_only_meeting_numbers_are_signed(post: Post, number: str) -> None:
    """A UUID names a past meeting: nobody can join that."""
    status, answer = post(Doors(), number=number)
    assert status == 400
    assert answer["errors"][0]["field"] == "meetingId"


def test_the_sample_event_is_one_that_is_answered(
    function: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`sam local invoke` with it reaches the door."""
    module, doors = function("meeting_sdk"), Doors()
    monkeypatch.setattr(module, "_meeting_access", lambda: doors)
    event = json.loads((Path(__file__).parents[3] / "events" / "meeting-sdk-sign.json").read_text())
    assert module.handler(event, LambdaContext())["statusCode"] == 200
    assert [wish.meeting_number for wish in doors.wishes] == ["85123456789"]
