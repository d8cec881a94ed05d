"""Messages of the ingest queue in every encoding, read back, and such that the webhook did not write."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import pytest

from zoom_common.events.webhook.message import LARGEST_BODY, Delivery, ForeignMessage

PACKED = base64.b64encode(zlib.compress(b"\xff" * 50)).decode()


def record(encoding: str, body: str) -> dict[str, Any]:
    """Return a record of Lambda's SQS event."""
    attributes = {"app": "App", "encoding": encoding, "received_at": "1790000000123"}
    return {"body": body, "messageAttributes": {name: {"stringValue": value} for name, value in attributes.items()}}


@pytest.mark.parametrize(
    ("encoding", "text", "body"),
    [
        ("text", "{}", b"{}"),
        ("text", "ü", "ü".encode()),
        ("empty", "-", b""),
        ("base64", "/w==", b"\xff"),
        ("zlib+base64", PACKED, b"\xff" * 50),
    ],
)
def test_each_encoding_is_read(encoding: str, text: str, body: bytes) -> None:
    """The delivery has exactly the bytes that Zoom signed."""
    found = Delivery.from_record(record(encoding, text))
    assert (found.body, found.app, found.received_at_ms) == (body, "App", 1_790_000_000_123)
    assert (found.request_id, found.reconciled, found.key) == ("", False, "")


def test_a_deflated_delivery_is_read_back() -> None:
    """The largest body that is no text, with everything that goes with it."""
    sent = Delivery("App", b"\xff" * LARGEST_BODY, 1, "request-1", reconciled=True, key="natural:1")
    message = sent.to_message()
    attributes = {n: {"stringValue": each["StringValue"]} for n, each in message["MessageAttributes"].items()}
    assert attributes["encoding"] == {"stringValue": "zlib+base64"}
    assert Delivery.from_record({"body": message["MessageBody"], "messageAttributes": attributes}) == sent


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("base64", "/w==!"),
        ("base64", "/w"),
        ("base64", "ü"),
        ("zlib+base64", PACKED + "!"),
        ("zlib+base64", "/w=="),
        ("zlib+base64", PACKED[:-8]),
        ("", "{}"),
        ("Text", "{}"),
    ],
)
def test_what_is_not_exactly_an_encoding_is_foreign(encoding: str, body: str) -> None:
    """Nothing is guessed or passed over; the error has the kind of the fault and no content."""
    with pytest.raises(ForeignMessage) as caught:
        Delivery.from_record(record(encoding, body))
    assert str(caught.value) in {"Error", "error", "ValueError"}
