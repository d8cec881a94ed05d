"""A meeting comes alive."""

from __future__ import annotations

import pytest

from tests.fakes.local_zoom import Json, Zoom


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
    """And their registrant id."""
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
    ]


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


@pytest.mark.parametrize("seen", [True, False])
def test_the_hosts_own_join_was_seen_both_ways(seen: bool) -> None:  # noqa: FBT001 - a case
    """Switchable."""
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
    """Found by its number, never listed, never deleted."""
    pmi = zoom.get("/v2/users/me").json()["pmi"]
    assert zoom.get(f"/v2/meetings/{pmi}").json()["type"] == 4
    assert zoom.get("/v2/users/me/meetings").json()["total_records"] == 0
    refused = zoom.delete(f"/v2/meetings/{pmi}")
    assert (refused.status_code, refused.json()["code"]) == (400, 3018)


@pytest.mark.parametrize("action", ["end", "leave", "share", "record", "admit", "alert", "dance"])
def test_what_does_not_fit_is_refused(zoom: Zoom, action: str) -> None:
    """409, and a reason."""
    meeting = zoom.meeting()["id"]
    response = zoom.post(f"/_sim/meetings/{meeting}/{action}", {"participant": "x"})
    assert response.status_code == 409
    assert response.json()["error"]


def test_webinars_have_events_of_their_own(zoom: Zoom) -> None:
    """And no waiting room."""
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
