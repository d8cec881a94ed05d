"""The movable clock."""

from __future__ import annotations

import pytest

from zoom_simulator.clock import Clock, day, iso, milliseconds
from zoom_simulator.testing import NOW, WallClock


def test_it_runs_with_the_wall() -> None:
    """Untouched, it shows the wall's time."""
    wall = WallClock()
    clock = Clock(wall)
    wall.now += 5
    assert clock.now() == NOW + 5


def test_it_jumps_and_runs_on() -> None:
    """After a jump it goes on at the wall's pace."""
    wall = WallClock()
    clock = Clock(wall)
    clock.advance(100)
    wall.now += 1
    assert clock.now() == NOW + 101


def test_it_runs_faster() -> None:
    """At a rate of 60 a second of the wall is a minute."""
    wall = WallClock()
    clock = Clock(wall)
    clock.run_at(60)
    wall.now += 2
    assert clock.now() == NOW + 120


def test_frozen_it_never_reaches_what_is_ahead() -> None:
    """At a rate of 0 there is no real delay until a later moment, and none is needed for a passed one."""
    clock = Clock(WallClock())
    clock.run_at(0)
    assert clock.real_delay(NOW + 1) is None
    assert clock.real_delay(NOW - 1) == 0


def test_real_delay_follows_the_rate() -> None:
    """The delay is in real seconds, whatever the clock's rate."""
    clock = Clock(WallClock())
    clock.run_at(10)
    assert clock.real_delay(NOW + 50) == pytest.approx(5)


def test_movers_are_noticed() -> None:
    """A listener is called at every move of the clock."""
    heard: list[int] = []
    clock = Clock(WallClock())
    clock.on_change(lambda: heard.append(1))
    clock.advance(1)
    clock.set(NOW)
    clock.run_at(2)
    assert len(heard) == 3


def test_times_are_written_as_zoom_writes_them() -> None:
    """Times are ISO seconds with Z, days, and milliseconds for `event_ts`."""
    assert iso(0) == "1970-01-01T00:00:00Z"
    assert day(86_400) == "1970-01-02"
    assert milliseconds(1.5) == 1500
