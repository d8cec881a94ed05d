"""Many more calls than an account may make: they are refused in order, and its one item is not asked to death.

DynamoDB takes a thousand writes a second of one item, and a write that its condition refuses counts as well.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.fakes.gateway import NOW
from tests.fakes.hot_account import RATE, SECONDS, SETTLED, Storm


@pytest.mark.parametrize(("rate", "most_writes"), [(10, 10), (100, 100), (300, 250), (1000, 400)])
def test_a_hot_account_refuses_in_order(rate: int, most_writes: int) -> None:
    """Zoom gets the whole rate and no more, everybody else a 429 with a time, and the item far less than it takes."""
    storm = Storm()
    storm.run(rate)
    in_a_second = Counter(int(moment - NOW) for moment in storm.sent)
    assert storm.local == 0
    for second in range(SETTLED, SECONDS):
        assert in_a_second[second] == pytest.approx(min(rate, RATE), abs=1.5)
        assert storm.writes[second] <= most_writes
        assert storm.refused[second] == pytest.approx(max(0, rate - RATE), rel=0.1, abs=5)
    assert all(1 <= each <= 11 for each in storm.retry_after)
    assert storm.sent == sorted(storm.sent)
