"""Stands in for what the events room talks to: Zoom's signature, the clock, the queue, the bus."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.event_stores import Crash
from zoom_common.deadline import Deadline
from zoom_common.errors import Unavailable
from zoom_common.events.bus import CloudEvent, NotPublished
from zoom_common.events.log.entries import Admitted, LogEntry
from zoom_common.events.log.store import EventLog
from zoom_common.events.webhook.message import Delivery

NOW = 1_790_000_000.0
SECRET = "a-webhook-secret"
APP = "AppClientId_1"


def zoom_headers(body: bytes, *, secret: str = SECRET, at: float = NOW) -> dict[str, str]:
    """The headers Zoom sends along, written from its documentation and not with our code."""
    stamp = str(int(at))
    digest = hmac.new(secret.encode(), f"v0:{stamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {
        "content-type": "application/json; charset=utf-8",
        "x-zm-request-id": "f8e7d6c5_b4a3_4a2b_9c1d_0123456789ab",
        "x-zm-request-timestamp": stamp,
        "x-zm-signature": f"v0={digest}",
    }


def meeting(
    name: str, *, host: str = "host-1", uuid: str = "uu/id==", ts: int = 1_789_999_999_000, **more: Any
) -> bytes:
    """A delivered body about a meeting, `more` being further fields of its object."""
    thing = {"id": "85746065", "uuid": uuid, "host_id": host, "topic": "Stand-up", **more}
    return json.dumps({"event": name, "event_ts": ts, "payload": {"account_id": "acc-1", "object": thing}}).encode()


def plenty() -> Deadline:
    """A deadline that is far off and stays there."""
    return Deadline(1000.0, clock=lambda: 0.0)


def record(
    body: bytes, *, message: str = "m-1", app: str = APP, received_at_ms: int = int(NOW * 1000), key: str = ""
) -> dict[str, Any]:
    """One record of the event a Lambda gets for a message on the ingest queue."""
    sent = Delivery(app, body, received_at_ms, "r-1", key=key).to_message()
    attributes = {
        name: {"dataType": value["DataType"], "stringValue": value["StringValue"]}
        for name, value in sent["MessageAttributes"].items()
    }
    return {"messageId": message, "body": sent["MessageBody"], "messageAttributes": attributes}


@dataclass
class Clock:
    """Epoch seconds that pass when told to."""

    now: float = NOW

    def __call__(self) -> float:
        return self.now


@dataclass
class Queue:
    """An ingest queue that remembers, or is down."""

    deliveries: list[Delivery] = field(default_factory=list)
    down: bool = False

    def send(self, delivery: Delivery, deadline: Deadline) -> None:  # noqa: ARG002 - the seam has it
        delivery.to_message()
        if self.down:
            raise Unavailable(reason="ingest_queue_unreachable")
        self.deliveries.append(delivery)


@dataclass
class StatusNotes:
    """Remembers what the receiver noted."""

    noted: list[tuple[str, str]] = field(default_factory=list)

    def challenged(self, app: str, deadline: Deadline) -> None:
        assert deadline
        self.noted.append(("challenged", app))

    def rejected(self, reason: str, deadline: Deadline) -> None:
        assert deadline
        self.noted.append(("rejected", reason))


def logged(log: EventLog, entry: LogEntry) -> Admitted:
    """Admit an event that is new and finish it, as the processor does: now the log lists it."""
    admitted = log.admit(entry)
    if admitted.entry is not None:
        log.finish(admitted.entry)
    return admitted


@dataclass
class Bus:
    """A bus that remembers; `refusing` names event types it has no room for."""

    events: list[CloudEvent] = field(default_factory=list)
    refusing: set[str] = field(default_factory=set)
    crash: bool = False

    def publish(self, events: Sequence[CloudEvent]) -> None:
        if self.crash:
            raise Crash
        refused = [event.id for event in events if event.detail_type in self.refusing]
        self.events += [event for event in events if event.id not in refused]
        if refused:
            raise NotPublished(dict.fromkeys(refused, "InternalFailure"))


@dataclass
class Counts:
    """Counters by name, and what was reported."""

    totals: dict[str, int] = field(default_factory=dict)
    reports: list[Mapping[str, str]] = field(default_factory=list)

    def count(self, name: str, value: int = 1, **_dimensions: str) -> None:
        self.totals[name] = self.totals.get(name, 0) + value

    def report(self, message: str, **fields: str) -> None:
        self.reports.append({"message": message, **fields})
