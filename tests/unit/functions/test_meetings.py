"""The meetings function, from event to answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.fakes.edge import LambdaContext, http_event
from tests.fakes.gateway import World, answer, principal
from zoom_common.access.principal import Principal as Caller
from zoom_common.gateway.participants import Participants

EVENTS = Path(__file__).parents[3] / "events"

type Serve = Callable[[World, dict[str, Any]], dict[str, Any]]


def sample(name: str) -> dict[str, Any]:
    """An event as API Gateway sends it."""
    event: dict[str, Any] = json.loads((EVENTS / f"{name}.json").read_text())
    return event


@pytest.fixture
def serve(function: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Call the handler, in a world of one connection and a scripted Zoom."""
    module = function("meetings")

    def call(world: World, event: dict[str, Any]) -> dict[str, Any]:
        monkeypatch.setattr(module, "_gateway", world.gateway)
        result: dict[str, Any] = module.handler(event, LambdaContext())
        return result

    return call


def test_a_meeting_is_created(serve: Serve) -> None:
    """Zoom gets the caller's bytes, the caller gets Zoom's."""
    world = World.of(answer(201, b'{"id":85746065,"topic":"Weekly stand-up"}'))
    event = sample("meetings-create")
    result = serve(world, event)
    assert (result["statusCode"], result["body"]) == (201, '{"id":85746065,"topic":"Weekly stand-up"}')
    assert result["headers"]["content-type"] == "application/json"
    assert result["headers"]["x-request-id"] == "request-meetings-2"
    assert result["headers"]["x-zoom-ratelimit-category"] == "Light"
    assert world.zoom.sent[0].body == event["body"].encode()
    assert world.zoom.sent[0].url.endswith("/v2/users/me/meetings")


@pytest.mark.parametrize(
    ("name", "status", "method", "url"),
    [
        ("meetings-list", 200, "GET", "/users/me/meetings?type=upcoming&page_size=30"),
        ("meetings-get", 200, "GET", "/meetings/%252FajXp112QmuoKj4854875%253D%253D"),
        ("meetings-update", 204, "PATCH", "/meetings/85746065"),
        ("meetings-delete", 204, "DELETE", "/meetings/85746065?occurrence_id=1798444800000"),
    ],
)
def test_each_operation_reaches_zoom(serve: Serve, name: str, status: int, method: str, url: str) -> None:
    """By the path and query Zoom knows it by."""
    world = World.of(answer(status, b"" if status == 204 else b"{}"))
    assert serve(world, sample(name))["statusCode"] == status
    assert (world.zoom.sent[0].method, world.zoom.sent[0].url) == (method, f"https://api.zoom.us/v2{url}")


def test_an_invalid_request_has_zooms_shape(serve: Serve) -> None:
    """Code 300, and every field once."""
    result = serve(World.of(), sample("meetings-invalid"))
    body = json.loads(result["body"])
    assert (result["statusCode"], body["code"], body["message"]) == (400, 300, "Validation Failed.")
    assert [each["field"] for each in body["errors"]] == ["start_time", "type"]
    assert body["reason"] == "invalid_request"


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [("meetings-denied", 401, 124), ("meetings-forbidden", 403, 4711), ("meetings-unknown-route", 404, 404)],
)
def test_refusals_of_ours_have_zooms_shape(serve: Serve, name: str, status: int, code: int) -> None:
    """The gateway's own refusals have Zoom's shape, and Zoom is not asked."""
    result = serve(World.of(), sample(name))
    assert (result["statusCode"], json.loads(result["body"])["code"]) == (status, code)


def test_a_wrong_method_is_405(serve: Serve) -> None:
    """The answer to a wrong method lists the right ones."""
    result = serve(World.of(), http_event("PUT", "/v2/meetings/1", principal=principal()))
    assert (result["statusCode"], result["headers"]["allow"]) == (405, "DELETE, GET, HEAD, OPTIONS, PATCH")


def test_a_head_asks_zoom_and_has_no_body(serve: Serve) -> None:
    """Status and headers are those of the GET."""
    world = World.of(answer(200, b'{"id":1}'))
    result = serve(world, http_event("HEAD", "/v2/meetings/1", principal=principal()))
    assert (result["statusCode"], result["body"], world.zoom.sent[0].method) == (200, "", "GET")
    assert result["headers"]["etag"]


