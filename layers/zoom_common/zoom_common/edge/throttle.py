"""How often one API key may ask: so many requests in each minute of the clock, over all functions and containers.

Containers lease requests of the running minute, one at first and then twice as many each time: a busy container asks
the table rarely, and what an idle one took and does not use is little. A key without a limit costs nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from math import ceil
from typing import Protocol

from zoom_common.access.principal import Principal
from zoom_common.edge import observability
from zoom_common.errors import TooManyRequests, Unavailable

MINUTE = 60
# The largest lease, as a part of the limit: ten busy containers together strand less than half a minute's requests.
_LARGEST_PART = 20
_MOST_KEYS = 1000


class Counters(Protocol):
    """Where leases come from: `ThrottleStore`."""

    def take(self, subject: str, *, minute: int, limit: int, most: int) -> int: ...  # noqa: D102


@dataclass(slots=True)
class _Lease:
    minute: int
    left: int = 0
    size: int = 0
    spent: bool = False


@dataclass(slots=True, kw_only=True)
class Throttle:
    """The leases of one container. `clock` gives epoch seconds."""

    store: Counters
    clock: Callable[[], float]
    _leases: dict[str, _Lease] = field(default_factory=dict)

    def admit(self, caller: Principal) -> None:
        """Count one request of `caller`. Raises TooManyRequests, until the next minute, when it has had its share.

        A table that does not answer lets everybody pass: the limit is for fairness, and no lock.
        """
        limit = caller.requests_per_minute
        if limit is None:
            return
        now = self.clock()
        lease = self._of(caller.subject, int(now // MINUTE))
        if lease.left == 0 and not lease.spent:
            self._renew(lease, caller.subject, limit)
        if lease.spent:
            observability.count("KeyThrottled")
            wait = max(1, ceil((lease.minute + 1) * MINUTE - now))
            raise TooManyRequests(wait, reason="key_rate_limit", hint=f"This API key may ask {limit} times a minute.")
        lease.left -= 1

    def _renew(self, lease: _Lease, subject: str, limit: int) -> None:
        lease.size = min(max(1, 2 * lease.size), max(1, limit // _LARGEST_PART))
        try:
            lease.left = self.store.take(subject, minute=lease.minute, limit=limit, most=lease.size)
        except Unavailable:
            observability.count("KeyUncounted")
            lease.left = lease.size
        lease.spent = lease.left == 0

    def _of(self, subject: str, minute: int) -> _Lease:
        lease = self._leases.get(subject)
        if lease is None or lease.minute != minute:
            if len(self._leases) >= _MOST_KEYS:
                self._leases = {name: each for name, each in self._leases.items() if each.minute == minute}
            lease = self._leases[subject] = _Lease(minute)
        return lease


def throttle(coordination_table: str) -> Throttle:
    """A container's throttle, in the Coordination table."""
    from zoom_common.aws import clients  # noqa: PLC0415 - only for keys with a limit
    from zoom_common.aws.table import COORDINATION, Table  # noqa: PLC0415
    from zoom_common.edge.throttle_store import ThrottleStore  # noqa: PLC0415

    table = Table(clients.impatient_dynamodb(), coordination_table, COORDINATION)
    return Throttle(store=ThrottleStore(table), clock=time.time)
