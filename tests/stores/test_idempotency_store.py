"""Records of Idempotency-Keys in DynamoDB, step by step and with two calls at once."""

from __future__ import annotations

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.stores import factories
from zoom_common.errors import Unavailable
from zoom_common.gateway.idempotency_store import LIFE, Entry, IdempotencyStore, MadeForAnotherKey, Step, StoredAnswer

pytestmark = pytest.mark.aws

NOW = 1_900_000_000.0
ANSWER = StoredAnswer(201, "application/json", b'{"id":1}')


@pytest.fixture
def store(dynamodb: DynamoDBClient) -> IdempotencyStore:
    """Records in an empty table."""
    return factories.idempotency(dynamodb)


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
    with pytest.raises(MadeForAnotherKey):
        store.done("key#2", ANSWER, owner="call-1", made="made#1", now=NOW)
    assert store.bound_to("made#1") == "key#1"


def test_a_key_lives_for_a_day(store: IdempotencyStore) -> None:
    """TTL deletes late: an expired record is as good as none."""
    begin(store)
    store.done("key#1", ANSWER, owner="call-1", made=None, now=NOW)
    assert seen(store, now=NOW + LIFE - 1).answer == ANSWER
    assert begin(store, "call-2", now=NOW + LIFE) is None
    assert seen(store, now=NOW + LIFE).answer is None


def test_a_table_that_does_not_answer_has_a_name() -> None:
    """The reason of Unavailable names the store."""
    missing = factories.idempotency(factories.away())
    with pytest.raises(Unavailable) as unavailable:
        begin(missing)
    assert unavailable.value.reason == "idempotency_store_unavailable"


def test_what_was_is_gone_when_an_expired_key_begins_again(
    store: IdempotencyStore, dynamodb: DynamoDBClient, coordination_table: str
) -> None:
    """No answer, no time of sending, no former owner; and it expires a day after that."""
    begin(store)
    store.sent("key#1", owner="call-1", now=NOW)
    store.done("key#1", ANSWER, owner="call-1", made=None, now=NOW)
    later = NOW + LIFE + 5
    assert store.begin("key#1", "print-2", whose="acme#con_1", owner="call-2", now=later, lease_until=later + 1) is None
    entry = seen(store, now=later)
    assert (entry.fingerprint, entry.owner, entry.step) == ("print-2", "call-2", Step.STARTED)
    assert (entry.first_sent, entry.last_sent, entry.answer) == (None, None, None)
    (item,) = dynamodb.scan(TableName=coordination_table)["Items"]
    assert item["expires_at"] == {"N": str(int(later) + LIFE)}


def test_nothing_is_taken_over_that_has_moved_on(store: IdempotencyStore) -> None:
    """Its owner sent it meanwhile."""
    begin(store)
    entry = seen(store)
    store.sent("key#1", owner="call-1", now=NOW)
    assert not store.take_over("key#1", entry, owner="call-2", lease_until=NOW + 60)
    assert store.take_over("key#1", seen(store), owner="call-2", lease_until=NOW + 60)
    assert (seen(store).step, seen(store).owner, seen(store).lease_until) == (Step.SENT, "call-2", NOW + 60)


def test_a_key_that_is_not_there_is_not_made_by_going_on(
    store: IdempotencyStore, dynamodb: DynamoDBClient, coordination_table: str
) -> None:
    """Only `begin` makes a record; the later steps do not."""
    entry = Entry(fingerprint="x", step=Step.STARTED, owner="call-1", lease_until=0)
    assert not store.take_over("key#1", entry, owner="call-2", lease_until=NOW)
    assert not store.sent("key#1", owner="call-1", now=NOW)
    assert not store.done("key#1", ANSWER, owner="call-1", made="made#1", now=NOW)
    store.unknown("key#1", owner="call-1")
    store.forget("key#1", owner="call-1")
    assert dynamodb.scan(TableName=coordination_table)["Items"] == []


def test_done_twice_is_done(store: IdempotencyStore) -> None:
    """What was made stays bound to its key."""
    begin(store)
    for _ in range(2):
        assert store.done("key#1", ANSWER, owner="call-1", made="made#1", now=NOW)
    assert store.bound_to("made#1") == "key#1"
    assert seen(store).answer == ANSWER


def test_every_method_says_whose_table_does_not_answer() -> None:
    """And none of them takes it for an answer."""
    missing = factories.idempotency(factories.away())
    entry = Entry(fingerprint="x", step=Step.STARTED, owner="call-1", lease_until=0)
    for attempt in (
        lambda: missing.take_over("key#1", entry, owner="call-2", lease_until=NOW),
        lambda: missing.sent("key#1", owner="call-1", now=NOW),
        lambda: missing.unknown("key#1", owner="call-1"),
        lambda: missing.forget("key#1", owner="call-1"),
        lambda: missing.done("key#1", ANSWER, owner="call-1", made="made#1", now=NOW),
        lambda: missing.bound_to("made#1"),
    ):
        with pytest.raises(Unavailable) as unavailable:
            attempt()
        assert unavailable.value.reason == "idempotency_store_unavailable"
