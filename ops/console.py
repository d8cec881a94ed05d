"""What the runner says on the terminal: one line per step, with the time it took, and one sentence when it fails."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stop(Exception):
    """Something a person has to put right. `what` happened, and the `fix`, each one sentence."""

    def __init__(self, what: str, fix: str) -> None:
        super().__init__(what)
        self.fix = fix


def say(text: str = "") -> None:
    """Print a line now, also when the output is a pipe."""
    print(text, flush=True)


@contextmanager
def step(title: str) -> Iterator[None]:
    """Announce a slow step before it starts, and say how long it took when it is over."""
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
