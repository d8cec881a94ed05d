"""The simulated clock, and the jobs that wait for a time. Every expiry, retry and recurring check uses this clock."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import time
from collections.abc import Callable
from datetime import UTC, datetime

LATEST = 32_472_144_000.0  # the end of 2998, so that times computed from it stay before the year 3000
Wall = Callable[[], float]
Job = Callable[[], None]


class Clock:
    """Epoch seconds, UTC. It follows the wall clock until it is moved, sped up or frozen."""

    def __init__(self, wall: Wall = time.time) -> None:
        self.wall = wall
        self._since = wall()
        self._origin = self._since
        self._rate = 1.0
        self._listeners: list[Callable[[], None]] = []

    @property
    def rate(self) -> float:
        """Simulated seconds per real second; 0 is frozen."""
        return self._rate

    def now(self) -> float:
        """The simulated time."""
        return self._origin + (self.wall() - self._since) * self._rate

    def advance(self, seconds: float) -> None:
        """Jump forward. Everything that becomes due on the way is done at once."""
        self._rebase(self.now() + seconds)

    def set(self, moment: float) -> None:
        """Jump to `moment`."""
        self._rebase(moment)

    def run_at(self, rate: float) -> None:
        """Run at `rate` simulated seconds per real second. ValueError when it would run backwards."""
        if rate < 0:
            raise ValueError("time does not run backwards")
        moment = self.now()
        self._rate = rate
        self._rebase(moment)

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever the clock was moved, so that sleepers can look again."""
        self._listeners.append(listener)

    def real_delay(self, moment: float) -> float | None:
        """Real seconds until `moment`, never negative; None while the clock is frozen before it."""
        left = moment - self.now()
        if left <= 0:
            return 0.0
        return left / self._rate if self._rate > 0 else None

    def _rebase(self, moment: float) -> None:
        if not 0 <= moment <= LATEST:
            raise ValueError("the clock goes from 1970 to 2999")
        self._origin, self._since = moment, self.wall()
        for listener in self._listeners:
            listener()


def iso(moment: float) -> str:
    """`2026-11-23T18:00:00Z`, the form Zoom writes times in."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(moment: float) -> str:
    """`2026-11-23`, the UTC day."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")


def milliseconds(moment: float) -> int:
    """Epoch milliseconds, the unit of `event_ts`."""
    return int(moment * 1000)


class Timetable:
    """Runs jobs when the simulated clock reaches the time they were scheduled for."""

    def __init__(self, clock: Clock, failed: Callable[[Exception], None]) -> None:
        self._clock = clock
        self._failed = failed
        self._heap: list[tuple[float, int, Job]] = []
        self._order = itertools.count()
        self._moved = asyncio.Event()
        clock.on_change(self._moved.set)

    def at(self, moment: float, job: Job) -> None:
        """Run `job` at `moment`, or at the next turn when that has passed."""
        heapq.heappush(self._heap, (moment, next(self._order), job))
        self._moved.set()

    def after(self, seconds: float, job: Job) -> None:
        """Run `job` after this many simulated seconds."""
        self.at(self._clock.now() + seconds, job)

    def run_due(self) -> int:
        """Run what is due now, in order of time, and return how many jobs that was."""
        ran = 0
        while self._heap and self._heap[0][0] <= self._clock.now():
            job = heapq.heappop(self._heap)[2]
            try:
                job()
            except Exception as problem:  # noqa: BLE001 - time goes on whatever one job runs into
                self._failed(problem)
            ran += 1
        return ran

    async def run(self) -> None:
        """Keep running due jobs until cancelled."""
        while True:
            self._moved.clear()
            self.run_due()
            delay = self._clock.real_delay(self._heap[0][0]) if self._heap else None
            try:
                await asyncio.wait_for(self._moved.wait(), delay)
            except TimeoutError:
                continue
