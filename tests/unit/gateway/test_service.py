"""The gateway's service: one call, from principal to Zoom's answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.gateway import BASE, World, answer, principal
from zoom_common.connections.model import Kind
from zoom_common.errors import (
    Forbidden,
    InvalidRequest,
    MethodNotAllowed,
    NotFound,
    OutcomeUnknown,
    Unauthenticated,
    ZoomRefused,
    ZoomScopesMissing,
)
from zoom_common.transport import AnswerLost

REJECTED = answer(401, b'{"code":124,"message":"Invalid access token."}')


def test_zooms_answer_comes_back_byte_for_byte() -> None:
    """Spacing, escapes and big numbers included."""
    body = b'{ "id" : 123456789012345678901234567890, "topic":"\\u00dc \xc3\xbc" }\n'
    world = World.of(answer(200, body, x_ratelimit_category="Light", x_zm_trackingid="track-1", set_cookie="no"))
    result = world.call("GET", "/v2/meetings/85746065", query_string="occurrence_id=1")
    assert (result.status, result.body) == (200, body)
    assert result.headers == {
        "content-type": "application/json",
        "x-ratelimit-category": "Light",
        "x-zm-trackingid": "track-1",
        "x-zoom-ratelimit-category": "Light",
        "x-zoom-budget-left": "29",
        "etag": result.headers["etag"],
        "cache-control": "private, no-cache",
    }
    assert world.zoom.sent[0].url == f"{BASE}/meetings/85746065?occurrence_id=1"
    assert world.zoom.sent[0].headers["Authorization"] == "Bearer token-1"


def test_a_create_goes_out_as_it_came() -> None:
    """The bytes that were checked are the bytes that are sent."""
    body = b'{"topic":"x", "unknown":{"n":9007199254740993}}'
    world = World.of(answer(201, b'{"id":1}'))
    assert world.call("POST", "/v2/users/zoom-user-1/meetings", body=body).status == 201
    assert world.zoom.sent[0].body == body
    assert world.zoom.sent[0].url == f"{BASE}/users/me/meetings"


def test_every_call_is_settled_with_usage() -> None:
    """Once, when it is over, whatever became of it; only what Zoom is asked has begun before."""
    world = World.of(answer(200, b"{}"), answer(404, b'{"code":3001}'))
    world.call("GET", "/v2/meetings/1")
    with pytest.raises(ZoomRefused):
        world.call("GET", "/v2/meetings/2")
    with pytest.raises(InvalidRequest):
        world.call("POST", "/v2/users/me/meetings", body=b'{"type":"two"}')
    assert [sent for _, _, sent in world.usage.begun] == [0, 1]
    assert world.usage.settled == [
        ("acme", "meetings.get", 1),
        ("acme", "meetings.get", 2),
        ("acme", "meetings.create", 2),
    ]


def test_an_empty_answer_stays_empty() -> None:
    """204 has no body, and the label comes from the table when Zoom names none."""
    result = World.of(answer(204)).call("DELETE", "/v2/webinars/123")
    assert (result.status, result.body) == (204, b"")
    assert result.headers["x-zoom-ratelimit-category"] == "Light"


def test_the_connection_that_is_asked_for_is_selected() -> None:
    """The header's name is lower case by then."""
    world = World.of(answer(200, b"{}"))
    world.call("GET", "/v2/meetings/1", headers={"x-zoom-connection": "con_1"})
    assert world.asked_for == ["con_1"]


def test_the_connections_own_host_is_used() -> None:
    """If it is Zoom's."""
    world = World.of(answer(200, b"{}"), api_url="https://api-eu.zoom.us")
    world.call("GET", "/v2/meetings/1")
    assert world.zoom.sent[0].url == "https://api-eu.zoom.us/v2/meetings/1"


@pytest.mark.parametrize(
    ("method", "path", "error"),
    [("GET", "/v2/unheard/of", NotFound), ("PUT", "/v2/meetings/1", MethodNotAllowed)],
)
def test_what_is_no_operation_costs_nothing(method: str, path: str, error: type[Exception]) -> None:
    """An unknown path is refused before connections are read."""
    world = World.of()
    with pytest.raises(error):
        world.call(method, path)
    assert world.asked_for == []


def test_a_caller_needs_the_gateways_scope() -> None:
    """Before any connection is looked at."""
    world = World.of()
    with pytest.raises(Forbidden) as refusal:
        world.call("DELETE", "/v2/meetings/1", caller=principal("meetings:read", "webinars:write"))
    assert refusal.value.scopes == ("meetings:write",)
    assert (refusal.value.status, world.asked_for) == (403, [])


def test_a_connection_needs_zooms_scope() -> None:
    """Zoom's own refusal, without asking Zoom: what is missing, and where to consent again."""
    world = World.of(scopes=frozenset({"meeting:read:meeting"}))
    with pytest.raises(ZoomScopesMissing) as refusal:
        world.call("DELETE", "/v2/meetings/1")
    assert (refusal.value.status, refusal.value.code) == (400, 4711)
    assert refusal.value.scopes == ("meeting:delete:meeting", "meeting:delete:meeting:admin")
    assert refusal.value.reconnect_url == "https://gateway.example/connections/con_1/reconnect"
    assert world.zoom.sent == []


