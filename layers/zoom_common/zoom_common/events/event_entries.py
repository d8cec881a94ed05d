"""What the log keeps of one delivery: an entry for each tenant, or one of what is unrouted or malformed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from zoom_common.events.bus import MIDDLE, CloudEvent, event_id, rfc3339, sequence_of, source_of
from zoom_common.events.log.entries import LogEntry, malformed, unrouted
from zoom_common.events.routing import Route
from zoom_common.events.webhook.message import Delivery
from zoom_common.zoom.event_keys import dedupe_key, former_keys, second_key
from zoom_common.zoom.event_users import values_at
from zoom_common.zoom.events import ZoomEvent, epoch_ms, is_unfinished

# An event of a start that names a much earlier one names the planned start.
_START_LAG_MS = 300_000

_RECORDED = frozenset({"recording.completed", "recording.transcript_completed"})
_FILES = ("object.recording_files[]", "object.participant_audio_files[]")

# Of one moment, a meeting first starts and at last ends. Who moves between rooms leaves one and joins the next.
_RANKS = {"started": 0, "participant_left": 4, "participant_joined": 5, "ended": 15}


def published_entry(delivery: Delivery, event: ZoomEvent, route: Route, body: Mapping[str, Any], key: str) -> LogEntry:
    """Return the entry of an event that belongs to a tenant, with the CloudEvent to be published."""
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
    return sequence_of(moment, entry.event_id, MIDDLE - 1 if _is_in_processing(event) else _RANKS.get(what, MIDDLE))


def _is_in_processing(event: ZoomEvent) -> bool:
    """Return whether a recording has a file that is not completed: the event with the completed one comes later."""
    if event.name not in _RECORDED:
        return False
    files = (file for name in _FILES for file in values_at(event.payload, name))
    return any(isinstance(file, dict) and is_unfinished(file) for file in files)


def unrouted_entry(delivery: Delivery, event: ZoomEvent, body: Mapping[str, Any], key: str) -> LogEntry:
    """Return the entry of an event that belongs to nobody, with Zoom's body."""
    content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    return replace(_event_entry(delivery, event, unrouted(delivery.app), key), content=content)


def malformed_entry(delivery: Delivery) -> LogEntry:
    """Return the entry of a delivery that cannot be parsed, as it came."""
    key = malformed_key(delivery)
    entry = _entry(delivery, malformed(delivery.app), key)
    return replace(entry, type="malformed", content=delivery.body)


def malformed_key(delivery: Delivery) -> str:
    """Return the dedupe key of a delivery that cannot be parsed."""
    return f"bytes:{hashlib.sha256(delivery.body).hexdigest()}"


def possible_keys(delivery: Delivery, event: ZoomEvent) -> set[str]:
    """Return every key that the event may be stored under: of an older release too."""
    if delivery.key:
        return {delivery.key}
    return {dedupe_key(event), *former_keys(event), *filter(None, [second_key(event)])}


def has_key(stored: LogEntry, key: str) -> bool:
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
