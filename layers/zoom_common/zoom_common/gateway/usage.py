"""Usage of the gateway: counted while Zoom answers, asked for by tenant, rolled up once a day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Protocol

from zoom_common.aws.table import ConditionFailed
from zoom_common.deadline import Deadline
from zoom_common.errors import DependencyFailed
from zoom_common.gateway.record import CallRecord
from zoom_common.gateway.usage_store import Usage, day_of

if TYPE_CHECKING:
    from zoom_common.aws.table import Changed

# What is counted after Zoom's answer must not cost it: without time for a slow DynamoDB it is not counted.
_LEAST_TIME = 5.0
# A day is rolled up again for as long as late writes and a missed rollup may matter.
ROLLED_UP_DAYS = 3
_ERRORS_FROM = 400
_NOT_COUNTED = (DependencyFailed, ConditionFailed)


class Live(Protocol):
    """Counters of the last days: `LiveUsage`."""

    def begin(self, usage: Usage) -> Changed: ...  # noqa: D102

    def of(self, day: date, tenant: str | None = None) -> Iterator[Usage]: ...  # noqa: D102


class Kept(Protocol):
    """Days that are over: `KeptUsage`."""

    def keep(self, usage: Usage) -> None: ...  # noqa: D102

    def between(self, tenant: str, first: date, last: date) -> Iterator[Usage]: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageCounter:
    """Counts calls. What could not be counted is noted in the call's record; a caller never notices.

    A call is counted as one that succeeds at once while Zoom answers it, so that nobody waits for the count, and a
    call that ends with its container is counted too. What else it turns out to be is added when it is over.
    """

    live: Live
    clock: Callable[[], float]

    def begin(self, tenant: str, record: CallRecord) -> None:
        """Count a call that is about to be sent, unless that has begun."""
        if record.counted is None:
            record.counted = self._begun(self._usage(tenant, record, calls=1, requests=1))

    def settle(self, tenant: str, record: CallRecord, deadline: Deadline) -> None:
        """A call is over: see that it is counted, if a connection was found for it."""
        if not record.connection:
            return
        begun = int(record.counted is not None)
        if record.counted is not None and not _succeeds(record.counted, again=deadline.allows(_LEAST_TIME)):
            record.uncounted = True
            return
        failed = record.reason is not None or (record.status or 0) >= _ERRORS_FROM
        rest = self._usage(tenant, record, calls=1 - begun, requests=record.tries - begun, refused=int(failed))
        if rest.calls or rest.requests or rest.refused:
            # Hearing of the first change may have taken the time for the second.
            time_left = deadline.allows(_LEAST_TIME)
            record.uncounted = not (time_left and (adding := self._begun(rest)) and _succeeds(adding))

    def _begun(self, usage: Usage) -> Changed | None:
        try:
            return self.live.begin(usage)
        except _NOT_COUNTED:
            return None

    def _usage(self, tenant: str, record: CallRecord, *, calls: int, requests: int, refused: int = 0) -> Usage:
        if record.day is None:  # what is added after midnight belongs to the day of the call
            record.day = day_of(self.clock())
        return Usage(record.day, tenant, record.connection, record.operation, calls, requests, refused)


def _succeeds(change: Changed, *, again: bool = True) -> bool:
    try:
        change(again=again)
    except _NOT_COUNTED:
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
