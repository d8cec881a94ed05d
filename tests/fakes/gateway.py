"""Stand-ins for a call through the gateway: a Zoom that follows a script, tokens, time that moves only in a sleep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from dataclasses import replace as replaced
from typing import Any

from tests.fakes.gateway_stores import MemoryChanges, MemoryKeys
from zoom_common.access.principal import Principal
from zoom_common.connections.model import Connection, Kind, State
from zoom_common.deadline import Deadline
from zoom_common.gateway.context import Call, CallStats
from zoom_common.gateway.http_client import RetryingHttpClient, ZoomApiClient
from zoom_common.gateway.idempotency import Idempotency
from zoom_common.gateway.read_cache import ReadCache
from zoom_common.gateway.service import Answer, Gateway
from zoom_common.gateway.token_rejections import RejectedRequests
from zoom_common.gateway.usage import UsageCounter
from zoom_common.ratelimit.limiter import Cost, RateLimiter, Reservation
from zoom_common.ratelimit.slots import Bucket, EarlySlot
from zoom_common.secret import Secret
from zoom_common.transport import AnswerLost, NotSent
from zoom_common.zoom.http import HttpRequest, HttpResponse
from zoom_common.zoom.operations.table import match
from zoom_common.zoom.rate_limits import RateLimitResponse

NOW = 1_900_000_000.0
BASE = "https://api.zoom.us/v2"
EVERY_MEETING_SCOPE = frozenset({"meeting:read", "meeting:write", "webinar:read", "webinar:write"})


def connection(**changes: Any) -> Connection:
    """A user-level connection that may do everything with meetings and webinars."""
    whole = Connection(
        tenant="acme",
        connection_id="con_1",
        owner="owner-1",
        kind=Kind.USER,
        state=State.CONNECTED,
        reason=None,
        client_id="client-1",
        zoom_user_id="zoom-user-1",
        zoom_account_id="zoom-account-1",
        scopes=EVERY_MEETING_SCOPE,
        api_url=None,
        grant_id="grant-1",
        version=1,
        access_expires_at=NOW + 3600,
        refresh_issued_at=NOW - 3000,
        created_at=NOW,
        authorized_at=NOW,
        state_changed_at=NOW,
        last_used_at=NOW,
        sealed_access=b"",
        sealed_refresh=b"",
    )
    return replaced(whole, **changes)


def answer(status: int, body: bytes = b"", **headers: str) -> HttpResponse:
    """An answer of Zoom's; keywords become headers, with dashes."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponse(status, {"content-type": "application/json", **named}, body)


@dataclass(slots=True)
class ScriptedZoom:
    """A transport that plays its script and keeps what it was sent. Past the end of the script it fails the test."""

    script: list[HttpResponse | NotSent | AnswerLost]
    sent: list[HttpRequest] = field(default_factory=list)
    timeouts: list[float] = field(default_factory=list)
    on_send: Callable[[], None] = lambda: None

    def send(self, request: HttpRequest, *, timeout: float) -> HttpResponse:
        self.sent.append(request)
        self.timeouts.append(timeout)
        self.on_send()
        outcome = self.script.pop(0)
        if isinstance(outcome, HttpResponse):
            return outcome
        raise outcome


@dataclass(slots=True)
class Tokens:
    """Hands out `token-1`, and another one after each rejection."""

    rejections: int = 0
    reported: int = 0  # that the other one was refused too
    another: bool = True
    accepted_versions: list[int] = field(default_factory=list)

    def token(self, connection: Connection, deadline: Deadline) -> Secret:  # noqa: ARG002 - the seam's signature
        return Secret("token-1")

    def after_rejection(self, connection: Connection, deadline: Deadline) -> Secret | None:  # noqa: ARG002 - as above
        self.rejections += 1
        return Secret(f"token-{1 + self.rejections}") if self.another else None

    def rejected_again(self, connection: Connection, token: Secret) -> None:  # noqa: ARG002 - as above
        self.reported += 1

    def accepted(self, connection: Connection) -> None:
        self.accepted_versions.append(connection.version)


@dataclass(slots=True)
class Time:
    """A clock that moves only when someone sleeps."""

    passed: float = 0.0
    waits: list[float] = field(default_factory=list)

    def now(self) -> float:
        return NOW + self.passed

    def monotonic(self) -> float:
        return self.passed

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.passed += seconds

    def deadline(self, seconds: float = 28.0) -> Deadline:
        return Deadline.after(seconds, clock=self.monotonic)


