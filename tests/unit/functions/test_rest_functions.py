"""The function zoom_api (users, recordings, reports), from event to answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.fakes.edge import LambdaContext, http_event
from tests.fakes.gateway import World, answer, principal

EVENTS = Path(__file__).parents[3] / "events"
SCOPES = frozenset({"user:read:admin", "user:write:admin", "recording:read", "recording:write", "report:read:admin"})
UUID = "%252FajXp112QmuoKj4854875%253D%253D"

type Serve = Callable[[str, str, World], dict[str, Any]]


@pytest.fixture
def serve(function: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Call the handler of a function with a sample event."""

    def call(name: str, sample: str, world: World) -> dict[str, Any]:
        module = function(name)
        monkeypatch.setattr(module, "_gateway", world.gateway)
        event = json.loads((EVENTS / f"{sample}.json").read_text())
        result: dict[str, Any] = module.handler(event, LambdaContext())
        return result

    return call


@pytest.mark.parametrize(
    ("function_name", "sample", "status", "method", "url"),
    [
        ("zoom_api", "zoom-api-users-list", 200, "GET", "/users?status=active&page_size=300"),
        ("zoom_api", "zoom-api-users-create", 201, "POST", "/users"),
        ("zoom_api", "zoom-api-users-get", 200, "GET", "/users/me"),
        ("zoom_api", "zoom-api-recordings-list", 200, "GET", "/users/me/recordings?from=2030-01-01&to=2030-01-31"),
        ("zoom_api", "zoom-api-recordings-delete", 204, "DELETE", "/meetings/85746065/recordings/76-5d?action=trash"),
        (
            "zoom_api",
            "zoom-api-reports-user-meetings",
            200,
            "GET",
            "/report/users/me/meetings?from=2030-01-01&to=2030-01-31",
        ),
        ("meetings", "meetings-recordings-of-a-uuid", 200, "GET", f"/meetings/{UUID}/recordings"),
    ],
)
def test_each_operation_reaches_zoom(
    serve: Serve, *, function_name: str, sample: str, status: int, method: str, url: str
) -> None:
    """By the path and query Zoom knows it by, and Zoom's answer comes back."""
    body = b"" if status == 204 else b'{"id":"z8dsdsdsdsdCfp8uQ"}'
    world = World.of(answer(status, body), scopes=SCOPES)
    result = serve(function_name, sample, world)
    assert (result["statusCode"], result["body"].encode()) == (status, body)
    assert (world.zoom.sent[0].method, world.zoom.sent[0].url) == (method, f"https://api.zoom.us/v2{url}")


@pytest.mark.parametrize("header", ["", "a" * 2000, "con_", "con_1,con_2"])
def test_a_connection_header_that_no_connection_can_have_is_refused(
    function: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch, header: str
) -> None:
    """With the header's name, before anything is looked up or sent; to nobody but a caller who is known."""
    module, world = function("zoom_api"), World.of(answer(200, b"{}"), scopes=SCOPES)
    monkeypatch.setattr(module, "_gateway", world.gateway)
    event = http_event("GET", "/v2/users/me", headers={"X-Zoom-Connection": header}, principal=principal())
    refused = module.handler(event, LambdaContext())
    assert refused["statusCode"] == 400
    assert [each["field"] for each in json.loads(refused["body"])["errors"]] == ["X-Zoom-Connection"]
    assert world.zoom.sent == []
    assert module.handler({**event, "requestContext": {}}, LambdaContext())["statusCode"] == 401


def test_what_a_person_can_not_grant_says_so(serve: Serve) -> None:
    """Reports are for administrators: reconnecting as the same person would not help."""
    result = serve("zoom_api", "zoom-api-reports-user-meetings", World.of(scopes=frozenset({"meeting:read:meeting"})))
    body = json.loads(result["body"])
    assert (result["statusCode"], body["code"], body["missing_scopes"]) == (400, 4711, ["report:read:user:admin"])
    assert "administrator" in body["hint"]
