"""Commands and flows over several stores against moto; `tests/stores` has each store by itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.fakes import tables
from tests.fakes.moto_account import moto_account
from zoom_common.aws import clients


@pytest.fixture(autouse=True)
def aws_account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty account for each test; clients of the last one are forgotten."""
    with moto_account(monkeypatch):
        yield


@pytest.fixture(params=["boto3", "light"])
def dynamodb(request: pytest.FixtureRequest) -> DynamoDBClient:
    """A client that stores use: boto3's off the hot paths, the light one on them."""
    return clients.boto3_client("dynamodb") if request.param == "boto3" else clients.client("dynamodb")


@pytest.fixture
def connections_table() -> str:
    """The Connections table, with its sparse index of due times."""
    return tables.create_connections(clients.boto3_client("dynamodb"))


@pytest.fixture
def events_table() -> str:
    """The Events table."""
    return tables.create_events(clients.boto3_client("dynamodb"))


@pytest.fixture
def coordination_table() -> str:
    """The Coordination table."""
    return tables.create_coordination(clients.boto3_client("dynamodb"))
