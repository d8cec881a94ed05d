"""Usage of the gateway: counted while Zoom answers, read by tenant, rolled up once a day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from zoom_common.aws.table import ConditionFailed, Table
from zoom_common.deadline import Deadline
from zoom_common.errors import DependencyFailed
from zoom_common.gateway.context import CallStats

if TYPE_CHECKING:
    from zoom_common.aws.table import Changed
    from zoom_common.erasure_target import ErasureTarget, StoredItem

_EPOCH = date(1970, 1, 1)

_DAY = 86_400

# Longer than a missing rollup can stay unnoticed.
LIVE_DAYS = 10

_ADD = (
    "SET #calls = if_not_exists(#calls, :zero) + :calls, #requests = if_not_exists(#requests, :zero) + :requests, "
    "#refused = if_not_exists(#refused, :zero) + :refused, #expires_at = :expires_at, #tenant = :tenant"
)
_ADD_KINDS = ", #limited = if_not_exists(#limited, :zero) + :limited, #failed = if_not_exists(#failed, :zero) + :failed"


@dataclass(frozen=True, slots=True)
class Usage:
    """The use of one operation by one connection on one UTC day. `requests` went to Zoom, retries included."""

    day: date
    tenant: str
    connection: str
    operation: str
    calls: int
    requests: int
    refused: int
    limited: int = 0
    """Of those refused, the calls that met a rate limit."""
    failed: int = 0
    """Of those refused, the calls that Zoom or the gateway could not carry out."""


def day_of(now: float) -> date:
    """Return the UTC day of a time in epoch seconds."""
    return _EPOCH + timedelta(days=int(now // _DAY))


def _end_of(day: date, *, days: int) -> int:
    return ((day - _EPOCH).days + 1 + days) * _DAY


class LiveUsage:
    """Today's counters, and those of the days before. Methods raise Unavailable."""

    OWNED_KEYS: ClassVar = {"coordination": (r"usage#\d{4}-\d\d-\d\d", r"[^#]+#.+#.+")}

    def __init__(self, coordination: Table) -> None:
        self._table = coordination

    def begin(self, usage: Usage) -> Changed:
        """Start to add these numbers. Return a function that finishes the write, and raises when it failed."""
        values = {
            "zero": 0,
            "calls": usage.calls,
            "requests": usage.requests,
            "refused": usage.refused,
            "expires_at": _end_of(usage.day, days=LIVE_DAYS),
            "tenant": usage.tenant,
        }
        change = _ADD
        if usage.refused:  # most calls are neither, and do not pay for these counts
            change += _ADD_KINDS
            values |= {"limited": usage.limited, "failed": usage.failed}
        return self._table.begin_update(
            f"usage#{usage.day.isoformat()}",
            f"{usage.tenant}#{usage.connection}#{usage.operation}",
            change,
            condition="attribute_not_exists(#tenant) OR #tenant = :tenant",
            values=values,
        )

    def of(self, day: date, tenant: str | None = None) -> Iterator[Usage]:
        """Yield the counters of a day, of one tenant or of all."""
        # A tenant's id has no "#", so no other tenant has the same prefix.
        condition = "#pk = :pk" + ("" if tenant is None else " AND begins_with(#sk, :tenant)")
        values = {"pk": f"usage#{day.isoformat()}"} | ({} if tenant is None else {"tenant": f"{tenant}#"})
        for item in _every(self._table, condition, values):
            owner, connection, operation = str(item["sk"]).split("#", 2)
            yield Usage(day, owner, connection, operation, **_numbers(item))

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether a counter goes: the tenant's, for a person those of their connection."""
        tenant, connection, _ = str(item["sk"]).split("#", 2)
        return target.owns(tenant) and (target.whole_tenant or target.names([connection]))


