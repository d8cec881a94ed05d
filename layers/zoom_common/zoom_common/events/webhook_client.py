"""The webhook's own clients: its queue in SQS, its secrets in Secrets Manager. Standard library only."""

from __future__ import annotations

from zoom_common.aws.json_client import AwsCallFailed, AwsJsonClient
from zoom_common.deadline import Deadline
from zoom_common.errors import Unavailable
from zoom_common.events.ingest_message import Delivery
from zoom_common.secret import Secret

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


class SecretReader:
    """The current version of the secret `arn`."""

    def __init__(self, arn: str, client: AwsJsonClient) -> None:
        self._arn = arn
        self._client = client

    def read(self, deadline: Deadline) -> Secret:
        """The secret's text. Raises Unavailable."""
        try:
            answer = self._client.call("secretsmanager.GetSecretValue", {"SecretId": self._arn}, deadline)
        except AwsCallFailed as failure:
            raise Unavailable(reason=f"webhook_secrets_{failure.reason}") from None
        text = answer.get("SecretString")
        if not isinstance(text, str):
            raise Unavailable(reason="webhook_secrets_not_text")
        return Secret(text)
