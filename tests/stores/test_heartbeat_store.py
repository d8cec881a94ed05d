"""When something that nobody calls was last seen at work."""

from __future__ import annotations

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.stores import factories
from zoom_common.errors import Unavailable
from zoom_common.heartbeats import SWEEP

pytestmark = pytest.mark.aws


def test_a_heartbeat_is_written_once_a_minute(dynamodb: DynamoDBClient) -> None:
    """And another container sees how old it is."""
    now = 1000.0
    beats, other = (factories.heartbeats(dynamodb, clock=lambda: now) for _ in range(2))
    assert other.age(SWEEP) is None
    beats.beat(SWEEP)
    now = 1030.0
    beats.beat(SWEEP)
    assert other.age(SWEEP) == 30.0
    now = 1061.0
    beats.beat(SWEEP)
    assert other.age(SWEEP) == 0.0


def test_a_beat_that_cannot_be_written_is_no_fault() -> None:
    """Nothing depends on it, and it is tried again at once; asking for it raises."""
    beats = factories.heartbeats(factories.away(), clock=lambda: 1000.0)
    beats.beat(SWEEP)
    assert beats._written == {}
    with pytest.raises(Unavailable):
        beats.age(SWEEP)


def test_each_name_has_a_beat_of_its_own_and_leaves_by_ttl(dynamodb: DynamoDBClient, coordination_table: str) -> None:
    """Sixty days later; a clock that is behind sees no negative age."""
    factories.heartbeats(dynamodb, clock=lambda: 1000.0).beat(SWEEP)
    behind = factories.heartbeats(dynamodb, clock=lambda: 990.0)
    assert (behind.age(SWEEP), behind.age("rollup")) == (0.0, None)
    (item,) = dynamodb.scan(TableName=coordination_table)["Items"]
    assert item["expires_at"] == {"N": str(1000 + 60 * 86_400)}
