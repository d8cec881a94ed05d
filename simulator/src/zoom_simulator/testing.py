"""A simulated Zoom in process, for tests. Its clock does not run, its endpoint is in memory, it needs no network."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx

from zoom_simulator.app import create
from zoom_simulator.behaviour import Behaviour
from zoom_simulator.clock import Clock
from zoom_simulator.events.by_name import rows as event_types
from zoom_simulator.events.catalogue import EventType
from zoom_simulator.model import State
from zoom_simulator.rest import from_facts
from zoom_simulator.rest.call import Operation
from zoom_simulator.rest.table import rows as operations
from zoom_simulator.rest.table import served_from_facts
from zoom_simulator.seed import Settings
from zoom_simulator.webhooks.sender import Answer
from zoom_simulator.webhooks.signing import encrypted_token

__all__ = [
    "CLIENT",
    "NOW",
    "PATIENCE",
    "REDIRECT",
    "SECRET",
    "WEBHOOK_URL",
    "Answer",
    "Endpoint",
    "EventType",
    "Json",
    "Operation",
    "Posted",
    "WallClock",
    "Zoom",
    "event_types",
    "from_facts",
    "operations",
    "served_from_facts",
    "wait_until",
]

NOW = 1_795_000_000.0  # 2026-11-18T11:06:40Z
CLIENT = ("client", "client-secret")
REDIRECT = "http://localhost:3000/callback"
WEBHOOK_URL = "https://hooks.example/zoom"
SECRET = "hook-secret"
Json = dict[str, Any]

PATIENCE = 300.0
"""Seconds without a change after which `wait_until` gives up."""


def wait_until[Found](
    what: str,
    look: Callable[[], Found],
    done: Callable[[Found], object] = bool,
    *,
    progress: Callable[[], object] = lambda: None,
) -> Found:
    """Return what `look` finds once `done` accepts it. For tests that run the simulator as a process.

    Each change of what `look` or `progress` returns starts the patience anew. Raises AssertionError, which names
    `what`, after PATIENCE seconds without a change.
    """
    seen, last_change = "", time.monotonic()
    while not done(found := look()):
        signs = repr((found, progress()))
        if signs != seen:
            seen, last_change = signs, time.monotonic()
        assert time.monotonic() - last_change < PATIENCE, f"No change while waiting for {what}. Last seen: {signs}"
        time.sleep(0.1)
    return found


class WallClock:
    """A wall clock that stands still until a test moves it."""

    def __init__(self, now: float = NOW) -> None:
        self.now = now

    def __call__(self) -> float:
        """Return the time it stands at."""
        return self.now


@dataclass
class Posted:
    """One request that reached the endpoint."""

    url: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> str:
        """The event's name."""
        return str(json.loads(self.body)["event"])

    @property
    def json(self) -> Json:
        """The whole body."""
        found: Json = json.loads(self.body)
        return found


@dataclass
class Endpoint:
    """A subscriber. It answers challenges correctly, and everything else with `answers` in turn, then with 200."""

    posted: list[Posted] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    answers_challenges: bool = True

    async def post(self, url: str, headers: dict[str, str], body: bytes, timeout: float) -> Answer:  # noqa: ASYNC109
        """Take one request."""
        assert timeout > 0
        self.posted.append(Posted(url, headers, body))
        event = json.loads(body)
        if event["event"] == "endpoint.url_validation":
            if not self.answers_challenges:
                return Answer(500)
            plain = event["payload"]["plainToken"]
            answer = {"plainToken": plain, "encryptedToken": encrypted_token(SECRET, plain)}
            return Answer(200, json.dumps(answer).encode())
        return self.answers.pop(0) if self.answers else Answer(200)

    async def close(self) -> None:
        """There is nothing to close."""

    def events(self, name: str = "") -> list[Posted]:
        """What arrived, or only the events of one name; challenges are left out."""
        return [
            each for each in self.posted if each.event in (name or each.event, name) and "url_val" not in each.event
        ]

    def names(self) -> list[str]:
        """The names of what arrived, challenges left out."""
        return [each.event for each in self.events()]


