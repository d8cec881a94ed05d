"""SnapStart: a snapshot holds modules and nothing that was made, and two restores of it have nothing in common."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from benchmarks.events import create_meeting, event_for, refresh_on_demand
from benchmarks.scenario import lambda_environment

_RESTORES = Path(__file__).with_name("restores.py")
_TOKEN = "handed-out-by-lambda"
_EVENTS = {
    "authorizer": event_for("authorizer"),
    "meetings": create_meeting,
    "token_refresh": refresh_on_demand,
}


@contextmanager
def credentials() -> Iterator[tuple[str, list[str | None]]]:
    """Hand out a role's credentials as Lambda does where it restores; yield the address and who has asked."""
    asked: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.headers.get("Authorization"))
            role = {"AccessKeyId": f"AKID{len(asked)}", "SecretAccessKey": "s", "Token": "t"}
            body = json.dumps({**role, "Expiration": "2099-01-01T00:00:00Z"}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/credentials", asked
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("name", _EVENTS)
def test_restores_of_one_snapshot_share_nothing(functions: Any, name: str, tmp_path: Path) -> None:
    """Each restore opens connections of its own, reads the role anew, draws other numbers and loads no module."""
    event = _EVENTS[name]
    assert event is not None
    (tmp_path / "event.json").write_bytes(event())
    environment = lambda_environment(name, functions.servers, packages=functions.build.packages)
    environment = {key: value for key, value in environment.items() if not key.startswith(("AWS_ACCESS", "AWS_SE"))}
    with credentials() as (address, asked):
        result = subprocess.run(
            [functions.python, _RESTORES],
            cwd=functions.build.functions / name,
            env=environment
            | {
                "AWS_LAMBDA_INITIALIZATION_TYPE": "snap-start",
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": address,
                "AWS_CONTAINER_AUTHORIZATION_TOKEN": _TOKEN,
                "COUNTED_EVENT": str(tmp_path / "event.json"),
            },
            capture_output=True,
            text=True,
            check=False,
        )
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["snapshot"] == {"made": [], "sockets": []}
    first, second = found["restores"]
    assert not [
        each for one, other in zip(first["drawn"], second["drawn"], strict=True) for each in [one] if one == other
    ]
    assert asked == [_TOKEN] * 2
    assert [each["sockets"] > 0 for each in (first, second)] == [True, True]
    assert first["loaded"] == second["loaded"] == []
