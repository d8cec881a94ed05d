"""Connections, their refresh and their links in DynamoDB: every condition, against moto."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.fakes.connections import START, connection
from tests.fakes.dynamodb_outage import throttled
from zoom_common.aws.table import CONNECTIONS, ConditionFailed, Table
from zoom_common.connections.authorization_store import AuthorizationStore, Claim, LinkRequest
from zoom_common.connections.item import SHARDS, due_shard, from_values, to_values
from zoom_common.connections.model import Connection, Kind, Spare, State
from zoom_common.connections.refresh_store import RefreshStore
from zoom_common.connections.refusals import Row
from zoom_common.connections.steps import SealedPair, Settlement
from zoom_common.connections.store import ConnectionStore
from zoom_common.errors import InternalError, InvalidRequest, Unavailable
from zoom_common.secret import Secret

pytestmark = pytest.mark.aws

LINK = LinkRequest(tenant="acme", subject="key:k1", owner="ada", return_url="https://app.example/done")


@pytest.fixture
def table(dynamodb: DynamoDBClient, connections_table: str) -> Table:
    return Table(dynamodb, connections_table)


@pytest.fixture
def store(table: Table) -> ConnectionStore:
    return ConnectionStore(table)


@pytest.fixture
def refreshes(table: Table) -> RefreshStore:
    return RefreshStore(table)


@pytest.fixture
def links(dynamodb: DynamoDBClient, table: Table, coordination_table: str) -> AuthorizationStore:
    return AuthorizationStore(Table(dynamodb, coordination_table), table)


def stored(table: Table, **changes: Any) -> Connection:
    made = connection(**({"sealed_access": b"access", "sealed_refresh": b"refresh"} | changes))
    table.put(to_values(made))
    return made


def pair(**changes: Any) -> SealedPair:
    values: dict[str, Any] = {
        "tenant": "acme",
        "connection_id": "con_1",
        "grant_id": "grant_1",
        "seen_version": 1,
        "attempt": "a1",
        "sealed_access": b"new access",
        "sealed_refresh": b"new refresh",
        "used_refresh": b"refresh",
        "tried": (),
        "access_expires_at": START + 3600,
        "issued_at": START,
        "scopes": frozenset({"user:read:user"}),
        "api_url": None,
        "state_changed_at": START,
        "last_used_at": None,
        "due_at": START + 2700,
    }
    return SealedPair(**(values | changes))


def settlement(**changes: Any) -> Settlement:
    values: dict[str, Any] = {
        "attempt": "a1",
        "state": State.REFRESH_FAILING,
        "reason": "zoom_error",
        "failures": 3,
        "cool_until": START + 30,
        "state_changed_at": START,
        "due_at": START + 30,
        "outcome_known": True,
    }
    return Settlement(**(values | changes))


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


def test_the_lease_is_taken_once(table: Table, store: ConnectionStore, refreshes: RefreshStore) -> None:
    """The winner gets the connection with its lease and intent on it, the others get nothing."""
    seen = stored(table, intents={"old": START - 1000, "young": START - 10})
    won = refreshes.take_lease(seen, "a1", now=START, until=START + 60, skew=10)
    assert won is not None
    assert (won.lease_owner, won.lease_expires_at) == ("a1", START + 60)
    assert dict(won.intents) == {"young": START - 10, "a1": START}
    assert refreshes.take_lease(seen, "a2", now=START + 65, until=START + 125, skew=10) is None
    assert refreshes.take_lease(seen, "a1", now=START, until=START + 60, skew=10) is not None
    assert refreshes.take_lease(seen, "a2", now=START + 71, until=START + 131, skew=10) is not None
    assert store.get("acme", "con_1") != won


@pytest.mark.parametrize("change", [{"version": 2}, {"grant_id": "g2"}, {"state": State.REAUTHORIZATION_REQUIRED}])
def test_no_lease_on_what_has_moved(table: Table, refreshes: RefreshStore, change: dict[str, Any]) -> None:
    """The lease is for the version and grant that were seen."""
    seen = connection(sealed_access=b"a", sealed_refresh=b"r")
    stored(table, **change)
    assert refreshes.take_lease(seen, "a1", now=START, until=START + 60, skew=10) is None


def test_a_write_moves_everything_together(table: Table, store: ConnectionStore, refreshes: RefreshStore) -> None:
    """New pair, version, state and due time, and the lease, intent and tried spares are gone."""
    seen = stored(
        table,
        state=State.REFRESH_FAILING,
        reason="x",
        failures=4,
        spares={"s1": Spare(b"s1", START), "s2": Spare(b"s2", START)},
    )
    refreshes.take_lease(seen, "a1", now=START, until=START + 60, skew=10)
    assert refreshes.write(pair(tried=("s1",), api_url="https://api-eu.zoom.us"), release=True) is None
    now = store.get("acme", "con_1")
    assert now is not None
    assert (now.version, now.state, now.reason, now.failures) == (2, State.CONNECTED, None, 0)
    assert (now.sealed_refresh, now.previous_refresh, now.written_by) == (b"new refresh", b"refresh", "a1")
    assert (now.lease_owner, dict(now.intents), list(now.spares)) == (None, {}, ["s2"])
    assert (now.due_at, now.api_url, now.last_used_at) == (START + 2700, "https://api-eu.zoom.us", START - 60)


def test_a_write_says_what_it_found(table: Table, refreshes: RefreshStore) -> None:
    """A moved version, another's lease and a missing connection are told apart."""
    with pytest.raises(LookupError):
        refreshes.write(pair(), release=True)
    seen = stored(table, lease_owner="a2", lease_expires_at=START + 60)
    assert refreshes.write(pair(), release=True) == seen
    assert refreshes.write(pair(), release=False) is None
    found = refreshes.write(pair(), release=False)
    assert found is not None
    assert (found.version, found.written_by, found.lease_owner) == (2, "a1", "a2")


