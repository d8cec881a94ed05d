"""Unrouted events are routed again after their owner has connected."""

from __future__ import annotations

import argparse
import json
import time
from typing import Any

import boto3
import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from ops import unrouted
from tests.fakes.event_stores import Connection, Connections, Hosts, Projections
from tests.fakes.events import APP, Bus, Counts, meeting, plenty, record
from zoom_common.aws.table import EVENTS, Table
from zoom_common.events.log.index import LogIndex
from zoom_common.events.log.store import EventLog
from zoom_common.events.processor import EventProcessor
from zoom_common.events.reconciliation.unrouted_replay import IngestQueue, UnroutedReplay
from zoom_common.events.routing import HostStore
from zoom_common.zoom.event_redaction import Redaction

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

    monkeypatch.setattr(unrouted, "deployed", deployed)
    return found


def test_what_has_an_owner_by_now_is_published_and_the_rest_stays(
    stack: Stack, dynamodb: DynamoDBClient, events_table: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing happens without --yes; twice does no more than once."""
    bus, counts, vault = Bus(), Counts(), Connections()
    processor = EventProcessor(
        log=EventLog(Table(dynamodb, events_table, EVENTS), clock=time.time),
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

    assert unrouted.main([APP, "--again"]) == 0
    assert stack.waiting() == []
    assert "2 would be sent again" in capsys.readouterr().out

    vault.connect_user(APP, "late", Connection("acme", "con_l"))
    for _ in range(2):
        assert unrouted.main([APP, "--again", "--yes"]) == 0
        assert processor.process(stack.waiting(), plenty()) == []
    [event] = bus.events
    assert (event.tenant, event.detail_type) == ("acme", "meeting.updated")
    assert counts.totals == {"EventUnrouted": 2, "EventPublished": 1, "EventDuplicate": 3}


def test_what_came_before_its_meeting_is_sent_on_by_the_hourly_round(
    stack: Stack, dynamodb: DynamoDBClient, events_table: str
) -> None:
    """Events are sent on once any event has named the host; others, and old ones, stay."""
    bus, now = Bus(), [time.time()]
    hosts = HostStore(Table(dynamodb, events_table, EVENTS), clock=lambda: now[0])
    log = EventLog(Table(dynamodb, events_table, EVENTS), clock=lambda: now[0])
    processor = EventProcessor(
        log=log,
        connections=Connections(users={(APP, "host-1"): Connection("acme", "con_a")}),
        hosts=hosts,
        projections=Projections(),
        publisher=bus,
        redaction=Redaction(),
        count=Counts().count,
        report=Counts().report,
    )
    queue = IngestQueue(stack.resource("IngestQueue"), stack.client("sqs"))
    look = UnroutedReplay(
        log=log, lines=LogIndex(Table(dynamodb, events_table, EVENTS)), send=queue.send, clock=lambda: now[0]
    )

    def chat(uuid: str, stamp: int) -> bytes:
        thing = {"uuid": uuid, "chat_message": {"message": "Hi"}}
        return json.dumps(
            {"event": "meeting.chat_message_sent", "event_ts": stamp, "payload": {"object": thing}}
        ).encode()

    received = int(now[0] * 1000)
    for name, body, at in (
        ("early", chat("u/1==", 1), received),
        ("nobody's", chat("other", 2), received),
        ("old", chat("u/1==", 3), received - 7 * 3_600_000),
        ("stranger", meeting("meeting.started", host="stranger", uuid="u/2=="), received),
    ):
        assert processor.process([record(body, message=name, received_at_ms=at)], plenty()) == []
    assert look.of_known_hosts(APP, hosts) == 0
    assert (
        processor.process([record(meeting("meeting.started", uuid="u/1=="), received_at_ms=received)], plenty()) == []
    )
    assert look.of_known_hosts(APP, hosts) == 1
    assert processor.process(stack.waiting(), plenty()) == []
    assert [event.detail_type for event in bus.events] == ["meeting.started", "meeting.chat_message_sent"]
