"""Zoom misbehaves, on the deployed stack: what callers get, and how often Zoom was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import httpx
import pytest

from dev.demo import Story
from dev.emulator import client_of
from tests.fakes.releases import configured
from tests.fakes.waiting import CALL_SECONDS

pytestmark = pytest.mark.e2e

MEETINGS = "/v2/users/me/meetings"
HOP = {"content-length", "connection", "accept-encoding", "transfer-encoding", "expect"}


class Zoom:
    """The simulated Zoom's controls."""

    def __init__(self, url: str) -> None:
        self.client = httpx.Client(base_url=f"{url}/_sim", timeout=CALL_SECONDS)

    def misbehaves(self, target: str, effect: str, *, count: int = 1, **more: object) -> str:
        rule = {"target": target, "effect": effect, "count": count, **more}
        answer = self.client.post("/faults", json=rule)
        assert answer.status_code < 300, answer.text
        return str(answer.json()["id"])

    def fired(self, rule: str) -> int:
        rules = {each["id"]: each["fired"] for each in self.client.get("/faults").json()["faults"]}
        return int(rules[rule])


@pytest.fixture
def zoom(stack: dict[str, Any]) -> Iterator[Zoom]:
    """A Zoom that behaves again afterwards."""
    controls = Zoom(stack["zoom_url"])
    controls.client.post("/limits/reset")
    forget_budget(stack)  # the whole run is one day, and all tests are the same person
    yield controls
    controls.client.delete("/faults")
    forget_budget(stack)
    controls.client.close()


@pytest.fixture(scope="module")
def connection(gateway: Any) -> str:
    """A connected person."""
    with Story(gateway.stack) as story:
        return story.connect()


@pytest.fixture
def caller(api: httpx.Client, connection: str) -> httpx.Client:
    """A program that names its connection."""
    api.headers["X-Zoom-Connection"] = connection
    return api


@pytest.fixture
def meeting(caller: httpx.Client) -> int:
    """A meeting to read."""
    answer = caller.post(MEETINGS, json=wanted())
    assert answer.status_code == 201, answer.text
    return int(answer.json()["id"])


def wanted() -> dict[str, Any]:
    """A meeting that is like no other."""
    return {"topic": f"Faults {uuid4()}", "type": 2, "start_time": "2031-05-06T07:08:00Z", "duration": 30}


def forget_budget(stack: dict[str, Any]) -> None:
    """No slot is taken, no label is closed, nothing was called today."""
    table, name = client_of(stack, "dynamodb"), stack["coordination_table"]
    for item in table.scan(TableName=name)["Items"]:
        if item["pk"]["S"].startswith(("budget#", "daily#")):
            table.delete_item(TableName=name, Key={each: item[each] for each in ("pk", "sk")})


def made(caller: httpx.Client, topic: str) -> int:
    """How many meetings Zoom has of that topic."""
    listed = caller.get(MEETINGS, params={"page_size": 300}).json()["meetings"]
    return sum(each["topic"] == topic for each in listed)


@pytest.mark.parametrize(
    "fault",
    [
        {"effect": "status", "status": 500, "code": 500},
        {"effect": "reset"},
        {"effect": "html", "status": 502},
        {"effect": "truncate"},
        {"effect": "not_json"},
    ],
    ids=lambda fault: fault["effect"],
)
def test_a_read_outlives_a_fault_and_a_create_says_what_it_knows(
    caller: httpx.Client, zoom: Zoom, meeting: int, fault: dict[str, Any]
) -> None:
    """The read is tried again. The create is sent once, and its answer says that the outcome is unknown."""
    zoom.misbehaves("meetings.get", **fault)
    read = caller.get(f"/v2/meetings/{meeting}")
    assert (read.status_code, read.json()["id"]) == (200, meeting)
    assert read.headers["x-zoom-tries"] == "2"
    assert int(read.headers["x-zoom-waited-ms"]) >= 0
    # The fault would strike a second try as well: that it fired once means that there was none.
    rule = zoom.misbehaves("meetings.create", **(fault | {"count": 2}))
    refused = caller.post(MEETINGS, json=wanted())
    assert zoom.fired(rule) == 1
    if fault["effect"] == "status":
        assert (refused.status_code, refused.json()["code"]) == (500, 500)
        return
    assert (refused.status_code, refused.json()["reason"]) == (502, "outcome_unknown")
    assert "List" in refused.json()["hint"]
    assert refused.headers["x-request-id"]
    assert refused.headers["x-zoom-ratelimit-category"] == "Light"
    assert int(refused.headers["x-zoom-budget-left"]) >= 0


