"""What belonged to nobody, tried again after its owner has connected."""

from __future__ import annotations

import argparse
import time
from typing import Any

import boto3
import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from local import apart
from tests.fakes.events import APP, Bus, Connection, Connections, Counts, Hosts, Projections, meeting, plenty, record
from zoom_common.events.log_store import EventLog
from zoom_common.events.processor import EventProcessor
from zoom_common.zoom.event_secrets import Redaction

pytestmark = pytest.mark.aws


class Stack:
    """An events table and an ingest queue."""

    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self.sqs = boto3.client("sqs", region_name="eu-central-1")
        self.names = {"EventsTable": table, "IngestQueue": self.sqs.create_queue(QueueName="ingest")["QueueUrl"]}
        self.dynamodb = dynamodb

    def client(self, service: str) -> Any:
        return {"sqs": self.sqs, "dynamodb": self.dynamodb}[service]

    def resource(self, name: str) -> str:
        return self.names[name]

    def waiting(self) -> list[dict[str, Any]]:
        """The queue's messages as a Lambda gets them."""
        url = self.names["IngestQueue"]
        answer: Any = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"])
        return [
            {
                "messageId": each["MessageId"],
                "body": each["Body"],
                "messageAttributes": {
                    name: {"stringValue": value["StringValue"]} for name, value in each["MessageAttributes"].items()
                },
            }
            for each in answer.get("Messages", [])
        ]


@pytest.fixture
def stack(dynamodb: DynamoDBClient, events_table: str, monkeypatch: pytest.MonkeyPatch) -> Stack:
    found = Stack(dynamodb, events_table)

    def deployed(_: argparse.Namespace) -> Stack:
        return found

    monkeypatch.setattr(apart, "deployed", deployed)
    return found


def test_what_has_an_owner_by_now_is_published_and_the_rest_stays(
    stack: Stack, dynamodb: DynamoDBClient, events_table: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing happens without --yes; twice does no more than once."""
    bus, counts, vault = Bus(), Counts(), Connections()
    processor = EventProcessor(
        log=EventLog(events_table, dynamodb, clock=time.time),
        connections=vault,
        hosts=Hosts(),
        projections=Projections(),
        publisher=bus,
        redaction=Redaction(),
        count=counts.count,
        report=counts.report,
    )
    received = int(time.time() * 1000)
    for host in ("late", "never"):
        body = meeting("meeting.updated", host=host, password="s3cret")
        assert processor.process([record(body, message=host, received_at_ms=received)], plenty()) == []
    assert counts.totals == {"EventUnrouted": 2}

    assert apart.main([APP, "--again"]) == 0
    assert stack.waiting() == []
    assert "2 would be sent again" in capsys.readouterr().out

    vault.users[APP, "late"] = Connection("acme", "con_l")
    for _ in range(2):
        assert apart.main([APP, "--again", "--yes"]) == 0
        assert processor.process(stack.waiting(), plenty()) == []
    [event] = bus.events
    assert (event.tenant, event.detail_type) == ("acme", "meeting.updated")
    assert counts.totals == {"EventUnrouted": 2, "EventPublished": 1, "EventDuplicate": 3}
