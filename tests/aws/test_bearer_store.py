"""Bearers in the Coordination table."""

from __future__ import annotations

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.fakes.dynamodb_outage import throttled
from zoom_common.access.bearer_store import BearerStore
from zoom_common.access.bearers import Bearer
from zoom_common.aws.table import Table
from zoom_common.errors import InternalError, Unavailable

BEARER = Bearer(b"d" * 32, "abcdefghijkl", b"m" * 32, 1_800_003_600.5, "con_1")


def test_what_is_kept_is_found(dynamodb: DynamoDBClient, coordination_table: str) -> None:
    """With and without a connection, until the table forgets it."""
    store = BearerStore(Table(dynamodb, coordination_table))
    plain = Bearer(b"e" * 32, "abcdefghijkl", b"m" * 32, 1_800_003_600.0)
    for each in (BEARER, plain):
        store.put(each)
        assert store.get(each.digest) == each
    assert store.get(b"x" * 32) is None


def test_the_table_forgets_it_after_its_end(dynamodb: DynamoDBClient, coordination_table: str) -> None:
    """TTL is in whole seconds and never early."""
    BearerStore(Table(dynamodb, coordination_table)).put(BEARER)
    (item,) = dynamodb.scan(TableName=coordination_table)["Items"]
    assert item["expires_at"] == {"N": "1800003601"}


def test_a_table_that_throttles_is_unavailable() -> None:
    """Not an unknown bearer; the reason names the store."""
    store = BearerStore(Table(throttled(), "coordination"))
    with pytest.raises(Unavailable) as caught:
        store.get(BEARER.digest)
    assert caught.value.reason == "bearer_store_unavailable"
    with pytest.raises(Unavailable):
        store.put(BEARER)


def test_a_table_that_is_not_there_is_a_fault_of_ours(dynamodb: DynamoDBClient) -> None:
    """Nobody is told to try again."""
    with pytest.raises(InternalError):
        BearerStore(Table(dynamodb, "nowhere")).get(BEARER.digest)