def test_options_names_the_methods_without_asking_zoom(serve: Serve) -> None:
    """OPTIONS needs a key, and answers the methods of a path without asking Zoom."""
    result = serve(World.of(), http_event("OPTIONS", "/v2/meetings/1", principal=principal()))
    assert (result["statusCode"], result["headers"]["allow"]) == (204, "DELETE, GET, HEAD, OPTIONS, PATCH")


def test_slashes_too_many_do_not_reach_zoom(serve: Serve) -> None:
    """It gets the address that was meant."""
    world = World.of(answer(200, b"{}"))
    serve(world, http_event("GET", "/v2//meetings/1/", principal=principal()))
    assert world.zoom.sent[0].url == "https://api.zoom.us/v2/meetings/1"


def test_a_month_that_zoom_cut_is_asked_for_again(serve: Serve) -> None:
    """Until all days are there, though one call looked like enough."""
    cut = answer(200, b'{"from":"2030-01-11","to":"2030-01-31","meetings":[{"uuid":"b"}],"next_page_token":""}')
    rest = answer(200, b'{"from":"2030-01-01","to":"2030-01-10","meetings":[{"uuid":"a"}],"next_page_token":""}')
    world = World.of(cut, cut, rest, scopes=frozenset({"recording:read"}))
    path, query = "/v2/users/me/recordings", "all=false&from=2030-01-01&to=2030-01-31"
    first = json.loads(serve(world, http_event("GET", path, query=query, principal=principal()))["body"])
    assert [each["uuid"] for each in first["meetings"]] == ["b"]
    assert first["next_page_token"].startswith("igz1.")


def test_missing_zoom_scopes_come_with_a_way_out(serve: Serve) -> None:
    """Zoom's body and status, and what to do about it."""
    result = serve(World.of(scopes=frozenset({"user:read:user"})), sample("meetings-create"))
    body = json.loads(result["body"])
    assert (result["statusCode"], body["code"]) == (400, 4711)
    assert body["missing_scopes"] == ["meeting:write:meeting", "meeting:write:meeting:admin"]
    assert body["reconnect_url"] == "https://gateway.example/connections/con_1/reconnect"


class LiveRoster:
    """One meeting that is on."""

    def state(self, principal: Caller, number: str) -> dict[str, Any]:
        assert (principal.tenant, number) == ("acme", "85746065")
        return {"status": "live", "participants": [{"id": "u1", "name": "Jill"}]}

    def attendance(self, principal: Caller, number: str) -> dict[str, Any]:  # noqa: ARG002 - the seam's signature
        raise AssertionError


def test_who_is_in_a_meeting_is_ours_to_say(
    function: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    """From its events, without a call to Zoom; and only for callers who may read meetings."""
    module = function("meetings")
    monkeypatch.setattr(module, "_gateway", World.of().gateway)
    monkeypatch.setattr(module, "_participants", lambda: Participants(LiveRoster()))
    body = json.loads(module.handler(sample("meetings-participants"), LambdaContext())["body"])
    assert (body["source"], body["participants"]) == ("live", [{"id": "u1", "name": "Jill"}])
    path = "/v2/meetings/85746065/participants"
    refused = module.handler(http_event("GET", path, principal=principal("users:read")), LambdaContext())
    assert refused["statusCode"] == 403


def test_zooms_refusal_is_passed_on_as_it_is(serve: Serve) -> None:
    """Bytes, status and Retry-After; ours follow."""
    refusal = b'{"code":429, "message":"Has excedido el l\xc3\xadmite."}'
    result = serve(World.of(answer(429, refusal, retry_after="120")), sample("meetings-create"))
    assert result["statusCode"] == 429
    assert result["body"].encode().startswith(refusal.removesuffix(b"}"))
    assert json.loads(result["body"])["reason"] == "zoom_rate_limited"
    assert result["headers"]["retry-after"] == "120"


def test_nothing_is_read_from_the_environment_before_a_call(
    function: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch, observed: Any
) -> None:
    """A function without settings loads, and says which one is missing by name of the error only."""
    for name in ("CONNECTIONS_TABLE", "DATA_KEY_ID", "TOKEN_REFRESH_FUNCTION", "PUBLIC_BASE_URL"):
        monkeypatch.delenv(name, raising=False)
    result = function("meetings").handler(sample("meetings-get"), LambdaContext())
    assert result["statusCode"] == 500
    assert "MissingSetting" in observed.text()
