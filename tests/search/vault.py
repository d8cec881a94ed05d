"""The vault under search: its actors, and what must be true of grants whatever happens to them.

All decisions are the real ones: the stores with their conditions, linking, placing, redeeming, refreshing and
disconnecting. Replaced are the clients below them, and the seals, which are readable here.
"""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, cast

from tests.fakes import tables
from tests.fakes.handlers import load
from tests.fakes.zoom_oauth import CLIENT_ID, Credentials
from tests.search.clients import Direct, DynamoDB, Sqs, Transport, name_writers
from tests.search.explore import Broken, Rules, State
from tests.search.outside import START, Call, Message, Outside, World, is_token_request
from tests.search.replay import Line, Run
from zoom_common.access.principal import Principal
from zoom_common.aws.items import from_item
from zoom_common.aws.table import Table
from zoom_common.connections.access_tokens import AccessTokens
from zoom_common.connections.cipher import Cipher, SealBroken, SealContext, SealKind
from zoom_common.connections.disconnecting import Disconnection, Revocation
from zoom_common.connections.link_store import SUPERSEDED, AuthorizationStore
from zoom_common.connections.linking import Linking
from zoom_common.connections.model import ALIVE, Connection
from zoom_common.connections.model import State as Stands
from zoom_common.connections.oauth_client import ZoomOAuth
from zoom_common.connections.outbox import Outbox
from zoom_common.connections.placement import Placement
from zoom_common.connections.queues import EscrowQueue, LinkQueue, RevokeQueue
from zoom_common.connections.redemption import Redemption
from zoom_common.connections.refresh.effects import INTENT_WINDOW
from zoom_common.connections.refresh.policy import Outcome, Policy
from zoom_common.connections.refresh.refusal_rate import OtherGrants, RefusalRate
from zoom_common.connections.refresh.runner import Refresher
from zoom_common.connections.refresh.store import RefreshStore
from zoom_common.connections.store import ConnectionStore, from_values
from zoom_common.deadline import Deadline
from zoom_common.errors import GatewayError
from zoom_common.events.connection_events import Deauthorization
from zoom_common.secret import Secret
from zoom_common.zoom.events import DEAUTHORIZED
from zoom_common.zoom.oauth import Endpoints

# Waits for others are as short as they can be: each poll is a state more.
POLICY = Policy(patience=0.3, poll=0.3, write_tries=2)
OWNER, STRANGER = Principal("acme", "key:k1", frozenset()), Principal("other", "key:k2", frozenset())
PERSON = "zoom-user"
_HANDLER = load("token_refresh")


class _Seals:
    """Seals that can be read, and still open only under their own context."""

    def __init__(self, tenant: str, connection_id: str) -> None:
        self._of = tenant, connection_id

    def seal_access(self, token: Secret) -> bytes:
        return _sealed(*self._of, SealKind.ACCESS, token.reveal())

    def seal_refresh(self, token: Secret) -> bytes:
        return _sealed(*self._of, SealKind.REFRESH, token.reveal())


def _sealed(tenant: str, connection_id: str, kind: SealKind, token: str) -> bytes:
    return f"{tenant}/{connection_id}/{kind}:{token}".encode()


def opened(sealed: bytes) -> str:
    """Return the token in a seal."""
    return sealed.decode().rpartition(":")[2]


