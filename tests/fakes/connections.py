"""A vault in memory, a Zoom that rotates, and workers that can be stopped between any two steps."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any, cast
from urllib.parse import parse_qs

from mypy_boto3_kms import KMSClient
from mypy_boto3_sqs import SQSClient

from zoom_common.aws.table import ConditionFailed
from zoom_common.connections.account_connecting import AccountConnecting
from zoom_common.connections.attempt import Attempt
from zoom_common.connections.authorization_store import AuthorizationStore, Claim, LinkRequest
from zoom_common.connections.cipher import Cipher
from zoom_common.connections.disconnection import Disconnection
from zoom_common.connections.identifiers import digest
from zoom_common.connections.model import ALIVE, Connection, Kind, Spare, State
from zoom_common.connections.queue import EscrowQueue, RevokeQueue
from zoom_common.connections.refresh import refresh
from zoom_common.connections.refresh_store import RefreshStore
from zoom_common.connections.refresher import Refresher
from zoom_common.connections.refusals import Row
from zoom_common.connections.revocation import Revocation
from zoom_common.connections.schedule import Policy
from zoom_common.connections.seal import SealContext, SealKind
from zoom_common.connections.steps import INTENT_WINDOW, Result, SealedPair, Settlement, Step
from zoom_common.connections.store import Connections, ConnectionStore, Page
from zoom_common.connections.tombstones import Tombstones
from zoom_common.connections.zoom_client import ZoomOAuth
from zoom_common.errors import DependencyFailed, InternalError, Unavailable
from zoom_common.secret import Secret
from zoom_common.transport import AnswerLost, NotSent
from zoom_common.zoom.oauth import App, Endpoints, pkce_challenge
from zoom_common.zoom.token_errors import TokenError
from zoom_common.zoom.wire import HttpRequest, HttpResponse

START = 1_800_000_000.0
CLIENT_ID, CLIENT_SECRET = "zoom-app", "app-secret"


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


class FakeKms:
    """Wraps a data key by writing its context beside it. `away` makes every call fail."""

    def __init__(self) -> None:
        self.refused = False
        self.away = False
        self.decrypts = 0

    def client(self) -> KMSClient:
        return cast("KMSClient", self)

    def generate_data_key(self, **request: Any) -> dict[str, Any]:
        if self.away:
            raise Unavailable(reason="kms_unavailable")
        if self.refused:
            raise InternalError(where="kms_unavailable", cause="AccessDeniedException")
        key = b"k" * 32
        wrapped = json.dumps([request["KeyId"], request["EncryptionContext"]]).encode()
        return {"CiphertextBlob": wrapped, "Plaintext": key}

    def decrypt(self, **request: Any) -> dict[str, Any]:
        if self.away:
            raise Unavailable(reason="kms_unavailable")
        self.decrypts += 1
        assert json.loads(request["CiphertextBlob"]) == [request["KeyId"], request["EncryptionContext"]]
        return {"Plaintext": b"k" * 32}


class FakeSqs:
    """Takes messages. `away` makes every call fail."""

    def __init__(self) -> None:
        self.away = False
        self.bodies: list[str] = []
        self.delays: list[int] = []

    def client(self) -> SQSClient:
        return cast("SQSClient", self)

    def send_message(self, **request: Any) -> dict[str, Any]:
        if self.away:
            raise Unavailable(reason="escrow_unavailable")
        self.bodies.append(request["MessageBody"])
        return {}

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        self.bodies += [entry["MessageBody"] for entry in request["Entries"]]
        self.delays += [entry["DelaySeconds"] for entry in request["Entries"]]
        return {"Successful": request["Entries"]}


@dataclass(slots=True)
class ZoomServer:
    """Zoom's token endpoint over a fake transport. Faults are taken from `faults`, one for each request.

    `lost_response` carries the request out; `never_sent` does not. An HttpResponse is given as the answer.
    """

    clock: Clock
    faults: list[str | HttpResponse | None] = field(default_factory=list)
    grace: bool = True  # whether the token that was rotated last is accepted once more
    live: set[str] = field(default_factory=set)
    rotated: set[str] = field(default_factory=set)
    requests: list[HttpRequest] = field(default_factory=list)
    codes: dict[str, str] = field(default_factory=dict)  # code -> challenge
    user_id: str = "zoom-user"
    revoked: list[str] = field(default_factory=list)
    account_apps: set[str] = field(default_factory=set)  # "client id:secret" of Server-to-Server apps
    numbers: Any = field(default_factory=lambda: count(1))

    def send(self, request: HttpRequest, *, timeout: float) -> HttpResponse:
        assert timeout > 0
        self.requests.append(request)
        fault = self.faults.pop(0) if self.faults else None
        if fault == "never_sent":
            raise NotSent
        if isinstance(fault, HttpResponse):
            return fault
        answer = self._answer(request)
        if fault == "lost_response":
            raise AnswerLost
        return answer

    def _answer(self, request: HttpRequest) -> HttpResponse:
        if request.url.endswith("/users/me"):
            return _json(200, {"id": self.user_id, "account_id": "zoom-account", "email": "person@example.com"})
        basic = b64decode(request.headers["Authorization"].removeprefix("Basic ")).decode()
        if basic in self.account_apps:
            return self._account(request)
        if basic != f"{CLIENT_ID}:{CLIENT_SECRET}":
            return _json(400, {"reason": "Invalid client_id or client_secret", "error": "invalid_client"})
        form = {name: values[0] for name, values in parse_qs((request.body or b"").decode()).items()}
        if request.url.endswith("/revoke"):
            self.revoked.append(form["token"])
            return _json(200, {"status": "success"})
        if form["grant_type"] == "authorization_code":
            challenge = self.codes.pop(form["code"], None)
            known = challenge == pkce_challenge(Secret(form["code_verifier"]))
        else:
            token = form["refresh_token"]
            known = token in self.live or (self.grace and token in self.rotated)
            self.rotated |= {token} & self.live
            self.live.discard(token)
        return self.pair() if known else _json(400, {"reason": "Invalid Token!", "error": "invalid_grant"})

    def _account(self, request: HttpRequest) -> HttpResponse:
        form = {name: values[0] for name, values in parse_qs((request.body or b"").decode()).items()}
        assert form["grant_type"] == "account_credentials"
        if form["account_id"] != "zoom-account":
            return _json(400, {"reason": "Account does not exist", "error": "invalid_request"})
        token = {"access_token": f"account-{next(self.numbers)}", "token_type": "bearer", "expires_in": 3600}
        return _json(200, token | {"scope": "user:read:list_users:admin", "api_url": "https://api.zoom.us"})

    def pair(self) -> HttpResponse:
        """A new pair; the last one issued wins."""
        number = next(self.numbers)
        self.live = {f"refresh-{number}"}
        return _json(
            200,
            {
                "access_token": f"access-{number}",
                "refresh_token": f"refresh-{number}",
                "token_type": "bearer",
                "expires_in": 3600,
                "scope": "meeting:read:meeting user:read:user",
                "api_url": "https://api-us.zoom.us",
            },
        )


def _json(status: int, body: dict[str, Any]) -> HttpResponse:
    return HttpResponse(status, {"content-type": "application/json"}, json.dumps(body).encode())


class Memory(ConnectionStore):
    """Connections and claims in memory. `faults[method]` is a count of calls that fail before they do anything."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], Connection] = {}
        self.claims: dict[tuple[str, str], Claim] = {}
        self.faults: dict[str, int] = {}
        self.refuses: set[str] = set()
        self.reads = 0
        self.writes = 0

    def put(self, connection: Connection) -> Connection:
        self.items[connection.tenant, connection.connection_id] = connection
        return connection

    def fails(self, method: str) -> None:
        if method in self.refuses:
            raise InternalError(where="connections_store_unavailable", cause="ValidationException")
        if self.faults.get(method, 0) > 0:
            self.faults[method] -= 1
            raise Unavailable(reason="connections_store_unavailable")

    def get(self, tenant: str, connection_id: str) -> Connection | None:
        self.reads += 1
        self.fails("get")
        return deepcopy(self.items.get((tenant, connection_id)))

    def list(self, tenant: str, *, owner: str | None = None, limit: int = 100, cursor: str | None = None) -> Page:
        mine = [each for each in self.items.values() if each.tenant == tenant and owner in {None, each.owner}]
        found = sorted(mine, key=lambda each: each.connection_id)
        start = int(cursor or 0)
        end = start + limit
        return Page(found[start:end], str(end) if len(found) > end else None)

    def by_zoom_user(self, client_id: str, zoom_user_id: str) -> Connection | None:
        claim = self.claims.get((client_id, zoom_user_id))
        return self.get(claim.tenant, claim.connection_id) if claim else None

    def by_account(self, client_id: str, account_id: str) -> Connections:
        mine = [each for each in self.items.values() if each.kind is Kind.ACCOUNT]
        return [each for each in mine if (each.client_id, each.zoom_account_id) == (client_id, account_id)]

    def add_account(self, connection: Connection) -> None:
        self.fails("add_account")
        self.put(connection)

    def replace(self, connection: Connection, *, seen: Connection) -> None:
        found = self.items[seen.tenant, seen.connection_id]
        if (found.grant_id, found.version) != (seen.grant_id, seen.version):
            raise ConditionFailed
        self.put(connection)

    def touch(self, connection: Connection, *, now: float, due_at: float) -> None:
        self.put(replace(connection, last_used_at=now, due_at=due_at))

    def end(self, connection: Connection, *, reason: str, now: float) -> bool:
        item = self.items.get((connection.tenant, connection.connection_id))
        if item is None or item.grant_id != connection.grant_id or item.state not in ALIVE:
            return False
        self.put(replace(item, state=State.REAUTHORIZATION_REQUIRED, reason=reason, state_changed_at=now, due_at=None))
        return True

    def heard(self, tenant: str, connection_id: str, *, now: float) -> None:
        self.fails("heard")
        self.writes += 1
        if (tenant, connection_id) in self.items:
            self.put(replace(self.items[tenant, connection_id], last_webhook_at=now))

    def forget_tokens(self, connection: Connection, *, reason: str, now: float) -> bool:
        self.fails("forget_tokens")
        item = self.items[connection.tenant, connection.connection_id]
        if item.grant_id != connection.grant_id:
            return False
        gone: dict[str, Any] = {"sealed_access": b"", "sealed_refresh": b"", "previous_refresh": None, "spares": {}}
        state = State.REAUTHORIZATION_REQUIRED
        told: dict[str, Any] = {
            "state": state,
            "reason": reason,
            "grant_id": reason,
            "state_changed_at": now,
            "due_at": None,
        }
        self.put(replace(item, **gone, **told, intents={}, lease_owner=None))
        return True

    def disconnect(self, connection: Connection, *, now: float) -> Connection | None:
        self.fails("disconnect")
        seen = self.items.get((connection.tenant, connection.connection_id))
        if seen is None:
            return None
        return self.put(
            replace(seen, state=State.DISCONNECTED, grant_id="disconnected", due_at=None, state_changed_at=now)
        )

    def delete(self, connection: Connection) -> None:
        del self.items[connection.tenant, connection.connection_id]
        key = (connection.client_id, str(connection.zoom_user_id))
        mine = Claim(tenant=connection.tenant, connection_id=connection.connection_id)
        if self.claims.get(key) == mine:
            del self.claims[key]


