"""A wait lasts as long as there is progress, and ends with what was seen last when there is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev.waiting import Stalled, sizes, wait_until


class Time:
    """A clock that only its own `sleep` moves."""

    def __init__(self, step: float = 0.0) -> None:
        self.now = 0.0
        self.step = step

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += self.step or seconds


def test_a_wait_returns_what_was_found() -> None:
    """The first value that is accepted is the result."""
    counts = iter([3, 2, 0, 9])
    found = wait_until("an empty queue", lambda: next(counts), lambda count: count == 0, sleep=lambda _: None)
    assert found == 0


def test_slow_progress_is_waited_for() -> None:
    """A value that changes once in 299 seconds outlasts any fixed deadline."""
    time, counts = Time(step=299.0), iter(range(50, -1, -1))
    wait_until(
        "the queue", lambda: next(counts), lambda count: count == 0, patience=300, clock=time.clock, sleep=time.sleep
    )
    assert time.now == 50 * 299.0


def test_another_sign_of_progress_counts_as_well() -> None:
    """While a log grows, a value that stays the same does not end the wait."""
    time = Time(step=299.0)
    wait_until(
        "the start",
        lambda: time.now > 10_000,
        progress=lambda: time.now,
        patience=300,
        clock=time.clock,
        sleep=time.sleep,
    )
    assert time.now > 10_000


def test_a_wait_without_progress_ends_and_says_what_it_saw() -> None:
    """The message names what was waited for, the patience and the last value."""
    time = Time()
    with pytest.raises(Stalled, match=r"No progress for 300 s while waiting for an empty queue\. Last seen: 7$"):
        wait_until("an empty queue", lambda: 7, lambda _: False, patience=300, clock=time.clock, sleep=time.sleep)
    assert time.now == pytest.approx(300, abs=1)


def test_a_long_last_value_is_cut() -> None:
    """A whole log does not flood the report."""
    time = Time()
    with pytest.raises(Stalled) as stalled:
        wait_until("x", lambda: "y" * 50_000, lambda _: False, patience=1, clock=time.clock, sleep=time.sleep)
    assert len(str(stalled.value)) < 5000


def test_sizes_of_files_that_come_later_count_from_then(tmp_path: Path) -> None:
    """A log that is not there yet has no size; one that grows has another."""
    log = tmp_path / "run.log"
    assert sizes([log]) == {}
    log.write_text("abc")
    assert sizes([log]) == {"run.log": 3}
