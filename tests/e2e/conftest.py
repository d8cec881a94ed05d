"""The whole system, as `make run` starts it, on ports and in a folder of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 240


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
    def output(self) -> str:
        return (self.folder / "run.log").read_text()

    def start(self) -> None:
        """`make run`, without make: returns when the walk-through is printed."""
        arguments = [f"--{name}={port}" for name, port in self.ports.items()]
        with (self.folder / "run.log").open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "dev.run", f"--folder={self.folder}", *arguments],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while "Ctrl-C stops everything" not in self.output:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            time.sleep(0.1)

    def stop(self) -> int:
        """Ctrl-C; the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=90)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """The one gateway of this test run; with GATEWAY_FOLDER one that is running already."""
    if running := os.environ.get("GATEWAY_FOLDER"):
        yield Gateway(Path(running), {})
        return
    ports = {"port": free_port(), "zoom-port": free_port(), "aws-port": free_port(), "identity-port": free_port()}
    started = Gateway(tmp_path_factory.mktemp("gateway"), ports)
    started.start()
    yield started
    if started.process is not None and started.process.poll() is None:
        started.stop()


@pytest.fixture
def stack(gateway: Gateway) -> dict[str, Any]:
    """What the running gateway wrote about itself."""
    return gateway.stack


@pytest.fixture
def api(stack: dict[str, Any]) -> Iterator[httpx.Client]:
    """A program with the run's API key."""
    headers = {"Authorization": f"Bearer {stack['api_key']}"}
    with httpx.Client(base_url=stack["api_url"], headers=headers, timeout=40) as client:
        yield client


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The lifecycle tests stop the gateway and read its logs: they come after everything that uses it."""
    items.sort(key=lambda item: "test_lifecycle" in item.nodeid)
