"""Registrants over REST."""

from __future__ import annotations

import pytest

from zoom_simulator.testing import Json, Zoom

ANN: Json = {"email": "ann@guest.example", "first_name": "Ann", "last_name": "Guest", "org": "Guests"}


def meeting_path(zoom: Zoom, approval: int, **body: object) -> str:
    """A meeting with registration; its path."""
    return f"/v2/meetings/{zoom.meeting(settings={'approval_type': approval}, **body)['id']}"


def listed(zoom: Zoom, path: str, status: str = "approved") -> list[str]:
    """The addresses of one status."""
    return [each["email"] for each in zoom.get(f"{path}/registrants?status={status}").json()["registrants"]]


def test_automatic_approval(zoom: Zoom) -> None:
    """On the list at once, with a link of one's own, and an event."""
    path = meeting_path(zoom, 0)
    response = zoom.post(f"{path}/registrants", ANN)
    assert response.status_code == 201
    answer = response.json()
    assert "?tk=" in answer["join_url"]
    shown = zoom.get(f"{path}/registrants/{answer['registrant_id']}").json()
    assert (shown["status"], shown["org"], shown["join_url"]) == ("approved", "Guests", answer["join_url"])
    assert listed(zoom, path) == ["ann@guest.example"]
    (event,) = zoom.deliver().events("meeting.registration_created")
    assert event.json["payload"]["object"]["registrant"]["status"] == "approved"


@pytest.mark.parametrize(
    ("action", "status", "event"),
    [("approve", "approved", "approved"), ("deny", "denied", "denied"), ("cancel", "denied", "cancelled")],
)
def test_the_host_decides(zoom: Zoom, action: str, status: str, event: str) -> None:
    """A registrant is pending until the host has decided."""
    path = meeting_path(zoom, 1)
    zoom.post(f"{path}/registrants", ANN)
    assert (listed(zoom, path), listed(zoom, path, "pending")) == ([], ["ann@guest.example"])
    body = {"action": action, "registrants": [{"email": "ANN@guest.example"}]}
    assert zoom.put(f"{path}/registrants/status", body).status_code == 204
    assert listed(zoom, path, status) == ["ann@guest.example"]
    (delivered,) = zoom.deliver().events(f"meeting.registration_{event}")
    assert delivered.json["payload"]["operator"] == "jill@zoom.example"


def test_auto_approve_overrules(zoom: Zoom) -> None:
    """Where the meeting asks for a decision."""
    path = meeting_path(zoom, 1)
    zoom.post(f"{path}/registrants", {**ANN, "auto_approve": True})
    assert listed(zoom, path) == ["ann@guest.example"]


def test_registering_twice_keeps_the_id(zoom: Zoom) -> None:
    """Nobody is on the list twice."""
    path = meeting_path(zoom, 0)
    first, second = (zoom.post(f"{path}/registrants", ANN).json()["registrant_id"] for _ in range(2))
    assert first == second
    assert len(listed(zoom, path)) == 1


def test_for_some_dates_only(zoom: Zoom) -> None:
    """By occurrence ids, which have to exist."""
    rule = {"type": 1, "end_times": 3}
    path = meeting_path(zoom, 0, type=8, start_time="2026-11-20T10:00:00Z", recurrence=rule)
    first, second, _ = (each["occurrence_id"] for each in zoom.get(path).json()["occurrences"])
    answer = zoom.post(f"{path}/registrants?occurrence_ids={first}", ANN).json()
    assert [each["occurrence_id"] for each in answer["occurrences"]] == [first]
    assert len(zoom.get(f"{path}/registrants?occurrence_id={first}").json()["registrants"]) == 1
    assert zoom.get(f"{path}/registrants?occurrence_id={second}").json()["registrants"] == []
    assert zoom.post(f"{path}/registrants?occurrence_ids=1", ANN).json()["code"] == 300


def test_without_registration(zoom: Zoom) -> None:
    """Every operation refuses in its own words."""
    meeting, webinar = zoom.meeting()["id"], zoom.webinar()["id"]
    assert zoom.post(f"/v2/meetings/{meeting}/registrants", ANN).json()["code"] == 300
    assert zoom.post(f"/v2/webinars/{webinar}/registrants", ANN).json()["code"] == 3000
    batch = {"registrants": [ANN]}
    assert zoom.post(f"/v2/meetings/{meeting}/batch_registrants", batch).json()["code"] == 404


def test_unknown_meetings_are_1001_here_and_3001_elsewhere(zoom: Zoom) -> None:
    """Both are a 404; registering for an unknown meeting has the code 1001, other requests 3001."""
    added, read = zoom.post("/v2/meetings/1/registrants", ANN), zoom.get("/v2/meetings/1/registrants")
    assert (added.status_code, added.json()["code"]) == (404, 1001)
    assert (read.status_code, read.json()["code"]) == (404, 3001)


