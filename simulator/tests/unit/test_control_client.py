"""The command line that drives a simulator which runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from zoom_simulator import control_client
from zoom_simulator.testing import Zoom


@pytest.mark.parametrize(
    ("words", "method", "path", "body"),
    [
        ("meetings", "GET", "/_sim/meetings", None),
        ("clock", "GET", "/_sim/clock", None),
        ("deliveries state=failed limit=5", "GET", "/_sim/deliveries?state=failed&limit=5", None),
        ("clock advance=60", "POST", "/_sim/clock", {"advance": 60}),
        ("schedule topic=Demo", "POST", "/_sim/meetings", {"topic": "Demo"}),
        ("join 123 name=Ann", "POST", "/_sim/meetings/123/join", {"name": "Ann"}),
        ("end /a+b==", "POST", "/_sim/meetings/%2Fa%2Bb%3D%3D/end", {}),
        ("fault 429 count=2", "POST", "/_sim/faults", {"fault": "429", "count": 2}),
        ("clear-faults", "DELETE", "/_sim/faults", None),
        ("revoke jill@zoom.example", "POST", "/_sim/users/jill@zoom.example/revoke", {}),
        ("behaviour retry_scale=0.5", "PATCH", "/_sim/behaviour", {"retry_scale": 0.5}),
        ("crowd seed=7", "POST", "/_sim/crowds", {"seed": 7}),
        ("stop-crowds", "DELETE", "/_sim/crowds", None),
        ("event app.new", "POST", "/_sim/events", {"event": "app.new"}),
        ("redeliver a#b", "POST", "/_sim/deliveries/a%23b/redeliver", None),
        ("challenge abc", "POST", "/_sim/subscriptions/abc/challenge", None),
    ],
)
def test_commands_become_requests(words: str, method: str, path: str, body: Any) -> None:
    """Each command makes one control request."""
    command, *rest = words.split()
    assert control_client.request_for(command, rest) == (method, path, body)


@pytest.mark.parametrize("words", ["dance", "start", "fault", "script"])
def test_commands_that_are_none(words: str) -> None:
    """Or lack what they need."""
    with pytest.raises(ValueError, match=r"no such command|needs to know"):
        control_client.request_for(words, [])


def test_scripts_come_from_files(tmp_path: Path) -> None:
    """A script is read from a JSON file."""
    path = tmp_path / "story.json"
    path.write_text('{"steps": []}')
    assert control_client.request_for("script", [str(path)]) == ("POST", "/_sim/scripts", {"steps": []})


def test_a_command_prints_the_answer(
    zoom: Zoom, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And its exit status says whether it was done."""

    def request(method: str, url: str, json: Any, timeout: float) -> httpx.Response:
        assert timeout > 0
        return zoom.request(method, url.removeprefix("http://localhost:3001"), json=json)

    monkeypatch.setattr(httpx, "request", request)
    assert control_client.main(["schedule", "topic=Told", "user=jill@zoom.example"]) == 0
    meeting = json.loads(capsys.readouterr().out)
    assert meeting["topic"] == "Told"
    assert control_client.main(["end", str(meeting["id"])]) == 1
    assert control_client.main(["dance"]) == 2


def test_no_simulator_there(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A missing simulator is reported in one sentence."""

    def refuse(*_: Any, **__: Any) -> httpx.Response:
        raise httpx.ConnectError("refused")

    monkeypatch.setattr(httpx, "request", refuse)
    assert control_client.main(["state"]) == 2
    assert "no simulated Zoom at http://localhost:3001" in capsys.readouterr().err
