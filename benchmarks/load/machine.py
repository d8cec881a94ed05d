"""What the machine was doing meanwhile: a load says little without it.

A sleeper that wakes late sends late, whatever the code does, so the run asks for priority over other programs, and a
probe of its own measures how late sleepers woke all the same.
"""

from __future__ import annotations

import contextlib
import os
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles
from typing import Self

_NAP = 0.005


def take_priority() -> bool:
    """Run this process and all its children before other programs. False where the system does not allow it.

    In the lowest real-time class: niceness does not reach beyond a session where Linux groups processes by session.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    except (AttributeError, OSError):  # not Linux, or not allowed to
        return False
    return True


def give_priority_back() -> None:
    """Run like other programs again: whoever asks as fast as it can would leave them nothing."""
    with contextlib.suppress(AttributeError, OSError):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """How late a sleeper woke, in milliseconds: one in a hundred times, one in a thousand, at worst; and who was busy.

    `busy` is the share of all cores that worked, `waiting` how many processes wanted one on average.
    """

    late_p99: float
    late_p999: float
    late_worst: float
    busy: float
    waiting: float


@dataclass(slots=True)
class Watch:
    """Measures from `with` to the end of its block; `result()` says what."""

    _late: list[float] = field(default_factory=list)
    _ends: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _began: tuple[float, float] = (0.0, 0.0)
    _ended: tuple[float, float] = (0.0, 0.0)

    def __enter__(self) -> Self:
        self._began = _busy_and_all()
        self._thread = threading.Thread(target=self._sleep_again_and_again, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.set()
        if self._thread is not None:
            self._thread.join()
        self._ended = _busy_and_all()

    def result(self) -> Meanwhile:
        """What happened in the block."""
        spread = quantiles(self._late, n=1000) if len(self._late) > 1 else [0.0] * 999
        busy, total = (now - then for now, then in zip(self._ended, self._began, strict=True))
        return Meanwhile(
            late_p99=spread[989] * 1000,
            late_p999=spread[998] * 1000,
            late_worst=max(self._late, default=0.0) * 1000,
            busy=busy / max(total, 1e-9),
            waiting=os.getloadavg()[0],
        )

    def _sleep_again_and_again(self) -> None:
        while not self._ends.is_set():
            due = time.monotonic() + _NAP
            time.sleep(_NAP)
            self._late.append(time.monotonic() - due)


def _busy_and_all() -> tuple[float, float]:
    """Processor time that all cores together have worked, and have had, since the machine started."""
    try:
        with Path("/proc/stat").open() as stat:
            reported = [float(each) for each in stat.readline().split()[1:9]]
    except OSError:
        return 0.0, 0.0
    return sum(reported) - reported[3] - reported[4], sum(reported)
