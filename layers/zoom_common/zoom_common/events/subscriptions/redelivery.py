"""Sends events again by request: one, all that failed, or those received in a period."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from zoom_common.events.log.index import LogPage
from zoom_common.events.log.query import LogQuery
from zoom_common.events.subscriptions.delivery_store import DeliveryStore
from zoom_common.events.subscriptions.model import Status, Subscription, event_time_ms
from zoom_common.events.subscriptions.settling import Log, logged, time_ms_of, waiting_in_log

_PAGE = 100


class Lines(Protocol):
    """The lines of the event log."""

    def search(self, owner: str, query: LogQuery, reach: frozenset[str] | None = None) -> LogPage:
        """Return one page, newest first."""
        ...


class Redelivery:
    """Stores events as waiting; a worker that is woken afterwards sends them. Methods raise Unavailable.

    The schedule of retries begins again, and former attempts are kept. Events that the filters reject are not sent.
    """

    def __init__(self, *, deliveries: DeliveryStore, log: Log, lines: Lines, clock: Callable[[], float]) -> None:
        self._deliveries = deliveries
        self._log = log
        self._lines = lines
        self._clock = clock

    def one(self, seen: Subscription, event_id: str) -> bool:
        """Send one event of the log again. Return whether the subscription has and wants such an event."""
        event = logged(self._log, seen.tenant, event_id)
        if event is None or not seen.wants(event):
            return False
        return self._add(seen, event.id, event_time_ms(event), event.type, self._clock())

    def failed(self, seen: Subscription, *, after: str | None) -> tuple[int, str | None]:
        """Send a page of failed events again. Return their number, and where the next page begins (None at the end)."""
        found, last = self._deliveries.page(seen, limit=_PAGE, after=after, status=Status.FAILED)
        sent = [self._add(seen, each.event_id, each.time_ms, each.type, each.time_ms / 1000) for each in found]
        return sum(sent), last

    def span(self, seen: Subscription, query: LogQuery) -> tuple[int, str | None]:
        """Send a page of the log again.

        Return the number of events, and where the next page begins (None at the end).
        """
        page = self._lines.search(seen.tenant, query)
        wanted = [line for line in page.lines if seen.wants_type(line.type)]
        sent = [
            self._add(seen, line.event_id, time_ms_of(line), line.type, line.received_at_ms / 1000) for line in wanted
        ]
        return sum(sent), page.after

    def _add(self, seen: Subscription, event_id: str, time_ms: int, type_: str, due_at: float) -> bool:
        """Store one event, to be sent at once, in the order of `due_at`."""
        now = self._clock()
        known = self._deliveries.get(seen, time_ms, event_id)
        attempts = known.attempts if known is not None else ()
        due_at = min(now, due_at)
        waiting = waiting_in_log(self._log, seen, event_id, time_ms, type_, due_at=due_at, attempts=attempts)
        if waiting is None:
            return False
        self._deliveries.add(seen, waiting, now=now)
        return True