def test_over_full_and_host(zoom: Zoom) -> None:
    """Registering is refused with 3038 when it is over, 3043 when it is full, and 3027 for the host."""
    soon = meeting_path(zoom, 0, start_time="2026-11-18T12:00:00Z", duration=10)
    full = meeting_path(zoom, 0)
    zoom.sim.behaviour.registrant_capacity = 1
    zoom.post(f"{full}/registrants", ANN)
    assert zoom.post(f"{full}/registrants", {**ANN, "email": "b@x.example"}).json()["code"] == 3043
    webinar = zoom.webinar(settings={"approval_type": 0})["id"]
    host = {**ANN, "email": "jill@zoom.example"}
    assert zoom.post(f"/v2/webinars/{webinar}/registrants", host).json()["code"] == 3027
    zoom.advance(86_400)
    zoom.connect()
    assert zoom.post(f"{soon}/registrants", ANN).json()["code"] == 3038


def test_basic_users_cannot(zoom: Zoom) -> None:
    """Users without a licence cannot have registrants."""
    zoom.connect("basil@zoom.example")
    path = meeting_path(zoom, 0)
    assert zoom.post(f"{path}/registrants", ANN).json()["code"] == 200


def test_many_at_once(zoom: Zoom) -> None:
    """A batch has thirty people at most, is for type 2 only, and names each fault."""
    path = meeting_path(zoom, 0)
    people = [{"email": f"p{number}@x.example", "first_name": "P"} for number in range(30)]
    answer = zoom.post(f"{path}/batch_registrants", {"registrants": people}).json()["registrants"]
    assert len({each["registrant_id"] for each in answer}) == 30
    more = zoom.post(f"{path}/batch_registrants", {"registrants": [*people, ANN]})
    assert more.json()["code"] == 300
    bad = zoom.post(f"{path}/batch_registrants", {"registrants": [{"email": "x"}]}).json()["errors"]
    assert {each["field"] for each in bad} == {"registrants[0].email", "registrants[0].first_name"}
    recurring = meeting_path(zoom, 0, type=3)
    assert zoom.post(f"{recurring}/batch_registrants", {"registrants": [ANN]}).json()["code"] == 303


def test_deleting(zoom: Zoom) -> None:
    """Deleting is a 204. Afterwards the registrant is unknown: 300 for meetings, 3079 for webinars."""
    path = meeting_path(zoom, 0)
    registrant = zoom.post(f"{path}/registrants", ANN).json()["registrant_id"]
    assert zoom.delete(f"{path}/registrants/{registrant}").status_code == 204
    assert zoom.delete(f"{path}/registrants/{registrant}").json()["code"] == 300
    webinar = zoom.webinar(settings={"approval_type": 0})["id"]
    assert zoom.get(f"/v2/webinars/{webinar}/registrants/nobody").json()["code"] == 3079


@pytest.mark.parametrize(
    "body", [{}, {"email": "x", "first_name": "A"}, {"email": "a@b.example", "first_name": "x" * 65}]
)
def test_bad_registrations(zoom: Zoom, body: Json) -> None:
    """Fields are named."""
    assert zoom.post(f"{meeting_path(zoom, 0)}/registrants", body).json()["errors"]


def test_questions(zoom: Zoom) -> None:
    """What is asked can be changed."""
    path = f"{meeting_path(zoom, 0)}/registrants/questions"
    asked = {"custom_questions": [{"title": "Why?", "type": "short", "required": True, "answers": []}]}
    assert zoom.patch(path, asked).status_code == 204
    assert zoom.get(path).json()["custom_questions"][0]["title"] == "Why?"


@pytest.mark.parametrize(("kind", "code"), [("meetings", 3043), ("webinars", 3035)])
def test_approving_more_than_there_is_room_for(zoom: Zoom, kind: str, code: int) -> None:
    """Nobody is approved then."""
    zoom.sim.behaviour.registrant_capacity = 1
    make = zoom.meeting if kind == "meetings" else zoom.webinar
    path = f"/v2/{kind}/{make(settings={'approval_type': 1})['id']}"
    people = [{"email": f"{name}@guest.example"} for name in ("ann", "bob")]
    for each in people:
        assert zoom.post(f"{path}/registrants", {**ANN, **each}).status_code == 201
    both = zoom.put(f"{path}/registrants/status", {"action": "approve", "registrants": people})
    assert both.json()["code"] == code
    assert listed(zoom, path) == []
    one = zoom.put(f"{path}/registrants/status", {"action": "approve", "registrants": people[:1]})
    assert one.status_code == 204


def test_a_batch_needs_room_for_everybody(zoom: Zoom) -> None:
    """A batch without enough places registers nobody."""
    zoom.sim.behaviour.registrant_capacity = 1
    path = meeting_path(zoom, 0)
    people = [{**ANN, "email": f"{name}@guest.example"} for name in ("ann", "bob")]
    assert zoom.post(f"{path}/batch_registrants", {"registrants": people}).json()["code"] == 3043
    assert listed(zoom, path) == []
