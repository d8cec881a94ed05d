"""Counting never costs a call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

import pytest

from zoom_common.deadline import Deadline
from zoom_common.errors import Unavailable
from zoom_common.gateway.record import CallRecord
from zoom_common.gateway.usage import UsageCounter, totals
from zoom_common.gateway.usage_store import Usage


@dataclass(slots=True)
class Counters:
    down: bool = False
    added: list[Usage] = field(default_factory=list)

    def add(self, usage: Usage) -> None:
        if self.down:
            raise Unavailable(reason="connections_store_unavailable")
        self.added.append(usage)

    def of(self, day: date, tenant: str | None = None) -> Iterator[Usage]:
        raise NotImplementedError


def record(**changes: object) -> CallRecord:
    made = CallRecord(operation="meetings.get", connection="con_1", tries=2, status=200)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("changes", "refused"), [({}, 0), ({"status": 404}, 1), ({"status": None, "reason": "rate_budget_spent"}, 1)]
)
def test_a_call_counts_with_its_tries_and_what_became_of_it(changes: dict[str, object], refused: int) -> None:
    """For the UTC day on which it was made."""
    counters = Counters()
    UsageCounter(live=counters, clock=lambda: 86_400.0).count("acme", record(**changes), Deadline.after(20))
    assert counters.added == [Usage(date(1970, 1, 2), "acme", "con_1", "meetings.get", 1, 2, refused)]


def test_a_call_that_found_no_connection_is_nobodys() -> None:
    """A wrong path or a missing scope used nothing."""
    counters = Counters()
    UsageCounter(live=counters, clock=lambda: 0.0).count("acme", record(connection=""), Deadline.after(20))
    assert counters.added == []


@pytest.mark.parametrize(("down", "seconds"), [(True, 20.0), (False, 1.0)])
def test_what_cannot_be_counted_is_noted_and_costs_nobody(*, down: bool, seconds: float) -> None:
    """Neither a table that is away nor a deadline that is near may take Zoom's answer from a caller."""
    counters, made = Counters(down=down), record()
    UsageCounter(live=counters, clock=lambda: 0.0).count("acme", made, Deadline.after(seconds))
    assert made.uncounted
    assert counters.added == []


def test_totals_add_up() -> None:
    """Over whatever rows there are."""
    row = Usage(date(2026, 1, 1), "acme", "con_1", "meetings.get", 3, 4, 1)
    assert totals([row, row]) == {"calls": 6, "requests": 8, "refused": 2}
    assert totals([]) == {"calls": 0, "requests": 0, "refused": 0}