class ScriptedLimiter(RateLimiter):
    """A rate limiter that plays its script of waits and errors; past its end every call may go at once."""

    def __init__(self, *script: Reservation | Exception) -> None:
        self.script = list(script)
        self.costs: list[Cost] = []
        self.refusals: list[RateLimitResponse] = []
        self.given_back: list[Reservation] = []
        self.reopened: list[Cost] = []
        self.begun: list[Cost] = []
        self.dropped: list[EarlySlot] = []

    def begin(self, cost: Cost, deadline: Deadline) -> EarlySlot:  # noqa: ARG002 - the seam's signature
        self.begun.append(cost)
        return EarlySlot((cost.account, str(cost.label)), Bucket("all", 1), 0, dict)

    def drop(self, early: EarlySlot | None) -> None:
        if early is not None and not early.used:
            early.used = True
            self.dropped.append(early)

    def reserve(self, cost: Cost, deadline: Deadline, early: EarlySlot | None = None) -> Reservation:  # noqa: ARG002
        self.costs.append(cost)
        if early is not None:
            early.used = True
        reservation = self.script.pop(0) if self.script else Reservation(0.0, 29)
        if isinstance(reservation, Exception):
            raise reservation
        return reservation

    def give_back(self, reservation: Reservation) -> None:
        self.given_back.append(reservation)

    def reopen(self, cost: Cost) -> None:
        self.reopened.append(cost)

    def left(self, cost: Cost) -> int:  # noqa: ARG002 - the seam's signature
        return 28

    def rate_limited(self, cost: Cost, refusal: RateLimitResponse) -> None:  # noqa: ARG002 - as above
        self.refusals.append(refusal)


class Usages(UsageCounter):
    """Remembers what is counted, and how often Zoom had been asked by then."""

    def __init__(self, zoom: ScriptedZoom) -> None:
        self.zoom, self.away = zoom, False
        self.begun: list[tuple[str, str, int]] = []
        self.settled: list[tuple[str, str, int]] = []
        self.hurried: list[bool] = []

    def begin(self, tenant: str, stats: CallStats) -> None:
        self.begun.append((tenant, stats.operation, len(self.zoom.sent)))

    def settle(self, tenant: str, stats: CallStats, deadline: Deadline) -> None:
        self.settled.append((tenant, stats.operation, len(self.zoom.sent)))
        self.hurried.append(not deadline.allows(1.0))
        stats.uncounted = self.away


@dataclass(slots=True)
class World:
    """A gateway to a scripted Zoom, for one connection, and a principal that may do everything."""

    zoom: ScriptedZoom
    connection: Connection
    tokens: Tokens = field(default_factory=Tokens)
    time: Time = field(default_factory=Time)
    limiter: ScriptedLimiter = field(default_factory=ScriptedLimiter)
    keys: MemoryKeys = field(default_factory=MemoryKeys)
    changes: MemoryChanges = field(default_factory=MemoryChanges)
    reads: ReadCache | None = None
    read_cache_seconds: float = 0.0
    asked_for: list[str | None] = field(default_factory=list)
    calls: int = 0
    jitter: float = 0.5
    usage: Usages = field(init=False)
    rejected: RejectedRequests = field(init=False)

    def __post_init__(self) -> None:
        self.usage = Usages(self.zoom)
        self.rejected = RejectedRequests(self.time.now)

    @classmethod
    def of(cls, *script: HttpResponse | NotSent | AnswerLost, **changes: Any) -> World:
        """A world in which Zoom says `script`; keywords change the connection."""
        return cls(ScriptedZoom(list(script)), connection(**changes))

    def http_client(self) -> RetryingHttpClient:
        return RetryingHttpClient(
            transport=self.zoom,
            limiter=self.limiter,
            clock=self.time.now,
            sleep=self.time.sleep,
            random=lambda: self.jitter,
        )

    def client(self) -> ZoomApiClient:
        return ZoomApiClient(
            tokens=self.tokens,
            http=self.http_client(),
            usage=self.usage,
            rejected=self.rejected,
            api_base_url=BASE,
        )

    def gateway(self) -> Gateway:
        if self.reads is None:
            self.reads = ReadCache(changes=self.changes, seconds=self.read_cache_seconds, clock=self.time.now)
        return Gateway(
            select=self._select,
            client=self.client(),
            idempotency=Idempotency(
                store=self.keys,
                clock=self.time.now,
                sleep=self.time.sleep,
                random=lambda: self.jitter,
                new_id=self._new_id,
            ),
            read_cache=self.reads,
            reconnect_url=lambda each: f"https://gateway.example/connections/{each.connection_id}/reconnect",
        )

    def call(
        self, method: str, path: str, *, caller: Principal | None = None, stats: CallStats | None = None, **more: Any
    ) -> Answer:
        """One call of `caller`, who may do everything unless it is given; keywords are the request's."""
        who = principal() if caller is None else caller
        operation, ids = match(method, path)
        usual: dict[str, Any] = {"stats": stats or CallStats(), "deadline": self.time.deadline()}
        return self.gateway().call(Call(principal=who, operation=operation, ids=ids, **(usual | more)))

    def _new_id(self) -> str:
        self.calls += 1
        return f"call-{self.calls}"

    def _select(self, principal: Principal, requested: str | None) -> Connection:  # noqa: ARG002 - the seam's signature
        self.asked_for.append(requested)
        return self.connection


def principal(*scopes: str) -> Principal:
    """A caller with these gateway scopes, or with all."""
    return Principal("acme", "key:1", frozenset(scopes or {"*"}))
