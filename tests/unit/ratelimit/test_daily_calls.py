"""Counting the calls of a day, in leased batches."""

from __future__ import annotations

import pytest

from tests.fakes.gateway import NOW
from tests.fakes.gateway_stores import MemoryCounters
from zoom_common.ratelimit.quotas import DailyCalls
from zoom_common.zoom.rate_limits import USER_DAILY, until_midnight


def spend_all(calls: DailyCalls, limit: int, *, now: float = NOW) -> int:
    """Spend until nothing is left; how many there were."""
    spent = 0
    while calls.take("a", limit=limit, now=now) is not None:
        spent += 1
    return spent


@pytest.mark.parametrize("limit", [1, 2, USER_DAILY, 999])
def test_the_whole_limit_is_spent_and_no_more(limit: int) -> None:
    """One container can use the whole limit and no more."""
    assert spend_all(DailyCalls(MemoryCounters()), limit) == limit


def test_batches_are_small_and_get_smaller() -> None:
    """A hundred a day cost half as many writes, and the last ones are taken one by one."""
    counters = MemoryCounters()
    spend_all(DailyCalls(counters), USER_DAILY)
    assert counters.batches[0] == 5
    assert counters.batches[-5:] == [1] * 5
    assert len(counters.batches) <= USER_DAILY // 2


def test_containers_share_a_day() -> None:
    """Together they spend the limit exactly; what one leaves in its batch is lost for the others."""
    counters = MemoryCounters()
    first, second = DailyCalls(counters), DailyCalls(counters)
    assert first.take("a", limit=USER_DAILY, now=NOW) is not None
    assert spend_all(second, USER_DAILY) == USER_DAILY - 5
    assert spend_all(first, USER_DAILY) == 4


def test_a_day_ends_at_midnight_utc() -> None:
    """The rest of yesterday's batch is worth nothing, and a spent counter is new."""
    counters = MemoryCounters()
    calls = DailyCalls(counters)
    assert spend_all(calls, 10) == 10
    tomorrow = NOW + until_midnight(NOW)
    assert calls.take("a", limit=10, now=tomorrow - 0.001) is None
    assert spend_all(calls, 10, now=tomorrow) == 10


def test_a_call_that_was_not_made_is_given_back() -> None:
    """A call that was not made is given back without a write to DynamoDB."""
    counters = MemoryCounters()
    calls = DailyCalls(counters)
    assert spend_all(calls, 3) == 3
    calls.give_back("a", now=NOW)
    assert spend_all(calls, 3) == 1


def test_zoom_may_say_that_a_day_is_spent() -> None:
    """Then it is, for every container."""
    counters = MemoryCounters()
    first, second = DailyCalls(counters), DailyCalls(counters)
    first.take("a", limit=USER_DAILY, now=NOW)
    first.exhaust("a", limit=USER_DAILY, now=NOW)
    assert first.take("a", limit=USER_DAILY, now=NOW) is None
    assert second.take("a", limit=USER_DAILY, now=NOW) is None
