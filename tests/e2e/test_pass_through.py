"""Paths without an operation, through the deployed stack: off as it is deployed, and switched on for these tests."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import boto3
import httpx
import pytest

from dev.demo import Story
from ops.key_table import on_local_stack
from tests.fakes.releases import configured
from tests.fakes.waiting import CALL_SECONDS
from zoom_common.access.keys import Credential, issue

pytestmark = pytest.mark.e2e
# No text in any encoding.
BINARY = b"\x00\xff\xfe\x89PNG\r\n" + bytes(range(256))


@pytest.fixture(scope="module")
def caller(gateway: Any) -> Iterator[httpx.Client]:
    """A program whose key names both scopes, with a connection of its own."""
    stack = gateway.stack
    credential = Credential.generate()
    scopes = ["zoom:read", "zoom:write", "connections:read"]
    key = issue(credential, tenant=stack["tenant"], name="passing", scopes=scopes, now=time.time())
    on_local_stack(stack).add(key)
    with Story(stack) as story:
        headers = {"Authorization": f"Bearer {credential.text().reveal()}", "X-Zoom-Connection": story.connect()}
        with httpx.Client(base_url=stack["api_url"], headers=headers, timeout=CALL_SECONDS) as client:
            yield client


def test_it_is_off_as_deployed(caller: httpx.Client, api: httpx.Client) -> None:
    """For every key, in words that do not speak for Zoom."""
    for client, path in ((caller, "/v2/phone/users"), (api, "/v2/phone/users"), (api, "/scim2/Users")):
        found = client.get(path)
        assert (found.status_code, found.json()["reason"]) == (404, "not_served_here")


@pytest.fixture(scope="module")
def passing(gateway: Any) -> Iterator[None]:
    """The functions behind `/v2` and `/scim2` have it on, until the end of the module."""
    stack = gateway.stack
    functions = boto3.client(
        "lambda",
        endpoint_url=stack["aws_endpoint_url"],
        region_name=stack["aws_region"],
        aws_access_key_id=stack["aws_access_key_id"],
        aws_secret_access_key=stack["aws_secret_access_key"],
    )
    names = [each["FunctionName"] for each in functions.list_functions(MaxItems=100)["Functions"]]
    with ExitStack() as released:
        for name in names:
            if "ZoomApiFunction" in name or "MeetingsFunction" in name:
                released.enter_context(configured(functions, name, PASS_THROUGH="on"))
        yield


@pytest.mark.usefixtures("passing")
class TestSwitchedOn:
    """The pass-through, with the simulated Zoom behind it."""

    def test_every_scope_is_not_enough(self, api: httpx.Client) -> None:
        """The key of the local run has `*`."""
        found = api.get("/v2/phone/users")
        assert (found.status_code, found.json()["missing_scopes"]) == (403, ["zoom:read"])

    @pytest.mark.parametrize("path", ["/v2/phone/users", "/v2/chat/a%2520b%252Fc", "/scim2/Users"])
    def test_a_read_arrives_as_it_was_sent(self, caller: httpx.Client, path: str) -> None:
        """Path and query, with the connection's bearer and Zoom's rate label in the answer."""
        found = caller.get(f"{path}?q=%2Fa%20b&c=d+e")
        assert found.status_code == 200, found.text
        arrived = found.json()
        assert (arrived["path"], arrived["query"], arrived["bearer"]) == (path, "q=%2Fa%20b&c=d+e", True)
        assert found.headers["x-ratelimit-category"] == "Light"

    @pytest.mark.parametrize(
        ("kind", "body"),
        [
            ("application/json", b'{"a" :\t1.0}'),
            ("application/x-www-form-urlencoded", b"a=1&b=%2F+"),
            ("multipart/form-data; boundary=x", b"--x\r\n\r\n" + BINARY + b"\r\n--x--"),
            ("application/octet-stream", BINARY),
        ],
    )
    def test_bodies_arrive_byte_for_byte(self, caller: httpx.Client, kind: str, body: bytes) -> None:
        """JSON, forms, multipart and bytes that are no text."""
        found = caller.post("/v2/rooms/files", content=body, headers={"content-type": kind})
        assert found.status_code == 201, found.text
        arrived = found.json()
        assert (arrived["content_type"], arrived["bytes"]) == (kind, len(body))
        assert arrived["sha256"] == hashlib.sha256(body).hexdigest()

    def test_bytes_come_back_as_bytes(self, caller: httpx.Client) -> None:
        """Bytes are returned unchanged, with their content type."""
        found = caller.get("/v2/rooms/1/image/2")
        assert found.headers["content-type"] == "image/png"
        assert found.content == b"\x89PNG\r\n\x1a\n" + bytes(range(256))

    def test_a_redirect_is_the_callers_and_no_bearer_follows_it(self, caller: httpx.Client, gateway: Any) -> None:
        """The caller follows the redirect, so Zoom's bearer never reaches the storage."""
        found = caller.get("/v2/phone/recording/download/42", follow_redirects=False)
        assert found.status_code == 302
        assert httpx.get(found.headers["location"], timeout=CALL_SECONDS).status_code == 200
        seen = httpx.get(f"{gateway.stack['zoom_url']}/_sim/families", timeout=CALL_SECONDS).json()["requests"]
        assert [each["bearer"] for each in seen if each["path"] == "/storage/42"] == [False]

    def test_a_change_is_sent_once(self, caller: httpx.Client, gateway: Any) -> None:
        """A fault of Zoom's is handed on; a read is repeated."""
        zoom = gateway.stack["zoom_url"]

        def count() -> int:
            seen = httpx.get(f"{zoom}/_sim/families", timeout=CALL_SECONDS).json()["requests"]
            return sum(each["path"] == "/v2/rooms/once" for each in seen)

        fault = {"fault": "500", "target": "families.rooms", "count": 1}
        for method, status, sent in (("POST", 500, 1), ("GET", 200, 2)):
            httpx.post(f"{zoom}/_sim/faults", json=fault, timeout=CALL_SECONDS).raise_for_status()
            before = count()
            assert caller.request(method, "/v2/rooms/once").status_code == status
            assert count() - before == sent

    def test_credentials_and_paths_below_rows(self, caller: httpx.Client) -> None:
        """A path of credentials is denied; a path below a row's is passed on by the function that has the row."""
        denied = caller.get("/v2/phone/%7Aak")
        assert (denied.status_code, denied.json()["reason"]) == (403, "credentials_not_served")
        unknown = caller.get("/v2/meetings/1/no/such/thing")
        assert (unknown.status_code, unknown.json()["code"]) == (400, 2300)  # Zoom's own answer


def test_what_zoom_dropped_and_what_overlaps_is_said(gateway: Any) -> None:
    """Two creates at the same time, with a setting at the wrong level and an offset that Zoom would ignore."""
    stack = gateway.stack
    zoom = httpx.Client(base_url=f"{stack['zoom_url']}/_sim", timeout=CALL_SECONDS)
    with zoom, Story(stack) as story:
        headers = {"X-Zoom-Connection": story.connect()}
        zoom.patch("/behaviour", json={"start_time_offset": "ignore"}).raise_for_status()
        try:
            body = {"type": 2, "start_time": "2033-01-07T10:00:00+01:00", "duration": 30, "auto_recording": "cloud"}
            first, second = (story.program.post("/v2/users/me/meetings", json=body, headers=headers) for _ in range(2))
        finally:
            zoom.patch("/behaviour", json={"start_time_offset": "honour"}).raise_for_status()
    assert [each.status_code for each in (first, second)] == [201, 201]
    assert first.headers["x-gateway-not-applied"] == "auto_recording"
    assert first.json()["start_time"] == "2033-01-07T09:00:00Z"
    assert "x-gateway-overlaps" not in first.headers
    assert second.headers["x-gateway-overlaps"] == str(first.json()["id"])