class KeptUsage:
    """Past days. Methods raise Unavailable."""

    OWNED_KEYS: ClassVar = {"usage": (r"[^#]+#usage", r"\d{4}-\d\d-\d\d#.+#.+")}

    def __init__(self, events: Table, *, retention_days: int) -> None:
        self._table = events
        self._retention_days = retention_days

    def keep(self, usage: Usage) -> None:
        """Write the numbers of a day. Writing them again changes nothing."""
        self._table.put(
            {
                "pk": f"{usage.tenant}#usage",
                "sk": f"{usage.day.isoformat()}#{usage.connection}#{usage.operation}",
                "calls": usage.calls,
                "requests": usage.requests,
                "refused": usage.refused,
                **({"limited": usage.limited, "failed": usage.failed} if usage.refused else {}),
                "expires_at": _end_of(usage.day, days=self._retention_days),
            }
        )

    def between(self, tenant: str, first: date, last: date) -> Iterator[Usage]:
        """Yield a tenant's usage from the first day to the last."""
        values = {
            "pk": f"{tenant}#usage",
            "first": first.isoformat(),
            "last": f"{last.isoformat()}$",
        }  # "$" is the character after "#"
        for item in _every(self._table, "#pk = :pk AND #sk BETWEEN :first AND :last", values):
            day, connection, operation = str(item["sk"]).split("#", 2)
            yield Usage(date.fromisoformat(day), tenant, connection, operation, **_numbers(item))

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether a day's count goes: the tenant's, for a person those of their connection."""
        _, connection, _ = str(item["sk"]).split("#", 2)
        owned = target.owns(str(item["pk"]).removesuffix("#usage"))
        return owned and (target.whole_tenant or target.names([connection]))


def _numbers(item: Mapping[str, Any]) -> dict[str, int]:
    """Return the numbers of an item. Older releases did not count kinds of refusals."""
    return {name: item[name] for name in ("calls", "requests", "refused")} | {
        name: item.get(name, 0) for name in ("limited", "failed")
    }


def _every(table: Table, condition: str, values: Mapping[str, object]) -> Iterator[dict[str, Any]]:
    items, after = table.query(condition, values)
    yield from items
    while after is not None:
        items, after = table.query(condition, values, after=after)
        yield from items


# In seconds. With less time left, a slow write is given up, so that the caller still gets Zoom's answer.
_LEAST_TIME = 5.0

# A day is rolled up again on the following days, for late writes and after a missed rollup.
ROLLED_UP_DAYS = 3

_ERRORS_FROM = 400

_FAULTS_FROM = 500
_TOO_MANY = 429
# The reasons of calls that met a limit, of Zoom's or of the gateway's, and of calls without a useful answer.
_LIMITED = frozenset({"rate_limited", "daily_limit", "user_daily_limit", "rate_budget_spent", "zoom_asked_to_wait"})
_FAILED = frozenset(
    {
        *("outcome_unknown", "zoom_unavailable", "zoom_gave_no_answer"),
        *("deadline_exceeded", "answer_too_long", "internal_error"),
    }
)

_NOT_COUNTED = (DependencyFailed, ConditionFailed)


@dataclass(slots=True, kw_only=True)
class UsageCounter:
    """Counts calls. `begin_write` is `LiveUsage.begin`. A failed write shows in the call's statistics only.

    A call is first counted as one successful request, while Zoom answers it, so counting adds no waiting and includes a
    call that ends with its container. The difference to what happened is added when the call is over.
    """

    begin_write: Callable[[Usage], Changed]
    clock: Callable[[], float]

    def begin(self, tenant: str, stats: CallStats) -> None:
        """Start to count a call that is about to be sent, unless it is a retry."""
        if stats.counted is None:
            stats.counted = self._begun(self._usage(tenant, stats, calls=1, requests=1))

    def settle(self, tenant: str, stats: CallStats, deadline: Deadline) -> None:
        """Finish counting a call that is over, if it had a connection."""
        if not stats.connection:
            return
        begun = int(stats.counted is not None)
        if stats.counted is not None and not _succeeds(stats.counted, again=deadline.allows(_LEAST_TIME)):
            stats.uncounted = True
            return
        failed = stats.reason is not None or (stats.status or 0) >= _ERRORS_FROM
        difference = self._usage(tenant, stats, calls=1 - begun, requests=stats.tries - begun, refused=int(failed))
        if difference.calls or difference.requests or difference.refused:
            # Finishing the first write may have used up the time for the second.
            time_left = deadline.allows(_LEAST_TIME)
            stats.uncounted = not (time_left and (adding := self._begun(difference)) and _succeeds(adding))

    def _begun(self, usage: Usage) -> Changed | None:
        try:
            return self.begin_write(usage)
        except _NOT_COUNTED:
            return None

    def _usage(self, tenant: str, stats: CallStats, *, calls: int, requests: int, refused: int = 0) -> Usage:
        if stats.day is None:  # a call that ends after midnight counts for the day on which it began
            stats.day = day_of(self.clock())
        if not refused:
            return Usage(stats.day, tenant, stats.connection, stats.operation, calls, requests, 0)
        limited = stats.reason in _LIMITED or stats.status == _TOO_MANY
        failed = not limited and (stats.reason in _FAILED or (stats.status or 0) >= _FAULTS_FROM)
        return Usage(
            stats.day, tenant, stats.connection, stats.operation, calls, requests, refused, int(limited), int(failed)
        )


def _succeeds(change: Changed, *, again: bool = True) -> bool:
    try:
        change(again=again)
    except _NOT_COUNTED:
        return False
    return True


def between(live: LiveUsage, kept: KeptUsage, tenant: str, first: date, last: date, *, today: date) -> list[Usage]:
    """Return a tenant's usage from the first day to the last.

    Live counters replace stored days, because they may be newer.
    """
    found = {_key(each): each for each in kept.between(tenant, first, last)}
    day = max(first, today - timedelta(days=ROLLED_UP_DAYS))
    while day <= min(last, today):
        found |= {_key(each): each for each in live.of(day, tenant)}
        day += timedelta(days=1)
    return [found[key] for key in sorted(found)]


def _key(usage: Usage) -> tuple[date, str, str]:
    return usage.day, usage.connection, usage.operation


def roll_up(live: LiveUsage, kept: KeptUsage, *, today: date) -> int:
    """Store the days that are over and return the number of rows. Repeating it changes nothing."""
    rows = 0
    for back in range(1, ROLLED_UP_DAYS + 1):
        for usage in live.of(today - timedelta(days=back)):
            kept.keep(usage)
            rows += 1
    return rows


def totals(usage: Iterable[Usage]) -> dict[str, int]:
    """Return the sums over all rows."""
    rows = list(usage)
    return {
        "calls": sum(each.calls for each in rows),
        "requests": sum(each.requests for each in rows),
        "refused": sum(each.refused for each in rows),
    }
