"""Children are started once, and none is left behind."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.processes import Supervisor
from dev.workspace import Workspace
from ops.console import Stop

SAVES_ON_TERM = """
import pathlib, signal, sys
def save(*_):
    pathlib.Path(sys.argv[1]).write_text("saved")
    sys.exit(0)
signal.signal(signal.SIGTERM, save)
pathlib.Path(sys.argv[2]).touch()
signal.pause()
"""
WITH_A_GRANDCHILD = """
import pathlib, subprocess, sys, signal
child = subprocess.Popen([sys.executable, "-c", "import signal; signal.pause()"])
pathlib.Path(sys.argv[1]).write_text(str(child.pid))
signal.pause()
"""


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    started = Supervisor(Workspace(tmp_path / "run"))
    yield started
    started.stop_all()


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + 20
    while not (file.exists() and (file.stat().st_size or file.suffix == ".ready")):
        assert time.monotonic() < deadline, file
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "Z" not in Path(f"/proc/{pid}/stat").read_text().split() if Path(f"/proc/{pid}").exists() else True


def test_a_child_may_save_before_it_stops(supervisor: Supervisor, tmp_path: Path) -> None:
    """SIGTERM comes first, and we wait for what it makes the child do."""
    saved, ready = tmp_path / "saved", tmp_path / "child.ready"
    supervisor.start("saver", [sys.executable, "-c", SAVES_ON_TERM, str(saved), str(ready)], os.environ)
    wait_for(ready)
    supervisor.stop_all()
    assert saved.read_text() == "saved"


def test_grandchildren_go_too(supervisor: Supervisor, tmp_path: Path) -> None:
    """What a child has started is gone when the child is."""
    pid_file = tmp_path / "pid"
    supervisor.start("parent", [sys.executable, "-c", WITH_A_GRANDCHILD, str(pid_file)], os.environ)
    wait_for(pid_file)
    supervisor.stop_all()
    deadline = time.monotonic() + 10
    while is_running(int(pid_file.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_leftovers_of_a_killed_run_are_stopped(supervisor: Supervisor, tmp_path: Path) -> None:
    """The next run ends what a killed one left, and only that."""
    saved, ready = tmp_path / "saved", tmp_path / "child.ready"
    supervisor.start("saver", [sys.executable, "-c", SAVES_ON_TERM, str(saved), str(ready)], os.environ)
    wait_for(ready)
    Supervisor(supervisor.workspace).stop_leftovers()
    assert saved.read_text() == "saved"


def test_a_child_that_dies_at_once_is_reported_with_its_last_words(supervisor: Supervisor) -> None:
    """The person sees what the program said, and where to read on."""
    supervisor.start("broken", [sys.executable, "-c", "import sys; sys.exit('no such thing')"], os.environ)
    deadline = time.monotonic() + 20
    while supervisor.died() is None:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with pytest.raises(Stop, match="no such thing") as stopped:
        supervisor.wait_until_answers("broken", "http://127.0.0.1:9/", seconds=20)
    assert "broken.log" in stopped.value.fix


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    """The second one is told, and touches nothing."""
    workspace = Workspace(tmp_path / "run")
    with workspace.locked(), pytest.raises(Stop, match="already running"), workspace.locked():
        pass
