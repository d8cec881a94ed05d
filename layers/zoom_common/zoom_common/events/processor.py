"""From the queue to the bus: parse, route, admit once, project, publish, and only then acknowledge.

A message is acknowledged when every event in it is published and recorded as such. Until then it comes back, and what
is published again has the same id and the same content.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from zoom_common import observability
from zoom_common.deadline import Deadline
from zoom_common.errors import DependencyFailed
from zoom_common.events.bus import CloudEvent, NotPublished, event_id, source_of
from zoom_common.events.event_entries import (
    has_key,
    malformed_entry,
    malformed_key,
    possible_keys,
    published_entry,
    unrouted_entry,
)
from zoom_common.events.log.entries import Admission, Admitted, LogEntry, unrouted
from zoom_common.events.projections.projectors import changes
from zoom_common.events.projections.store import EventChanges
from zoom_common.events.routing import Route, routes
from zoom_common.events.webhook.message import Delivery
from zoom_common.zoom.event_keys import dedupe_key, former_keys, second_key
from zoom_common.zoom.event_redaction import Redaction
from zoom_common.zoom.events import DEAUTHORIZED, MalformedEvent, ZoomEvent, parse

if TYPE_CHECKING:
    from zoom_common.connections.store import ConnectionStore
    from zoom_common.events.log.store import EventLog
    from zoom_common.events.projections.store import ProjectionStore
    from zoom_common.events.routing import HostStore

# What publishing and recording a whole batch may take; messages not begun by then come back.
_RESERVE_SECONDS = 10.0


class Publisher(Protocol):
    """Where events go out."""

    def publish(self, events: Sequence[CloudEvent]) -> None:
        """Publish all. Raises NotPublished."""
        ...


class Count(Protocol):
    """A metric's counter."""

    def __call__(self, name: str, value: int = 1, **dimensions: str) -> None:
        """Add `value` to `name`, and to `name` with these dimensions."""
        ...


class Report(Protocol):
    """The log, for reasons and ids."""

    def __call__(self, message: str, **fields: str) -> None:
        """Write one line."""
        ...


class UpdateConnections(Protocol):
    """Updates connections by every verified event before it is admitted; also by duplicates."""

    def __call__(self, event: ZoomEvent, delivery: Delivery, routes: list[Route], /) -> list[Route] | None:
        """Return the routes this event may take, or None to drop it because its subject was erased.

        Raises Unavailable, and then the message comes back.
        """
        ...


class Reads(Protocol):
    """Reads at once what events will ask for one after the other. It never raises."""

    def read(self, deliveries: Sequence[tuple[Delivery, ZoomEvent]]) -> None:
        """Read for these, and forget what was read before."""
        ...


class NoReads:
    """Reads nothing ahead: every store reads for itself."""

    def read(self, deliveries: Sequence[tuple[Delivery, ZoomEvent]]) -> None:
        """Do nothing."""


