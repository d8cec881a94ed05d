"""Turns verified deliveries from the ingest queue into events on the bus, each once."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from zoom_common.aws.at_once import ReadAhead
from zoom_common.aws.clients import client
from zoom_common.aws.table import CONNECTIONS, COORDINATION, EVENTS, Table
from zoom_common.connections.store import ConnectionStore
from zoom_common.connections.tombstones import Tombstones
from zoom_common.deadline import Deadline
from zoom_common.events.batch_reads import BatchReads
from zoom_common.events.bus import BusPublisher
from zoom_common.events.connection_events import ConnectionUpdates, Deauthorization, sender
from zoom_common.events.log.store import EventLog
from zoom_common.events.processor import EventProcessor
from zoom_common.events.projections.store import ProjectionStore
from zoom_common.events.routing import HostStore
from zoom_common.events.webhook.status import WebhookStatusStore, verified_apps
from zoom_common.gateway.change_store import ChangeStore
from zoom_common.gateway.host_calendar import HostCalendar
from zoom_common.heartbeats import WEBHOOK, Heartbeats
from zoom_common.observability import count, logger
from zoom_common.settings import optional, require
from zoom_common.zoom.event_redaction import Redaction
from zoom_common.zoom.events import ZoomEvent

if TYPE_CHECKING:
    from zoom_common.connections.outbox import Outbox


@dataclass(frozen=True, slots=True)
class Settings:
    """`from_env` raises MissingSetting."""

    connections_table: str
    events_table: str
    event_bus: str
    published_secrets: frozenset[str]
    """Kinds of secret that subscribers receive: download_tokens, passcodes, start_urls, stream_keys, ip_addresses."""
    retention_days: int
    projection_retention_days: int
    coordination_table: str
    reads_are_remembered: bool = False

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Return the settings in a function's environment."""
        kinds = optional(environ, "PUBLISHED_SECRETS").split(",")
        return cls(
            connections_table=require(environ, "CONNECTIONS_TABLE"),
            events_table=require(environ, "EVENTS_TABLE"),
            event_bus=require(environ, "EVENT_BUS"),
            published_secrets=frozenset(filter(None, (kind.strip() for kind in kinds))),
            retention_days=int(optional(environ, "EVENT_RETENTION_DAYS", "30")),
            projection_retention_days=int(optional(environ, "PROJECTION_RETENTION_DAYS", "400")),
            coordination_table=require(environ, "COORDINATION_TABLE"),
            reads_are_remembered=float(optional(environ, "READ_CACHE_SECONDS", "0")) > 0,
        )


@cache
def processor() -> EventProcessor:
    """Return the container's processor."""
    settings = Settings.from_env(os.environ)
    dynamodb = client("dynamodb")
    events = ReadAhead(dynamodb, settings.events_table, EVENTS)
    connections = ReadAhead(dynamodb, settings.connections_table, CONNECTIONS)
    hosts = HostStore(events, clock=time.time, retention_days=settings.retention_days)
    update_connections = _vault(settings, connections)
    return EventProcessor(
        log=EventLog(events, clock=time.time, retention_days=settings.retention_days),
        connections=ConnectionStore(connections),
        hosts=hosts,
        projections=ProjectionStore(events, retention_days=settings.projection_retention_days),
        publisher=BusPublisher(settings.event_bus, client("events")),
        redaction=Redaction(settings.published_secrets),
        count=_count,
        report=lambda message, **fields: logger().warning(message, **fields),
        update_connections=update_connections,
        on_event=_on_event(settings),
        reads=BatchReads(connections, events, hosts, knows_tenant=update_connections.knows),
    )


_duplicates = Counter[str]()


def _count(name: str, value: int = 1, **dimensions: str) -> None:
    """Count for the metrics, and duplicates also for operators."""
    count(name, value, **dimensions)
    if name == "EventDuplicate":
        _duplicates[name] += value


def _write_duplicates() -> None:
    """Add this batch's duplicates to the day's count. Few batches have any, and the others write nothing."""
    found = _duplicates.total()
    if not found:
        return
    _duplicates.clear()
    from zoom_common.daily_counts import DUPLICATES, DailyCounts  # noqa: PLC0415 - few batches need it

    counts = DailyCounts.from_env(os.environ, lambda: client("dynamodb"), clock=time.time)
    counts.add(*DUPLICATES, found)
    counts.write()


def _vault(settings: Settings, table: Table) -> ConnectionUpdates:
    connections = ConnectionStore(table)
    outbox = partial(_outbox, table, settings.event_bus)
    deauthorization = Deauthorization(connections=connections, outbox=outbox, clock=time.time)
    return ConnectionUpdates(connections, deauthorization, Tombstones(table), time.time)


def _outbox(table: Table, bus: str) -> Outbox:
    from zoom_common.connections.outbox import Outbox  # noqa: PLC0415 - people remove the app seldom

    return Outbox(table, sender(bus, lambda: client("events")), clock=time.time)


def _on_event(settings: Settings) -> Callable[[ZoomEvent], None]:
    """Return a function that updates the hosts' calendars, and records changes for the containers' cached reads."""
    shared = Table(client("dynamodb"), settings.coordination_table, COORDINATION)
    calendar = HostCalendar(shared, clock=time.time)
    if not settings.reads_are_remembered:
        return calendar.on_event
    changes = ChangeStore(shared, clock=time.time)

    def both(event: ZoomEvent) -> None:
        calendar.on_event(event)
        changes.on_event(event)

    return both


@cache
def heartbeats() -> Heartbeats:
    """Return the heartbeats. One of them records that a delivery arrived."""
    return Heartbeats.from_env(os.environ, lambda: client("dynamodb"), clock=time.time)


@cache
def webhook_status() -> WebhookStatusStore:
    """Return the store of each app's last delivery."""
    return WebhookStatusStore(
        Table(client("dynamodb"), Settings.from_env(os.environ).coordination_table, COORDINATION), time.time
    )


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle a batch. The answer names the messages that have to come back."""
    deadline = Deadline.after(context.get_remaining_time_in_millis() / 1000)
    failed = processor().process(event["Records"], deadline)
    if failed:
        logger().warning("messages come back", messages=failed)
    _write_duplicates()
    delivered = verified_apps(event["Records"])
    if delivered:  # an event that reconcile made does not show that Zoom delivers
        heartbeats().beat(WEBHOOK)
    for app, at in delivered.items():
        webhook_status().verified(app, at)
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}
