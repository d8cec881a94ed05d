"""What the simulated Zoom answers and delivers conforms to Zoom's contracts, as distilled in zoom_facts.json."""

from __future__ import annotations

import re
from typing import Any

import jsonschema
import pytest

from local.zoom.rest import table
from local.zoom.rest.operations import Operation
from tests.contract import facts
from tests.fakes.local_zoom import Zoom

Json = dict[str, Any]
NOT_IN_CONTRACTS = {row.name for row in table.rows() if row.name.startswith("subscriptions.")}


CHECKER = jsonschema.FormatChecker(formats=["date"])


def is_email(value: object) -> bool:
    """Whether this is an address; an empty one is, since Zoom hides those of guests."""
    return not isinstance(value, str) or value == "" or "@" in value


def is_date_time(value: object) -> bool:
    """Whether this is a UTC time as Zoom writes it."""
    if not isinstance(value, str):
        return True
    return re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?", value) is not None


CHECKER.checkers |= {"email": (is_email, ()), "date-time": (is_date_time, ())}


def problems(schema: Json, value: Any) -> list[str]:
    """Where `value` does not conform."""
    validator = jsonschema.Draft202012Validator(schema, format_checker=CHECKER)
    return [f"{'/'.join(map(str, error.absolute_path))}: {error.message}" for error in validator.iter_errors(value)]


ROWS = {row.name: row for row in table.rows() if row.name not in NOT_IN_CONTRACTS}


@pytest.mark.parametrize("name", ROWS)
def test_label_and_scopes_are_those_of_the_contract(name: str) -> None:
    """Every operation exists at Zoom, under the rate label and the granular scopes its description prints."""
    row = ROWS[name]
    zoom = facts.operation(row.method, row.path)
    assert row.label.upper() == zoom["label"]
    printed = set(zoom["scopes"]["granular"])
    assert printed <= set(row.accepted_scopes())
    assert row.admin_only == (row.scope not in printed)


def schema_of(row: Operation, status: int) -> Json | None:
    """The schema of an operation's answer; None where it has no body. Raises KeyError for an undocumented status."""
    schema: Json | None = facts.operation(row.method, row.path)["responses"][str(status)]
    return schema


def assert_conforms(row: Operation, body: Any) -> None:
    """Check the body of a 200 against the schema, which has to exist."""
    schema = schema_of(row, 200)
    assert schema is not None
    assert problems(schema, body) == []


