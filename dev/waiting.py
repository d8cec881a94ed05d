"""Waits for another process for as long as it makes progress, however slow the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path

PATIENCE = 300.0
"""Seconds without any progress after which a wait gives up."""
_PAUSE = 0.1
_LONGEST_REPORT = 4000


class Stalled(AssertionError):
    """Nothing changed for too long. The message has the goal of the wait and what was seen last."""


def wait_until[Found](
    what: str,
    look: Callable[[], Found],
    done: Callable[[Found], object] = bool,
    *,
    progress: Callable[[], object] = lambda: None,
    patience: float = PATIENCE,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> Found:
    """Return what `look` finds once `done` accepts it.

    Each change of what `look` finds or `progress` returns counts as progress and restarts the patience. `patience` is
    in seconds. `what` completes the sentence "waiting for ...". Raises Stalled, and whatever the functions raise.
    """
    seen, last_change = "", clock()
    while not done(found := look()):
        signs = _signs(found, progress())
        if signs != seen:
            seen, last_change = signs, clock()
        elif clock() - last_change >= patience:
            raise Stalled(f"No progress for {patience:.0f} s while waiting for {what}. Last seen: {_cut(signs)}")
        sleep(_PAUSE)
    return found


def sizes(files: Iterable[Path]) -> dict[str, int]:
    """Return the size of each file in bytes, by name, because growing logs show progress.

    A missing file has no entry.
    """
    found = {}
    for file in files:
        try:
            found[file.name] = file.stat().st_size
        except FileNotFoundError:
            continue
    return found


def _signs(found: object, progress: object) -> str:
    """Return the signs as text, because a list that grows in place equals itself."""
    return repr(found) if progress is None else f"{found!r}, progress {progress!r}"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_REPORT else f"{text[:_LONGEST_REPORT]} ..."