def test_a_spare_is_kept_for_its_grant_only(table: Table, store: ConnectionStore, refreshes: RefreshStore) -> None:
    """Beside the current pair, under its attempt, without touching anybody's lease."""
    stored(table, version=2, intents={"a1": START, "a2": START})
    assert refreshes.keep_spare(pair())
    assert not refreshes.keep_spare(pair(grant_id="former"))
    now = store.get("acme", "con_1")
    assert now is not None
    assert dict(now.spares) == {"a1": Spare(b"new refresh", START)}
    assert list(now.intents) == ["a2"]


def test_settling_needs_the_lease(table: Table, store: ConnectionStore, refreshes: RefreshStore) -> None:
    """Whoever has lost the lease changes nothing."""
    seen = stored(table)
    assert not refreshes.settle(seen, settlement())
    assert store.get("acme", "con_1") == seen


@pytest.mark.parametrize(("known", "intents"), [(True, []), (False, ["a1"])])
def test_settling(
    table: Table, store: ConnectionStore, refreshes: RefreshStore, *, known: bool, intents: list[str]
) -> None:
    """State, reason and rest are written, the lease ends, and the intent stands if nobody knows its outcome."""
    seen = stored(table)
    refreshes.take_lease(seen, "a1", now=START, until=START + 60, skew=10)
    assert refreshes.settle(seen, settlement(outcome_known=known))
    now = store.get("acme", "con_1")
    assert now is not None
    assert (now.state, now.reason, now.failures, now.due_at) == (State.REFRESH_FAILING, "zoom_error", 3, START + 30)
    assert (now.lease_owner, list(now.intents)) == (None, intents)


def test_a_refusal_is_noted_on_the_version_it_is_about(
    table: Table, store: ConnectionStore, refreshes: RefreshStore
) -> None:
    """A connection that nothing was noted about reads as never refused; one that has moved is left alone."""
    table.put(to_values(connection()))
    seen = store.get("acme", "con_1")
    assert seen is not None
    assert refreshes.note_refusal(seen, Row(2, START))
    noted = store.get("acme", "con_1")
    assert noted is not None
    assert (noted.refused_version, noted.refusals, noted.refused_since) == (1, 2, START)
    assert not refreshes.note_refusal(replace(seen, version=7), Row(3, START))
    assert not refreshes.note_refusal(replace(seen, grant_id="another"), Row(3, START))
    older = {name: value for name, value in to_values(connection()).items() if not name.startswith("refus")}
    assert from_values(older).refusals == 0


