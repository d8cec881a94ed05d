"""Webinars: what others than administrators are told, what Zoom does not show, and what it tells twice or never."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

import pytest

from tests.fakes.events import Clock
from tests.fakes.meeting_life import HOST, NUMBER, START, Life, iso
from tests.fakes.reconciling import Room, Seen
from zoom_common.errors import Unavailable, ZoomUnavailable
from zoom_common.events.projections.reader import MeetingReader
from zoom_common.events.reconciliation.zoom_reader import MISSING_SCOPES, NO_PERMISSION, AccessDenied, kind_of

UUID = "/launch//1=="
LATER = START + 6 * 3600.0
HOUR = 3600
LISTED = "users/webinars"


def stay(session: str, joined: float, left: float, **more: Any) -> dict[str, Any]:
    """A row of Zoom's lists of participants. Fractions of seconds stand in webinars' alone."""
    times = {"join_time": iso(joined)[:-1] + ".66Z", "leave_time": iso(left)[:-1] + ".07Z"}
    person = {"id": "", "name": "Ada", "user_email": "", "registrant_id": f"r-{session}"}
    return {"user_id": session, "status": "in_meeting", **person, **times, **more}


@dataclass
class Zoom:
    """One webinar, held for an hour by a person with a guest; `hidden` is why Zoom does not show a kind of thing."""

    held: list[dict[str, Any]] = field(default_factory=lambda: [{"uuid": UUID, "start_time": iso(START)}])
    people: list[dict[str, Any]] = field(
        default_factory=lambda: [
            stay("s-1", START, START + HOUR, id=HOST, registrant_id=""),
            stay("s-2", START + 60, START + 1800),
        ]
    )
    hidden: dict[str, str] = field(default_factory=lambda: {"report": MISSING_SCOPES})
    report: dict[str, Any] = field(default_factory=dict)
    account: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    planned: list[dict[str, Any]] = field(
        default_factory=lambda: [
            {"id": 1, "type": 5, "start_time": iso(START - 30 * 86_400)},
            {"id": NUMBER, "type": 5, "host_id": HOST, "topic": "Launch", "start_time": iso(START), "duration": 90},
        ]
    )
    asked: list[str] = field(default_factory=list)

    def read(self, path: str) -> Mapping[str, Any] | None:
        kind = kind_of(path)
        self.asked.append(kind)
        for name, reason in self.hidden.items():
            if kind.startswith(name):
                raise AccessDenied(reason)
        place, _, query = path.removeprefix("/v2/").partition("?")
        parts = [unquote(unquote(part)) for part in place.split("/")]
        match parts:
            case ["users", "me", "webinars"]:
                return self._page("webinars", self.planned, query)
            case ["past_webinars", number, "instances"]:
                assert number == str(NUMBER)
                return {"webinars": self.held}
            case ["report", "webinars", uuid]:
                return self.report if uuid == UUID else None
            case ["past_webinars", uuid, "participants"] | ["report", "webinars", uuid, "participants"]:
                assert parse_qs(query)["include_fields"] == ["registrant_id"]
                return self._page("participants", self.people if uuid == UUID else [], query)
        return {kind.rpartition("/")[2]: self.account[kind]} if kind in self.account else None

    @staticmethod
    def _page(name: str, rows: list[dict[str, Any]], query: str) -> dict[str, Any]:
        """Pages of one; the last page has an empty token."""
        at = int(parse_qs(query).get("next_page_token", ["0"])[0])
        return {name: rows[at : at + 1], "next_page_token": str(at + 1) if at + 1 < len(rows) else ""}


@pytest.fixture
def room() -> Room:
    return Room(Clock(LATER))


def reported(room: Room) -> list[str]:
    return [event.type.removeprefix("zoom.webinar.") for event in room.bus.events]


def objects(room: Room, name: str) -> list[dict[str, Any]]:
    """The objects of the published events of one name."""
    bodies = (json.loads(event.to_json()) for event in room.bus.events if event.type == f"zoom.webinar.{name}")
    return [body["data"]["payload"]["object"] for body in bodies]


def test_a_webinar_of_which_nothing_was_reported(room: Room) -> None:
    """Where no report is shown, the end is the last leave; whose it is and what it is called, the list says."""
    done = room.reconcile(Zoom())
    assert (done.compared, done.missing, done.partial) == (1, 6, {})
    assert reported(room) == [
        "started", "participant_joined", "participant_joined", "participant_left", "participant_left", "ended",
    ]  # fmt: skip
    [ended] = objects(room, "ended")
    about = {"uuid": UUID, "id": str(NUMBER), "host_id": HOST, "topic": "Launch", "type": 5}
    assert ended == {**about, "start_time": iso(START), "end_time": iso(START + HOUR)}
    guest = objects(room, "participant_left")[0]["participant"]
    assert (guest["leave_time"], guest["registrant_id"]) == (iso(START + 1800), "r-s-2")
    attendance = MeetingReader(room.projections).attendance("acme", str(NUMBER), UUID)
    assert [each["duration"] for each in attendance["participants"]] == [HOUR, 1740]


def test_late_originals_are_the_same_events(room: Room) -> None:
    """They say whole seconds, another name and more; the ids are the same and nothing changes."""
    room.reconcile(Zoom())
    life = Life(family="webinar")
    life.start(UUID)
    life.join("s-1", {"participant_user_id": HOST, "user_name": "Host"})
    life.pass_by(60)
    life.join("s-2", {"user_name": "Ada L.", "participant_uuid": "p"})
    life.pass_by(1740)
    life.leave("s-2", {"user_name": "Ada L."})
    life.pass_by(1800)
    life.leave("s-1", {"user_name": "Host"})
    life.pass_by(7)
    life.end()
    before, ids = dict(room.projections.records), [event.id for event in room.bus.events]
    room.deliver(life.deliveries)
    assert (room.projections.records, [event.id for event in room.bus.events]) == (before, ids)


def test_reconstructed_twice_is_once(room: Room) -> None:
    """Also when it was forgotten that it has been compared, and all that was told before is missing again."""
    room.reconcile(Zoom())
    ids = [event.id for event in room.bus.events]
    assert room.reconcile(Zoom()).missing == 0
    room.projections.records.clear()
    assert room.reconcile(Zoom()).missing == 6
    assert [event.id for event in room.bus.events] == ids


def test_administrators_get_the_end(room: Room) -> None:
    """By the webinar's report, which does not say whose it is."""
    report = {"uuid": UUID, "id": NUMBER, "topic": "Launch!", "type": 5, "start_time": iso(START), "duration": 61}
    zoom = Zoom(hidden={}, report={**report, "end_time": iso(START + HOUR + 30)})
    room.reconcile(zoom)
    [ended] = objects(room, "ended")
    assert (ended["end_time"], ended["topic"], ended["host_id"]) == (iso(START + HOUR + 30), "Launch!", HOST)
    assert "past_webinars/participants" not in zoom.asked


