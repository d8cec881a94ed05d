"""Who called what, how often: counters of a day while it lasts, kept for as long as the operator wants afterwards.

Coordination   pk usage#<day>          sk <tenant>#<connection>#<operation>    counted call by call, ten days
Events         pk <tenant>#usage       sk <day>#<connection>#<operation>       written by the daily rollup
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from zoom_common.aws.table import Table

if TYPE_CHECKING:
    from zoom_common.aws.table import Changed

if TYPE_CHECKING:
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