def test_what_needs_the_person_is_due_no_more(table: Table, refreshes: RefreshStore) -> None:
    """Re-authorization takes the connection out of the index, and a new pair puts it back."""
    seen = stored(table)
    refreshes.take_lease(seen, "a1", now=START, until=START + 60, skew=10)
    refreshes.settle(seen, settlement(state=State.REAUTHORIZATION_REQUIRED, due_at=None))
    assert refreshes.due(due_shard("con_1"), now=START + 9e6) == ([], None)
    refreshes.write(pair(), release=False)
    assert refreshes.due(due_shard("con_1"), now=START + 2700) == ([("acme", "con_1")], None)


def test_the_index_names_only_what_is_due(table: Table, refreshes: RefreshStore) -> None:
    """A sweep reads what is due, longest due first, and nothing else."""
    ids = [f"con_{number}" for number in range(200)]
    for number, each in enumerate(ids):
        stored(table, connection_id=each, due_at=START - number if number < 20 else START + 1)
    found = [each for shard in range(SHARDS) for each in refreshes.due(f"{shard:02d}", now=START)[0]]
    assert sorted(found) == sorted(("acme", each) for each in ids[:20])
    assert len({due_shard(each) for each in ids}) == SHARDS


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


def test_a_ticket_starts_once(links: AuthorizationStore) -> None:
    """Looking at it consumes nothing; starting does; expired is unknown."""
    ticket, state, cookie = Secret("t"), Secret("s"), Secret("c")
    links.put_ticket(ticket, LINK, expires_at=int(START) + 900)
    assert links.ticket(ticket, now=START) == LINK
    assert links.ticket(ticket, now=START + 900) is None
    assert links.start(ticket, state, cookie, now=START, expires_at=int(START) + 600) == LINK
    assert links.start(ticket, state, cookie, now=START, expires_at=int(START) + 600) is None


def test_a_state_is_taken_once_by_its_cookie_in_time(links: AuthorizationStore) -> None:
    """A foreign cookie and a late one take nothing, and a taken state is gone."""
    ticket, state, cookie = Secret("t"), Secret("s"), Secret("c")
    links.put_ticket(ticket, LINK, expires_at=int(START) + 900)
    links.start(ticket, state, cookie, now=START, expires_at=int(START) + 600)
    assert links.take_state(state, Secret("foreign"), now=START) is None
    assert links.take_state(state, cookie, now=START + 600) is None
    assert links.take_state(state, cookie, now=START) == LINK
    assert links.take_state(state, cookie, now=START) is None


def test_secrets_are_kept_by_digest(
    links: AuthorizationStore, dynamodb: DynamoDBClient, coordination_table: str
) -> None:
    """Who reads the table can follow no link."""
    links.put_ticket(Secret("the-ticket"), LINK, expires_at=int(START) + 900)
    links.start(Secret("the-ticket"), Secret("the-state"), Secret("the-cookie"), now=START, expires_at=int(START) + 600)
    links.put_pending(connection(state=State.PENDING), Secret("the-code"), LINK, expires_at=int(START) + 600)
    everything = str(dynamodb.scan(TableName=coordination_table)["Items"])
    assert not any(secret in everything for secret in ("the-ticket", "the-state", "the-cookie", "the-code"))


def linked(links: AuthorizationStore, code: str = "code", **changes: Any) -> Connection:
    pending = connection(
        **({"state": State.PENDING, "sealed_access": b"a", "sealed_refresh": b"r", "due_at": None} | changes)
    )
    link = replace(LINK, connection_id=pending.connection_id)
    links.put_pending(pending, Secret(code), link, expires_at=int(START) + 600)
    return pending