class Story:
    """A Zoom in which enough has happened for every operation to have something to show."""

    def __init__(self) -> None:
        self.zoom = Zoom(transcripts=True)
        self.zoom.connect()
        series = {"type": 2, "weekly_days": "2,4", "end_times": 4, "repeat_interval": 1}
        settings = {"approval_type": 1, "auto_recording": "cloud", "waiting_room": True}
        start = "2026-11-20T10:00:00Z"
        once = self.zoom.meeting(start_time=start, settings={**settings, "waiting_room": False}, agenda="All of it")
        many = self.zoom.meeting(type=8, start_time=start, recurrence=series, settings=settings)
        webinar = self.zoom.webinar(start_time=start, settings={"approval_type": 0, "auto_recording": "cloud"})
        self.ids = {"meetingId": once["id"], "webinarId": webinar["id"], "series": many["id"]}
        person = {"email": "ann@guest.example", "first_name": "Ann", "last_name": "Guest", "org": "Guests"}
        for path in (f"/v2/meetings/{once['id']}", f"/v2/webinars/{webinar['id']}", f"/v2/meetings/{many['id']}"):
            registrant = self.zoom.post(f"{path}/registrants", person).json()["registrant_id"]
            self.ids["registrantId"] = self.ids.get("registrantId", registrant)
            if "webinar" in path:
                self.ids["webinar_registrant"] = registrant
        approve = {"action": "approve", "registrants": [{"id": self.ids["registrantId"]}]}
        self.zoom.put(f"/v2/meetings/{once['id']}/registrants/status", approve)
        panel = {"panelists": [{"email": "pat@guest.example", "name": "Pat"}]}
        self.zoom.post(f"/v2/webinars/{webinar['id']}/panelists", panel)
        stream = {"page_url": "https://live.example", "stream_key": "k", "stream_url": "rtmp://live.example"}
        self.zoom.patch(f"/v2/meetings/{once['id']}/livestream", stream)
        self.zoom.hold(once["id"], lambda: self.happen(once["id"]))
        self.zoom.hold(webinar["id"], lambda: self.share(webinar["id"]))
        self.waiting(many["id"])
        recording = self.zoom.sim.state.recordings[self.zoom.sim.world.held(once["id"])[-1].uuid]
        self.ids["recordingId"] = recording.files[0].id
        self.ids["meetingUUID"] = once["id"]

    def happen(self, meeting: int) -> None:
        """All that can happen while a meeting is on."""
        self.zoom.act(meeting, "join", email="ann@guest.example")
        self.zoom.act(meeting, "alert")
        self.zoom.act(meeting, "chat")
        self.zoom.patch(f"/v2/meetings/{meeting}/livestream/status", {"action": "start"})
        self.zoom.patch(f"/v2/meetings/{meeting}/livestream/status", {"action": "stop"})
        self.zoom.act(meeting, "chat", message="Hello", participant="Guest")
        self.zoom.act(meeting, "role", participant="Guest", role="co-host")
        self.zoom.act(meeting, "share", participant="Guest")
        self.zoom.act(meeting, "unshare", participant="Guest")
        self.zoom.act(meeting, "breakout", participant="Guest", room="Kitchen")
        self.zoom.act(meeting, "share", participant="Guest")
        self.zoom.act(meeting, "return", participant="Guest")
        for action in ("pause-recording", "resume-recording", "stop-recording", "record"):
            self.zoom.act(meeting, action)

    def share(self, meeting: int) -> None:
        """Somebody shares the screen, then leaves."""
        self.zoom.act(meeting, "share", participant="Guest")
        self.zoom.act(meeting, "leave", participant="Guest")

    def waiting(self, meeting: int) -> None:
        """People come too early, wait, are let in and put back."""
        self.zoom.post(f"/_sim/meetings/{meeting}/join", {"name": "Early"})
        self.zoom.act(meeting, "start")
        self.zoom.act(meeting, "join", name="Wanda")
        self.zoom.act(meeting, "admit", participant="Wanda")
        self.zoom.act(meeting, "hold", participant="Wanda")
        self.zoom.act(meeting, "end")
        self.zoom.advance(10)

    def path(self, row: Operation) -> str:
        """The row's path with ids of this story."""
        ids = {**self.ids, "userId": "me"}
        if row.name.startswith("reports."):
            ids["userId"] = self.zoom.user_id()
        if row.name.startswith("webinars.registrants"):
            ids["registrantId"] = self.ids["webinar_registrant"]
        return "/v2" + re.sub(r"\{(\w+)\}", lambda match: str(ids[match[1]]), row.path)


@pytest.fixture(scope="module")
def story() -> Story:
    """One story for all reading."""
    return Story()


READS = [name for name, row in ROWS.items() if row.method == "GET"]
QUERIES = {
    "reports.users": "?from=2026-11-01&to=2026-11-20",
    "reports.user_meetings": "?from=2026-11-01&to=2026-11-20",
    "reports.cloud_recording": "?from=2026-11-01&to=2026-11-20",
    "recordings.get": "?include_fields=download_access_token",
    "meetings.registrants.list": "?status=approved",
}


@pytest.mark.parametrize("name", READS)
def test_reading_conforms(story: Story, name: str) -> None:
    """The answer to every GET conforms to the contract's schema, and is not empty."""
    row = ROWS[name]
    tokens = story.zoom.token
    if row.admin_only:
        story.zoom.connect_account()
    response = story.zoom.get(story.path(row) + QUERIES.get(name, ""))
    story.zoom.token = tokens
    assert response.status_code == 200, response.text
    assert_conforms(row, response.json())


def test_a_series_conforms(story: Story) -> None:
    """A recurring meeting shows its rule and dates as the contract says."""
    response = story.zoom.get(f"/v2/meetings/{story.ids['series']}")
    assert len(response.json()["occurrences"]) == 4
    assert_conforms(ROWS["meetings.get"], response.json())


