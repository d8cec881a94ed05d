"""Which ratios have moved since they were committed last."""

from __future__ import annotations

import pytest

from benchmarks.figures import Figure, moved
from benchmarks.rounds import Ratio

BEFORE = {"calls": Ratio(0.5, 0.4, 0.6), "memory": Ratio(2.0, 2.0, 2.0)}


@pytest.mark.parametrize(
    ("key", "ratio", "line"),
    [
        ("calls", Ratio(0.58, 0.55, 0.7), None),
        ("calls", Ratio(0.8, 0.7, 0.9), "slower   calls: 0.50 (0.40-0.60) -> 0.80 (0.70-0.90)"),
        ("calls", Ratio(0.061, 0.06, 0.0625), "faster   calls: 0.50 (0.40-0.60) -> 0.061 (0.060-0.062)"),
        ("memory", Ratio(2.03, 2.03, 2.03), None),
        ("memory", Ratio(1.9, 1.9, 1.9), "faster   memory: 2.00 (2.00-2.00) -> 1.90 (1.90-1.90)"),
        ("new one", Ratio(1.0, 1.0, 1.0), "new      new one: 1.00 (1.00-1.00)"),
    ],
)
def test_only_what_left_the_spread_is_reported(key: str, ratio: Ratio, line: str | None) -> None:
    """A spread that still touches the old one is noise; what is measured once has to move by more than a fiftieth."""
    assert list(moved([Figure(key, "", ratio)], BEFORE)) == ([] if line is None else [line])
