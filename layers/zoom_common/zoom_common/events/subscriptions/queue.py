"""Two kinds of queues: the one that wakes workers, and queues of subscribers that deliveries are sent to."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import batched
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from zoom_common.aws.errors import code_of, is_transient, translated

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_AWAY = "subscription_queue_unavailable"
_LARGEST_BATCH = 10
_LONGEST_DELAY = 900
_QUEUE = re.compile(r"https://sqs\.([a-z0-9-]{4,30})\.(amazonaws\.com(?:\.cn)?)/([0-9]{12})/([A-Za-z0-9_-]{1,80})")
_LOCAL_QUEUE = re.compile(r"http://[a-z0-9.:-]{1,100}/([0-9]{12})/([A-Za-z0-9_-]{1,80})")


class WakeQueue:
    """Tells workers which subscriptions have something to do. What is not told, the next sweep finds.

    `MessageGroupId` makes a standard queue fair: a tenant with many subscriptions does not keep others waiting.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
    """

    def __init__(self, sqs: SQSClient, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def send(self, subscriptions: Sequence[tuple[str, str]], *, delay: float = 0) -> None:
        """Wake (tenant, subscription id) pairs after `delay` seconds. Raises Unavailable."""
        for some in batched(subscriptions, _LARGEST_BATCH, strict=False):
            entries: Any = [
                {
                    "Id": str(at),
                    "MessageBody": json.dumps({"tenant": tenant, "subscription_id": subscription_id}),
                    "DelaySeconds": min(_LONGEST_DELAY, round(delay)),
                    "MessageGroupId": tenant,
                }
                for at, (tenant, subscription_id) in enumerate(some)
            ]
            with translated(_AWAY):
                self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)

    def return_at_once(self, receipt_handle: str) -> None:
        """Let a message come again at once, after the function has returned it as failed. Raises Unavailable."""
        with translated(_AWAY):
            self._sqs.change_message_visibility(QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=0)


def read_wake(body: str) -> tuple[str, str]:
    """Return tenant and subscription id of a message. Raises KeyError, TypeError or ValueError for other messages."""
    message: Mapping[str, Any] = json.loads(body)
    return str(message["tenant"]), str(message["subscription_id"])


def queue_region(url: str, *, local: bool = False) -> str | None:
    """Return the region of a standard queue's URL, an empty text for a local one; None when it is no such URL."""
    found = _QUEUE.fullmatch(url)
    if found:
        return found[1]
    return "" if local and _LOCAL_QUEUE.fullmatch(url) else None


class TargetQueues:
    """Queues of subscribers. `client` makes a client for a region (empty: the stack's own)."""

    def __init__(self, client: Callable[[str], SQSClient], *, local: bool = False) -> None:
        self._client = client
        self._local = local

    def put(self, url: str, message_id: str, body: bytes) -> str | None:
        """Send one message. Return None, or the word for why the queue did not take it.

        The role of this stack may send to queues of other accounts, and in its own account to none: there, only the
        queue's own policy lets it.
        https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html
        """
        region = queue_region(url, local=self._local)
        if region is None:
            return "refused_address"
        attributes: Any = {"webhook-id": {"DataType": "String", "StringValue": message_id}}
        try:
            self._client(region).send_message(QueueUrl=url, MessageBody=body.decode(), MessageAttributes=attributes)
        except (BotoCoreError, ClientError) as error:
            if is_transient(error):
                return "connect_failed"
            denied = "Denied" in code_of(error) or "NonExistent" in code_of(error) or "NotExist" in code_of(error)
            return "queue_refused" if denied else "queue_error"
        return None
