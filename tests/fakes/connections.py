"""A vault over DynamoDB in memory, a Zoom that rotates, and workers that can be stopped between any two steps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, cast

from tests.fakes.aws_services import FakeKms, FakeSqs
from tests.fakes.connection_stores import Memory, MemoryAuthorization, MemoryRefresh
from tests.fakes.zoom_oauth import CLIENT_ID, Credentials, ZoomServer
from zoom_common.connections.cipher import Cipher, SealContext, SealKind
from zoom_common.connections.disconnecting import Disconnection, Revocation
from zoom_common.connections.link_store import Claim
from zoom_common.connections.model import Connection, Kind, State
from zoom_common.connections.oauth_client import ZoomOAuth
from zoom_common.connections.outbox import Outbox
from zoom_common.connections.placement import Placement
from zoom_common.connections.queues import EscrowQueue, LinkQueue, RevokeQueue
from zoom_common.connections.refresh.algorithm import refresh
from zoom_common.connections.refresh.effects import Effect, RefreshContext, Result, SealedPair
from zoom_common.connections.refresh.policy import Policy
from zoom_common.connections.refresh.refusal_rate import OtherGrants, RefusalRate
from zoom_common.connections.refresh.runner import KmsAhead, Refresher
from zoom_common.connections.server_to_server import AccountConnecting
from zoom_common.errors import Unavailable
from zoom_common.secret import Secret
from zoom_common.zoom.oauth import Endpoints, TokenError

START = 1_800_000_000.0


@dataclass(slots=True)
class Clock:
    """Epoch seconds that pass only when somebody sleeps."""

    now: float = START

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def connection(**changes: Any) -> Connection:
    """A connected connection whose access token has just ended."""
    values: dict[str, Any] = {
        "tenant": "acme",
        "connection_id": "con_1",
        "owner": "key:k1",
        "kind": Kind.USER,
        "state": State.CONNECTED,
        "reason": None,
        "client_id": CLIENT_ID,
        "zoom_user_id": "zoom-user",
        "zoom_account_id": "zoom-account",
        "scopes": frozenset({"meeting:read:meeting"}),
        "api_url": None,
        "grant_id": "grant_1",
        "version": 1,
        "access_expires_at": START - 1,
        "refresh_issued_at": START - 3600,
        "created_at": START - 3600,
        "authorized_at": START - 3600,
        "state_changed_at": START - 3600,
        "last_used_at": START - 60,
        "sealed_access": b"",
        "sealed_refresh": b"",
        "due_at": START - 600,
    }
    return Connection(**(values | changes))


class World:
    """One vault with one connection to a Zoom, and as many workers as a test wants."""

    def __init__(self, **changes: Any) -> None:
        self.clock = Clock()
        self.kms, self.sqs = FakeKms(), FakeSqs()
        self.memory = Memory()
        self.store = MemoryRefresh(self.memory)
        self.zoom = ZoomServer()
        self.credentials = Credentials()
        self.cipher = Cipher(self.kms.client(), {SealKind.ACCESS: "data-key", SealKind.REFRESH: "refresh-key"})
        self.published: list[Any] = []
        self.oauth = ZoomOAuth(
            self.zoom,
            self.credentials,
            endpoints=Endpoints(),
            api_base_url="https://api.zoom.us/v2",
            clock=self.clock,
        )
        self.bus_away = False
        self.outbox = Outbox(self.memory.table, self.send, clock=self.clock)
        names = count(1)
        self.refresher = Refresher(
            connections=self.memory,
            store=self.store,
            cipher=self.cipher,
            zoom=self.oauth,
            escrow=EscrowQueue(self.sqs.client(), "escrow"),
            revokes=RevokeQueue(self.sqs.client(), "escrow"),
            outbox=self.outbox,
            clock=self.clock,
            sleep=self.clock.sleep,
            chance=lambda: 0.5,
            new_id=lambda: f"attempt-{next(names)}",
            rate=RefusalRate(counters=self.store, clock=self.clock),
            others=OtherGrants(index=self.store, connections=self.memory, clock=self.clock, chance=lambda: 0.5),
        )
        self.revocation = Revocation(
            connections=self.memory,
            cipher=self.cipher,
            zoom=self.oauth,
            retries=RevokeQueue(self.sqs.client(), "escrow"),
            clock=self.clock,
        )
        self.disconnection = Disconnection(
            connections=self.memory,
            revocation=self.revocation,
            retries=RevokeQueue(self.sqs.client(), "escrow"),
            outbox=self.outbox,
            clock=self.clock,
        )
        bits = count(1)
        self.accounts = AccountConnecting(
            connections=self.memory,
            cipher=self.cipher,
            zoom=self.oauth,
            outbox=self.outbox,
            clock=self.clock,
            chance=lambda: 0.5,
            random_bits=lambda: next(bits),
        )
        self.links = MemoryAuthorization(self.memory)
        self.link_queue = LinkQueue(self.sqs.client(), "escrow")
        self.placement = Placement(
            links=self.links,
            connections=self.memory,
            cipher=self.cipher,
            zoom=self.oauth,
            revocation=self.revocation,
            queue=self.link_queue,
            outbox=self.outbox,
            clock=self.clock,
            chance=lambda: 0.5,
        )
        seed = connection(**changes)
        self.zoom.live = {"refresh-0"}
        sealed = {
            "sealed_access": self.seal("access-0", SealKind.ACCESS, seed.connection_id),
            "sealed_refresh": self.seal("refresh-0", SealKind.REFRESH, seed.connection_id),
        }
        self.memory.put(replace(seed, **{**sealed, **{k: v for k, v in changes.items() if k in sealed}}))
        self.memory.claims[CLIENT_ID, "zoom-user"] = Claim(tenant=seed.tenant, connection_id=seed.connection_id)

    def send(self, change: Any) -> None:
        """Put one change on the bus, unless it is away."""
        if self.bus_away:
            raise Unavailable(reason="event_bus")
        self.published.append(change)

    @property
    def item(self) -> Connection:
        return self.memory.items["acme", "con_1"]

    def change(self, **changes: Any) -> None:
        self.memory.put(replace(self.item, **changes))

    def seal(self, token: str, kind: SealKind, connection_id: str = "con_1") -> bytes:
        return self.cipher.sealer(SealContext("acme", connection_id, kind)).seal(Secret(token))

    def opened(self, sealed: bytes, kind: SealKind = SealKind.REFRESH) -> str:
        return self.cipher.open(sealed, SealContext("acme", "con_1", kind)).reveal()

    @property
    def current(self) -> str:
        """The refresh token that the connection holds as its current one."""
        return self.opened(self.item.sealed_refresh)

    def current_when_back(self) -> str:
        """The current refresh token, read once KMS answers again."""
        self.kms.away = False
        return self.current

    def on_demand(self, **changes: Any) -> Result:
        arguments: dict[str, Any] = {"seen_version": self.item.version, "wait": 5.0} | changes
        return self.refresher.on_demand("acme", "con_1", **arguments)

    def worker(self, name: str, *, seen: Connection | None = None, wait: float = 0.0, skew: float = 0.0) -> Worker:
        return Worker(self, name, seen or self.item, wait=wait, skew=skew)


class Worker:
    """One attempt, carried out step by step; `skew` is what its clock is ahead by, in seconds."""

    def __init__(self, world: World, name: str, seen: Connection, *, wait: float, skew: float) -> None:
        self.world = world
        clock: Callable[[], float] = lambda: world.clock() + skew  # noqa: E731
        self.name = name
        self.attempt = RefreshContext(name, seen, clock, lambda: 0.5, Policy(), wait=wait)
        self.steps = refresh(self.attempt)
        self.step: Effect | None = next(self.steps)
        self.result: Result | None = None
        self.refresher = replace(world.refresher, clock=clock)
        self.ahead = KmsAhead(world.refresher.cipher)

    def pair(self) -> SealedPair | None:
        """The pair that this worker holds and has not brought to rest, wherever in its retries it is."""
        inner: Any = self.steps
        pair = None
        while inner is not None and getattr(inner, "gi_frame", None) is not None:
            pair = inner.gi_frame.f_locals.get("pair", pair)
            inner = inner.gi_yieldfrom
        return cast("SealedPair | None", pair)

    def until(self, kind: type[Any]) -> Worker:
        """Go on until the next step is one of `kind`, which is not carried out."""
        while self.step is not None and not isinstance(self.step, kind):
            self.go()
        return self

    def go(self) -> None:
        """Carry out one step."""
        assert self.step is not None
        try:
            try:
                answer = self.refresher._perform(self.step, self.attempt.seen, self.name, self.ahead)
            except (TokenError, Unavailable, LookupError) as error:
                self.step = self.steps.throw(error)
            else:
                self.step = self.steps.send(answer)
        except StopIteration as end:
            self.step, self.result = None, end.value

    def finish(self) -> Result:
        """Go on to the end."""
        while self.step is not None:
            self.go()
        assert self.result is not None
        return self.result