def test_of_an_account_the_report_of_each_host_shows_what_was_held() -> None:
    """With whose it is: the connections of that person get it too."""
    row = {"id": NUMBER, "uuid": UUID, "topic": "Launch", "type": 5}
    row |= {"start_time": iso(START), "end_time": iso(START + HOUR)}
    zoom = Zoom(hidden={}, account={"report/users": [{"id": HOST}], "report/users/meetings": [row]})
    room = Room(Clock(LATER), Seen(zoom_user_id=None))
    done = room.reconcile(zoom)
    assert (done.missing, done.partial) == (6, {})
    assert objects(room, "started")[0]["host_id"] == HOST
    assert not {LISTED, "report/webinars", "past_meetings/instances"} & set(zoom.asked)


def test_what_has_not_ended_two_hours_ago_is_left_for_later(room: Room) -> None:
    """By its last leave, where nothing else tells its end."""
    room.clock.now = START + HOUR + 7199.0
    assert room.reconcile(Zoom()).compared == 0
    room.clock.now += 2
    assert room.reconcile(Zoom()).compared == 1


def test_what_runs_is_not_reported_as_ended(room: Room) -> None:
    """Zoom lists those that are over; the others are known by their events alone."""
    life = Life(family="webinar")
    life.start(UUID)
    room.deliver(life.deliveries)
    assert room.reconcile(Zoom(held=[]), None, f"webinars/{NUMBER}").compared == 0
    assert reported(room) == ["started"]