@dataclass(slots=True)
class _Batch:
    """The admitted entries of one invocation with the messages that wait for each, and the messages that come back."""

    waiting: dict[tuple[str, str], tuple[LogEntry, set[str]]] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)

    def fail(self, entry: LogEntry) -> None:
        self.failed |= self.waiting[entry.owner, entry.event_id][1]


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A message, its delivery, the event in it or None, and the keys under which the event may be stored."""

    message: str
    delivery: Delivery
    event: ZoomEvent | None
    keys: frozenset[str]
    again: bool
    """Whether a worker had it before, who may have died."""


def _arrival(delivery: Delivery, message: str, *, again: bool) -> _Arrival:
    try:
        event = parse(delivery.body)
    except MalformedEvent:
        return _Arrival(message, delivery, None, frozenset({malformed_key(delivery)}), again)
    return _Arrival(message, delivery, event, frozenset(possible_keys(delivery, event)), again)


def _waves(arrived: Iterable[_Arrival]) -> Iterator[list[_Arrival]]:
    """Yield the arrivals in order, in groups in which no two may be one event: a second one has to find the first."""
    wave: list[_Arrival] = []
    taken: set[tuple[str, str]] = set()
    for each in arrived:
        names = {(each.delivery.app, key) for key in each.keys}
        if not taken.isdisjoint(names):
            yield wave
            wave, taken = [], set()
        wave.append(each)
        taken |= names
    if wave:
        yield wave


class EventProcessor:
    """Handles one invocation's messages. `on_event` is called with every verified event, also with duplicates."""

    def __init__(
        self,
        *,
        log: EventLog,
        connections: ConnectionStore,
        hosts: HostStore,
        projections: ProjectionStore,
        publisher: Publisher,
        redaction: Redaction,
        count: Count,
        report: Report,
        on_event: Callable[[ZoomEvent], None] = lambda _: None,
        update_connections: UpdateConnections = lambda _event, _delivery, routes: routes,
        reads: Reads | None = None,
    ) -> None:
        self._log = log
        self._connections = connections
        self._hosts = hosts
        self._projections = projections
        self._publisher = publisher
        self._redaction = redaction
        self._count = count
        self._report = report
        self._on_event = on_event
        self._update_connections = update_connections
        self._reads = reads or NoReads()

    def process(self, records: Sequence[Mapping[str, Any]], deadline: Deadline) -> list[str]:
        """Handle the records of an SQS event. Return the ids of the messages that have to come back."""
        batch = _Batch()
        arrived = [arrival for record in records if (arrival := self._arrival(record, batch)) is not None]
        for some in _waves(arrived):
            self._handle(some, batch, deadline)
        observability.begin_correlation()  # what follows is about the whole batch
        self._finish(batch, self._publish(batch))
        return [record["messageId"] for record in records if record["messageId"] in batch.failed]

    def _arrival(self, record: Mapping[str, Any], batch: _Batch) -> _Arrival | None:
        """Read a message. None, and it has failed, where that cannot be done."""
        message = record["messageId"]
        try:
            again = int(record.get("attributes", {}).get("ApproximateReceiveCount", 1)) > 1
            return _arrival(Delivery.from_record(record), message, again=again)
        except Exception as error:  # noqa: BLE001 - one message's fault must not take its neighbours along
            self._fail([message], error, batch)
            return None

    def _handle(self, arrived: Sequence[_Arrival], batch: _Batch, deadline: Deadline) -> None:
        """Take different events as far as the bus, together, or each alone where one of them cannot be handled."""
        try:
            self._handle_together(arrived, batch, deadline)
        except Exception as error:  # noqa: BLE001 - one message's fault must not take its neighbours along
            if len(arrived) == 1:
                self._fail([arrived[0].message], error, batch)
                return
            for each in arrived:
                self._handle([each], batch, deadline)

    def _handle_together(self, arrived: Sequence[_Arrival], batch: _Batch, deadline: Deadline) -> None:
        """Route each event, then admit, store and project all of them at once."""
        begun = [each for each in arrived if deadline.allows(_RESERVE_SECONDS)]
        batch.failed |= {each.message for each in arrived if each not in begun}
        self._reads.read([(each.delivery, each.event) for each in begun if each.event is not None])
        entries: dict[tuple[str, str], tuple[LogEntry, set[str]]] = {}
        for each in begun:
            try:
                observability.begin_correlation(each.delivery.request_id, each.message)
                for entry in self._entries(each):
                    entries.setdefault((entry.owner, entry.event_id), (entry, set()))[1].add(each.message)
            except Exception as error:  # noqa: BLE001 - one message's fault must not take its neighbours along
                self._fail([each.message], error, batch)
        if entries:
            self._admit_all(list(entries.values()), begun, batch)

    def _admit_all(
        self, entries: Sequence[tuple[LogEntry, set[str]]], arrived: Sequence[_Arrival], batch: _Batch
    ) -> None:
        hosts = self._hosts.begin_store()
        retried = {each.message for each in arrived if each.again}
        again = [not messages.isdisjoint(retried) for _, messages in entries]
        admitted = self._log.admit_all([entry for entry, _ in entries], again=again)
        own = [each.entry if isinstance(each, Admitted) else None for each in admitted]
        projected = self._project([entry for entry in own if entry is not None])
        failed = self._without_hosts(hosts(), arrived, batch)
        for (entry, messages), outcome in zip(entries, admitted, strict=True):
            identity = entry.owner, entry.event_id
            error = outcome if isinstance(outcome, Exception) else projected.get(identity)
            if isinstance(outcome, Admitted) and outcome.outcome is Admission.FINISHED:
                self._count("EventDuplicate")
            elif identity in batch.waiting:
                batch.waiting[identity][1].update(messages)
            elif error is not None:
                self._fail(messages, error, batch)
            elif isinstance(outcome, Admitted) and outcome.entry is not None and messages - failed:
                batch.waiting[identity] = outcome.entry, messages
            else:
                batch.failed |= messages

    def _without_hosts(
        self, stored: Mapping[tuple[str, str], DependencyFailed | None], arrived: Sequence[_Arrival], batch: _Batch
    ) -> set[str]:
        """Fail the messages of events whose host could not be stored: others that follow may not find it."""
        failed = {name: error for name, error in stored.items() if error is not None}
        found = set()
        for each in arrived if failed else ():
            names = ((each.delivery.app, name) for name in (each.event.meeting_names if each.event else ()))
            error = next((failed[name] for name in names if name in failed), None)
            if error is not None and each.message not in batch.failed:
                self._fail([each.message], error, batch)
                found.add(each.message)
        return found

    def _fail(self, messages: Iterable[str], error: Exception, batch: _Batch) -> None:
        for message in sorted(messages):
            self._count("EventFailed")
            self._report(
                "event failed",
                reason=getattr(error, "reason", type(error).__name__),
                cause=getattr(error, "cause", ""),
                message_id=message,
            )
            batch.failed.add(message)

    def _project(self, entries: Sequence[LogEntry]) -> dict[tuple[str, str], Exception | None]:
        """Apply events before they are published, so that whoever reads the state because of one finds it there.

        Return by owner and event id why an event is not applied.
        """
        found = {(entry.owner, entry.event_id): self._changes(entry) for entry in entries}
        said = {identity: each for identity, each in found.items() if each is not None}
        return dict(zip(said, self._projections.apply_all(list(said.values())), strict=True))

    def _changes(self, entry: LogEntry) -> EventChanges | None:
        if entry.unrouted or entry.malformed:
            return None
        try:
            published = entry.cloud_event
            event = ZoomEvent(published.detail_type, dict(published.data or {}))
            stamp = event.true_since_by(entry.received_at_ms), entry.event_id
            return EventChanges(entry.owner, changes(event), stamp, published.connection_id)
        except Exception as error:  # noqa: BLE001 - what cannot be projected is published all the same
            self._count("EventNotProjected")
            self._report("event not projected", reason=type(error).__name__, event_id=entry.event_id)
            return None

    def _entries(self, arrived: _Arrival) -> Iterator[LogEntry]:
        """Yield what to keep of one delivery: an entry for each tenant, or one entry that is unrouted or malformed."""
        delivery, event = arrived.delivery, arrived.event
        if event is None:
            yield malformed_entry(delivery)
            return
        self._on_event(event)
        body = self._redaction.apply(event.body)
        found = self._update_connections(event, delivery, routes(event, delivery.app, self._connections, self._hosts))
        if found is None:
            self._count("EventErased")
            return
        if found:
            self._hosts.note(delivery.app, event)
        for route in found:
            yield published_entry(delivery, event, route, body, self._key(delivery, event, route.tenant))
        if not found:
            yield unrouted_entry(delivery, event, body, self._key(delivery, event, unrouted(delivery.app)))

    def _key(self, delivery: Delivery, event: ZoomEvent, owner: str) -> str:
        """Return the key of an event: the one that an older release stored this very event under, or today's."""
        if delivery.key:
            return delivery.key
        key, second = dedupe_key(event), second_key(event)
        for former in former_keys(event):
            stored = self._stored(delivery, owner, former)
            if stored is not None and has_key(stored, key):
                return former
        if second is not None:
            stored = self._stored(delivery, owner, key)
            return key if stored is None or has_key(stored, key) else second
        return key

    def _stored(self, delivery: Delivery, owner: str, key: str) -> LogEntry | None:
        return self._log.get(owner, event_id(source_of(delivery.app), owner, key))

    def _publish(self, batch: _Batch) -> frozenset[str]:
        """Publish what belongs to a tenant; the ids of what is not on the bus."""
        entries = [entry for entry, _ in batch.waiting.values() if not (entry.unrouted or entry.malformed)]
        failed: frozenset[str] = frozenset()
        if entries:
            try:
                self._publisher.publish([entry.cloud_event for entry in entries])
            except NotPublished as refused:
                failed = refused.failed
                self._count("EventNotPublished", len(failed))
                self._report("events not published", reason=",".join(refused.codes))
            published = Counter(entry.type for entry in entries if entry.event_id not in failed)
            for kind, number in published.items():
                self._count("EventPublished", number, type=kind.removeprefix("zoom."))
        return failed

    def _finish(self, batch: _Batch, unpublished: frozenset[str]) -> None:
        done = []
        for entry, _ in batch.waiting.values():
            if entry.event_id in unpublished:
                batch.fail(entry)
                continue
            if entry.unrouted or entry.malformed:
                self._count(_metric_of_unpublished(entry))
            done.append(entry)
        for entry, error in zip(done, self._log.finish_all(done) if done else (), strict=True):
            if error is not None:
                self._report("event not finished", reason=error.reason, cause=error.cause, event_id=entry.event_id)
                batch.fail(entry)


def _metric_of_unpublished(entry: LogEntry) -> str:
    """Return the metric of an event that is not published. Our own disconnect makes Zoom send a deauthorization."""
    if entry.malformed:
        return "EventMalformed"
    return "DeauthorizationOfNobody" if entry.type == f"zoom.{DEAUTHORIZED}" else "EventUnrouted"
