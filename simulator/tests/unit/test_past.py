"""Past meetings and webinars."""

from __future__ import annotations

import pytest

from zoom_simulator.testing import Json, Zoom


def test_what_was(zoom: Zoom) -> None:
    """A past meeting has its actual minutes, not the scheduled ones."""
    meeting = zoom.meeting(duration=45)
    zoom.hold(meeting["id"], seconds=601)
    found = zoom.get(f"/v2/past_meetings/{meeting['id']}").json()
    assert (found["duration"], found["participants_count"], found["total_minutes"]) == (11, 2, 21)
    assert (found["uuid"], found["user_name"]) == (meeting["uuid"], "Jill Chill")


def test_a_number_means_the_latest_occasion_and_a_uuid_that_one(zoom: Zoom) -> None:
    """Running ones do not count."""
    meeting = zoom.meeting(type=3)
    number = meeting["id"]
    assert zoom.get(f"/v2/past_meetings/{number}").json()["code"] == 3001
    zoom.hold(number, seconds=60)
    zoom.hold(number, seconds=120)
    zoom.act(number, "start")
    first, second = (each["uuid"] for each in zoom.get(f"/v2/past_meetings/{number}/instances").json()["meetings"])
    assert zoom.get(f"/v2/past_meetings/{number}").json()["uuid"] == second
    assert zoom.get("/v2/past_meetings/" + first.replace("/", "%2F")).json()["duration"] == 1


def people(zoom: Zoom, meeting: int) -> list[Json]:
    """Who was there."""
    found: list[Json] = zoom.get(f"/v2/past_meetings/{meeting}/participants").json()["participants"]
    return found


def test_who_was_there(zoom: Zoom) -> None:
    """A record for every stay; seconds; guests without an address."""
    meeting = zoom.meeting()["id"]
    zoom.hold(meeting, seconds=90)
    host, guest = people(zoom, meeting)
    assert (host["name"], host["user_email"], host["internal_user"]) == ("Jill Chill", "jill@zoom.example", True)
    assert (guest["name"], guest["user_email"], guest["duration"]) == ("Guest", "", 90)


def test_who_comes_back_is_listed_twice(zoom: Zoom) -> None:
    """The list has sessions, so a person who comes back is listed twice."""
    meeting = zoom.meeting()["id"]

    def come_back() -> None:
        zoom.act(meeting, "leave", participant="Guest")
        zoom.act(meeting, "join", name="Guest")

    zoom.hold(meeting, come_back)
    assert [each["name"] for each in people(zoom, meeting)].count("Guest") == 2


@pytest.mark.parametrize("answer", ["empty", "not_found"])
def test_lone_meetings_are_left_out(answer: str) -> None:
    """Unless the account shows them."""
    zoom = Zoom(lone_meetings=answer)
    zoom.connect()
    meeting = zoom.meeting()["id"]
    zoom.act(meeting, "start")
    zoom.act(meeting, "join", host=True)
    zoom.act(meeting, "end")
    response = zoom.get(f"/v2/past_meetings/{meeting}/participants")
    assert response.status_code == (200 if answer == "empty" else 404)
    zoom.sim.behaviour.show_lone_meetings = True
    assert len(people(zoom, meeting)) == 1


def test_durations_take_a_while_to_settle() -> None:
    """Durations are 0 until the numbers have settled."""
    zoom = Zoom(settle_seconds=60.0)
    zoom.connect()
    meeting = zoom.meeting()["id"]
    zoom.hold(meeting)
    assert {each["duration"] for each in people(zoom, meeting)} == {0}
    zoom.advance(60)
    assert {each["duration"] for each in people(zoom, meeting)} == {600}


def test_after_a_year_it_is_too_late(zoom: Zoom) -> None:
    """A meeting older than a year is refused with 12702."""
    meeting = zoom.meeting()["id"]
    zoom.hold(meeting)
    zoom.advance(366 * 86_400)
    zoom.connect()
    refused = zoom.get(f"/v2/past_meetings/{meeting}")
    assert (refused.status_code, refused.json()["code"]) == (400, 12702)


def test_a_free_plan_sees_nothing() -> None:
    """On a free plan, Zoom's lists of past meetings are refused."""
    zoom = Zoom(plan="free")
    zoom.connect()
    meeting = zoom.meeting()["id"]
    zoom.hold(meeting)
    assert zoom.get(f"/v2/past_meetings/{meeting}/participants").json()["code"] == 200