class Zoom:
    """A whole simulated Zoom and a client for it."""

    def __init__(
        self,
        *,
        webhooks: bool = True,
        state: State | None = None,
        state_file: Path | None = None,
        scopes: tuple[str, ...] = (),
        plan: str = "pro",
        endpoint: Endpoint | None = None,
        **behaviour: Any,
    ) -> None:
        self.wall = WallClock()
        self.endpoint = Endpoint() if endpoint is None else endpoint
        settings = Settings(
            client_id=CLIENT[0],
            client_secret=CLIENT[1],
            redirect_uris=(REDIRECT,),
            webhook_url=WEBHOOK_URL if webhooks else "",
            webhook_secret=SECRET,
            account_id="simulated-account",
            scopes=scopes,
            plan=plan,
            base_url="http://zoom.test",
        )
        switches = Behaviour()
        switches.change({"enforce_limits": False, **behaviour})
        self.server = create(
            settings,
            state_file=state_file,
            state=state,
            behaviour=switches,
            clock=Clock(self.wall),
            seed=7,
            sender=self.endpoint,
        )
        self.sim = self.server.sim
        self.token = ""

    # talking

    def run[Result](self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Run something asynchronous to its end."""
        return asyncio.run(coroutine)

    def request(self, method: str, path: str, *, token: str | None = None, **more: Any) -> httpx.Response:
        """One request, with the bearer of `connect` unless `token` is given. `path` is sent as it is."""
        headers = dict(more.pop("headers", {}))
        bearer = self.token if token is None else token
        if bearer and "auth" not in more and not path.startswith("/_sim"):
            headers.setdefault("Authorization", f"Bearer {bearer}")

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.server)
            async with httpx.AsyncClient(transport=transport, base_url="http://zoom.test") as client:
                return await client.request(method, path, headers=headers, **more)

        return self.run(send())

    def get(self, path: str, **more: Any) -> httpx.Response:
        """GET."""
        return self.request("GET", path, **more)

    def post(self, path: str, body: Json | None = None, **more: Any) -> httpx.Response:
        """POST JSON."""
        return self.request("POST", path, json=body or {}, **more)

    def patch(self, path: str, body: Json, **more: Any) -> httpx.Response:
        """PATCH JSON."""
        return self.request("PATCH", path, json=body, **more)

    def put(self, path: str, body: Json, **more: Any) -> httpx.Response:
        """PUT JSON."""
        return self.request("PUT", path, json=body, **more)

    def delete(self, path: str, **more: Any) -> httpx.Response:
        """DELETE."""
        return self.request("DELETE", path, **more)

    def form(self, path: str, fields: Json, **more: Any) -> httpx.Response:
        """POST a form."""
        return self.request("POST", path, data=fields, **more)

    # signing in

    def authorize(self, user: str = "jill@zoom.example", **fields: str) -> httpx.Response:
        """Answer the consent page; `decision` is allow by default."""
        given = {
            "response_type": "code",
            "client_id": CLIENT[0],
            "redirect_uri": REDIRECT,
            "state": "xyz",
            "decision": "allow",
            "user": user,
        }
        return self.form("/oauth/authorize", {**given, **fields}, token="")

    def code(self, user: str = "jill@zoom.example", **fields: str) -> str:
        """An authorisation code."""
        return parse_qs(urlsplit(self.authorize(user, **fields).headers["location"]).query)["code"][0]

    def token_request(self, auth: tuple[str, str] = CLIENT, **fields: str) -> httpx.Response:
        """One request to the token endpoint."""
        return self.form("/oauth/token", fields, auth=auth)

    def connect(self, user: str = "jill@zoom.example") -> Json:
        """Authorise as `user` and use that bearer from now on."""
        response = self.token_request(grant_type="authorization_code", code=self.code(user), redirect_uri=REDIRECT)
        found = _json(response)
        self.token = found["access_token"]
        return found

    def connect_account(self) -> Json:
        """Get a Server-to-Server token and use it from now on."""
        found: Json = self.token_request(grant_type="account_credentials", account_id="simulated-account").json()
        self.token = found["access_token"]
        return found

    # time and events

    def advance(self, seconds: float) -> None:
        """Advance the time and do everything that becomes due, retries and challenges included."""

        async def pass_time() -> None:
            self.wall.now += seconds
            self.sim.timetable.run_due()
            await self._settle()

        self.run(pass_time())

    def deliver(self) -> Endpoint:
        """Deliver what is queued."""
        self.run(self._settle())
        return self.endpoint

    def idle(self) -> bool:
        """Return whether no delivery is queued or on its way; retries that wait for their time do not count."""
        return self.sim.deliveries.idle()

    async def _settle(self) -> None:
        await self.sim.deliveries.drain()
        await self.sim.validator.settle()

    # shortcuts

    def user_id(self, email: str = "jill@zoom.example") -> str:
        """A user's id."""
        user = self.sim.world.user(email)
        assert user is not None
        return user.id

    def meeting(self, **body: Any) -> Json:
        """A meeting of the connected user."""
        response = self.post("/v2/users/me/meetings", {"topic": "Weekly", **body})
        return _json(response)

    def webinar(self, **body: Any) -> Json:
        """A webinar of the connected user."""
        response = self.post("/v2/users/me/webinars", {"topic": "Launch", **body})
        return _json(response)

    def act(self, meeting: int | str, action: str, **body: Any) -> Json:
        """Something happens to a meeting."""
        response = self.post(f"/_sim/meetings/{meeting}/{action}", body)
        return _json(response)

    def hold(self, meeting: int | str, people: Callable[[], object] | None = None, seconds: float = 600) -> None:
        """Hold a meeting: the host and a guest come, `seconds` pass, it ends and its recording is processed."""
        self.act(meeting, "start")
        self.act(meeting, "join", host=True)
        self.act(meeting, "join", name="Guest", customer_key="k1")
        if people is not None:
            people()
        self.advance(seconds)
        self.act(meeting, "end")
        self.advance(10)


def _json(response: httpx.Response) -> Json:
    assert response.is_success, response.text
    found: Json = response.json()
    return found
