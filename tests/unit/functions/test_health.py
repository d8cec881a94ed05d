"""The health answer, and Zoom's 404 for what nobody serves."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.fakes.edge import LambdaContext, http_event
from zoom_common import __version__
from zoom_common.access.principal import Principal

EVENTS = Path(__file__).parents[3] / "events"

ANYBODY = Principal("acme", "key:abc", frozenset())

type Call = Callable[[str], tuple[int, dict[str, Any]]]


@pytest.fixture
def call(function: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> Call:
    """Status and body of the answer to one of the sample events."""
    monkeypatch.setenv("STAGE", "dev")
    module = function("health")

    def answer(name: str) -> tuple[int, dict[str, Any]]:
        event = json.loads((EVENTS / f"health-{name}.json").read_text())
        given = module.handler(event, LambdaContext())
        return given["statusCode"], json.loads(given["body"])

    return answer


def test_health_is_open_and_shallow(call: Call) -> None:
    """It says that the function runs, which version, and in which stage."""
    assert call("get") == (200, {"status": "ok", "version": __version__, "stage": "dev"})


def test_an_unknown_route_is_zooms_404(call: Call) -> None:
    """Code 2300, with the request's id."""
    status, body = call("unknown-route")
    assert (status, body["code"], body["request_id"]) == (404, 2300, "request-health-2")


def test_a_stranger_gets_401_for_an_unknown_route(call: Call) -> None:
    """The answer without a key is 401, also for an unknown route."""
    status, body = call("unknown-route-denied")
    assert (status, body["code"]) == (401, 124)


def test_the_api_describes_itself(call: Call) -> None:
    """The OpenAPI document needs no key."""
    status, body = call("openapi")
    assert (status, body["openapi"], body["info"]["version"]) == (200, "3.1.0", __version__)
    status, body = call("openapi-family")
    assert (status, body["tags"]) == (200, [{"name": "Users"}])


@pytest.mark.parametrize(
    ("path", "meant"),
    [
        ("//connections/con_1", "/connections/con_1"),
        ("/connections/con_1/", "/connections/con_1"),
        ("/connections//con_1", "/connections/con_1"),
        ("/users//a@b/x%y/", "/users/a@b/x%25y"),
        ("//\\evil.example/", "/%5Cevil.example"),
    ],
)
def test_slashes_too_many_lead_to_the_address_that_was_meant(
    function: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch, path: str, meant: str
) -> None:
    """With 308, so that method and body stay; for callers with a key, and never to another host."""
    monkeypatch.setenv("STAGE", "dev")
    handler = function("health").handler
    known = handler(http_event(path=path, query="a=1", principal=ANYBODY), LambdaContext())
    assert (known["statusCode"], known["headers"]["location"]) == (308, f"{meant}?a=1")
    assert handler(http_event(path=path), LambdaContext())["statusCode"] == 401


def test_health_has_no_slash_too_many(function: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is served at once, to anybody."""
    monkeypatch.setenv("STAGE", "dev")
    assert function("health").handler(http_event(path="/health/"), LambdaContext())["statusCode"] == 200
