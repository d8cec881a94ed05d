"""Has what belonged to nobody looked at once more: the processor decides again, now that more is known.

What it sends has the dedupe key of its first delivery: what is published has the id that one would have had, and what
still belongs to nobody is a duplicate of what is kept already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from zoom_common.events.ingest_message import Delivery
from zoom_common.events.log_entry import LogEntry, unrouted
from zoom_common.events.log_index_store import LogPage
from zoom_common.events.log_query import LARGEST_PAGE, LogQuery
from zoom_common.events.routing import Hosts
from zoom_common.zoom.events import parse

# Longer than it takes until reconcile has told of a meeting whose own events were lost.
_PERIOD = 6 * 3600.0


class Log(Protocol):
    """The entries."""

    def get(self, owner: str, event_id: str) -> LogEntry | None:
        """One entry."""
        ...


class Lines(Protocol):
    """Their index."""

    def search(self, owner: str, query: LogQuery, reach: frozenset[str] | None = None) -> LogPage:
        """One page."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondLook:
    """`clock` gives epoch seconds. Every method raises Unavailable; to do it again is safe."""

    log: Log
    lines: Lines
    send: Callable[[Sequence[Delivery]], None]
    clock: Callable[[], float]

    def kept(self, app: str, *, since_ms: int | None = None, days: int = 30) -> Iterator[LogEntry]:
        """What of `app` belonged to nobody and was received from `since_ms` (epoch milliseconds) on, newest first."""
        query = LogQuery.within(now=self.clock(), retention_days=days, since_ms=since_ms, page_size=LARGEST_PAGE)
        while True:
            found = self.lines.search(unrouted(app), query)
            entries = (self.log.get(unrouted(app), line.event_id) for line in found.lines)
            yield from (entry for entry in entries if entry is not None)
            if found.after is None:
                return
            query = replace(query, after=found.after)

    def again(self, entry: LogEntry) -> None:
        """Send it to the processor as it came."""
        received = entry.received_at_ms
        self.send([Delivery(entry.app, entry.content, received, request_id=entry.request_id, key=entry.key)])

    def of_known_hosts(self, app: str, hosts: Hosts) -> int:
        """Send what names a meeting and nobody, and came before the event that told whose the meeting is; how many."""
        since_ms = int((self.clock() - _PERIOD) * 1000)
        sent = 0
        for entry in self.kept(app, since_ms=since_ms):
            event = parse(entry.content)
            if not event.users and hosts.find(app, event) is not None:
                self.again(entry)
                sent += 1
        return sent
