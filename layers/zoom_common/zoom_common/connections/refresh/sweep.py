"""Finds due connections and enqueues them. The work grows with what is due, never with what exists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from zoom_common.connections.store import SHARDS
from zoom_common.deadline import Deadline

# A page of the index, its messages, and room to say so.
_ONE_PAGE = 10.0


class DueIndex(Protocol):
    """Connections by due time; see `refresh_store`."""

    def due(self, shard: str, *, now: float, after: dict[str, Any] | None = None) -> tuple[list[tuple[str, str]], Any]:
        """One page of what is due in a shard, longest due first, and where to go on."""
        ...


class Workers(Protocol):
    """Takes connections to refresh; see `queue`."""

    def enqueue(self, connections: list[tuple[str, str]], *, delay: int = 0) -> int:
        """Hand out connections, spread over `delay` seconds; how many were taken."""
        ...


def sweep(
    index: DueIndex, workers: Workers, *, clock: Callable[[], float], deadline: Deadline, spread: int = 60
) -> int:
    """Enqueue all that is due now; how many that were. A second sweep at the same time does no harm.

    Stops when the deadline is near: what is left has been due longest when the next sweep starts. Raises Unavailable.
    """
    now, handed_out = clock(), 0
    for shard in range(SHARDS):
        after: dict[str, Any] | None = None
        while deadline.allows(_ONE_PAGE):
            page, after = index.due(f"{shard:02d}", now=now, after=after)
            handed_out += workers.enqueue(page, delay=spread)
            if after is None:
                break
    return handed_out
