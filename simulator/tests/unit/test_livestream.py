"""Live streams and invite links."""

from __future__ import annotations

from zoom_simulator.testing import Zoom

STREAM = {"page_url": "https://live.example", "stream_key": "key", "stream_url": "rtmp://live.example"}


def test_a_stream_is_set_and_shown(zoom: Zoom) -> None:
    """All but the resolution is required."""
    path = f"/v2/meetings/{zoom.meeting()['id']}/livestream"
    assert zoom.get(path).json()["stream_url"] == ""
    assert zoom.patch(path, STREAM).status_code == 204
    assert zoom.get(path).json() == {**STREAM, "resolution": ""}
    assert {each["field"] for each in zoom.patch(path, {}).json()["errors"]} == set(STREAM)


def test_only_what_is_on_can_be_streamed(zoom: Zoom) -> None:
    """4927 before, events once it runs; end-to-end encrypted never (4400)."""
    meeting = zoom.meeting()["id"]
    path = f"/v2/meetings/{meeting}/livestream"
    zoom.patch(path, STREAM)
    assert zoom.patch(f"{path}/status", {"action": "start"}).json()["code"] == 4927
    zoom.act(meeting, "start")
    assert zoom.patch(f"{path}/status", {"action": "start"}).status_code == 204
    assert zoom.patch(f"{path}/status", {"action": "stop"}).status_code == 204
    assert zoom.deliver().names()[-2:] == ["meeting.live_streaming_started", "meeting.live_streaming_stopped"]
    secret = zoom.meeting(settings={"encryption_type": "e2ee"})["id"]
    assert zoom.patch(f"/v2/meetings/{secret}/livestream/status", {"action": "start"}).json()["code"] == 4400


def test_webinars_need_a_stream_first(zoom: Zoom) -> None:
    """Starting a webinar's stream without an address is refused with 3000."""
    webinar = zoom.webinar()["id"]
    path = f"/v2/webinars/{webinar}/livestream"
    assert zoom.patch(f"{path}/status", {"action": "start"}).json()["code"] == 3000
    zoom.patch(path, STREAM)
    zoom.act(webinar, "start")
    assert zoom.patch(f"{path}/status", {"action": "start"}).status_code == 204


def test_invite_links(zoom: Zoom) -> None:
    """One for each name."""
    path = f"/v2/meetings/{zoom.meeting()['id']}/invite_links"
    links = zoom.post(path, {"attendees": [{"name": "A"}, {"name": "B"}]}).json()["attendees"]
    assert len({each["join_url"] for each in links}) == 2
    assert zoom.post(path, {"attendees": [{}]}).json()["errors"][0]["field"] == "attendees[0].name"