def test_zoom_decides_where_scopes_are_not_known() -> None:
    """A token response may lack them."""
    world = World.of(answer(200, b"{}"), scopes=frozenset())
    assert world.call("GET", "/v2/meetings/1").status == 200


def test_an_account_level_connection_has_no_me() -> None:
    """Refused before it costs anything."""
    world = World.of(kind=Kind.ACCOUNT, zoom_user_id=None)
    with pytest.raises(InvalidRequest):
        world.call("GET", "/v2/users/me/meetings")
    assert world.zoom.sent == []


@pytest.mark.parametrize(
    ("more", "field"), [({"body": b'{"type":99}'}, "type"), ({"query_string": "page_size=-1"}, "page_size")]
)
def test_wrong_requests_cost_no_quota(more: dict[str, Any], field: str) -> None:
    """Zoom would refuse them, and count them."""
    world = World.of()
    method = "POST" if "body" in more else "GET"
    with pytest.raises(InvalidRequest) as refusal:
        world.call(method, "/v2/users/me/meetings", **more)
    assert [each.field for each in refusal.value.fields] == [field]
    assert world.zoom.sent == []


def test_a_token_in_a_url_is_refused_as_zoom_does() -> None:
    """And is not passed on."""
    world = World.of()
    with pytest.raises(Unauthenticated) as refusal:
        world.call("GET", "/v2/meetings/1", query_string="access_token=zk_1_secret")
    assert refusal.value.reason == "token_in_query"
    assert world.zoom.sent == []


@pytest.mark.parametrize("rejection", [REJECTED, answer(400, b'{"code":124}')])
def test_a_rejected_token_is_replaced_once(rejection: Any) -> None:
    """A create is also tried again with a new token, because Zoom has done nothing yet."""
    world = World.of(rejection, answer(201, b"{}"))
    assert world.call("POST", "/v2/users/me/meetings", body=b"{}").status == 201
    assert [each.headers["Authorization"] for each in world.zoom.sent] == ["Bearer token-1", "Bearer token-2"]


def test_a_second_rejection_is_zooms_answer() -> None:
    """No third try; another request says whether the token is to blame."""
    world = World.of(REJECTED, REJECTED, REJECTED)
    with pytest.raises(ZoomRefused) as refusal:
        world.call("GET", "/v2/meetings/1")
    assert (refusal.value.status, refusal.value.reason) == (401, "zoom_rejected_token")
    assert refusal.value.reconnect_url is not None
    assert world.tokens.rejections == 1


def test_a_request_that_zoom_refuses_with_a_good_token_says_what_to_look_at() -> None:
    """Zoom's bytes, our reason and hint, and no link to reconnect, which would not help."""
    world = World.of(REJECTED, REJECTED, answer(200, b"{}"))
    with pytest.raises(ZoomRefused) as refusal:
        world.call("POST", "/v2/meetings/1/registrants", body=b'{"email":"a@example.com","first_name":"A"}')
    assert (refusal.value.status, refusal.value.body) == (401, REJECTED.body)
    assert (refusal.value.reason, refusal.value.reconnect_url) == ("zoom_rejected_request", None)
    assert "`me`" in str(refusal.value.hint)


def test_a_refusal_is_zooms_own() -> None:
    """Status, bytes and code; sent once."""
    body = b'{"code":3001,"message":"Meeting does not exist: 1."}'
    world = World.of(answer(404, body))
    with pytest.raises(ZoomRefused) as refusal:
        world.call("GET", "/v2/meetings/1")
    assert (refusal.value.status, refusal.value.body, refusal.value.zoom_code) == (404, body, 3001)
    assert len(world.zoom.sent) == 1


def test_a_short_429_is_waited_out() -> None:
    """The caller never sees it."""
    world = World.of(answer(429, b'{"code":429}', retry_after="2"), answer(200, b"{}"))
    assert world.call("GET", "/v2/meetings/1").status == 200
    assert world.time.waits == [2.5]


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry_after": "90"}, "90"),
        ({"x_ratelimit_type": "Daily-limit", "retry_after": "2030-03-17T17:47:42Z"}, "61"),
        ({"x_ratelimit_remaining": "5893"}, "22399"),
    ],
)
def test_a_long_429_is_passed_on_with_seconds(headers: dict[str, str], seconds: str) -> None:
    """In the form that every client reads, whatever form Zoom chose."""
    body = b'{"code":429,"message":"..."}'
    world = World.of(*[answer(429, body, **headers)] * 2)
    with pytest.raises(ZoomRefused) as refusal:
        world.call("POST", "/v2/users/me/meetings", body=b"{}")
    assert (refusal.value.status, refusal.value.body) == (429, body)
    assert refusal.value.headers["retry-after"] == seconds
    assert len(world.zoom.sent) == 1 + (seconds != "90")  # that a day is over is asked once more


def test_a_create_without_an_answer_is_never_repeated() -> None:
    """No double meeting."""
    world = World.of(AnswerLost())
    with pytest.raises(OutcomeUnknown):
        world.call("POST", "/v2/users/me/meetings", body=b"{}")
    assert len(world.zoom.sent) == 1
