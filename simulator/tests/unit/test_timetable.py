"""What falls due later."""

from __future__ import annotations

import asyncio

from zoom_simulator.clock import Clock, Timetable
from zoom_simulator.testing import NOW, WallClock


def fail(problem: Exception) -> None:
    """No job is expected to fail."""
    raise problem


def test_a_job_that_fails_does_not_stop_time() -> None:
    """It is reported, and the next one runs."""
    wall = WallClock()
    problems: list[Exception] = []
    timetable = Timetable(Clock(wall), problems.append)
    ran: list[str] = []
    timetable.at(NOW, lambda: ran.append(str(1 // 0)))
    timetable.at(NOW, lambda: ran.append("next"))
    timetable.run_due()
    assert ran == ["next"]
    assert [type(each) for each in problems] == [ZeroDivisionError]


def test_due_jobs_run_in_the_order_of_their_time() -> None:
    """Only what is due runs, the earliest first."""
    wall = WallClock()
    timetable = Timetable(Clock(wall), fail)
    ran: list[str] = []
    timetable.after(20, lambda: ran.append("late"))
    timetable.at(NOW + 10, lambda: ran.append("early"))
    timetable.after(30, lambda: ran.append("never"))
    wall.now += 25
    assert timetable.run_due() == 2
    assert ran == ["early", "late"]


def test_a_move_of_the_clock_wakes_the_runner() -> None:
    """A job far away runs as soon as the clock jumps over it."""

    async def story() -> list[str]:
        clock = Clock(WallClock())
        clock.run_at(0)
        timetable = Timetable(clock, fail)
        ran: list[str] = []
        done = asyncio.Event()
        timetable.after(86_400, lambda: ran.append("ran"))
        timetable.after(86_400, done.set)
        runner = asyncio.create_task(timetable.run())
        await asyncio.sleep(0)
        clock.advance(86_401)
        await asyncio.wait_for(done.wait(), 300)
        runner.cancel()
        return ran

    assert asyncio.run(story()) == ["ran"]
