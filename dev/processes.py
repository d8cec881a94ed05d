"""Starts, watches and stops child processes, so that none is left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dev.waiting import Stalled, sizes, wait_until
from dev.workspace import Workspace
from ops.console import Stop
from ops.project import ROOT

_SAVING_TIME = 60.0  # seconds that a process gets after SIGTERM to write its state
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_PATIENCE = 180.0  # seconds that a starting process may be silent in its log


def port_is_free(port: int) -> bool:
    """Return whether `port` is free on this machine's loopback."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def tail(file: Path, lines: int = 15) -> str:
    """Return the last lines of a log, for people."""
    try:
        return "\n".join("    " + line for line in file.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "    (no log)"


@dataclass(slots=True)
class Supervisor:
    """Starts children in process groups of their own.

    Ctrl-C then reaches this program only, which stops them in order.
    """

    workspace: Workspace
    _children: list[tuple[str, subprocess.Popen[bytes]]] = field(default_factory=list)

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start `command` from the repository's root with exactly this environment. Its output goes to a log."""
        with self.workspace.log(name).open("ab") as log, _signals_held():
            child = subprocess.Popen(
                list(command),
                cwd=ROOT,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._children.append((name, child))
        self._remember()

    def wait_until_answers(self, name: str, url: str, *, patience: float = _PATIENCE) -> None:
        """Wait for any HTTP answer from `url`.

        Raises Stop when a child ends, or when `name` writes nothing to its log for `patience` seconds.
        """

        def answers() -> bool:
            if (died := self.died()) is not None:
                raise self._failure(died, "stopped right after its start")
            return _answers(url)

        try:
            wait_until(name, answers, progress=lambda: sizes([self.workspace.log(name)]), patience=patience)
        except Stalled:
            raise self._failure(name, f"did not answer, and wrote nothing for {patience:.0f} s") from None

    def died(self) -> str | None:
        """Return the name of a child that has ended by itself, or None."""
        return next((name for name, child in self._children if child.poll() is not None), None)

    def stop_all(self) -> None:
        """Stop the children, the last one first.

        Each may save its state; the rest of its group is killed afterwards.
        """
        for name, child in reversed(self._children):
            self._stop(name, child)
        self._children.clear()
        self.workspace.path("processes.json").unlink(missing_ok=True)

    def stop_leftovers(self) -> None:
        """Stop what a killed run has left behind: only groups that are still led by the program that we started."""
        for name, entry in self.workspace.read("processes.json").items():
            if _command_line(entry["pid"]) == entry["command"]:
                _signal_group(entry["pid"], signal.SIGTERM)
                deadline = time.monotonic() + _SAVING_TIME
                while _command_line(entry["pid"]) == entry["command"] and time.monotonic() < deadline:
                    time.sleep(0.05)
                _signal_group(entry["pid"], signal.SIGKILL)
                print(f"  (stopped {name}, left over from a run that was killed)")
        self.workspace.path("processes.json").unlink(missing_ok=True)

    def _stop(self, name: str, child: subprocess.Popen[bytes]) -> None:
        if child.poll() is None:
            child.terminate()
            try:
                child.wait(timeout=_SAVING_TIME)
            except subprocess.TimeoutExpired:
                print(f"  {name} did not stop by itself and was killed; what it had not saved is lost")
        _signal_group(child.pid, signal.SIGKILL)
        child.wait()

    def _remember(self) -> None:
        self.workspace.write(
            "processes.json",
            {name: {"pid": child.pid, "command": _command_line(child.pid)} for name, child in self._children},
        )

    def _failure(self, name: str, what: str) -> Stop:
        log = self.workspace.log(name)
        return Stop(f"{name} {what}. Its last words:\n{tail(log)}", f"Read {log}, then start again.")


def run_logged(command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> int:
    """Run `command` to its end from the repository's root and return its exit status. Its output replaces `log`.

    It has a process group of its own, which is killed when the wait for it is interrupted.
    """
    with log.open("wb") as output:
        child = subprocess.Popen(
            list(command),
            cwd=ROOT,
            env=None if environment is None else dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            return child.wait()
        except BaseException:
            _signal_group(child.pid, signal.SIGKILL)
            child.wait()
            raise


@contextlib.contextmanager
def _signals_held() -> Iterator[None]:
    """Delay Ctrl-C and termination until the block ends, so that no child is started and then forgotten."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals interrupt the main thread only
        return
    arrived: list[int] = []
    usual = {number: signal.signal(number, lambda number, _: arrived.append(number)) for number in _ENDING}
    try:
        yield
    finally:
        for number, handler in usual.items():
            signal.signal(number, handler)
    for late in arrived:
        signal.raise_signal(late)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=30):  # noqa: S310 -- our own loopback address
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _command_line(pid: int) -> str:
    listing = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return listing.stdout.strip()


def _signal_group(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
