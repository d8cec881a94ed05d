"""Where searches of the vault begin: what is stored, what Zoom knows, and which two actors meet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations_with_replacement
from typing import Any

from tests.fakes import tables
from tests.fakes.connections import connection
from tests.fakes.zoom_oauth import CLIENT_ID
from tests.search.outside import START, Call, Outside, World
from tests.search.replay import Run
from tests.search.vault import (
    OWNER,
    PERSON,
    STRANGER,
    Vault,
    VaultRules,
    _sealed,
    actor,
    agree,
    authorize,
    call,
    callback,
    direct,
    disconnect,
    disconnect_other,
    due,
    due_of_other,
    judged,
    link,
    redeem,
    start,
    uninstall,
)
from tests.search.zoom import ACCOUNT, Zoom
from zoom_common.access.principal import Principal
from zoom_common.aws.items import to_item
from zoom_common.connections.cipher import SealKind
from zoom_common.connections.linking import AuthorizationResult
from zoom_common.connections.model import State as Stands
from zoom_common.connections.store import claim_key, folded_item, to_values

# What nobody knows about Zoom, either way.
STRICT = Zoom()
LENIENT = Zoom(grace=True, supersedes=False, old_tokens_revoke=True)
ZOOMS = {"strict": STRICT, "lenient": LENIENT}

# The pairs that `make test` searches with a fault: each kind of actor, and as many pairs as a minute allows.
QUICK = [
    "connected/due+due",
    "connected/due+uninstall",
    "connected/due+disconnect",
    "connected/uninstall+reconnect",
    "connected/uninstall+stranger",
    "linked-own/redeem+due",
    "linked-own/redeem+message",
    "linked-strange/redeem+due",
    "linked-strange/redeem+message",
    "escrowed/due+message",
    "escrowed/call+message",
    "escrowed/disconnect+message",
    "escrowed/uninstall+message",
    "probed/judged+due",
    "asked/agree+agree",
    "started/callback+callback",
]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One beginning."""

    name: str
    world: World
    runs: tuple[Run, ...]
    deliveries: int = 0  # messages that meet the actors; all others are handled in the end
    shares_links: bool = False  # the actors have one link between them
    begun_as: str = "connected"  # the state of the connections that are there at first

    def rules(self, outside: Outside) -> VaultRules:
        """Return what must be true here."""
        return VaultRules(outside, shares_links=self.shares_links, begun_as=self.begun_as)


def connected(outside: Outside, zoom: Zoom, **changes: Any) -> World:
    """One connection of the owner, whose access token has just ended."""
    world = outside.empty(zoom.authorize(PERSON, now=START - 3600))
    held = connection(
        **changes,
        zoom_user_id=PERSON,
        zoom_account_id=ACCOUNT,
        sealed_access=_sealed("acme", "con_1", SealKind.ACCESS, "access-1"),
        sealed_refresh=_sealed("acme", "con_1", SealKind.REFRESH, "refresh-1"),
    )
    pk, sk = claim_key(CLIENT_ID, PERSON)
    claim = {"pk": pk, "sk": sk, "tenant": "acme", "connection_id": "con_1"}
    for item in (to_values(held), claim, folded_item(held)):
        put = Call("dynamodb", "put_item", {"TableName": tables.CONNECTIONS, "Item": to_item(item)})
        world, _ = outside.carry_out(world, put, asked_at=START)
    return world


def linked(outside: Outside, world: World, principal: Principal, name: str) -> tuple[World, str]:
    """Return the world after a callback that nobody has redeemed, and the code."""
    world, result = direct(outside, world, link(principal, name), name)
    assert isinstance(result, AuthorizationResult)
    return world, result.code.reveal()


def escrowed(outside: Outside, zoom: Zoom) -> World:
    """A refresh got a pair, no table took it, and the queue holds it."""
    world = connected(outside, zoom)

    def act(vault: Vault) -> None:
        write = vault.refresher.store.write

        def refuse(*_: Any, **__: Any) -> Any:
            from zoom_common.errors import Unavailable  # noqa: PLC0415

            raise Unavailable(reason="connections_store_unavailable")

        vault.refresher.store.write = refuse  # type: ignore[method-assign]
        vault.refresher.when_due("acme", "con_1")
        vault.refresher.store.write = write  # type: ignore[method-assign]

    world, _ = direct(outside, world, act, "before")
    assert world.queue
    return world


