"""Jobs over DynamoDB in memory with the real gateway and rate limiter, a small Zoom, and an engine that may fail."""

from __future__ import annotations

import json
import random
from bisect import bisect_right, insort
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from mypy_boto3_dynamodb import DynamoDBClient

from tests.fakes import tables
from tests.fakes.dynamodb import MemoryDynamoDB, StoredTable
from tests.fakes.gateway import BASE, Time, Tokens, connection
from tests.fakes.lanes import LaneTime
from zoom_common.access.principal import Principal
from zoom_common.aws.table import Table
from zoom_common.connections.model import Connection, Kind
from zoom_common.gateway.change_store import ChangeStore
from zoom_common.gateway.http_client import RetryingHttpClient, ZoomApiClient
from zoom_common.gateway.idempotency import Idempotency
from zoom_common.gateway.idempotency_store import IdempotencyStore
from zoom_common.gateway.read_cache import ReadCache
from zoom_common.gateway.service import Gateway
from zoom_common.gateway.token_rejections import RejectedRequests
from zoom_common.gateway.usage import LiveUsage, UsageCounter
from zoom_common.jobs.files import ledger
from zoom_common.jobs.model import ENDED, Job, Row, State
from zoom_common.jobs.row_work import RowWork
from zoom_common.jobs.rows import RowCalls
from zoom_common.jobs.runner import AGAIN, WAIT, SliceRunner, Work, revive
from zoom_common.jobs.store import JobStore
from zoom_common.ratelimit.limiter import RateLimiter, RateLimitRules
from zoom_common.ratelimit.quotas import DailyCalls, DailyStore
from zoom_common.ratelimit.slots import SlotStore
from zoom_common.transport import AnswerLost, NotSent
from zoom_common.zoom.http import HttpRequest, HttpResponse
from zoom_common.zoom.operations.table import operations

ACCOUNT = "con_1"
CALLER = Principal("acme", "key:k1", frozenset({"*"}))
_DAY = 86_400


class Crash(BaseException):
    """The function is killed here."""


class CrashingDynamoDB(MemoryDynamoDB):
    """DynamoDB that sees a function end: `crash_in` counts the requests until then."""

    crash_in: int | None = None

    def _table(self, request: dict[str, Any], operation: str) -> StoredTable:
        if self.crash_in is not None:
            self.crash_in -= 1
            if self.crash_in < 0:
                self.crash_in = None
                raise Crash
        return super()._table(request, operation)


