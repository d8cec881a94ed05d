"""When attendance is settled: what is published, once, and what Zoom's report says otherwise."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import pytest

from tests.fakes.event_stores import Crash
from tests.fakes.events import Clock
from tests.fakes.meeting_life import HOST, NUMBER, START, Life, iso
from tests.fakes.reconciling import Room
from zoom_common.events.bus import NotPublished
from zoom_common.events.projections.reader import MeetingReader
from zoom_common.events.reconciliation.zoom_reader import NO_PERMISSION, AccessDenied

HOST_PERSON = {"participant_user_id": HOST, "id": HOST, "user_name": "Host", "email": "host@zoom.example"}
ADA = {"user_name": "Ada"}
HOUR = 3600


@dataclass
class Report:
    """A Zoom that reports each instance of one meeting as the deliveries tell it, with changed moments."""

    life: Life
    moments: Mapping[tuple[str, str], str] = field(default_factory=dict)
    extra: tuple[Mapping[str, Any], ...] = ()
    shows: bool = True
    late: bool = False
    """Whether it does not have the instance yet."""
    asked: list[str] = field(default_factory=list)

    def read(self, path: str) -> Mapping[str, Any] | None:
        self.asked.append(path.partition("?")[0])
        match [unquote(unquote(part)) for part in path.partition("?")[0].removeprefix("/v2/").split("/")]:
            case ["past_meetings", _, "instances"]:
                return {"meetings": []}
            case ["past_meetings", *_] if not self.shows:
                raise AccessDenied(NO_PERMISSION)
            case ["past_meetings", *_] if self.late:
                return None
            case ["past_meetings", uuid]:
                return next((each for each in self._told("ended") if each["uuid"] == uuid), None)
            case ["past_meetings", uuid, "participants"]:
                return {"participants": self._rows(uuid)}
        return None

    def _told(self, what: str) -> list[dict[str, Any]]:
        bodies = map(json.loads, self.life.deliveries)
        return [body["payload"]["object"] for body in bodies if body["event"].endswith(f".{what}")]

    def _rows(self, uuid: str) -> list[Mapping[str, Any]]:
        rows: dict[str, dict[str, Any]] = {}
        for what, name in (("participant_joined", "join_time"), ("participant_left", "leave_time")):
            for about in self._told(what):
                who = about["participant"]
                if about["uuid"] == uuid:
                    row = rows.setdefault(who["user_id"], {"user_id": who["user_id"], "name": who["user_name"]})
                    row[name] = self.moments.get((who["user_id"], name), who[name])
        return [*rows.values(), *self.extra]


def lesson(*uuids: str) -> Life:
    """A planned class of an hour, in one instance or in several with a minute between them."""
    life = Life()
    life.plan("meeting.created", topic="Class", type=2, start_time=iso(START))
    for at, uuid in enumerate(uuids or ("u/1==",)):
        life.start(uuid)
        life.join(f"h-{at}", HOST_PERSON)
        life.join(f"a-{at}", ADA)
        life.pass_by(1800)
        life.leave(f"a-{at}", ADA)
        life.leave(f"h-{at}", HOST_PERSON)
        life.end()
        life.pass_by(60)
    return life


def room_of(life: Life, *, without: str = "") -> Room:
    """A room that has got the deliveries, three hours after the class."""
    room = Room(Clock(life.now + 3.0 * HOUR))
    room.deliver([body for body in life.deliveries if not without or without not in body.decode()])
    return room


def subject() -> str:
    return f"meetings/{NUMBER}"


def test_a_settled_attendance_is_published_once_with_the_reports_word() -> None:
    """Nothing was missing: the first round settles it, and the next ones say nothing more."""
    life = lesson()
    room, zoom = room_of(life), Report(life)
    assert room.reconcile(zoom, None, subject()).settled == 1
    assert room.reconcile(zoom, None, subject()).settled == 0
    (event,) = room.settled.events
    assert (event.type, event.subject, event.uuid, event.tenant) == ("attendance.settled", subject(), "u/1==", "acme")
    data = dict(event.data or {})
    assert (data["occurrence"], data["instances_used"], data["participants_count"]) == (iso(START), ["u/1=="], 2)
    assert (data["start_time"], data["end_time"]) == (iso(START), iso(START + 1800))
    assert data["report"] == {"status": "agrees", "differences": []}
    seen = MeetingReader(room.projections).attendance("acme", str(NUMBER), occurrence=START * 1000)
    assert (seen["settled_at"], seen["report"]) == (data["settled_at"], data["report"])
    assert room.log.get("acme", event.id) is not None


def test_what_was_missing_is_reported_first_and_settled_in_the_next_round() -> None:
    """Until then nobody knows whether the events add up to the report."""
    life = lesson()
    room, zoom = room_of(life, without="participant_left"), Report(life)
    first = room.reconcile(zoom, None, subject())
    assert (first.missing, first.settled, room.settled.events) == (2, 0, [])
    assert MeetingReader(room.projections).attendance("acme", str(NUMBER))["settled_at"] is None
    room.clock.now += HOUR
    second = room.reconcile(zoom, None, subject())
    assert (second.missing, second.settled) == (0, 1)
    assert dict(room.settled.events[0].data or {})["report"]["status"] == "agrees"


def test_differences_from_the_report_are_listed_by_person() -> None:
    """In seconds: somebody who left earlier by the report, and somebody of whom no event came."""
    life = lesson()
    stranger = {"user_id": "x-1", "name": "Only reported", "join_time": iso(START), "leave_time": iso(START + 600)}
    waiting = {**stranger, "user_id": "x-2", "status": "in_waiting_room"}
    zoom = Report(life, moments={("a-0", "leave_time"): iso(START + 1740)}, extra=(stranger, waiting))
    room = room_of(life)
    room.loses = True  # what is sent to the queue never arrives
    for _ in range(2):
        room.reconcile(zoom, None, subject())
        room.clock.now += HOUR
    report = dict(room.settled.events[0].data or {})["report"]
    assert report["status"] == "differs"
    assert [
        (each["uuid"], each["name"], each["user_ids"], each["duration"], each["report_duration"])
        for each in report["differences"]
    ] == [("u/1==", "Ada", ["a-0"], 1800, 1740), ("u/1==", "Only reported", ["x-1"], 0, 600)]


def test_one_second_is_no_difference() -> None:
    """Zoom rounds moments differently in events and reports."""
    life = lesson()
    room = room_of(life)
    room.reconcile(Report(life, moments={("a-0", "leave_time"): iso(START + 1799)}), None, subject())
    assert dict(room.settled.events[0].data or {})["report"]["status"] == "agrees"


def test_an_occurrence_of_two_instances_is_settled_as_one() -> None:
    """Only when the second is settled too."""
    life = lesson("u/1==", "u/2==")
    room = room_of(life)
    room.clock.now = START + 1800 + 2 * HOUR + 60.0
    assert room.reconcile(Report(life), None, subject()).settled == 0
    room.clock.now += HOUR
    assert room.reconcile(Report(life), None, subject()).settled == 1
    (event,) = room.settled.events
    assert dict(event.data or {})["instances_used"] == ["u/1==", "u/2=="]


def test_an_occurrence_may_get_another_instance_for_two_hours() -> None:
    """An instance that was over before its plan does not settle it."""
    life = Life(now=START - 1800)
    life.plan("meeting.created", topic="Class", type=2, start_time=iso(START))
    life.start("u/1==")
    life.pass_by(60)
    life.end()
    room = room_of(life)
    room.clock.now = START + 2 * HOUR - 60.0
    assert room.reconcile(Report(life), None, subject()).settled == 0
    room.clock.now = START + 2 * HOUR + 60.0
    assert room.reconcile(Report(life), None, subject()).settled == 1


def test_an_unplanned_instance_is_settled_by_itself() -> None:
    """A click on the link hours after class."""
    life = lesson()
    life.pass_by(5 * HOUR)
    life.start("stray==")
    life.pass_by(60)
    life.end()
    room = room_of(life)
    assert room.reconcile(Report(life), None, subject()).settled == 2
    found = [dict(event.data or {}) for event in room.settled.events]
    assert [(each.get("unplanned", False), each["instances_used"]) for each in found] == [
        (False, ["u/1=="]),
        (True, ["stray=="]),
    ]


def test_what_zoom_does_not_show_is_settled_when_nothing_more_can_come() -> None:
    """Two hours after its end where Zoom denies it; the report is named as unavailable."""
    life = lesson()
    room = room_of(life)
    room.clock.now = START + 1800 + 2 * HOUR - 1.0
    assert room.reconcile(Report(life, shows=False), None, subject()).settled == 0
    room.clock.now += 60
    assert room.reconcile(Report(life, shows=False), None, subject()).settled == 1
    assert dict(room.settled.events[0].data or {})["report"] == {"status": "unavailable", "differences": []}


def test_what_zoom_shows_late_is_waited_for_a_day_and_compared_all_the_same() -> None:
    """Its list may not be ready after two hours: what is missing is found whenever Zoom shows it."""
    life = lesson()
    room, zoom = room_of(life, without="participant_left"), Report(life, late=True)
    assert room.reconcile(zoom, None, subject()).settled == 0
    room.clock.now = START + 1800 + 24 * HOUR + 1.0
    assert room.reconcile(zoom, None, subject()).settled == 1
    assert dict(room.settled.events[0].data or {})["report"]["status"] == "unavailable"
    zoom.late = False
    for missing in (2, 0):
        room.clock.now += HOUR
        assert room.reconcile(zoom, None, subject()).missing == missing
    seen = MeetingReader(room.projections).attendance("acme", str(NUMBER))
    assert (seen["report"]["status"], [each["duration"] for each in seen["participants"]]) == ("agrees", [1800, 1800])
    said = [dict(event.data or {}) for event in room.settled.events]
    assert [(each["revision"], each["report"]["status"]) for each in said] == [(1, "unavailable"), (2, "agrees")]


def test_a_change_after_that_is_published_as_another_revision() -> None:
    """A stay that arrives late is compared with the report as well. Without a change nothing is published."""
    life = lesson()
    room, zoom = room_of(life), Report(life)
    assert room.reconcile(zoom, None, subject()).settled == 1
    life.now, reported = START + 600, len(life.deliveries)
    life.join("b-0", {"user_name": "Bea"})
    life.pass_by(300)
    life.leave("b-0", {"user_name": "Bea"})
    room.deliver(life.deliveries[reported:])
    room.clock.now += HOUR
    assert room.reconcile(zoom, None, subject()).settled == 1
    assert room.reconcile(zoom, None, subject()).settled == 0
    first, second = (dict(event.data or {}) for event in room.settled.events)
    assert [(each["revision"], each["participants_count"]) for each in (first, second)] == [(1, 2), (2, 3)]
    assert second["report"]["status"] == "agrees"
    assert len({event.id for event in room.settled.events}) == 2


def test_a_change_days_later_is_another_revision_too() -> None:
    """An event that comes back from a dead-letter queue names the instance; no other old instance is looked at."""
    life = lesson()
    room, zoom = room_of(life), Report(life)
    assert room.reconcile(zoom, None, subject()).settled == 1
    life.now, reported = START + 600, len(life.deliveries)
    life.join("b-0", {"user_name": "Bea"})
    room.deliver(life.deliveries[reported:])
    room.clock.now += 10 * 24 * HOUR
    asked = len(zoom.asked)
    assert room.reconcile(zoom, None, subject(), uuid="other==").settled == 0
    assert not [path for path in zoom.asked[asked:] if path.endswith("/participants")]
    assert [room.reconcile(zoom, None, subject(), uuid="u/1==").settled for _ in range(2)] == [1, 0]
    assert [dict(event.data or {})["revision"] for event in room.settled.events] == [1, 2]


@pytest.mark.parametrize("crash", ["the bus refuses", "the worker dies after publishing"])
def test_a_fault_while_publishing_ends_in_one_event(crash: str) -> None:
    """The next round publishes it with the id and content that it had."""
    life = lesson()
    room, zoom = room_of(life), Report(life)
    if crash == "the bus refuses":
        room.settled.refusing.add("attendance.settled")
        with pytest.raises(NotPublished):
            room.reconcile(zoom, None, subject())
        room.settled.refusing.clear()
    else:
        room.log.crash_on_finish = True
        with pytest.raises(Crash):
            room.reconcile(zoom, None, subject())
        room.log.crash_on_finish = False
    assert room.reconcile(zoom, None, subject()).settled == 0  # the first worker may still be at it
    room.clock.now += 61
    assert room.reconcile(zoom, None, subject()).settled == 1
    assert len({event.to_json() for event in room.settled.events}) == 1
