"""A meeting comes alive."""

from __future__ import annotations

import pytest

from zoom_simulator.testing import Json, Zoom


def participants(zoom: Zoom, event: str) -> list[Json]:
    """The participants of one event's deliveries."""
    return [each.json["payload"]["object"]["participant"] for each in zoom.deliver().events(event)]


def test_the_whole_story_in_order(zoom: Zoom) -> None:
    """Start, joins, leaves, end; `ended` has an end time, and the scheduled duration."""
    meeting = zoom.meeting(duration=45)["id"]
    zoom.hold(meeting)
    assert zoom.endpoint.names() == [
        "meeting.created",
        "meeting.started",
        "meeting.participant_joined",
        "meeting.participant_joined",
        "meeting.participant_left",
        "meeting.participant_left",
        "meeting.ended",
    ]
    ended = zoom.endpoint.events("meeting.ended")[0].json["payload"]["object"]
    assert (ended["duration"], ended["end_time"]) == (45, "2026-11-18T11:16:40Z")


def test_guests_are_nobody(zoom: Zoom) -> None:
    """E-mail and ids of people from outside are empty; colleagues have theirs."""
    meeting = zoom.meeting()["id"]
    zoom.act(meeting, "start")
    zoom.act(meeting, "join", name="Guest", email="guest@elsewhere.example", customer_key="k1")
    zoom.act(meeting, "join", email="owner@zoom.example")
    guest, colleague = participants(zoom, "meeting.participant_joined")
    assert (guest["email"], guest["id"], guest["participant_user_id"], guest["customer_key"]) == ("", "", "", "k1")
    assert (colleague["email"], colleague["id"]) == ("owner@zoom.example", zoom.user_id("owner@zoom.example"))
    assert guest["public_ip"].startswith("203.0.113.")


def test_registrants_show_their_address(zoom: Zoom) -> None:
    """A registrant's visit has the e-mail address and the registrant id."""
    meeting = zoom.meeting(settings={"approval_type": 0})["id"]
    person = {"email": "ann@elsewhere.example", "first_name": "Ann"}
    registrant = zoom.act(meeting, "register", **person)["registrant"]
    zoom.act(meeting, "start")
    zoom.act(meeting, "join", registrant_id=registrant["id"])
    (joined,) = participants(zoom, "meeting.participant_joined")
    assert (joined["email"], joined["registrant_id"]) == ("ann@elsewhere.example", registrant["id"])
    assert zoom.post(f"/_sim/meetings/{meeting}/join", {"registrant_id": "nobody"}).status_code == 409


def test_the_waiting_room(zoom: Zoom) -> None:
    """People wait, are let in, put back, or leave without having been in; the host never waits."""
    meeting = zoom.meeting(settings={"waiting_room": True})["id"]
    zoom.act(meeting, "start")
    zoom.act(meeting, "join", host=True)
    first = zoom.act(meeting, "join", name="One")["participant"]
    zoom.act(meeting, "join", name="Two")
    assert first["waiting"] is True
    zoom.act(meeting, "admit", participant=first["user_id"])
    zoom.act(meeting, "hold", participant="One")
    zoom.act(meeting, "leave", participant="Two")
    assert zoom.deliver().names()[2:] == [
        "meeting.participant_joined",
        "meeting.participant_joined_waiting_room",
        "meeting.participant_joined_waiting_room",
        "meeting.participant_admitted",
        "meeting.participant_left_waiting_room",
        "meeting.participant_joined",
        "meeting.participant_put_in_waiting_room",
        "meeting.participant_left_waiting_room",
        "meeting.participant_left",
    ]
    assert participants(zoom, "meeting.participant_left")[0]["leave_reason"] == "Leave waiting room."


def test_before_the_host(zoom: Zoom) -> None:
    """Without permission one waits outside; with it the first guest starts the meeting."""
    closed = zoom.meeting()["id"]
    assert zoom.post(f"/_sim/meetings/{closed}/join", {"name": "Early"}).status_code == 409
    early = zoom.meeting(settings={"join_before_host": True})["id"]
    zoom.act(early, "join", name="Early")
    names = [each for each in zoom.deliver().names() if each != "meeting.created"]
    assert names == [
        "meeting.participant_jbh_waiting",
        "meeting.participant_jbh_joined",
        "meeting.started",
        "meeting.participant_joined",
    ]


def test_sharing_ends_with_leaving(zoom: Zoom) -> None:
    """Who leaves does not go on sharing."""
    meeting = zoom.meeting()["id"]
    zoom.act(meeting, "start")
    zoom.act(meeting, "join", name="G")
    zoom.act(meeting, "share", participant="G", content="whiteboard")
    zoom.act(meeting, "leave", participant="G")
    assert zoom.deliver().names()[-3:] == [
        "meeting.sharing_started",
        "meeting.sharing_ended",
        "meeting.participant_left",
    ]
    details = participants(zoom, "meeting.sharing_started")[0]["sharing_details"]
    assert details["content"] == "whiteboard"


