"""What may still be called today: batches leased from the shared counters, spent in this container.

A batch grows with what is left: few writes while there is plenty, little stranded when there is not. A container that
ends takes the rest of its batch with it, so that we refuse a little before Zoom would.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from zoom_common.gateway.daily_store import DAY, Batch

_LARGEST_BATCH = 50
_SHARE_OF_THE_REST = 25


class Counters(Protocol):
    """Where batches come from: `DailyStore`."""

    def take(self, counter: str, *, day: int, limit: int, most: int) -> Batch | None: ...  # noqa: D102

    def exhaust(self, counter: str, *, day: int, limit: int) -> None: ...  # noqa: D102


@dataclass(slots=True)
class _Lease:
    day: int
    calls: int = 0
    left: int = 0


@dataclass(slots=True)
class DailyCalls:
    """The leases of one container."""

    store: Counters
    _leases: dict[str, _Lease] = field(default_factory=dict)

    def spend(self, counter: str, *, limit: int, now: float) -> int | None:
        """Spend one of `limit` calls a day and say how many are left for us; None when none are."""
        lease = self._of_today(counter, now)
        if lease.calls == 0:
            most = min(_LARGEST_BATCH, 1 + (lease.left or limit) // _SHARE_OF_THE_REST)
            batch = self.store.take(counter, day=lease.day, limit=limit, most=most)
            if batch is None:
                return None
            lease.calls, lease.left = batch.calls, batch.left
        lease.calls -= 1
        return lease.left + lease.calls

    def give_back(self, counter: str, *, now: float) -> None:
        """Return a call that was not made, to this container's batch."""
        self._of_today(counter, now).calls += 1

    def exhaust(self, counter: str, *, limit: int, now: float) -> None:
        """Zoom says that the day is spent."""
        lease = self._of_today(counter, now)
        lease.calls = lease.left = 0
        self.store.exhaust(counter, day=lease.day, limit=limit)

    def _of_today(self, counter: str, now: float) -> _Lease:
        day = int(now // DAY)
        lease = self._leases.get(counter)
        if lease is None or lease.day != day:
            lease = self._leases[counter] = _Lease(day)
        return lease
