"""One pass over the Connections table: what it counts, what it keeps, and when it is taken anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.fakes.connections import START, connection
from tests.stores import factories
from zoom_common.access.keys import Credential, issue
from zoom_common.aws.table import Table
from zoom_common.connections.model import State
from zoom_common.connections.store import to_values
from zoom_common.console.snapshot import FRESH_SECONDS
from zoom_common.deadline import Deadline
from zoom_common.errors import Unavailable

pytestmark = pytest.mark.aws
FAR = Deadline(1000.0, clock=lambda: 0.0)


def put(dynamodb: DynamoDBClient, table: str, name: str, state: State, **changes: Any) -> None:
    made = replace(connection(connection_id=name, state=state), **changes)
    Table(dynamodb, table).put(to_values(made))


def test_connections_are_counted_and_those_that_want_somebody_come_first(
    dynamodb: DynamoDBClient, connections_table: str
) -> None:
    """Of all tenants, by state and reason; the one that changed last before its like."""
    put(dynamodb, connections_table, "con_1", State.CONNECTED)
    put(dynamodb, connections_table, "con_2", State.REAUTHORIZATION_REQUIRED, reason="invalid_grant")
    put(dynamodb, connections_table, "con_3", State.REFRESH_FAILING, reason="zoom_error", tenant="other")
    later = START + 9
    put(dynamodb, connections_table, "con_4", State.REAUTHORIZATION_REQUIRED, reason="revoked", state_changed_at=later)
    found = factories.snapshots(dynamodb, clock=lambda: START).latest(FAR)
    assert [row.connection_id for row in found.connections] == ["con_4", "con_2", "con_3", "con_1"]
    assert {name: number for name, number in found.states.items() if number} == {
        "connected": 1,
        "reauthorization_required": 2,
        "refresh_failing": 1,
    }
    assert found.reasons == {"invalid_grant": 1, "zoom_error": 1, "revoked": 1}
    assert (found.complete, len(found.tenants)) == (True, 2)


def test_keys_of_every_tenant_are_found_once(dynamodb: DynamoDBClient) -> None:
    """A key has two items, and counts as one; the newest comes first."""
    keys = factories.api_keys(dynamodb)
    for at, tenant in ((1.0, "acme"), (2.0, "other")):
        keys.add(issue(Credential.generate(), tenant=tenant, name="ci", scopes=["meetings:read"], now=at))
    found = factories.snapshots(dynamodb, clock=lambda: START).latest(FAR)
    assert ([key.tenant for key in found.keys], found.key_count) == (["other", "acme"], 2)


def test_a_snapshot_serves_for_half_a_minute(dynamodb: DynamoDBClient, connections_table: str) -> None:
    """Then, or after a change, the table is read again."""
    now = START
    snapshots = factories.snapshots(dynamodb, clock=lambda: now)
    assert snapshots.latest(FAR).states["connected"] == 0
    put(dynamodb, connections_table, "con_1", State.CONNECTED)
    assert snapshots.latest(FAR).states["connected"] == 0
    snapshots.forget()
    assert snapshots.latest(FAR).states["connected"] == 1
    put(dynamodb, connections_table, "con_2", State.CONNECTED)
    now += FRESH_SECONDS
    assert snapshots.latest(FAR).states["connected"] == 2


def test_a_snapshot_whose_time_is_over_says_that_it_is_not_complete(
    dynamodb: DynamoDBClient, connections_table: str
) -> None:
    """Its numbers are the least there are. The first page is always read."""
    for number in range(12):
        big = b"x" * 300_000
        put(dynamodb, connections_table, f"con_{number:02}", State.CONNECTED, sealed_access=big)
    found = factories.snapshots(dynamodb, clock=lambda: START).latest(Deadline(1.0, clock=lambda: 0.0))
    assert not found.complete
    assert 0 < found.states["connected"] < 12


def test_no_seal_and_no_label_are_read(dynamodb: DynamoDBClient, connections_table: str) -> None:
    """What an operator must not see does not come out of the table."""
    put(
        dynamodb, connections_table, "con_1", State.CONNECTED, sealed_access=b"SEAL", label="Ada", owner="ada@x.example"
    )
    (row,) = factories.snapshots(dynamodb, clock=lambda: START).latest(FAR).connections
    assert not {"b'SEAL'", "Ada", "a@x"} & set(map(str, (getattr(row, name) for name in row.__slots__)))


def test_a_table_that_does_not_answer_is_unavailable() -> None:
    """A table that does not answer raises Unavailable and is not taken for an empty stack."""
    with pytest.raises(Unavailable):
        factories.snapshots(factories.away(), clock=lambda: START).latest(FAR)
