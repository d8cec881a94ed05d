"""Puts reconstructed deliveries on the ingest queue, where every delivery goes.

https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html : up to ten messages and
1 MiB a request, and each succeeds or fails by itself in an answer that is a success either way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from zoom_common.aws.errors import translated
from zoom_common.errors import Unavailable
from zoom_common.events.ingest_message import Delivery

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# Ten bodies of participants are small; a recording's can be large and goes alone.
_AT_ONCE = 10
_LARGE = 90_000
_AWAY = "ingest_queue"


class IngestQueue:
    """The ingest queue, for those who may be slow."""

    def __init__(self, queue_url: str, client: SQSClient) -> None:
        self._queue_url = queue_url
        self._client = client

    def send(self, deliveries: Sequence[Delivery]) -> None:
        """Return once all are stored. Raises Unavailable; sending all of them again is safe."""
        small = [each for each in deliveries if len(each.body) < _LARGE]
        for start in range(0, len(small), _AT_ONCE):
            self._put(small[start : start + _AT_ONCE])
        for large in (each for each in deliveries if len(each.body) >= _LARGE):
            self._put([large])

    def _put(self, deliveries: Sequence[Delivery]) -> None:
        entries = [{"Id": str(at), **each.to_message()} for at, each in enumerate(deliveries)]
        with translated(_AWAY):
            answer = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries)  # type: ignore[arg-type]
        if answer.get("Failed"):
            raise Unavailable(reason=_AWAY)
