"""What the benchmarks' page says is what the cost model and the template have."""

from __future__ import annotations

import re

import pytest

from ops.cost import memory_of
from ops.measured import ARRIVAL, ARRIVALS, DELIVERY, PAGE, READ, REFRESH, Measured, batch_of, measured

_ROW = re.compile(r"^\| (\w+) \| [^|]+ \| [^|]+ \| \d+ \| (\d+) \| [^|]+ \| (\d+) \|$", re.MULTILINE)


def test_the_page_has_what_the_model_reads() -> None:
    """Processor time and waits of each path, neither of them nothing."""
    for path in (READ, ARRIVAL, ARRIVALS, REFRESH, DELIVERY):
        assert measured()[path].core_ms > 0 < measured()[path].waits_ms


def test_a_batch_lies_between_one_event_and_ten() -> None:
    """On the line through both, which are what was measured."""
    one, ten = Measured(2.0, 30.0), Measured(11.0, 39.0)
    assert (batch_of(1, one, ten), batch_of(10, one, ten)) == (one, ten)
    four = batch_of(4, one, ten)
    assert [four.core_ms, four.waits_ms] == pytest.approx([5.0, 33.0])


def test_the_template_has_the_cheapest_memory_that_keeps_the_goal() -> None:
    """For each function that was measured; a setting beside the cheapest will do, because measuring varies."""
    rows = _ROW.findall(PAGE.read_text())
    assert len(rows) > 10
    for name, cheapest, given in rows:
        assert memory_of(name) == int(given), name
        assert 0.7 <= memory_of(name) / int(cheapest) <= 1.4, name