@dataclass(slots=True)
class Zoom:
    """Meetings, with Zoom's limits per second and per user and day. `latency` passes in each request.

    `faults` are played one for each create: `lost` (made, no answer), `never_sent`, `crash_before`, `crash_after`.
    `refusals` counts answers 429 by what they said.
    """

    time: Time
    latency: float = 0.05
    faults: deque[str] = field(default_factory=deque)
    meetings: dict[int, dict[str, Any]] = field(default_factory=dict)
    refusals: Counter[str] = field(default_factory=Counter)
    requests: Counter[str] = field(default_factory=Counter)
    answers: dict[str, Callable[[HttpRequest], HttpResponse | None]] = field(default_factory=dict)
    closed_until: float = 0.0
    revoked: bool = False
    per_second: int = 30
    _recent: list[float] = field(default_factory=list)
    _creates: Counter[tuple[str, int]] = field(default_factory=Counter)

    def send(self, request: HttpRequest, *, timeout: float) -> HttpResponse:  # noqa: ARG002 - the seam's signature
        self.time.passed += self.latency
        path = unquote(unquote(urlsplit(request.url).path.removeprefix("/v2")))
        self.requests[f"{request.method} {path.split('/')[1]}"] += 1
        refusal = self._refusal()
        if refusal is not None:
            return refusal
        for beginning, answered in self.answers.items():
            if f"{request.method} {path}".startswith(beginning):
                found = answered(request)
                if found is not None:
                    return found
        return self._meetings(request, path)

    def _refusal(self) -> HttpResponse | None:
        now = self.time.now()
        if self.revoked:
            return said(401, code=124, message="Invalid access token.")
        if now < self.closed_until:
            self.refusals["daily"] += 1
            until = datetime.fromtimestamp(self.closed_until, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            body = {"code": 429, "message": "You have reached the maximum daily rate limit for this API."}
            headers = {"x-ratelimit-type": "Daily-limit", "retry-after": until}
            return HttpResponse(429, {"content-type": "application/json", **headers}, json.dumps(body).encode())
        insort(self._recent, now)
        if len(self._recent) - bisect_right(self._recent, now - 1.0) > self.per_second:
            self.refusals["per_second"] += 1
            return said(429, code=429, message="You have reached the maximum per-second rate limit for this API.")
        return None

    def busiest_second(self) -> int:
        """The most requests within any second, in whatever order they came."""
        return max((at + 1 - bisect_right(self._recent, now - 1.0) for at, now in enumerate(self._recent)), default=0)

    def _meetings(self, request: HttpRequest, path: str) -> HttpResponse:
        match request.method, path.strip("/").split("/"):
            case "POST", ["users", user, "meetings"]:
                return self._create(user, json.loads(request.body or b"{}"))
            case "GET", ["users", user, "meetings"]:
                return self._list(user, parse_qs(urlsplit(request.url).query))
            case method, ["meetings", number] if int(number) in self.meetings:
                return self._single(method, int(number), request)
            case _:
                return said(404, code=3001, message="Meeting does not exist.")

    def _create(self, user: str, body: dict[str, Any]) -> HttpResponse:
        now = self.time.now()
        fault = self.faults.popleft() if self.faults else ""
        if fault == "crash_before":
            raise Crash
        if fault == "never_sent":
            raise NotSent("gone")
        if self._creates[user, int(now // _DAY)] >= 100:
            self.refusals["per_user"] += 1
            return said(
                429,
                {"x-ratelimit-remaining": "5000"},
                code=429,
                message="You have exceeded the daily rate limit (100) of Meeting Create/Update API requests.",
            )
        self._creates[user, int(now // _DAY)] += 1
        number = 80_000_000_000 + len(self.meetings)
        created = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        about = {**body, "id": number, "uuid": f"{number}==", "host_id": user, "created_at": created}
        self.meetings[number] = {**about, "join_url": f"https://zoom.us/j/{number}", "start_url": "https://zoom.us/s/1"}
        if fault == "crash_after":
            raise Crash
        if fault == "lost":
            raise AnswerLost("lost")
        return said(201, **self.meetings[number])

    def _list(self, user: str, query: dict[str, list[str]]) -> HttpResponse:
        own = [each for each in self.meetings.values() if each["host_id"] == user]
        size, at = int(query.get("page_size", ["30"])[0]), int(query.get("next_page_token", ["0"])[0] or 0)
        token = str(at + size) if at + size < len(own) else ""
        return said(200, meetings=own[at : at + size], next_page_token=token)

    def _single(self, method: str, number: int, request: HttpRequest) -> HttpResponse:
        if method == "GET":
            return said(200, **self.meetings[number])
        if method == "DELETE":
            del self.meetings[number]
        else:
            self.meetings[number] |= json.loads(request.body or b"{}")
        return HttpResponse(204, {"content-length": "0"}, b"")


def said(status: int, headers: dict[str, str] | None = None, /, **body: Any) -> HttpResponse:
    """An answer of Zoom's with a JSON body."""
    return HttpResponse(status, {"content-type": "application/json", **(headers or {})}, json.dumps(body).encode())


class JobWorld:
    """One account with jobs, and their engine."""

    def __init__(
        self,
        *,
        kind: Kind = Kind.USER,
        rules: RateLimitRules | None = None,
        seed: int = 0,
        lanes: int = 1,
        **slices: Any,
    ) -> None:
        self.time = LaneTime()
        self.dynamodb = CrashingDynamoDB()
        tables.in_memory(self.dynamodb)
        self.random = random.Random(seed)  # noqa: S311 - a schedule, not a secret
        self.zoom = Zoom(self.time)
        self.rules = rules or RateLimitRules(share=0.9, reserve=0.1)
        user = "zoom-user-1" if kind is Kind.USER else None
        self.connection: Connection | Exception = connection(kind=kind, zoom_user_id=user)
        self.key_refusal: str | None = None
        self.files: dict[str, bytes] = {}
        self.works: dict[str, Work] = {}
        self.lanes = lanes
        self.slices = {"slice_seconds": 60.0, "lease_seconds": 90.0, **slices}
        self.waiting: list[tuple[float, str, int]] = []
        self.started: list[tuple[str, int]] = []
        self.engine_loses = 0.0
        self.repeats = 0.0
        self.names = 0
        self.store = JobStore(Table(self.client(), tables.EVENTS))

    def client(self) -> DynamoDBClient:
        return self.dynamodb.client()

    def new_id(self) -> str:
        self.names += 1
        return f"owner-{self.names}"

    def gateway(self) -> Gateway:
        """A gateway in a new container."""
        shared = Table(self.client(), tables.COORDINATION, sleep=self.time.sleep)
        limiter = RateLimiter(
            slots=SlotStore(shared), daily=DailyCalls(DailyStore(shared)), rules=self.rules, clock=self.time.now
        )
        http = RetryingHttpClient(
            transport=self.zoom, limiter=limiter, clock=self.time.now, sleep=self.time.sleep, random=self.random.random
        )
        idempotency = Idempotency(
            store=IdempotencyStore(shared),
            clock=self.time.now,
            sleep=self.time.sleep,
            random=self.random.random,
            new_id=self.new_id,
        )
        return Gateway(
            select=self._select,
            client=ZoomApiClient(
                tokens=Tokens(another=False),
                http=http,
                usage=UsageCounter(begin_write=LiveUsage(shared).begin, clock=self.time.now),
                rejected=RejectedRequests(self.time.now),
                api_base_url=BASE,
            ),
            idempotency=idempotency,
            read_cache=ReadCache(changes=ChangeStore(shared, clock=self.time.now), seconds=0.0, clock=self.time.now),
            reconnect_url=lambda each: f"https://gateway.example/{each.connection_id}",
        )

    def _select(self, principal: Principal, requested: str | None) -> Connection:  # noqa: ARG002 - the seam's signature
        if isinstance(self.connection, Exception):
            raise self.connection
        return self.connection

    def runner(self) -> SliceRunner:
        """A slice runner in a new container."""
        calls, *more_calls = [self.lane() for _ in range(self.lanes)]
        return SliceRunner(
            store=self.store,
            calls=calls,
            more_calls=more_calls,
            at_once=self.time.at_once,
            row_work=lambda slice_: RowWork(slice_).run(),
            operations={each.name: each for each in operations()},
            key_refusal=lambda _: self.key_refusal,
            start=self.start,
            read_file=lambda job: self.files.get(job.job_id),
            delete_file=self._delete_file,
            clock=self.time.now,
            monotonic=self.time.monotonic,
            new_owner=self.new_id,
            works=self.works,
            **self.slices,
        )

    def lane(self) -> RowCalls:
        """The calls of a lane, with a gateway of its own."""
        gateway = self.gateway()
        return RowCalls(
            gateway=gateway,
            send=gateway.call,
            clock=self.time.now,
            monotonic=self.time.monotonic,
            ids_of_job=self.ids,
        )

    def _delete_file(self, job: Job) -> None:
        self.files.pop(job.job_id, None)

    def ids(self, job: Job) -> set[str]:
        return {row.ids["id"] for row in ledger(self.store, job) if "id" in row.ids}

    def make(self, rows: list[dict[str, Any]] | None, operation: str = "meetings.create", **request: Any) -> Job:
        """Store a job and start its engine."""
        self.names += 1
        job = Job(
            tenant="acme",
            job_id=f"job_{self.names}",
            principal=CALLER,
            operation=operation,
            request=request if rows is not None else {"file": {}, **request},
            fingerprint="f",
            created_at=self.time.now(),
            rows=None if rows is None else len(rows),
            wake_at=self.time.now(),
        )
        made = [Row(number=at, values=values) for at, values in enumerate(rows or [], start=1)]
        self.store.create(job, made)
        self.start(job)
        return job

    def start(self, job: Job) -> None:
        self.started.append((job.job_id, job.run))
        if self.random.random() >= self.engine_loses:
            self.waiting.append((self.time.now(), job.job_id, job.run))

    def job(self, job: Job) -> Job:
        found = self.store.get(job.tenant, job.job_id)
        assert found is not None
        return found

    def ledger(self, job: Job) -> list[Row]:
        return list(ledger(self.store, self.job(job)))

    def step(self) -> bool:
        """Run the slice that is due next; when nothing is due, let the watch look. False when all has ended."""
        if not self.waiting:
            self.time.passed += 300
            try:
                return revive(self.store, self.start, now=self.time.now()) > 0 or bool(self.store.active())
            except Crash:  # the watch dies too, and comes again
                return True
        due, job_id, run = min(self.waiting)
        self.waiting.remove((due, job_id, run))
        self.time.passed = max(self.time.passed, due - self.time.now() + self.time.passed)
        try:
            step = self.runner().run("acme", job_id, run)
        except Crash:
            self.dynamodb.crash_in = None
            if self.random.random() >= self.engine_loses:
                self.waiting.append((self.time.now() + 5, job_id, run))  # the state machine tries again
            return True
        if step.next in {AGAIN, WAIT}:
            self.waiting.append((self.time.now() + (step.seconds if step.next == WAIT else 0), job_id, run))
            if self.random.random() < self.repeats:
                self.waiting.append((self.time.now(), job_id, run))
        return True

    def run_to_end(self, job: Job, *, most: int = 100_000) -> Job:
        """Run the engine until the job has ended or waits for a person."""
        for _ in range(most):
            found = self.job(job)
            if found.state in ENDED or (found.state is State.PAUSED and not found.resumes_by_itself):
                return found
            self.step()
        raise AssertionError("the job does not end")

    def connected(self, **changes: Any) -> None:
        """Change the connection."""
        assert isinstance(self.connection, Connection)
        self.connection = replace(self.connection, **changes)
