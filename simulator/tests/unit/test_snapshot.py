"""The state file."""

from __future__ import annotations

from pathlib import Path

import pytest

from zoom_simulator import snapshot
from zoom_simulator.testing import Zoom
from zoom_simulator.webhooks.sender import Answer


def restarted(zoom: Zoom, path: Path) -> Zoom:
    """Save, and start another one from the file."""
    snapshot.save(path, zoom.sim.state)
    state = snapshot.load(path)
    assert state is not None
    found = Zoom(state=state)
    found.token, found.wall.now = zoom.token, zoom.wall.now
    return found


def test_everything_survives(zoom: Zoom, tmp_path: Path) -> None:
    """Tokens, meetings, registrants, recordings, and what is live."""
    tokens = zoom.connect()
    meeting = zoom.meeting(settings={"approval_type": 0, "auto_recording": "cloud"}, type=3)["id"]
    zoom.act(meeting, "register", email="a@b.example", first_name="A")
    zoom.hold(meeting)
    zoom.act(meeting, "start")
    zoom.act(meeting, "join", name="Still here")
    again = restarted(zoom, tmp_path / "state.json")
    assert again.get(f"/v2/meetings/{meeting}").json()["status"] == "started"
    assert again.get(f"/v2/meetings/{meeting}/registrants").json()["total_records"] == 1
    assert again.get("/v2/users/me/recordings").json()["total_records"] == 1
    assert again.act(meeting, "leave", participant="Still here")["live"] is True
    refreshed = again.token_request(grant_type="refresh_token", refresh_token=tokens["refresh_token"])
    assert refreshed.status_code == 200
    assert again.sim.state == zoom.sim.state or again.sim.state.meetings.keys() == zoom.sim.state.meetings.keys()


def test_retries_and_processing_go_on(zoom: Zoom, tmp_path: Path) -> None:
    """What waited for its time still comes."""
    meeting = zoom.meeting(settings={"auto_recording": "cloud"})["id"]
    zoom.endpoint.answers = [Answer(500)]
    zoom.deliver()
    zoom.act(meeting, "start")
    zoom.act(meeting, "end")
    again = restarted(zoom, tmp_path / "state.json")
    again.sim.behaviour.challenge_on_save = False
    again.run(_resume(again))
    again.advance(300)
    names = again.endpoint.names()
    assert "recording.completed" in names
    assert "meeting.created" in names


async def _resume(zoom: Zoom) -> None:
    zoom.sim.resume()


def test_the_file_is_private_and_replaced_whole(zoom: Zoom, tmp_path: Path) -> None:
    """It holds tokens; a half-written one never takes its place."""
    path = tmp_path / "deep" / "state.json"
    snapshot.save(path, zoom.sim.state)
    assert path.stat().st_mode & 0o077 == 0
    assert [each.name for each in path.parent.iterdir()] == ["state.json"]


def test_no_file_and_a_broken_one(tmp_path: Path) -> None:
    """Nothing to load, or nothing that can be loaded."""
    assert snapshot.load(tmp_path / "none") is None
    broken = tmp_path / "broken"
    broken.write_text("{")
    with pytest.raises(ValueError, match="Invalid JSON"):
        snapshot.load(broken)
