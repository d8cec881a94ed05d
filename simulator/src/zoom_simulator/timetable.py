"""What falls due later: retries, re-validations, recordings that finish processing."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable

from zoom_simulator.clock import Clock

Job = Callable[[], None]


class Timetable:
    """Runs jobs when the simulated clock reaches their time."""

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
        """Run `job` in so many simulated seconds."""
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
