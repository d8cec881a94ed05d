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
from zoom_common.connections.model import Connection, State
from zoom_common.connections.refresh.store import RefreshStore
from zoom_common.connections.store import ConnectionStore
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


def arguments(pending: Connection, **changes: Any) -> Any:
    """A redemption of `pending` by itself, with these changes."""
    whole = {
        "pending": pending,
        "connected": replace(pending, state=State.CONNECTED),
        "replaced": None,
        "claim": None,
        "superseded": None,
        "now": START,
    }
    return whole | changes


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
