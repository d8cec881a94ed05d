"""The webhook's own calls to SQS, Secrets Manager and DynamoDB. Standard library only."""

from __future__ import annotations

from collections.abc import Callable

from zoom_common.aws.json_client import AwsCallFailed, AwsJsonClient
from zoom_common.deadline import Deadline
from zoom_common.errors import Unavailable
from zoom_common.events.webhook.message import Delivery
from zoom_common.secret import Secret

TYPE_CHECKING = False  # without importing `typing`

if TYPE_CHECKING:
    from typing import Any, Protocol

    class IngestQueue(Protocol):
        """Stores verified deliveries."""

        def send(self, delivery: Delivery, deadline: Deadline) -> None:
            """Return when the delivery is stored. Raises Unavailable, or TooLarge for a body that no queue accepts."""
            ...


class SqsIngestQueue:
    """The ingest queue. A delivery may be stored twice when an answer is lost; the processor deduplicates it."""

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
    """Reads the current version of the secret `arn`."""

    def __init__(self, arn: str, client: AwsJsonClient) -> None:
        self._arn = arn
        self._client = client

    def read(self, deadline: Deadline) -> Secret:
        """Return the secret's text. Raises Unavailable."""
        try:
            answer = self._client.call("secretsmanager.GetSecretValue", {"SecretId": self._arn}, deadline)
        except AwsCallFailed as failure:
            raise Unavailable(reason=f"webhook_secrets_{failure.reason}") from None
        text = answer.get("SecretString")
        if not isinstance(text, str):
            raise Unavailable(reason="webhook_secrets_not_text")
        return Secret(text)


STATUS = "heartbeat#webhook"

ENDPOINT = "endpoint"

CHALLENGED = "challenged_at"

_KEPT = 120 * 86_400

# The caller waits for the answer, so a note that takes longer is given up.
_SECONDS = 0.6

_PAUSE = 60.0


def app_status_key(app: str) -> str:
    """Return the sort key of the status of one Zoom app."""
    return f"app#{app}"


def rejected_at(reason: str) -> str:
    """Return the attribute with the time when a delivery was last refused for `reason`."""
    return f"rejected_{reason}_at"


class StatusWriter:
    """Writes at most one note of a kind per minute and container, so that forged requests do not cause many writes."""

    def __init__(self, table: str, client: AwsJsonClient, *, clock: Callable[[], float]) -> None:
        self._table = table
        self._client = client
        self._clock = clock
        self._tried: dict[tuple[str, str], float] = {}

    def note(self, of: str, what: str, deadline: Deadline) -> None:
        """Store that `what` happened now. Never raises, because the answer to Zoom does not depend on it."""
        now = self._clock()
        if now - self._tried.get((of, what), float("-inf")) < _PAUSE:
            return
        self._tried[of, what] = now
        try:
            self._client.call("DynamoDB_20120810.UpdateItem", self._update(of, what, now), _soon(deadline))
        except AwsCallFailed:
            return

    def _update(self, of: str, what: str, now: float) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "Key": {"pk": {"S": STATUS}, "sk": {"S": of}},
            "UpdateExpression": "SET #what = :now, expires_at = :end",
            "ExpressionAttributeNames": {"#what": what},
            "ExpressionAttributeValues": {":now": {"N": f"{now:.0f}"}, ":end": {"N": f"{now + _KEPT:.0f}"}},
        }


def _soon(deadline: Deadline) -> Deadline:
    return Deadline(min(deadline.at, deadline.clock() + _SECONDS), deadline.clock)
