"""Stand-ins for a call through the gateway: a Zoom that follows a script, tokens, time that moves only in a sleep."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from dataclasses import replace as replaced
from typing import Any

from zoom_common.access.principal import Principal
from zoom_common.connections.model import Connection, Kind, State
from zoom_common.deadline import Deadline
from zoom_common.gateway.call import Gateway
from zoom_common.gateway.exchange import Exchange
from zoom_common.secret import Secret
from zoom_common.transport import AnswerLost, NotSent
from zoom_common.zoom.wire import HttpRequest, HttpResponse

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
        refresh_issued_at=NOW,
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

    def token(self, connection: Connection, deadline: Deadline) -> Secret:  # noqa: ARG002 - the seam's signature
        return Secret("token-1")

    def after_rejection(self, connection: Connection, deadline: Deadline) -> Secret:  # noqa: ARG002 - as above
        self.rejections += 1
        return Secret(f"token-{1 + self.rejections}")


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


@dataclass(slots=True)
class World:
    """A gateway to a scripted Zoom, for one connection, and a principal that may do everything."""

    zoom: ScriptedZoom
    connection: Connection
    tokens: Tokens = field(default_factory=Tokens)
    time: Time = field(default_factory=Time)
    asked_for: list[str | None] = field(default_factory=list)
    jitter: float = 0.5

    @classmethod
    def of(cls, *script: HttpResponse | NotSent | AnswerLost, **changes: Any) -> World:
        """A world in which Zoom says `script`; keywords change the connection."""
        return cls(ScriptedZoom(list(script)), connection(**changes))

    def exchange(self) -> Exchange:
        return Exchange(transport=self.zoom, clock=self.time.now, sleep=self.time.sleep, random=lambda: self.jitter)

    def gateway(self) -> Gateway:
        return Gateway(
            select=self._select,
            tokens=self.tokens,
            exchange=self.exchange(),
            api_base_url=BASE,
            reconnect_url=lambda each: f"https://gateway.example/connections/{each.connection_id}/reconnect",
        )

    def _select(self, principal: Principal, requested: str | None) -> Connection:  # noqa: ARG002 - the seam's signature
        self.asked_for.append(requested)
        return self.connection


def principal(*scopes: str) -> Principal:
    """A caller with these gateway scopes, or with all."""
    return Principal("acme", "key:1", frozenset(scopes or {"*"}))
