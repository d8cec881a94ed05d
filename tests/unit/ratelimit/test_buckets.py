"""Buckets: how a rate limit is spread over time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom_common.ratelimit.slots import MICROSECONDS, buckets
from zoom_common.zoom.operations.model import RateLabel
from zoom_common.zoom.rate_limits import Plan, Rate, rate


def test_slots_lie_a_little_further_apart_than_the_rate_allows() -> None:
    """Thirty a second are paced as 29.1, so that jitter does not push a thirty-first into a second."""
    only = buckets(Rate(30, 1), share=1.0, reserve=0.0)
    assert only.reserve is None
    assert only.everybody.interval == round(MICROSECONDS / 29.1)


@pytest.mark.parametrize("label", RateLabel)
@pytest.mark.parametrize("plan", Plan)
def test_every_allowance_is_nearly_used_and_never_exceeded(plan: Plan, label: RateLabel) -> None:
    """Each plan and label is used to nearly its allowance, with and without share and reserve."""
    allowed = rate(plan, label)
    for share, reserve in ((1.0, 0.0), (0.9, 0.1), (0.5, 0.5)):
        split = buckets(allowed, share=share, reserve=reserve)
        paced = sum(allowed.seconds * MICROSECONDS / each.interval for each in (split.everybody, split.reserve) if each)
        assert 0.95 * share * allowed.calls < paced <= share * allowed.calls


@given(
    st.lists(st.integers(0, 30_000), min_size=300, max_size=300), st.sampled_from(Plan), st.integers(0, MICROSECONDS)
)
def test_requests_may_travel_unequally_long(delays: list[int], plan: Plan, phase: int) -> None:
    """By 30 ms: no window of a second, wherever it begins and whether or not it slides, has more than it may."""
    allowed = rate(plan, RateLabel.LIGHT).calls
    interval = buckets(Rate(allowed, 1), share=1.0, reserve=0.0).everybody.interval
    arrivals = sorted(phase + number * interval + delay for number, delay in enumerate(delays))
    assert all(later - first >= MICROSECONDS for first, later in zip(arrivals, arrivals[allowed:], strict=False))


def test_what_is_held_back_is_whole_calls() -> None:
    """A tenth of thirty is three a second, a tenth of four is nothing."""
    three = buckets(Rate(30, 1), share=1.0, reserve=0.1).reserve
    assert three is not None
    assert three.interval == round(MICROSECONDS / 2.91)
    assert buckets(Rate(4, 1), share=1.0, reserve=0.1).reserve is None
