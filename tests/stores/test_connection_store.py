"""Connections: read, found, touched, ended and deleted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.fakes.connections import START, connection
from tests.stores import factories
from tests.stores.connection_items import pair, stored
from zoom_common.connections.authorization_store import AuthorizationStore
from zoom_common.connections.item import from_values, to_values
from zoom_common.connections.model import Kind, Spare, State
from zoom_common.connections.refresh_store import RefreshStore
from zoom_common.connections.store import ConnectionStore
from zoom_common.connections.table_client import ConditionFailed, Table
from zoom_common.errors import InvalidRequest, Unavailable

pytestmark = pytest.mark.aws


@pytest.fixture
def table(dynamodb: DynamoDBClient, connections_table: str) -> Table:
    return Table(dynamodb, connections_table)


@pytest.fixture
def store(dynamodb: DynamoDBClient) -> ConnectionStore:
    return factories.connections(dynamodb)


@pytest.fixture
def refreshes(dynamodb: DynamoDBClient) -> RefreshStore:
    return factories.refreshes(dynamodb)


@pytest.fixture
def links(dynamodb: DynamoDBClient) -> AuthorizationStore:
    return factories.authorizations(dynamodb)


def test_a_connection_survives_the_table(table: Table, store: ConnectionStore) -> None:
    """Every field comes back as it was written, nothing more and nothing less."""
    made = stored(
        table,
        reason="zoom_error",
        spares={"a9": Spare(b"spare", START)},
        intents={"a8": START},
        previous_refresh=b"previous",
        lease_owner="a8",
        lease_expires_at=START + 60,
        access_expires_at=START + 0.125,
    )
    assert store.get("acme", "con_1") == made


@pytest.mark.parametrize("state", [State.PENDING, State.REAUTHORIZATION_REQUIRED])
def test_only_living_connections_are_in_the_due_index(state: State) -> None:
    """The index is sparse: what is not refreshed costs a sweep nothing."""
    values = to_values(connection(state=state))
    assert values.get("due_shard") is None
    assert values["due_at"] is None


def test_another_tenant_finds_nothing(table: Table, store: ConnectionStore) -> None:
    """The tenant is part of the key."""
    stored(table)
    assert store.get("other", "con_1") is None
    assert store.list("other").connections == []


def test_pages_of_one_owner(table: Table, store: ConnectionStore) -> None:
    """Pages hold as many of the owner's connections as asked for, and the last one says so."""
    for number in range(7):
        stored(table, connection_id=f"con_{number}", owner="ada" if number % 2 else "bob")
    first = store.list("acme", owner="bob", limit=3)
    assert [each.connection_id for each in first.connections] == ["con_0", "con_2", "con_4"]
    second = store.list("acme", owner="bob", limit=3, cursor=first.cursor)
    assert [each.connection_id for each in second.connections] == ["con_6"]
    assert second.cursor is None
    with pytest.raises(InvalidRequest):
        store.list("acme", cursor="\xff")


def test_claims_lead_to_their_connection(table: Table, store: ConnectionStore) -> None:
    """A Zoom user of an app has one connection; another app's user of the same id has none."""
    made = stored(table)
    table.put({"pk": "claim#zoom-app#zoom-user", "sk": "claim", "tenant": "acme", "connection_id": "con_1"})
    assert store.by_zoom_user("zoom-app", "zoom-user") == made
    assert store.by_zoom_user("other-app", "zoom-user") is None


def test_accounts_lead_to_all_their_connections(table: Table, store: ConnectionStore) -> None:
    """Several tenants may be connected to one Zoom account."""
    for tenant in ("acme", "beta"):
        stored(table, tenant=tenant, kind=Kind.ACCOUNT, zoom_user_id=None)
        link = {"tenant": tenant, "connection_id": "con_1"}
        table.put({"pk": "account#zoom-app#zoom-account", "sk": f"{tenant}#con_1", **link})
    assert [each.tenant for each in store.by_account("zoom-app", "zoom-account")] == ["acme", "beta"]


def test_an_account_is_linked_with_its_connection(store: ConnectionStore) -> None:
    """Both are written at once, once; new credentials replace what was seen and nothing else; both are deleted."""
    made = connection(kind=Kind.ACCOUNT, zoom_user_id=None)
    store.add_account(made)
    assert [each.connection_id for each in store.by_account(made.client_id, "zoom-account")] == ["con_1"]
    with pytest.raises(ConditionFailed):
        store.add_account(made)
    renewed = replace(made, grant_id="grant_2", version=2)
    store.replace(renewed, seen=made)
    with pytest.raises(ConditionFailed):
        store.replace(renewed, seen=made)
    assert store.get("acme", "con_1") == renewed
    store.delete(renewed)
    assert store.by_account(made.client_id, "zoom-account") == []


