"""What Zoom is asked once: the plan that no event told, and the host whom no event named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.fakes.event_stores import Projections
from tests.fakes.events import APP, Clock, plenty, record
from tests.fakes.meeting_life import HOST, NUMBER, START, Life, iso
from tests.fakes.reconciling import Room
from zoom_common.events.log.index import LogIndex
from zoom_common.events.projections.reader import MeetingReader
from zoom_common.events.reconciliation.unrouted_replay import UnroutedReplay
from zoom_common.events.reconciliation.zoom_reader import MISSING_SCOPES, AccessDenied

WEEK = 7 * 86_400
HOUR = 3600
SERIES = {
    "id": NUMBER,
    "type": 8,
    "host_id": HOST,
    "topic": "Weekly",
    "duration": 60,
    "start_time": iso(START),
    "password": "s3cret",
    "start_url": "https://zoom.example/s/1?zak=secret",
    "recurrence": {"type": 2, "repeat_interval": 1},
    "occurrences": [
        {"occurrence_id": str(at), "start_time": iso(START + at * WEEK), "duration": 60, "status": "available"}
        for at in range(3)
    ],
}


@dataclass
class Zoom:
    """A Zoom that knows the plan of one meeting; `denies` its scope, or has no such meeting."""

    plan: Mapping[str, Any] | None = field(default_factory=lambda: SERIES)
    denies: bool = False
    asked: list[str] = field(default_factory=list)

    def read(self, path: str) -> Mapping[str, Any] | None:
        place = path.removeprefix("/v2/").partition("?")[0]
        self.asked.append(place)
        if place == f"meetings/{NUMBER}":
            assert "show_previous_occurrences=true" in path
            if self.denies:
                raise AccessDenied(MISSING_SCOPES)
            return self.plan
        if place == "users/me/meetings":
            return {"meetings": [self.plan] if self.plan else []}
        return None

    @property
    def plans_asked(self) -> int:
        return self.asked.count(f"meetings/{NUMBER}")


def held(at: int, uuid: str) -> Life:
    """A meeting that is held for an hour and that no event planned."""
    life = Life(now=at)
    life.start(uuid)
    life.pass_by(HOUR)
    life.end()
    return life


def seen(projections: Projections, week: int) -> dict[str, Any]:
    reader = MeetingReader(projections)
    return reader.attendance("acme", str(NUMBER), occurrence=(START + week * WEEK) * 1000)


def test_a_plan_that_no_event_reported_is_asked_for_once() -> None:
    """The series was made before its host was connected: from then on its weeks are known."""
    room, zoom = Room(Clock(START + WEEK + 2.0 * HOUR)), Zoom()
    room.deliver(held(START + WEEK, "w/1==").deliveries)
    for _ in range(3):
        room.reconcile(zoom, None, f"meetings/{NUMBER}")
        room.clock.now += HOUR
    assert zoom.plans_asked == 1
    assert seen(room.projections, 1)["instances_used"] == ["w/1=="]
    assert seen(room.projections, 2)["status"] == "scheduled"
    assert "s3cret" not in str(room.projections.records)
    assert "zak=" not in str(room.projections.records)


def test_a_series_of_which_one_occurrence_was_reported_is_asked_for() -> None:
    """Somebody moved one week after the host was connected. Until Zoom has said all weeks, the series goes on."""
    room, zoom = Room(Clock(START + WEEK + 3.0 * HOUR)), Zoom()
    life = held(START + WEEK, "w/1==")
    life.plan("meeting.updated", type=8, occurrences=SERIES["occurrences"][1:2])
    room.deliver(life.deliveries)
    assert MeetingReader(room.projections).state("acme", str(NUMBER))["status"] == "scheduled"
    room.reconcile(zoom, None, f"meetings/{NUMBER}")
    assert zoom.plans_asked == 1
    assert seen(room.projections, 0)["instances_used"] == []
    assert seen(room.projections, 1)["instances_used"] == ["w/1=="]
    assert seen(room.projections, 2)["status"] == "scheduled"


def test_a_meeting_that_zoom_does_not_know_is_asked_for_once() -> None:
    """Then the caller's word counts."""
    room, zoom = Room(Clock(START + WEEK + 2.0 * HOUR)), Zoom(plan=None)
    room.deliver(held(START + WEEK, "w/1==").deliveries)
    for _ in range(2):
        room.reconcile(zoom, None, f"meetings/{NUMBER}")
        room.clock.now += HOUR
    assert zoom.plans_asked == 1
    assert seen(room.projections, 1)["instances_used"] == ["w/1=="]


def test_a_connection_without_the_scope_asks_again_later() -> None:
    """The person may grant it."""
    room, zoom = Room(Clock(START + WEEK + 2.0 * HOUR)), Zoom(denies=True)
    room.deliver(held(START + WEEK, "w/1==").deliveries)
    room.reconcile(zoom, None, f"meetings/{NUMBER}")
    zoom.denies = False
    room.clock.now += HOUR
    room.reconcile(zoom, None, f"meetings/{NUMBER}")
    assert zoom.plans_asked == 2
    assert seen(room.projections, 2)["status"] == "scheduled"


def test_a_plan_that_events_reported_is_not_asked_for() -> None:
    """Neither a meeting that is planned once nor a series whose occurrences are known."""
    room, zoom = Room(Clock(START + 2.0 * HOUR)), Zoom()
    life = Life()
    life.plan("meeting.created", topic="Once", type=2, start_time=iso(START))
    life.start("u/1==")
    room.deliver(life.deliveries)
    room.reconcile(zoom, None, f"meetings/{NUMBER}")
    assert zoom.plans_asked == 0


@pytest.mark.parametrize("operator", [None, "administrator"])
def test_a_host_whom_an_update_does_not_name_is_found(operator: str | None) -> None:
    """An update names nobody, or only who made it: it belongs to nobody until the host's own list has the meeting."""
    room, zoom = Room(Clock(START + 60.0)), Zoom()
    payload = {"account_id": "acc-1", "operator_id": operator, "object": {"id": NUMBER, "topic": "New"}}
    body = {"event": "meeting.updated", "event_ts": START * 1000, "payload": payload}
    received = int(room.clock.now * 1000)
    assert room.processor.process([record(json.dumps(body).encode(), received_at_ms=received)], plenty()) == []
    assert room.bus.events == []
    replay = UnroutedReplay(log=room.log, lines=LogIndex(room.log.table), send=room.send, clock=room.clock)
    assert replay.of_known_hosts(APP, room.hosts) == 0
    room.reconcile(zoom)
    assert zoom.plans_asked == 0  # the list of the person's meetings names the host
    assert replay.of_known_hosts(APP, room.hosts) == 1
    assert [(each.tenant, each.detail_type) for each in room.bus.events] == [("acme", "meeting.updated")]