class _Cipher:
    """KMS can be away; the rest is plain."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def pair_sealer(self, tenant: str, connection_id: str) -> _Seals:
        self._line.ask("kms", "generate")
        return _Seals(tenant, connection_id)

    def begin_pair_sealer(self, tenant: str, connection_id: str) -> Callable[[], _Seals]:
        return lambda: self.pair_sealer(tenant, connection_id)

    def begin_open(self, sealed: bytes, context: SealContext) -> Callable[[], Secret]:
        return lambda: self.open(sealed, context)

    def open(self, sealed: bytes, context: SealContext) -> Secret:
        self._line.ask("kms", "decrypt")
        prefix = _sealed(context.tenant, context.connection, context.kind, "")
        if not sealed.startswith(prefix):
            raise SealBroken
        return Secret(sealed.removeprefix(prefix).decode())


class Vault:
    """Everything that the functions `oauth` and `token_refresh` build, over one line. `name` makes its ids its own."""

    def __init__(self, line: Line, name: str) -> None:
        numbers = count(1)
        name_writers(name)
        clock: Callable[[], float] = line.clock
        dynamodb, sqs = cast("Any", DynamoDB(line)), cast("Any", Sqs(line))
        sleep: Callable[[float], None] = lambda seconds: line.ask("sleep", "", seconds)  # noqa: E731
        chance: Callable[[], float] = lambda: 0.5  # noqa: E731
        self.table = Table(dynamodb, tables.CONNECTIONS, sleep=sleep)
        cipher = cast("Cipher", _Cipher(line))
        self.connections = ConnectionStore(self.table)
        self.links = AuthorizationStore(Table(dynamodb, tables.COORDINATION, sleep=sleep), self.table)
        self.zoom = ZoomOAuth(
            cast("Any", Transport(line)),
            Credentials(),
            endpoints=Endpoints(),
            api_base_url="https://x/v2",
            clock=clock,
        )
        self.outbox = Outbox(self.table, lambda change: line.ask("bus", "", json.dumps(dict(change))), clock=clock)
        revokes = RevokeQueue(sqs, "escrow")
        self.revocation = Revocation(
            connections=self.connections, cipher=cipher, zoom=self.zoom, retries=revokes, clock=clock
        )
        store = RefreshStore(self.table)
        self.placement = Placement(
            links=self.links,
            connections=self.connections,
            cipher=cipher,
            zoom=self.zoom,
            revocation=self.revocation,
            queue=LinkQueue(sqs, "escrow"),
            outbox=self.outbox,
            clock=clock,
            chance=chance,
        )
        self.linking = Linking(
            store=self.links,
            connections=self.connections,
            placement=self.placement,
            queue=LinkQueue(sqs, "escrow"),
            cipher=cipher,
            zoom=self.zoom,
            credentials=Credentials(),
            redirect_uri="https://api.example.com/auth/zoom/callback",
            return_urls=(),
            clock=clock,
            new_secret=lambda: f"{name}-secret-{next(numbers)}",
            random_bits=lambda: sum(name.encode()),
        )
        self.redemption = Redemption(
            store=self.links,
            connections=self.connections,
            cipher=cipher,
            outbox=self.outbox,
            clock=clock,
            chance=chance,
            sleep=sleep,
        )
        self.disconnection = Disconnection(
            connections=self.connections,
            revocation=self.revocation,
            retries=RevokeQueue(sqs, "escrow"),
            outbox=self.outbox,
            clock=clock,
        )
        self.deauthorization = Deauthorization(connections=self.connections, outbox=lambda: self.outbox, clock=clock)
        self.refresher = Refresher(
            connections=self.connections,
            store=store,
            cipher=cipher,
            zoom=self.zoom,
            escrow=EscrowQueue(sqs, "escrow"),
            revokes=RevokeQueue(sqs, "escrow"),
            outbox=self.outbox,
            clock=clock,
            sleep=sleep,
            chance=chance,
            new_id=lambda: f"{name}.{next(numbers)}",
            rate=RefusalRate(counters=_Uncounted(), clock=clock),
            others=cast("OtherGrants", _NoOthers()),
            policy=POLICY,
        )
        self.tokens = AccessTokens(
            self.connections,
            cipher,
            _OnDemand(self.refresher),
            reconnect_url=lambda each: each,
            clock=clock,
            chance=chance,
        )


class _Uncounted:
    """Answers of Zoom that nobody counts: one connection never shows a wide refusal."""

    def count_answers(self, window: int, counted: Any, *, expires_at: float) -> Any:  # noqa: ARG002
        return counted

    def answers(self, window: int) -> Any:  # noqa: ARG002
        from zoom_common.connections.refresh.refusal_rate import AnswerCounts  # noqa: PLC0415

        return AnswerCounts()


@dataclass(frozen=True, slots=True)
class _OneOther:
    """The other connection, while it can be refreshed. What finds it has tests of its own."""

    connections: ConnectionStore

    def like(self, refused: Connection) -> list[Connection]:  # noqa: ARG002
        found = self.connections.get("acme", "con_2")
        return [found] if found is not None and found.state in ALIVE else []


class _NoOthers:
    """No other grants: one connection is refreshed without a look at others."""

    def like(self, refused: Connection) -> list[Connection]:  # noqa: ARG002
        return []


@dataclass(frozen=True, slots=True)
class _OnDemand:
    """The function `token_refresh`, called in the same run as its caller."""

    refresher: Refresher

    def refresh(self, connection: Connection, *, wait: float) -> Outcome:
        where = connection.tenant, connection.connection_id
        return self.refresher.on_demand(*where, seen_version=connection.version, wait=min(wait, 0.5)).outcome

    def touch(self, connection: Connection) -> None:
        """Nothing: it changes no tokens."""

    def refused(self, connection: Connection) -> None:
        """Nothing: no call is made here."""

    def accepted(self, connection: Connection) -> None:
        """Nothing: no call is made here."""


type Actor = Callable[[Vault], Any]


def actor(name: str, act: Actor) -> Run:
    """Return a run of `act` that has not begun."""
    return Run(name, lambda line: act(Vault(line, name)), START)


def due(vault: Vault) -> Any:
    """The sweep's refresh."""
    return vault.refresher.when_due("acme", "con_1").outcome


