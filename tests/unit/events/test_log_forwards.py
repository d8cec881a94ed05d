"""The log read forwards: a cursor never passes an event that becomes visible later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes import tables
from tests.fakes.event_stores import Crash
from tests.fakes.events import NOW, logged
from tests.fakes.soak import times
from zoom_common.aws.table import EVENTS, Table
from zoom_common.errors import Unavailable
from zoom_common.events.log.entries import LogEntry, line_keys
from zoom_common.events.log.index import SETTLED_MS, LogIndex
from zoom_common.events.log.query import LogQuery
from zoom_common.events.log.store import LATE_MS, EventLog

# A worker is killed after the timeout of its function; its message comes back after the queue's visibility timeout.
FUNCTION_TIMEOUT, VISIBILITY = 30.0, 180.0
# Containers' clocks differ by at most five seconds: each is up to half of that off.
SKEW = 2.5


def entry(number: int, received_at: float = NOW) -> LogEntry:
    return LogEntry(
        owner="acme",
        event_id=f"evt_{number:032x}",
        key=str(number),
        app="App",
        type=f"zoom.{('meeting.started', 'user.updated')[number % 2]}",
        received_at_ms=int(received_at * 1000),
        subject="meetings/1",
        connection_id=f"con_{number % 2}",
        uuid="u/1==" if number % 2 == 0 else None,
        content=b"{}",
    )


@dataclass
class World:
    """One true time, workers whose every call takes a while or is their last, and a reader that polls in between."""

    chance: Random
    now: float = NOW
    started: float = NOW
    crashes: float = 0.1
    read: list[str] = field(default_factory=list)
    cursor: str | None = None
    complete_until_ms: int = 0

    def __post_init__(self) -> None:
        self.table = Table(tables.in_memory().client(), tables.EVENTS, EVENTS)

    def worker(self) -> EventLog:
        """A container with its own clock."""
        off = self.chance.uniform(-SKEW, SKEW)
        self.started = self.now
        return EventLog(cast("Table", SlowTable(self)), clock=lambda: self.now + off)

    def step(self) -> None:
        """Let time pass, perhaps with a poll, perhaps with the worker's end."""
        self.now += self.chance.choice([0.0, 0.001, 0.2, 1.0, 4.0, 9.0])
        if self.chance.random() < 0.4:
            self.poll(self.chance.uniform(-SKEW, SKEW))
        if self.now - self.started > FUNCTION_TIMEOUT or self.chance.random() < self.crashes:
            raise Crash

    def poll(self, off: float = 0.0, page_size: int = 2) -> None:
        """Read one page by a reader whose clock is off by some seconds."""
        now = self.now + off
        query = LogQuery.within(now=now, retention_days=30, page_size=page_size, after=self.cursor)
        page = LogIndex(self.table).follow("acme", query, now=now)
        assert page.after >= (self.cursor or "")
        assert page.complete_until_ms >= self.complete_until_ms
        self.read += [line.event_id for line in page.lines]
        self.cursor, self.complete_until_ms = page.after, page.complete_until_ms


@dataclass
class SlowTable:
    """The Events table as a worker sees it: before and after each call anything may happen."""

    world: World
    name: str = tables.EVENTS

    def begin(self, operation: str, **request: Any) -> Callable[[], Any]:
        self.world.step()
        outcome = self.world.table.begin(operation, **request)

        def wait() -> Any:
            self.world.step()
            return outcome()

        return wait

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        self.world.step()
        answer = self.world.table.call(operation, **request)
        self.world.step()
        return answer


def deliver(world: World, number: int, received_at: float, *, again: bool) -> bool:
    """Give a message to a worker; whether it was acknowledged."""
    log = world.worker()
    try:
        admitted = log.admit(entry(number, received_at), again=again)
        if admitted.entry is None:
            return admitted.outcome.value == "finished"
        log.finish(admitted.entry)
    except (Crash, Unavailable):
        return False
    return True


def run(seed: int) -> World:
    """Deliver events to workers that are slow and die, with redeliveries among later events, and read all the time."""
    world = World(Random(seed))  # noqa: S311 - a schedule, and no secret
    waiting = [(world.now + world.chance.uniform(0, 20), number, False) for number in range(8)]
    while waiting:
        waiting.sort()
        due, number, again = waiting.pop(0)
        world.now = max(world.now, due)
        if not deliver(world, number, NOW, again=again):
            waiting.append((world.now + VISIBILITY, number, True))
        world.crashes *= 0.98
    world.now += SETTLED_MS / 1000 + SKEW
    for _ in range(20):
        world.poll()
    return world


@settings(max_examples=times(25), deadline=None)
@given(st.integers(0, 2**32))
def test_no_event_is_skipped_however_late_it_becomes_visible(seed: int) -> None:
    """Slow writes, workers that die at any call, redeliveries and clocks that differ: every event is read."""
    assert set(run(seed).read) == {entry(number).event_id for number in range(8)}


