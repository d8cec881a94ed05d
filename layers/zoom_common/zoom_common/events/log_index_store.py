"""The event log in order of arrival, newest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from zoom_common.aws.table import Table
from zoom_common.events.log_items import day_partition
from zoom_common.events.log_query import LogLine, LogQuery

# A page that finds little in a long log is given out short, with a token, before the caller's patience ends.
_MOST_READ = 5_000


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some lines, and the place to go on after; None at the end. A page may be short and not the last."""

    lines: Sequence[LogLine]
    after: str | None = None


class LogIndex:
    """The lines of one owner's log. Raises Unavailable when the table cannot be used."""

    def __init__(self, events: Table) -> None:
        self._table = events

    def search(self, owner: str, query: LogQuery, reach: frozenset[str] | None = None) -> LogPage:
        """One page of what fits and came by a connection within `reach` (None: by any)."""
        found: list[LogLine] = []
        for read, line in enumerate(self._lines(owner, query), 1):
            if query.fits(line) and (reach is None or line.connection_id in reach):
                found.append(line)
            if len(found) == query.page_size or read == _MOST_READ:
                return LogPage(found, line.place)
        return LogPage(found)

    def _lines(self, owner: str, query: LogQuery) -> Iterator[LogLine]:
        for day in query.days():
            yield from self._day(owner, day, query)

    def _day(self, owner: str, day: date, query: LogQuery) -> Iterator[LogLine]:
        first, last = query.bounds()
        pages = self._table.pages(
            "query",
            KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues={
                ":pk": {"S": day_partition(owner, day)},
                ":first": {"S": first},
                ":last": {"S": last},
            },
            ScanIndexForward=False,
            ConsistentRead=True,
        )
        for page in pages:
            yield from (line for line in map(_line, page["Items"]) if line.place != query.after)


def _line(item: Mapping[str, Any]) -> LogLine:
    received, _, event_id = item["sk"]["S"].partition("#")
    return LogLine(
        event_id=event_id,
        type=item["type"]["S"],
        received_at_ms=int(received),
        occurred_at_ms=int(item["occurred_at_ms"]["N"]) if "occurred_at_ms" in item else None,
        subject=item.get("subject", {}).get("S"),
        connection_id=item.get("connection_id", {}).get("S"),
    )