def due_of_other(vault: Vault) -> Any:
    """The sweep's refresh of another person's connection."""
    return vault.refresher.when_due("acme", "con_2").outcome


def judged(vault: Vault) -> Any:
    """The sweep's refresh, which tries the other connection before a refusal is believed."""
    refresher = replace(vault.refresher, others=cast("OtherGrants", _OneOther(vault.connections)))
    return refresher.when_due("acme", "con_1").outcome


def disconnect_other(vault: Vault) -> Any:
    """The owner disconnects the other connection."""
    found = vault.connections.get("acme", "con_2")
    return found and vault.disconnection.disconnect(found)


def call(vault: Vault) -> Any:
    """A program's call, whose token has ended."""
    found = vault.connections.get("acme", "con_1")
    return found and vault.tokens.token(found, Deadline(5.0, clock=lambda: 0.0)).reveal()


def disconnect(vault: Vault) -> Any:
    """The owner disconnects."""
    found = vault.connections.get("acme", "con_1")
    return found and vault.disconnection.disconnect(found)


def authorize(principal: Principal, name: str, *, reconnects: str | None = None) -> Callable[[Vault], Secret]:
    """A program asks for a link, which gets `name` as its label; return its ticket."""

    def act(vault: Vault) -> Secret:
        asked = vault.linking.request(
            principal, owner=principal.subject, return_url=None, reconnects=reconnects, label=name
        )
        return asked.secret

    return act


def start(ticket: Secret) -> Callable[[Vault], tuple[str, str]]:
    """A person opens the link and goes to Zoom; return the state and the cookie of their browser."""

    def act(vault: Vault) -> tuple[str, str]:
        away = vault.linking.start(ticket)
        return away.authorize_url.partition("state=")[2].partition("&")[0], away.cookie.reveal()

    return act


def callback(state: str, cookie: str, user: str = PERSON) -> Actor:
    """A browser comes back from Zoom."""
    query = {"state": state, "code": f"code:{user}:{state}"}
    return lambda vault: vault.linking.complete(query, cookie)


def agree(ticket: Secret, user: str = PERSON) -> Actor:
    """A person opens a link, agrees at Zoom and comes back."""
    return lambda vault: callback(*start(ticket)(vault), user)(vault)


def link(principal: Principal, name: str, *, reconnects: str | None = None, user: str = PERSON) -> Actor:
    """A program asks for a link, and a person agrees to it."""
    return lambda vault: agree(authorize(principal, name, reconnects=reconnects)(vault), user)(vault)


def redeem(code: str, principal: Principal = OWNER) -> Actor:
    """The program redeems."""
    return lambda vault: vault.redemption.redeem(principal, Secret(code), owner=principal.subject)


def handler(message: Message, name: str) -> Callable[[Line], bool]:
    """Return the code of `token_refresh` that handles a message, or that of `event_processor`."""

    def handle(line: Line) -> bool:
        vault = Vault(line, name)
        body = json.loads(message.body)
        if body["action"] == DEAUTHORIZED:
            vault.deauthorization.end(CLIENT_ID, body["user"], at=body["at"])
            return True
        _HANDLER.wiring = lambda: vault  # type: ignore[attr-defined]
        return bool(_HANDLER._taken({"messageId": "m", "body": message.body}, float("inf")))

    return handle


def uninstall(line: Line) -> None:
    """The person removes the app at Zoom, and Zoom sends the event."""

    def removed(world: World) -> World:
        event = json.dumps({"action": DEAUTHORIZED, "user": PERSON, "at": world.now})
        return replace(world, zoom=world.zoom.uninstall(PERSON), queue=(*world.queue, Message(event, world.now)))

    line.ask("person", "removes the app", removed)


def direct(outside: Outside, world: World, act: Actor, name: str = "setup") -> tuple[World, Any]:
    """Carry `act` out alone and without faults."""
    line = Direct(outside, world)
    result = act(Vault(line, name))
    return line.world, result


_AT_REST = frozenset({Stands.CONNECTED, Stands.PENDING})


def _sweep_outbox(vault: Vault) -> int:
    return vault.outbox.sweep(Deadline(900.0, clock=lambda: 0.0))


# Reasons for which a connection is given up that say nothing of its tokens.
_FOREIGN = frozenset({SUPERSEDED, DEAUTHORIZED})


