"""The lines of the event log, by arrival and in the order in which they became visible, with pages and a cursor."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from heapq import merge
from typing import Any

from zoom_common.aws.table import Table
from zoom_common.events.log.entries import EARLY_MS, NEAR_MS, day_partition, is_near, recorded_partition
from zoom_common.events.log.query import LogLine, LogQuery, day_of
from zoom_common.events.log.store import LATE_MS

# The most by which the clocks of two containers may differ. AWS keeps them within milliseconds of each other:
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/set-time.html
_CLOCK_SKEW_MS = 5_000
# A line becomes visible at most this long after the time in its key, so everything older is complete.
SETTLED_MS = LATE_MS + _CLOCK_SKEW_MS

# In a long log with few matches, a short page with a token is returned before the caller's request times out.
_MOST_READ = 5_000


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some lines, and the place where the next page begins (None at the end). A short page need not be the last."""

    lines: Sequence[LogLine]
    after: str | None = None


@dataclass(frozen=True, slots=True)
class ForwardPage:
    """Some lines in the order in which they became visible.

    `after` is the place where the next page begins, also at the end. Every line that became visible before
    `complete_until_ms` has been listed. `more` says whether more is ready now.
    """

    lines: Sequence[LogLine]
    after: str
    complete_until_ms: int
    more: bool


def before(epoch_ms: int) -> str:
    """Return the place after every line that became visible before this time."""
    return f"{epoch_ms - 1:013}#evt_{'f' * 32}"


class LogIndex:
    """The lines of one owner's log. Raises Unavailable when the table cannot be used."""

    def __init__(self, events: Table) -> None:
        self._table = events

    def search(self, owner: str, query: LogQuery, reach: frozenset[str] | None = None) -> LogPage:
        """Return one page of matching lines that came by a connection within `reach` (None: by any)."""
        found: list[LogLine] = []
        for read, line in enumerate(self._lines(owner, query), 1):
            if query.fits(line) and (reach is None or line.connection_id in reach):
                found.append(line)
            if len(found) == query.page_size or read == _MOST_READ:
                return LogPage(found, line.place)
        return LogPage(found)

    def follow(self, owner: str, query: LogQuery, *, now: float, reach: frozenset[str] | None = None) -> ForwardPage:
        """Return the next page of matching lines, after the place of the page before. `now` is in epoch seconds.

        The page ends SETTLED_MS before `now`. A line that is not visible by then gets a later time, so no line appears
        before a place that was returned. A line whose worker died may be listed twice, with one event id.
        """
        start = max(query.after or "", before(query.since_ms))
        until_ms = min(int(now * 1000) - SETTLED_MS, query.until_ms)
        found: list[LogLine] = []
        for read, line in enumerate(self._recorded(owner, start, until_ms), 1):
            if query.selects(line) and (reach is None or line.connection_id in reach):
                found.append(line)
            if len(found) == query.page_size or read == _MOST_READ:
                return ForwardPage(found, line.place, int(line.place[:13]), more=True)
        end = max(start, before(until_ms))
        return ForwardPage(found, end, int(end[:13]) + 1, more=False)

    def types(self, owner: str, day: date) -> Iterator[str]:
        """Yield the type of every line that became visible on a day (UTC), by eventually consistent reads."""
        pages = self._table.pages(
            "query",
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": recorded_partition(owner, day)}},
            ProjectionExpression="#type",
            ExpressionAttributeNames={"#type": "type"},
        )
        for page in pages:
            yield from (item["type"]["S"] for item in page["Items"])

    def _recorded(self, owner: str, start: str, until_ms: int) -> Iterator[LogLine]:
        """Yield the lines after the place `start` that became visible before a time."""
        day, last = day_of(int(start[:13])), f"{until_ms:013}"
        while start < last and day <= day_of(until_ms):
            items = self._between(recorded_partition(owner, day), start, last, forward=True)
            yield from (line for line in map(_recorded_line, items) if line.place != start)
            day += timedelta(days=1)

    def _lines(self, owner: str, query: LogQuery) -> Iterator[LogLine]:
        """Yield each event's line once, by arrival, newest first. The previous release wrote two lines for each."""
        first, last = query.bounds()
        if first >= last:
            return
        last = query.after or ""
        for line in merge(self._far(owner, query), self._near(owner, query), key=_place, reverse=True):
            if line.place != last:
                yield line
            last = line.place

    def _near(self, owner: str, query: LogQuery) -> Iterator[LogLine]:
        """Yield the lines of events that were recorded soon after they arrived, in the order of arrival."""
        first, last = query.bounds()
        recorded = (max(0, int(first[:13]) - EARLY_MS), int(last[:13]) + NEAR_MS + 1)
        waiting: list[LogLine] = []  # in the order of arrival, the newest at the end
        for item in self._back(owner, recorded_partition, *(f"{moment:013}" for moment in recorded)):
            found = _recorded_line(item)
            recorded_at_ms, line = found.recorded_at_ms or 0, replace(found, recorded_at_ms=None)
            while waiting and waiting[-1].received_at_ms > recorded_at_ms + EARLY_MS:  # all others arrived before it
                yield waiting.pop()
            if is_near(line.received_at_ms, recorded_at_ms) and first <= line.place <= last:
                insort(waiting, line, key=_place)
        yield from reversed(waiting)

    def _far(self, owner: str, query: LogQuery) -> Iterator[LogLine]:
        """Yield the stored lines by arrival: those of events recorded late, or by the previous release."""
        yield from map(_line, self._back(owner, day_partition, *query.bounds()))

    def _back(
        self, owner: str, partition: Callable[[str, date], str], first: str, last: str
    ) -> Iterator[Mapping[str, Any]]:
        """Yield the items between two places, the newest first."""
        oldest, day = day_of(int(first[:13])), day_of(int(last[:13]))
        while day >= oldest and first <= last:  # DynamoDB refuses a range that ends before it starts
            yield from self._between(partition(owner, day), first, last, forward=False)
            day -= timedelta(days=1)

    def _between(self, pk: str, first: str, last: str, *, forward: bool) -> Iterator[Mapping[str, Any]]:
        """Yield the items of one partition between two places, both included, read consistently."""
        pages = self._table.pages(
            "query",
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={":pk": {"S": pk}, ":first": {"S": first}, ":last": {"S": last}},
            ScanIndexForward=forward,
            ConsistentRead=True,
        )
        for page in pages:
            yield from page["Items"]


def _place(line: LogLine) -> str:
    return line.place


def _line(item: Mapping[str, Any]) -> LogLine:
    received, _, event_id = item["sk"]["S"].partition("#")
    return LogLine(
        event_id=event_id,
        type=item["type"]["S"],
        received_at_ms=int(received),
        occurred_at_ms=int(item["occurred_at_ms"]["N"]) if "occurred_at_ms" in item else None,
        subject=item.get("subject", {}).get("S"),
        connection_id=item.get("connection_id", {}).get("S"),
        uuid=item.get("uuid", {}).get("S"),
    )


def _recorded_line(item: Mapping[str, Any]) -> LogLine:
    line = _line(item)
    return replace(line, received_at_ms=int(item["received_at_ms"]["N"]), recorded_at_ms=line.received_at_ms)
