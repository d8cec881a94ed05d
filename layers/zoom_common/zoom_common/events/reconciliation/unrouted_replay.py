"""Sends unrouted events to the processor again, which routes them by what is known now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from zoom_common.aws.errors import translated
from zoom_common.errors import Unavailable
from zoom_common.events.log.entries import LogEntry, unrouted
from zoom_common.events.log.index import LogIndex
from zoom_common.events.log.query import LARGEST_PAGE, LogQuery
from zoom_common.events.log.store import EventLog
from zoom_common.events.routing import HostStore
from zoom_common.events.webhook.message import Delivery
from zoom_common.zoom.events import parse

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# Ten bodies about participants are small. One about a recording can be large and is sent alone.
_AT_ONCE = 10

_LARGE = 90_000

_AWAY = "ingest_queue"


class IngestQueue:
    """The ingest queue, for functions without a short deadline."""

    def __init__(self, queue_url: str, client: SQSClient) -> None:
        self._queue_url = queue_url
        self._client = client

    def send(self, deliveries: Sequence[Delivery]) -> None:
        """Return when all are stored. Raises Unavailable. Sending all of them again is safe."""
        small = [each for each in deliveries if len(each.body) < _LARGE]
        for start in range(0, len(small), _AT_ONCE):
            self._put(small[start : start + _AT_ONCE])
        for large in (each for each in deliveries if len(each.body) >= _LARGE):
            self._put([large])

    def _put(self, deliveries: Sequence[Delivery]) -> None:
        entries = [{"Id": str(at), **each.to_message()} for at, each in enumerate(deliveries)]
        with translated(_AWAY):
            answer = self._client.send_message_batch(QueueUrl=self._queue_url, Entries=entries)  # type: ignore[arg-type]
        if answer.get("Failed"):
            raise Unavailable(reason=_AWAY)


# Longer than reconcile needs to send the lost events of a meeting.
_PERIOD = 6 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class UnroutedReplay:
    """`clock` gives epoch seconds. Every method raises Unavailable, and can be repeated."""

    log: EventLog
    lines: LogIndex
    send: Callable[[Sequence[Delivery]], None]
    clock: Callable[[], float]

    def kept(self, app: str, *, since_ms: int | None = None, days: int = 30) -> Iterator[LogEntry]:
        """Yield the unrouted events of `app` that were received since `since_ms` (epoch milliseconds), newest first."""
        query = LogQuery.within(now=self.clock(), retention_days=days, since_ms=since_ms, page_size=LARGEST_PAGE)
        while True:
            found = self.lines.search(unrouted(app), query)
            entries = (self.log.get(unrouted(app), line.event_id) for line in found.lines)
            yield from (entry for entry in entries if entry is not None)
            if found.after is None:
                return
            query = replace(query, after=found.after)

    def again(self, entry: LogEntry) -> None:
        """Send an event to the processor as it was received."""
        received = entry.received_at_ms
        self.send([Delivery(entry.app, entry.content, received, request_id=entry.request_id, key=entry.key)])

    def of_known_hosts(self, app: str, hosts: HostStore) -> int:
        """Send events again that do not name their host, where the host is known by now. Return the number.

        Meetings without a known host are stored as wanted, and the next rounds of reconciliation look for their hosts.
        """
        since_ms = int((self.clock() - _PERIOD) * 1000)
        wanted: dict[str, set[str]] = defaultdict(set)
        sent = 0
        for entry in self.kept(app, since_ms=since_ms):
            event = parse(entry.content)
            if event.host is not None or not event.meeting_names:
                continue
            if hosts.find(app, event) is not None:
                self.again(entry)
                sent += 1
            elif event.account_id is not None:
                wanted[event.account_id] |= {event.meeting_names[-1]}
        for account_id, numbers in wanted.items():
            hosts.want(app, account_id, numbers)
        return sent
