"""A tool that reads the local stack's events leaves everybody's queues alone, and nothing behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from moto import mock_aws

from dev.event_queue import EventQueue, event_queue
from ops.key_table import NoStack

pytestmark = pytest.mark.aws

KEYS = {"aws_region": "us-east-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}
STACK: dict[str, Any] = {**KEYS, "stack_name": "zoom-gateway-local", "event_bus": "bus", "aws_endpoint_url": None}


@pytest.fixture
def account() -> Iterator[dict[str, Any]]:
    """An account with the stack's bus, and the clients that look at it."""
    with mock_aws():
        clients: dict[str, Any] = {
            "events": boto3.client("events", region_name="us-east-1"),
            "sqs": boto3.client("sqs", region_name="us-east-1"),
        }
        clients["events"].create_event_bus(Name="bus")
        yield clients


def publish(account: dict[str, Any], event: dict[str, Any]) -> None:
    """Put an event on the bus, as the gateway does."""
    entry = {"EventBusName": "bus", "Source": "zoom-gateway", "DetailType": "meeting.started"}
    assert account["events"].put_events(Entries=[{**entry, "Detail": json.dumps(event)}])["FailedEntryCount"] == 0


def details(queue: EventQueue) -> list[Any]:
    """The events on a queue. Moto sends the whole envelope, although the rule's target asks for `$.detail` only."""
    return [event["detail"] for event in queue.receive(wait=0)]


def test_two_tools_get_every_event_each(account: dict[str, Any]) -> None:
    """Neither takes an event from the other: `make demo` runs beside `make events`."""
    with event_queue(STACK, "demo") as first, event_queue(STACK, "events") as second:
        publish(account, {"id": "evt_1"})
        assert details(first) == [{"id": "evt_1"}]
        assert details(second) == [{"id": "evt_1"}]
        assert details(first) == []


def test_nothing_is_left_behind(account: dict[str, Any]) -> None:
    """Neither a rule nor a queue, whether the tool ends or fails."""
    with event_queue(STACK, "events"):
        assert len(account["sqs"].list_queues()["QueueUrls"]) == 1
    with pytest.raises(ZeroDivisionError), event_queue(STACK, "events"):
        raise ZeroDivisionError
    assert account["sqs"].list_queues().get("QueueUrls", []) == []
    assert account["events"].list_rules(EventBusName="bus")["Rules"] == []


@pytest.mark.usefixtures("account")
def test_a_stack_that_stops_meanwhile_is_one_sentence() -> None:
    """A stack that stops meanwhile is one sentence and no traceback of botocore."""
    with pytest.raises(NoStack, match="has stopped"), event_queue(STACK, "events"):
        raise EndpointConnectionError(endpoint_url="http://127.0.0.1:1")
