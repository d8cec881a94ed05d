"""Asks AWS and Zoom how they are, in the cheapest way that proves that we may use them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zoom_common.edge.deep_health import DEGRADED, FAILING, OK, Finding
from zoom_common.transport import AnswerLost, NotSent, Transport
from zoom_common.zoom.wire import HttpRequest

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_sqs import SQSClient


def key(kms: KMSClient, key_id: str) -> Finding:
    """Whether the key is enabled."""
    state = kms.describe_key(KeyId=key_id)["KeyMetadata"]["KeyState"]
    return Finding(OK if state == "Enabled" else FAILING, {"state": state})


def queue(sqs: SQSClient, url: str, *, dead_letters: bool) -> Finding:
    """How much is in a queue. Anything in a dead-letter queue wants somebody."""
    names = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    waiting = int(names["ApproximateNumberOfMessages"])
    return Finding(DEGRADED if dead_letters and waiting else OK, {"waiting": waiting})


def zoom(transport: Transport, base_url: str) -> Finding:
    """Whether Zoom answers at all; without a token it says 401, which costs nobody's quota."""
    try:
        answer = transport.send(HttpRequest("GET", f"{base_url}/users/me", {}, None), timeout=5.0)
    except (NotSent, AnswerLost):
        return Finding(DEGRADED, {"reason": "no_answer"})
    return Finding(DEGRADED if answer.status >= 500 else OK, {"answered": answer.status})  # noqa: PLR2004 - HTTP's own
