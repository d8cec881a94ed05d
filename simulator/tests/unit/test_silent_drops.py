"""What Zoom is reported to drop, read otherwise or refuse: each behind a switch."""

from __future__ import annotations

from typing import Any

from zoom_simulator.testing import Json, Zoom


def made(zoom: Zoom, **body: Any) -> Json:
    """A meeting as Zoom answers its create."""
    found: Json = zoom.post("/v2/users/me/meetings", {"type": 2, **body}).json()
    return found


def connected(**behaviour: Any) -> Zoom:
    """A Zoom with these switches and a connection."""
    zoom = Zoom(**behaviour)
    zoom.connect()
    return zoom


def test_an_offset_can_be_ignored() -> None:
    """It means what it says, or with the switch the time is read as UTC."""
    start = {"start_time": "2031-01-07T10:00:00+01:00", "timezone": "UTC"}
    assert made(connected(), **start)["start_time"] == "2031-01-07T09:00:00Z"
    assert made(connected(start_time_offset="ignore"), **start)["start_time"] == "2031-01-07T10:00:00Z"


def test_unknown_alternative_hosts_can_vanish() -> None:
    """A switch makes the API drop unknown alternative hosts silently."""
    zoom = connected(unknown_alternative_hosts="drop")
    known = zoom.get("/v2/users/me").json()["email"]
    settings = {"alternative_hosts": f"nobody@example.org;{known}"}
    assert made(zoom, settings=settings)["settings"]["alternative_hosts"] == known
    assert made(connected(), settings=settings)["settings"]["alternative_hosts"] == settings["alternative_hosts"]


def test_a_basic_host_can_be_limited() -> None:
    """Such a host gets no cloud recording, and no settings that need a licence."""
    zoom = connected(basic_hosts="limited")
    zoom.sim.world.someone(zoom.get("/v2/users/me").json()["id"]).type = 1
    assert made(zoom, settings={"auto_recording": "cloud"})["settings"]["auto_recording"] == "none"
    assert made(zoom, settings={"auto_recording": "local"})["settings"]["auto_recording"] == "local"
    assert zoom.request("PATCH", "/v2/users/me/settings", json={"feature": {"large_meeting": True}}).status_code == 204
    assert zoom.get("/v2/users/me/settings").json()["feature"]["large_meeting"] is False


def test_members_at_the_wrong_level_are_ignored() -> None:
    """Members at the wrong level are always ignored, as at Zoom."""
    found = made(connected(), auto_recording="cloud")
    assert (found["settings"]["auto_recording"], "auto_recording" in found) == ("none", False)


def test_a_policy_can_refuse_a_passcode() -> None:
    """A create and an update with a refused passcode name the field."""
    zoom = connected(passcode_least_length=6)
    meeting = made(zoom, password="long123")
    short = zoom.request("PATCH", f"/v2/meetings/{meeting['id']}", json={"password": "abc"})
    assert (short.status_code, short.json()["errors"][0]["field"]) == (400, "password")
    assert made(zoom, password="abc")["code"] == 300


def test_errors_can_be_xml() -> None:
    """Unless the caller asks for JSON."""
    zoom = connected(errors_without_accept="xml")
    xml = zoom.get("/v2/meetings/1", headers={"accept": "*/*"})
    assert xml.headers["content-type"].startswith("application/xml")
    assert "<code>3001</code>" in xml.text
    assert zoom.get("/v2/meetings/1", headers={"accept": "application/json"}).json()["code"] == 3001
    assert zoom.get("/v2/users/me", headers={"accept": "*/*"}).json()["email"]