def test_an_end_that_nobody_knows_has_no_time(room: Room) -> None:
    """One person alone is in no list: it is over, as planned or later; the event names no time."""
    assert room.reconcile(Zoom(people=[])).missing == 2
    [ended] = objects(room, "ended")
    assert "end_time" not in ended
    state = MeetingReader(room.projections).state("acme", str(NUMBER))
    assert (state["status"], state["instance"]["end_time"]) == ("ended", iso(START + 90 * 60))


@pytest.mark.parametrize(
    ("hidden", "missing"),
    [
        ({LISTED: MISSING_SCOPES}, 0),
        ({LISTED: NO_PERMISSION}, 0),
        ({"past_webinars/instances": MISSING_SCOPES}, 0),
        ({"past_webinars": NO_PERMISSION}, 0),
        ({"past_webinars/participants": MISSING_SCOPES}, 2),
    ],
)
def test_what_zoom_does_not_show_is_left_out_and_said(room: Room, hidden: dict[str, str], missing: int) -> None:
    """The scope, the plan: the rest is compared all the same, meetings and recordings too."""
    life = Life(number=NUMBER + 1)
    life.start("/meeting==")
    life.pass_by(HOUR)
    life.end()
    meeting: dict[str, Any] = json.loads(life.deliveries[-1])["payload"]["object"]

    class WithMeeting(Zoom):
        def read(self, path: str) -> Mapping[str, Any] | None:
            found = super().read(path)
            match kind_of(path):
                case "users/meetings":
                    return {"meetings": [{"id": life.number, "start_time": iso(START), "type": 2}]}
                case "past_meetings/instances":
                    return {"meetings": [{"uuid": "/meeting==", "start_time": iso(START)}]}
                case "past_meetings":
                    return meeting
            return found

    done = room.reconcile(WithMeeting(hidden={"report": MISSING_SCOPES, **hidden}))
    assert (done.complete, done.missing) == (True, 2 + missing)
    [(kind, reason)] = hidden.items()
    assert done.partial == {"webinars": reason}
    assert any(each.startswith(kind) for each in done.unseen)


def test_an_account_without_reports_says_so() -> None:
    """Only what events told of is compared."""
    done = Room(Clock(LATER), Seen(zoom_user_id=None)).reconcile(Zoom())
    assert (done.missing, done.partial) == (0, dict.fromkeys(("meetings", "webinars", "recordings"), MISSING_SCOPES))


def test_a_list_that_zoom_refuses_is_asked_for_once_a_day(room: Room) -> None:
    """Most people have no webinars: a refusal an hour of each of them would be an app that fails."""
    zoom = Zoom(hidden={"report": MISSING_SCOPES, LISTED: NO_PERMISSION})
    for _ in range(24):
        assert room.reconcile(zoom).partial == {"webinars": NO_PERMISSION}
        room.clock.now += HOUR
    assert zoom.asked.count(LISTED) == 2
    # Bought now, and held at once: found within the two days looked back.
    held = room.clock.now
    zoom = Zoom(held=[{"uuid": UUID, "start_time": iso(held)}], people=[stay("s-1", held, held + 60)])
    zoom.planned[1]["start_time"] = iso(held)
    room.clock.now += 20 * HOUR
    assert room.reconcile(zoom).missing == 4


def test_what_lacks_scopes_is_asked_for_once(room: Room) -> None:
    """The gateway knows without asking Zoom, but not without asking itself."""
    zoom = Zoom(held=[{"uuid": f"{name}==", "start_time": iso(START)} for name in "abc"])
    room.reconcile(zoom)
    assert zoom.asked.count("report/webinars") == zoom.asked.count("report/webinars/participants") == 1


def test_a_webinar_that_events_reported_is_compared_without_the_list(room: Room) -> None:
    """They told whose it is and what it is called."""
    life = Life(family="webinar")
    life.start(UUID)
    room.deliver(life.deliveries)
    zoom = Zoom(hidden={"report": MISSING_SCOPES, LISTED: NO_PERMISSION})
    assert room.reconcile(zoom, None, f"webinars/{NUMBER}").missing == 5
    assert objects(room, "ended")[0]["topic"] == "Stand-up"


