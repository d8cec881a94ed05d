"""What single kinds of event say, in the order they come and in reverse."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes.event_stores import Projections
from tests.fakes.meeting_life import HOST, NUMBER, Life
from zoom_common.events.projections.projectors import changes
from zoom_common.events.projections.reader import MeetingReader
from zoom_common.zoom.events import parse


class Story(Life):
    """A life with all that is told rarely."""

    def event(self, name: str, payload: dict[str, Any]) -> None:
        self.pass_by(1)
        self.send(name, payload)

    def person(self, what: str, **participant: Any) -> None:
        self.pass_by(1)
        self.held(f"meeting.{what}", participant={"user_id": "s-1", "user_name": "Ada", "email": "", **participant})

    def definition(self, name: str, *, operation: str = "all", **about: Any) -> None:
        self.event(name, {"operation": operation, "object": {"id": self.number, "host_id": HOST, **about}})


@pytest.fixture(params=["in order", "in reverse"])
def read(request: pytest.FixtureRequest) -> Callable[[Story], MeetingReader]:
    """The projections of a story."""

    def project(story: Story) -> MeetingReader:
        projections = Projections()
        numbered = list(enumerate(story.deliveries))
        for at, body in numbered if request.param == "in order" else reversed(numbered):
            event = parse(body)
            projections.apply("acme", changes(event), (event.true_since_ms or 0, f"{at:03}"))
        return MeetingReader(projections)

    return project


def test_a_webinar_has_state_and_attendance_too(read: Callable[[Story], MeetingReader]) -> None:
    """State and attendance of a webinar are at the same addresses as those of a meeting."""
    story = Story()
    about = {"uuid": "w/1==", "host_id": HOST, "topic": "Launch", "start_time": "2026-09-21T14:13:20Z"}
    story.event("webinar.created", {"object": {"id": NUMBER, "topic": "Launch", "start_time": "2026-09-21T14:00:00Z"}})
    story.event("webinar.started", {"object": {"id": str(NUMBER), **about}})
    participant = {"user_id": "1", "user_name": "Ada", "join_time": "2026-09-21T14:14:00Z"}
    story.event("webinar.participant_joined", {"object": {"id": str(NUMBER), **about, "participant": participant}})
    reader = read(story)
    state = reader.state("acme", str(NUMBER))
    assert (state["kind"], state["status"], state["participants_count"]) == ("webinar", "live", 1)
    assert (state["start_time"], state["instance"]["start_time"]) == ("2026-09-21T14:00:00Z", "2026-09-21T14:13:20Z")
    assert reader.attendance("acme", str(NUMBER))["participants"][0]["present"] is True


def test_an_id_is_one_identity_as_text_and_as_a_number(read: Callable[[Story], MeetingReader]) -> None:
    """Zoom sends a number about plans and recordings, and text while a meeting is on."""
    story = Story()
    story.definition("meeting.created", topic="Plan")
    story.start("u/1==")
    kinds = {type(json.loads(body)["payload"]["object"]["id"]) for body in story.deliveries}
    assert kinds == {int, str}
    state = read(story).state("acme", str(NUMBER))
    assert (state["topic"], state["status"]) == ("Plan", "live")


def test_who_waits_is_not_there_yet(read: Callable[[Story], MeetingReader]) -> None:
    """A person in the waiting room is listed as waiting until they are admitted."""
    story = Story()
    story.start("u/1==")
    story.person("participant_joined_waiting_room", date_time="2026-09-21T14:13:30Z")
    state = read(story).state("acme", str(NUMBER))
    assert ([each["name"] for each in state["waiting"]], state["participants"]) == (["Ada"], [])
    story.person("participant_left_waiting_room", date_time="2026-09-21T14:13:40Z")
    story.person("participant_joined", join_time="2026-09-21T14:13:41Z")
    story.person("participant_role_changed", old_role="attendee", new_role="co-host")
    story.person("sharing_started")
    state = read(story).state("acme", str(NUMBER))
    (ada,) = state["participants"]
    assert (state["waiting"], ada["role"], ada["sharing"]) == ([], "co-host", True)
    story.person("sharing_ended")
    story.person("participant_left", leave_time="2026-09-21T14:20:41Z")
    reader = read(story)
    assert reader.state("acme", str(NUMBER))["participants"] == []
    assert reader.attendance("acme", str(NUMBER))["participants"][0]["minutes"] == 7.0


def test_one_occurrence_goes_without_the_series(read: Callable[[Story], MeetingReader]) -> None:
    """`single` with an occurrence is that one; without any, it is the whole meeting."""
    story = Story()
    both = [{"occurrence_id": "1", "status": "available"}, {"occurrence_id": "2", "status": "available"}]
    story.definition("meeting.created", topic="Series", occurrences=both)
    story.definition("meeting.deleted", operation="single", occurrences=[{"occurrence_id": "1"}])
    state = read(story).state("acme", str(NUMBER))
    assert state["status"] == "scheduled"
    assert [each["status"] for each in state["definition"]["occurrences"]] == ["deleted", "available"]
    story.definition("meeting.deleted", operation="single")
    assert read(story).state("acme", str(NUMBER))["status"] == "deleted"
    story.definition("meeting.recovered", operation="all")
    assert read(story).state("acme", str(NUMBER))["status"] == "scheduled"


def test_an_update_carries_only_what_changed(read: Callable[[Story], MeetingReader]) -> None:
    """Setting by setting."""
    story = Story()
    story.definition("meeting.created", topic="A", duration=30, settings={"jbh_time": 0, "mute": True})
    story.definition("meeting.updated", settings={"jbh_time": 5})
    story.definition("meeting.updated", topic="B")
    shown = read(story).state("acme", str(NUMBER))["definition"]
    assert (shown["topic"], shown["duration"], shown["settings"]) == ("B", 30, {"jbh_time": 5, "mute": True})


def test_a_recordings_files_add_up_and_go(read: Callable[[Story], MeetingReader]) -> None:
    """Completed twice, trashed as a whole, recovered, and one deleted for good."""
    story = Story()
    story.start("u/1==")
    for name, files in (
        ("recording.completed", ["a"]),
        ("recording.completed", ["b"]),
        ("recording.trashed", []),
        ("recording.recovered", ["a", "b"]),
        ("recording.deleted", ["b"]),
    ):
        story.pass_by(10)
        story.recorded(*files, name=name)
    (recording,) = read(story).recordings("acme", str(NUMBER))
    available = {file["id"]: file["availability"] for file in recording["recording_files"]}
    assert (recording["status"], available) == ("available", {"a": "available", "b": "deleted"})
    assert "url" not in json.dumps(recording)


def test_a_users_status_is_the_last_word(read: Callable[[Story], MeetingReader]) -> None:
    """Deactivated, activated, deactivated: three events, one status."""
    story = Story()
    for name in ("user.created", "user.deactivated", "user.activated", "user.deactivated"):
        story.event(name, {"object": {"id": "u1", "email": "u1@zoom.example"}})
    assert read(story).user("acme", "u1")["status"] == "inactive"


def test_addresses_of_machines_are_not_kept(read: Callable[[Story], MeetingReader]) -> None:
    """Zoom adds them without a word in its documentation."""
    story = Story()
    story.start("u/1==")
    story.person("participant_joined", join_time="2026-09-21T14:13:41Z", public_ip="203.0.113.9", private_ip="10.0.0.1")
    reader = read(story)
    shown = json.dumps([reader.state("acme", str(NUMBER)), reader.attendance("acme", str(NUMBER))])
    assert "203.0.113.9" not in shown
    assert "10.0.0.1" not in shown


@pytest.mark.parametrize(
    "payload",
    [
        {},
        {"object": {"id": NUMBER}},
        {"object": {"id": "9" * 900, "uuid": "u", "start_time": "x"}},
        {
            "object": {
                "id": NUMBER,
                "uuid": "u",
                "participant": {"user_id": {}},
                "registrant": [],
                "recording_files": [7],
            }
        },
        {"object": {"id": True, "occurrences": "no", "settings": 7, "recording_files": {"a": 1}}},
    ],
)
@pytest.mark.parametrize(
    "name",
    ["meeting.started", "meeting.participant_left", "meeting.registration_created", "recording.completed", "user.x"],
)
def test_odd_events_break_nothing(name: str, payload: dict[str, Any]) -> None:
    """They are published all the same; what they do not say is not added up."""
    for change in changes(parse(json.dumps({"event": name, "event_ts": 7, "payload": payload}).encode())):
        assert len(change.partition) + len(change.sort) < 900
