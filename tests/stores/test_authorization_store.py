"""Tickets, states and codes, and the transactions in which a link moves on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.fakes.connections import START, connection
from tests.stores import factories
from tests.stores.connection_items import LINK, pair, stored
from zoom_common.aws.table import ConditionFailed, Table
from zoom_common.connections.link_store import AuthorizationStore, Claim, LinkRequest
from zoom_common.connections.model import Connection, State, digest
from zoom_common.connections.refresh.store import RefreshStore
from zoom_common.connections.store import ConnectionStore, LatestLink
from zoom_common.secret import Secret

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


def latest_link(links: AuthorizationStore) -> LatestLink | None:
    return ConnectionStore(links._connections).latest_link("zoom-app", "zoom-user")


def linked(
    links: AuthorizationStore, code: str = "code", *, latest: LatestLink | None = None, also: Any = (), **changes: Any
) -> Connection:
    pending = connection(
        **({"state": State.PENDING, "sealed_access": b"a", "sealed_refresh": b"r", "due_at": None} | changes)
    )
    link = replace(LINK, connection_id=pending.connection_id)
    links.put_pending(pending, Secret(code), link, expires_at=int(START) + 600, latest=latest, also=also)
    return pending


def arguments(pending: Connection, **changes: Any) -> Any:
    """A redemption of `pending` by itself, with these changes."""
    whole = {
        "pending": pending,
        "connected": replace(pending, state=State.CONNECTED),
        "replaced": None,
        "claim": None,
        "superseded": None,
        "now": START,
        "latest": LatestLink(tenant="acme", connection_id="con_1", authorized_at=pending.authorized_at),
    }
    return whole | changes


def test_redeeming_moves_code_connection_and_claim(links: AuthorizationStore, store: ConnectionStore) -> None:
    """All at once, and once."""
    pending = linked(links)
    connected = replace(pending, state=State.CONNECTED, due_at=START + 5)
    only = arguments(pending, connected=connected)
    links.redeem(Secret("code"), **only)
    assert store.get("acme", "con_1") == connected
    assert links.claim("zoom-app", "zoom-user") == Claim(tenant="acme", connection_id="con_1")
    with pytest.raises(ConditionFailed) as failed:
        links.redeem(Secret("code"), **only)
    assert 0 in failed.value.failed
    code = links.code(Secret("code"), now=START)
    assert code is not None
    assert code.redeemed == "con_1"
    assert latest_link(links) is None


def test_redeeming_into_a_former_connection(links: AuthorizationStore, store: ConnectionStore, table: Table) -> None:
    """The grant moves to the former id, and the pending one is gone."""
    former = stored(table, connection_id="con_0")
    pending = linked(links, grant_id="grant_2")
    connected = replace(pending, connection_id="con_0", version=2, state=State.CONNECTED)
    links.redeem(Secret("code"), **arguments(pending, connected=connected, replaced=former))
    assert store.get("acme", "con_1") is None
    assert store.get("acme", "con_0") == connected


def test_redeeming_supersedes_another_tenants_connection(
    links: AuthorizationStore, store: ConnectionStore, table: Table, refreshes: RefreshStore
) -> None:
    """The former one asks for re-authorization, and a refresh under way is dropped."""
    former = stored(table, tenant="beta")
    table.put({"pk": "claim#zoom-app#zoom-user", "sk": "claim", "tenant": "beta", "connection_id": "con_1"})
    pending = linked(links, grant_id="grant_2")
    claim = Claim(tenant="beta", connection_id="con_1")
    links.redeem(Secret("code"), **arguments(pending, claim=claim, superseded=former))
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
        links.redeem(Secret("code"), **arguments(pending))
    assert store.get("acme", "con_1") == pending
    assert links.code(Secret("code"), now=START) is not None


def test_an_expired_ticket_starts_nothing(links: AuthorizationStore) -> None:
    """TTL deletes late: what has expired is as good as gone, and nobody's state comes of it."""
    links.put_ticket(Secret("t"), LINK, expires_at=int(START))
    assert links.start(Secret("t"), Secret("s"), Secret("c"), now=START, expires_at=int(START) + 600) is None
    assert links.take_state(Secret("s"), Secret("c"), now=START) is None


