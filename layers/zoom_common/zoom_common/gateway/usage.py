"""Usage of the gateway: counted after every call, asked for by tenant, rolled up once a day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Protocol

from zoom_common.connections.table_client import ConditionFailed
from zoom_common.deadline import Deadline
from zoom_common.errors import Unavailable
from zoom_common.gateway.record import CallRecord
from zoom_common.gateway.usage_store import Usage, day_of

# Counting comes after Zoom's answer and must not cost it: without time for a slow DynamoDB there is no counting.
_LEAST_TIME = 5.0
# A day is rolled up again for as long as late writes and a missed rollup may matter.
ROLLED_UP_DAYS = 3
_ERRORS_FROM = 400


class Live(Protocol):
    """Counters of the last days: `LiveUsage`."""

    def add(self, usage: Usage) -> None: ...  # noqa: D102

    def of(self, day: date, tenant: str | None = None) -> Iterator[Usage]: ...  # noqa: D102


class Kept(Protocol):
    """Days that are over: `KeptUsage`."""

    def keep(self, usage: Usage) -> None: ...  # noqa: D102

    def between(self, tenant: str, first: date, last: date) -> Iterator[Usage]: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageCounter:
    """Counts calls. What could not be counted is noted in the call's record; a caller never notices."""

    live: Live
    clock: Callable[[], float]

    def count(self, tenant: str, record: CallRecord, deadline: Deadline) -> None:
        """Count one call, if a connection was found for it."""
        if not record.connection:
            return
        failed = record.reason is not None or (record.status or 0) >= _ERRORS_FROM
        usage = Usage(
            day_of(self.clock()), tenant, record.connection, record.operation, 1, record.tries, refused=int(failed)
        )
        record.uncounted = not (deadline.allows(_LEAST_TIME) and self._added(usage))

    def _added(self, usage: Usage) -> bool:
        try:
            self.live.add(usage)
        except (Unavailable, ConditionFailed):
            return False
        return True


def between(live: Live, kept: Kept, tenant: str, first: date, last: date, *, today: date) -> list[Usage]:
    """A tenant's usage from the first day to the last; counters go before what is kept, they may be newer."""
    found = {_key(each): each for each in kept.between(tenant, first, last)}
    day = max(first, today - timedelta(days=ROLLED_UP_DAYS))
    while day <= min(last, today):
        found |= {_key(each): each for each in live.of(day, tenant)}
        day += timedelta(days=1)
    return [found[key] for key in sorted(found)]


def _key(usage: Usage) -> tuple[date, str, str]:
    return usage.day, usage.connection, usage.operation


def roll_up(live: Live, kept: Kept, *, today: date) -> int:
    """Keep the days that are over, and say how many rows that were. To do it twice is to do it once."""
    rows = 0
    for back in range(1, ROLLED_UP_DAYS + 1):
        for usage in live.of(today - timedelta(days=back)):
            kept.keep(usage)
            rows += 1
    return rows


def totals(usage: Iterable[Usage]) -> dict[str, int]:
    """The sums."""
    rows = list(usage)
    return {
        "calls": sum(each.calls for each in rows),
        "requests": sum(each.requests for each in rows),
        "refused": sum(each.refused for each in rows),
    }
