"""One attempt at refreshing one connection: who it is, what time it is, and what it has learnt."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import Any

from zoom_common.connections.model import Connection
from zoom_common.connections.schedule import Policy
from zoom_common.connections.steps import INTENT_WINDOW, Step

_A_MOMENT = 1.0  # stored times are rounded

# Yields effects, is sent their answers, and returns a T.
type Steps[T] = Generator[Step, Any, T]


class Moved(Exception):
    """Another writer has brought a newer version or grant (`latest`), or the connection is gone (None)."""

    def __init__(self, latest: Connection | None) -> None:
        super().__init__("moved")
        self.latest = latest


@dataclass(slots=True)
class Attempt:
    """`seen` is the connection as last read, `chance` draws from [0, 1), times are in seconds."""

    attempt_id: str
    seen: Connection
    clock: Callable[[], float]
    chance: Callable[[], float]
    policy: Policy
    in_use: bool = False  # somebody needs the token now
    wait: float = 0.0  # for how long a loser may wait for the winner's result
    ends: float = float("inf")  # when this process is stopped
    until: float = 0.0  # the end of our lease, or of this process
    uncertain: bool = False  # a request left and its outcome is unknown: Zoom may have rotated

    def may_ask(self) -> bool:
        """Whether a request, and the writes after it, still fit into the lease."""
        return self.clock() + self.policy.request + self.policy.reserve <= self.until

    def pause(self, seconds: float) -> float:
        """About `seconds`, spread by half either way, so that those who wait do not wake together."""
        return seconds * (0.5 + self.chance())

    def others(self) -> list[str]:
        """Other attempts that may hold a pair and have not been heard of."""
        return self.seen.unresolved(since=self.clock() - INTENT_WINDOW, but=self.attempt_id)

    def settled_by(self) -> float:
        """When nobody may hold a pair any more that has not been heard of: the verdict need not wait longer."""
        open_since = [at for each, at in self.seen.intents.items() if self.uncertain or each != self.attempt_id]
        return max(open_since, default=self.clock()) + INTENT_WINDOW + _A_MOMENT

    def moved(self, latest: Connection | None) -> bool:
        """Whether `latest` is another version or grant than the one seen, or gone."""
        return latest is None or (latest.grant_id, latest.version) != (self.seen.grant_id, self.seen.version)
