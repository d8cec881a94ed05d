"""One delivery on its way from the webhook to the processor, as an SQS message. Standard library only."""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Mapping

from zoom_common.values import dataclass, field

TYPE_CHECKING = False  # without importing `typing`
if TYPE_CHECKING:
    from typing import Any

LARGEST_BODY = 900 * 1024
_LARGEST_MESSAGE = 1024 * 1024 - 4096  # one MiB, with room for the attributes
# SQS takes the characters of XML 1.0 and refuses a message for any other. A class that spans all of Unicode would be
# compiled for as long as half of a start takes; what is decoded from UTF-8 holds no surrogates.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_NO_CHARACTERS = ("\ufffe", "\uffff")
_REQUEST_ID = re.compile(r"[\w.=;-]{1,128}", re.ASCII)


class TooLarge(Exception):
    """No message can hold this body."""


class ForeignMessage(Exception):
    """A message on the queue that the webhook did not write."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A verified delivery. `app` is the client id whose secret verified it; `request_id` is unsigned, for tracing."""

    app: str
    body: bytes = field(repr=False)
    received_at_ms: int
    request_id: str = ""
    reconciled: bool = False
    """Whether we made it from what Zoom reports, because Zoom's own did not come."""
    key: str = ""
    """The dedupe key it was first seen with, where its secrets have been taken out since; else it is made anew."""

    def to_message(self) -> dict[str, Any]:
        """`MessageBody` and `MessageAttributes` of SendMessage. Raises TooLarge."""
        encoding, text = _encode(self.body)
        attributes = {"app": self.app, "encoding": encoding}
        if _REQUEST_ID.fullmatch(self.request_id):
            attributes["request_id"] = self.request_id
        if self.reconciled:
            attributes["reconciled"] = "true"
        if self.key:
            attributes["key"] = self.key
        typed = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        typed["received_at"] = {"DataType": "Number", "StringValue": str(self.received_at_ms)}
        return {"MessageBody": text, "MessageAttributes": typed}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Delivery:
        """The delivery in one record of a Lambda's SQS event. Raises ForeignMessage."""
        try:
            attributes = {name: str(item["stringValue"]) for name, item in record["messageAttributes"].items()}
            return cls(
                app=attributes["app"],
                body=_decode(attributes["encoding"], record["body"]),
                received_at_ms=int(attributes["received_at"]),
                request_id=attributes.get("request_id", ""),
                reconciled=attributes.get("reconciled") == "true",
                key=attributes.get("key", ""),
            )
        except (KeyError, TypeError, ValueError, AttributeError, zlib.error) as error:
            raise ForeignMessage(type(error).__name__) from None


def _encode(body: bytes) -> tuple[str, str]:
    if not body:
        return "empty", "-"  # SQS has no empty messages
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = ""
    if text and not _CONTROL.search(text) and not any(each in text for each in _NO_CHARACTERS):
        return "text", text
    for encoding, packed in (("base64", body), ("zlib+base64", zlib.compress(body))):
        encoded = base64.b64encode(packed).decode()
        if len(encoded) <= _LARGEST_MESSAGE:
            return encoding, encoded
    raise TooLarge


def _decode(encoding: str, text: str) -> bytes:
    match encoding:
        case "text":
            return text.encode()
        case "empty":
            return b""
        case "base64":
            return base64.b64decode(text, validate=True)
        case "zlib+base64":
            return zlib.decompress(base64.b64decode(text, validate=True))
    raise binascii.Error("unknown encoding")