def test_a_lost_answer_is_found_again_with_a_key(caller: httpx.Client, zoom: Zoom) -> None:
    """A create whose answer was lost, and each repetition, answer with the one meeting that was made."""
    body, key = wanted(), {"Idempotency-Key": str(uuid4())}
    zoom.misbehaves("meetings.create", "lost_response")
    first = caller.post(MEETINGS, json=body, headers=key)
    assert (first.status_code, first.headers["idempotency-status"]) == (201, "adopted")
    again = caller.post(MEETINGS, json=body, headers=key)
    assert (again.status_code, again.headers["idempotency-status"]) == (201, "replayed")
    assert again.json()["id"] == first.json()["id"]
    assert "start_url" not in again.json()
    assert made(caller, body["topic"]) == 1
    other = caller.post(MEETINGS, json=body | {"duration": 31}, headers=key)
    assert (other.status_code, other.json()["reason"]) == (422, "idempotency_key_reused")


def test_a_lost_registration_is_found_again_with_a_key(caller: httpx.Client, zoom: Zoom) -> None:
    """By its e-mail address; a second person registers under another key, and both get their own answers again."""
    settings = {"approval_type": 1, "registration_type": 1}
    number = caller.post(MEETINGS, json=wanted() | {"settings": settings}).json()["id"]
    at = f"/v2/meetings/{number}/registrants"

    def register(email: str) -> tuple[str, str]:
        key = {"Idempotency-Key": f"{number}-{email}"}
        answer = caller.post(at, json={"email": email, "first_name": "A"}, headers=key)
        assert answer.status_code == 201, answer.text
        return answer.headers["idempotency-status"], answer.json()["registrant_id"]

    zoom.misbehaves("meetings.registrants.add", "lost_response")
    how, ada = register("Ada@example.com")
    also, grace = register("grace@example.com")
    assert (how, also) == ("adopted", "made")
    assert [register("Ada@example.com"), register("grace@example.com")] == [("replayed", ada), ("replayed", grace)]
    listed = caller.get(at, params={"status": "pending"}).json()["registrants"]
    assert {each["id"] for each in listed} == {ada, grace}


def test_four_at_once_with_one_key_make_one_meeting(caller: httpx.Client) -> None:
    """One request makes the meeting; the others wait for its answer or get a 409."""
    body, key = wanted(), {"Idempotency-Key": str(uuid4())}
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: caller.post(MEETINGS, json=body, headers=key), range(4)))
    assert {each.status_code for each in answers} <= {201, 409}
    assert len({each.json()["id"] for each in answers if each.status_code == 201}) == 1
    assert made(caller, body["topic"]) == 1


def test_silence_ends_within_the_deadline(caller: httpx.Client, zoom: Zoom, meeting: int) -> None:
    """A read that hangs is given up and tried again; a create that Zoom carries out after our timeout is found later.

    A walk over slow pages ends in time with what it has, and its token leads to the rest. All three take as long as
    they may, so they run side by side.
    """
    body, key = wanted(), {"Idempotency-Key": str(uuid4())}
    for _ in range(4):
        assert caller.post(MEETINGS, json=wanted()).status_code == 201
    before = {each["id"] for each in caller.get(MEETINGS, params={"all": "true"}).json()["meetings"]}
    zoom.misbehaves("meetings.get", "hang", seconds=20)
    zoom.misbehaves("meetings.create", "delay", seconds=27)
    slow = zoom.misbehaves("meetings.list", "delay", count=len(before), seconds=9)
    pages = {"all": "true", "page_size": "1"}
    with ThreadPoolExecutor(3) as pool:
        walking = pool.submit(caller.get, MEETINGS, params=pages)
        reading = pool.submit(caller.get, f"/v2/meetings/{meeting}")
        creating = pool.submit(caller.post, MEETINGS, json=body, headers=key)
        walked, read, created = walking.result(), reading.result(), creating.result()
    assert (zoom.fired(slow) - 1) * 9 < 28  # no page is asked for after the deadline
    zoom.client.delete("/faults")
    assert (read.status_code, read.headers["x-zoom-tries"]) == (200, "2")
    assert (created.status_code, created.json()["reason"]) == (502, "outcome_unknown")
    page = walked.json()
    assert page["next_page_token"].startswith("igz1."), walked.text[:300]
    rest = caller.get(MEETINGS, params={**pages, "next_page_token": page["next_page_token"]}).json()
    found = [each["id"] for each in page["meetings"] + rest["meetings"]]
    assert len(found) == len(set(found))
    assert before <= set(found)
    for _ in range(3):
        again = caller.post(MEETINGS, json=body, headers=key)
        if again.status_code == 201:
            break
        assert (again.status_code, again.json()["reason"]) == (409, "idempotency_unsettled")
        threading.Event().wait(min(3.0, float(again.headers["retry-after"])))
    assert (again.status_code, again.headers["idempotency-status"]) == (201, "adopted")
    assert made(caller, body["topic"]) == 1


