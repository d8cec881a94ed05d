"""One store at a time against moto: dummy credentials, and the three tables as the template makes them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws
from mypy_boto3_dynamodb import DynamoDBClient
from mypy_boto3_dynamodb.type_defs import CreateTableInputTypeDef, GlobalSecondaryIndexTypeDef

from tests.fakes.moto_line import MotoLine
from zoom_common.aws import clients

CONNECTIONS, EVENTS, COORDINATION = "connections", "events", "coordination"
_ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": "eu-central-1",
    "AWS_REGION": "eu-central-1",
}


@pytest.fixture(autouse=True)
def aws_account(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty account for each test; clients of the last one are forgotten."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in _ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(clients, "Connection", MotoLine)
    forget_clients()
    with mock_aws():
        yield
    forget_clients()


def forget_clients() -> None:
    """Make the next clients new ones."""
    clients.forget()


@pytest.fixture(params=["boto3", "light"])
def dynamodb(request: pytest.FixtureRequest) -> DynamoDBClient:
    """A client that stores use: boto3's off the hot paths, the light one on them."""
    return clients.boto3_client("dynamodb") if request.param == "boto3" else clients.client("dynamodb")


@pytest.fixture
def connections_table() -> str:
    """The Connections table, with its sparse index of due times."""
    due: GlobalSecondaryIndexTypeDef = {
        "IndexName": "due",
        "KeySchema": [
            {"AttributeName": "due_shard", "KeyType": "HASH"},
            {"AttributeName": "due_at", "KeyType": "RANGE"},
        ],
        "Projection": {"ProjectionType": "KEYS_ONLY"},
    }
    table = _table(CONNECTIONS)
    table["AttributeDefinitions"] = [
        *table["AttributeDefinitions"],
        {"AttributeName": "due_shard", "AttributeType": "S"},
        {"AttributeName": "due_at", "AttributeType": "N"},
    ]
    table["GlobalSecondaryIndexes"] = [due]
    return _create(table)


@pytest.fixture
def events_table() -> str:
    """The Events table."""
    return _create(_table(EVENTS))


@pytest.fixture
def coordination_table() -> str:
    """The Coordination table."""
    return _create(_table(COORDINATION))


def _table(name: str) -> CreateTableInputTypeDef:
    return {
        "TableName": name,
        "AttributeDefinitions": [
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": "S"},
        ],
        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        "BillingMode": "PAY_PER_REQUEST",
    }


def _create(table: CreateTableInputTypeDef) -> str:
    dynamodb = clients.boto3_client("dynamodb")
    dynamodb.create_table(**table)
    dynamodb.update_time_to_live(
        TableName=table["TableName"], TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
    )
    return table["TableName"]
