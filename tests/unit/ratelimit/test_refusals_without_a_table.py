"""Refusals of Zoom's while the table that tells other containers cannot be reached."""

from __future__ import annotations

import pytest

from tests.fakes.gateway import Time
from tests.fakes.gateway_stores import MemoryCounters, MemorySlots
from zoom_common.errors import Unavailable
from zoom_common.ratelimit.limiter import Cost, RateLimiter, RateLimitRules
from zoom_common.ratelimit.quotas import DailyCalls
from zoom_common.zoom.operations.model import RateLabel
from zoom_common.zoom.rate_limits import Limit, RateLimitResponse

LIGHT = Cost(account="account-1", label=RateLabel.LIGHT)


@pytest.mark.parametrize("limit", [Limit.PER_SECOND, Limit.DAILY])
def test_a_refusal_that_cannot_be_stored_leaves_the_table_alone_for_a_while(limit: Limit) -> None:
    """The call's error is Zoom's, and the next calls of this container go at its own slow rate for five seconds."""
    slots, time = MemorySlots(), Time()
    limiter = RateLimiter(slots=slots, daily=DailyCalls(MemoryCounters()), rules=RateLimitRules(), clock=time.now)
    slots.fails = Unavailable(reason="down")
    limiter.rate_limited(LIGHT, RateLimitResponse(limit, 40.0))
    slots.fails = None
    assert limiter.reserve(LIGHT, time.deadline(28.0)).local
    time.passed += 4.9
    assert limiter.reserve(LIGHT, time.deadline(28.0)).local
    time.passed += 0.1
    assert not limiter.reserve(LIGHT, time.deadline(28.0)).local
