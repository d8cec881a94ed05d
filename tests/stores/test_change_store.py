"""Word of changes, from webhooks to those who remember reads."""

from __future__ import annotations

import json

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.stores import factories
from zoom_common.errors import Unavailable
from zoom_common.gateway.change_store import LIFE, ChangeStore
from zoom_common.zoom.events import ZoomEvent, parse

pytestmark = pytest.mark.aws

NOW = 1_900_000_000.0


@pytest.fixture
def store(dynamodb: DynamoDBClient) -> ChangeStore:
    """Nothing was told yet."""
    return factories.changes(dynamodb, clock=lambda: NOW)


def event(name: str, **about: object) -> ZoomEvent:
    """A webhook's event."""
    payload = {"account_id": "account-1", "object": {"id": 85746065, **about}}
    return parse(json.dumps({"event": name, "event_ts": 1, "payload": payload}).encode())


@pytest.mark.parametrize("name", ["meeting.updated", "meeting.deleted", "meeting.started", "meeting.something_new"])
def test_a_change_is_known_to_everybody_in_the_account(store: ChangeStore, name: str) -> None:
    """By what the event is about; for no other account, and no other meeting."""
    store.on_event(event(name))
    assert store.last_change("account-1", "meetings/85746065") == NOW
    assert store.last_change("account-2", "meetings/85746065") is None
    assert store.last_change("account-1", "webinars/85746065") is None


@pytest.mark.parametrize("name", ["meeting.participant_joined", "recording.completed", "user.updated"])
def test_what_no_single_read_shows_is_no_change(store: ChangeStore, name: str) -> None:
    """Who comes and goes, or what belongs to something else."""
    store.on_event(event(name))
    assert store.last_change("account-1", "meetings/85746065") is None


def test_word_is_forgotten_and_never_stops_an_event(
    store: ChangeStore, dynamodb: DynamoDBClient, coordination_table: str
) -> None:
    """By TTL; and a table that does not answer is no reason to fail."""
    store.on_event(event("webinar.updated"))
    (item,) = dynamodb.scan(TableName=coordination_table)["Items"]
    assert item["expires_at"] == {"N": str(int(NOW) + LIFE)}
    factories.changes(factories.away(), clock=lambda: NOW).on_event(event("webinar.updated"))


def test_the_newest_word_counts(dynamodb: DynamoDBClient) -> None:
    """Also when it comes from another container; what has expired and is still there is older than any read."""
    times = iter((NOW, NOW + 5))
    for _ in range(2):
        factories.changes(dynamodb, clock=lambda: next(times)).on_event(event("meeting.updated"))
    assert factories.changes(dynamodb, clock=lambda: NOW).last_change("account-1", "meetings/85746065") == NOW + 5


def test_an_event_without_an_account_or_subject_says_nothing(
    store: ChangeStore, dynamodb: DynamoDBClient, coordination_table: str
) -> None:
    """Nobody could ask for it."""
    store.on_event(parse(b'{"event":"meeting.updated","event_ts":1,"payload":{"object":{"id":1}}}'))
    store.on_event(parse(b'{"event":"meeting.updated","event_ts":1,"payload":{"account_id":"account-1","object":{}}}'))
    assert dynamodb.scan(TableName=coordination_table)["Items"] == []


def test_asking_a_table_that_does_not_answer_raises() -> None:
    """Reading raises Unavailable, so that no answer is taken for "unchanged"."""
    with pytest.raises(Unavailable):
        factories.changes(factories.away(), clock=lambda: NOW).last_change("account-1", "meetings/1")
