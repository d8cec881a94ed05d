"""From the queue to the bus: parse, route, admit once, project, publish, and only then acknowledge.

A message is acknowledged when every event in it is published and recorded as such. Until then it comes back, and what
is published again has the same id and the same content.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from zoom_common import observability
from zoom_common.deadline import Deadline
from zoom_common.errors import DependencyFailed
from zoom_common.events.bus import MIDDLE, CloudEvent, NotPublished, event_id, rfc3339, sequence_of, source_of
from zoom_common.events.log.entries import Admission, LogEntry, malformed, unrouted
from zoom_common.events.projections.projectors import changes
from zoom_common.events.routing import Route, routes
from zoom_common.events.webhook.message import Delivery
from zoom_common.zoom.event_keys import dedupe_key, former_keys, second_key
from zoom_common.zoom.event_redaction import Redaction
from zoom_common.zoom.events import DEAUTHORIZED, MalformedEvent, ZoomEvent, epoch_ms, parse

if TYPE_CHECKING:
    from zoom_common.connections.store import ConnectionStore
    from zoom_common.events.log.store import EventLog
    from zoom_common.events.projections.store import ProjectionStore
    from zoom_common.events.routing import HostStore

# What publishing and recording a whole batch may take; messages not begun by then come back.
_RESERVE_SECONDS = 10.0


# An event of a start that names a much earlier one names the planned start.
_START_LAG_MS = 300_000

# Of one moment, a meeting first starts and at last ends. Who moves between rooms leaves one and joins the next.
_RANKS = {"started": 0, "participant_left": 4, "participant_joined": 5, "ended": 15}


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


@dataclass(slots=True)
class _Batch:
    """The admitted entries of one invocation with the messages that wait for each, and the messages that come back."""

    waiting: dict[tuple[str, str], tuple[LogEntry, set[str]]] = field(default_factory=dict)
    failed: set[str] = field(default_factory=set)

    def fail(self, entry: LogEntry) -> None:
        self.failed |= self.waiting[entry.owner, entry.event_id][1]


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

    def process(self, records: Sequence[Mapping[str, Any]], deadline: Deadline) -> list[str]:
        """Handle the records of an SQS event. Return the ids of the messages that have to come back."""
        batch = _Batch()
        for record in records:
            message = record["messageId"]
            if not deadline.allows(_RESERVE_SECONDS):
                batch.failed.add(message)
                continue
            try:
                delivery = Delivery.from_record(record)
                observability.begin_correlation(delivery.request_id, message)
                self._admit_all(delivery, message, batch)
            except Exception as error:  # noqa: BLE001 - one message's fault must not take its neighbours along
                self._count("EventFailed")
                self._report(
                    "event failed",
                    reason=getattr(error, "reason", type(error).__name__),
                    cause=getattr(error, "cause", ""),
                    message_id=message,
                )
                batch.failed.add(message)
        self._finish(batch, self._publish(batch))
        return [record["messageId"] for record in records if record["messageId"] in batch.failed]

    def _admit_all(self, delivery: Delivery, message: str, batch: _Batch) -> None:
        for entry in self._entries(delivery):
            admitted = self._log.admit(entry)
            identity = entry.owner, entry.event_id
            if admitted.entry is not None:
                self._project(admitted.entry)
                batch.waiting[identity] = admitted.entry, {message}
            elif admitted.outcome is Admission.FINISHED:
                self._count("EventDuplicate")
            elif identity in batch.waiting:
                batch.waiting[identity][1].add(message)
            else:
                batch.failed.add(message)

    def _project(self, entry: LogEntry) -> None:
        """Apply an event before it is published, so that whoever reads the state because of it finds it there."""
        if entry.unrouted or entry.malformed:
            return
        try:
            published = entry.cloud_event
            event = ZoomEvent(published.detail_type, dict(published.data or {}))
            stamp = event.true_since_by(entry.received_at_ms), entry.event_id
            said = changes(event)
        except Exception as error:  # noqa: BLE001 - what cannot be projected is published all the same
            self._count("EventNotProjected")
            self._report("event not projected", reason=type(error).__name__, event_id=entry.event_id)
            return
        self._projections.apply(entry.owner, said, stamp, published.connection_id)

    def _entries(self, delivery: Delivery) -> Iterator[LogEntry]:
        """Yield what to keep of one delivery: an entry for each tenant, or one entry that is unrouted or malformed."""
        try:
            event = parse(delivery.body)
        except MalformedEvent:
            yield _malformed_entry(delivery)
            return
        self._on_event(event)
        body = self._redaction.apply(event.body)
        found = self._update_connections(event, delivery, routes(event, delivery.app, self._connections, self._hosts))
        if found is None:
            self._count("EventErased")
            return
        if found:
            self._hosts.learn(delivery.app, event)
        for route in found:
            yield _published_entry(delivery, event, route, body, self._key(delivery, event, route.tenant))
        if not found:
            yield _unrouted_entry(delivery, event, body, self._key(delivery, event, unrouted(delivery.app)))

    def _key(self, delivery: Delivery, event: ZoomEvent, owner: str) -> str:
        """Return the key of an event: the one that an older release stored this very event under, or today's."""
        if delivery.key:
            return delivery.key
        key, second = dedupe_key(event), second_key(event)
        for former in former_keys(event):
            stored = self._stored(delivery, owner, former)
            if stored is not None and _has_key(stored, key):
                return former
        if second is not None:
            stored = self._stored(delivery, owner, key)
            return key if stored is None or _has_key(stored, key) else second
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
        for entry, _ in batch.waiting.values():
            if entry.event_id in unpublished:
                batch.fail(entry)
                continue
            if entry.unrouted or entry.malformed:
                self._count(_metric_of_unpublished(entry))
            try:
                self._log.finish(entry)
            except DependencyFailed as error:
                self._report("event not finished", reason=error.reason, cause=error.cause, event_id=entry.event_id)
                batch.fail(entry)