def test_what_was_never_there_is_nothing(links: AuthorizationStore) -> None:
    """No ticket, state, code or claim."""
    assert links.ticket(Secret("t"), now=START) is None
    assert links.start(Secret("t"), Secret("s"), Secret("c"), now=START, expires_at=int(START) + 600) is None
    assert links.take_state(Secret("s"), Secret("c"), now=START) is None
    assert links.code(Secret("x"), now=START) is None
    assert links.claim("zoom-app", "zoom-user") is None


@pytest.mark.parametrize(
    "link",
    [
        LINK,
        replace(LINK, return_url=None),
        replace(LINK, connection_id="con_1", reconnects="con_0"),
    ],
)
def test_a_link_comes_back_as_it_was(links: AuthorizationStore, link: LinkRequest) -> None:
    """What it does not say is absent."""
    links.put_ticket(Secret("t"), link, expires_at=int(START) + 900)
    assert links.ticket(Secret("t"), now=START) == link


def test_a_pending_connection_is_stored_once(links: AuthorizationStore, store: ConnectionStore) -> None:
    """A second one under its id is refused, and its code with it."""
    pending = linked(links)
    with pytest.raises(ConditionFailed):
        links.put_pending(replace(pending, owner="eve"), Secret("second"), LINK, expires_at=int(START) + 600)
    assert store.get("acme", "con_1") == pending
    assert links.code(Secret("second"), now=START) is None


def test_a_code_is_looked_at_until_it_expires(links: AuthorizationStore) -> None:
    """Looking consumes nothing."""
    pending = linked(links)
    for _ in range(2):
        assert links.code(Secret("code"), now=START + 599) == replace(LINK, connection_id=pending.connection_id)
    assert links.code(Secret("code"), now=START + 600) is None


def test_an_expired_code_redeems_nothing(links: AuthorizationStore, store: ConnectionStore) -> None:
    """It fails at the first position, and everything stays as it was."""
    pending = linked(links)
    with pytest.raises(ConditionFailed) as failed:
        links.redeem(Secret("code"), **arguments(pending, now=START + 600))
    assert 0 in failed.value.failed
    assert store.get("acme", "con_1") == pending
    assert links.claim("zoom-app", "zoom-user") is None


def test_nothing_moves_when_the_former_connection_has(
    links: AuthorizationStore, store: ConnectionStore, table: Table
) -> None:
    """Its refresh wrote meanwhile: the redemption is to be tried again with what is there now."""
    seen = stored(table, connection_id="con_0")
    former = stored(table, connection_id="con_0", version=2)
    pending = linked(links, grant_id="grant_2")
    connected = replace(pending, connection_id="con_0", version=2, state=State.CONNECTED)
    with pytest.raises(ConditionFailed) as failed:
        links.redeem(Secret("code"), **arguments(pending, connected=connected, replaced=seen))
    assert failed.value.failed == (1,)
    assert (store.get("acme", "con_0"), store.get("acme", "con_1")) == (former, pending)
    assert links.code(Secret("code"), now=START) is not None


def test_nothing_moves_when_the_superseded_connection_has(
    links: AuthorizationStore, store: ConnectionStore, table: Table
) -> None:
    """Its owner gave a new grant meanwhile."""
    former = stored(table, tenant="beta", grant_id="newer")
    claim = Claim(tenant="beta", connection_id="con_1")
    table.put({"pk": "claim#zoom-app#zoom-user", "sk": "claim", "tenant": "beta", "connection_id": "con_1"})
    pending = linked(links)
    seen = replace(former, grant_id="grant_1")
    with pytest.raises(ConditionFailed):
        links.redeem(Secret("code"), **arguments(pending, claim=claim, superseded=seen))
    assert (store.get("beta", "con_1"), links.claim("zoom-app", "zoom-user")) == (former, claim)
    assert store.get("acme", "con_1") == pending


