"""The webinars function, from event to answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.fakes.edge import LambdaContext
from tests.fakes.gateway import World, answer

EVENTS = Path(__file__).parents[3] / "events"

type Serve = Callable[[World, str], dict[str, Any]]


@pytest.fixture
def serve(function: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> Serve:
    """Call the handler with a sample event, in a world of one connection and a scripted Zoom."""
    module = function("webinars")

    def call(world: World, name: str) -> dict[str, Any]:
        monkeypatch.setattr(module, "_gateway", world.gateway)
        event = json.loads((EVENTS / f"{name}.json").read_text())
        result: dict[str, Any] = module.handler(event, LambdaContext())
        return result

    return call


@pytest.mark.parametrize(
    ("name", "status", "method", "url"),
    [
        ("webinars-list", 200, "GET", "/users/me/webinars?type=upcoming&page_size=30"),
        ("webinars-create", 201, "POST", "/users/me/webinars"),
        ("webinars-get", 200, "GET", "/webinars/rN%252F%252F2xd6S7SpEO6lrPpHrg%253D%253D"),
        ("webinars-update", 204, "PATCH", "/webinars/95204914252"),
        ("webinars-delete", 204, "DELETE", "/webinars/95204914252?occurrence_id=1798444800000"),
    ],
)
def test_each_operation_reaches_zoom(serve: Serve, name: str, status: int, method: str, url: str) -> None:
    """By the path and query Zoom knows it by, and Zoom's answer comes back."""
    body = b"" if status == 204 else b'{"id":95204914252}'
    world = World.of(answer(status, body))
    result = serve(world, name)
    assert (result["statusCode"], result["body"].encode()) == (status, body)
    assert (world.zoom.sent[0].method, world.zoom.sent[0].url) == (method, f"https://api.zoom.us/v2{url}")


@pytest.mark.parametrize(
    ("name", "status", "code"),
    [
        ("webinars-invalid", 400, 300),
        ("webinars-denied", 401, 124),
        ("webinars-forbidden", 403, 4711),
        ("webinars-unknown-route", 404, 404),
    ],
)
def test_refusals_of_ours_have_zooms_shape(serve: Serve, name: str, status: int, code: int) -> None:
    """The gateway's own refusals have Zoom's shape, and Zoom is not asked."""
    result = serve(World.of(), name)
    assert (result["statusCode"], json.loads(result["body"])["code"]) == (status, code)
