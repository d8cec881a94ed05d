"""Series, moved plans, dropped hosts, phones and practice sessions: minutes worked out by hand, in every order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.fakes.meeting_stories import ACCOUNT, HOST, START, Body, Story, iso, person
from tests.fakes.processed import ORDERS, arranged, processed
from zoom_common.errors import NotFound
from zoom_common.events.projections.reader import MeetingReader

HOUR, DAY = 3600, 86_400
WEEK = 7 * DAY

type Read = Callable[[Sequence[Body]], MeetingReader]


@pytest.fixture(params=ORDERS)
def read(request: pytest.FixtureRequest) -> Read:
    """What is known after deliveries in one of the orders."""
    return lambda deliveries: processed(arranged(deliveries, request.param), HOST, ACCOUNT)[0]


def series(starts: Sequence[int], names: str = "o", **more: Any) -> dict[str, Any]:
    """A plan with these occurrences, whose ids begin with `names`."""
    listed = [
        {"occurrence_id": f"{names}{at}", "start_time": iso(start), "duration": 60, "status": "available"}
        for at, start in enumerate(starts)
    ]
    return {"type": 8, "start_time": iso(starts[0]), "occurrences": listed, **more}


def hold(story: Story, at: int, seconds: int, *names: str, **identity: str) -> str:
    """An instance from a moment on, with these people all the time; its uuid."""
    story.now = at
    story.start()
    people = [person(story.user_id(), story.device(), name, **identity) for name in names]
    for who in people:
        story.join(who)
    story.now = at + seconds
    for who in people:
        story.leave(who)
    story.end()
    return story.uuid


def changed(story: Story, name: str, at: int, operation: str = "all", **about: Any) -> None:
    """An event about the plan at a moment; of an occurrence or of the whole series."""
    story.now = at
    body = story.send(f"meeting.{name}", uuid="plan", **about)
    for member in ("start_time", "duration", "type"):
        if member not in about:
            body["payload"]["object"].pop(member)
    body["payload"] |= {"operation": operation, "scope": operation, "time_stamp": at * 1000}


def of(reader: MeetingReader, story: Story, start: int) -> tuple[list[str], list[tuple[str, float]]]:
    seen = reader.attendance("acme", story.number, occurrence=start * 1000)
    return seen["instances_used"], [(each["name"], each["minutes"]) for each in seen["participants"]]


def unknown(reader: MeetingReader, story: Story, start: int) -> bool:
    try:
        reader.attendance("acme", story.number, occurrence=start * 1000)
    except NotFound as error:
        return error.reason == "unknown_occurrence"
    return False


def test_weeks_on_both_sides_of_daylight_saving_time_are_their_own(read: Read) -> None:
    """Nine o'clock in Berlin is 07:00 UTC in one week and 08:00 UTC in the next."""
    story = Story(now=1_792_900_000)
    summer, winter = 1_792_998_000, 1_792_998_000 + WEEK + HOUR
    assert (iso(summer), iso(winter)) == ("2026-10-26T07:00:00Z", "2026-11-02T08:00:00Z")
    story.send("meeting.created", **series([summer, winter], timezone="Europe/Berlin"))
    first = hold(story, summer + 60, 3000, "Ada")
    second = hold(story, winter - 60, 3060, "Ada")
    reader = read(story.deliveries)
    assert of(reader, story, summer) == ([first], [("Ada", 50.0)])
    assert of(reader, story, winter) == ([second], [("Ada", 51.0)])
    assert unknown(reader, story, summer + WEEK)


def test_an_occurrence_that_is_moved_takes_its_class_along(read: Read) -> None:
    """Moved before it was due: the old moment is planned no more. Moved after it was held: the class stays."""
    story, starts = Story(), [START + DAY, START + DAY + WEEK]
    story.send("meeting.created", **series(starts))
    moved = {"occurrences": [{"occurrence_id": "o0", "start_time": iso(starts[0] + DAY)}]}
    changed(story, "updated", START + 3600, "single", **moved)
    first = hold(story, starts[0] + DAY, 1800, "Ada")
    second = hold(story, starts[1], 1200, "Ada")
    late = {"occurrences": [{"occurrence_id": "o1", "start_time": iso(starts[1] + DAY)}]}
    changed(story, "updated", starts[1] + 7200, "single", **late)
    reader = read(story.deliveries)
    assert unknown(reader, story, starts[0])
    assert of(reader, story, starts[0] + DAY) == ([first], [("Ada", 30.0)])
    assert of(reader, story, starts[1]) == ([second], [("Ada", 20.0)])
    assert of(reader, story, starts[1] + DAY) == ([], [])


