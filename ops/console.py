"""Output on the terminal: one line per step with its duration, and one sentence when a command stops.

While something slow runs, the last line of a terminal is written again every second. A pipe or a file gets whole lines
only.
"""

from __future__ import annotations

import shutil
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SECOND = 1.0
_CLEAR = "\r\x1b[K"


class Stop(Exception):
    """A person has to fix something. `what` happened and the `fix` are one sentence each."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.fix = fix


class _Line:
    """The last line of the terminal, which other output must not be appended to."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.shown = False

    def write(self, text: str) -> None:
        """Replace the line by this text, cut so that it fits: a line that wraps could not be cleared."""
        width = shutil.get_terminal_size().columns - 1
        with self.lock:
            sys.stdout.write(_CLEAR + text[:width])
            sys.stdout.flush()
            self.shown = True

    def clear(self) -> None:
        """Clear the line. Call it with the lock."""
        if self.shown:
            sys.stdout.write(_CLEAR)
            self.shown = False


_line = _Line()


def say(text: str = "") -> None:
    """Print a line now, also when the output is a pipe."""
    with _line.lock:
        _line.clear()
        print(text, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Print the title of a slow step before it starts, and its duration when it ends."""
    started = time.monotonic()
    start = f"  {title} {'.' * max(2, 58 - len(title))} "
    if not sys.stdout.isatty():
        sys.stdout.write(start)
        sys.stdout.flush()
    end = "failed"
    try:
        with moving(lambda: f"{start}{time.monotonic() - started:5.0f} s"):
            yield
        end = f"{time.monotonic() - started:5.1f} s"
    finally:
        say(f"{start}{end}" if sys.stdout.isatty() else end)


@contextmanager
def moving(text: Callable[[], str], *, every: float = _SECOND) -> Iterator[None]:
    """Show `text()` as the last line of a terminal while the block runs, and clear it afterwards.

    The text is read again every so many seconds. Nothing is shown where the output is no terminal.
    """
    if not sys.stdout.isatty():
        yield
        return
    done = threading.Event()

    def show() -> None:
        _line.write(text())
        while not done.wait(every):
            _line.write(text())

    writer = threading.Thread(target=show, daemon=True)
    writer.start()
    try:
        yield
    finally:
        done.set()
        writer.join()
        with _line.lock:
            _line.clear()
