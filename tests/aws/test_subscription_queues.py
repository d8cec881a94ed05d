"""The queue that wakes workers, and queues of subscribers, over moto."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.moto_account import moto_account
from zoom_common.aws import clients
from zoom_common.events.subscriptions.fanout import WakeQueue, read_wake
from zoom_common.events.subscriptions.target_client import TargetQueues, queue_region

pytestmark = pytest.mark.aws


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    with moto_account(monkeypatch):
        yield clients.boto3_client("sqs")


def received(sqs: Any, url: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sqs.receive_message(
        QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
    ).get("Messages", [])
    return found


def test_a_worker_is_woken_for_each_subscription(sqs: Any) -> None:
    """More than one batch of them; a message that is returned comes again at once."""
    url = sqs.create_queue(QueueName="wakes")["QueueUrl"]
    queue = WakeQueue(sqs, url)
    queue.send([("acme", f"sub_{number}") for number in range(12)])
    queue.send([])
    messages = received(sqs, url) + received(sqs, url)
    assert {read_wake(each["Body"]) for each in messages} == {("acme", f"sub_{number}") for number in range(12)}
    queue.return_after(messages[0]["ReceiptHandle"], 0.0)
    assert [each["Body"] for each in received(sqs, url)] == [messages[0]["Body"]]


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"tenant": "acme"}'])
def test_other_messages_wake_nobody(body: str) -> None:
    """They are nobody's of ours."""
    with pytest.raises((KeyError, TypeError, ValueError)):
        read_wake(body)


def test_an_event_goes_to_a_queue_of_somebody_else(sqs: Any) -> None:
    """With its id beside it; a queue that is not there is a refusal, and one of no such form is never asked."""
    url = sqs.create_queue(QueueName="theirs")["QueueUrl"]
    queues = TargetQueues(lambda _: sqs)
    assert queue_region(url) is not None
    assert queues.put(url, "evt_1", b'{"id":"evt_1"}') is None
    (message,) = received(sqs, url)
    assert json.loads(message["Body"]) == {"id": "evt_1"}
    assert message["MessageAttributes"]["webhook-id"]["StringValue"] == "evt_1"
    assert queues.put(url.replace("theirs", "gone"), "evt_1", b"{}") == "queue_refused"
    assert queues.put("http://127.0.0.1:4566/000000000000/q", "evt_1", b"{}") == "refused_address"
    assert queues.put("https://sqs.eu-west-1.example.com/123456789012/q", "evt_1", b"{}") == "refused_address"


@pytest.mark.parametrize(
    ("url", "region"),
    [
        ("https://sqs.eu-central-1.amazonaws.com/123456789012/q", "eu-central-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/123456789012/q", "cn-north-1"),
        ("https://sqs.eu-central-1.amazonaws.com.cn/123456789012/q", None),
        ("https://sqs.eu-central-1.amazonaws.com/123456789012/q.fifo", None),
        ("https://sqs.eu-central-1.amazonaws.com@evil.example.com/123456789012/q", None),
        ("https://sqs.eu-central-1.amazonaws.com/12345/q", None),
    ],
)
def test_a_queue_is_a_standard_queue_of_aws(url: str, region: str | None) -> None:
    """In whichever partition its region is."""
    assert queue_region(url) == region
