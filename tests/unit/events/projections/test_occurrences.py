"""Which instances belong to which planned occurrence, and what is read by it."""

from __future__ import annotations

import pytest

from tests.fakes.event_stores import Projections
from tests.fakes.meeting_stories import START, Story, delivered, iso, person
from zoom_common.errors import NotFound
from zoom_common.events.projections.occurrences import Held, Planned, belonging, planned_occurrences
from zoom_common.events.projections.projectors import changes
from zoom_common.events.projections.reader import MeetingReader
from zoom_common.events.projections.record import Record
from zoom_common.zoom.events import parse

MINUTE = 60_000
WEEK = 7 * 86_400


def read(story: Story, now: float | None = None) -> MeetingReader:
    projections = Projections()
    for at, body in enumerate(reversed(story.deliveries)):
        event = parse(delivered(body))
        projections.apply("acme", changes(event), (event.true_since_ms or 0, str(at)))
    return MeetingReader(projections, clock=None if now is None else lambda: now)


def belongs(planned: list[int], *held: tuple[int, int | None]) -> list[int | None]:
    """The planned start of each instance, everything in minutes."""
    plans = [Planned(at * MINUTE) for at in planned]
    instances = [
        Held(str(at), start * MINUTE, None if end is None else end * MINUTE) for at, (start, end) in enumerate(held)
    ]
    found = belonging(plans, instances).values()
    return [None if plan is None else plan.start // MINUTE for plan in found]


@pytest.mark.parametrize(("begins", "own"), [(-31, None), (-30, 1000), (0, 1000), (120, 1000), (121, None)])
def test_an_instance_begins_half_an_hour_before_the_plan_to_two_hours_after(begins: int, own: int | None) -> None:
    """Both ends belong to it."""
    assert belongs([1000], (1000 + begins, 2000)) == [own]


@pytest.mark.parametrize(("pause", "own"), [(0, 1000), (15, 1000), (16, None), (-1, None)])
def test_what_begins_within_a_quarter_of_an_hour_after_belongs_too(pause: int, own: int | None) -> None:
    """Long after the plan, because the host was dropped."""
    assert belongs([1000], (1000, 1200), (1200 + pause, 1300))[1] == own


def test_stitching_goes_on() -> None:
    """An instance that was stitched takes in the next one; what still runs takes in none."""
    assert belongs([1000], (1000, 1200), (1210, 1300), (1315, None), (1316, 1400)) == [1000, 1000, 1000, None]


def test_the_nearest_plan_counts_before_stitching_and_the_earlier_of_two() -> None:
    """Classes follow each other on one number."""
    assert belongs([1000, 1060], (1000, 1050), (1055, 1110)) == [1000, 1060]
    assert belongs([1000, 1060], (1030, 1050)) == [1000]


def plan(*said: tuple[int, dict[str, object]]) -> list[int]:
    """The planned starts, in minutes, after events at these minutes."""
    record = Record()
    for at, about in said:
        body = {"event": "meeting.updated", "event_ts": at * MINUTE, "payload": {"object": {"id": 7, **about}}}
        event = parse(delivered(body))
        for change in changes(event):
            record = record.merged(change, (at * MINUTE, str(at)))
    return [each.start // MINUTE for each in planned_occurrences(record)]


def at(minute: int) -> str:
    return iso(minute * 60)


def test_a_plan_that_was_moved_before_it_was_due_is_none() -> None:
    """One that was held stays an occurrence when its meeting is planned anew."""
    assert plan((100, {"start_time": at(1000)}), (200, {"start_time": at(1100)})) == [1100]
    assert plan((100, {"start_time": at(1000)}), (1200, {"start_time": at(5000)})) == [1000, 5000]


def test_occurrences_that_were_deleted_and_meetings_without_a_time_plan_nothing() -> None:
    """A series is its occurrences; an instant meeting has no plan."""
    both = [{"occurrence_id": "1", "start_time": at(1000)}, {"occurrence_id": "2", "start_time": at(2000)}]
    gone = [{"occurrence_id": "2", "start_time": at(2000), "status": "deleted"}]
    assert plan((1, {"start_time": at(1000), "type": 8, "occurrences": both})) == [1000, 2000]
    assert plan((1, {"type": 8, "occurrences": both}), (2, {"occurrences": gone})) == [1000]
    assert plan((1, {"start_time": at(1000), "type": 3})) == []


def dropped_class() -> tuple[Story, list[str]]:
    """A class with a plan, whose host dropped in the middle, and a click on the link hours later."""
    story, used = Story(), []
    story.plan(START + 3600)
    story.now = START + 3660
    for name in ("Nora", "nora's tablet"):
        story.start()
        used.append(story.uuid)
        guest, nora = (
            person(story.user_id(), story.device(), each, **more)
            for each, more in (
                ("Guest", {}),
                (name, {"email": "Nora@example.com" if name == "Nora" else "nora@Example.com"}),
            )
        )
        story.join(guest)
        story.join(nora)
        story.now += 1500
        story.leave(guest)
        story.leave(nora)
        story.end()
        story.now += 60
    story.now += 2 * 3600
    story.start()
    stray = person(story.user_id(), story.device(), "Nora", email="nora@example.com")
    story.join(stray)
    story.now += 60
    story.leave(stray)
    story.end()
    return story, used


def test_a_click_after_class_does_not_replace_the_class() -> None:
    """People are united across its instances by what Zoom says of them, never by name."""
    story, used = dropped_class()
    seen = read(story).attendance("acme", story.number, occurrence=(START + 3600) * 1000, present_from=0.75)
    assert (seen["occurrence"], seen["status"], seen["instances_used"]) == (iso(START + 3600), "ended", used)
    assert [each.get("unplanned", False) for each in seen["instances"]] == [False, False, True]
    shown = [(each["name"], each["duration"], each["share"], each["attended"]) for each in seen["participants"]]
    assert shown == [("Guest", 1500, 0.5, False), ("nora's tablet", 3000, 1.0, True), ("Guest", 1500, 0.5, False)]
    guest = seen["participants"][2]
    assert seen["participants"][0]["maybe_same_as"] == [{"uuid": used[1], "user_id": guest["sessions"][0]["user_id"]}]


def test_a_read_by_number_says_which_instance_it_used() -> None:
    """The last one, unless an occurrence or a uuid is named."""
    story, used = dropped_class()
    reader = read(story)
    assert reader.attendance("acme", story.number)["instances_used"] == [story.uuid]
    assert reader.state("acme", story.number)["instances_used"] == [story.uuid]
    assert reader.attendance("acme", story.number, used[0])["instances_used"] == [used[0]]


def test_an_occurrence_that_was_not_held_has_nobody_and_an_unplanned_one_is_unknown() -> None:
    """Where no plan is known at all, the caller's word counts."""
    story, used = dropped_class()
    with pytest.raises(NotFound) as unknown:
        read(story).attendance("acme", story.number, occurrence=(START + 7200) * 1000)
    assert unknown.value.reason == "unknown_occurrence"
    del story.deliveries[0]
    seen = read(story).attendance("acme", story.number, occurrence=(START + 3600) * 1000)
    assert seen["instances_used"] == used
    other = Story()
    other.plan(START + 3600)
    seen = read(other).attendance("acme", other.number, occurrence=(START + 3600) * 1000)
    assert (seen["status"], seen["participants"], seen["uuid"]) == ("scheduled", [], None)


def test_a_weekly_series_between_two_of_its_meetings_is_scheduled() -> None:
    """And ended after the last; a date that passed without a meeting is not waited for."""
    story = Story()
    weeks = [
        {"occurrence_id": str(at), "start_time": iso(START + at * WEEK), "duration": 60, "status": "available"}
        for at in range(3)
    ]
    story.plan(START, type=8, occurrences=weeks)
    story.start()
    story.now += 3600
    story.end()
    assert read(story).state("acme", story.number)["status"] == "scheduled"
    assert read(story, START + WEEK).state("acme", story.number)["status"] == "scheduled"
    assert read(story, START + 3 * WEEK).state("acme", story.number)["status"] == "ended"
    story.now = START + 2 * WEEK
    story.start()
    story.now += 3600
    story.end()
    assert read(story).state("acme", story.number)["status"] == "ended"
