"""Putting a delivery on the queue."""

from __future__ import annotations

from typing import Any, cast

import pytest

from tests.fakes.events import APP, plenty
from zoom_common.aws.json_client import AwsCallFailed, AwsJsonClient
from zoom_common.errors import Unavailable
from zoom_common.events.webhook.client import SqsIngestQueue
from zoom_common.events.webhook.message import Delivery

URL = "https://sqs.eu-central-1.amazonaws.com/123456789012/ingest"


class Client:
    def __init__(self, answer: dict[str, Any] | AwsCallFailed) -> None:
        self.answer = answer
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def call(self, target: str, payload: dict[str, Any], deadline: object) -> dict[str, Any]:
        assert deadline
        self.calls.append((target, payload))
        if isinstance(self.answer, AwsCallFailed):
            raise self.answer
        return self.answer


def send(answer: dict[str, Any] | AwsCallFailed) -> Client:
    client = Client(answer)
    SqsIngestQueue(URL, cast("AwsJsonClient", client)).send(Delivery(APP, b"{}", 5, "r"), plenty())
    return client


def test_a_delivery_becomes_one_message() -> None:
    """Queue, body and attributes as SendMessage wants them."""
    ((target, payload),) = send({"MessageId": "1"}).calls
    assert target == "AmazonSQS.SendMessage"
    assert payload["QueueUrl"] == URL
    assert payload["MessageBody"] == "{}"
    assert payload["MessageAttributes"]["app"] == {"DataType": "String", "StringValue": APP}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [(AwsCallFailed("sqs", "unreachable"), "ingest_queue_unreachable"), ({}, "ingest_queue_no_message_id")],
)
def test_what_sqs_did_not_confirm_is_not_stored(answer: dict[str, Any] | AwsCallFailed, reason: str) -> None:
    """No message id, no success: Zoom has to be told to try again."""
    with pytest.raises(Unavailable) as caught:
        send(answer)
    assert caught.value.reason == reason
