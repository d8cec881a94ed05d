"""The three tables as the template makes them, for DynamoDB in memory and for moto alike."""

from __future__ import annotations

from mypy_boto3_dynamodb import DynamoDBClient
from mypy_boto3_dynamodb.type_defs import CreateTableInputTypeDef, GlobalSecondaryIndexTypeDef

from tests.fakes.dynamodb import MemoryDynamoDB

CONNECTIONS, EVENTS, COORDINATION = "connections", "events", "coordination"


def create_connections(dynamodb: DynamoDBClient) -> str:
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
    return _create(dynamodb, table)


def create_events(dynamodb: DynamoDBClient) -> str:
    """The Events table."""
    return _create(dynamodb, _table(EVENTS))


def create_coordination(dynamodb: DynamoDBClient) -> str:
    """The Coordination table."""
    return _create(dynamodb, _table(COORDINATION))


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


def _create(dynamodb: DynamoDBClient, table: CreateTableInputTypeDef) -> str:
    dynamodb.create_table(**table)
    dynamodb.update_time_to_live(
        TableName=table["TableName"], TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires_at"}
    )
    return table["TableName"]


def in_memory(dynamodb: MemoryDynamoDB | None = None) -> MemoryDynamoDB:
    """The three tables in memory: those that `dynamodb` has, and new ones for those that it lacks."""
    found = dynamodb if dynamodb is not None else MemoryDynamoDB()
    for name, create in _TABLES.items():
        if name not in found.tables:
            create(found.client())
    return found


_TABLES = {CONNECTIONS: create_connections, EVENTS: create_events, COORDINATION: create_coordination}
