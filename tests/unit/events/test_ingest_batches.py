"""How many deliveries go to the ingest queue at once: SQS takes ten messages and one MiB in a batch.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html
"""

from __future__ import annotations

from typing import Any

import pytest

from zoom_common.errors import Unavailable
from zoom_common.events.reconciliation.unrouted_replay import IngestQueue
from zoom_common.events.webhook.message import Delivery

MEBIBYTE = 1024 * 1024
SMALL = 89_999


class Queue:
    """Keep each batch; refuse the messages of one batch when told to."""

    def __init__(self, *, refusing: int | None = None) -> None:
        self.batches: list[list[dict[str, Any]]] = []
        self._refusing = refusing

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        del QueueUrl
        self.batches.append(Entries)
        return {"Failed": [{"Id": "0"}]} if len(self.batches) - 1 == self._refusing else {}


def delivery(letters: int) -> Delivery:
    """Return a delivery of so many bytes."""
    return Delivery(app="App", body=b"x" * letters, received_at_ms=1_790_000_000_000, request_id="r" * 128)


def size(batch: list[dict[str, Any]]) -> int:
    """Return what SQS counts: bodies, and names, types and values of attributes."""
    attributes = [(name, value) for each in batch for name, value in each["MessageAttributes"].items()]
    texts = [name + value["DataType"] + value["StringValue"] for name, value in attributes]
    return sum(len(each["MessageBody"].encode()) for each in batch) + sum(map(len, texts))


def sent(queue: Queue, *letters: int) -> None:
    """Send deliveries of these lengths."""
    client: Any = queue
    IngestQueue("https://queue.example", client).send([delivery(each) for each in letters])


def test_ten_small_deliveries_fill_a_batch_that_sqs_takes() -> None:
    """The eleventh is in the next one; the ids within a batch differ."""
    queue = Queue()
    sent(queue, *[SMALL] * 11)
    assert [len(batch) for batch in queue.batches] == [10, 1]
    assert all(size(batch) <= MEBIBYTE for batch in queue.batches)
    assert len({each["Id"] for each in queue.batches[0]}) == 10


def test_a_large_delivery_goes_alone() -> None:
    """A large delivery is sent alone, also between small ones."""
    queue = Queue()
    sent(queue, 5, SMALL + 1, 6, 900_000)
    assert [[len(each["MessageBody"]) for each in batch] for batch in queue.batches] == [[5, 6], [SMALL + 1], [900_000]]
    assert all(size(batch) <= MEBIBYTE for batch in queue.batches)


@pytest.mark.parametrize("refusing", [0, 1, 2])
def test_a_batch_that_is_not_stored_whole_is_unavailable(refusing: int) -> None:
    """Whichever batch it is, the first in the middle included; the caller sends all of them again."""
    with pytest.raises(Unavailable):
        sent(Queue(refusing=refusing), *[5] * 11, SMALL + 1)


def test_nothing_is_sent_for_nothing() -> None:
    """SQS refuses an empty batch."""
    queue = Queue()
    sent(queue)
    assert queue.batches == []
