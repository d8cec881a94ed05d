"""Output on the terminal: one line per step with its duration, and one sentence when a command stops."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stop(Exception):
    """A person has to fix something. `what` happened and the `fix` are one sentence each."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.fix = fix


def say(text: str = "") -> None:
    """Print a line now, also when the output is a pipe."""
    print(text, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Print the title of a slow step before it starts, and its duration when it ends."""
    started = time.monotonic()
    width = 58
    sys.stdout.write(f"  {title} {'.' * max(2, width - len(title))} ")
    sys.stdout.flush()
    try:
        yield
    except BaseException:
        say("failed")
        raise
    say(f"{time.monotonic() - started:5.1f} s")
