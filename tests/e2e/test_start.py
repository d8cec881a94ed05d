"""A gateway that does not start, or is started by a program that is killed, leaves no process behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dev.processes import port_is_free
from dev.waiting import wait_until
from tests.e2e.conftest import ROOT, Gateway, free_ports

pytestmark = pytest.mark.e2e

# Starts a gateway as the fixture does. Arguments: its folder, and a port for each of its servers.
PROGRAM = """
import json, sys
from pathlib import Path
from tests.e2e.conftest import Gateway
Gateway(Path(sys.argv[1]), json.loads(sys.argv[2])).start()
"""


@pytest.fixture
def broken(tmp_path: Path) -> Gateway:
    """A gateway whose emulator starts and whose build fails: a file stands where the build's folder has to be."""
    (tmp_path / "build").write_text("in the way")
    return Gateway(tmp_path, free_ports())


def survivors(gateway: Gateway) -> list[str]:
    """What is still there of a gateway: ports that are taken, and processes that know its folder."""
    taken = [f"{name} {port}" for name, port in gateway.ports.items() if not port_is_free(port)]
    return taken + [f"process {folder.name}" for folder in Path("/proc").glob("[0-9]*") if _knows(folder, gateway)]


def _knows(process: Path, gateway: Gateway) -> bool:
    if int(process.name) == os.getpid():
        return False
    try:
        words = (process / "cmdline").read_bytes() + b"\0" + (process / "environ").read_bytes()
    except OSError:
        return False
    return os.fsencode(gateway.folder) in words


def test_a_start_that_fails_leaves_nothing_behind(broken: Gateway) -> None:
    """The emulator was up, the build failed: the fixture fails with the reason, and no process and no port is left."""
    with pytest.raises(AssertionError, match="sam build failed"):
        broken.start()
    assert "Starting the AWS emulator" in broken.output
    assert survivors(broken) == []


def test_an_interrupted_start_leaves_nothing_behind(broken: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while the fixture waits for the start."""

    def interrupted() -> bool:
        if emulator_answers(broken):
            raise KeyboardInterrupt
        return False

    monkeypatch.setattr(Gateway, "_is_started", lambda _: interrupted())
    with pytest.raises(KeyboardInterrupt):
        broken.start()
    assert survivors(broken) == []


def emulator_answers(gateway: Gateway) -> bool:
    """Whether the emulator is up."""
    return not port_is_free(gateway.ports["aws-port"])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["terminated", "killed"])
def test_a_gateway_ends_with_the_program_that_started_it(tmp_path: Path, number: signal.Signals) -> None:
    """Tests that are terminated or killed during the start cannot clean up: the gateway stops by itself."""
    gateway = Gateway(tmp_path, free_ports())
    arguments = [str(tmp_path), str(gateway.ports).replace("'", '"')]
    tests = subprocess.Popen([sys.executable, "-c", PROGRAM, *arguments], cwd=ROOT, env=gateway.environment)
    try:
        wait_until("the emulator", lambda: emulator_answers(gateway))
    finally:
        tests.send_signal(number)
        tests.wait()
    wait_until("the gateway to stop by itself", lambda: survivors(gateway), lambda left: not left)
