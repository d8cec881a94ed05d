"""The messages of one dead-letter queue: list, move back to the queue, discard."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Self

from zoom_common.connections.labels import without_addresses

# Dead-letter queues by the queue they belong to. All are resources of the template; some exist only with an option.
QUEUES = {
    "ingest": ("IngestQueue", "IngestDeadLetterQueue"),
    "integration-events": ("IntegrationEventsQueue", "IntegrationEventsDeadLetterQueue"),
    "refresh": ("RefreshQueue", "RefreshDeadLetterQueue"),
    "escrow": ("EscrowQueue", "EscrowDeadLetterQueue"),
    "reconcile": ("ReconcileQueue", "ReconcileDeadLetterQueue"),
    "erasure": ("ErasureQueue", "ErasureDeadLetterQueue"),
    "delivery": ("DeliveryQueue", "DeliveryDeadLetterQueue"),
    "redelivery": ("RedeliveryQueue", "RedeliveryDeadLetterQueue"),
    "archive-events": ("ArchiveEventsQueue", "ArchiveEventsDeadLetterQueue"),
    "archive": ("ArchiveQueue", "ArchiveDeadLetterQueue"),
}
# While a command runs, the messages it has received are hidden from others. Afterwards they are visible at once.
_LOOKING_SECONDS = 120
_EMPTY_ANSWERS = 3


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message. `about` is what may be shown: ids, names and times, without content."""

    id: str
    about: dict[str, Any]
    message: dict[str, Any] = field(repr=False)


class DeadLetters:
    """One dead-letter queue, with its messages held during the `with` block.

    Messages that stay are visible afterwards.
    """

    def __init__(self, sqs: Any, source_url: str, dead_url: str) -> None:
        self._sqs = sqs
        self._source = source_url
        self._dead = dead_url
        self._held: dict[str, DeadLetter] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for letter in self._held.values():
            handle = letter.message["ReceiptHandle"]
            self._sqs.change_message_visibility(QueueUrl=self._dead, ReceiptHandle=handle, VisibilityTimeout=0)

    def read(self) -> Iterator[DeadLetter]:
        """Yield every message once."""
        empty = 0
        while empty < _EMPTY_ANSWERS:
            answer = self._sqs.receive_message(
                QueueUrl=self._dead,
                MaxNumberOfMessages=10,
                VisibilityTimeout=_LOOKING_SECONDS,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
            messages = [each for each in answer.get("Messages", []) if each["MessageId"] not in self._held]
            empty = 0 if messages else empty + 1
            letters = [DeadLetter(each["MessageId"], _about(each), each) for each in messages]
            # All received messages are held, also when the caller stops at the first of them.
            self._held |= {letter.id: letter for letter in letters}
            yield from letters

    def redrive(self, letter: DeadLetter) -> None:
        """Send a message unchanged to its queue, then delete it here. A crash in between duplicates it."""
        attributes = letter.message.get("MessageAttributes")
        again = {"MessageAttributes": attributes} if attributes else {}
        self._sqs.send_message(QueueUrl=self._source, MessageBody=letter.message["Body"], **again)
        self.discard(letter)

    def discard(self, letter: DeadLetter) -> None:
        """Delete a message permanently."""
        self._sqs.delete_message(QueueUrl=self._dead, ReceiptHandle=letter.message["ReceiptHandle"])
        del self._held[letter.id]


def _about(message: dict[str, Any]) -> dict[str, Any]:
    attributes = message.get("MessageAttributes", {})
    about: dict[str, Any] = {"received": message.get("Attributes", {}).get("ApproximateReceiveCount")}
    about |= {name: attributes[name]["StringValue"] for name in ("app", "request_id") if name in attributes}
    try:
        body = json.loads(message["Body"])
    except ValueError:
        return about | {"body": "not JSON"}
    if isinstance(body, dict):
        shown = ("id", "type", "subject", "tenant", "event", "event_ts", "connection_id", "action")
        about |= {name: _plain(body[name]) for name in shown if isinstance(body.get(name), str | int)}
    return about


def _plain(value: str | int) -> str | int:
    return without_addresses(value) if isinstance(value, str) else value
