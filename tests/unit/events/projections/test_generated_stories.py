"""Generated meetings with rooms, devices, renames, waits and dropped hosts: people and seconds are what happened."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any
from zlib import crc32

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fakes.attendance_reference import Person, people, rooms, seconds_of
from tests.fakes.event_stores import Projections
from tests.fakes.meeting_stories import START, Body, Classroom, delivered
from tests.fakes.soak import times
from zoom_common.events.projections.projectors import changes
from zoom_common.events.projections.reader import MeetingReader
from zoom_common.zoom.events import parse

PLANNED = START + 300


def reader(deliveries: Sequence[Body]) -> MeetingReader:
    """The projections of deliveries in this order."""
    projections = Projections()
    for body in deliveries:
        event = parse(delivered(body))
        projections.apply("acme", changes(event), (event.true_since_ms or 0, str(crc32(delivered(body)))))
    return MeetingReader(projections)


def jumbled(deliveries: Sequence[Body], chance: Random) -> list[Body]:
    """Another order, some twice, and a third lost at first and delivered again long after."""
    lost = [body for body in deliveries if chance.random() < 1 / 3]
    first = [body for body in deliveries if body not in lost]
    first += chance.sample(deliveries, k=len(lost))
    chance.shuffle(first)
    chance.shuffle(lost)
    return [*first, *lost]


def found(attendance: dict[str, Any]) -> list[Person]:
    """The people of an answer as the reference writes them."""
    shown = [
        (frozenset((each["uuid"], each["user_id"]) for each in one["sessions"]), one["duration"])
        for one in attendance["participants"]
    ]
    return sorted(shown, key=lambda each: sorted(each[0]))


def of_the_class(deliveries: Sequence[Body]) -> list[str]:
    """Instances that the plan's rules take in: one near the plan, then those within 15 minutes after the one before."""
    begun = {each["payload"]["object"]["uuid"]: each for each in deliveries if each["event"] == "meeting.started"}
    ended = {each["payload"]["object"]["uuid"]: each for each in deliveries if each["event"] == "meeting.ended"}
    used: list[str] = []
    for uuid, body in begun.items():
        start = seconds_of(body["payload"]["object"]["start_time"])
        near = PLANNED - 1800 <= start <= PLANNED + 7200
        before = [seconds_of(ended[each]["payload"]["object"]["end_time"]) for each in used]
        if near or any(0 <= start - end <= 900 for end in before):
            used.append(uuid)
    return used


@pytest.mark.parametrize("part", range(times(1)))
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 16))
def test_people_and_seconds_are_those_of_the_reference(part: int, seed: int, steps: int) -> None:
    """People and times equal the reference's, for deliveries in random order with repeats and losses."""
    story = Classroom(chance=Random(seed + (part << 33)))  # noqa: S311 - a story, no secret
    story.live(steps)
    read, truth = reader(jumbled(story.deliveries, story.chance)), rooms(story.deliveries)
    for uuid in truth:
        assert found(read.attendance("acme", story.number, uuid)) == people(truth, [uuid])
    used = of_the_class(story.deliveries)
    seen = read.attendance("acme", story.number, occurrence=PLANNED * 1000)
    assert seen["instances_used"] == used
    assert found(seen) == people(truth, used)


@settings(max_examples=times(60), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 16))
def test_any_order_ends_in_the_same_answers(seed: int, steps: int) -> None:
    """Names, sessions and instances too, not only the minutes."""
    story = Classroom(chance=Random(seed))  # noqa: S311 - a story, no secret
    story.live(steps)
    one, other = reader(story.deliveries), reader(jumbled(story.deliveries, story.chance))
    assert one.state("acme", story.number) == other.state("acme", story.number)
    assert one.attendance("acme", story.number) == other.attendance("acme", story.number)
