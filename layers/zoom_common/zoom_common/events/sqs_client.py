"""Puts verified deliveries on the ingest queue. Standard library only."""

from __future__ import annotations

from collections.abc import Mapping

from zoom_common.aws_api.https_client import origin
from zoom_common.deadline import Deadline
from zoom_common.errors import Unavailable
from zoom_common.events.aws_json_client import AwsCallFailed, AwsJsonClient
from zoom_common.events.ingest_message import Delivery

TYPE_CHECKING = False  # without importing `typing`
if TYPE_CHECKING:
    from typing import Protocol

    class IngestQueue(Protocol):
        """Where a verified delivery is safe."""

        def send(self, delivery: Delivery, deadline: Deadline) -> None:
            """Return once the delivery is stored. Raises Unavailable, or TooLarge for what no queue will take."""
            ...


class SqsIngestQueue:
    """The ingest queue. A delivery may be stored twice when an answer is lost; the processor's dedupe absorbs that."""

    def __init__(self, queue_url: str, client: AwsJsonClient) -> None:
        self._queue_url = queue_url
        self._client = client

    def send(self, delivery: Delivery, deadline: Deadline) -> None:
        """Return once SQS has the message. Raises Unavailable or TooLarge."""
        message = delivery.to_message()
        try:
            answer = self._client.call("AmazonSQS.SendMessage", {"QueueUrl": self._queue_url, **message}, deadline)
        except AwsCallFailed as failure:
            raise Unavailable(reason=f"ingest_queue_{failure.reason}") from None
        if not answer.get("MessageId"):
            raise Unavailable(reason="ingest_queue_no_message_id")


def sqs_endpoint(environ: Mapping[str, str], queue_url: str) -> str:
    """Where SendMessage goes: AWS's standard overrides first, else the queue's own host."""
    override = environ.get("AWS_ENDPOINT_URL_SQS") or environ.get("AWS_ENDPOINT_URL")
    return origin(override or queue_url)
