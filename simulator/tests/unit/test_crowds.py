"""Crowds and scripts."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from zoom_simulator.scenarios.crowds import Plan
from zoom_simulator.testing import Zoom


def story(seed: int) -> list[str]:
    """What a crowd brings about, with everything in it that came from chance."""
    zoom = Zoom()
    zoom.post("/_sim/crowds", {"seed": seed, "steps_per_minute": 6000, "seconds": 10, "meetings": 3, "people": 6})
    zoom.advance(11)
    return [json.dumps(each.json["payload"]) for each in zoom.endpoint.events()]


def test_the_same_seed_makes_the_same_story() -> None:
    """Another seed makes another sequence."""
    first = story(1)
    assert first == story(1)
    assert first != story(2)


def test_thousands_of_events_a_minute_of_many_kinds() -> None:
    """Nobody stays behind when it is over."""
    zoom = Zoom()
    zoom.post("/_sim/crowds", {"seed": 4, "steps_per_minute": 6000, "seconds": 30})
    zoom.advance(31)
    zoom.advance(10)
    counts = Counter(zoom.endpoint.names())
    assert counts.total() > 3000
    assert len(counts) > 15
    assert counts["meeting.started"] == counts["meeting.ended"] > 0
    assert counts["meeting.participant_joined"] <= counts["meeting.participant_left"] + 50
    assert counts["recording.started"] == counts["recording.completed"]
    assert zoom.sim.mishaps == []
    assert zoom.sim.world.live == {}
    assert zoom.get("/_sim/crowds").json()["crowds"][0]["running"] is False


def test_a_crowd_can_be_sent_home() -> None:
    """Stopping a crowd ends its meetings at once."""
    zoom = Zoom()
    zoom.post("/_sim/crowds", {"seconds": 60})
    zoom.advance(3)
    assert zoom.sim.world.live
    zoom.delete("/_sim/crowds")
    assert zoom.sim.world.live == {}
    before = zoom.sim.publisher.counts.copy()
    zoom.advance(10)
    assert zoom.sim.publisher.counts["meeting.started"] == before["meeting.started"]


def test_plans_are_read_strictly() -> None:
    """Text from forms becomes numbers, unknown fields are refused."""
    assert Plan.read({"seed": "3", "seconds": "1.5"}) == Plan(seed=3, seconds=1.5)
    with pytest.raises(ValueError, match="no such field"):
        Plan.read({"size": 3})
    for wrong in ({"meetings": 0}, {"people": -1}, {"seconds": "nan"}, {"rooms": -0.5}, {"steps_per_minute": "inf"}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Plan.read(wrong)


def test_a_crowd_may_wander_about_rooms_and_roles() -> None:
    """A plan can send people into breakout rooms and give them roles; at the end they leave the rooms."""
    zoom = Zoom()
    zoom.post("/_sim/crowds", {"seed": 2, "steps_per_minute": 6000, "seconds": 20, "rooms": 0.3, "people": 8})
    zoom.advance(21)
    counts = Counter(zoom.endpoint.names())
    assert counts["meeting.participant_joined_breakout_room"] == counts["meeting.participant_left_breakout_room"] > 10
    assert counts["meeting.breakout_room_sharing_started"] == counts["meeting.breakout_room_sharing_ended"]
    assert counts["meeting.participant_role_changed"] > 0
    assert zoom.sim.mishaps == []


def test_a_script_happens_at_its_times() -> None:
    """Steps name the meeting they schedule; what goes wrong is listed and harms nothing."""
    zoom = Zoom()
    steps = [
        {"at": 0, "action": "schedule", "as": "m", "topic": "Scripted", "user": "jill@zoom.example"},
        {"at": 10, "action": "start", "meeting": "m"},
        {"at": 20, "action": "join", "meeting": "m", "name": "Ann"},
        {"at": 25, "action": "leave", "meeting": "m", "participant": "nobody"},
        {"at": 26, "action": "start", "meeting": "other"},
        {"at": 30, "action": "end", "meeting": "m"},
    ]
    assert zoom.post("/_sim/scripts", {"steps": steps}).json() == {"steps": 6}
    zoom.advance(15)
    assert zoom.endpoint.names() == ["meeting.created", "meeting.started"]
    zoom.advance(15)
    assert zoom.endpoint.names()[2:] == ["meeting.participant_joined", "meeting.participant_left", "meeting.ended"]
    assert len(zoom.get("/_sim/crowds").json()["mishaps"]) == 2
    assert zoom.post("/_sim/scripts", {"steps": [1]}).status_code == 400
    assert zoom.post("/_sim/scripts", {}).status_code == 400