_known_connections: dict[int, tuple[Any, Connection]] = {}


def _connection_of(item: Any) -> Connection:
    """Return the connection in an item, read once: worlds share their items."""
    known = _known_connections.get(id(item))
    if known is None or known[0] is not item:
        known = _known_connections[id(item)] = item, from_values(from_item(item))
    return known[1]


@dataclass(slots=True)
class VaultRules(Rules):
    """What must be true of grants. `shares_links`: both actors have the same link. `begun_as` is the first state."""

    outside: Outside
    shares_links: bool = False
    begun_as: str = "connected"

    def handler(self, message: Message) -> Callable[[Line], bool]:
        return handler(message, f"late-{message.name}")

    def is_private(self, call: Call) -> bool:
        """Return whether a call is about one link that is under way, which one actor has."""
        return not self.shares_links and call.service == "dynamodb" and _is_about_a_link(call)

    def before(self, state: State, run: Run, call: Call) -> None:
        """At most one request in a lease; who stood still since deciding cannot know."""
        if not is_token_request(call) or state.world.now - run.now > Policy().reserve:
            return
        for each in connections_of(state.world):
            owner = str(each.lease_owner or "")
            mine = owner.partition(".")[0] == run.name
            asked = f"refresh_token={opened(each.sealed_refresh)}".encode()
            held = owner and not mine and each.lease_expires_at > state.world.now
            if held and each.state is not Stands.DISCONNECTED and asked in call.request.body:
                raise Broken("two requests within one lease")

    def at(self, state: State) -> None:
        live = state.world.zoom.live_tokens()
        stored = stored_tokens(state.world)
        hands = {token for run in state.runs if not run.ended for token in hands_of(run)}
        kept = {user for token, user in live.items() if token in stored or token in hands}
        for token, user in live.items():
            if token not in state.excused and user not in kept:  # a revoke by any pair of a user ends all of them
                raise Broken(f"a live pair was let go: {token}")
        for each in connections_of(state.world):
            if each.state is Stands.REAUTHORIZATION_REQUIRED and each.reason not in _FOREIGN:
                within = copies_of(each, state.world) & live.keys()
                if within and not state.spurious and each.state_changed_at == state.world.now:
                    raise Broken(f"given up with a live copy in reach: {within}")
        begun = [item["label"]["S"] for item in state.world.items() if _is_link(item) and "taken" not in item]
        if len(begun) > len(set(begun)):
            raise Broken(f"a link was begun twice: {begun}")

    def in_the_end(self, state: State) -> None:
        world = self.rest(state.world)
        live = {token: user for token, user in world.zoom.live_tokens().items() if token not in state.excused}
        found = connections_of(world)
        kept = {token: each for each in found if each.holds_tokens for token in tokens_of(each)}
        holders: dict[str, list[Connection]] = {user: [] for user in live.values()}
        for token, user in live.items():  # former authorisations may live beside the one that is held
            holders[user] += [kept[token]] if token in kept else []
        for user, holding in holders.items():
            if not holding:
                raise Broken(f"in the end, a live pair is neither held nor revoked: {user}")
            if all(each.state is not Stands.CONNECTED for each in holding):
                stands = {(str(each.state), each.reason) for each in holding}
                raise Broken(f"in the end, a live pair is held by a connection that does not work: {stands}")
        for each in found:
            works = bool(tokens_of(each) & live.keys()) or state.excused or any(one.ended for one in world.zoom.grants)
            if each.state is Stands.CONNECTED and not works:
                raise Broken("in the end, a connection counts as connected without a live pair")
            if each.state is Stands.PENDING:
                raise Broken("in the end, a link is still pending")
        self._published(world, found)

    def rest(self, world: World) -> World:
        """Let time pass without faults: queues are emptied, sweeps run, and given-up tokens are tried again."""
        world = replace(world, now=world.now + 100)
        for _ in range(12):
            for message in world.queue:
                if message.visible_at <= world.now:
                    world = self._handled(world, message)
            if any(item["pk"]["S"] == "outbox" for item in world.items()):
                world, _ = direct(self.outside, world, _sweep_outbox)
            for each in connections_of(world):
                if each.due_at is not None and each.due_at <= world.now and each.state is not Stands.CONNECTED:
                    body = json.dumps({"action": "refresh", "tenant": each.tenant, "connection_id": each.connection_id})
                    world = self._handled(world, Message(body, world.now))
            waits = [message.visible_at for message in world.queue]
            waits += [each.due_at for each in connections_of(world) if each.due_at and each.state not in _AT_REST]
            if not waits:
                return world
            world = replace(world, now=max(world.now + 10, min(waits)))
        if world.queue:
            raise Broken(f"in the end, messages are left: {[each.body[:40] for each in world.queue]}")
        return world

    def _handled(self, world: World, message: Message) -> World:
        queue = tuple(each for each in world.queue if each is not message)
        line = Direct(self.outside, replace(world, queue=queue))
        try:
            done = handler(message, f"rest-{message.name}-{world.now}")(line)
        except GatewayError:
            done = False
        back = () if done else (replace(message, visible_at=world.now + 60),)
        return replace(line.world, queue=(*line.world.queue, *back))

    def _published(self, world: World, found: list[Connection]) -> None:
        changes = [json.loads(each) for each in world.published]
        if any(item["pk"]["S"] == "outbox" for item in world.items()):
            raise Broken("in the end, a change of state is still to be published")
        stored = {(each.tenant, each.connection_id): str(each.state) for each in found}
        last: dict[tuple[str, str], tuple[float, set[str]]] = {}
        for change in changes:
            where, at = (change["tenant"], change["connection_id"]), change["at"]
            moment, states = last.get(where, (0.0, set()))
            if at > moment:
                last[where] = at, {change["state"]}
            elif at == moment:
                states.add(change["state"])
        for where, (_, states) in last.items():
            if stored.get(where, "disconnected") not in states:
                raise Broken(f"published as {states}, stored as {stored.get(where)}: {where[1]}")
        for where, state in stored.items():
            if where not in last and (where[1] not in {"con_1", "con_2"} or state != self.begun_as):
                raise Broken(f"{where[1]} became {state} and nobody has heard of it")

    def excuses(self, state: State, run: Run, outcome: str, after: World) -> frozenset[str]:
        """A pair is lost with the answer or the process that had it alone: nothing could have kept it."""
        if outcome == "lost" and run.call is not None and run.call.service == "zoom":
            return frozenset(after.zoom.live_tokens().keys() - state.world.zoom.live_tokens().keys())
        if outcome == "crash":
            others = {token for each in state.runs if each is not run and not each.ended for token in hands_of(each)}
            return frozenset(hands_of(run) - others - stored_tokens(state.world))
        return frozenset()


