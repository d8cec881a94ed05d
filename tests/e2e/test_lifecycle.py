"""Stopping, starting again, and what a run leaves behind. Runs last: it restarts the gateway the others use."""

from __future__ import annotations

import json
import re
import secrets
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any

import httpx
import pytest

from dev.demo import Story
from dev.waiting import PATIENCE
from tests.e2e.conftest import ROOT, Gateway
from tests.fakes.waiting import CALL_SECONDS

pytestmark = pytest.mark.e2e


def run(gateway: Gateway, folder: Path) -> subprocess.CompletedProcess[str]:
    """Start a second run on the same ports; it has to give up by itself."""
    arguments = [f"--{name}={port}" for name, port in gateway.ports.items()]
    return subprocess.run(
        [sys.executable, "-m", "dev.run", f"--folder={folder}", *arguments],
        cwd=ROOT,
        env=gateway.environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def test_a_second_run_in_the_same_folder_is_reported(gateway: Gateway) -> None:
    """One clear sentence and the fix; the first run goes on."""
    second = run(gateway, gateway.folder)
    assert second.returncode == 1
    assert "already running" in second.stdout
    assert "Traceback" not in second.stdout + second.stderr
    assert httpx.get(f"{gateway.stack['api_url']}/health").status_code == 200


def test_a_taken_port_is_reported(gateway: Gateway, tmp_path: Path) -> None:
    """The port and how to choose another, before anything is started."""
    second = run(gateway, tmp_path)
    assert second.returncode == 1
    assert f"Port {gateway.ports['port']} is taken" in second.stdout
    assert "make run PORT=" in second.stdout
    assert "Traceback" not in second.stdout + second.stderr


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="the kernel's list of sockets is Linux's")
def test_everything_listens_on_the_loopback_only(gateway: Gateway) -> None:
    """Nobody else on the network reaches the run."""
    listening = [
        fields[1].split(":")
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for fields in map(str.split, Path(table).read_text().splitlines()[1:])
        if fields[3] == "0A"
    ]
    for port in gateway.ports.values():
        addresses = {address for address, number in listening if int(number, 16) == port}
        assert addresses == {"0100007F"}, (port, addresses)


def test_secrets_are_in_no_log(gateway: Gateway, stack: dict[str, Any]) -> None:
    """After a whole run no log holds a key, a secret, a token or a code."""
    logs = "\n".join(file.read_text(errors="replace") for file in (gateway.folder / "logs").glob("*.log"))
    simulated = (gateway.folder / "simulated-app.json").read_text()
    for value in [stack["api_key"], stack["webhook_secret"], *re.findall(r'SECRET[A-Z_]*": "([^"]+)"', simulated)]:
        assert value not in logs
    assert not re.search(r"[?&](code|state|ticket)=[A-Za-z0-9_-]{8,}", logs)


def test_state_survives_a_restart_and_nothing_is_left_behind(gateway: Gateway, api: httpx.Client) -> None:
    """Ctrl-C ends every process. The next start builds nothing and has all data."""
    with Story(gateway.stack) as story:
        api.headers["X-Zoom-Connection"] = connection = story.connect()
    connections = connected(api)
    meeting = api.post("/v2/users/me/meetings", json={"topic": "kept"}).json()
    leave_a_pair_in_a_queue(gateway.stack)
    assert gateway.stop() == 0
    no_token_is_readable_in(gateway.folder)
    listing = subprocess.run(["ps", "-eo", "command"], capture_output=True, text=True, check=True).stdout
    assert str(gateway.folder) not in listing
    gateway.start()
    assert "sam build" not in gateway.output
    assert "sam deploy" not in gateway.output
    assert connection in connections
    assert connections == connected(api)
    assert api.get(f"/v2/meetings/{meeting['id']}").json()["topic"] == "kept"


def connected(api: httpx.Client) -> set[str]:
    """The connections that work. A pending one may end at any time, by its expiry."""
    listed = api.get("/connections").json()["connections"]
    return {each["id"] for each in listed if each["state"] == "connected"}


def leave_a_pair_in_a_queue(stack: dict[str, Any]) -> None:
    """Somebody disconnects while Zoom cannot be told: the tokens wait in the escrow queue, under their seals."""
    email = f"queued-{secrets.token_hex(4)}@zoom.example"
    with Story(stack) as story, httpx.Client(base_url=f"{stack['zoom_url']}/_sim", timeout=CALL_SECONDS) as zoom:
        zoom.post("/users", json={"email": email})
        connection = story.connect(email)
        zoom.post("/faults", json={"fault": "503", "target": "oauth.revoke", "user": email})
        assert story.program.delete(f"/connections/{connection}").json()["revoke_queued"]


def no_token_is_readable_in(folder: Path) -> None:
    """All that the stack keeps on disk: tables, queues and what waits in them, snapshots, logs; plain and in base64."""
    zoom = json.loads((folder / "zoom-state.json").read_text())
    tokens = {*zoom["access_tokens"], *zoom["refresh_tokens"], *zoom["codes"]}
    assert len(tokens) > 5
    files = [file for part in ("emulator-state", "logs") for file in (folder / part).rglob("*") if file.is_file()]
    kept = {file: file.read_bytes() for file in files}
    assert any(b"sealed_refresh" in content for file, content in kept.items() if "sqs" in file.name)
    assert any(b"sealed_refresh" in content for file, content in kept.items() if "dynamodb" in file.name)
    spelt = {form: token for token in tokens for form in spellings(token)}
    found = [(file.name, spelt[form][:6]) for file, content in kept.items() for form in spelt if form in content]
    assert found == []


def spellings(token: str) -> list[bytes]:
    """A token as it is, and as it stands in base64 wherever in other bytes it begins."""
    forms = [token.encode()]
    for before in range(3):
        text = b64encode(b"x" * before + token.encode()).rstrip(b"=")
        forms.append(text[-(-before * 8 // 6) : -1])
    return forms
