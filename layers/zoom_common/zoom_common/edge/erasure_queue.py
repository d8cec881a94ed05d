"""Erasures that go on elsewhere, or later: a job as a message. It names the person, and nothing else of ours does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zoom_common.aws.errors import translated
from zoom_common.edge.erasure import Job, Stage
from zoom_common.edge.erasure_match import Wanted

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

ERASE = "erase"
_LONGEST_DELAY = 900


class ErasureQueue:
    """The queue of the function `erasures`."""

    def __init__(self, sqs: SQSClient, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def send(self, job: Job, *, delay: int = 0) -> None:
        """Have `job` done, `delay` seconds from now at the earliest. Raises Unavailable."""
        with translated("erasure_queue_unavailable"):
            self._sqs.send_message(
                QueueUrl=self._url, MessageBody=json.dumps(to_message(job)), DelaySeconds=min(delay, _LONGEST_DELAY)
            )


def to_message(job: Job) -> dict[str, Any]:
    """The job; what was found for it is in its record."""
    wanted = job.wanted
    return {
        "action": ERASE,
        "tenant": wanted.tenant,
        "zoom_user_id": wanted.zoom_user_id,
        "email": wanted.email,
        "stage": str(job.stage),
        "after": list(job.after) if job.after is not None else None,
        "keep_key": job.keep_key,
        "again": job.again,
    }


def from_message(message: Mapping[str, Any]) -> Job:
    """The job in a message. Raises KeyError, TypeError or ValueError when it is none."""
    if message["action"] != ERASE:
        raise ValueError("a message of no known action")
    wanted = Wanted(tenant=message["tenant"], zoom_user_id=message["zoom_user_id"], email=message["email"])
    after = message["after"]
    return Job(
        wanted=wanted,
        stage=Stage(message["stage"]),
        after=(str(after[0]), str(after[1])) if after is not None else None,
        keep_key=message["keep_key"],
        again=bool(message["again"]),
    )
