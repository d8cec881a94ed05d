"""Connections: read, found, touched, ended and deleted."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.fakes.connections import START, connection
from tests.stores import factories
from tests.stores.connection_items import pair, stored
from zoom_common.aws.table import ConditionFailed, Table
from zoom_common.connections.link_store import AuthorizationStore
from zoom_common.connections.model import Connection, Kind, Spare, State
from zoom_common.connections.refresh.store import RefreshStore
from zoom_common.connections.store import ConnectionStore, due_shard, from_values, to_values
from zoom_common.errors import Unavailable

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


@pytest.mark.parametrize(
    "made", [connection(state=State.PENDING), connection(state=State.REAUTHORIZATION_REQUIRED, due_at=None)]
)
def test_what_is_not_refreshed_is_not_in_the_due_index(made: Connection) -> None:
    """The index is sparse: what is not refreshed costs a sweep nothing."""
    values = to_values(made)
    assert values.get("due_shard") is None
    assert values["due_at"] is None


def test_what_was_given_up_is_in_the_due_index_until_its_last_try() -> None:
    """Its tokens are tried again at the time that it names."""
    values = to_values(connection(state=State.REAUTHORIZATION_REQUIRED, due_at=START))
    assert values["due_shard"] is not None
    assert values["due_at"] == START


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


def test_what_has_ended_may_be_due_again(table: Table, store: ConnectionStore, refreshes: RefreshStore) -> None:
    """The index names it at that time."""
    seen = stored(table)
    assert store.end(seen, reason="tokens_refused", now=START, again_at=START + 900)
    assert refreshes.due(due_shard("con_1"), now=START + 899) == ([], None)
    assert refreshes.due(due_shard("con_1"), now=START + 900) == ([("acme", "con_1")], None)


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


def test_an_event_of_a_connection_is_noted(table: Table, store: ConnectionStore) -> None:
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


def test_a_table_that_is_not_there_is_unavailable() -> None:
    """Errors of DynamoDB become ours, without its text."""
    with pytest.raises(Unavailable):
        factories.connections(factories.away()).get("acme", "con_1")


def test_items_are_readable_without_optional_fields() -> None:
    """What was absent comes back as None or empty."""
    made = connection(scopes=frozenset(), zoom_user_id=None)
    values = {name: value for name, value in to_values(made).items() if value is not None and name != "scopes"}
    assert from_values(values) == made


def due(refreshes: RefreshStore, connection_id: str = "con_1", *, now: float = START + 9e6) -> list[tuple[str, str]]:
    """What the index of due connections names in the connection's shard."""
    return refreshes.due(due_shard(connection_id), now=now)[0]


@pytest.mark.parametrize("connection_id", ["", "x" * 257, "x" * 2000])
def test_an_id_that_cannot_be_a_key_is_nobodys(store: ConnectionStore, connection_id: str) -> None:
    """Such an id is answered like a missing connection, because DynamoDB would refuse the key."""
    assert store.get("acme", connection_id) is None


def test_a_late_touch_revives_nothing(table: Table, store: ConnectionStore, refreshes: RefreshStore) -> None:
    """A call that was under way while its connection ended leaves it ended, out of the index of tokens, and unused.

    A disconnected one is in the index for whoever finishes the disconnect.
    """
    for number, ending in enumerate(("disconnect", "forget", "end")):
        seen = stored(table, connection_id=f"con_{number}")
        if ending == "disconnect":
            store.disconnect(seen, now=START)
        elif ending == "forget":
            store.forget_tokens(seen, reason="app_deauthorized", now=START)
        else:
            store.end(seen, reason="invalid_grant", now=START)
        ended = store.get("acme", seen.connection_id)
        store.touch(seen, now=START + 5, due_at=START + 10)
        assert store.get("acme", seen.connection_id) == ended
        left_behind = [("acme", seen.connection_id)] if ending == "disconnect" else []
        assert due(refreshes, seen.connection_id) == left_behind


def test_a_touch_makes_nothing(table: Table, store: ConnectionStore, refreshes: RefreshStore) -> None:
    """Neither a connection that is gone, nor a due time for one that is not refreshed."""
    store.touch(connection(), now=START, due_at=START)
    assert store.get("acme", "con_1") is None
    pending = stored(table, state=State.PENDING, due_at=None)
    store.touch(pending, now=START + 5, due_at=START)
    assert (store.get("acme", "con_1"), due(refreshes)) == (pending, [])


def test_a_touch_moves_the_due_time_in_the_index(table: Table, store: ConnectionStore, refreshes: RefreshStore) -> None:
    """The entry moves and is not doubled."""
    store.touch(stored(table), now=START, due_at=START + 50)
    assert due(refreshes, now=START + 49) == []
    assert due(refreshes, now=START + 50) == [("acme", "con_1")]


def test_a_page_that_ends_with_the_last_connection_is_the_last(table: Table, store: ConnectionStore) -> None:
    """No page is empty, and none is announced that is not there; order is by id, beyond what one query reads."""
    for number in range(120):
        stored(table, connection_id=f"con_{number:03}", owner="ada" if number % 4 == 0 else "bob")
    page = store.list("acme", owner="ada", limit=30)
    assert ([each.connection_id for each in page.connections][-1], page.cursor) == ("con_116", None)
    first = store.list("acme", limit=100)
    rest = store.list("acme", limit=100, cursor=first.cursor)
    found = [each.connection_id for each in [*first.connections, *rest.connections]]
    assert (found, rest.cursor) == ([f"con_{number:03}" for number in range(120)], None)


