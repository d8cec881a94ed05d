"""Reads a tenant's event log for callers, and publishes parts of it again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from zoom_common.deadline import Deadline
from zoom_common.errors import NotFound
from zoom_common.events.bus import CloudEvent, rfc3339
from zoom_common.events.log.index import ForwardPage, LogIndex
from zoom_common.events.log.query import LogLine, LogQuery
from zoom_common.events.log.store import EventLog

_AT_ONCE = 10

# The time for putting one more batch on the bus.
_RESERVE_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ArchivePage:
    """Events without their content, as callers see them, and where the next page begins (None at the end)."""

    events: Sequence[dict[str, Any]]
    after: str | None


@dataclass(frozen=True, slots=True)
class Replayed:
    """How many events were published again, and where the next page begins (None at the end)."""

    count: int
    after: str | None


class LogReader:
    """Reads one tenant's log, within a caller's reach. Methods raise NotFound and Unavailable."""

    def __init__(self, entries: EventLog, lines: LogIndex) -> None:
        self._entries = entries
        self._lines = lines

    def page(self, tenant: str, query: LogQuery, reach: frozenset[str] | None = None) -> ArchivePage:
        """Return matching events, newest first, without content."""
        found = self._lines.search(tenant, query, reach)
        return ArchivePage([_shown(line) for line in found.lines], found.after)

    def follow(
        self, tenant: str, query: LogQuery, *, now: float, reach: frozenset[str] | None = None
    ) -> tuple[Sequence[dict[str, Any]], ForwardPage]:
        """Return matching events without content, in the order in which they became visible, and the page of lines."""
        page = self._lines.follow(tenant, query, now=now, reach=reach)
        return [_shown(line) for line in page.lines], page

    def event(self, tenant: str, event_id: str, reach: frozenset[str] | None = None) -> CloudEvent:
        """Return one event as it was published."""
        entry = self._entries.get(tenant, event_id)
        if entry is None or not (reach is None or entry.connection_id in reach):
            raise NotFound("There is no such event.", reason="unknown_event")
        return entry.cloud_event

    def replay(
        self,
        tenant: str,
        query: LogQuery,
        publish: Callable[[Sequence[CloudEvent]], None],
        deadline: Deadline,
        reach: frozenset[str] | None = None,
    ) -> Replayed:
        """Publish one page of matching events again, with their ids. Stop early when time gets short.

        Raises NotPublished when the bus refuses. Publishing the same page again is safe.
        """
        found = self._lines.search(tenant, query, reach)
        replayed = 0
        for start in range(0, len(found.lines), _AT_ONCE):
            lines = found.lines[start : start + _AT_ONCE]
            if start and not deadline.allows(_RESERVE_SECONDS):
                return Replayed(replayed, found.lines[start - 1].place)
            entries = [self._entries.get(tenant, line.event_id) for line in lines]
            publish([entry.cloud_event for entry in entries if entry is not None])
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