def test_an_occurrence_that_is_deleted_after_class_stays(read: Read) -> None:
    """Deleted before it was due, it is planned no more."""
    story, starts = Story(), [START + DAY, START + 2 * DAY]
    story.send("meeting.created", **series(starts))
    changed(
        story, "deleted", START + 7200, "single", occurrences=[{"occurrence_id": "o1", "start_time": iso(starts[1])}]
    )
    held = hold(story, starts[0], 1800, "Ada")
    changed(
        story,
        "deleted",
        starts[0] + HOUR,
        "single",
        occurrences=[{"occurrence_id": "o0", "start_time": iso(starts[0])}],
    )
    reader = read(story.deliveries)
    assert of(reader, story, starts[0]) == ([held], [("Ada", 30.0)])
    assert unknown(reader, story, starts[1])


def test_a_new_rule_of_recurrence_replaces_the_weeks_to_come(read: Read) -> None:
    """Mondays become Tuesdays: the Monday that was held stays, the others are planned no more."""
    story = Story()
    mondays = [START + DAY + at * WEEK for at in range(3)]
    tuesdays = [start + DAY for start in mondays]
    story.send("meeting.created", **series(mondays, recurrence={"type": 2, "weekly_days": "2"}))
    held = hold(story, mondays[0], 1800, "Ada")
    rule = series(tuesdays, "n", recurrence={"type": 2, "weekly_days": "3"})
    changed(story, "updated", mondays[0] + HOUR, **rule)
    moved = hold(story, tuesdays[1], 600, "Ada")
    reader = read(story.deliveries)
    assert of(reader, story, mondays[0]) == ([held], [("Ada", 30.0)])
    assert unknown(reader, story, mondays[1])
    assert of(reader, story, tuesdays[1]) == ([moved], [("Ada", 10.0)])
    shown = reader.matrix("acme", story.number, until=(tuesdays[2] + DAY) * 1000)["occurrences"]
    assert [each["occurrence"] for each in shown] == [iso(at) for at in (mondays[0], *tuesdays)]


def test_a_meeting_deleted_before_its_time_is_not_planned(read: Read) -> None:
    """Deleted after class it stays an occurrence."""
    early, late = Story(), Story()
    for story in (early, late):
        story.plan(START + DAY)
    changed(early, "deleted", START + HOUR)
    held = hold(late, START + DAY, 600, "Ada")
    changed(late, "deleted", START + 2 * DAY)
    assert read(early.deliveries).state("acme", early.number)["status"] == "deleted"
    assert of(read(late.deliveries), late, START + DAY) == ([held], [("Ada", 10.0)])


def test_a_class_in_three_instances_counts_people_over_all_of_them(read: Read) -> None:
    """The host drops twice, once without an end; the last instance goes on beyond two hours after the plan."""
    story = Story()
    story.plan(START + HOUR)
    first = hold(story, START + HOUR - 1800, 3600, "Nora", email="nora@example.com")
    second = hold(story, START + HOUR + 2400, 6000, "NORA", email="Nora@Example.com")
    story.deliveries.remove(next(each for each in story.deliveries if each["event"] == "meeting.ended"))
    third = hold(story, START + HOUR + 2400 + 6000 + 840, 600, "Nora N.", email="nora@example.com")
    stray = hold(story, START + HOUR + 2400 + 6000 + 840 + 600 + 901, 60, "Nora", email="nora@example.com")
    reader = read(story.deliveries)
    assert of(reader, story, START + HOUR) == ([first, second, third], [("Nora N.", 60 + 100 + 10.0)])
    shown = reader.matrix("acme", story.number)
    assert [each["uuid"] for each in shown["unplanned"]] == [stray]
    assert [each["minutes"] for each in shown["participants"]] == [170.0]


def test_an_end_some_seconds_after_the_next_start_still_stitches(read: Read) -> None:
    """Zoom has told an end ten seconds after the next start."""
    story = Story()
    story.plan(START)
    first = hold(story, START, 3 * HOUR, "Ada", email="ada@example.com")
    second = hold(story, START + 3 * HOUR - 10, 610, "Ada", email="ada@example.com")
    assert of(read(story.deliveries), story, START) == ([first, second], [("Ada", 190.0)])


def test_a_bound_phone_stays_when_its_laptop_has_gone(read: Read) -> None:
    """Twenty minutes on the laptop, thirty on the phone, ten of them at once: forty, of one person."""
    story = Story()
    story.start()
    laptop = person(story.user_id(), story.device(), "Hana", registrant_id="reg-1")
    phone = person(story.user_id(), story.device(), "+1555***00", phone_number="15550100")
    other = person(story.user_id(), story.device(), "+1555***00", phone_number="15550101")
    story.join(laptop)
    story.now += 600
    story.join(phone)
    story.join(other)
    story.at("bind", {**phone, "bind_user_id": laptop["user_id"], "bind_participant_uuid": laptop["participant_uuid"]})
    story.now += 600
    story.leave(laptop)
    story.now += 1200
    story.leave(phone)
    story.leave(other)
    story.end()
    people = read(story.deliveries).attendance("acme", story.number)["participants"]
    assert [(each["minutes"], len(each["sessions"])) for each in people] == [(40.0, 2), (30.0, 1)]