def probed(outside: Outside, zoom: Zoom) -> World:
    """Two connections. Zoom has ended the grant of one; the other is refreshed to see whether Zoom grants anybody."""
    world = connected(outside, zoom)
    world = replace(world, zoom=world.zoom.authorize("other-user", now=START - 3600).uninstall(PERSON))
    other = connection(
        connection_id="con_2",
        zoom_user_id="other-user",
        zoom_account_id=ACCOUNT,
        sealed_access=_sealed("acme", "con_2", SealKind.ACCESS, "access-2"),
        sealed_refresh=_sealed("acme", "con_2", SealKind.REFRESH, "refresh-2"),
    )
    pk, sk = claim_key(CLIENT_ID, "other-user")
    claim = {"pk": pk, "sk": sk, "tenant": "acme", "connection_id": "con_2"}
    for item in (to_values(other), claim, folded_item(other)):
        put = Call("dynamodb", "put_item", {"TableName": tables.CONNECTIONS, "Item": to_item(item)})
        world, _ = outside.carry_out(world, put, asked_at=START)
    return world


def scenarios(outside: Outside, zoom: Zoom) -> Iterator[Scenario]:
    """Yield every pair of actors."""
    world = connected(outside, zoom)
    actors = {
        "due": actor("due", due),
        "call": actor("call", call),
        "disconnect": actor("disconnect", disconnect),
        "uninstall": Run("uninstall", uninstall, START),
        "reconnect": actor("reconnect", link(OWNER, "own", reconnects="con_1")),
        "stranger": actor("stranger", link(STRANGER, "strange")),
        "wrong": actor("wrong", link(OWNER, "wrong", reconnects="con_1", user="other-user")),
    }
    seconds = {
        "due": actor("due-2", due),
        "call": actor("call-2", call),
        "disconnect": actor("disconnect-2", disconnect),
    }
    for one, two in combinations_with_replacement(actors, 2):
        if one == two and one not in seconds:
            continue
        pair = actors[one], seconds[two] if one == two else actors[two]
        yield Scenario(f"connected/{one}+{two}", world, pair, deliveries=int("uninstall" in {one, two}))
    for who, principal in {"own": OWNER, "strange": STRANGER}.items():
        pending, code = linked(outside, connected(outside, zoom), principal, who)
        for name in ("due", "call", "disconnect", "uninstall", "redeem"):
            other = actor("redeem-2", redeem(code, principal)) if name == "redeem" else actors[name]
            runs = actor("redeem", redeem(code, principal)), other
            yield Scenario(f"linked-{who}/redeem+{name}", pending, runs, deliveries=int(name == "uninstall"))
        yield Scenario(f"linked-{who}/redeem+message", pending, runs[:1], deliveries=1)
    held = escrowed(outside, zoom)
    for name in ("due", "call", "disconnect", "uninstall"):
        yield Scenario(f"escrowed/{name}+message", held, (actors[name],), deliveries=1 + (name == "uninstall"))
    refused = connected(outside, zoom, state=Stands.REAUTHORIZATION_REQUIRED, reason="tokens_refused")
    for one, two in (("due", "due"), ("due", "disconnect"), ("due", "uninstall"), ("due", "reconnect")):
        pair = actors[one], seconds[two] if one == two else actors[two]
        deliveries = int(two == "uninstall")
        yield Scenario(
            f"refused/{one}+{two}", refused, pair, deliveries=deliveries, begun_as="reauthorization_required"
        )
    both = probed(outside, zoom)
    for name, act in {"due": due_of_other, "disconnect": disconnect_other}.items():
        yield Scenario(f"probed/judged+{name}", both, (actor("judged", judged), actor(name, act)))
    yield from _unlinked(outside, zoom)


def _unlinked(outside: Outside, zoom: Zoom) -> Iterator[Scenario]:
    """Yield pairs without a connection: two links, one link that two browsers open, and one way back taken twice."""
    empty = outside.empty(zoom)
    runs = actor("first", link(OWNER, "first")), actor("second", link(STRANGER, "second"))
    yield Scenario("unlinked/first+second", empty, runs)
    world, ticket = direct(outside, empty, authorize(OWNER, "asked"))
    runs = actor("agree", agree(ticket)), actor("agree-2", agree(ticket))
    yield Scenario("asked/agree+agree", world, runs, shares_links=True)
    world, way_back = direct(outside, world, start(ticket))
    runs = actor("callback", callback(*way_back)), actor("callback-2", callback(*way_back))
    yield Scenario("started/callback+callback", world, runs, shares_links=True)