PERSON = {"email": "bob@guest.example", "first_name": "Bob", "last_name": "Guest"}
WRITES: dict[str, tuple[int, Json | None]] = {
    "users.create": (201, {"action": "create", "user_info": {"email": "new@zoom.example", "type": 1}}),
    "users.update": (204, {"first_name": "Jillian", "dept": "Cooking"}),
    "users.status": (204, {"action": "clock_in"}),
    "users.change_settings": (204, {"in_meeting": {"chat": False}}),
    "meetings.create": (201, {"topic": "Contract", "type": 2, "settings": {"meeting_invitees": []}}),
    "meetings.update": (204, {"topic": "New topic", "settings": {"host_video": True}}),
    "meetings.status": (204, {"action": "end"}),
    "meetings.registrants.add": (201, PERSON),
    "meetings.registrants.status": (204, {"action": "deny", "registrants": [{"email": "ann@guest.example"}]}),
    "meetings.registrants.batch": (201, {"registrants": [{"email": "c@guest.example", "first_name": "C"}]}),
    "meetings.registrants.ask": (204, {"questions": [{"field_name": "city", "required": True}]}),
    "meetings.registrants.delete": (204, None),
    "meetings.livestream.update": (
        204,
        {"page_url": "https://live.example/2", "stream_key": "k", "stream_url": "rtmp://live.example"},
    ),
    "meetings.invite_links": (201, {"attendees": [{"name": "Ann"}]}),
    "meetings.sip_dialing": (200, {"passcode": "123456"}),
    "webinars.create": (201, {"topic": "Contract", "type": 5}),
    "webinars.update": (204, {"topic": "New topic"}),
    "webinars.status": (200, {"action": "end"}),
    "webinars.registrants.add": (201, PERSON),
    "webinars.registrants.status": (204, {"action": "cancel", "registrants": [{"email": "ann@guest.example"}]}),
    "webinars.registrants.batch": (201, {"registrants": [{"email": "c@guest.example", "first_name": "C"}]}),
    "webinars.registrants.ask": (204, {"questions": []}),
    "webinars.registrants.delete": (204, None),
    "webinars.livestream.update": (
        204,
        {"page_url": "https://live.example/2", "stream_key": "k", "stream_url": "rtmp://live.example"},
    ),
    "webinars.invite_links": (201, {"attendees": [{"name": "Ann"}]}),
    "webinars.sip_dialing": (201, {"passcode": "123456"}),
    "webinars.panelists.add": (201, {"panelists": [{"email": "q@guest.example", "name": "Q"}]}),
    "webinars.panelists.clear": (204, None),
    "recordings.change_settings": (204, {"topic": "Renamed"}),
    "recordings.delete": (204, None),
    "recordings.recover": (204, {"action": "recover"}),
    "recordings.delete_all": (204, None),
    "recordings.recover_all": (200, {"action": "recover"}),
    "recordings.delete_transcript": (204, None),
    "meetings.delete": (204, None),
    "webinars.delete": (204, None),
    "users.delete": (204, None),
}
TRIED_ELSEWHERE = {"meetings.livestream.status", "webinars.livestream.status", "webinars.panelists.delete"}


@pytest.fixture(scope="module")
def written() -> tuple[Story, dict[str, Any]]:
    """One story for all writing, in order, with every answer."""
    found = Story()
    answers = {}
    for name, (_, body) in WRITES.items():
        row = ROWS[name]
        person = found.zoom.token
        if row.admin_only:
            found.zoom.connect_account()
        answers[name] = (
            found.zoom.request(row.method, found.path(row), json=body)
            if body
            else found.zoom.request(row.method, found.path(row))
        )
        found.zoom.token = person
    more_happens(found.zoom)
    found.zoom.deliver()
    return found, answers


def more_happens(zoom: Zoom) -> None:
    """What no write above brings about."""
    zoom.sim.behaviour.deauthorised_event_ts = "number"  # the example says text, the schema does not
    zoom.connect("owner@zoom.example")
    for action in ("sign-in", "sign-out", "change-password", "sign-out-everywhere", "deauthorize"):
        zoom.post("/_sim/users/owner@zoom.example/" + action)
    zoom.post("/_sim/users/new@zoom.example/accept")
    zoom.connect("owner@zoom.example")
    meeting = zoom.meeting(settings={"join_before_host": True, "auto_recording": "cloud"})["id"]
    zoom.act(meeting, "join", name="Early")
    zoom.act(meeting, "end")
    zoom.advance(10)
    zoom.delete(f"/v2/meetings/{meeting}/recordings?action=delete")
    zoom.delete(f"/v2/meetings/{meeting}")
    zoom.put(f"/v2/meetings/{meeting}/status", {"action": "recover"})
    a_webinar(zoom)
    zoom.connect_account()
    for action in ("deactivate", "activate"):
        zoom.put("/v2/users/basil@zoom.example/status", {"action": action})
    zoom.delete("/v2/users/basil@zoom.example?action=delete")
    zoom.delete(f"/v2/meetings/{meeting}")
    zoom.advance(31 * 86_400)