def test_a_claim_on_what_is_not_there_leads_nowhere(table: Table, store: ConnectionStore) -> None:
    """The connection is gone, or has become another Zoom user's."""
    table.put({"pk": "claim#zoom-app#zoom-user", "sk": "claim", "tenant": "acme", "connection_id": "con_1"})
    assert store.by_zoom_user("zoom-app", "zoom-user") is None
    stored(table, zoom_user_id="another")
    assert store.by_zoom_user("zoom-app", "zoom-user") is None


def test_a_link_to_what_is_gone_is_passed_over(table: Table, store: ConnectionStore) -> None:
    """Only connections that are there are found by their account."""
    link = {"tenant": "acme", "connection_id": "con_1"}
    table.put({"pk": "account#zoom-app#zoom-account", "sk": "acme#con_1", **link})
    assert store.by_account("zoom-app", "zoom-account") == []
    assert store.by_account("zoom-app", "another") == []


@pytest.mark.parametrize("moved", [{"version": 2}, {"grant_id": "another"}, None])
def test_only_what_was_seen_is_replaced(table: Table, store: ConnectionStore, moved: dict[str, Any] | None) -> None:
    """A version or grant that has moved, or a connection that is gone, raises and stays as it is."""
    now = stored(table, **moved) if moved is not None else None
    seen = connection(sealed_access=b"access", sealed_refresh=b"refresh")
    with pytest.raises(ConditionFailed):
        store.replace(replace(seen, owner="eve"), seen=seen)
    assert store.get("acme", "con_1") == now


@pytest.mark.parametrize(
    ("state", "ended"),
    [
        (State.CONNECTED, True),
        (State.REFRESH_FAILING, True),
        (State.PENDING, False),
        (State.REAUTHORIZATION_REQUIRED, False),
        (State.DISCONNECTED, False),
    ],
)
def test_only_what_lives_is_ended(
    table: Table, store: ConnectionStore, refreshes: RefreshStore, state: State, *, ended: bool
) -> None:
    """Once; its tokens stay, it leaves the index, and what has ended already keeps its reason and its next try."""
    seen = stored(table, state=state, reason="before")
    assert store.end(seen, reason="invalid_grant", now=START + 5) is ended
    assert not store.end(seen, reason="again", now=START + 6)
    now = store.get("acme", "con_1")
    assert now is not None
    assert (now.reason, now.sealed_refresh) == ("invalid_grant" if ended else "before", b"refresh")
    swept = state in {State.REAUTHORIZATION_REQUIRED, State.DISCONNECTED}
    assert due(refreshes) == ([("acme", "con_1")] if swept else [])


def test_what_is_gone_cannot_be_ended(store: ConnectionStore) -> None:
    """Nor does it come into being by it."""
    gone = connection()
    assert not store.end(gone, reason="x", now=START)
    assert not store.forget_tokens(gone, reason="x", now=START)
    assert store.disconnect(gone, now=START) is None
    store.delete(gone)
    assert store.get("acme", "con_1") is None


def test_forgotten_tokens_leave_the_index(table: Table, store: ConnectionStore, refreshes: RefreshStore) -> None:
    """And forgetting again is for the former grant, which is gone."""
    seen = stored(table)
    assert store.forget_tokens(seen, reason="app_deauthorized", now=START)
    assert not store.forget_tokens(seen, reason="again", now=START + 1)
    assert due(refreshes) == []


def test_disconnecting_again_is_disconnecting(table: Table, store: ConnectionStore, refreshes: RefreshStore) -> None:
    """The tokens stay for the revocation, the reason is removed, and the sweep finds it a minute later."""
    seen = stored(table, reason="zoom_error", state=State.REFRESH_FAILING)
    first = store.disconnect(seen, now=START)
    assert first is not None
    assert store.disconnect(seen, now=START + 1) is None
    assert (first.state, first.reason, first.due_at, first.sealed_refresh) == (
        State.DISCONNECTED,
        None,
        START + 60,
        b"refresh",
    )
    again = store.disconnect(first, now=START + 1)
    assert again == replace(first, state_changed_at=START + 1, due_at=START + 61)
    assert due(refreshes) == [("acme", "con_1")]


def test_deleting_again_is_deleting(table: Table, store: ConnectionStore) -> None:
    """An account's connection and a user's, with a claim and without."""
    user = stored(table)
    account = connection(connection_id="con_2", kind=Kind.ACCOUNT, zoom_user_id=None)
    store.add_account(account)
    for each in (user, account):
        store.delete(each)
        store.delete(each)
    assert store.list("acme").connections == []


def test_a_label_is_set_and_taken_away(table: Table, store: ConnectionStore) -> None:
    """Nothing else of the connection changes."""
    made = stored(table)
    assert store.rename("acme", "con_1", "Ada") == replace(made, label="Ada")
    assert store.rename("acme", "con_1", None) == made
    assert store.get("acme", "con_1") == made


@pytest.mark.parametrize("changes", [{"connection_id": "con_2"}, {"state": State.DISCONNECTED}])
def test_what_is_gone_or_about_to_go_gets_no_label(
    table: Table, store: ConnectionStore, changes: dict[str, Any]
) -> None:
    """A label does not bring back a connection that was disconnected meanwhile."""
    stored(table, due_at=None, **changes)
    assert store.rename("acme", "con_1", "Ada") is None
    assert (store.get("acme", "con_1") or connection()).label is None