def test_touching_keeps_a_connection_warm(table: Table, store: ConnectionStore) -> None:
    """Use is written down for the version seen; when that has moved, nothing is."""
    seen = stored(table)
    store.touch(seen, now=START, due_at=START + 5)
    now = store.get("acme", "con_1")
    assert now is not None
    assert (now.last_used_at, now.due_at) == (START, START + 5)
    store.touch(replace(seen, version=7), now=START + 1, due_at=START + 6)
    assert store.get("acme", "con_1") == now


def test_ending_is_for_the_grant_that_was_seen(table: Table, store: ConnectionStore) -> None:
    """A late word about a former grant does not end a newer one."""
    seen = stored(table)
    assert not store.end(replace(seen, grant_id="former"), reason="deauthorized", now=START)
    assert store.end(seen, reason="deauthorized", now=START)
    now = store.get("acme", "con_1")
    assert now is not None
    assert (now.state, now.reason, now.due_at) == (State.REAUTHORIZATION_REQUIRED, "deauthorized", None)


def test_tokens_are_forgotten_for_the_grant_that_was_seen(
    table: Table, store: ConnectionStore, refreshes: RefreshStore
) -> None:
    """No sealed byte is left, nothing is due, and a refresh under way writes nothing."""
    seen = stored(table, previous_refresh=b"p", spares={"a": Spare(b"s", START)}, lease_owner="w", intents={"w": START})
    assert not store.forget_tokens(replace(seen, grant_id="another"), reason="app_deauthorized", now=START)
    assert store.forget_tokens(seen, reason="app_deauthorized", now=START)
    found = store.get("acme", "con_1")
    assert found is not None
    assert (found.sealed_access, found.sealed_refresh, found.previous_refresh, found.spares) == (b"", b"", None, {})
    assert (found.reason, found.due_at, found.lease_owner) == ("app_deauthorized", None, None)
    written = refreshes.write(pair(), release=False)
    assert written is not None
    assert not refreshes.keep_spare(pair())


def test_being_heard_of(table: Table, store: ConnectionStore) -> None:
    """A connection that is gone is not made again by an event."""
    seen = stored(table)
    store.heard(seen.tenant, seen.connection_id, now=START + 5)
    store.heard("acme", "con_gone", now=START)
    assert store.get("acme", "con_1") == replace(seen, last_webhook_at=START + 5)
    assert store.get("acme", "con_gone") is None


def test_disconnecting_holds_before_the_item_is_gone(
    table: Table, store: ConnectionStore, refreshes: RefreshStore
) -> None:
    """No refresh under way writes to a connection that is on its way out."""
    seen = stored(table)
    ended = store.disconnect(seen, now=START)
    assert ended is not None
    assert ended.state is State.DISCONNECTED
    found = refreshes.write(pair(), release=False)
    assert found is not None
    assert found.grant_id != "grant_1"
    assert store.disconnect(replace(seen, connection_id="con_2"), now=START) is None


@pytest.mark.parametrize(("holder", "left"), [("con_1", None), ("con_2", "con_2")])
def test_deleting_takes_its_own_claim_along(
    table: Table, store: ConnectionStore, holder: str, left: str | None
) -> None:
    """Another's claim stays."""
    made = stored(table)
    table.put({"pk": "claim#zoom-app#zoom-user", "sk": "claim", "tenant": "acme", "connection_id": holder})
    store.delete(made)
    assert store.get("acme", "con_1") is None
    claim = table.get("claim#zoom-app#zoom-user", "claim")
    assert (claim or {}).get("connection_id") == left


def test_a_table_that_is_not_there_is_unavailable(dynamodb: DynamoDBClient) -> None:
    """Errors of DynamoDB become ours, without its text."""
    with pytest.raises(Unavailable):
        ConnectionStore(Table(dynamodb, "nowhere")).get("acme", "con_1")


def test_items_are_readable_without_optional_fields() -> None:
    """What was absent comes back as None or empty."""
    made = connection(scopes=frozenset(), zoom_user_id=None)
    values = {name: value for name, value in to_values(made).items() if value is not None and name != "scopes"}
    assert from_values(values) == made
