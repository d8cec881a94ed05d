"""One suite per store: each of its tests runs over DynamoDB in memory, over moto, and where every first answer is lost.

`memory` is what tests elsewhere use; `moto` is asked by the client of the hot paths. `test_dynamodb.py` holds both of
them, and boto3's client, to one behaviour, request by request.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.fakes import tables
from tests.fakes.dynamodb_repeated import Repeated
from tests.fakes.moto_account import moto_account
from zoom_common.aws import clients

# `repeated` loses the first answer of every write, so that its client sends it again.
CLIENTS = ("memory", "moto", "repeated")


# An erasure's receipt may say one less where an answer was lost.
_ANSWERS_ARE_COUNTED = frozenset(
    {
        "test_an_item_is_read_and_deleted_once",
        "test_an_item_of_another_tenant_stays",
        "test_what_is_deleted_is_deleted_once",
    }
)


@pytest.fixture(params=CLIENTS)
def dynamodb(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoDBClient]:
    """A DynamoDB with our three tables, all empty."""
    if request.param == "memory":
        yield tables.in_memory().client()
        return
    if request.param == "repeated":
        if request.node.originalname in _ANSWERS_ARE_COUNTED:
            pytest.skip("it counts what was deleted by this very request; a repeated one deletes nothing")
        yield Repeated(tables.in_memory().client()).client()
        return
    with moto_account(monkeypatch):
        client = clients.client("dynamodb") if request.param == "moto" else clients.boto3_client("dynamodb")
        for create in (tables.create_connections, tables.create_events, tables.create_coordination):
            create(client)
        yield client


@pytest.fixture
def connections_table() -> str:
    """The name of the Connections table."""
    return tables.CONNECTIONS


@pytest.fixture
def events_table() -> str:
    """The name of the Events table."""
    return tables.EVENTS


@pytest.fixture
def coordination_table() -> str:
    """The name of the Coordination table."""
    return tables.COORDINATION
