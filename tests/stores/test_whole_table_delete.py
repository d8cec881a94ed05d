"""Deleting an item only while it is still of the tenant that is being erased."""

from __future__ import annotations

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.stores import factories

pytestmark = pytest.mark.aws


def test_an_item_of_another_tenant_stays(dynamodb: DynamoDBClient, events_table: str) -> None:
    """A key may have been given to somebody else between the look and the deletion."""
    dynamodb.put_item(TableName=events_table, Item={"pk": {"S": "a"}, "sk": {"S": "b"}, "tenant": {"S": "acme"}})
    store = factories.whole_table(dynamodb, events_table)
    assert not store.delete(("a", "b"), tenant="globex")
    assert store.get(("a", "b")) == {"pk": "a", "sk": "b", "tenant": "acme"}
    assert store.delete(("a", "b"), tenant="acme")
    assert store.get(("a", "b")) is None
    assert not store.delete(("a", "b"), tenant="acme")
