"""Meetings as Zoom was measured to tell them, each with its right result, whatever order its deliveries come in."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import pytest

from tests.fakes.event_stores import Projections
from tests.fakes.meeting_stories import START, Body, Story, delivered, iso, person
from zoom_common.events.projections.projectors import PROVES_INSTANCE, changes
from zoom_common.events.projections.reader import MeetingReader
from zoom_common.zoom.events import parse

HOUR = 3600

type Read = Callable[[Sequence[Body]], MeetingReader]


@pytest.fixture(params=["in order", "in reverse", "shuffled", "repeated and lost at first"])
def read(request: pytest.FixtureRequest) -> Read:
    """The projections of a story."""

    def arranged(deliveries: Sequence[Body]) -> list[Body]:
        chance = Random(len(deliveries))  # noqa: S311 - an order, no secret
        match request.param:
            case "in order":
                return list(deliveries)
            case "in reverse":
                return list(reversed(deliveries))
            case "shuffled":
                return chance.sample(deliveries, k=len(deliveries))
        return [*deliveries[1::2], *deliveries[1::2], *deliveries[::2]]

    def project(deliveries: Sequence[Body], now: float | None = None) -> MeetingReader:
        projections = Projections()
        for body in arranged(deliveries):
            event = parse(delivered(body))
            projections.apply("acme", changes(event), (event.true_since_ms or 0, json.dumps(body)))
        return MeetingReader(projections, clock=None if now is None else lambda: now)

    return project


def minutes(read: MeetingReader, story: Story, **which: Any) -> list[tuple[str, float]]:
    people = read.attendance("acme", story.number, **which)["participants"]
    return sorted((each["name"], each["minutes"]) for each in people)


def begun() -> Story:
    story = Story()
    story.start()
    return story


def passing(story: Story, minutes: int) -> None:
    story.now += minutes * 60


def test_a_guest_in_many_rooms_is_one_person(read: Read) -> None:
    """A new `user_id` at every move, leave and join in one second in either order, and no identity but the device."""
    story = begun()
    guest = person(story.user_id(), story.device(), "Guest")
    story.join(guest)
    for move in range(5):
        passing(story, 9)
        after = {**guest, "user_id": story.user_id()}
        story.leave(guest)
        story.join(after)
        if move % 2:
            story.swap()
        guest = after
    state = read(story.deliveries).state("acme", story.number)
    assert [each["user_id"] for each in state["participants"]] == [guest["user_id"]]
    passing(story, 9)
    story.leave(guest)
    story.end()
    assert minutes(read(story.deliveries), story) == [("Guest", 54.0)]


def test_a_move_whose_leave_is_lost_ends_the_stay_in_the_room_before(read: Read) -> None:
    """A device is in one room at a time."""
    story = begun()
    guest = person(story.user_id(), story.device(), "Guest")
    story.join(guest)
    passing(story, 10)
    story.join({**guest, "user_id": story.user_id()})
    assert read(story.deliveries).state("acme", story.number)["participants_count"] == 1
    passing(story, 10)
    story.end()
    assert minutes(read(story.deliveries), story) == [("Guest", 20.0)]


def test_leave_and_rejoin_within_a_second_is_a_whole_stay(read: Read) -> None:
    """Under one `user_id`; and joining and leaving in one second is a visit of no time."""
    story = begun()
    who = person(story.user_id(), story.device(), "Quick", zoom_id="quick")
    story.join(who)
    for _ in range(2):
        passing(story, 10)
        story.leave(who)
        story.join(who)
    passing(story, 10)
    story.leave(who)
    short = person(story.user_id(), story.device(), "Short")
    story.join(short)
    story.leave(short)
    story.end()
    assert minutes(read(story.deliveries), story) == [("Quick", 30.0), ("Short", 0.0)]


def test_sessions_join_in_chains_and_namesakes_do_not(read: Read) -> None:
    """An e-mail address in another case, a registrant, a customer key: one person; sessions keep their names."""
    story = begun()
    chain = [
        person(story.user_id(), story.device(), "Nora", email="nora@example.com"),
        person(story.user_id(), story.device(), "Nora K.", email="NORA@example.com", registrant_id="reg"),
        person(story.user_id(), story.device(), "iPad", registrant_id="reg", customer_key="key"),
        person(story.user_id(), story.device(), "Nora", customer_key="key"),
    ]
    namesake = person(story.user_id(), story.device(), "Nora")
    for who in (*chain, namesake):
        story.join(who)
    passing(story, 20)
    for who in (*chain, namesake):
        story.leave(who)
    story.end()
    people = read(story.deliveries).attendance("acme", story.number)["participants"]
    assert [(each["name"], each["minutes"], len(each["sessions"])) for each in people] == [
        ("Nora", 20.0, 4),
        ("Nora", 20.0, 1),
    ]
    assert [each["name"] for each in people[0]["sessions"]] == ["Nora", "Nora K.", "iPad", "Nora"]
    assert not any("maybe_same_as" in each for each in people)  # both were there at once


def test_a_guest_who_reconnects_may_be_the_same(read: Read) -> None:
    """Nothing in common but the name: listed apart, and each says who it may be."""
    story = begun()
    first, again = (person(story.user_id(), story.device(), "Guest") for _ in range(2))
    other = person(story.user_id(), story.device(), "Guest", email="guest@example.com", zoom_id="z1")
    rival = person(story.user_id(), story.device(), "guest ", email="rival@example.com", zoom_id="z2")
    for who in (first, again, other, rival):
        story.join(who)
        passing(story, 10)
        story.leave(who)
    story.end()
    people = read(story.deliveries).attendance("acme", story.number)["participants"]
    maybe = [[each["user_id"] for each in one["maybe_same_as"]] for one in people]
    names = [who["user_id"] for who in (first, again, other, rival)]
    assert maybe == [
        [names[1], names[2], names[3]],
        [names[0], names[2], names[3]],
        [names[0], names[1]],
        [names[0], names[1]],
    ]


def test_a_phone_that_is_bound_is_no_second_person(read: Read) -> None:
    """`participant_bind` names both sessions."""
    story = begun()
    laptop = person(story.user_id(), story.device(), "Hana")
    phone = person(story.user_id(), story.device(), "+1555***00", phone_number="15550100")
    story.join(laptop)
    story.join(phone)
    bound = {"bind_user_id": laptop["user_id"], "bind_participant_uuid": laptop["participant_uuid"]}
    story.at("bind", {**phone, **bound})
    passing(story, 15)
    story.leave(laptop)
    passing(story, 5)
    story.leave(phone)
    story.end()
    (hana,) = read(story.deliveries).attendance("acme", story.number)["participants"]
    assert (hana["minutes"], len(hana["sessions"])) == (20.0, 2)


def test_time_in_the_waiting_room_is_no_attendance(read: Read) -> None:
    """Put there from the meeting, under the same `user_id` or another; and who only waited is no attendee."""
    story = begun()
    same, other = (person(story.user_id(), story.device(), name) for name in ("Same", "Other"))
    lobby = {**other, "user_id": story.user_id()}
    visitor = person(story.user_id(), story.device(), "Visitor")
    story.join(same)
    story.join(other)
    passing(story, 10)
    for who in (same, lobby):
        story.at("put_in_waiting_room", who)
    story.at("joined_waiting_room", visitor)
    state = read(story.deliveries).state("acme", story.number)
    assert (state["participants_count"], len(state["waiting"])) == (0, 3)
    passing(story, 10)
    for who in (same, lobby):
        story.at("admitted", who)
    story.at("left_waiting_room", visitor)
    story.leave(visitor, "left the meeting")
    state = read(story.deliveries).state("acme", story.number)
    assert (state["participants_count"], state["waiting"]) == (2, [])
    passing(story, 10)
    story.leave(same)
    story.leave(other)
    story.end()
    assert minutes(read(story.deliveries), story) == [("Other", 20.0), ("Same", 20.0)]
    waited = {
        each["name"]: each["waiting"]
        for each in read(story.deliveries).attendance("acme", story.number)["participants"]
    }
    once = [{"join_time": iso(story.now - 20 * 60), "leave_time": iso(story.now - 10 * 60)}]
    assert waited == {"Other": once, "Same": once}


def test_who_waits_to_the_end_waits_as_long_as_the_meeting(read: Read) -> None:
    """The wait of somebody put out of the meeting ends with it, which is assumed; who never waited has no `waiting`."""
    story = begun()
    back, never = (person(story.user_id(), story.device(), name) for name in ("Back", "Never"))
    story.join(back)
    story.join(never)
    passing(story, 10)
    story.at("put_in_waiting_room", back)
    since = story.now
    people = read(story.deliveries).attendance("acme", story.number)["participants"]
    assert [each.get("waiting") for each in sorted(people, key=lambda each: each["name"])] == [
        [{"join_time": iso(since), "leave_time": None}],
        None,
    ]
    passing(story, 5)
    story.end()
    people = read(story.deliveries).attendance("acme", story.number)["participants"]
    ended = {"join_time": iso(since), "leave_time": iso(story.now), "leave_time_assumed": True}
    assert next(each["waiting"] for each in people if each["name"] == "Back") == [ended]


@pytest.mark.parametrize("reason", ["Leave waiting room.", "Vera left the meeting.<br>Reason: Leave waiting room."])
def test_leaving_the_waiting_room_is_no_attendance_without_any_other_word(read: Read, reason: str) -> None:
    """Where only the leave arrives, its reason tells."""
    story = begun()
    story.leave(person(story.user_id(), story.device(), "Vera"), reason)
    story.end()
    assert minutes(read(story.deliveries), story) == []


def test_admission_under_another_user_id_leaves_no_ghost(read: Read) -> None:
    """The device that joined does not wait any more."""
    story = begun()
    waits = person(story.user_id(), story.device(), "Hall")
    story.at("joined_waiting_room", waits)
    assert len(read(story.deliveries).state("acme", story.number)["waiting"]) == 1
    passing(story, 1)
    story.join({**waits, "user_id": story.user_id()})
    state = read(story.deliveries).state("acme", story.number)
    assert (state["waiting"], state["participants_count"]) == ([], 1)


def test_who_was_admitted_back_without_a_word_counts_from_there(read: Read) -> None:
    """Only `left_waiting_room` tells of it, and a leave long after."""
    story = begun()
    who = person(story.user_id(), story.device(), "Back")
    for what, after in (("put_in_waiting_room", 5), ("left_waiting_room", 5)):
        if what == "put_in_waiting_room":
            story.join(who)
        passing(story, after)
        story.at(what, who)
    passing(story, 10)
    story.leave(who)
    story.end()
    assert minutes(read(story.deliveries), story) == [("Back", 15.0)]


def test_waiting_for_the_host_starts_nothing(read: Read) -> None:
    """Nor do a waiting room and a registration; who waits is in `waiting`, until the host is there."""
    story = Story(uuid="early/Story+0000000001==")
    story.plan(START + HOUR)
    story.now += HOUR - 300
    story.started_at = START + HOUR
    early = {"id": "z-early", "user_name": "Early", "customer_key": "ck"}
    story.send("meeting.participant_jbh_waiting", participant=early)
    story.at("joined_waiting_room", person(story.user_id(), story.device(), "Queue"))
    registrant = {"id": "reg", "email": "r@example.com"}
    story.send("meeting.registration_created", registrant=registrant, id=int(story.number))
    state = read(story.deliveries).state("acme", story.number)
    assert (state["status"], state["instance"], state["participants"]) == ("scheduled", None, [])
    assert sorted((each["name"], each["status"]) for each in state["waiting"]) == [
        ("Early", "waiting_for_host"),
        ("Queue", "in_waiting_room"),
    ]
    story.now += 600
    story.start(story.uuid)
    state = read(story.deliveries).state("acme", story.number)
    assert (state["status"], state["instance"]["start_time"]) == ("live", iso(START + HOUR + 300))
    assert [each["name"] for each in state["waiting"]] == ["Queue"]


def test_who_stops_waiting_for_the_host_is_gone(read: Read) -> None:
    """`participant_jbh_waiting_left` says so."""
    story = Story(uuid="gone/Story+00000000001==")
    early = {"id": "", "user_name": "Early"}
    story.send("meeting.participant_jbh_waiting", participant=early)
    passing(story, 3)
    story.send("meeting.participant_jbh_waiting_left", participant=early)
    assert read(story.deliveries).state("acme", story.number)["waiting"] == []


@pytest.mark.parametrize(
    ("what", "runs"),
    [
        ("participant_joined", True),
        ("participant_left", True),
        ("participant_role_changed", True),
        ("sharing_started", True),
        ("participant_jbh_waiting", False),
        ("participant_jbh_waiting_left", False),
        ("participant_jbh_joined", False),
        ("participant_joined_waiting_room", False),
        ("participant_put_in_waiting_room", False),
        ("participant_left_waiting_room", False),
        ("participant_admitted", False),
        ("participant_bind", False),
        ("participant_phone_callout_ringing", False),
        ("participant_feedback", False),
        ("participant_data", False),
    ],
)
def test_only_a_list_of_events_proves_that_a_meeting_runs(what: str, runs: bool) -> None:  # noqa: FBT001
    """Everything else about people may come before it starts and after it ends."""
    story = Story(uuid="list/Story+00000000001==")
    who = person(story.user_id(), story.device(), "Lena")
    story.send(f"meeting.{what}", participant={**who, "date_time": iso(story.now)})
    found = changes(parse(delivered(story.deliveries[0])))
    assert any(each.sort.startswith("instance#") for each in found) is runs
    assert (what in PROVES_INSTANCE) is runs


@pytest.mark.parametrize("lost", ["end_time", "event_ts", "both"])
def test_an_end_that_lacks_a_time_is_an_end(read: Read, lost: str) -> None:
    """When it was is assumed, and marked so, unless `end_time` says it."""
    story = begun()
    who = person(story.user_id(), story.device(), "Ines")
    story.join(who)
    passing(story, 20)
    story.leave(who)
    passing(story, 10)
    story.end()
    ended = story.deliveries[-1]
    if lost in {"end_time", "both"}:
        del ended["payload"]["object"]["end_time"]
    if lost in {"event_ts", "both"}:
        del ended["event_ts"]
    state = read(story.deliveries).state("acme", story.number)
    end = story.now - 600 if lost == "both" else story.now
    assert (state["status"], state["instance"]["end_time"]) == ("ended", iso(end))
    assert state["instance"].get("end_time_assumed", False) is (lost != "event_ts")
    assert minutes(read(story.deliveries), story) == [("Ines", 20.0)]


def test_a_meeting_without_an_end_is_over_when_the_next_begins(read: Read) -> None:
    """It ends with the last thing known of it, and who never left is marked."""
    story = begun()
    lost = story.uuid
    stays, goes = (person(story.user_id(), story.device(), name) for name in ("Stays", "Goes"))
    story.join(stays)
    story.join(goes)
    passing(story, 30)
    story.leave(goes)
    passing(story, 60)
    story.start()
    seen = read(story.deliveries).attendance("acme", story.number, lost)
    assert (seen["status"], seen["end_time_assumed"], seen["end_time"]) == ("ended", True, iso(START + 1800))
    assert [(each["name"], each["minutes"]) for each in seen["participants"]] == [("Stays", 30.0), ("Goes", 30.0)]
    assert seen["participants"][0]["sessions"][0]["leave_time_assumed"] is True
    assert read(story.deliveries).state("acme", story.number)["status"] == "live"


def test_no_meeting_lasts_for_days(read: Read) -> None:
    """Zoom ends every meeting after 30 hours; what never got its end is over then, marked as assumed."""
    story = begun()
    project: Any = read
    assert project(story.deliveries, START + 29 * HOUR).state("acme", story.number)["status"] == "live"
    state = project(story.deliveries, START + 31 * HOUR).state("acme", story.number)
    assert (state["status"], state["instance"]["end_time_assumed"]) == ("ended", True)


def test_two_devices_and_overlaps_across_identifiers_count_once(read: Read) -> None:
    """Ten minutes alone, ten together, ten alone: thirty."""
    story = begun()
    one = person(story.user_id(), story.device(), "Duo", zoom_id="duo", email="duo@example.com")
    two = person(story.user_id(), story.device(), "Duo's phone", email="Duo@example.com")
    story.join(one)
    passing(story, 10)
    story.join(two)
    passing(story, 10)
    story.leave(one)
    passing(story, 10)
    story.leave(two)
    story.end()
    (duo,) = read(story.deliveries).attendance("acme", story.number)["participants"]
    assert (duo["duration"], len(duo["sessions"])) == (1800, 2)
