"""The messages of erasures under way. A message names the person; the record of the erasure holds the progress.

An unfinished message returns to its queue and is not sent again: Lambda stops a function after about 16 rounds of
messages that it sends to its own queue, and does not count messages that return.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoom_common.aws.errors import translated
from zoom_common.erasure.records import erasure_id
from zoom_common.erasure_target import ErasureTarget

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

ERASE = "erase"
_LONGEST_HIDDEN = 43_200  # SQS allows twelve hours
_AWAY = "erasure_queue_unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One request for an erasure. `keep_key` is the API key that asked. It may still read its tenant's receipt."""

    target: ErasureTarget
    keep_key: str | None = None
    run: int = 0

    @property
    def erasure_id(self) -> str:
        """The id of the erasure."""
        return id_of(self.target)


def id_of(target: ErasureTarget) -> str:
    """Return the id of the erasure of `target`, as it was requested."""
    person = None if target.whole_tenant else next(iter(target.zoom_user_ids), target.email)
    return erasure_id(target.tenant, person)


class ErasureQueue:
    """The queue of the function `erasures`. Methods raise Unavailable."""

    def __init__(self, sqs: SQSClient, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def send(self, job: Job) -> None:
        """Queue a job."""
        with translated(_AWAY):
            self._sqs.send_message(QueueUrl=self._url, MessageBody=json.dumps(to_message(job)))

    def return_after(self, receipt_handle: str, seconds: float) -> None:
        """Let a message come again in `seconds`, after the function has returned it as failed.

        https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ChangeMessageVisibility.html
        """
        hidden = min(_LONGEST_HIDDEN, max(0, round(seconds)))
        with translated(_AWAY):
            self._sqs.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=hidden
            )


def to_message(job: Job) -> dict[str, Any]:
    """Return the job as a message."""
    return {
        "action": ERASE,
        "tenant": job.target.tenant,
        "whole_tenant": job.target.whole_tenant,
        "zoom_user_id": next(iter(job.target.zoom_user_ids), None),
        "email": job.target.email,
        "keep_key": job.keep_key,
        "run": job.run,
    }


def from_message(message: Mapping[str, Any]) -> Job:
    """Return the job in a message. Raises KeyError, TypeError or ValueError for other messages.

    A message without `whole_tenant` is of an earlier version. It names nobody when the whole tenant was meant.
    """
    if message["action"] != ERASE:
        raise ValueError("a message of no known action")
    user, email = message["zoom_user_id"], message["email"]
    target = ErasureTarget(
        tenant=message["tenant"],
        whole_tenant=message.get("whole_tenant", user is None and email is None),
        zoom_user_ids=frozenset() if user is None else frozenset({user}),
        email=None if email is None else email.casefold(),
    )
    return Job(target=target, keep_key=message["keep_key"], run=int(message.get("run", 0)))
