"""Children are started once, and none is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from dev import processes
from dev.processes import Supervisor, run_logged
from dev.waiting import wait_until
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
    wait_until(file.name, lambda: file.exists() and (file.stat().st_size or file.suffix == ".ready"))


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
    wait_until("the grandchild to end", lambda: not is_running(int(pid_file.read_text())))


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
    wait_until("the child to end", supervisor.died)
    with pytest.raises(Stop, match="no such thing") as stopped:
        supervisor.wait_until_answers("broken", "http://127.0.0.1:9/")
    assert "broken.log" in stopped.value.fix


def test_a_child_that_never_answers_and_writes_nothing_is_given_up(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says how long there was silence."""
    monkeypatch.setattr(processes, "_answers", lambda _: False)
    supervisor.start("silent", [sys.executable, "-c", "import signal; signal.pause()"], os.environ)
    with pytest.raises(Stop, match="did not answer, and wrote nothing for 0 s"):
        supervisor.wait_until_answers("silent", "http://127.0.0.1:9/", patience=0)


def test_an_interrupt_while_a_child_is_started_comes_when_it_is_known(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C in the middle of a start: it is raised, and the child is among those that are stopped."""
    popen = subprocess.Popen

    def interrupted(*arguments: Any, **options: Any) -> Any:
        child = popen(*arguments, **options)
        signal.raise_signal(signal.SIGINT)
        return child

    monkeypatch.setattr(subprocess, "Popen", interrupted)
    with pytest.raises(KeyboardInterrupt):
        supervisor.start("child", [sys.executable, "-c", "import signal; signal.pause()"], os.environ)
    [(_, child)] = supervisor._children
    supervisor.stop_all()
    assert child.poll() is not None


def test_an_interrupted_command_ends_with_all_it_has_started(tmp_path: Path) -> None:
    """A build is a tree of processes: none of them outlives the wait for it."""
    pid_file, log = tmp_path / "pid", tmp_path / "build.log"

    def press_ctrl_c() -> None:
        wait_for(pid_file)
        os.kill(os.getpid(), signal.SIGINT)

    interrupt = Thread(target=press_ctrl_c)
    interrupt.start()
    with pytest.raises(KeyboardInterrupt):
        run_logged([sys.executable, "-c", WITH_A_GRANDCHILD, str(pid_file)], log)
    interrupt.join()
    wait_until("the grandchild to end", lambda: not is_running(int(pid_file.read_text())))


def test_a_command_returns_its_status_and_its_output_is_logged(tmp_path: Path) -> None:
    """Both streams go to the log, and its former content is replaced."""
    log = tmp_path / "x.log"
    log.write_text("of the last time")
    code = "import sys; print('out', flush=True); sys.stderr.write('err'); sys.exit(3)"
    assert (run_logged([sys.executable, "-c", code], log), log.read_text()) == (3, "out\nerr")


def test_two_runs_do_not_share_a_folder(tmp_path: Path) -> None:
    """The second one is told, and touches nothing."""
    workspace = Workspace(tmp_path / "run")
    with workspace.locked(), pytest.raises(Stop, match="already running"), workspace.locked():
        pass
