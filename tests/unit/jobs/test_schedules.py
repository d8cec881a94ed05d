"""Seeded schedules of crashes, repetitions, lost answers and dead executions: no row twice, no row lost, no 429."""

from __future__ import annotations

import pytest

from tests.fakes.gateway import NOW
from tests.fakes.jobs import JobWorld
from tests.fakes.soak import SOAKING
from zoom_common.jobs.model import LANES, RowState, State

SCHEDULES = 1_000 if SOAKING else 200
MANY = 10_000 if SOAKING else 600


def check(world: JobWorld, topics: list[str]) -> None:
    """Fail unless each row made its own meeting, once, and Zoom never had to refuse a call for its rate."""
    made = [each["topic"] for each in world.zoom.meetings.values()]
    assert sorted(made) == sorted(topics)
    assert not world.zoom.refusals
    assert world.zoom.busiest_second() <= world.zoom.per_second


@pytest.mark.parametrize("seed", range(SCHEDULES))
def test_a_schedule_makes_every_row_once(seed: int) -> None:
    """Killed anywhere, with slices that run twice or not at all and answers that are lost."""
    world = JobWorld(seed=seed, slice_seconds=2.0, lanes=seed % 5 + 1)
    chance = world.random.random
    world.engine_loses, world.repeats = chance() * 0.4, chance() * 0.5
    topics = [f"Row {at}" for at in range(world.random.randint(1, 25))]
    world.time.passed = world.random.choice([0.0, 86_400 - NOW % 86_400 - 3.0])
    hosts = world.random.randint(1, 4)
    job = world.make([{"topic": topic, "userId": f"h{at % hosts}"} for at, topic in enumerate(topics)])
    for _ in range(5_000):
        if world.job(job).state is State.DONE:
            break
        if chance() < 0.4:
            world.dynamodb.crash_in = world.random.randint(0, 150)
        if chance() < 0.3:
            world.zoom.faults.extend(
                world.random.choices(["", "lost", "never_sent", "crash_before", "crash_after"], k=3)
            )
        if chance() < 0.02:
            world.time.passed += 26 * 3600
        world.step()
        world.dynamodb.crash_in = None
    found = world.job(job)
    assert found.state is State.DONE
    assert {row.state for row in world.ledger(job)} == {RowState.SUCCEEDED}
    assert (found.seen.succeeded, found.seen.failed) == (len(topics), 0)
    check(world, topics)


@pytest.mark.timeout(3600)  # of 10,000 rows
def test_many_rows_through_three_crashes() -> None:
    """10,000 in make soak: no double, none missing, no 429."""
    world = JobWorld(seed=1, slice_seconds=240.0, lanes=LANES)
    world.zoom.latency = 0.3
    topics = [f"Row {at}" for at in range(MANY)]
    job = world.make([{"topic": topic, "userId": f"h{at % 150}"} for at, topic in enumerate(topics)])
    world.zoom.faults.extend(["", *[""] * (MANY // 4), "crash_after", *[""] * (MANY // 4), "crash_before"])
    world.zoom.faults.extend([*[""] * (MANY // 4), "crash_after"])
    done = world.run_to_end(job)
    assert (done.seen.succeeded, done.seen.failed) == (MANY, 0)
    check(world, topics)
