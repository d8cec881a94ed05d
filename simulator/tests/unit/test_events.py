"""Events delivered by their name alone."""

from __future__ import annotations

import pytest

from zoom_simulator.testing import Json, Zoom


def emitted(zoom: Zoom, event: str, **more: str) -> Json:
    """The body of one event that was asked for."""
    assert zoom.post("/_sim/events", {"event": event, **more}).status_code == 200
    return zoom.deliver().events(event)[-1].json


def test_without_a_meeting_one_is_invented_and_forgotten(zoom: Zoom) -> None:
    """Nothing stays behind but the delivery."""
    body = emitted(zoom, "meeting.summary_completed")
    assert body["payload"]["object"]["meeting_topic"] == "An invented meeting"
    assert zoom.sim.state.meetings == {}
    assert zoom.sim.state.instances == {}
    assert zoom.sim.state.recordings == {}


def test_it_is_about_the_meeting_that_is_on_and_who_is_there(zoom: Zoom) -> None:
    """A meeting that is live goes before a newer one that is not."""
    live = zoom.meeting(topic="Live")
    zoom.meeting(topic="Later")
    zoom.act(live["id"], "start")
    zoom.act(live["id"], "join", name="Ann")
    shown = emitted(zoom, "meeting.participant_role_changed")["payload"]["object"]
    assert (shown["topic"], shown["participant"]["user_name"]) == ("Live", "Ann")


def test_it_is_about_the_meeting_that_is_named(zoom: Zoom) -> None:
    """The meeting of an event on demand is chosen by number or UUID."""
    first, _ = zoom.meeting(topic="First"), zoom.meeting(topic="Second")
    assert emitted(zoom, "meeting.started", meeting=str(first["id"]))["payload"]["object"]["topic"] == "First"


def test_it_is_about_the_user_who_is_named(zoom: Zoom) -> None:
    """The user is chosen by e-mail address. Presence has the id in lower case, unless a switch is off."""
    basil = zoom.user_id("basil@zoom.example")
    for lower, name in ((True, basil.lower()), (False, basil)):
        zoom.sim.behaviour.lower_case_presence_ids = lower
        shown = emitted(zoom, "user.presence_status_updated", user="basil@zoom.example")["payload"]["object"]
        assert shown["id"] == name


def test_download_tokens_open_what_is_there(zoom: Zoom) -> None:
    """Each delivery has a token of its own for the real recording."""
    meeting = zoom.meeting(settings={"auto_recording": "cloud"})
    zoom.hold(meeting["id"])
    body = emitted(zoom, "recording.completed")
    url = body["payload"]["object"]["recording_files"][0]["download_url"].removeprefix("http://zoom.test")
    assert zoom.get(url, token=body["download_token"]).status_code == 302


def test_media_streams_name_no_account(zoom: Zoom) -> None:
    """And are delivered all the same."""
    payload = emitted(zoom, "webinar.rtms_started")["payload"]
    assert set(payload) == {"webinar_uuid", "rtms_stream_id", "operator_id", "server_urls"}


def test_a_removed_app_by_name_revokes_nothing(zoom: Zoom) -> None:
    """The body is bare, the grant lives on."""
    body = emitted(zoom, "app_deauthorized")
    assert set(body) == {"event", "payload"}
    assert zoom.get("/v2/users/me").status_code == 200


@pytest.mark.parametrize(
    "wanted",
    [
        {"event": "meeting.nobody_knows"},
        {"event": "webinar.started", "meeting": "MEETING"},
        {"event": "meeting.started", "payload": [1]},
    ],
)
def test_what_makes_no_sense_is_refused(zoom: Zoom, wanted: Json) -> None:
    """An unknown name without a payload, a meeting for a webinar, a payload that is no object."""
    if wanted.get("meeting"):
        wanted = {**wanted, "meeting": str(zoom.meeting()["id"])}
    response = zoom.post("/_sim/events", wanted)
    assert response.status_code == 400
    assert response.json()["error"]


def test_the_list_says_what_happens_by_itself(zoom: Zoom) -> None:
    """Every name once."""
    listed = {each["event"]: each["itself"] for each in zoom.get("/_sim/events").json()["events"]}
    assert listed["meeting.started"] is True
    assert listed["meeting.summary_completed"] is False
