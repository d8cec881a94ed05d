"""What passes through the front door stays as it was."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from dev import web
from dev.front_door import Upstream, application, forgetful_client

UPSTREAM = Upstream("http://emulator:4566", "/_aws/execute-api/api1/$default", "/_aws/lambda-url/url1")


class Emulator:
    """Remembers what it was sent and answers with `answer`."""

    def __init__(self) -> None:
        self.requests: list[httpx.Request] = []
        self.answer = httpx.Response(200, content=b"ok")

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        return self.answer


def _page(_: Request) -> PlainTextResponse:
    return PlainTextResponse("a page of this machine")


@dataclass(slots=True)
class Door:
    """Browsers in front of the door, one after the other, and an emulator behind it."""

    emulator: httpx.MockTransport
    people: int = 1
    name: str = "localhost"
    pages: Sequence[Route] = (Route("/local/connect", _page),)

    def request(self, method: str, path: str, **given: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with forgetful_client(transport=self.emulator) as behind:
                inside = httpx.ASGITransport(application(UPSTREAM, behind, self.pages))
                for _ in range(self.people):
                    async with httpx.AsyncClient(transport=inside, base_url=f"http://{self.name}:3000") as browser:
                        answer = await browser.request(method, path, **given)
            return answer

        return asyncio.run(ask())


@pytest.fixture
def emulator() -> Emulator:
    return Emulator()


@pytest.fixture
def door(emulator: Emulator) -> Door:
    return Door(httpx.MockTransport(emulator))


def test_webhooks_go_to_the_function_url(door: Door, emulator: Emulator) -> None:
    """Zoom's deliveries reach the webhook function, byte for byte."""
    body = '{"a": "\\u00e9é", "n": 12345678901234567890 }'.encode()
    door.request("POST", "/webhooks/zoom", content=body, headers={"x-zm-signature": "v0=00"})
    (sent,) = emulator.requests
    assert sent.url.raw_path == b"/_aws/lambda-url/url1/"
    assert sent.content == body
    assert sent.headers["x-zm-signature"] == "v0=00"


def test_only_a_browser_at_home_is_led_to_the_app(emulator: Emulator) -> None:
    """A program that posts there, and whoever comes by a tunnel, is told what the API says."""
    behind = httpx.MockTransport(emulator)
    pages = web.routes(dict)
    at_home = Door(behind, pages=pages)
    led = at_home.request("GET", "/")
    assert (led.status_code, led.headers["location"], emulator.requests) == (302, "/app/", [])
    at_home.request("POST", "/")
    Door(behind, name="tunnel.example", pages=pages).request("GET", "/")
    assert [(each.method, each.url.raw_path) for each in emulator.requests] == [
        ("POST", b"/_aws/execute-api/api1/$default/"),
        ("GET", b"/_aws/execute-api/api1/$default/"),
    ]


@pytest.mark.parametrize("path", ["/v2/meetings/a%252Fb%253D", "/v2/meetings/%2Fa%2B%3D?x=%2F&y=1+2", "/health"])
def test_everything_else_goes_to_the_api_as_it_was_written(door: Door, emulator: Emulator, path: str) -> None:
    """Percent-escapes are neither undone nor added on the way."""
    door.request("GET", path)
    (sent,) = emulator.requests
    assert sent.url.raw_path == b"/_aws/execute-api/api1/$default" + path.encode()


def test_cookies_and_redirects_come_back_whole(door: Door, emulator: Emulator) -> None:
    """Two cookies stay two, and the browser follows redirects, not the door."""
    headers = [("set-cookie", "a=1"), ("set-cookie", "b=2"), ("location", "http://zoom/x")]
    emulator.answer = httpx.Response(303, headers=headers)
    answer = door.request("GET", "/auth/zoom/start")
    assert answer.status_code == 303
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    assert answer.headers["location"] == "http://zoom/x"


def test_one_persons_cookie_never_rides_on_anothers_request(door: Door, emulator: Emulator) -> None:
    """The door keeps no cookies of its own."""
    emulator.answer = httpx.Response(200, headers=[("set-cookie", "zoom-connect=first; Path=/")])
    door.people = 2
    door.request("GET", "/auth/zoom/callback")
    assert [request.headers.get("cookie") for request in emulator.requests] == [None, None]


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1"])
def test_this_machines_pages_are_for_this_machine(door: Door, emulator: Emulator, name: str) -> None:
    """They act with local credentials: a browser here gets them."""
    door.name = name
    assert door.request("GET", "/local/connect").text == "a page of this machine"
    assert emulator.requests == []


@pytest.mark.parametrize("name", ["x.ngrok-free.app", "localhost.evil.example", "rebound.example"])
def test_this_machines_pages_are_not_behind_the_tunnel(door: Door, emulator: Emulator, name: str) -> None:
    """Whoever comes through the tunnel gets what the API says of that path."""
    door.name = name
    assert door.request("GET", "/local/connect").text == "ok"
    assert [request.url.raw_path for request in emulator.requests] == [b"/_aws/execute-api/api1/$default/local/connect"]


def test_a_dead_emulator_is_a_502() -> None:
    """The caller learns where to look."""

    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    answer = Door(httpx.MockTransport(refuse)).request("GET", "/health")
    assert answer.status_code == 502
    assert "emulator.log" in answer.text
