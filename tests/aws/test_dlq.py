"""Dead letters: listed, moved back and discarded, and nothing without being told twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from ops import dlq
from ops.key_table import NoStack
from zoom_common.console.dead_letters import QUEUES


class Stack:
    """A stack that is nothing but queues."""

    def __init__(self) -> None:
        self.sqs = boto3.client("sqs", region_name="eu-central-1")
        names = [name for pair in QUEUES.values() for name in pair]
        self.urls = {name: self.sqs.create_queue(QueueName=name)["QueueUrl"] for name in names}

    def client(self, _: str) -> Any:
        return self.sqs

    def resource(self, name: str) -> str:
        return self.urls[name]

    def has(self, name: str) -> bool:
        return name in self.urls

    def put(self, body: str, **attributes: str) -> str:
        typed: Any = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
        url = self.urls["IngestDeadLetterQueue"]
        return self.sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=typed)["MessageId"]

    def waiting(self, name: str) -> list[Any]:
        answer = self.sqs.receive_message(
            QueueUrl=self.urls[name], MaxNumberOfMessages=10, VisibilityTimeout=0, MessageAttributeNames=["All"]
        )
        return answer.get("Messages", [])


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stack]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        queues = Stack()
        monkeypatch.setattr(dlq, "deployed", lambda _: queues)
        yield queues


BODY = json.dumps({"event": "meeting.started", "event_ts": 7, "payload": {"object": {"topic": "private"}}})


def test_the_list_shows_what_without_content(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """Names, ids and times; bodies are for `show`."""
    name = stack.put(BODY, app="App", encoding="text")
    assert dlq.main(["list"]) == 0
    shown = capsys.readouterr().out
    assert "ingest: 1" in shown
    assert name in shown
    assert '"event": "meeting.started"' in shown
    assert "private" not in shown
    assert dlq.main(["show", "ingest", name]) == 0
    assert "private" in capsys.readouterr().out


def test_nothing_happens_without_yes(stack: Stack) -> None:
    """A dry run leaves every message where it is, and visible at once."""
    stack.put(BODY)
    assert dlq.main(["redrive", "ingest", "all"]) == 0
    assert dlq.main(["discard", "ingest", "all", "--reason", "a test"]) == 0
    assert len(stack.waiting("IngestDeadLetterQueue")) == 1
    assert stack.waiting("IngestQueue") == []


def test_one_is_redriven_as_it_was(stack: Stack) -> None:
    """Body and attributes; its neighbours stay."""
    name = stack.put(BODY, app="App", encoding="text")
    stack.put("other")
    assert dlq.main(["redrive", "ingest", name, "--yes"]) == 0
    (again,) = stack.waiting("IngestQueue")
    assert again["Body"] == BODY
    assert again["MessageAttributes"]["app"]["StringValue"] == "App"
    assert [each["Body"] for each in stack.waiting("IngestDeadLetterQueue")] == ["other"]


def test_all_are_redriven(stack: Stack) -> None:
    """However many pages that takes."""
    for number in range(25):
        stack.put(str(number))
    assert dlq.main(["redrive", "ingest", "all", "--yes"]) == 0
    assert stack.waiting("IngestDeadLetterQueue") == []
    count = stack.sqs.get_queue_attributes(
        QueueUrl=stack.urls["IngestQueue"], AttributeNames=["ApproximateNumberOfMessages"]
    )["Attributes"]["ApproximateNumberOfMessages"]
    assert count == "25"


def test_discarding_takes_a_reason_and_leaves_a_record(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a reason it is refused."""
    name = stack.put(BODY)
    with pytest.raises(SystemExit):
        dlq.main(["discard", "ingest", name, "--yes"])
    assert dlq.main(["discard", "ingest", name, "--reason", "forged in a test", "--yes"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert (record["id"], record["discarded"], record["reason"]) == (name, True, "forged in a test")
    assert stack.waiting("IngestDeadLetterQueue") == []


def test_what_is_not_there_is_said(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong id and an unknown stack are named in the message."""
    stack.put(BODY)
    assert dlq.main(["redrive", "ingest", "no-such-id", "--yes"]) == 1

    def nowhere(_: object) -> None:
        raise NoStack("nothing here")

    monkeypatch.setattr(dlq, "deployed", nowhere)
    assert dlq.main(["list"]) == 1
