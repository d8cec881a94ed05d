"""One deadline for all tries of one call."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic

from zoom_common.values import dataclass, field


@dataclass(frozen=True, slots=True)
class Deadline:
    """A time on the monotonic clock, in seconds. Every wait and every timeout of a call ends by then."""

    at: float
    clock: Callable[[], float] = field(default=monotonic, repr=False)

    @classmethod
    def after(cls, seconds: float, *, clock: Callable[[], float] = monotonic) -> Deadline:
        """Return a deadline `seconds` from now."""
        return cls(clock() + seconds, clock)

    def remaining(self) -> float:
        """Return the seconds left, never below zero."""
        return max(0.0, self.at - self.clock())

    def allows(self, seconds: float) -> bool:
        """Return whether a wait of `seconds` still fits."""
        return self.remaining() > seconds
