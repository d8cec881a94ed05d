"""Copying back from a restored table: only what is missing, and never over what is newer."""

from __future__ import annotations

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from ops.restore import copy

pytestmark = pytest.mark.aws
RESTORED = "restored"


@pytest.fixture
def tables(dynamodb: DynamoDBClient, coordination_table: str) -> str:
    """A live table that has lost one item and gone on with another, and a restored one that has both as they were."""
    dynamodb.create_table(
        TableName=RESTORED,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )
    for number in range(3):
        item = {"pk": {"S": f"item#{number}"}, "sk": {"S": "item"}, "version": {"N": "1"}}
        dynamodb.put_item(TableName=RESTORED, Item=item)
    newer = {"pk": {"S": "item#1"}, "sk": {"S": "item"}, "version": {"N": "2"}}
    dynamodb.put_item(TableName=coordination_table, Item=newer)
    return coordination_table


def versions(dynamodb: DynamoDBClient, table: str) -> dict[str, str]:
    return {each["pk"]["S"]: each["version"]["N"] for each in dynamodb.scan(TableName=table)["Items"]}


def test_what_is_missing_comes_back_and_what_is_newer_stays(dynamodb: DynamoDBClient, tables: str) -> None:
    """And a second run finds nothing to do."""
    assert copy(dynamodb, RESTORED, tables, pk=None, write=True) == (3, 2)
    assert versions(dynamodb, tables) == {"item#0": "1", "item#1": "2", "item#2": "1"}
    assert copy(dynamodb, RESTORED, tables, pk=None, write=True) == (3, 0)


def test_a_dry_run_counts_and_writes_nothing(dynamodb: DynamoDBClient, tables: str) -> None:
    """One partition of many, too."""
    assert copy(dynamodb, RESTORED, tables, pk=None, write=False) == (3, 2)
    assert copy(dynamodb, RESTORED, tables, pk="item#0", write=False) == (1, 1)
    assert versions(dynamodb, tables) == {"item#1": "2"}
