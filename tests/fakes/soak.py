"""How much a test does: the usual part in `make test`, many times as much in `make soak`."""

from __future__ import annotations

import os

SOAKING = os.environ.get("SOAK") == "1"
_FACTOR = 20


def times(usual: int) -> int:
    """How many examples or rounds to run: `usual`, or twenty times as many in `make soak`."""
    return usual * _FACTOR if SOAKING else usual
