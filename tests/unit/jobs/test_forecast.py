"""When a job will be done: said before it begins, and right at every tenth of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.gateway import NOW
from tests.fakes.jobs import JobWorld
from zoom_common.jobs.model import Job, State, fastest, forecast, paced
from zoom_common.ratelimit.limiter import RateLimitRules
from zoom_common.zoom.operations.table import operations

BY_NAME = {each.name: each for each in operations()}
MIDNIGHT = (int(NOW) // 86_400 + 1) * 86_400


def tenths(world: JobWorld, job: Job, rows: int) -> tuple[list[tuple[float, float]], float]:
    """Run a job; return when and what was forecast at each tenth of its rows, and when it was done."""
    said: list[tuple[float, float]] = []
    wanted = [rows * tenth // 10 for tenth in range(1, 10)]

    def look(*_: Any) -> None:
        found = world.job(job)
        while wanted and found.seen.total >= wanted[0]:
            wanted.pop(0)
            expected = forecast(found, BY_NAME[found.operation], now=world.time.now())
            assert expected is not None
            assert expected.done_at is not None
            said.append((world.time.now(), expected.done_at))

    world.zoom.answers[""] = look
    done = world.run_to_end(job)
    assert done.finished_at is not None
    return said, done.finished_at


def check(said: list[tuple[float, float]], done_at: float) -> None:
    """Fail when a forecast was off by more than a tenth of the time that was left."""
    assert len(said) == 9
    for at, expected in said:
        assert abs(expected - done_at) <= 0.1 * (done_at - at) + 1.0, (at - NOW, expected - NOW, done_at - NOW)


@pytest.mark.parametrize("latency", [0.05, 0.3, 1.2])
def test_a_job_at_its_pace(latency: float) -> None:
    """However fast Zoom answers."""
    world = JobWorld()
    world.zoom.latency = latency
    rows = [{"topic": f"Row {at}", "userId": f"h{at}"} for at in range(300)]
    check(*tenths(world, world.make(rows), len(rows)))


@pytest.mark.parametrize("begins", [MIDNIGHT - 3 * 3600, MIDNIGHT - 20 * 3600, MIDNIGHT - 120])
def test_a_hosts_days(begins: float) -> None:
    """260 creates of one host over midnight UTC."""
    world = JobWorld()
    world.time.passed = begins - NOW
    rows = [{"topic": f"Row {at}", "userId": "h"} for at in range(260)]
    check(*tenths(world, world.make(rows), len(rows)))


def test_many_hosts_one_of_them_busy() -> None:
    """The busy host decides."""
    world = JobWorld()
    world.time.passed = MIDNIGHT - 5 * 3600 - NOW
    rows = [{"topic": f"Row {at}", "userId": "busy" if at % 2 else f"h{at}"} for at in range(300)]
    job = world.make(rows)
    check(*tenths(world, job, len(rows)))


def test_a_forecast_is_there_before_anything_has_begun() -> None:
    """The forecast uses the default pace and the days of the host with the most rows."""
    world = JobWorld()
    job = world.make([{"topic": "A", "userId": f"h{at}"} for at in range(30)])
    found = forecast(job, BY_NAME["meetings.create"], now=world.time.now())
    assert found is not None
    assert found.view(world.time.now()) == {"done_at": NOW + 10, "seconds_left": 10, "limited_by": "pace"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (lambda job: job(busiest=260), "user_daily_limit"),
        (lambda job: job(busiest=100), "pace"),
        (lambda job: job(state=State.PAUSED, reason="connection_lost"), "connection_lost"),
    ],
)
def test_what_decides_when_it_is_done(changes: Callable[[Callable[..., Job]], Job], expected: str) -> None:
    """The pace, a host's day, or a person who has to resume it."""
    found = forecast(changes(made), BY_NAME["meetings.create"], now=NOW)
    assert found is not None
    assert found.limited_by == expected
    assert (found.done_at is None) == (expected == "connection_lost")


def test_no_forecast_without_rows_or_after_the_end() -> None:
    """Nobody knows the rows of a file that has not come; a job that has ended needs none."""
    assert forecast(made(rows=None), None, now=NOW) is None
    assert forecast(made(state=State.DONE), None, now=NOW) is None


def test_a_pace_follows_what_is_measured() -> None:
    """Nothing measured says nothing; later measurements count more."""
    assert paced(None, rows=0, seconds=5) is None
    assert paced(2.0, rows=5, seconds=0) == 2.0
    assert paced(None, rows=10, seconds=5) == 2.0
    assert paced(2.0, rows=40, seconds=10) == pytest.approx(2.0 + 2.0 / 6)


def test_how_fast_an_account_may_go() -> None:
    """The background part of the gateway's share."""
    rules = RateLimitRules(share=0.9, reserve=0.1, pace=1.0)
    assert fastest(BY_NAME["meetings.create"], rules, "a") == pytest.approx(30 * 0.9 * 0.9)


def made(**changes: Any) -> Job:
    """A job of 300 rows that is waiting."""
    from zoom_common.access.principal import Principal  # noqa: PLC0415

    usual: dict[str, Any] = {
        "tenant": "acme",
        "job_id": "job_1",
        "principal": Principal("acme", "key:k1", frozenset({"*"})),
        "operation": "meetings.create",
        "request": {},
        "fingerprint": "",
        "created_at": NOW,
        "rows": 300,
    }
    return Job(**(usual | changes))
