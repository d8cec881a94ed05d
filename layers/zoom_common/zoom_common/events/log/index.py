"""The event log by arrival and forwards: filters, time windows, the stored lines, pages, a cursor and replay."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol, Self

from zoom_common.aws.table import Table
from zoom_common.deadline import Deadline
from zoom_common.errors import NotFound
from zoom_common.events.bus import CloudEvent, rfc3339
from zoom_common.events.log.entries import LogEntry, day_partition, recorded_partition
from zoom_common.events.log.store import LATE_MS

LARGEST_PAGE = 300

PLACE = re.compile(r"[0-9]{13}#evt_[0-9a-f]{32}")

# How far the clocks of two containers may differ. AWS keeps them within milliseconds of each other:
# https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/set-time.html
_CLOCK_SKEW_MS = 5_000
# A line is visible at most so long after the moment in its key: what is older than this is complete.
SETTLED_MS = LATE_MS + _CLOCK_SKEW_MS


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the log: what an entry is, without its content. Times in epoch milliseconds."""

    event_id: str
    type: str
    received_at_ms: int
    occurred_at_ms: int | None = None
    subject: str | None = None
    connection_id: str | None = None
    uuid: str | None = None
    recorded_at_ms: int | None = None
    """When it became visible; only where the log is read forwards."""

    @property
    def place(self) -> str:
        """Where the line stands in the log of its day."""
        at_ms = self.received_at_ms if self.recorded_at_ms is None else self.recorded_at_ms
        return f"{at_ms:013}#{self.event_id}"


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Events from `since_ms` until before `until_ms`, in epoch milliseconds.

    They are read newest first, by when they were received, or forwards, by when they became visible.
    """

    since_ms: int
    until_ms: int
    types: tuple[str, ...] = ()
    """Zoom's names; with a star at its end, every name that begins so. None for every type."""
    meeting: str | None = None
    uuid: str | None = None
    connection: str | None = None
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
        uuid: str | None = None,
        connection: str | None = None,
        page_size: int = LARGEST_PAGE,
        after: str | None = None,
    ) -> Self:
        """A query for what the log still holds at `now` (epoch seconds): the window is cut to the last days.

        `after` matches `PLACE`; `kind` names one type or several with commas between them, each with or without the
        `zoom.` that the types of published events begin with.
        """
        oldest = int((now - retention_days * 86_400) * 1000)
        latest = int(now * 1000) + 60_000
        return cls(
            oldest if since_ms is None else min(max(oldest, since_ms), latest),
            latest if until_ms is None else min(max(oldest, until_ms), latest),
            tuple(each.removeprefix("zoom.") for each in kind.split(",")) if kind else (),
            meeting,
            uuid,
            connection,
            page_size,
            after,
        )

    def fits(self, line: LogLine) -> bool:
        """Whether the line is one that is looked for."""
        return self.since_ms <= line.received_at_ms < self.until_ms and self.selects(line)

    def selects(self, line: LogLine) -> bool:
        """Whether the line is one that is looked for, at whatever time."""
        name = line.type.removeprefix("zoom.")
        return (
            (not self.types or any(_is_of(name, each) for each in self.types))
            and self.meeting in {None, "".join((line.subject or "").split("/")[1:2])}
            and self.uuid in {None, line.uuid}
            and self.connection in {None, line.connection_id}
        )

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


def _is_of(name: str, kind: str) -> bool:
    return name.startswith(kind[:-1]) if kind.endswith("*") else name == kind


def _day(epoch_ms: int) -> date:
    return datetime.fromtimestamp(epoch_ms // 1000, UTC).date()


# A page that finds little in a long log is given out short, with a token, before the caller's patience ends.
_MOST_READ = 5_000


@dataclass(frozen=True, slots=True)
class LogPage:
    """Some lines, and the place to go on after; None at the end. A page may be short and not the last."""

    lines: Sequence[LogLine]
    after: str | None = None


@dataclass(frozen=True, slots=True)
class ForwardPage:
    """Some lines in the order in which they became visible.

    `after` is the place to go on after, at the end as well. Whatever became visible before `complete_until_ms` has been
    listed. `more` says whether more is ready now.
    """

    lines: Sequence[LogLine]
    after: str
    complete_until_ms: int
    more: bool


def before(epoch_ms: int) -> str:
    """The place behind every line that became visible before a moment."""
    return f"{epoch_ms - 1:013}#evt_{'f' * 32}"


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

    def follow(self, owner: str, query: LogQuery, *, now: float, reach: frozenset[str] | None = None) -> ForwardPage:
        """One page forwards of what fits, after the place of the page before. `now` is in epoch seconds.

        The page ends SETTLED_MS before `now`: a line that is not visible by then gets a later moment. So no line
        appears at a place that has been passed. A line whose worker died may be listed twice, with one event id.
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

    def _recorded(self, owner: str, start: str, until_ms: int) -> Iterator[LogLine]:
        """The lines behind the place `start` that became visible before a moment."""
        day, last = _day(int(start[:13])), f"{until_ms:013}"
        while start < last and day <= _day(until_ms):
            pages = self._table.pages(
                "query",
                KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                ExpressionAttributeValues={
                    ":pk": {"S": recorded_partition(owner, day)},
                    ":first": {"S": start},
                    ":last": {"S": last},
                },
                ConsistentRead=True,
            )
            for page in pages:
                yield from (line for line in map(_recorded_line, page["Items"]) if line.place != start)
            day += timedelta(days=1)

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
        uuid=item.get("uuid", {}).get("S"),
    )


def _recorded_line(item: Mapping[str, Any]) -> LogLine:
    line = _line(item)
    return replace(line, received_at_ms=int(item["received_at_ms"]["N"]), recorded_at_ms=line.received_at_ms)


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

    def follow(self, owner: str, query: LogQuery, *, now: float, reach: frozenset[str] | None = None) -> ForwardPage:
        """One page forwards."""
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

    def follow(
        self, tenant: str, query: LogQuery, *, now: float, reach: frozenset[str] | None = None
    ) -> tuple[Sequence[dict[str, Any]], ForwardPage]:
        """What fits, in the order in which it became visible, without content; with the page it stands on."""
        page = self._lines.follow(tenant, query, now=now, reach=reach)
        return [_shown(line) for line in page.lines], page

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
        "recorded_at": None if line.recorded_at_ms is None else rfc3339(line.recorded_at_ms),
        "subject": line.subject,
        "uuid": line.uuid,
        "connectionid": line.connection_id,
        "dataref": f"/events/{line.event_id}",
    }
    return {name: value for name, value in shown.items() if value is not None}