def test_what_a_body_does_not_say_is_as_usual(zoom: Zoom) -> None:
    """The desktop is shared, the first room is entered, a co-host is made, and one leaves by oneself."""
    meeting = zoom.meeting()["id"]
    zoom.act(meeting, "start")
    zoom.act(meeting, "join", name="G")
    for action in ("share", "unshare", "breakout", "return", "role", "leave"):
        assert zoom.act(meeting, action, participant="G")["participant"]["name"] == "G"
    shared = participants(zoom, "meeting.sharing_started")[0]["sharing_details"]["content"]
    role = participants(zoom, "meeting.participant_role_changed")[0]["new_role"]
    left = participants(zoom, "meeting.participant_left")[0]["leave_reason"]
    assert (shared, role, "left the meeting" in left) == ("desktop", "co-host", True)
    assert "meeting.participant_joined_breakout_room" in zoom.endpoint.names()


@pytest.mark.parametrize("seen", [True, False])
def test_the_hosts_own_join_was_seen_both_ways(seen: bool) -> None:  # noqa: FBT001 - a case
    """A switch decides whether the host's own join is an event."""
    zoom = Zoom(host_join_event=seen)
    zoom.connect()
    meeting = zoom.meeting()["id"]
    zoom.act(meeting, "start")
    zoom.act(meeting, "join", host=True)
    assert bool(participants(zoom, "meeting.participant_joined")) == seen


def test_every_occasion_has_a_uuid_of_its_own(zoom: Zoom) -> None:
    """The first one has the meeting's."""
    meeting = zoom.meeting(type=3)
    for _ in range(2):
        zoom.hold(meeting["id"])
    uuids = [each.json["payload"]["object"]["uuid"] for each in zoom.endpoint.events("meeting.started")]
    assert uuids[0] == meeting["uuid"]
    assert uuids[0] != uuids[1]
    assert zoom.get(f"/v2/meetings/{meeting['id']}").json()["uuid"] == uuids[1]


def test_personal_rooms_show_the_personal_id(zoom: Zoom) -> None:
    """A meeting created with `use_pmi` has an id of its own; webhooks show the PMI, and type 4."""
    meeting = zoom.meeting(settings={"use_pmi": True})
    pmi = zoom.get("/v2/users/me").json()["pmi"]
    assert meeting["pmi"] == str(pmi)
    assert meeting["id"] != pmi
    zoom.hold(meeting["id"])
    started = zoom.endpoint.events("meeting.started")[0].json["payload"]["object"]
    assert (started["id"], started["type"]) == (str(pmi), 4)
    assert zoom.endpoint.events("meeting.created")[0].json["payload"]["object"]["id"] == pmi


def test_the_personal_room_itself(zoom: Zoom) -> None:
    """The personal room is found by its number, never listed and never deleted."""
    pmi = zoom.get("/v2/users/me").json()["pmi"]
    assert zoom.get(f"/v2/meetings/{pmi}").json()["type"] == 4
    assert zoom.get("/v2/users/me/meetings").json()["total_records"] == 0
    refused = zoom.delete(f"/v2/meetings/{pmi}")
    assert (refused.status_code, refused.json()["code"]) == (400, 3018)


@pytest.mark.parametrize("action", ["end", "leave", "share", "record", "admit", "alert", "dance"])
def test_what_does_not_fit_is_refused(zoom: Zoom, action: str) -> None:
    """An action that does not fit the state is a 409 with a reason."""
    meeting = zoom.meeting()["id"]
    response = zoom.post(f"/_sim/meetings/{meeting}/{action}", {"participant": "x"})
    assert response.status_code == 409
    assert response.json()["error"]


def test_webinars_have_events_of_their_own(zoom: Zoom) -> None:
    """Webinars have events of their own, and no waiting room."""
    webinar = zoom.webinar()["id"]
    zoom.hold(webinar)
    assert set(zoom.endpoint.names()) == {
        "webinar.created",
        "webinar.started",
        "webinar.participant_joined",
        "webinar.participant_left",
        "webinar.ended",
    }


def test_ending_by_api(zoom: Zoom) -> None:
    """As the button does; 204 whether or not it was on."""
    meeting = zoom.meeting()["id"]
    zoom.act(meeting, "start")
    assert zoom.get(f"/v2/meetings/{meeting}").json()["status"] == "started"
    assert zoom.put(f"/v2/meetings/{meeting}/status", {"action": "end"}).status_code == 204
    assert zoom.put(f"/v2/meetings/{meeting}/status", {"action": "end"}).status_code == 204
    assert zoom.deliver().names()[-1] == "meeting.ended"
    assert zoom.put(f"/v2/meetings/{meeting}/status", {"action": "pause"}).json()["code"] == 300


