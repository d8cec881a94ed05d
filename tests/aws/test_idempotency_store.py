"""Records of Idempotency-Keys in DynamoDB, step by step and with two calls at once."""

from __future__ import annotations

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.fakes.dynamodb_outage import throttled
from zoom_common.aws.table import COORDINATION, Table
from zoom_common.errors import Unavailable
from zoom_common.gateway.idempotency_store import LIFE, Entry, IdempotencyStore, Step, StoredAnswer

pytestmark = pytest.mark.aws

NOW = 1_900_000_000.0
ANSWER = StoredAnswer(201, "application/json", b'{"id":1}')


@pytest.fixture
def store(dynamodb: DynamoDBClient, coordination_table: str) -> IdempotencyStore:
    """Records in an empty table."""
    return IdempotencyStore(Table(dynamodb, coordination_table))


def begin(store: IdempotencyStore, owner: str = "call-1", *, key: str = "key#1", now: float = NOW) -> Entry | None:
    """Begin with a key, for half a minute."""
    return store.begin(key, "print-1", whose="acme#con_1", owner=owner, now=now, lease_until=now + 30)


def seen(store: IdempotencyStore, *, now: float = NOW) -> Entry:
    """The record, as a second call with its key sees it."""
    entry = begin(store, "another", now=now)
    assert entry is not None
    return entry


def test_of_two_calls_one_begins(store: IdempotencyStore) -> None:
    """The other sees what the first is at."""
    assert begin(store) is None
    entry = seen(store)
    assert (entry.step, entry.owner, entry.fingerprint, entry.lease_until) == (
        Step.STARTED,
        "call-1",
        "print-1",
        NOW + 30,
    )


def test_the_first_answer_is_kept(store: IdempotencyStore) -> None:
    """As it was, and when it was first and last sent."""
    begin(store)
    assert store.sent("key#1", owner="call-1", now=NOW + 1)
    assert store.sent("key#1", owner="call-1", now=NOW + 2)
    assert (seen(store).first_sent, seen(store).last_sent) == (NOW + 1, NOW + 2)
    assert store.done("key#1", ANSWER, owner="call-1", made="made#1", now=NOW)
    assert seen(store).answer == ANSWER
    assert store.bound_to("made#1") == "key#1"
    assert store.bound_to("made#2") is None


def test_one_takes_over_what_is_unknown(store: IdempotencyStore) -> None:
    """The first of two, and then the call before it can do no more harm."""
    begin(store)
    store.sent("key#1", owner="call-1", now=NOW)
    store.unknown("key#1", owner="call-1")
    entry = seen(store)
    assert (entry.step, entry.lease_until) == (Step.UNKNOWN, 0)
    assert store.take_over("key#1", entry, owner="call-2", lease_until=NOW + 60)
    assert not store.take_over("key#1", entry, owner="call-3", lease_until=NOW + 60)
    assert not store.sent("key#1", owner="call-1", now=NOW)
    assert not store.done("key#1", ANSWER, owner="call-1", made=None, now=NOW)
    store.forget("key#1", owner="call-1")
    store.unknown("key#1", owner="call-1")
    assert seen(store).owner == "call-2"


def test_a_forgotten_key_is_new(store: IdempotencyStore) -> None:
    """Nothing was made with it."""
    begin(store)
    store.forget("key#1", owner="call-1")
    assert begin(store, "call-2") is None


def test_what_was_made_for_one_key_is_never_another_keys(store: IdempotencyStore) -> None:
    """The second answer is not kept."""
    begin(store)
    begin(store, key="key#2")
    assert store.done("key#1", ANSWER, owner="call-1", made="made#1", now=NOW)
    assert not store.done("key#2", ANSWER, owner="call-1", made="made#1", now=NOW)
    assert store.bound_to("made#1") == "key#1"


def test_a_key_lives_for_a_day(store: IdempotencyStore) -> None:
    """TTL deletes late: an expired record is as good as none."""
    begin(store)
    store.done("key#1", ANSWER, owner="call-1", made=None, now=NOW)
    assert seen(store, now=NOW + LIFE - 1).answer == ANSWER
    assert begin(store, "call-2", now=NOW + LIFE) is None
    assert seen(store, now=NOW + LIFE).answer is None


def test_a_table_that_does_not_answer_has_a_name() -> None:
    """The reason says whose fault it is."""
    missing = IdempotencyStore(Table(throttled(), "coordination", COORDINATION))
    with pytest.raises(Unavailable) as unavailable:
        begin(missing)
    assert unavailable.value.reason == "idempotency_store_unavailable"
