"""The whole system, as `make run` starts it, on ports and in a folder of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from dev.processes import Supervisor
from dev.waiting import sizes, wait_until
from dev.workspace import Workspace
from tests.fakes.waiting import CALL_SECONDS

ROOT = Path(__file__).resolve().parents[2]
# Seconds after which a test is ended as hung. Each wait within it follows progress and ends long before.
_HUNG_SECONDS = 1800


@dataclass(slots=True)
class Gateway:
    """A running gateway and what it wrote about itself."""

    folder: Path
    ports: dict[str, int]
    process: subprocess.Popen[str] | None = None

    @property
    def stack(self) -> dict[str, Any]:
        loaded: dict[str, Any] = json.loads((self.folder / "stack.json").read_text())
        return loaded

    @property
    def environment(self) -> dict[str, str]:
        """Ours, without settings that would change what is run."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ZOOM_", "AWS_"))}
        return kept | {"PYTHONPATH": f"layers/zoom_common{os.pathsep}."}

    @property
    def requests(self) -> Path:
        """What its functions have asked of AWS, a request a line (`dev/recorded_emulator.py`)."""
        return self.folder / "requests.jsonl"

    @property
    def output(self) -> str:
        return (self.folder / "run.log").read_text()

    def start(self) -> None:
        """`make run`, without make: returns when the walk-through is printed. A failed start leaves no process.

        The gateway's standard input is a pipe of ours, so it also stops when this process is killed.
        """
        arguments = [f"--folder={self.folder}", f"--record-requests={self.requests}"]
        arguments += [f"--{name}={port}" for name, port in self.ports.items()]
        with (self.folder / "run.log").open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dev.run", "--until-input-ends", *arguments],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        try:
            wait_until("the gateway to start", self._is_started, progress=self._progress)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> int:
        """Stop it as Ctrl-C does and return its exit status. Whatever is left of its processes is killed."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        try:
            wait_until("the gateway to stop", self._has_ended, progress=self._progress)
            return self.process.wait()
        finally:
            self._kill()

    def _is_started(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.output
        return "Ctrl-C stops everything" in self.output

    def _has_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def _progress(self) -> dict[str, int]:
        return sizes([self.folder / "run.log", *(self.folder / "logs").glob("*.log")])

    def _kill(self) -> None:
        assert self.process is not None
        assert self.process.stdin is not None
        if self.process.stdin.closed:
            return  # its process id may be somebody else's by now
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process.stdin.close()
        Supervisor(Workspace(self.folder)).stop_leftovers()


def kill_workers(gateway: Gateway, function: str) -> int:
    """Kill the processes of this run's emulator in which a function runs, and return how many there were."""
    killed = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if str(gateway.folder) in command and function in command and "_worker.py" in command:
            with suppress(ProcessLookupError):
                os.kill(int(process.name), signal.SIGKILL)
                killed += 1
    return killed


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def free_ports() -> dict[str, int]:
    """Four ports that a gateway of its own can have, by the name of its option."""
    return {name: free_port() for name in ("port", "zoom-port", "aws-port", "identity-port")}


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The one gateway of this test process; with GATEWAY_FOLDER one that is running already."""
    if running := os.environ.get("GATEWAY_FOLDER"):
        yield Gateway(Path(running), {})
        return
    started = Gateway(tmp_path_factory.mktemp("gateway"), free_ports())
    started.start()
    try:
        yield started
    finally:
        started.stop()


@pytest.fixture
def stack(gateway: Gateway) -> dict[str, Any]:
    """What the running gateway wrote about itself."""
    return gateway.stack


@pytest.fixture
def api(stack: dict[str, Any]) -> Iterator[httpx.Client]:
    """A program with the run's API key."""
    headers = {"Authorization": f"Bearer {stack['api_key']}"}
    with httpx.Client(base_url=stack["api_url"], headers=headers, timeout=CALL_SECONDS) as client:
        yield client


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What others have asked for and counted is judged after them; the lifecycle tests stop the gateway after that."""
    last = ("test_judged", "test_permissions", "test_metrics", "test_lifecycle")
    ours = [item for item in items if "tests/e2e/" in item.nodeid]
    ours.sort(key=lambda item: next((at for at, name in enumerate(last) if f"/{name}.py" in item.nodeid), -1))
    items[:] = [item for item in items if "tests/e2e/" not in item.nodeid] + ours
    for item in ours:
        if item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(_HUNG_SECONDS))