def _metric_of_unpublished(entry: LogEntry) -> str:
    """Return the metric of an event that is not published. Our own disconnect makes Zoom send a deauthorization."""
    if entry.malformed:
        return "EventMalformed"
    return "DeauthorizationOfNobody" if entry.type == f"zoom.{DEAUTHORIZED}" else "EventUnrouted"


def _published_entry(delivery: Delivery, event: ZoomEvent, route: Route, body: Mapping[str, Any], key: str) -> LogEntry:
    entry = _event_entry(delivery, event, route.tenant, key)
    cloud_event = CloudEvent(
        id=entry.event_id,
        source=source_of(delivery.app),
        type=entry.type,
        subject=entry.subject,
        time=rfc3339(event.occurred_by(delivery.received_at_ms)),
        tenant=route.tenant,
        connection_id=route.connection_id,
        correlation_id=delivery.request_id or None,
        uuid=entry.uuid,
        sequence=_sequence(delivery, event, entry),
        data=body,
        reconciled=delivery.reconciled,
    )
    return replace(entry, connection_id=route.connection_id, content=cloud_event.to_json().encode())


def _sequence(delivery: Delivery, event: ZoomEvent, entry: LogEntry) -> str | None:
    """Return the place among the events of one meeting, in the order in which they became true."""
    if not event.meeting_names:
        return None
    what = event.name.partition(".")[2]
    moment = event.true_since_by(delivery.received_at_ms)
    if what == "started":  # the event is written some time after the start
        start = epoch_ms(event.object.get("start_time"))
        moment = start if start is not None and 0 <= moment - start <= _START_LAG_MS else moment
    return sequence_of(moment, entry.event_id, _RANKS.get(what, MIDDLE))


def _unrouted_entry(delivery: Delivery, event: ZoomEvent, body: Mapping[str, Any], key: str) -> LogEntry:
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return replace(_event_entry(delivery, event, unrouted(delivery.app), key), content=content)


def _malformed_entry(delivery: Delivery) -> LogEntry:
    key = f"bytes:{hashlib.sha256(delivery.body).hexdigest()}"
    entry = _entry(delivery, malformed(delivery.app), key)
    return replace(entry, type="malformed", content=delivery.body)


def _has_key(stored: LogEntry, key: str) -> bool:
    """Return whether a stored event has this dedupe key today.

    Secrets were taken out of what is stored. So a key that is made of the whole payload cannot be made again, and such
    an event is the one that it was stored as.
    """
    if not stored.key.startswith("natural:"):
        return True
    body = json.loads(stored.content)
    return dedupe_key(ZoomEvent(stored.type.removeprefix("zoom."), body if stored.unrouted else body["data"])) == key


def _event_entry(delivery: Delivery, event: ZoomEvent, owner: str, key: str) -> LogEntry:
    entry = _entry(delivery, owner, key)
    return replace(
        entry,
        type=f"zoom.{event.name}",
        subject=event.subject,
        occurred_at_ms=None if event.occurred_at_ms is None else event.occurred_by(delivery.received_at_ms),
        uuid=_instance(event),
    )


def _instance(event: ZoomEvent) -> str | None:
    return event.instance if event.meeting_names else None


def _entry(delivery: Delivery, owner: str, key: str) -> LogEntry:
    return LogEntry(
        owner=owner,
        event_id=event_id(source_of(delivery.app), owner, key),
        key=key,
        app=delivery.app,
        type="",
        received_at_ms=delivery.received_at_ms,
        request_id=delivery.request_id,
    )
