"""One suite per store: each of its tests runs over DynamoDB in memory and over moto.

`memory` is what tests elsewhere use; `moto` is asked by boto3's client, `light` is moto asked by the light client.
What holds for all of them is what a store does; `tests/stores/test_dynamodb.py` holds the clients to each other.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.fakes import tables
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.moto_account import moto_account
from zoom_common import aws, light_aws

CLIENTS = ("memory", "moto", "light")


@pytest.fixture(params=CLIENTS)
def dynamodb(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoDBClient]:
    """An empty DynamoDB."""
    if request.param == "memory":
        yield MemoryDynamoDB().client()
        return
    with moto_account(monkeypatch):
        yield aws.client("dynamodb") if request.param == "moto" else light_aws.client("dynamodb")


@pytest.fixture
def connections_table(dynamodb: DynamoDBClient) -> str:
    """The Connections table, with its sparse index of due times."""
    return tables.create_connections(dynamodb)


@pytest.fixture
def events_table(dynamodb: DynamoDBClient) -> str:
    """The Events table."""
    return tables.create_events(dynamodb)


@pytest.fixture
def coordination_table(dynamodb: DynamoDBClient) -> str:
    """The Coordination table."""
    return tables.create_coordination(dynamodb)