class MemoryRefresh(RefreshStore):
    """The conditional writes, on a `Memory`."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.lost_writes = 0  # writes that happen and say they did not

    def take_lease(self, seen: Connection, attempt: str, *, now: float, until: float, skew: float) -> Connection | None:
        self.memory.fails("take_lease")
        item = self.memory.items.get((seen.tenant, seen.connection_id))
        if item is None or (item.grant_id, item.version) != (seen.grant_id, seen.version) or item.state not in ALIVE:
            return None
        if item.lease_owner not in {None, attempt} and item.lease_expires_at >= now - skew:
            return None
        intents = {each: at for each, at in item.intents.items() if at > now - INTENT_WINDOW} | {attempt: now}
        return self.memory.put(replace(item, lease_owner=attempt, lease_expires_at=until, intents=intents))

    def write(self, pair: SealedPair, *, release: bool) -> Connection | None:
        self.memory.fails("write")
        item = self._item(pair)
        if (item.grant_id, item.version) != (pair.grant_id, pair.seen_version):
            return item
        if release and item.lease_owner != pair.attempt:
            return item
        self.memory.put(
            replace(
                item,
                version=item.version + 1,
                sealed_access=pair.sealed_access,
                sealed_refresh=pair.sealed_refresh,
                previous_refresh=pair.used_refresh,
                access_expires_at=pair.access_expires_at,
                refresh_issued_at=pair.issued_at,
                written_by=pair.attempt,
                state=State.CONNECTED,
                reason=None,
                state_changed_at=pair.state_changed_at,
                failures=0,
                cool_until=0.0,
                due_at=pair.due_at,
                scopes=pair.scopes or item.scopes,
                api_url=pair.api_url or item.api_url,
                last_used_at=pair.last_used_at or item.last_used_at,
                intents={each: at for each, at in item.intents.items() if each != pair.attempt},
                spares={each: spare for each, spare in item.spares.items() if each not in pair.tried},
                lease_owner=None if release else item.lease_owner,
                lease_expires_at=0.0 if release else item.lease_expires_at,
            )
        )
        if self.lost_writes > 0:
            self.lost_writes -= 1
            raise Unavailable(reason="connections_store_unavailable")
        return None

    def keep_spare(self, pair: SealedPair) -> bool:
        self.memory.fails("keep_spare")
        item = self._item(pair)
        if item.grant_id != pair.grant_id:
            return False
        intents = {each: at for each, at in item.intents.items() if each != pair.attempt}
        spares = {**item.spares, pair.attempt: Spare(pair.sealed_refresh, pair.issued_at)}
        self.memory.put(replace(item, spares=spares, intents=intents))
        return True

    def note_refusal(self, seen: Connection, row: Row) -> bool:
        self.memory.fails("note_refusal")
        item = self.memory.items.get((seen.tenant, seen.connection_id))
        if item is None or (item.grant_id, item.version) != (seen.grant_id, seen.version) or item.state not in ALIVE:
            return False
        refused = replace(item, refused_version=seen.version, refusals=row.refusals, refused_since=row.since)
        self.memory.put(refused)
        return True

    def settle(self, seen: Connection, settlement: Settlement) -> bool:
        self.memory.fails("settle")
        item = self.memory.items.get((seen.tenant, seen.connection_id))
        mine = item is not None and item.lease_owner == settlement.attempt and item.state is seen.state
        if item is None or not mine or item.grant_id != seen.grant_id:
            return False
        resolved = {settlement.attempt} if settlement.outcome_known else set()
        self.memory.put(
            replace(
                item,
                state=settlement.state,
                reason=settlement.reason,
                failures=settlement.failures,
                cool_until=settlement.cool_until,
                state_changed_at=settlement.state_changed_at,
                due_at=settlement.due_at,
                lease_owner=None,
                lease_expires_at=0.0,
                intents={each: at for each, at in item.intents.items() if each not in resolved},
            )
        )
        return True

    def _item(self, pair: SealedPair) -> Connection:
        item = self.memory.items.get((pair.tenant, pair.connection_id))
        if item is None:
            raise LookupError
        return item


class MemoryAuthorization(AuthorizationStore):
    """Tickets, states and codes in memory, beside a `Memory`."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self.entries: dict[tuple[str, str], tuple[LinkRequest, int, str]] = {}

    def put_ticket(self, ticket: Secret, link: LinkRequest, *, expires_at: int) -> None:
        self.entries["ticket", digest(ticket)] = (link, expires_at, "")

    def ticket(self, ticket: Secret, *, now: float) -> LinkRequest | None:
        return self._look("ticket", ticket, now)

    def start(
        self, ticket: Secret, state: Secret, cookie: Secret, *, now: float, expires_at: int
    ) -> LinkRequest | None:
        link = self.ticket(ticket, now=now)
        if link is not None:
            del self.entries["ticket", digest(ticket)]
            self.entries["state", digest(state)] = (link, expires_at, digest(cookie))
        return link

    def take_state(self, state: Secret, cookie: Secret, *, now: float) -> LinkRequest | None:
        link, expires_at, held_by = self.entries.get(("state", digest(state)), (None, 0, ""))
        if link is None or expires_at <= now or held_by != digest(cookie):
            return None
        del self.entries["state", digest(state)]
        return link

    def put_pending(self, pending: Connection, code: Secret, link: LinkRequest, *, expires_at: int) -> None:
        self.memory.fails("put_pending")
        self.memory.put(pending)
        self.entries["code", digest(code)] = (link, expires_at, "")

    def code(self, code: Secret, *, now: float) -> LinkRequest | None:
        return self._look("code", code, now)

    def claim(self, client_id: str, zoom_user_id: str) -> Claim | None:
        return self.memory.claims.get((client_id, zoom_user_id))

    def redeem(
        self,
        code: Secret,
        *,
        pending: Connection,
        connected: Connection,
        replaced: Connection | None,
        claim: Claim | None,
        superseded: Connection | None,
        now: float,
    ) -> None:
        if self.code(code, now=now) is None:
            raise ConditionFailed(failed=[0])
        if self.memory.faults.get("redeem", 0) > 0:
            self.memory.faults["redeem"] -= 1
            raise ConditionFailed(failed=[1])
        del self.entries["code", digest(code)]
        if replaced is not None:
            del self.memory.items[pending.tenant, pending.connection_id]
        self.memory.put(connected)
        key = (connected.client_id, str(connected.zoom_user_id))
        assert self.memory.claims.get(key) == claim
        self.memory.claims[key] = Claim(tenant=connected.tenant, connection_id=connected.connection_id)
        if superseded is not None:
            self.memory.put(
                replace(
                    superseded,
                    state=State.REAUTHORIZATION_REQUIRED,
                    reason="superseded",
                    grant_id="superseded",
                    due_at=None,
                )
            )

    def _look(self, kind: str, secret: Secret, now: float) -> LinkRequest | None:
        link, expires_at, _ = self.entries.get((kind, digest(secret)), (None, 0, ""))
        return link if expires_at > now else None