def test_a_reader_without_the_margin_would_skip_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the margin is for: the schedules above lose events when pages end at the reader's own time."""
    monkeypatch.setattr("zoom_common.events.log.index.SETTLED_MS", 0)
    assert any(len(set(run(seed).read)) < 8 for seed in range(40))


@pytest.fixture
def world() -> World:
    return World(Random(0), crashes=0.0)  # noqa: S311


def admit(world: World, *numbers: int, at: float | None = None) -> None:
    clock: Callable[[], float] = lambda: world.now if at is None else at  # noqa: E731
    for number in numbers:
        logged(EventLog(world.table, clock=clock), entry(number))


def follow(world: World, **given: Any) -> tuple[list[int], str, int, bool]:
    query = LogQuery.within(now=world.now, retention_days=30, **given)
    page = LogIndex(world.table).follow("acme", query, now=world.now)
    return [int(line.event_id[4:], 16) for line in page.lines], page.after, page.complete_until_ms, page.more


def test_an_event_that_was_received_long_ago_is_read_when_it_becomes_visible(world: World) -> None:
    """A message from the dead-letter queue has an old time of receipt, and the cursor is beyond it."""
    admit(world, 1)
    world.now += 3600
    numbers, cursor, _, _ = follow(world)
    assert numbers == [1]
    admit(world, 2)  # received an hour ago
    world.now += SETTLED_MS / 1000 + 1
    assert follow(world, after=cursor)[0] == [2]


def test_a_page_says_until_when_it_is_complete(world: World) -> None:
    """Ten seconds ago at the end of the log; the last line's moment where more is ready."""
    admit(world, 1, 2, 3)
    assert follow(world)[:1] == ([],)  # not settled yet
    world.now += 60
    numbers, cursor, complete, more = follow(world, page_size=2)
    assert (numbers, complete, more) == ([1, 2], int(NOW * 1000), True)
    numbers, _, complete, more = follow(world, page_size=2, after=cursor)
    assert (numbers, complete, more) == ([3], int(world.now * 1000) - SETTLED_MS, False)


def test_a_cursor_never_goes_back(world: World) -> None:
    """A reader whose clock is behind the one that gave the cursor out keeps the cursor."""
    world.now += 60
    cursor = follow(world)[1]
    world.now -= 30
    assert follow(world, after=cursor)[:2] == ([], cursor)


def test_days_are_read_in_their_order(world: World) -> None:
    """Over midnight, from a moment on."""
    admit(world, 1, at=NOW - 2 * 86_400)
    admit(world, 2, at=NOW - 86_400)
    admit(world, 3)
    world.now += 60
    assert follow(world)[0] == [1, 2, 3]
    assert follow(world, since_ms=int(NOW * 1000) - 86_400_000)[0] == [2, 3]
    assert follow(world, until_ms=int(NOW * 1000))[0] == [1, 2]


@pytest.mark.parametrize(
    ("asked", "numbers"),
    [
        ({"kind": "meeting.started"}, [2, 4]),
        ({"kind": "zoom.user.updated,meeting.*"}, [1, 2, 3, 4]),
        ({"kind": "user.created,user.deleted"}, []),
        ({"uuid": "u/1=="}, [2, 4]),
        ({"connection": "con_1"}, [1, 3]),
        ({"meeting": "2"}, []),
    ],
)
def test_filters_select_lines(world: World, asked: dict[str, Any], numbers: list[int]) -> None:
    """By several types, the instance, the connection and the meeting; a page without a match moves the cursor on."""
    admit(world, 1, 2, 3, 4)
    world.now += 60
    found, cursor, *_ = follow(world, **asked)
    assert found == numbers
    assert follow(world, after=cursor)[0] == []


def test_a_line_that_was_written_late_gets_a_new_moment() -> None:
    """Otherwise a reader may have passed its place already; the entry and erasures know the new one."""
    world = World(Random(0), crashes=0.0)  # noqa: S311
    moments = iter([NOW, NOW, NOW + LATE_MS / 1000 + 1, NOW + LATE_MS / 1000 + 1])
    logged(EventLog(world.table, clock=lambda: next(moments, NOW + LATE_MS / 1000 + 1)), entry(1))
    world.now += 60
    query = LogQuery.within(now=world.now, retention_days=30)
    (line,) = LogIndex(world.table).follow("acme", query, now=world.now).lines
    assert line.recorded_at_ms == int(NOW * 1000) + LATE_MS + 1000
    stored = world.table.get("acme#event#" + line.event_id, "event")
    assert stored
    assert line_keys(stored)[1] == ("acme#recorded#2026-09-21", line.place)
