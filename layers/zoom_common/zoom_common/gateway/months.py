"""Long spans of days, in pieces that Zoom takes: its reports and recordings go back a month at a time.

https://developers.zoom.us/docs/api/meetings/#tag/reports
"""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

_MOST = 120


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `first` to `last`, both counted."""

    first: date
    last: date


def asked(first: str | None, last: str | None) -> Span | None:
    """The span between two days as written in a query, or None when they are not two days in order."""
    try:
        span = Span(date.fromisoformat(first or ""), date.fromisoformat(last or ""))
    except ValueError:
        return None
    return span if span.first <= span.last else None


def months(span: Span) -> list[Span]:
    """`span` in pieces of a month at most, the oldest first: one piece when it is no longer than that.

    Nobody's data goes back further than ten years; what is asked for beyond comes as one piece, for Zoom to refuse.
    """
    pieces: list[Span] = []
    first = span.first
    while first <= span.last:
        if len(pieces) == _MOST:
            return [span]
        last = min(_month_later(first) - timedelta(days=1), span.last)
        pieces.append(Span(first, last))
        first = last + timedelta(days=1)
    return pieces


def _month_later(day: date) -> date:
    if day > date(9998, 1, 1):
        return date.max
    year, month = divmod(day.year * 12 + day.month, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