def test_absentees(zoom: Zoom) -> None:
    """Absentees registered, were approved, and never joined."""
    webinar = zoom.webinar(settings={"approval_type": 0})["id"]
    for name in ("ann", "bob"):
        body = {"email": f"{name}@x.example", "first_name": name}
        zoom.post(f"/v2/webinars/{webinar}/registrants", body)
    zoom.hold(webinar, lambda: zoom.act(webinar, "join", email="ann@x.example"))
    absent = zoom.get(f"/v2/past_webinars/{webinar}/absentees").json()["registrants"]
    assert [each["email"] for each in absent] == ["bob@x.example"]
    names = [each["name"] for each in zoom.get(f"/v2/past_webinars/{webinar}/participants").json()["participants"]]
    assert names == ["Jill Chill", "Guest", "ann"]
    assert len(zoom.get(f"/v2/past_webinars/{webinar}/instances").json()["webinars"]) == 1
    assert zoom.get(f"/v2/past_webinars/{webinar}/absentees?occurrence_id=1").json()["code"] == 300


def test_registrants_are_named_to_those_who_ask(zoom: Zoom) -> None:
    """With `include_fields`; everybody else gets no such field."""
    webinar = zoom.webinar(settings={"approval_type": 0})["id"]
    ann = zoom.post(f"/v2/webinars/{webinar}/registrants", {"email": "ann@x.example", "first_name": "Ann"}).json()
    zoom.hold(webinar, lambda: zoom.act(webinar, "join", email="ann@x.example"))
    path = f"/v2/past_webinars/{webinar}/participants"
    assert not any("registrant_id" in each for each in zoom.get(path).json()["participants"])
    asked = zoom.get(f"{path}?include_fields=registrant_id").json()["participants"]
    assert [each["registrant_id"] for each in asked] == ["", "", ann["registrant_id"]]


def test_without_webinars_there_is_no_permission(zoom: Zoom) -> None:
    """400/200 for all that is past of webinars; meetings are as they were."""
    webinar, meeting = zoom.webinar()["id"], zoom.meeting()["id"]
    for number in (webinar, meeting):
        zoom.hold(number)
    zoom.patch("/_sim/accounts/simulated-account", {"webinars": False})
    for what in ("instances", "participants", "absentees"):
        assert zoom.get(f"/v2/past_webinars/{webinar}/{what}").json()["code"] == 200
    assert zoom.get(f"/v2/past_meetings/{meeting}/instances").status_code == 200
    zoom.connect_account()
    for path in (f"/v2/report/webinars/{webinar}", f"/v2/report/webinars/{webinar}/participants"):
        assert zoom.get(path).json()["code"] == 200
    assert zoom.get(f"/v2/report/meetings/{meeting}").status_code == 200


def test_whoever_is_there_at_the_end_leaves_with_it(zoom: Zoom) -> None:
    """In the same moment, on a clock that moves too."""
    moments = iter(range(10_000))
    zoom.sim.clock.now = lambda: 1_795_000_000.0 + next(moments)  # type: ignore[method-assign]
    webinar = zoom.webinar()
    zoom.hold(webinar["id"])
    instance = zoom.sim.state.instances[webinar["uuid"]]
    assert {visit.left_at for visit in instance.visits} == {instance.ended_at}


def test_absentees_need_registration(zoom: Zoom) -> None:
    """A webinar without registration is refused with 3000."""
    webinar = zoom.webinar()["id"]
    zoom.hold(webinar)
    assert zoom.get(f"/v2/past_webinars/{webinar}/absentees").json()["code"] == 3000
    assert zoom.get(f"/v2/past_meetings/{webinar}").json()["code"] == 3001


def test_instances_can_be_narrowed_to_dates(zoom: Zoom) -> None:
    """`from` and `to` limit the list of instances to these dates."""
    meeting = zoom.meeting(type=3)["id"]
    zoom.hold(meeting)
    path = f"/v2/past_meetings/{meeting}/instances"
    assert len(zoom.get(f"{path}?from=2026-11-18&to=2026-11-18").json()["meetings"]) == 1
    assert zoom.get(f"{path}?to=2026-11-17").json()["meetings"] == []
    assert zoom.get("/v2/past_meetings/1/instances").json()["code"] == 3001
