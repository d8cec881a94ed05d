"""How many connections are in each state."""

from __future__ import annotations

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from zoom_common.aws.table import Table
from zoom_common.connections.store import count_by_state
from zoom_common.deadline import Deadline
from zoom_common.errors import Unavailable

pytestmark = pytest.mark.aws


def test_a_snapshot_counts_connections_and_nothing_else(dynamodb: DynamoDBClient, connections_table: str) -> None:
    """Claims, links and keys lie in the same table; a state that nobody is in is a zero, not a gap."""
    for pk, sk, state in (
        ("acme#connections", "con_1", "connected"),
        ("globex#connections", "con_2", "connected"),
        ("acme#connections", "con_3", "pending"),
        ("apikey#a", "apikey", "connected"),
    ):
        dynamodb.put_item(TableName=connections_table, Item={"pk": {"S": pk}, "sk": {"S": sk}, "state": {"S": state}})
    found = count_by_state(Table(dynamodb, connections_table), Deadline.after(60))
    assert {state: number for state, number in found.items() if number} == {"connected": 2, "pending": 1}
    assert found["refresh_failing"] == 0
    with pytest.raises(Unavailable):
        count_by_state(Table(dynamodb, connections_table), Deadline.after(0))
