"""How an allowance is paced: lanes, each a GCRA whose send slots lie a fixed interval apart.

Slots at least an interval apart keep every window of Zoom's, wherever it begins and whether it slides, within what it
allows. An account may have two lanes: one for everybody and one, held back, that interactive calls may use as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from zoom_common.zoom.allowances import Rate

# Slots lie a little further apart than the rate allows: requests do not all travel equally long. At 0.97 of the rate
# any window has 30 ms of a second to spare: nothing is refused unless two requests take that much unequally long.
# Measured under load (docs/load.md): 0.96 was refused as little and used less, 0.975 was refused where windows slide.
PACE = 0.97
MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Lane:
    """`name` is part of a key in DynamoDB; `interval` is the distance of two slots in whole microseconds."""

    name: str
    interval: int


@dataclass(frozen=True, slots=True)
class Lanes:
    """The lanes of one label. `reserve` is None when nothing is held back."""

    everybody: Lane
    reserve: Lane | None


@lru_cache(maxsize=64)  # asked twice a call, of few rates
def lanes(rate: Rate, *, share: float, reserve: float, pace: float = PACE) -> Lanes:
    """Split what we take of `rate` (the fraction `share`) into lanes; the fraction `reserve` of that is held back.

    What is held back is a whole number of calls: of four calls a second a tenth is none.
    """
    ours = rate.calls * share
    held_back = int(ours * reserve)
    if held_back == 0:
        return Lanes(_lane("all", ours, rate.seconds, pace), None)
    return Lanes(
        _lane("all", ours - held_back, rate.seconds, pace), _lane("interactive", held_back, rate.seconds, pace)
    )


def _lane(name: str, calls: float, seconds: int, pace: float) -> Lane:
    return Lane(name, max(1, round(seconds * MICROSECONDS / (calls * pace))))