_LINKS = ("ticket#", "state#")


def _is_link(item: Any) -> bool:
    return str(item["pk"]["S"]).startswith(_LINKS)


def _is_about_a_link(call: Call) -> bool:
    """Return whether every item that a call reads or writes is a ticket or a state."""
    each = [next(iter(one.values())) for one in call.request.get("TransactItems", ())] or [call.request]
    return all(_is_link(one.get("Key") or one.get("Item") or {"pk": {"S": ""}}) for one in each)


def hands_of(run: Run) -> frozenset[str]:
    """Return the refresh tokens that a run was given by Zoom, or has in its message."""
    tokens = {
        json.loads(answer.value.body).get("refresh_token")
        for answer in run.answers
        if getattr(answer.value, "status", 0) == 200
    }
    held = _tokens_in(run.message) if run.message is not None else set()
    return frozenset(tokens - {None} | held)


def _tokens_in(message: Message) -> set[str]:
    values = json.loads(message.body)
    sealed = [values["sealed_refresh"], *values.get("fallbacks", [])] if "sealed_refresh" in values else []
    return {opened(b64decode(each)) for each in sealed}


def connections_of(world: World) -> list[Connection]:
    """Return every connection in a world."""
    rows = world.tables[tables.CONNECTIONS].items()
    return [_connection_of(item) for pk, found in rows if pk.endswith("#connections") for item in found.values()]


def tokens_of(connection: Connection) -> set[str]:
    """Return the refresh tokens that a connection holds, current and kept."""
    return {opened(each) for each in (connection.sealed_refresh, *connection.fallbacks()) if each}


def stored_tokens(world: World) -> set[str]:
    """Return every refresh token at rest: in connections, pending or not, and in queues."""
    found = {token for each in connections_of(world) for token in tokens_of(each)}
    return found.union(*(_tokens_in(message) for message in world.queue))


def copies_of(connection: Connection, world: World) -> set[str]:
    """Return the refresh tokens that a refresh has to wait for: its own, and those in escrow for a quarter of an hour.

    After that, a pair from escrow still revives the connection when it comes; `in_the_end` holds this.
    """
    found = tokens_of(connection)
    for message in world.queue:
        values = json.loads(message.body)
        if values.get("action") == "restore" and values["connection_id"] == connection.connection_id:
            awaited = connection.intents.get(values["attempt"], 0.0) > world.now - INTENT_WINDOW
            found |= _tokens_in(message) if awaited else set()
    return found
