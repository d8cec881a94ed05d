"""Turns verified deliveries on the ingest queue into events on the bus, each once."""

from __future__ import annotations

import os
import time
from functools import cache
from typing import Any

from zoom_common.aws.clients import client
from zoom_common.aws.table import CONNECTIONS, COORDINATION, EVENTS, Table
from zoom_common.connections.deauthorization import Deauthorization
from zoom_common.connections.store import ConnectionStore
from zoom_common.connections.tombstones import Tombstones
from zoom_common.deadline import Deadline
from zoom_common.edge.connection_changes import publisher
from zoom_common.edge.heartbeat_store import WEBHOOK, Heartbeats
from zoom_common.edge.observability import count, logger
from zoom_common.edge.settings.event_processor import Settings
from zoom_common.edge.vault_notices import VaultNotices
from zoom_common.edge.webhook_signs_store import WebhookSigns, verified_apps
from zoom_common.events.bus import BusPublisher
from zoom_common.events.host_store import HostStore
from zoom_common.events.log_store import EventLog
from zoom_common.events.processor import EventProcessor
from zoom_common.events.projection_store import ProjectionStore
from zoom_common.gateway.change_store import ChangeStore
from zoom_common.zoom.event_secrets import Redaction


@cache
def processor() -> EventProcessor:
    """The container's processor."""
    settings = Settings.from_env(os.environ)
    dynamodb = client("dynamodb")
    events = Table(dynamodb, settings.events_table, EVENTS)
    return EventProcessor(
        log=EventLog(events, clock=time.time, retention_days=settings.retention_days),
        connections=ConnectionStore(Table(dynamodb, settings.connections_table, CONNECTIONS)),
        hosts=HostStore(events, clock=time.time, retention_days=settings.retention_days),
        projections=ProjectionStore(events, retention_days=settings.projection_retention_days),
        publisher=BusPublisher(settings.event_bus, client("events")),
        redaction=Redaction(settings.published_secrets),
        count=count,
        report=lambda message, **fields: logger().warning(message, **fields),
        notice=_vault(settings),
        **_for_those_who_remember(settings),
    )


def _vault(settings: Settings) -> VaultNotices:
    table = Table(client("dynamodb"), settings.connections_table, CONNECTIONS)
    connections = ConnectionStore(table)
    publish = publisher(settings.event_bus, lambda: client("events"))
    deauthorization = Deauthorization(connections=connections, publish=publish, clock=time.time)
    return VaultNotices(connections, deauthorization, Tombstones(table), time.time)


def _for_those_who_remember(settings: Settings) -> dict[str, Any]:
    """Containers that answer reads from memory have to hear of changes; where none do, nobody is told."""
    if not settings.reads_are_remembered:
        return {}
    return {
        "tell": ChangeStore(Table(client("dynamodb"), settings.coordination_table, COORDINATION), clock=time.time).told
    }


@cache
def heartbeats() -> Heartbeats:
    """Where deliveries leave word that they came."""
    return Heartbeats.from_env(os.environ, lambda: client("dynamodb"), clock=time.time)


@cache
def signs() -> WebhookSigns:
    """Where each app's last delivery is noted."""
    return WebhookSigns(
        Table(client("dynamodb"), Settings.from_env(os.environ).coordination_table, COORDINATION), time.time
    )


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Handle a batch; the messages named in the answer come back."""
    deadline = Deadline.after(context.get_remaining_time_in_millis() / 1000)
    failed = processor().process(event["Records"], deadline)
    if failed:
        logger().warning("messages come back", messages=failed)
    delivered = verified_apps(event["Records"])
    if delivered:  # what reconcile made says nothing about Zoom's deliveries
        heartbeats().beat(WEBHOOK)
    for app, at in delivered.items():
        signs().verified(app, at)
    return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}