def test_namesakes_with_one_device_each_are_never_joined(read: Read) -> None:
    """Three telephones of one name, one of which moves to a room and back in one second."""
    story = Story()
    story.start()
    phones = [person(story.user_id(), story.device(), "iPhone") for _ in range(3)]
    for who in phones:
        story.join(who)
    story.now += 600
    room = {**phones[0], "user_id": story.user_id()}
    story.leave(phones[0])
    story.join(room)
    story.swap()
    back = {**phones[0], "user_id": story.user_id()}
    story.leave(room)
    story.join(back)
    story.swap()
    story.now += 600
    for who in (back, *phones[1:]):
        story.leave(who)
    story.end()
    people = read(story.deliveries).attendance("acme", story.number)["participants"]
    assert [each["minutes"] for each in people] == [20.0, 20.0, 20.0]
    assert not any("maybe_same_as" in each for each in people)


def test_a_webinar_starts_again_after_its_practice_session(read: Read) -> None:
    """One instance under one uuid: it is on from the practice to the end, and a panelist is there throughout."""
    story = Story()
    story.send("webinar.created", uuid="plan", type=5, start_time=iso(START + 600))
    story.uuid, story.started_at = "webinar/Practice+00001==", START
    story.send("webinar.started", type=5)
    panelist = person(story.user_id(), story.device(), "Panelist", zoom_id="z-1")
    guest = person(story.user_id(), story.device(), "Guest", registrant_id="reg-1")

    def took_part(what: str, who: Body, moment: str) -> None:
        story.send(f"webinar.participant_{what}", type=5, participant={**who, moment: iso(story.now)})

    took_part("joined", panelist, "join_time")
    story.now = START + 600
    story.started_at = story.now
    story.send("webinar.started", type=5)
    took_part("joined", guest, "join_time")
    state = read(story.deliveries).state("acme", story.number)
    assert (state["kind"], state["status"], state["participants_count"]) == ("webinar", "live", 2)
    story.now += 1800
    took_part("left", guest, "leave_time")
    took_part("left", panelist, "leave_time")
    story.send("webinar.ended", type=5, end_time=iso(story.now))
    seen = read(story.deliveries).attendance("acme", story.number, occurrence=(START + 600) * 1000)
    assert [(each["name"], each["minutes"]) for each in seen["participants"]] == [("Panelist", 40.0), ("Guest", 30.0)]


def test_a_late_leave_and_an_early_rejoin_count_once(read: Read) -> None:
    """A registrant reconnects while Zoom has not yet noticed that the old connection is gone."""
    story = Story()
    story.start()
    old, new = (person(story.user_id(), story.device(), "Reg", registrant_id="reg-1") for _ in range(2))
    story.join(old)
    story.now += 600
    story.join(new)
    story.now += 40
    story.leave(old)
    story.now += 560
    story.leave(new)
    story.end()
    (one,) = read(story.deliveries).attendance("acme", story.number)["participants"]
    assert (one["duration"], len(one["sessions"])) == (1200, 2)


def test_held_and_let_back_in_within_a_second_loses_nothing(read: Read) -> None:
    """And who is put into the waiting room and leaves from there, was there until then."""
    story = Story()
    story.start()
    short, gone = (person(story.user_id(), story.device(), name) for name in ("Short", "Gone"))
    story.join(short)
    story.join(gone)
    story.now += 600
    story.at("put_in_waiting_room", short)
    story.at("admitted", short)
    story.at("put_in_waiting_room", gone)
    story.now += 300
    story.at("left_waiting_room", gone)
    story.leave(gone)
    story.now += 300
    story.leave(short)
    story.end()
    people = read(story.deliveries).attendance("acme", story.number)["participants"]
    assert sorted((each["name"], each["minutes"]) for each in people) == [("Gone", 10.0), ("Short", 20.0)]


@pytest.mark.parametrize(("then", "minutes"), [("admitted", 20.0), ("left_waiting_room", 0.0)])
def test_who_is_held_in_the_second_of_the_join_was_not_there_yet(read: Read, then: str, minutes: float) -> None:
    """The next event decides whether the person waited or joined last. A person who only waited is no attendee."""
    story = Story()
    story.start()
    who = person(story.user_id(), story.device(), "Held")
    story.join(who)
    story.at("put_in_waiting_room", who)
    story.now += 600
    story.at(then, who)
    story.now += 1200 if minutes else 0
    story.leave(who)
    story.end()
    people = read(story.deliveries).attendance("acme", story.number)["participants"]
    assert [each["minutes"] for each in people] == ([minutes] if minutes else [])


