"""Counting usage costs a call neither its answer nor its time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

import pytest

from zoom_common.deadline import Deadline
from zoom_common.errors import Unavailable
from zoom_common.gateway.context import CallStats
from zoom_common.gateway.usage import Usage, UsageCounter, totals


@dataclass(slots=True)
class Counters:
    """Adds up what it is told, once it is asked whether it has."""

    down: bool = False
    begun: list[Usage] = field(default_factory=list)
    added: list[Usage] = field(default_factory=list)
    hurried: list[bool] = field(default_factory=list)

    def begin(self, usage: Usage) -> Callable[..., None]:
        self.begun.append(usage)

        def finish(*, again: bool = True) -> None:
            self.hurried.append(not again)
            if self.down:
                raise Unavailable(reason="connections_store_unavailable")
            self.added.append(usage)

        return finish


def record(**changes: object) -> CallStats:
    made = CallStats(operation="meetings.get", connection="con_1", tries=1, status=200)
    for name, value in changes.items():
        setattr(made, name, value)
    return made


def used(calls: int, requests: int, refused: int, **kinds: int) -> Usage:
    return Usage(date(1970, 1, 2), "acme", "con_1", "meetings.get", calls, requests, refused, **kinds)


def counter(counters: Counters) -> UsageCounter:
    return UsageCounter(begin_write=counters.begin, clock=lambda: 86_400.0)


def test_a_call_is_counted_while_zoom_answers() -> None:
    """For the UTC day on which it was made; of a call that succeeds at once nothing else is written."""
    counters, made = Counters(), record()
    counting = counter(counters)
    counting.begin("acme", made)
    assert (counters.begun, counters.added) == ([used(1, 1, 0)], [])
    counting.settle("acme", made, Deadline.after(20))
    assert counters.begun == counters.added == [used(1, 1, 0)]
    assert not made.uncounted


@pytest.mark.parametrize(
    ("changes", "rest"),
    [
        ({"tries": 3}, used(0, 2, 0)),
        ({"status": 404}, used(0, 0, 1)),
        ({"tries": 2, "status": None, "reason": "zoom_gave_no_answer"}, used(0, 1, 1, failed=1)),
        ({"status": 429, "reason": "zoom_rate_limited"}, used(0, 0, 1, limited=1)),
        ({"status": 503, "reason": "zoom_unavailable"}, used(0, 0, 1, failed=1)),
        ({"status": 502}, used(0, 0, 1, failed=1)),
    ],
)
def test_what_a_call_turns_out_to_be_is_added(changes: dict[str, object], rest: Usage) -> None:
    """Its further tries, however often they were announced, and that it was refused."""
    counters, made = Counters(), record(**changes)
    counting = counter(counters)
    for _ in range(made.tries):
        counting.begin("acme", made)
    counting.settle("acme", made, Deadline.after(20))
    assert counters.added == [used(1, 1, 0), rest]


@pytest.mark.parametrize(
    ("changes", "all_of_it"),
    [
        ({"tries": 0, "status": None, "reason": "rate_budget_spent"}, used(1, 0, 1, limited=1)),
        ({"tries": 0, "status": None, "cache": "hit"}, used(1, 0, 0)),
    ],
)
def test_a_call_that_was_not_sent_is_counted_when_it_is_over(changes: dict[str, object], all_of_it: Usage) -> None:
    """Zoom was not asked: the budget was spent, or the answer was there."""
    counters = Counters()
    counter(counters).settle("acme", record(**changes), Deadline.after(20))
    assert counters.added == [all_of_it]


def test_a_call_that_found_no_connection_is_nobodys() -> None:
    """A wrong path or a missing scope used nothing."""
    counters = Counters()
    counter(counters).settle("acme", record(connection=""), Deadline.after(20))
    assert counters.added == []


@pytest.mark.parametrize("sent", [True, False])
def test_what_cannot_be_counted_is_noted_and_costs_nobody(*, sent: bool) -> None:
    """A table that is away takes Zoom's answer from nobody, and is not asked over and over."""
    counters, made = Counters(down=True), record(status=404)
    counting = counter(counters)
    if sent:
        counting.begin("acme", made)
    counting.settle("acme", made, Deadline.after(20))
    assert made.uncounted
    assert len(counters.hurried) == 1


def test_a_deadline_that_is_near_leaves_no_time_for_counting() -> None:
    """What was begun is heard of, once; anything else is left."""
    counters, made = Counters(), record(status=404)
    counting = counter(counters)
    counting.begin("acme", made)
    counting.settle("acme", made, Deadline.after(1))
    assert (counters.added, counters.hurried, made.uncounted) == ([used(1, 1, 0)], [True], True)
    late = record(tries=0)
    counting.settle("acme", late, Deadline.after(1))
    assert (len(counters.begun), late.uncounted) == (1, True)


def test_what_is_added_after_midnight_belongs_to_the_day_of_the_call() -> None:
    """One call is one row: no day has refusals of calls that it does not have."""
    counters, made, now = Counters(), record(status=404), iter([86_400.0, 2 * 86_400.0])
    counting = UsageCounter(begin_write=counters.begin, clock=lambda: next(now))
    counting.begin("acme", made)
    counting.settle("acme", made, Deadline.after(20))
    assert counters.added == [used(1, 1, 0), used(0, 0, 1)]


def test_time_that_the_first_change_took_is_not_there_for_the_second() -> None:
    """A slow table takes Zoom's answer from nobody: what there is no time left for is noted."""
    passed = [0.0]

    class Slow(Counters):
        def begin(self, usage: Usage) -> Callable[..., None]:
            finish = super().begin(usage)

            def slowly(*, again: bool = True) -> None:
                passed[0] += 4.0
                finish(again=again)

            return slowly

    counters, made = Slow(), record(status=404)
    counting = counter(counters)
    counting.begin("acme", made)
    counting.settle("acme", made, Deadline.after(6, clock=lambda: passed[0]))
    assert (counters.added, made.uncounted) == ([used(1, 1, 0)], True)


def test_totals_add_up() -> None:
    """Over whatever rows there are."""
    row = Usage(date(2026, 1, 1), "acme", "con_1", "meetings.get", 3, 4, 1)
    assert totals([row, row]) == {"calls": 6, "requests": 8, "refused": 2}
    assert totals([]) == {"calls": 0, "requests": 0, "refused": 0}
