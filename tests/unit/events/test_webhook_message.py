"""A delivery as an SQS message, and back."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.events import APP
from zoom_common.events.webhook.message import LARGEST_BODY, Delivery, ForeignMessage, TooLarge


def arrived(message: dict[str, Any]) -> dict[str, Any]:
    """The record Lambda makes of a message."""
    attributes = {
        name: {"dataType": value["DataType"], "stringValue": value["StringValue"]}
        for name, value in message["MessageAttributes"].items()
    }
    return {"messageId": "m", "body": message["MessageBody"], "messageAttributes": attributes}


def encoding(body: bytes) -> str:
    message = Delivery(APP, body, 1).to_message()
    text: str = message["MessageAttributes"]["encoding"]["StringValue"]
    return text


@given(body=st.binary(max_size=500) | st.text(max_size=200).map(lambda text: text.encode(errors="replace")))
def test_every_body_comes_back_to_the_byte(body: bytes) -> None:
    """And the message is one that SQS takes: not empty, and of XML's characters."""
    delivery = Delivery(APP, body, 1_790_000_000_000, "f8e7_b4a3")
    message = delivery.to_message()
    assert Delivery.from_record(arrived(message)) == delivery
    assert message["MessageBody"]
    assert not set(message["MessageBody"]) & {chr(code) for code in range(32)} - set("\t\n\r")


@given(
    text=st.text(
        st.characters() | st.sampled_from("\x00\x0b\x1f\x7f\ud7ff\ue000\ufffd\ufffe\uffff\U0010ffff"), min_size=1
    )
)
def test_text_is_what_xml_takes(text: str) -> None:
    """The production of XML 1.0, which SQS goes by, decides: https://www.w3.org/TR/xml/#charsets."""
    body = text.encode(errors="replace")
    xml = re.fullmatch("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*", body.decode())
    assert (encoding(body) == "text") == bool(xml)


def test_text_stays_readable() -> None:
    """An operator reads dead letters."""
    message = Delivery(APP, '{"topic":"é"}\r\n'.encode(), 1).to_message()
    assert message["MessageBody"] == '{"topic":"é"}\r\n'


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"{}", "text"),
        (b"", "empty"),
        (b"\xff", "base64"),
        (b"a\x00b", "base64"),
        (b"\xff" * LARGEST_BODY, "zlib+base64"),
    ],
)
def test_the_encoding_is_named(body: bytes, expected: str) -> None:
    """Text where SQS takes it, base64 elsewhere, deflated where it would not fit."""
    assert encoding(body) == expected


def test_the_largest_body_fits() -> None:
    """900 KiB of text, in whatever alphabet, and its attributes are within one MiB."""
    for letter in ("a", "é", "語", "🚒"):
        body = (letter * LARGEST_BODY).encode()[:LARGEST_BODY]
        body = body.decode(errors="ignore").encode()
        assert len(Delivery(APP, body, 1).to_message()["MessageBody"].encode()) <= LARGEST_BODY


def test_what_no_message_holds_is_refused() -> None:
    """Random bytes of full size cannot be made to fit."""
    with pytest.raises(TooLarge):
        Delivery(APP, b"\xff" + os.urandom(LARGEST_BODY - 1), 1).to_message()


@pytest.mark.parametrize("request_id", ["", "a" * 129, "a b", "é", "a\n"])
def test_an_odd_request_id_is_left_out(request_id: str) -> None:
    """It is not signed, and no attribute may be empty."""
    assert "request_id" not in Delivery(APP, b"{}", 1, request_id).to_message()["MessageAttributes"]


@pytest.mark.parametrize(
    "change",
    [
        {"messageAttributes": {}},
        {"messageAttributes": None},
        {"body": "not base64"},
        {"messageAttributes": {"app": {"stringValue": "a"}, "encoding": {"stringValue": "zlib+base64"}}},
    ],
)
def test_a_foreign_message_is_recognized(change: dict[str, Any]) -> None:
    """Whatever else is put on the queue ends as one error, without its content."""
    record = arrived(Delivery(APP, b"\xff", 1).to_message())
    with pytest.raises(ForeignMessage):
        Delivery.from_record({**record, **change})


def test_an_unknown_encoding_is_foreign() -> None:
    """A message of a later version is not guessed at."""
    record = arrived(Delivery(APP, b"{}", 1).to_message())
    record["messageAttributes"]["encoding"]["stringValue"] = "brotli"
    with pytest.raises(ForeignMessage):
        Delivery.from_record(record)
