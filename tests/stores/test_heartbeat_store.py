"""When something that nobody calls was last seen at work."""

from __future__ import annotations

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.stores import factories
from zoom_common.edge.heartbeat_store import SWEEP

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
