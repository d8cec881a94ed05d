"""After an outage of two hours: what Zoom can still report is found, told once, and adds up to the same."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fakes.events import Clock
from tests.fakes.meeting_life import HOST, NUMBER, START, TYPES, Life, iso
from tests.fakes.reconciling import COMPARED, Room, Seen
from tests.fakes.soak import times
from zoom_common.deadline import Deadline
from zoom_common.errors import ZoomUnavailable
from zoom_common.events.projections.reader import MeetingReader
from zoom_common.events.reconciliation.reconciler import Reconciled
from zoom_common.events.reconciliation.zoom_reader import MISSING_SCOPES, AccessDenied, kind_of

HOST_PERSON = {"participant_user_id": HOST, "id": HOST, "user_name": "Host", "email": "host@zoom.example"}
ADA = {"user_name": "Ada"}
LATER = START + 6 * 3600.0


@dataclass
class Zoom:
    """Reports what the deliveries told, whether they arrived or not; pages of two."""

    deliveries: list[bytes]
    asked: list[str] = field(default_factory=list)
    down_after: int = 10_000
    family: str = "meeting"

    def read(self, path: str) -> Mapping[str, Any] | None:  # noqa: PLR0911 - one for each place
        self.asked.append(path)
        if len(self.asked) > self.down_after:
            raise ZoomUnavailable
        place, _, query = path.removeprefix("/v2/").partition("?")
        parts = [unquote(unquote(part)) for part in place.split("/")]
        kind, past = f"{self.family}s", f"past_{self.family}s"
        match parts:
            case ["users", "me", listed] if listed == kind:
                planned = {"topic": "Stand-up", "host_id": HOST, "type": TYPES[self.family], "start_time": iso(START)}
                return {kind: [{"id": NUMBER, **planned}]}
            case ["users", "me", "recordings"]:
                return self._page("meetings", list(self._recordings().values()), query)
            case [below, _, "instances"] if below == past:
                held = {
                    each["uuid"]: {"uuid": each["uuid"], "start_time": each["start_time"]} for each in self._of("ended")
                }
                return {kind: list(held.values())}
            case ["past_meetings", uuid] if past == "past_meetings":
                return next((each for each in self._of("ended") if each["uuid"] == uuid), None)
            case [below, uuid, "participants"] if below == past:
                return self._page("participants", self._participants(uuid), query)
            case ["meetings", uuid, "recordings"]:
                return self._recordings()[uuid]
        return None

    def _of(self, what: str) -> list[dict[str, Any]]:
        bodies = (json.loads(body) for body in self.deliveries)
        return [body["payload"]["object"] for body in bodies if body["event"].endswith(f".{what}")]

    def _participants(self, uuid: str) -> list[dict[str, Any]]:
        rows: dict[str, dict[str, Any]] = {}
        for what, name in (("participant_joined", "join_time"), ("participant_left", "leave_time")):
            for about in self._of(what):
                if about["uuid"] == uuid:
                    person = about["participant"]
                    row = rows.setdefault(person["user_id"], {"user_id": person["user_id"], "status": "in_meeting"})
                    row |= {"id": person["id"], "name": person["user_name"], "user_email": person["email"]}
                    row[name] = person[name]
        return list(rows.values())

    def _recordings(self) -> dict[str, dict[str, Any]]:
        return {each["uuid"]: each for each in self._of("completed")}

    @staticmethod
    def _page(name: str, rows: list[dict[str, Any]], query: str) -> dict[str, Any]:
        start = int(parse_qs(query).get("next_page_token", ["0"])[0])
        return {name: rows[start : start + 2], "next_page_token": str(start + 2) if start + 2 < len(rows) else ""}


def seen(room: Room, *uuids: str) -> list[Any]:
    """State, recordings and attendance, as far as Zoom reports them."""
    reader = MeetingReader(room.projections)
    state = reader.state("acme", str(NUMBER))
    del state["updated_at"]  # the last thing that happened, told or not
    recordings = [
        {"uuid": each["uuid"], "files": [file["id"] for file in each["recording_files"]], "status": each["status"]}
        for each in reader.recordings("acme", str(NUMBER))
    ]
    return [_told(state), recordings, *(_told(reader.attendance("acme", str(NUMBER), uuid)) for uuid in uuids)]


def _told(view: dict[str, Any]) -> dict[str, Any]:
    """Without what Zoom does not report, and without what came of comparing with its report."""
    return {name: value for name, value in view.items() if name not in {"timezone", "duration", *COMPARED}}


def day(family: str = "meeting") -> Life:
    """Two meetings or webinars, people who come and go, and a recording; two hours each."""
    life = Life(family=family)
    life.plan(f"{family}.created", topic="Stand-up", start_time=iso(START))
    for number in (1, 2):
        life.start(f"/u//{number}==")
        life.join(f"s-{number}-1", HOST_PERSON)
        life.pass_by(600)
        life.join(f"s-{number}-2", ADA)
        life.pass_by(600)
        life.leave(f"s-{number}-2", ADA)
        life.pass_by(600)
        life.join(f"s-{number}-3", ADA)
        life.pass_by(1800)
        life.leave(f"s-{number}-3", ADA)
        life.leave(f"s-{number}-1", HOST_PERSON)
        life.end()
        life.recorded(f"file-{number}")
        life.pass_by(60)
    return life


@pytest.mark.parametrize("family", ["meeting", "webinar"])
@settings(max_examples=times(30), deadline=None)
@given(lost=st.sets(st.integers(1, 19)))
def test_whatever_was_lost_is_found_and_late_originals_change_nothing(family: str, lost: set[int]) -> None:
    """State, attendance and recordings equal those of a run without outage, and no event is published twice."""
    life, whole, room = day(family), Room(Clock(LATER)), Room(Clock(LATER))
    whole.deliver(life.deliveries)
    room.deliver([body for at, body in enumerate(life.deliveries) if at not in lost])
    done = room.reconcile(Zoom(life.deliveries, family=family))
    assert done.complete
    assert done.missing == room.sent == len(lost & set(range(1, len(life.deliveries))))
    uuids = ("/u//1==", "/u//2==")
    assert seen(room, *uuids) == seen(whole, *uuids)
    assert {event.id for event in room.bus.events} == {event.id for event in whole.bus.events}
    before, published = dict(room.projections.records), len(room.bus.events)
    room.deliver(life.deliveries)
    assert (room.projections.records, len(room.bus.events)) == (before, published)


def test_what_is_found_says_so() -> None:
    """Subscribers can tell a reconstruction; its time is when it happened."""
    life, room = day(), Room(Clock(LATER))
    room.deliver(life.deliveries[:1])
    room.reconcile(Zoom(life.deliveries))
    reported, *found = room.bus.events
    assert not reported.reconciled
    assert all(event.reconciled and json.loads(event.to_json())["reconciled"] is True for event in found)
    ended = next(event for event in found if event.type == "zoom.meeting.ended")
    assert ended.time.startswith(iso(START + 3600)[:-1])


def test_a_second_run_asks_little_and_says_nothing() -> None:
    """What was compared, and once more after what was missing was told, is not asked about again."""
    life, room = day(), Room(Clock(LATER))
    room.reconcile(Zoom(life.deliveries))
    room.clock.now += 3600
    assert room.reconcile(Zoom(life.deliveries)) == Reconciled(compared=2, missing=0, settled=2, complete=True)
    zoom = Zoom(life.deliveries)
    assert room.reconcile(zoom) == Reconciled(compared=0, missing=0, settled=0, complete=True)
    assert not any(path.endswith("/participants") or "==" in unquote(unquote(path)) for path in zoom.asked)


def test_what_is_younger_than_two_hours_may_still_come() -> None:
    """Zoom repeats for 85 minutes: nothing is reconstructed too early."""
    life, room = day(), Room(Clock(LATER))
    room.clock.now = START + 7200.0  # the first ended an hour ago
    assert room.reconcile(Zoom(life.deliveries)).missing == 0
    room.clock.now = START + 3600 + 7201.0
    assert room.reconcile(Zoom(life.deliveries)).compared == 1


def test_an_instant_meeting_that_events_reported_is_compared_too() -> None:
    """Zoom lists it nowhere; the log does."""
    life, room = day(), Room(Clock(LATER))

    class Unlisted(Zoom):
        def read(self, path: str) -> Mapping[str, Any] | None:
            return {} if "/users/me/" in path else super().read(path)

    assert room.reconcile(Unlisted(life.deliveries)).compared == 0
    assert room.reconcile(Unlisted(life.deliveries), None, f"meetings/{NUMBER}", "users/1").compared == 2


@pytest.mark.parametrize("family", ["meeting", "webinar"])
@pytest.mark.parametrize("calls", range(1, 12))
def test_a_run_that_zoom_cuts_short_is_repeated_without_harm(calls: int, family: str) -> None:
    """Whichever call fails: the next run ends where one run would have."""
    life, whole, room = day(family), Room(Clock(LATER)), Room(Clock(LATER))
    whole.deliver(life.deliveries)
    room.deliver(life.deliveries[:5])
    with pytest.raises(ZoomUnavailable):
        room.reconcile(Zoom(life.deliveries, down_after=calls, family=family))
    room.reconcile(Zoom(life.deliveries, family=family))
    assert seen(room, "/u//1==", "/u//2==") == seen(whole, "/u//1==", "/u//2==")
    assert len({event.id for event in room.bus.events}) == len(room.bus.events)


def test_a_run_without_time_leaves_the_rest_to_the_next() -> None:
    """It says that it is not complete. What was compared in it is compared once more, as events of it were missing."""
    life, room = day(), Room(Clock(LATER))
    times = iter([0.0, 280.0])
    done = room.reconcile(Zoom(life.deliveries), Deadline(300.0, clock=lambda: next(times)))
    assert (done.compared, done.complete) == (1, False)
    assert room.reconcile(Zoom(life.deliveries)).compared == 2


@pytest.mark.parametrize(
    ("hidden", "partial"),
    [
        ("users/meetings", "meetings"),
        ("past_meetings/instances", "meetings"),
        ("past_meetings", "meetings"),
        ("past_meetings/participants", "meetings"),
        ("users/recordings", "recordings"),
    ],
)
def test_what_cannot_be_compared_is_said(hidden: str, partial: str) -> None:
    """Of a person without reports: an app that asks for too few scopes would find nothing, and nobody would know."""
    life, room = day(), Room(Clock(LATER))

    class Hidden(Zoom):
        def read(self, path: str) -> Mapping[str, Any] | None:
            if kind_of(path).startswith("report/") or kind_of(path) == hidden:
                raise AccessDenied(MISSING_SCOPES)
            return super().read(path)

    done = room.reconcile(Hidden(life.deliveries))
    assert (done.complete, done.partial) == (True, {partial: MISSING_SCOPES})


def test_an_instant_meeting_that_was_recorded_is_compared_too() -> None:
    """Its recording is listed, and names it."""
    life, room = day(), Room(Clock(LATER))

    class Recorded(Zoom):
        def read(self, path: str) -> Mapping[str, Any] | None:
            return {} if "/users/me/meetings" in path else super().read(path)

    assert room.reconcile(Recorded(life.deliveries)).compared == 2


def test_a_large_account_is_looked_at_in_turns() -> None:
    """Two hundred people an hour; in the end all of them, each as often as the others."""
    asked: list[str] = []

    class Account:
        def read(self, path: str) -> Mapping[str, Any] | None:
            place, _, rest = path.removeprefix("/v2/").partition("?")
            if place == "report/users":
                start = int(parse_qs(rest).get("next_page_token", ["0"])[0])
                users = [{"id": f"u/{at:03}"} for at in range(start, start + 250)]
                return {"users": users, "next_page_token": str(start + 250) if start == 0 else ""}
            if place.endswith("/recordings"):
                asked.append(unquote(place.split("/")[1]))
            return {}

    room = Room(Clock(LATER), Seen(zoom_user_id=None))
    rounds = []
    for _ in range(5):
        room.clock.now += 3600
        room.reconcile(Account())
        rounds.append(set(asked))
        asked.clear()
    assert {len(each) for each in rounds} == {200}
    assert set().union(*rounds) == {f"u/{at:03}" for at in range(500)}