def test_a_recorded_webinar_is_compared_without_the_list_too(room: Room) -> None:
    """The list of recordings says as text that it is one, and nobody asks for it among meetings."""
    recorded = {"id": NUMBER, "uuid": UUID, "host_id": HOST, "topic": "Launch", "type": "5", "recording_files": []}

    class Recorded(Zoom):
        def read(self, path: str) -> Mapping[str, Any] | None:
            return {"meetings": [recorded]} if kind_of(path) == "users/recordings" else super().read(path)

    zoom = Recorded(planned=[])
    assert room.reconcile(zoom).missing == 6
    assert objects(room, "started")[0]["type"] == 5
    assert "past_meetings/instances" not in zoom.asked


def test_pages_that_do_not_end_are_a_fault_and_tell_nothing_twice(room: Room) -> None:
    """Whatever was told before stays told."""

    class Endless(Zoom):
        @staticmethod
        def _page(name: str, rows: list[dict[str, Any]], query: str) -> dict[str, Any]:
            return {name: rows, "next_page_token": f"after {query}"[:20]}

    with pytest.raises(Unavailable, match="not available"):
        room.reconcile(Endless())
    assert room.sent == 0
    assert room.reconcile(Zoom()).missing == 6


@pytest.mark.parametrize("kind", [LISTED, "past_webinars/instances", "past_webinars/participants"])
def test_a_zoom_that_is_down_is_no_zoom_without_webinars(room: Room, kind: str) -> None:
    """The round is repeated, nothing is remembered of it, and recordings were not kept waiting."""
    film = {"id": "film", "file_type": "MP4", "recording_start": iso(START), "recording_end": iso(START + HOUR)}
    recorded = {"id": NUMBER, "uuid": UUID, "host_id": HOST, "type": "5", "recording_files": [film]}

    class Down(Zoom):
        down = True

        def read(self, path: str) -> Mapping[str, Any] | None:
            if self.down and kind_of(path) == kind:
                raise ZoomUnavailable
            return {"meetings": [recorded]} if kind_of(path) == "users/recordings" else super().read(path)

    zoom = Down()
    with pytest.raises(ZoomUnavailable):
        room.reconcile(zoom)
    assert [event.type for event in room.bus.events] == ["zoom.recording.completed"]
    zoom.down = False
    assert room.reconcile(zoom).missing == 6


def test_two_sessions_of_one_person_and_a_row_that_comes_twice(room: Room) -> None:
    """Who comes back has another number; a list that changed between two pages has somebody twice."""
    twice = stay("s-2", START + 60, START + 1800)
    again = stay("s-3", START + 2000, START + 2600)
    host = stay("s-1", START, START + HOUR, id=HOST)
    assert room.reconcile(Zoom(people=[host, twice, twice, again])).missing == 8
    assert len({event.id for event in room.bus.events}) == len(room.bus.events) == 8


def test_one_uuid_that_zoom_lists_twice_starts_and_ends_once(room: Room) -> None:
    """Begun again under the same UUID: from the first beginning to the last leave."""
    held = [{"uuid": UUID, "start_time": iso(at)} for at in (START, START + 2400)]
    room.reconcile(Zoom(held=held))
    assert [each["start_time"] for each in objects(room, "started")] == [iso(START)]
    assert [each["end_time"] for each in objects(room, "ended")] == [iso(START + HOUR)]


def test_one_uuid_that_begins_again_later_is_compared_again(room: Room) -> None:
    """Who came the second time is found, once."""
    room.reconcile(Zoom())
    room.clock.now += 12 * HOUR
    zoom = Zoom()
    second = START + 9 * HOUR
    zoom.held.append({"uuid": UUID, "start_time": iso(second)})
    zoom.people.append(stay("s-9", second, second + 600))
    assert room.reconcile(zoom).missing == 2
    assert room.reconcile(zoom).missing == 0
    assert reported(room)[-2:] == ["participant_joined", "participant_left"]


def test_what_is_reconstructed_goes_to_whose_it_is(room: Room) -> None:
    """Reconstructed events are routed like deliveries: an event of a stranger's webinar reaches nobody."""
    zoom = Zoom()
    zoom.planned[1]["host_id"] = "somebody-else"
    room.reconcile(zoom)
    assert room.sent == 6
    assert room.bus.events == []
