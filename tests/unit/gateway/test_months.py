"""Spans of days in months."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom_common.gateway.pagination import Span, months, requested_span

DAYS = st.dates(date(2000, 1, 1), date(2040, 1, 1))


@given(first=DAYS, days=st.integers(0, 2000))
def test_pieces_cover_every_day_once_and_none_is_longer_than_a_month(first: date, days: int) -> None:
    """No day is lost and none is asked for twice."""
    last = first + timedelta(days)
    pieces = months(Span(first, last))
    assert (pieces[0].first, pieces[-1].last) == (first, last)
    assert all(later.first == earlier.last + timedelta(1) for earlier, later in itertools.pairwise(pieces))
    assert all((each.last - each.first).days <= 30 for each in pieces)


@pytest.mark.parametrize(
    ("first", "last"), [(None, "2030-01-01"), ("2030-01-01", None), ("2030-02-01", "2030-01-01"), ("x", "2030-01-01")]
)
def test_what_is_no_span_is_zooms_business(first: str | None, last: str | None) -> None:
    """One end missing, the wrong way round, not a day."""
    assert requested_span(first, last) is None


def test_centuries_stay_in_one_piece() -> None:
    """Zoom refuses them at once; a thousand calls would not help."""
    assert len(months(Span(date(1900, 1, 1), date(9999, 12, 31)))) == 1
