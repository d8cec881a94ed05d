"""The outbox: entries that stand and fall with a transaction, and what the sweep makes of them."""

from __future__ import annotations

from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.fakes.connections import START, connection
from tests.stores import factories
from tests.stores.connection_items import stored
from zoom_common.aws.table import ConditionFailed, Table
from zoom_common.connections.model import State, state_changed
from zoom_common.connections.store import ConnectionStore
from zoom_common.deadline import Deadline
from zoom_common.errors import Unavailable

pytestmark = pytest.mark.aws
FAR = Deadline(1000.0, clock=lambda: 0.0)


@pytest.fixture
def table(dynamodb: DynamoDBClient, connections_table: str) -> Table:
    return Table(dynamodb, connections_table)


@pytest.fixture
def store(dynamodb: DynamoDBClient) -> ConnectionStore:
    return factories.connections(dynamodb)


def change(at: float = START, **changes: Any) -> dict[str, Any]:
    return state_changed(connection(**changes), State.REAUTHORIZATION_REQUIRED, "invalid_grant", at=at)


def test_an_entry_stands_and_falls_with_its_transaction(
    dynamodb: DynamoDBClient, table: Table, store: ConnectionStore
) -> None:
    """Written with the change, it is published by the sweep and deleted; without the change there is none."""
    sent: list[Any] = []
    outbox = factories.outbox(dynamodb, sent.append, lambda: START + 61)
    seen = stored(table)
    assert store.end(seen, reason="invalid_grant", now=START, also=[outbox.entry(change())])
    assert not store.end(seen, reason="invalid_grant", now=START, also=[outbox.entry(change(START + 0.5))])
    assert outbox.sweep(FAR) == 1
    assert sent == [change()]
    assert outbox.sweep(FAR) == 0


def test_what_the_bus_refuses_stays(dynamodb: DynamoDBClient, table: Table) -> None:
    """The oldest first, each until it is on the bus, and nothing younger than a minute."""
    sent: list[Any] = []
    refuses = [True]

    def send(what: Any) -> None:
        if refuses[0]:
            raise Unavailable(reason="event_bus")
        sent.append(what["connection_id"])

    outbox = factories.outbox(dynamodb, send, lambda: START + 70)
    changes = [change(START + at, connection_id=f"con_{at}") for at in (2, 1, 30)]
    table.transact([outbox.entry(each) for each in changes])
    outbox.publish(*changes)
    assert outbox.sweep(FAR) == 0
    refuses[0] = False
    assert outbox.sweep(FAR) == 2
    assert sent == ["con_1", "con_2"]
    outbox.publish(changes[2])
    assert sent == ["con_1", "con_2", "con_30"]


def test_publishing_deletes_only_its_own_entry(dynamodb: DynamoDBClient, table: Table) -> None:
    """Two connections may change in one moment."""
    sent: list[Any] = []
    outbox = factories.outbox(dynamodb, sent.append, lambda: START + 61)
    one, other = change(connection_id="con_1"), change(connection_id="con_2")
    table.transact([outbox.entry(one), outbox.entry(other)])
    outbox.publish(one)
    assert outbox.sweep(FAR) == 1
    assert sent == [one, other]


def test_a_refused_transaction_leaves_nothing(dynamodb: DynamoDBClient, table: Table) -> None:
    """The condition of another operation fails: there is no entry."""
    outbox = factories.outbox(dynamodb, lambda _: None, lambda: START + 61)
    gone = table.to_delete("acme#connections", "con_9", condition="attribute_exists(#pk)")
    with pytest.raises(ConditionFailed):
        table.transact([{"Delete": gone}, outbox.entry(change())])
    assert outbox.sweep(FAR) == 0
