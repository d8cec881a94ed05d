"""Interleaved rounds: every contender once a round, in changing order, so that a machine's moods hit all alike."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ratio:
    """A median and the middle half of what was seen, as multiples of something measured in the same rounds."""

    median: float
    low: float
    high: float

    @property
    def spread(self) -> float:
        """Half the width of the middle half."""
        return (self.high - self.low) / 2

    def __str__(self) -> str:
        digits = 2 if self.median >= 0.1 else 3  # noqa: PLR2004 - a tenth
        return f"{self.median:.{digits}f} ({self.low:.{digits}f}-{self.high:.{digits}f})"


def interleaved[T](contenders: Mapping[str, Callable[[], T]], *, rounds: int, seed: int = 1) -> dict[str, list[T]]:
    """What each contender gives in each round; one round before them is thrown away."""
    order = list(contenders)
    shuffle = random.Random(seed).shuffle
    seen: dict[str, list[T]] = {name: [] for name in order}
    for each in range(rounds + 1):
        shuffle(order)
        for name in order:
            result = contenders[name]()
            if each:
                seen[name].append(result)
    return seen


def ratio(values: Sequence[float], base: Sequence[float]) -> Ratio:
    """`values` over `base`, round by round."""
    return summary([value / other for value, other in zip(values, base, strict=True)])


def summary(values: Sequence[float]) -> Ratio:
    """The median and the middle half of some numbers."""
    if len(values) < 2:  # noqa: PLR2004 - quartiles need two
        return Ratio(values[0], values[0], values[0])
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return Ratio(middle, low, high)
