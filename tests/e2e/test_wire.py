"""Bytes on the wire, through the deployed stack: what a caller writes reaches Zoom as it is, and the other way round.

A Zoom of our own answers here with bytes that no JSON library would write.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote

import boto3
import httpx
import pytest

from dev.demo import Story
from tests.fakes.releases import configured
from tests.fakes.waiting import CALL_SECONDS

pytestmark = pytest.mark.e2e

WEBINARS = "/v2/users/me/webinars"
# Beyond 2^53 and beyond a float, an escape beside raw text, members out of order and unknown, white space, a half pair.
ASKED = (
    '{ "topic": "Caf\\u00e9 \u2014 \u6bce\u65e5 \U0001f3a5",\n\t"type":5 , "zeta":9007199254740993, "alpha" : 1.0e+2,'
    ' "tiny":1e-400,"huge":123456789012345678901234567890, "nested":{"b":[ ],"a":null}, "half":"\\ud83d" }\n'
).encode()
TOLD = (
    '{"zeta" : 9007199254740993 ,"id":98765432109876543210,\r\n "topic":"\\u00dcbersicht \u2014 \u6bce\u65e5 \\/",'
    '"x":1.0,"x":2.50, "new_in_2027":{"deep":[1E3,-0]}, "text":"\\ud83c\\udfa5 \U0001f3a5"}  '
).encode()
REFUSED = (
    '{ "message":"Título \\u00e9 — 無効", "code":300,"errors":[{"field":"topic","message":"Nö."}], "n":1.0 }'.encode()
)
# All end as base64 of 16 bytes ends. Doubly encoded when it starts with a slash or has two in a row, once otherwise.
UUIDS = {
    "/ab+c==": "%252Fab%252Bc%253D%253D",
    "a//b+c==": "a%252F%252Fb%252Bc%253D%253D",
    "a/b+c==": "a%2Fb%2Bc%3D%3D",
    "ab+cd==": "ab%2Bcd%3D%3D",
    "98765432109": "98765432109",
}


@dataclass
class Zoom:
    """What Zoom is sent, and what it says to everybody."""

    url: str = ""
    status: int = 201
    body: bytes = TOLD
    seen: list[tuple[str, str, bytes]] = field(default_factory=list)


@pytest.fixture(scope="module")
def zoom(gateway: Any) -> Iterator[Zoom]:
    """A Zoom that the webinars function calls instead of the simulated one."""
    said = Zoom()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            said.seen.append((self.command, self.path, body))
            self.send_response(said.status)
            self.send_header("content-type", "application/json;charset=UTF-8")
            self.send_header("content-length", str(len(said.body)))
            self.send_header("x-zm-trackingid", "v=2.0;clid=us02;rid=WEB_1")
            self.end_headers()
            self.wfile.write(said.body)

        def do_POST(self) -> None:
            self.do_GET()

        def do_PATCH(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    said.url = f"http://127.0.0.1:{server.server_address[1]}/v2"
    stack = gateway.stack
    functions = boto3.client(
        "lambda",
        endpoint_url=stack["aws_endpoint_url"],
        region_name=stack["aws_region"],
        aws_access_key_id=stack["aws_access_key_id"],
        aws_secret_access_key=stack["aws_secret_access_key"],
    )
    deployed = functions.list_functions(MaxItems=100)["Functions"]
    name = next(each["FunctionName"] for each in deployed if "WebinarsFunction" in each["FunctionName"])
    try:
        with configured(functions, name, ZOOM_API_BASE_URL=said.url):
            yield said
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def caller(gateway: Any) -> Iterator[httpx.Client]:
    """A program with a connection of its own."""
    with Story(gateway.stack) as story:
        story.program.headers["X-Zoom-Connection"] = story.connect()
        story.program.timeout = httpx.Timeout(CALL_SECONDS)
        yield story.program


def test_bodies_pass_byte_for_byte_in_both_directions(caller: httpx.Client, zoom: Zoom) -> None:
    """A create, with everything in it that a JSON library would tidy up."""
    zoom.status, zoom.body = 201, TOLD
    zoom.seen.clear()
    answer = caller.post(WEBINARS, content=ASKED, headers={"Content-Type": "application/json"})
    assert answer.status_code == 201, answer.text
    assert answer.content == TOLD
    assert answer.headers["content-type"] == "application/json;charset=UTF-8"
    assert answer.headers["x-zm-trackingid"] == "v=2.0;clid=us02;rid=WEB_1"
    assert zoom.seen == [("POST", "/v2/users/me/webinars", ASKED)]


def test_reads_pass_byte_for_byte_and_are_known_again(caller: httpx.Client, zoom: Zoom) -> None:
    """With a tag that saves the body the next time, and a query that goes out as it was written."""
    zoom.status, zoom.body = 200, TOLD
    zoom.seen.clear()
    path = "/v2/webinars/98765432109"
    first = caller.get(f"{path}?occurrence_id=1648194360000&show_previous_occurrences=true&new=%C3%A9%2F+%20")
    assert (first.status_code, first.content) == (200, TOLD)
    assert zoom.seen[-1][1].endswith("?occurrence_id=1648194360000&show_previous_occurrences=true&new=%C3%A9%2F+%20")
    again = caller.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    zoom.body = TOLD.replace(b"2.50", b"2.51")
    assert caller.get(path, headers={"If-None-Match": first.headers["etag"]}).status_code == 200


def test_a_refusal_keeps_zooms_bytes_and_gets_ours_behind_them(caller: httpx.Client, zoom: Zoom) -> None:
    """Nothing of Zoom's is written anew."""
    zoom.status, zoom.body = 400, REFUSED
    answer = caller.patch("/v2/webinars/98765432109", json={"topic": "x"})
    assert answer.status_code == 400
    assert answer.content.startswith(REFUSED.rstrip(b" }"))
    reply = answer.json()
    assert (reply["code"], reply["message"], reply["reason"]) == (300, "Título é — 無効", "zoom_found_invalid")
    assert reply["request_id"] == answer.headers["x-request-id"]


@pytest.mark.parametrize("times", [0, 1, 2], ids=["plain", "once", "twice"])
def test_ids_stand_on_the_wire_as_zoom_wants_them(caller: httpx.Client, zoom: Zoom, times: int) -> None:
    """Ids are sent in Zoom's encoding, however they arrive."""
    zoom.status, zoom.body = 200, b'{"participants":[]}'
    zoom.seen.clear()
    for uuid in UUIDS:
        sent = uuid
        for _ in range(times):
            sent = quote(sent, safe="")
        url = caller.base_url.copy_with(raw_path=f"/v2/past_webinars/{sent}/participants".encode())
        assert caller.get(url).status_code == 200, uuid
    assert [path for _, path, _ in zoom.seen] == [f"/v2/past_webinars/{each}/participants" for each in UUIDS.values()]


def test_every_answer_says_how_the_budget_stands(caller: httpx.Client, zoom: Zoom) -> None:
    """Whatever the answer is: request id, label, and what is left; on our own refusals too."""
    zoom.status, zoom.body = 200, b"{}"
    for answer in (
        caller.get("/v2/webinars/98765432109"),
        caller.get(WEBINARS, params={"page_size": "many"}),
        caller.post(WEBINARS, json={"type": "x"}),
        caller.post(WEBINARS, content=b"{"),
    ):
        assert answer.headers["x-request-id"], answer.text
        assert answer.headers["x-zoom-ratelimit-category"] in {"Light", "Medium"}
        assert int(answer.headers["x-zoom-budget-left"]) >= 0
