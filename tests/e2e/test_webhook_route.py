"""Zoom's deliveries at the API's own address: the same function and the same checks as at the function URL."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from tests.e2e.test_operations import physical
from tests.fakes.events import zoom_headers
from tests.fakes.waiting import CALL_SECONDS

pytestmark = pytest.mark.e2e


def deliver(stack: dict[str, Any], body: bytes, headers: dict[str, str]) -> httpx.Response:
    """Send to the HTTP API itself, around the front door, which would take the function URL."""
    address = f"{stack['aws_endpoint_url']}/_aws/execute-api/{physical(stack, 'HttpApi')}/$default/webhooks/zoom"
    return httpx.post(address, content=body, headers=headers, timeout=CALL_SECONDS)


def signed(stack: dict[str, Any], body: bytes) -> dict[str, str]:
    return zoom_headers(body, secret=stack["webhook_secret"], at=time.time())


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/octet-stream"])
def test_a_signed_challenge_is_answered(stack: dict[str, Any], kind: str) -> None:
    """Over the raw bytes, whether the API passes them on as text or in base64."""
    note = '"note": "Zö\\u00fc \\/"'
    body = f'{{"event": "endpoint.url_validation",\n {note}, "payload": {{"plainToken": "Plain-Token_1"}} }}'.encode()
    answer = deliver(stack, body, signed(stack, body) | {"content-type": kind})
    assert answer.status_code == 200, answer.text
    assert answer.json()["plainToken"] == "Plain-Token_1"
    assert len(answer.json()["encryptedToken"]) == 64


def test_a_stranger_is_refused(stack: dict[str, Any]) -> None:
    """Requests without a signature, with another secret's, or with one for other bytes are refused."""
    body = b'{"event":"meeting.started"}'
    unsigned = {"content-type": "application/json"}
    for headers in (unsigned, zoom_headers(body, secret="another", at=time.time()), signed(stack, body + b" ")):
        assert deliver(stack, body, headers).status_code == 401
