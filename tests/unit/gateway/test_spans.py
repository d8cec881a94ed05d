"""Spans of days, and the pieces they are split into."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoom_common.gateway.list_position import EARLIEST, Span, requested_span

DAYS = st.dates(date(2012, 1, 1), date(2040, 1, 1))
TODAY = date(2030, 6, 15)


def pieces(span: Span) -> list[Span]:
    """All months or weeks of a span."""
    found = [span.piece]
    while found[-1].last < span.last:
        found.append(span.after(found[-1].last + timedelta(1)).piece)
    return found


@given(first=DAYS, days=st.integers(0, 2000), weekly=st.booleans())
def test_pieces_cover_every_day_once_and_none_is_too_long(first: date, days: int, *, weekly: bool) -> None:
    """No day is lost and none is asked for twice."""
    last = first + timedelta(days)
    found = pieces(Span(first, last, weekly))
    assert sum((each.last - each.first).days + 1 for each in found) == days + 1
    assert found[-1].last == last
    assert all((each.last - each.first).days <= (6 if weekly else 30) for each in found)


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ({"from": "2030-01-31", "to": "2030-03-01"}, date(2030, 1, 31), date(2030, 3, 1)),
        ({"from": "2030-01-31T10:00:00.123Z", "to": "2030-03-01 23:59:59+00:00"}, date(2030, 1, 31), date(2030, 3, 1)),
        ({"from": "2030-01-31"}, date(2030, 1, 31), TODAY),
        ({"to": "2030-03-01", "from": ""}, EARLIEST, date(2030, 3, 1)),
        ({"from": "1970-01-01", "to": "2030-03-01"}, EARLIEST, date(2030, 3, 1)),
        ({"from": "0001-01-01", "to": "1999-12-31"}, EARLIEST, EARLIEST),
        ({"from": "2030-01-01", "to": "9999-12-31"}, date(2030, 1, 1), date(2040, 1, 2)),
        ({"from": "2035-01-01", "to": "2035-02-28"}, date(2035, 1, 1), date(2035, 2, 28)),
        ({"from": "1970-01-01", "to": "2100-01-01"}, EARLIEST, TODAY + timedelta(366)),
    ],
)
def test_a_span_is_read_from_a_query(query: dict[str, str], first: date, last: date) -> None:
    """A period is read with either day missing, as days or times, before Zoom existed and far in the future."""
    assert requested_span(query, TODAY) == Span(first, last)


@pytest.mark.parametrize(
    "query",
    [{}, {"from": "", "to": ""}, {"from": "2030-02-01", "to": "2030-01-01"}, {"from": "x"}, {"from": "2031-01-01"}],
)
def test_what_is_no_span_is_for_zoom_to_judge(query: dict[str, str]) -> None:
    """No day at all, the wrong order, no day, and a start after today without an end."""
    assert requested_span(query, TODAY) is None
