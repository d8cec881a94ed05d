"""Usage of the gateway: counted while Zoom answers, read by tenant, rolled up once a day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from zoom_common.aws.table import ConditionFailed, Table
from zoom_common.deadline import Deadline
from zoom_common.errors import DependencyFailed
from zoom_common.gateway.context import CallStats

if TYPE_CHECKING:
    from zoom_common.aws.table import Changed
    from zoom_common.erasure_target import ErasureTarget, StoredItem

_EPOCH = date(1970, 1, 1)

_DAY = 86_400

# Longer than a rollup may stay away before somebody notices.
LIVE_DAYS = 10

_ADD = (
    "SET #calls = if_not_exists(#calls, :zero) + :calls, #requests = if_not_exists(#requests, :zero) + :requests, "
    "#refused = if_not_exists(#refused, :zero) + :refused, #expires_at = :expires_at, #tenant = :tenant"
)


@dataclass(frozen=True, slots=True)
class Usage:
    """What one connection did of one operation on one day (UTC). `requests` are those that Zoom got, tries included."""

    day: date
    tenant: str
    connection: str
    operation: str
    calls: int
    requests: int
    refused: int


def day_of(now: float) -> date:
    """The UTC day of a moment in epoch seconds."""
    return _EPOCH + timedelta(days=int(now // _DAY))


def _end_of(day: date, *, days: int) -> int:
    return ((day - _EPOCH).days + 1 + days) * _DAY


class LiveUsage:
    """Today's counters, and those of the days before. Methods raise Unavailable."""

    OWNED_KEYS: ClassVar = {"coordination": (r"usage#\d{4}-\d\d-\d\d", r"[^#]+#.+#.+")}

    def __init__(self, coordination: Table) -> None:
        self._table = coordination

    def begin(self, usage: Usage) -> Changed:
        """Send these numbers, and hear later whether they were added."""
        return self._table.begin_update(
            f"usage#{usage.day.isoformat()}",
            f"{usage.tenant}#{usage.connection}#{usage.operation}",
            _ADD,
            condition="attribute_not_exists(#tenant) OR #tenant = :tenant",
            values={
                "zero": 0,
                "calls": usage.calls,
                "requests": usage.requests,
                "refused": usage.refused,
                "expires_at": _end_of(usage.day, days=LIVE_DAYS),
                "tenant": usage.tenant,
            },
        )

    def of(self, day: date, tenant: str | None = None) -> Iterator[Usage]:
        """The counters of a day, of one tenant or of all."""
        # A tenant's id holds no "#", so that the prefix is nobody else's.
        condition = "#pk = :pk" + ("" if tenant is None else " AND begins_with(#sk, :tenant)")
        values = {"pk": f"usage#{day.isoformat()}"} | ({} if tenant is None else {"tenant": f"{tenant}#"})
        for item in _every(self._table, condition, values):
            whose, connection, operation = str(item["sk"]).split("#", 2)
            yield Usage(day, whose, connection, operation, item["calls"], item["requests"], item["refused"])

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether a counter goes: the tenant's, for a person those of their connection."""
        tenant, connection, _ = str(item["sk"]).split("#", 2)
        return target.owns(tenant) and (target.whole_tenant or target.names([connection]))


class KeptUsage:
    """Days that are over. Methods raise Unavailable."""

    OWNED_KEYS: ClassVar = {"usage": (r"[^#]+#usage", r"\d{4}-\d\d-\d\d#.+#.+")}

    def __init__(self, events: Table, *, retention_days: int) -> None:
        self._table = events
        self._retention_days = retention_days

    def keep(self, usage: Usage) -> None:
        """Write the numbers of a day; writing them again changes nothing."""
        self._table.put(
            {
                "pk": f"{usage.tenant}#usage",
                "sk": f"{usage.day.isoformat()}#{usage.connection}#{usage.operation}",
                "calls": usage.calls,
                "requests": usage.requests,
                "refused": usage.refused,
                "expires_at": _end_of(usage.day, days=self._retention_days),
            }
        )

    def between(self, tenant: str, first: date, last: date) -> Iterator[Usage]:
        """What a tenant did from the first day to the last."""
        values = {
            "pk": f"{tenant}#usage",
            "first": first.isoformat(),
            "last": f"{last.isoformat()}$",
        }  # "$" follows "#"
        for item in _every(self._table, "#pk = :pk AND #sk BETWEEN :first AND :last", values):
            day, connection, operation = str(item["sk"]).split("#", 2)
            yield Usage(
                date.fromisoformat(day),
                tenant,
                connection,
                operation,
                item["calls"],
                item["requests"],
                item["refused"],
            )

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether a day's count goes: the tenant's, for a person those of their connection."""
        _, connection, _ = str(item["sk"]).split("#", 2)
        owned = target.owns(str(item["pk"]).removesuffix("#usage"))
        return owned and (target.whole_tenant or target.names([connection]))


def _every(table: Table, condition: str, values: Mapping[str, object]) -> Iterator[dict[str, Any]]:
    items, after = table.query(condition, values)
    yield from items
    while after is not None:
        items, after = table.query(condition, values, after=after)
        yield from items


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

    def begin(self, tenant: str, record: CallStats) -> None:
        """Count a call that is about to be sent, unless that has begun."""
        if record.counted is None:
            record.counted = self._begun(self._usage(tenant, record, calls=1, requests=1))

    def settle(self, tenant: str, record: CallStats, deadline: Deadline) -> None:
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

    def _usage(self, tenant: str, record: CallStats, *, calls: int, requests: int, refused: int = 0) -> Usage:
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