def seen(links: AuthorizationStore) -> LatestLink:
    """The latest link of the user, which there is."""
    latest = latest_link(links)
    assert latest is not None
    return latest


def test_the_latest_link_serialises_links_of_a_user(links: AuthorizationStore) -> None:
    """Who did not see the latest one stores nothing; an older one does not take its place."""
    first = linked(links)
    later = replace(first, connection_id="con_2", authorized_at=START)
    with pytest.raises(ConditionFailed):
        links.put_pending(later, Secret("second"), LINK, expires_at=int(START) + 600)
    links.put_pending(later, Secret("second"), LINK, expires_at=int(START) + 600, latest=seen(links))
    assert seen(links).connection_id == "con_2"
    older = replace(first, connection_id="con_3", authorized_at=START - 9000)
    links.put_pending(older, None, None, expires_at=int(START) + 600, latest=seen(links))
    assert seen(links).connection_id == "con_2"


def test_a_pair_is_placed_once(links: AuthorizationStore, store: ConnectionStore) -> None:
    """Also when the link has been forgotten by then, and the code is known by its digest."""
    pending = linked(links)
    assert links.placed("con_1") == digest(Secret("code"))
    assert links.placed("con_2") is None
    links.forget(pending)
    assert store.get("acme", "con_1") is None
    assert latest_link(links) is None
    with pytest.raises(ConditionFailed):
        linked(links)


def test_only_a_pending_connection_is_forgotten(links: AuthorizationStore, store: ConnectionStore) -> None:
    """One that was redeemed meanwhile stays, and so does the latest link of another."""
    pending = linked(links)
    later = replace(pending, connection_id="con_2", authorized_at=START)
    links.put_pending(later, None, None, expires_at=int(START) + 600, latest=seen(links))
    links.redeem(Secret("code"), **arguments(pending, latest=seen(links)))
    with pytest.raises(ConditionFailed):
        links.forget(pending)
    links.forget(later)
    assert store.get("acme", "con_1") is not None


def test_a_pair_is_placed_beside_the_holders(
    links: AuthorizationStore, store: ConnectionStore, refreshes: RefreshStore, table: Table
) -> None:
    """With the pending connection or not at all; a refresh under way keeps its lease, and its pair as a spare."""
    holder = stored(table, connection_id="con_0")
    assert refreshes.take_lease(holder, "a1", now=START, until=START + 60, skew=10)
    renewed = replace(holder, version=2, sealed_refresh=b"new", previous_refresh=b"refresh", authorized_at=START)
    linked(links, also=[links.to_renew(holder, renewed)])
    found = store.get("acme", "con_0")
    assert found is not None
    assert (found.version, found.sealed_refresh, found.previous_refresh) == (2, b"new", b"refresh")
    assert (found.lease_owner, set(found.intents)) == ("a1", {"a1"})
    with pytest.raises(ConditionFailed):
        linked(links, connection_id="con_2", code="second", latest=seen(links), also=[links.to_renew(holder, renewed)])
    assert store.get("acme", "con_2") is None


def test_redeeming_in_place_changes_the_state_only(
    links: AuthorizationStore, store: ConnectionStore, table: Table
) -> None:
    """The holder keeps its tokens and its grant, so that a refresh under way goes on."""
    holder = stored(table, connection_id="con_0", state=State.REFRESH_FAILING, reason="zoom_error")
    pending = linked(links)
    connected = replace(holder, state=State.CONNECTED, reason=None, due_at=START + 5)
    links.redeem_in_place(
        Secret("code"), pending=pending, holder=holder, connected=connected, latest=seen(links), now=START
    )
    assert store.get("acme", "con_0") == connected
    assert store.get("acme", "con_1") is None
    code = links.code(Secret("code"), now=START)
    assert code is not None
    assert code.redeemed == "con_0"
