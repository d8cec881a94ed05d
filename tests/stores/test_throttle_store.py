"""Requests of a key by minute, counted in DynamoDB."""

from __future__ import annotations

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.stores import factories
from zoom_common.errors import Unavailable
from zoom_common.ratelimit.quotas import Batch, ThrottleStore

pytestmark = pytest.mark.aws


@pytest.fixture
def store(dynamodb: DynamoDBClient) -> ThrottleStore:
    """On an empty table."""
    return factories.throttle(dynamodb)


def test_the_last_lease_gets_what_is_left(store: ThrottleStore) -> None:
    """Never more than the limit in all; each minute and each key has its own."""
    taken = [store.take("key:a", period=7, limit=10, most=4) for _ in range(4)]
    assert taken == [Batch(4, 6), Batch(4, 2), Batch(2, 0), None]
    assert store.take("key:a", period=8, limit=10, most=4) == Batch(4, 6)
    assert store.take("key:b", period=7, limit=10, most=20) == Batch(10, 0)


def test_it_leaves_by_itself(store: ThrottleStore, dynamodb: DynamoDBClient, coordination_table: str) -> None:
    """The counter of a minute is worth nothing after it."""
    store.take("key:a", period=7, limit=10, most=1)
    (item,) = dynamodb.scan(TableName=coordination_table)["Items"]
    assert int(item["expires_at"]["N"]) == 9 * 60


def test_a_limit_that_was_lowered_leaves_nothing(store: ThrottleStore) -> None:
    """What is used already counts, and nothing more is counted."""
    store.take("key:a", period=7, limit=10, most=6)
    assert store.take("key:a", period=7, limit=5, most=1) is None
    assert store.take("key:a", period=7, limit=7, most=4) == Batch(1, 0)


def test_a_table_that_does_not_answer_is_unavailable() -> None:
    """The caller decides what that means."""
    with pytest.raises(Unavailable):
        factories.throttle(factories.away()).take("key:a", period=7, limit=10, most=1)
