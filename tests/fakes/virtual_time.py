"""Threads in virtual time: each runs until it waits, one at a time, the one that is due first next.

Real code with real threads, without waiting: a wait of 15 seconds takes no time, and what happens in which order does
not depend on the machine.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable, Sequence
from itertools import count


class VirtualTime:
    """`on_time` is told the time, in seconds, whenever it changes."""

    def __init__(self, now: float, on_time: Callable[[float], None]) -> None:
        self.now = now
        self._on_time = on_time
        self._due: list[tuple[float, int, threading.Semaphore]] = []
        self._numbers = count()
        self._control = threading.Semaphore(0)
        self._failed: list[BaseException] = []

    def spawn(self, work: Callable[[], None], *, after: float = 0.0) -> None:
        """Start `work` in a thread of its own, so many seconds from now."""
        turn = self._turn(after)

        def run() -> None:
            turn.acquire()
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - raised where time is run
                self._failed.append(error)
            finally:
                self._control.release()

        threading.Thread(target=run, daemon=True).start()

    def sleep(self, seconds: float) -> None:
        """Wait, in a thread that was spawned."""
        turn = self._turn(seconds)
        self._control.release()
        turn.acquire()

    def run_all(self, tasks: Sequence[Callable[[], None]], late: Callable[[int], None], *, patience: float) -> None:
        """Run tasks at once, and return when all are done; `late` is called with those that take longer."""
        open_tasks = set(range(len(tasks)))
        done = threading.Semaphore(0)

        def run(at: int) -> None:
            tasks[at]()
            open_tasks.discard(at)
            if not open_tasks:
                heapq.heappush(self._due, (self.now, next(self._numbers), done))

        def look() -> None:
            for at in sorted(open_tasks):
                late(at)

        for at in range(len(tasks)):
            self.spawn(lambda at=at: run(at))  # type: ignore[misc] # bound per task
        self.spawn(look, after=patience)
        if tasks:
            self._control.release()
            done.acquire()

    def run(self) -> None:
        """Let time pass until nothing is due any more. Raises what a thread raised."""
        while self._due and not self._failed:
            self.now, _, turn = heapq.heappop(self._due)
            self._on_time(self.now)
            turn.release()
            self._control.acquire()
        if self._failed:
            raise self._failed[0]

    def _turn(self, after: float) -> threading.Semaphore:
        turn = threading.Semaphore(0)
        heapq.heappush(self._due, (self.now + after, next(self._numbers), turn))
        return turn