def a_webinar(zoom: Zoom) -> None:
    """People register for one, come, and it is deleted."""
    webinar = zoom.webinar(settings={"approval_type": 1})["id"]
    for person in ("ann", "bob"):
        zoom.act(webinar, "register", email=f"{person}@guest.example", first_name=person, last_name="Guest")
    zoom.act(webinar, "approve", registrant="ann@guest.example")
    zoom.act(webinar, "deny", registrant="bob@guest.example")
    zoom.act(webinar, "start")
    zoom.act(webinar, "join", name="Guest")
    zoom.act(webinar, "alert")
    zoom.act(webinar, "role", participant="Guest", role="co-host")
    zoom.act(webinar, "chat", message="Hello", participant="Guest")
    zoom.act(webinar, "end")
    zoom.delete(f"/v2/webinars/{webinar}")


@pytest.mark.parametrize("name", WRITES)
def test_writing_conforms(written: tuple[Story, dict[str, Any]], name: str) -> None:
    """Every write answers the status of the contract, with a body of its schema or none at all."""
    response = written[1][name]
    assert response.status_code == WRITES[name][0], response.text
    schema = schema_of(ROWS[name], response.status_code)
    if schema is None:
        assert response.content == b""
    else:
        assert problems(schema, response.json()) == []


def test_every_operation_is_tried() -> None:
    """No row of the table escapes these tests."""
    assert set(ROWS) == set(READS) | set(WRITES) | TRIED_ELSEWHERE


EXPECTED = {
    "meeting.created", "meeting.updated", "meeting.deleted", "meeting.started", "meeting.ended",
    "meeting.participant_joined", "meeting.participant_left", "meeting.participant_joined_waiting_room",
    "meeting.participant_admitted", "meeting.participant_left_waiting_room", "meeting.participant_put_in_waiting_room",
    "meeting.participant_jbh_waiting", "meeting.sharing_started", "meeting.sharing_ended", "meeting.alert",
    "meeting.registration_created", "meeting.registration_approved", "meeting.registration_denied",
    "meeting.registration_cancelled", "meeting.live_streaming_started", "meeting.live_streaming_stopped",
    "recording.started", "recording.paused", "recording.resumed", "recording.stopped", "recording.completed",
    "recording.transcript_completed", "recording.trashed", "recording.recovered", "recording.renamed",
    "webinar.created", "webinar.updated", "webinar.deleted", "webinar.started", "webinar.ended",
    "webinar.participant_joined", "webinar.participant_left", "webinar.sharing_started", "webinar.sharing_ended",
    "webinar.registration_created", "webinar.registration_cancelled", "user.created", "user.updated",
    "user.disassociated", "user.deleted", "user.activated", "user.deactivated", "user.signed_in", "user.signed_out",
    "user.invitation_accepted", "app_deauthorized", "meeting.recovered", "meeting.participant_jbh_joined",
    "recording.deleted", "meeting.permanently_deleted", "webinar.alert", "webinar.permanently_deleted",
    "webinar.participant_role_changed", "webinar.registration_approved", "webinar.registration_denied",
    "meeting.participant_joined_breakout_room", "meeting.participant_left_breakout_room",
    "meeting.breakout_room_sharing_started", "meeting.breakout_room_sharing_ended", "meeting.participant_role_changed",
    "meeting.chat_message_sent", "webinar.chat_message_sent", "user.settings_updated",
}  # fmt: skip


@pytest.mark.parametrize("event", sorted(EXPECTED))
def test_events_conform(written: tuple[Story, dict[str, Any]], event: str) -> None:
    """Every event that the story brings about conforms to its schema, each time it is delivered."""
    delivered = written[0].zoom.endpoint.events(event)
    assert delivered
    for each in delivered:
        assert problems(facts.EVENTS[event], each.json) == []


def test_no_event_is_unknown_to_zoom(written: tuple[Story, dict[str, Any]]) -> None:
    """Whatever is delivered exists at Zoom."""
    assert set(written[0].zoom.endpoint.names()) <= set(facts.EVENTS)
