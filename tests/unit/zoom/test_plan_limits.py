"""Zoom's limits by plan and label.

https://developers.zoom.us/docs/api/rate-limits/
"""

from __future__ import annotations

import pytest

from zoom_common.zoom.operations.model import RateLabel
from zoom_common.zoom.rate_limits import Daily, Plan, Rate, daily, rate


@pytest.mark.parametrize(
    ("label", "free", "pro", "business"),
    [
        (RateLabel.LIGHT, Rate(4, 1), Rate(30, 1), Rate(80, 1)),
        (RateLabel.MEDIUM, Rate(2, 1), Rate(20, 1), Rate(60, 1)),
        (RateLabel.HEAVY, Rate(1, 1), Rate(10, 1), Rate(40, 1)),
        (RateLabel.RESOURCE_INTENSIVE, Rate(10, 60), Rate(10, 60), Rate(20, 60)),
    ],
)
def test_each_label_has_its_rate(label: RateLabel, free: Rate, pro: Rate, business: Rate) -> None:
    """The rates are those in Zoom's documentation."""
    assert [rate(plan, label) for plan in (Plan.FREE, Plan.PRO, Plan.BUSINESS)] == [free, pro, business]


def test_paid_plans_count_costly_calls_of_a_day_together() -> None:
    """And no others; free ones count each label."""
    assert daily(Plan.PRO, RateLabel.HEAVY) == daily(Plan.PRO, RateLabel.RESOURCE_INTENSIVE) == Daily("costly", 30_000)
    assert daily(Plan.BUSINESS, RateLabel.HEAVY) == Daily("costly", 60_000)
    assert daily(Plan.PRO, RateLabel.LIGHT) is None
    assert [daily(Plan.FREE, label) for label in RateLabel] == [
        Daily("light", 6_000),
        Daily("medium", 2_000),
        Daily("heavy", 1_000),
        Daily("resource-intensive", 30_000),
    ]
