"""Everything outside of the code under search, as one immutable value: tables, Zoom, queues, the bus and the clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from zlib import crc32

from botocore.exceptions import ClientError, ReadTimeoutError

from tests.fakes import tables
from tests.fakes.dynamodb import MemoryDynamoDB
from zoom_common.errors import Unavailable
from zoom_common.transport import AnswerLost, NotSent
from zoom_common.zoom.http import HttpRequest

START = 1_800_000_000.0

# What a search has of Zoom: `answer(request, now=...)` gives what follows, and the response.
type AnyZoom = Any
type Item = dict[str, Any]
type Partitions = Mapping[str, Mapping[str, Item]]

_READS = frozenset({"get_item", "query", "scan", "batch_get_item"})


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the outside. `service` is dynamodb, zoom, sqs, bus, kms or sleep."""

    service: str
    operation: str
    request: Any

    @property
    def is_local(self) -> bool:
        """Return whether nobody else can see it or influence its answer."""
        return self.service == "kms"

    @property
    def changes_something(self) -> bool:
        """Return whether an answer that is lost leaves a change behind."""
        if self.service == "dynamodb":
            return self.operation not in _READS
        return self.service in {"sqs", "bus"} or (self.service == "zoom" and self.request.method != "GET")

    def __str__(self) -> str:
        return f"{self.service} {self.operation}".strip()


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back at epoch second `now`: a value, or an error to be raised."""

    now: float
    value: Any = None
    error: Exception | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """A queue's message, to be seen from epoch second `visible_at` on. `number` tells it from others that are alike."""

    body: str
    visible_at: float
    number: int = 0

    @property
    def name(self) -> str:
        """A name for whoever handles it: no two workers that handle messages have the same."""
        return f"{crc32(self.body.encode())}-{self.visible_at}-{self.number}"


@dataclass(frozen=True, slots=True)
class World:
    """The outside at one moment."""

    tables: Mapping[str, Partitions]
    zoom: AnyZoom
    queue: tuple[Message, ...] = ()
    published: tuple[str, ...] = ()
    now: float = START

    def items(self) -> list[Item]:
        """Return every item of every table."""
        return [item for table in self.tables.values() for rows in table.values() for item in rows.values()]


class Outside:
    """Carries calls out on worlds. Items are never changed in place, so worlds share them."""

    def __init__(self) -> None:
        self.dynamodb = tables.in_memory()
        self._digests: dict[int, tuple[Item, int]] = {}
        self._bodies: dict[str, int] = {}

    def empty(self, zoom: AnyZoom) -> World:
        """Return a world with empty tables."""
        return World({name: {} for name in self.dynamodb.tables}, zoom)

    def key(self, world: World) -> tuple[Any, ...]:
        """Return what tells a world from others."""
        rows = sorted(
            (name, pk, sk, self._digest(item))
            for name, table in world.tables.items()
            for pk, found in table.items()
            for sk, item in found.items()
        )
        return world.now, world.zoom, world.queue, world.published, tuple(rows)

    def _digest(self, item: Item) -> int:
        known = self._digests.get(id(item))
        if known is None or known[0] is not item:
            text = repr(sorted(item.items()))
            known = item, self._bodies.setdefault(text, len(self._bodies))
            self._digests[id(item)] = known
        return known[1]

    def carry_out(self, world: World, call: Call, *, asked_at: float) -> tuple[World, Answer]:  # noqa: PLR0911
        """Carry a call out: the world afterwards, and the answer."""
        match call.service:
            case "dynamodb":
                return self._write(world, call) if call.changes_something else (world, self._read(world, call))
            case "zoom":
                zoom, response = world.zoom.answer(call.request, now=world.now)
                return replace(world, zoom=zoom), Answer(world.now, response)
            case "sqs":
                body, delay = call.request
                message = Message(body, world.now + delay, sum(each.body == body for each in world.queue))
                return replace(world, queue=(*world.queue, message)), Answer(world.now, {})
            case "bus":
                return replace(world, published=(*world.published, call.request)), Answer(world.now)
            case "sleep":
                later = replace(world, now=max(world.now, asked_at + call.request))
                return later, Answer(later.now)
            case "kms":
                return world, Answer(world.now)
            case "person":
                return call.request(world), Answer(world.now)
        raise ValueError(call.service)

    def _read(self, world: World, call: Call) -> Answer:
        for name, table in world.tables.items():
            self.dynamodb.tables[name].partitions = table  # type: ignore[assignment]
        return self._ask(world, call)

    def _write(self, world: World, call: Call) -> tuple[World, Answer]:
        before = {name: {pk: dict(rows) for pk, rows in table.items()} for name, table in world.tables.items()}
        for name, table in before.items():
            self.dynamodb.tables[name].partitions = table
        answer = self._ask(world, call)
        after = {name: {pk: rows for pk, rows in table.items() if rows} for name, table in before.items()}
        return replace(world, tables=after), answer

    def _ask(self, world: World, call: Call) -> Answer:
        try:
            return Answer(world.now, getattr(self.dynamodb, call.operation)(**call.request))
        except ClientError as error:
            return Answer(world.now, error=error)


def failed(call: Call, now: float) -> Answer:
    """Return the answer to a call that was not carried out."""
    match call.service:
        case "zoom":
            return Answer(now, error=NotSent())
        case "dynamodb":
            code: Any = {"Error": {"Code": "ThrottlingException", "Message": ""}}
            return Answer(now, error=ClientError(code, call.operation))
        case _:
            return Answer(now, error=Unavailable(reason=f"{call.service}_unavailable"))


def lost(call: Call, now: float) -> Answer:
    """Return the answer to a call that was carried out and whose answer did not come."""
    match call.service:
        case "zoom":
            return Answer(now, error=AnswerLost())
        case "dynamodb":
            return Answer(now, error=ReadTimeoutError(endpoint_url="https://dynamodb.invalid"))
        case _:
            return Answer(now, error=Unavailable(reason=f"{call.service}_unavailable"))


def memory_of(outside: Outside) -> MemoryDynamoDB:
    """Return the DynamoDB that worlds are carried out on."""
    return outside.dynamodb


def is_token_request(call: Call) -> bool:
    """Return whether a call asks Zoom for a new pair for a refresh token."""
    request = call.request
    return isinstance(request, HttpRequest) and b"grant_type=refresh_token" in (request.body or b"")