def test_breakout_rooms(zoom: Zoom) -> None:
    """Who goes to one has a second session number there, shares there, and comes back before leaving."""
    zoom.sim.behaviour.room_moves_renew_sessions = False
    meeting = zoom.meeting()["id"]
    zoom.act(meeting, "start")
    person = zoom.act(meeting, "join", name="Ann")["participant"]["user_id"]
    zoom.act(meeting, "breakout", participant="Ann", room="Kitchen")
    zoom.act(meeting, "share", participant="Ann")
    zoom.act(meeting, "breakout", participant="Ann", room="Cellar")
    zoom.act(meeting, "leave", participant="Ann")
    found = [each.json for each in zoom.deliver().events() if "breakout" in each.event or "left" in each.event]
    assert [each["event"].removeprefix("meeting.") for each in found] == [
        "participant_joined_breakout_room",
        "breakout_room_sharing_started",
        "breakout_room_sharing_ended",
        "participant_left_breakout_room",
        "participant_joined_breakout_room",
        "participant_left_breakout_room",
        "participant_left",
    ]
    rooms = [each["payload"]["object"].get("breakout_room_uuid") for each in found]
    assert rooms[0] == rooms[1] == rooms[2] == rooms[3] != rooms[4] == rooms[5]
    guests = [each["payload"]["object"]["participant"] for each in found]
    assert {each.get("parent_user_id") for each in guests[:6]} == {person}
    assert guests[0]["user_id"] == guests[1]["user_id"] != person
    assert guests[6]["user_id"] == person


def test_every_move_between_rooms_is_a_new_session(zoom: Zoom) -> None:
    """A leave and a join of one second, in either order: another `user_id`, the same participant UUID."""
    meeting = zoom.meeting()["id"]
    zoom.act(meeting, "start")
    zoom.act(meeting, "join", name="Ann")
    for action in ("breakout", "return", "breakout"):
        zoom.act(meeting, action, participant="Ann")
    zoom.act(meeting, "leave", participant="Ann")
    moves = [
        (each.event.rpartition("_")[2], each.json["payload"]["object"]["participant"])
        for each in zoom.deliver().events()
        if each.event in {"meeting.participant_joined", "meeting.participant_left"}
    ]
    assert [what for what, _ in moves] == ["joined", "left", "joined", "joined", "left", "left", "joined", "left"]
    assert len({who["user_id"] for _, who in moves}) == 4
    assert len({who["participant_uuid"] for _, who in moves}) == 1
    assert moves[1][1]["user_id"] == moves[0][1]["user_id"] != moves[2][1]["user_id"]
    assert moves[1][1]["leave_time"] == moves[2][1]["join_time"]


def test_the_waiting_room_may_know_another_session_number(zoom: Zoom) -> None:
    """A switch gives the waiting room another session number."""
    zoom.sim.behaviour.waiting_room_user_ids = True
    meeting = zoom.meeting(settings={"waiting_room": True})["id"]
    zoom.act(meeting, "start")
    waits = zoom.act(meeting, "join", name="One")["participant"]["user_id"]
    assert zoom.act(meeting, "admit", participant="One")["participant"]["user_id"] != waits
    (joined,) = participants(zoom, "meeting.participant_joined")
    (admitted,) = participants(zoom, "meeting.participant_admitted")
    assert (admitted["user_id"], joined["participant_uuid"]) == (waits, admitted["participant_uuid"])


def test_an_end_may_lack_its_times(zoom: Zoom) -> None:
    """As captures of 2019 and 2020 do, each behind a switch."""
    zoom.sim.behaviour.ended_without_end_time = zoom.sim.behaviour.events_without_event_ts = True
    meeting = zoom.meeting()["id"]
    zoom.act(meeting, "start")
    zoom.act(meeting, "end")
    (ended,) = [each.json for each in zoom.deliver().events() if each.event == "meeting.ended"]
    assert "event_ts" not in ended
    assert "end_time" not in ended["payload"]["object"]


def test_roles_and_rooms_have_their_rules(zoom: Zoom) -> None:
    """Nobody returns from nowhere, and there are three roles."""
    meeting = zoom.meeting()["id"]
    zoom.act(meeting, "start")
    zoom.act(meeting, "join", name="Ann")
    assert zoom.post(f"/_sim/meetings/{meeting}/return", {"participant": "Ann"}).status_code == 409
    assert zoom.post(f"/_sim/meetings/{meeting}/role", {"participant": "Ann", "role": "king"}).status_code == 409
    zoom.act(meeting, "role", participant="Ann", role="co-host")
    zoom.act(meeting, "role", participant="Ann", role="attendee")
    changes = [
        each.json["payload"]["object"]["participant"] for each in zoom.deliver().events() if "role" in each.event
    ]
    assert [(each["old_role"], each["new_role"]) for each in changes] == [
        ("attendee", "co-host"),
        ("co-host", "attendee"),
    ]


def test_a_chat_message_is_reported(zoom: Zoom) -> None:
    """With its text and its author; without a text there will only be a chat file."""
    meeting = zoom.meeting()["id"]
    zoom.act(meeting, "start")
    zoom.act(meeting, "join", name="Ann")
    zoom.act(meeting, "chat")
    zoom.act(meeting, "chat", participant="Ann", message="Hello")
    (found,) = zoom.deliver().events("meeting.chat_message_sent")
    message = found.json["payload"]["object"]["chat_message"]
    assert (message["message_content"], message["sender_name"]) == ("Hello", "Ann")