def test_who_comes_back_under_the_first_user_id_is_there_again(read: Read) -> None:
    """No leave is ever reported: each join ends the session before it."""
    story = Story()
    story.start()
    main = person(story.user_id(), story.device(), "Guest")
    for who in (main, {**main, "user_id": story.user_id()}, main):
        story.join(who)
        story.now += 600
    story.end()
    (one,) = read(story.deliveries).attendance("acme", story.number)["participants"]
    assert (one["minutes"], len(one["sessions"])) == (30.0, 3)


def test_who_rejoins_under_one_user_id_keeps_both_names(read: Read) -> None:
    """Each stay has the name of its time, also where one ends in the second in which the next begins."""
    story = Story()
    story.start()
    ann = person(story.user_id(), story.device(), "Ann")
    bea = {**ann, "user_name": "Bea"}
    story.join(ann)
    story.now += 600
    story.leave(ann)
    story.join(bea)
    story.now += 600
    story.leave(bea)
    story.end()
    (one,) = read(story.deliveries).attendance("acme", story.number)["participants"]
    assert [(each["name"], each["duration"]) for each in one["sessions"]] == [("Ann", 600), ("Bea", 600)]


def test_events_of_breakout_rooms_join_who_has_nothing_else_in_common(read: Read) -> None:
    """They name the `user_id` in the main meeting; bodies before 2022 have no `participant_uuid`."""
    story = Story()
    story.start()
    main, room = (person(story.user_id(), "", "Guest") for _ in range(2))
    story.join(main)
    story.now += 600
    story.leave(main)
    story.join(room)
    story.person("joined_breakout_room", room, parent_user_id=main["user_id"], join_time=iso(story.now))
    story.now += 600
    story.leave(room)
    story.end()
    (one,) = read(story.deliveries).attendance("acme", story.number)["participants"]
    assert (one["minutes"], len(one["sessions"])) == (20.0, 2)


@pytest.mark.parametrize("completed_id", range(4))
def test_a_file_that_completes_outlasts_its_processing(read: Read, completed_id: int) -> None:
    """Both events say one end of the recording. What is shown, and the sequence, go by the file's status."""
    story = Story(uuid=f"recorded/{completed_id}==")
    film = {"id": "f", "file_type": "MP4", "recording_start": iso(START - 60), "recording_end": iso(START)}
    for status, size in (("processing", 0), ("completed", 7)):
        story.now += 300
        story.send("recording.completed", recording_files=[{**film, "status": status, "file_size": size}])
    (file,) = read(story.deliveries).recordings("acme", story.number)[0]["recording_files"]
    assert (file["status"], file["file_size"], file["availability"]) == ("completed", 7, "available")
    events = processed(story.deliveries, HOST, ACCOUNT)[1].events
    assert str(events[0].sequence) < str(events[1].sequence)


@pytest.mark.parametrize("reported", ["under the waiting room's id", "under the new id"])
def test_who_is_let_back_in_under_another_id_leaves_no_ghost(read: Read, reported: str) -> None:
    """The admission and the join are of one second; the device is in one place, and leaves once."""
    story = Story()
    story.start()
    before = person(story.user_id(), story.device(), "Abe")
    waits, after = ({**before, "user_id": story.user_id()} for _ in range(2))
    story.join(before)
    story.now += 600
    story.leave(before)
    story.at("put_in_waiting_room", before)
    story.now += 600
    story.at("admitted", waits if reported == "under the waiting room's id" else after)
    story.join(after)
    story.now += 300
    story.leave(after)
    story.now += 60
    story.end()
    (abe,) = read(story.deliveries).attendance("acme", story.number)["participants"]
    assert (abe["minutes"], len(abe["waiting"])) == (15.0, 1)


def test_the_end_of_a_practice_session_is_not_that_of_the_webinar(read: Read) -> None:
    """Zoom says of an end that it was of the practice; the webinar after it may have the same uuid, and ends too."""
    story = Story()
    story.uuid, story.started_at = "webinar/Practice+00002==", START
    story.send("webinar.started", type=5)
    story.now += 300
    story.send("webinar.ended", type=5, end_time=iso(story.now), practice_session=True)
    assert read(story.deliveries).state("acme", story.number)["status"] == "ended"
    story.now += 120
    story.started_at = story.now
    story.send("webinar.started", type=5)
    assert read(story.deliveries).state("acme", story.number)["status"] == "live"
    story.now += 1800
    story.send("webinar.ended", type=5, end_time=iso(story.now))
    state = read(story.deliveries).state("acme", story.number)
    assert (state["status"], state["instance"]["end_time"]) == ("ended", iso(story.now))
