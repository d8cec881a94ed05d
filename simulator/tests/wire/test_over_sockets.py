"""The simulated Zoom over real sockets: its command line, its connections, and what it leaves behind."""

from __future__ import annotations

import asyncio
import http.server
import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import httpx
import pytest

from zoom_simulator import cli
from zoom_simulator.testing import PATIENCE, wait_until
from zoom_simulator.webhooks.sender import HttpSender

CLIENT = ("wire", "wire-secret")
REDIRECT = "http://localhost:3000/callback"


class Process:
    """A simulator in a process of its own."""

    def __init__(self, state_file: Path, *options: str) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        command = [sys.executable, "-m", "zoom_simulator", "--port", str(port), "--state-file", str(state_file)]
        command += ["--client-id", CLIENT[0], "--client-secret", CLIENT[1], "--redirect-uri", REDIRECT, *options]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.base = f"http://127.0.0.1:{port}"
        self._wait()

    def stop(self) -> tuple[int, str]:
        """SIGTERM, then the exit status and what was said on standard error."""
        self._process.send_signal(signal.SIGTERM)
        _, said = self._process.communicate(timeout=PATIENCE)
        return self._process.returncode, said

    def connect(self) -> str:
        """A bearer."""
        with httpx.Client(base_url=self.base) as client:
            asked = {"response_type": "code", "client_id": CLIENT[0], "redirect_uri": REDIRECT, "decision": "allow"}
            allowed = client.post("/oauth/authorize", data={**asked, "user": "jill@zoom.example"})
            code = allowed.headers["location"].partition("code=")[2]
            fields = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
            return str(client.post("/oauth/token", data=fields, auth=CLIENT).json()["access_token"])

    def fault(self, **rule: Any) -> None:
        """Put a fault in force."""
        httpx.post(f"{self.base}/_sim/faults", json=rule).raise_for_status()

    def _wait(self) -> None:
        try:
            wait_until("the simulator to start", self._answers)
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise

    def _answers(self) -> bool:
        assert self._process.poll() is None, "it ended by itself"
        try:
            return httpx.get(f"{self.base}/_sim/health", timeout=PATIENCE).is_success
        except httpx.TransportError:
            return False


@pytest.fixture
def zoom(tmp_path: Path) -> Iterator[Process]:
    """A running simulator; at the end it has to stop in good order and without complaint."""
    process = Process(tmp_path / "state.json")
    yield process
    assert process.stop() == (0, "")


def test_tokens_and_meetings_survive_a_restart(tmp_path: Path) -> None:
    """SIGTERM saves, the next start takes it up; the file is the owner's alone."""
    path = tmp_path / "state.json"
    first = Process(path)
    headers = {"Authorization": f"Bearer {first.connect()}"}
    meeting = httpx.post(f"{first.base}/v2/users/me/meetings", json={"topic": "Kept"}, headers=headers).json()["id"]
    assert first.stop() == (0, "")
    assert path.stat().st_mode & 0o077 == 0
    second = Process(path)
    assert httpx.get(f"{second.base}/v2/meetings/{meeting}", headers=headers).json()["topic"] == "Kept"
    assert second.stop() == (0, "")


def test_a_taken_port_is_one_clear_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    """A port in use is one sentence with the fix, and exit status 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert cli.main(["--port", str(port)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"cannot start: cannot listen on 127.0.0.1, port {port}")
    assert said.endswith("choose another with --port\n")


def test_connections_really_break(zoom: Process) -> None:
    """Reset before, lost after, cut in the middle, silent for too long; the next request works."""
    headers = {"Authorization": f"Bearer {zoom.connect()}"}
    url = f"{zoom.base}/v2/users/me"
    for fault in ({"fault": "reset"}, {"fault": "lost_response"}, {"fault": "truncate"}):
        zoom.fault(**fault, count=1)
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            httpx.get(url, headers=headers)
    zoom.fault(fault="timeout", count=1)
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(url, headers=headers, timeout=0.2)
    assert httpx.get(url, headers=headers).status_code == 200


def test_a_lost_response_has_had_its_effect(zoom: Process) -> None:
    """The meeting is there."""
    headers = {"Authorization": f"Bearer {zoom.connect()}"}
    url = f"{zoom.base}/v2/users/me/meetings"
    zoom.fault(fault="lost_response", target="meetings.create", count=1)
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        httpx.post(url, json={"topic": "Lost"}, headers=headers)
    assert [each["topic"] for each in httpx.get(url, headers=headers).json()["meetings"]] == ["Lost"]


def test_paths_arrive_as_they_were_sent(zoom: Process) -> None:
    """`%252F` is not folded into `%2F` on the way."""
    headers = {"Authorization": f"Bearer {zoom.connect()}"}
    refused = httpx.get(f"{zoom.base}/v2/past_meetings/%252Fabc%253D%253D", headers=headers)
    assert refused.json()["message"] == "Meeting does not exist: /abc==."


class Endpoint(http.server.BaseHTTPRequestHandler):
    """Answers by path."""

    hung_up = Event()

    def do_POST(self) -> None:
        """`/slow` answers once it may hang up, `/away` redirects, everything else is fine."""
        self.rfile.read(int(self.headers["content-length"]))
        if self.path == "/slow":
            self.hung_up.wait(PATIENCE)
        self.send_response(302 if self.path == "/away" else 200)
        self.send_header("location", "/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def test_the_sender_keeps_its_deadline_and_follows_nothing() -> None:
    """A timeout and a refused connection are errors without a status, a redirect is an answer."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Endpoint)
    Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"

    async def story() -> list[tuple[int | None, str]]:
        sender = HttpSender()
        found = []
        for url in (f"{base}/slow", f"{base}/away", f"{base}/fine", "http://127.0.0.1:1/", "nonsense"):
            deadline = 0.3 if url.endswith("/slow") else PATIENCE
            answer = await sender.post(url, {}, json.dumps({}).encode(), deadline)
            found.append((answer.status, answer.error))
        await sender.close()
        Endpoint.hung_up.set()
        return found

    slow, away, fine, refused, nonsense = asyncio.run(story())
    server.shutdown()
    server.server_close()
    assert slow == (None, "timeout")
    assert (away[0], fine[0]) == (302, 200)
    assert refused == (None, "ConnectError")
    assert nonsense[0] is None
