"""The `sequence` of CloudEvents: sorted as text, the events of one meeting are in the order of what happened."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.events import APP, NOW
from tests.fakes.meeting_stories import ACCOUNT, HOST, Classroom, Story, person
from tests.fakes.processed import processed
from tests.fakes.soak import times
from zoom_common.events.bus import CloudEvent, event_id, sequence_of, source_of


def published(story: Story, chance: Random | None = None) -> list[CloudEvent]:
    """What was published about a story whose deliveries came in any order, sorted by sequence."""
    deliveries = chance.sample(story.deliveries, k=len(story.deliveries)) if chance else story.deliveries
    bus = processed(deliveries, HOST, ACCOUNT)[1]
    return sorted(bus.events, key=lambda each: str(each.sequence))


@settings(max_examples=times(25), deadline=None)
@given(seed=st.integers(0, 2**32))
def test_a_meeting_read_by_sequence_happens_in_order(seed: int) -> None:
    """Each instance starts first and ends last, and no two events have one sequence."""
    story = Classroom(chance=Random(seed))  # noqa: S311 - a story, no secret
    story.live(8)
    found = published(story, story.chance)
    assert len({each.sequence for each in found}) == len(found)
    running: str | None = None
    for event in found:
        what, uuid = event.type.removeprefix("zoom.meeting."), event.uuid
        if what == "started":
            assert running is None
            running = uuid
        elif what == "ended":
            assert running == uuid
            running = None
        elif what.startswith("participant_"):
            assert running == uuid


def test_a_start_comes_before_who_joined_in_its_second() -> None:
    """Zoom writes the event of the start some time after the start."""
    story = Story()
    story.start()
    story.deliveries[0]["event_ts"] += 2500
    story.join(person(story.user_id(), story.device(), "Quick"))
    assert [each.type for each in published(story)] == ["zoom.meeting.started", "zoom.meeting.participant_joined"]


def test_a_start_that_names_the_plan_keeps_its_place() -> None:
    """The second instance of a class starts after the first has ended, whatever start its event names."""
    story = Story()
    story.start()
    story.now += 1800
    story.end()
    story.now += 60
    story.start()
    story.deliveries[-1]["payload"]["object"]["start_time"] = story.deliveries[0]["payload"]["object"]["start_time"]
    assert [each.type.rpartition(".")[2] for each in published(story)] == ["started", "ended", "started"]


def test_a_move_is_a_leave_and_then_a_join() -> None:
    """Both are of one second, and either may arrive first."""
    story = Story()
    story.start()
    before, after = (person(story.user_id(), "device", "Guest") for _ in range(2))
    story.join(before)
    story.now += 60
    story.leave(before)
    story.join(after)
    story.swap()
    kinds = [each.type.rpartition("_")[2] for each in published(story)]
    assert kinds[1:] == ["joined", "left", "joined"]


@pytest.mark.parametrize("shift", [0, 37])
def test_twins_have_one_sequence(shift: int) -> None:
    """It goes by what the payload says and not by when Zoom wrote the event."""
    story = Story()
    story.start()
    who = person(story.user_id(), story.device(), "Twin")
    story.join(who)
    story.deliveries[-1]["event_ts"] += shift
    (_, joined) = published(story)
    assert str(joined.sequence).startswith(f"{story.now * 1000:013}-5")


def test_later_sorts_behind_whatever_the_rank() -> None:
    """A millisecond counts more than the kind of event."""
    name = event_id(source_of(APP), "acme", "key")
    at = int(NOW * 1000)
    assert sequence_of(at, name, 15) < sequence_of(at + 1, name, 0)
    assert sequence_of(at, name, 0) < sequence_of(at, name, 15)
