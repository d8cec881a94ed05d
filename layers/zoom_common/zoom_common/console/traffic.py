"""Calls and events of the whole stack by day: calls to Zoom with their outcomes, and the events that Zoom sent.

Past days do not change any more, so a container reads each of them once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from zoom_common.deadline import Deadline
from zoom_common.events.log.entries import malformed, unrouted
from zoom_common.events.log.index import LogIndex
from zoom_common.gateway.usage import LIVE_DAYS, KeptUsage, LiveUsage, Usage

# Writes of yesterday may still arrive for some time. The day before is final.
_SETTLED_AFTER = timedelta(days=2)
_MOST_DAYS_KEPT = 5_000
# A person waits for the page, so a busy day is not read to its end. The numbers are then lower bounds.
MOST_LINES = 200_000
_ONE_QUERY = 3.0


def days_back(today: date, number: int) -> list[date]:
    """Return the last days, today included, oldest first."""
    return [today - timedelta(days=back) for back in reversed(range(number))]


@dataclass(slots=True)
class Outcomes:
    """Calls by outcome. `refused` are those refused for another reason than a limit."""

    calls: int = 0
    requests: int = 0
    refused: int = 0
    limited: int = 0
    failed: int = 0

    def add(self, usage: Usage) -> None:
        """Add one row of usage."""
        self.calls += usage.calls
        self.requests += usage.requests
        self.limited += usage.limited
        self.failed += usage.failed
        self.refused += max(0, usage.refused - usage.limited - usage.failed)

    def shown(self) -> dict[str, int]:
        """Return the numbers for JSON."""
        ok = max(0, self.calls - self.refused - self.limited - self.failed)
        return {
            "calls": self.calls,
            "requests": self.requests,
            "ok": ok,
            "refused": self.refused,
            "limited": self.limited,
            "failed": self.failed,
        }


type _Rows = Sequence[Usage]


@dataclass(slots=True, kw_only=True)
class CallsByDay:
    """Reads usage of all tenants. Days older than the live counters are read tenant by tenant."""

    live: LiveUsage
    kept: KeptUsage
    _settled: dict[date, _Rows] = field(default_factory=dict)

    def of(self, days: Sequence[date], tenants: Iterable[str], deadline: Deadline) -> dict[str, Any]:
        """Return calls by day and by operation. Raises Unavailable."""
        today, owners = days[-1], list(tenants)
        by_day: dict[date, Outcomes] = {day: Outcomes() for day in days}
        by_operation: dict[str, Outcomes] = {}
        complete = True
        for day in reversed(days):  # Newest first, so that the oldest are missing if time runs out.
            if not deadline.allows(_ONE_QUERY):
                complete = False
                break
            for row in self._rows(day, today, owners):
                by_day[day].add(row)
                by_operation.setdefault(row.operation, Outcomes()).add(row)
        order = sorted(by_operation.items(), key=lambda each: (-each[1].calls, each[0]))
        return {
            "complete": complete,
            "days": [{"date": day.isoformat(), **found.shown()} for day, found in by_day.items()],
            "operations": [{"operation": name, **found.shown()} for name, found in order],
        }

    def _rows(self, day: date, today: date, tenants: Iterable[str]) -> _Rows:
        if day in self._settled:
            return self._settled[day]
        # Live counters are deleted ten days after their day; some of the oldest may be missing already.
        if today - day < timedelta(days=LIVE_DAYS):
            rows = _summed(self.live.of(day))
        else:
            rows = _summed(row for tenant in tenants for row in self.kept.between(tenant, day, day))
        if today - day >= _SETTLED_AFTER:
            _remember(self._settled, day, rows)
        return rows


def _summed(rows: Iterable[Usage]) -> _Rows:
    """Return one row for each operation, because a container keeps these for days."""
    found: dict[str, Usage] = {}
    for row in rows:
        seen = found.get(row.operation)
        found[row.operation] = (
            row
            if seen is None
            else Usage(
                row.day,
                "",
                "",
                row.operation,
                seen.calls + row.calls,
                seen.requests + row.requests,
                seen.refused + row.refused,
                seen.limited + row.limited,
                seen.failed + row.failed,
            )
        )
    return list(found.values())


@dataclass(slots=True, kw_only=True)
class EventsByDay:
    """Reads the lines of every owner's log. `most_lines` bounds one answer."""

    lines: LogIndex
    most_lines: int = MOST_LINES
    _settled: dict[tuple[str, date], Counter[str]] = field(default_factory=dict)

    def of(
        self, days: Sequence[date], tenants: Iterable[str], apps: Iterable[str], deadline: Deadline
    ) -> dict[str, Any]:
        """Return published, unrouted and malformed events by day, and published ones by type. Raises Unavailable."""
        today, left = days[-1], Left(self.most_lines, deadline)
        names = list(apps)
        owners = {
            "published": list(tenants),
            "unrouted": [unrouted(name) for name in names],
            "malformed": [malformed(name) for name in names],
        }
        by_day = {day: dict.fromkeys(owners, 0) for day in days}
        types: dict[str, dict[date, int]] = {}
        for day in reversed(days):
            for group, every in owners.items():
                for owner in every:
                    for name, number in self._types(owner, day, today, left).items():
                        by_day[day][group] += number
                        if group == "published":
                            types.setdefault(name, {})[day] = types.get(name, {}).get(day, 0) + number
        order = sorted(types.items(), key=lambda each: (-sum(each[1].values()), each[0]))
        return {
            "complete": left.complete,
            "days": [{"date": day.isoformat(), **numbers} for day, numbers in by_day.items()],
            "types": [
                {"type": name, "events": sum(found.values()), "by_day": [found.get(day, 0) for day in days]}
                for name, found in order
            ],
        }

    def _types(self, owner: str, day: date, today: date, left: Left) -> Counter[str]:
        if (owner, day) in self._settled:
            return self._settled[owner, day]
        found: Counter[str] = Counter()
        if not left.may_read():
            return found
        for kind in self.lines.types(owner, day):
            found[kind.removeprefix("zoom.")] += 1
            if not left.take():
                return found
        if today - day >= _SETTLED_AFTER:
            _remember(self._settled, (owner, day), found)
        return found


@dataclass(slots=True)
class Left:
    """How much may still be read for one answer. `complete` says whether everything was read."""

    lines: int
    deadline: Deadline
    complete: bool = True

    def may_read(self) -> bool:
        """Return whether another query may begin, and note when it may not."""
        self.complete = self.complete and self.lines > 0 and self.deadline.allows(_ONE_QUERY)
        return self.complete

    def take(self) -> bool:
        """Count one line. Return whether another may be read."""
        self.lines -= 1
        if self.lines <= 0 or (self.lines % 1_000 == 0 and not self.deadline.allows(_ONE_QUERY)):
            self.complete = False
        return self.complete


def _remember[K, V](kept: dict[K, V], key: K, value: V) -> None:
    if len(kept) >= _MOST_DAYS_KEPT:
        kept.clear()
    kept[key] = value
