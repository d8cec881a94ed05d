"""Counters of a day in DynamoDB."""

from __future__ import annotations

from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.stores import factories
from zoom_common.errors import Unavailable
from zoom_common.ratelimit.quotas import DAY, Batch, DailyStore

pytestmark = pytest.mark.aws


@pytest.fixture
def store(dynamodb: DynamoDBClient) -> DailyStore:
    """Counters in an empty table."""
    return factories.daily(dynamodb)


def test_batches_add_up_to_the_limit_and_no_further(store: DailyStore) -> None:
    """The last batch is what is left."""
    assert store.take("a", period=1, limit=12, most=5) == Batch(5, 7)
    assert store.take("a", period=1, limit=12, most=5) == Batch(5, 2)
    assert store.take("a", period=1, limit=12, most=5) == Batch(2, 0)
    assert store.take("a", period=1, limit=12, most=5) is None


def test_each_day_and_counter_begins_anew(store: DailyStore) -> None:
    """Nothing is carried over."""
    assert store.take("a", period=1, limit=1, most=1) == Batch(1, 0)
    assert store.take("a", period=1, limit=1, most=1) is None
    assert store.take("a", period=2, limit=1, most=1) == Batch(1, 0)
    assert store.take("b", period=1, limit=1, most=1) == Batch(1, 0)


def test_a_day_that_zoom_calls_spent_is_spent(store: DailyStore) -> None:
    """Marking a day as used up is idempotent."""
    store.take("a", period=1, limit=100, most=5)
    store.exhaust("a", period=1, limit=100)
    store.exhaust("a", period=1, limit=100)
    assert store.take("a", period=1, limit=100, most=5) is None


def test_counters_are_forgotten_a_day_after_they_end(
    store: DailyStore, dynamodb: DynamoDBClient, coordination_table: str
) -> None:
    """Counters expire by TTL a day after their period."""
    store.take("a", period=1, limit=100, most=5)
    (item,) = dynamodb.scan(TableName=coordination_table)["Items"]
    assert item["expires_at"] == {"N": str(3 * DAY)}


def test_a_day_that_was_never_counted_can_be_spent(store: DailyStore) -> None:
    """Another counter's is not, and what was counted beyond the limit is not counted down."""
    store.exhaust("a", period=1, limit=100)
    assert store.take("a", period=1, limit=100, most=5) is None
    assert store.take("b", period=1, limit=100, most=5) == Batch(5, 95)
    store.exhaust("a", period=1, limit=50)
    assert store.take("a", period=1, limit=101, most=5) == Batch(1, 0)


def test_a_limit_that_was_lowered_leaves_nothing(store: DailyStore) -> None:
    """What is used already counts."""
    store.take("a", period=1, limit=100, most=50)
    assert store.take("a", period=1, limit=40, most=5) is None
    assert store.take("a", period=1, limit=0, most=5) is None


def test_a_table_that_does_not_answer_is_unavailable() -> None:
    """Not a day without limits, nor one that is spent."""
    missing = factories.daily(factories.away())
    with pytest.raises(Unavailable):
        missing.take("a", period=1, limit=1, most=1)
    with pytest.raises(Unavailable):
        missing.exhaust("a", period=1, limit=1)


def test_what_was_not_made_is_given_back(store: DailyStore) -> None:
    """Never below nothing, and never for another day."""
    store.take("a", period=1, limit=10, most=10)
    store.give_back("a", period=1, calls=4)
    store.give_back("a", period=1, calls=7)
    store.give_back("a", period=2, calls=1)
    assert store.take("a", period=1, limit=10, most=10) == Batch(4, 0)
    assert store.take("a", period=2, limit=10, most=10) == Batch(10, 0)


def test_one_call_a_minute_may_probe_a_spent_day(store: DailyStore) -> None:
    """The first a minute after the day was found spent; a day that nobody counted is not probed."""
    store.exhaust("a", period=1, limit=10)
    asked = [store.probe("a", period=1, now=now) for now in (0, 30, 59.9, 60, 61, 119, 120.5)]
    assert asked == [False, False, False, True, False, False, True]
    assert not store.probe("b", period=1, now=0)
    assert not store.probe("b", period=1, now=100)


def test_a_counter_that_is_nearly_spent_costs_two_writes(
    dynamodb: DynamoDBClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refused write brings what is used: the second one asks for exactly what is left, however much was wanted."""
    factories.daily(dynamodb).take("a", period=1, limit=100, most=97)
    update, writes = dynamodb.update_item, list[dict[str, Any]]()

    def counted(**named: Any) -> Any:
        writes.append(named)
        return update(**named)

    monkeypatch.setattr(dynamodb, "update_item", counted)
    assert factories.daily(dynamodb).take("a", period=1, limit=100, most=50) == Batch(3, 0)
    assert len(writes) == 2
    assert factories.daily(dynamodb).take("a", period=1, limit=100, most=50) is None
    assert len(writes) == 3
