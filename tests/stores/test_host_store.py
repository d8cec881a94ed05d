"""Who hosts what, in the Events table."""

from __future__ import annotations

import json

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.stores import factories
from zoom_common.erasure_target import ErasureTarget
from zoom_common.errors import Unavailable
from zoom_common.events.routing import HostStore
from zoom_common.zoom.events import ZoomEvent, parse

pytestmark = pytest.mark.aws

NOW = 1_900_000_000.0


def event(name: str, **thing: object) -> ZoomEvent:
    return parse(json.dumps({"event": name, "payload": {"object": thing}}).encode())


STARTED = event("meeting.started", id="85746065", uuid="/u+1==", host_id="host-1")


def store(dynamodb: DynamoDBClient) -> HostStore:
    """As a container that has just started has it."""
    return factories.hosts(dynamodb, clock=lambda: NOW)


def test_one_container_learns_and_all_know(dynamodb: DynamoDBClient) -> None:
    """A host is found by UUID or number in either form, for the same app only."""
    store(dynamodb).learn("A", STARTED)
    other = store(dynamodb)
    for thing in ({"uuid": "/u+1=="}, {"id": 85746065}, {"meeting_id": "85746065", "meeting_uuid": "x"}):
        assert other.find("A", event("meeting.chat_message_sent", **thing)) == "host-1"
        assert other.find("B", event("meeting.chat_message_sent", **thing)) is None
    assert other.find("A", event("meeting.chat_message_sent", id=1)) is None
    assert other.find("A", event("user.updated", id="85746065")) is None


def test_a_meeting_that_changes_hands_is_learned_again(dynamodb: DynamoDBClient, events_table: str) -> None:
    """The newest word counts, and what is known is not written twice."""
    learning = store(dynamodb)
    learning.learn("A", STARTED)
    learning.learn("A", event("meeting.started", id="85746065", uuid="u2==", host_id="host-2"))
    assert store(dynamodb).find("A", event("meeting.alert", id=85746065)) == "host-2"
    assert store(dynamodb).find("A", event("meeting.alert", id=85746065, uuid="/u+1==")) == "host-1"
    dynamodb.delete_item(TableName=events_table, Key={"pk": {"S": "hosts.A#u2=="}, "sk": {"S": "host"}})
    learning.learn("A", event("meeting.ended", id="85746065", uuid="u2==", host_id="host-2"))
    assert "Item" not in dynamodb.get_item(
        TableName=events_table, Key={"pk": {"S": "hosts.A#u2=="}, "sk": {"S": "host"}}
    )


def test_it_is_forgotten_with_the_events(dynamodb: DynamoDBClient, events_table: str) -> None:
    """A month after it was learned."""
    store(dynamodb).learn("A", STARTED)
    item = dynamodb.get_item(TableName=events_table, Key={"pk": {"S": "hosts.A#/u+1=="}, "sk": {"S": "host"}})["Item"]
    assert item["expires_at"] == {"N": str(int(NOW) + 30 * 86_400)}


def test_a_table_that_is_away_is_no_answer() -> None:
    """The message comes back; "nobody" would keep the event apart for good."""
    lost = factories.hosts(factories.away(), clock=lambda: NOW)
    with pytest.raises(Unavailable):
        lost.find("A", STARTED)
    with pytest.raises(Unavailable):
        lost.learn("A", STARTED)


def test_meetings_without_a_host_are_wanted_for_six_hours(dynamodb: DynamoDBClient, events_table: str) -> None:
    """By app and Zoom account; what is wanted now replaces what was wanted before."""
    hosts = store(dynamodb)
    hosts.want("A", "acc-1", {"2", "1"})
    hosts.want("A", "acc-1", {"3", "1"})
    assert store(dynamodb).wanted("A", "acc-1") == {"1", "3"}
    assert store(dynamodb).wanted("A", "acc-2") == store(dynamodb).wanted("B", "acc-1") == frozenset()
    assert factories.hosts(dynamodb, clock=lambda: NOW + 6 * 3600).wanted("A", "acc-1") == frozenset()
    key = {"pk": {"S": "hosts.A#acc-1"}, "sk": {"S": "wanted"}}
    item = dynamodb.get_item(TableName=events_table, Key=key)["Item"]
    assert item == {**key, "numbers": {"L": [{"S": "1"}, {"S": "3"}]}, "expires_at": {"N": str(int(NOW) + 6 * 3600)}}


def test_wanted_meetings_name_no_person() -> None:
    """An erasure of a person leaves them."""
    target = ErasureTarget(tenant="acme", zoom_user_ids=frozenset({"host-1"}), client_ids=frozenset({"A"}))
    assert not HostStore.erases({"pk": "hosts.A#acc-1", "sk": "wanted", "numbers": ["1"]}, target)