def test_zooms_429_is_waited_out_or_shared(caller: httpx.Client, zoom: Zoom, meeting: int) -> None:
    """A short one inside the call; a long one closes the label for every function until it is over."""
    zoom.misbehaves("meetings.get", "status", status=429, code=429, headers={"Retry-After": "1"})
    read = caller.get(f"/v2/meetings/{meeting}")
    assert (read.status_code, read.headers["x-zoom-tries"]) == (200, "2")
    assert int(read.headers["x-zoom-waited-ms"]) >= 1000
    rule = zoom.misbehaves("meetings.list", "status", status=429, code=429, count=2, headers={"Retry-After": "40"})
    first = caller.get(MEETINGS)
    assert (first.status_code, first.headers["retry-after"]) == (429, "40")
    second = caller.get("/v2/users/me/webinars")  # another function, the same label
    assert (second.status_code, second.json()["reason"]) == (429, "zoom_asked_to_wait")
    assert 0 < int(second.headers["retry-after"]) <= 40
    assert zoom.fired(rule) == 1


class _Throttling(BaseHTTPRequestHandler):
    """DynamoDB, in front of the emulator's, that throttles one table."""

    table, behind = "", ""
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        if json.loads(body).get("TableName") == self.table:
            kind = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException"
            self._answer(400, json.dumps({"__type": kind, "message": "Slow down."}).encode())
            return
        # The host that was signed, and nothing that belongs to this hop.
        passed_on = {name: value for name, value in self.headers.items() if name.lower() not in HOP}
        answer = httpx.post(self.behind, content=body, headers=passed_on, timeout=CALL_SECONDS)
        self._answer(answer.status_code, answer.content)

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", "application/x-amz-json-1.0")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_calls_go_on_while_dynamodb_throttles_the_budget(
    stack: dict[str, Any], caller: httpx.Client, zoom: Zoom
) -> None:
    """At a rate of the container's own, and a metric says so; a create with a key is refused: it cannot be kept."""
    zoom.client.post("/limits/reset")
    _Throttling.table, _Throttling.behind = stack["coordination_table"], stack["aws_endpoint_url"]
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Throttling)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    functions, logs = client_of(stack, "lambda"), client_of(stack, "logs")
    deployed = functions.list_functions(MaxItems=100)["Functions"]
    about = next(each for each in deployed if "WebinarsFunction" in each["FunctionName"])
    there = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        with configured(functions, about["FunctionName"], AWS_ENDPOINT_URL_DYNAMODB=there):
            answer = caller.get("/v2/users/me/webinars")
            keyed = caller.post("/v2/users/me/webinars", json={"topic": "x"}, headers={"Idempotency-Key": str(uuid4())})
    finally:
        server.shutdown()
        server.server_close()
    assert answer.headers.get("x-zoom-budget") == "local", answer.text
    assert answer.json().get("code") in {None, 200}  # served by Zoom, whether or not the plan has webinars
    assert (keyed.status_code, keyed.json()["reason"]) == (503, "idempotency_store_unavailable")
    group = about["LoggingConfig"]["LogGroup"]
    lines = [each["message"] for each in logs.filter_log_events(logGroupName=group, limit=1000)["events"]]
    assert any('"BudgetFallback":1' in line for line in lines)
