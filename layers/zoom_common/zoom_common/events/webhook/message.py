"""A delivery on its way from the webhook to the processor, as an SQS message. Standard library only."""

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
_LARGEST_MESSAGE = 1024 * 1024 - 4096  # one MiB, less room for the attributes
# SQS accepts the characters of XML 1.0 and refuses a message with any other. A character class for all of Unicode would
# take half of a start to compile. Text decoded from UTF-8 holds no surrogates.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
_NO_CHARACTERS = ("\ufffe", "\uffff")
_REQUEST_ID = re.compile(r"[\w.=;-]{1,128}", re.ASCII)


class TooLarge(Exception):
    """The body is too large for a message."""


class ForeignMessage(Exception):
    """The message was not written by the webhook."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A verified delivery. `app` is the client id whose secret verified it. `request_id` is unsigned, for tracing."""

    app: str
    body: bytes = field(repr=False)
    received_at_ms: int
    request_id: str = ""
    reconciled: bool = False
    """Whether the gateway made it from Zoom's reports, because Zoom's own delivery did not arrive."""
    key: str = ""
    """The dedupe key of an event whose secrets have been removed since; otherwise the key is computed."""

    def to_message(self) -> dict[str, Any]:
        """Return `MessageBody` and `MessageAttributes` for SendMessage. Raises TooLarge."""
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
        """Return the delivery in one record of a Lambda's SQS event. Raises ForeignMessage."""
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
