"""Bearers in the Coordination table."""

from __future__ import annotations

from dataclasses import replace

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.stores import factories
from zoom_common.access.bearers import Bearer
from zoom_common.errors import Unavailable

BEARER = Bearer(b"d" * 32, "abcdefghijkl", b"m" * 32, 1_800_003_600.5, "con_1")


def test_what_is_kept_is_found(dynamodb: DynamoDBClient) -> None:
    """A bearer is found with and without a connection, until the table deletes it."""
    store = factories.bearers(dynamodb)
    plain = Bearer(b"e" * 32, "abcdefghijkl", b"m" * 32, 1_800_003_600.0)
    for each in (BEARER, plain):
        store.put(each)
        assert store.get(each.digest) == each
    assert store.get(b"x" * 32) is None


def test_the_table_forgets_it_after_its_end(dynamodb: DynamoDBClient, coordination_table: str) -> None:
    """TTL is in whole seconds and never early."""
    factories.bearers(dynamodb).put(BEARER)
    (item,) = dynamodb.scan(TableName=coordination_table)["Items"]
    assert item["expires_at"] == {"N": "1800003601"}


def test_a_table_that_is_not_there_is_unavailable() -> None:
    """A missing table raises Unavailable and is not taken for an unknown bearer."""
    store = factories.bearers(factories.away())
    with pytest.raises(Unavailable):
        store.get(BEARER.digest)
    with pytest.raises(Unavailable):
        store.put(BEARER)


def test_one_whose_end_has_passed_is_given_until_the_table_forgets_it(dynamodb: DynamoDBClient) -> None:
    """The store returns expired bearers, because the caller compares the time. Stored again, the later end counts."""
    store = factories.bearers(dynamodb)
    ended = replace(BEARER, expires_at=1.0)
    store.put(ended)
    assert store.get(BEARER.digest) == ended
    store.put(BEARER)
    assert store.get(BEARER.digest) == BEARER