class MemoryTombstones(Tombstones):
    """Tombstones in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, float] = {}

    def put(self, names: Iterable[str], *, now: float) -> None:
        self.kept |= dict.fromkeys(names, now)

    def erased_at(self, name: str) -> float | None:
        return self.kept.get(name)


class Credentials:
    """The app's own credentials; `next` is what Secrets Manager holds by now."""

    def __init__(self) -> None:
        self._app = self.next = App(CLIENT_ID, Secret(CLIENT_SECRET))

    def rotate(self, cached: str) -> None:
        """What is cached here is `cached`, by now another than the real one."""
        self._app = App(CLIENT_ID, Secret(cached))

    def app(self) -> App:
        return self._app

    def changed(self) -> bool:
        former, self._app = self._app, self.next
        return self._app != former


class World:
    """One vault with one connection to a Zoom, and as many workers as a test wants."""

    def __init__(self, **changes: Any) -> None:
        self.clock = Clock()
        self.kms, self.sqs = FakeKms(), FakeSqs()
        self.memory = Memory()
        self.store = MemoryRefresh(self.memory)
        self.zoom = ZoomServer(self.clock)
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
        names = count(1)
        self.refresher = Refresher(
            connections=self.memory,
            store=self.store,
            cipher=self.cipher,
            zoom=self.oauth,
            escrow=EscrowQueue(self.sqs.client(), "escrow"),
            publish=self.published.append,
            clock=self.clock,
            sleep=self.clock.sleep,
            chance=lambda: 0.5,
            new_id=lambda: f"attempt-{next(names)}",
        )
        self.revocation = Revocation(connections=self.memory, cipher=self.cipher, zoom=self.oauth, clock=self.clock)
        self.disconnection = Disconnection(
            connections=self.memory,
            revocation=self.revocation,
            retries=RevokeQueue(self.sqs.client(), "escrow"),
            publish=self.published.append,
            clock=self.clock,
        )
        bits = count(1)
        self.accounts = AccountConnecting(
            connections=self.memory,
            cipher=self.cipher,
            zoom=self.oauth,
            publish=self.published.append,
            clock=self.clock,
            chance=lambda: 0.5,
            random_bits=lambda: next(bits),
        )
        seed = connection(**changes)
        self.zoom.live = {"refresh-0"}
        sealed = {
            "sealed_access": self.seal("access-0", SealKind.ACCESS, seed.connection_id),
            "sealed_refresh": self.seal("refresh-0", SealKind.REFRESH, seed.connection_id),
        }
        self.memory.put(replace(seed, **{**sealed, **{k: v for k, v in changes.items() if k in sealed}}))
        self.memory.claims[CLIENT_ID, "zoom-user"] = Claim(tenant=seed.tenant, connection_id=seed.connection_id)

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

    def worker(self, name: str, *, wait: float = 0.0, skew: float = 0.0) -> Worker:
        return Worker(self, name, wait=wait, skew=skew)


class Worker:
    """One attempt, carried out step by step; `skew` is what its clock is ahead by, in seconds."""

    def __init__(self, world: World, name: str, *, wait: float, skew: float) -> None:
        self.world = world
        clock: Callable[[], float] = lambda: world.clock() + skew  # noqa: E731
        seen = deepcopy(world.item)
        self.name = name
        self.attempt = Attempt(name, seen, clock, lambda: 0.5, Policy(), wait=wait)
        self.steps = refresh(self.attempt)
        self.step: Step | None = next(self.steps)
        self.result: Result | None = None
        self.refresher = replace(world.refresher, clock=clock)

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
                answer = self.refresher._perform(self.step, self.attempt.seen, self.name)
            except (TokenError, DependencyFailed, LookupError) as error:
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
