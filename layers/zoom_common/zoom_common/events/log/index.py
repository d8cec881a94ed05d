"""The event log in order of arrival: filters, time windows, the stored lines, pages and replay."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol, Self

from zoom_common.aws.table import Table
from zoom_common.deadline import Deadline
from zoom_common.errors import NotFound
from zoom_common.events.envelope import CloudEvent, rfc3339
from zoom_common.events.log.entries import LogEntry, day_partition

LARGEST_PAGE = 300

PLACE = re.compile(r"[0-9]{13}#evt_[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the log: what an entry is, without its content. Times in epoch milliseconds."""

    event_id: str
    type: str
    received_at_ms: int
    occurred_at_ms: int | None = None
    subject: str | None = None
    connection_id: str | None = None

    @property
    def place(self) -> str:
        """Where the line stands in the log of its day."""
        return f"{self.received_at_ms:013}#{self.event_id}"


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Events received from `since_ms` until before `until_ms`, in epoch milliseconds, newest first."""

    since_ms: int
    until_ms: int
    type: str | None = None
    """Zoom's name; with a star at its end, every name that begins so."""
    meeting: str | None = None
    page_size: int = LARGEST_PAGE
    after: str | None = None
    """The place of the last line of the page before."""

    @classmethod
    def within(
        cls,
        *,
        now: float,
        retention_days: int,
        since_ms: int | None = None,
        until_ms: int | None = None,
        kind: str | None = None,
        meeting: str | None = None,
        page_size: int = LARGEST_PAGE,
        after: str | None = None,
    ) -> Self:
        """A query for what the log still holds at `now` (epoch seconds): the window is cut to the last days.

        `after` matches `PLACE`; `kind` may begin with `zoom.`, as the types of published events do.
        """
        oldest = int((now - retention_days * 86_400) * 1000)
        latest = int(now * 1000) + 60_000
        return cls(
            oldest if since_ms is None else min(max(oldest, since_ms), latest),
            latest if until_ms is None else min(max(oldest, until_ms), latest),
            kind.removeprefix("zoom.") if kind else None,
            meeting,
            page_size,
            after,
        )

    def fits(self, line: LogLine) -> bool:
        """Whether the line is one that is looked for."""
        if not self.since_ms <= line.received_at_ms < self.until_ms:
            return False
        name = line.type.removeprefix("zoom.")
        if self.type and not (name.startswith(self.type[:-1]) if self.type.endswith("*") else name == self.type):
            return False
        return self.meeting is None or (line.subject or "").split("/")[1:2] == [self.meeting]

    def days(self) -> Iterator[date]:
        """The days to look through, newest first; those before the last page's place are done. None for no time."""
        last = min(self.until_ms - 1, int(self.after[:13])) if self.after else self.until_ms - 1
        if last < self.since_ms:
            return  # DynamoDB takes no range whose end is before its start
        day = _day(last)
        while day >= _day(self.since_ms):
            yield day
            day -= timedelta(days=1)

    def bounds(self) -> tuple[str, str]:
        """The first and the last place worth reading, both included."""
        upper = f"{self.until_ms:013}"
        return f"{self.since_ms:013}", min(upper, self.after) if self.after else upper


def _day(epoch_ms: int) -> date:
    return datetime.fromtimestamp(epoch_ms // 1000, UTC).date()


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


_AT_ONCE = 10

# What putting one more batch on the bus may take.
_RESERVE_SECONDS = 5.0


class Entries(Protocol):
    """The log's entries."""

    def get(self, owner: str, event_id: str) -> LogEntry | None:
        """One entry."""
        ...


class Lines(Protocol):
    """The log's lines."""

    def search(self, owner: str, query: LogQuery, reach: frozenset[str] | None = None) -> LogPage:
        """One page."""
        ...


class Publisher(Protocol):
    """Where events go out."""

    def publish(self, events: Sequence[CloudEvent]) -> None:
        """Publish all. Raises NotPublished."""
        ...


@dataclass(frozen=True, slots=True)
class ArchivePage:
    """Events without their content, as callers see them, and the place to go on after (None at the end)."""

    events: Sequence[dict[str, Any]]
    after: str | None


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many events were published again, and the place to go on after (None at the end)."""

    count: int
    after: str | None


class LogReader:
    """What was received for one tenant, within a caller's reach. Methods raise NotFound and Unavailable."""

    def __init__(self, entries: Entries, lines: Lines) -> None:
        self._entries = entries
        self._lines = lines

    def page(self, tenant: str, query: LogQuery, reach: frozenset[str] | None = None) -> ArchivePage:
        """What fits, newest first, without content."""
        found = self._lines.search(tenant, query, reach)
        return ArchivePage([_shown(line) for line in found.lines], found.after)

    def event(self, tenant: str, event_id: str, reach: frozenset[str] | None = None) -> CloudEvent:
        """One event as it was published."""
        entry = self._entries.get(tenant, event_id)
        if entry is None or not (reach is None or entry.connection_id in reach):
            raise NotFound("There is no such event.", reason="unknown_event")
        return entry.cloud_event

    def replay(
        self,
        tenant: str,
        query: LogQuery,
        publisher: Publisher,
        deadline: Deadline,
        reach: frozenset[str] | None = None,
    ) -> Replayed:
        """Publish one page of what fits again, with the ids it has; stops early when time gets short.

        Raises NotPublished when the bus refuses; publishing the same page again is safe.
        """
        found = self._lines.search(tenant, query, reach)
        replayed = 0
        for start in range(0, len(found.lines), _AT_ONCE):
            lines = found.lines[start : start + _AT_ONCE]
            if start and not deadline.allows(_RESERVE_SECONDS):
                return Replayed(replayed, found.lines[start - 1].place)
            entries = [self._entries.get(tenant, line.event_id) for line in lines]
            publisher.publish([entry.cloud_event for entry in entries if entry is not None])
            replayed += sum(entry is not None for entry in entries)
        return Replayed(replayed, found.after)


def _shown(line: LogLine) -> dict[str, Any]:
    shown = {
        "id": line.event_id,
        "type": line.type,
        "time": rfc3339(line.occurred_at_ms or line.received_at_ms),
        "received_at": rfc3339(line.received_at_ms),
        "subject": line.subject,
        "connectionid": line.connection_id,
        "dataref": f"/events/{line.event_id}",
    }
    return {name: value for name, value in shown.items() if value is not None}