def test_redeeming_moves_code_connection_and_claim(links: AuthorizationStore, store: ConnectionStore) -> None:
    """All at once, and once."""
    pending = linked(links)
    connected = replace(pending, state=State.CONNECTED, due_at=START + 5)
    arguments: Any = {"pending": pending, "connected": connected, "replaced": None, "claim": None, "superseded": None}
    links.redeem(Secret("code"), **arguments, now=START)
    assert store.get("acme", "con_1") == connected
    assert links.claim("zoom-app", "zoom-user") == Claim(tenant="acme", connection_id="con_1")
    with pytest.raises(ConditionFailed) as failed:
        links.redeem(Secret("code"), **arguments, now=START)
    assert 0 in failed.value.failed


def test_redeeming_into_a_former_connection(links: AuthorizationStore, store: ConnectionStore, table: Table) -> None:
    """The grant moves to the former id, and the pending one is gone."""
    former = stored(table, connection_id="con_0")
    pending = linked(links, grant_id="grant_2")
    connected = replace(pending, connection_id="con_0", version=2, state=State.CONNECTED)
    links.redeem(
        Secret("code"),
        pending=pending,
        connected=connected,
        replaced=former,
        claim=None,
        superseded=None,
        now=START,
    )
    assert store.get("acme", "con_1") is None
    assert store.get("acme", "con_0") == connected


def test_redeeming_supersedes_another_tenants_connection(
    links: AuthorizationStore, store: ConnectionStore, table: Table, refreshes: RefreshStore
) -> None:
    """The former one asks for re-authorization, and a refresh under way is dropped."""
    former = stored(table, tenant="beta")
    table.put({"pk": "claim#zoom-app#zoom-user", "sk": "claim", "tenant": "beta", "connection_id": "con_1"})
    pending = linked(links, grant_id="grant_2")
    links.redeem(
        Secret("code"),
        pending=pending,
        connected=replace(pending, state=State.CONNECTED),
        replaced=None,
        claim=Claim(tenant="beta", connection_id="con_1"),
        superseded=former,
        now=START,
    )
    now = store.get("beta", "con_1")
    assert now is not None
    assert (now.state, now.reason, now.due_at) == (State.REAUTHORIZATION_REQUIRED, "superseded", None)
    found = refreshes.write(pair(tenant="beta"), release=False)
    assert found is not None
    assert found.version == 1
    assert links.claim("zoom-app", "zoom-user") == Claim(tenant="acme", connection_id="con_1")


def test_nothing_moves_when_the_claim_has(links: AuthorizationStore, store: ConnectionStore, table: Table) -> None:
    """A claim that somebody else took meanwhile stops the whole redemption."""
    pending = linked(links)
    table.put({"pk": "claim#zoom-app#zoom-user", "sk": "claim", "tenant": "beta", "connection_id": "con_9"})
    with pytest.raises(ConditionFailed):
        links.redeem(
            Secret("code"),
            pending=pending,
            connected=replace(pending, state=State.CONNECTED),
            replaced=None,
            claim=None,
            superseded=None,
            now=START,
        )
    assert store.get("acme", "con_1") == pending
    assert links.code(Secret("code"), now=START) is not None


def test_a_table_that_throttles_is_unavailable() -> None:
    """Errors of DynamoDB become ours, without its text, and the reason names the table."""
    with pytest.raises(Unavailable) as caught:
        ConnectionStore(Table(throttled(), "connections", CONNECTIONS)).get("acme", "con_1")
    assert caught.value.reason == "connections_store_unavailable"


def test_a_table_that_is_not_there_is_a_fault_of_ours(dynamodb: DynamoDBClient) -> None:
    """It is called one, by DynamoDB's code."""
    with pytest.raises(InternalError) as caught:
        ConnectionStore(Table(dynamodb, "nowhere", CONNECTIONS)).get("acme", "con_1")
    assert (caught.value.where, caught.value.cause) == ("connections_store_unavailable", "ResourceNotFoundException")


def test_items_are_readable_without_optional_fields() -> None:
    """What was absent comes back as None or empty."""
    made = connection(scopes=frozenset(), zoom_user_id=None)
    values = {name: value for name, value in to_values(made).items() if value is not None and name != "scopes"}
    assert from_values(values) == made
