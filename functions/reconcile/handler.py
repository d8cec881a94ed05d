"""Finds events that never arrived: by schedule for all connections, from its queue for one at a time.

In each round it also measures whether Zoom's deliveries arrive at all.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from zoom_common import observability
from zoom_common.access.principal import EVERY_SCOPE, Principal
from zoom_common.aws import clients
from zoom_common.aws.table import CONNECTIONS, COORDINATION, EVENTS, Table
from zoom_common.connections.model import ALIVE, Connection
from zoom_common.connections.queues import RefreshQueue
from zoom_common.connections.refresh.store import RefreshStore
from zoom_common.connections.store import SHARDS, ConnectionStore
from zoom_common.deadline import Deadline
from zoom_common.edge.zoom_api import ZoomApiSettings
from zoom_common.errors import ConnectionUnusable, GatewayError, InternalError
from zoom_common.events.bus import BusPublisher
from zoom_common.events.log.index import LogIndex
from zoom_common.events.log.store import EventLog
from zoom_common.events.projections.store import ProjectionStore
from zoom_common.events.reconciliation.reconciler import LOOKBACK_SECONDS, SETTLED_SECONDS, Reconciled, Reconciler
from zoom_common.events.reconciliation.settlement import SettledPublisher
from zoom_common.events.reconciliation.unrouted_replay import IngestQueue, UnroutedReplay
from zoom_common.events.reconciliation.zoom_reader import Read
from zoom_common.events.routing import HostStore
from zoom_common.events.webhook.secrets import UnusableSecrets
from zoom_common.events.webhook.status import WebhookHealth, WebhookStatusStore, read_webhook_secrets
from zoom_common.gateway import background_reads
from zoom_common.gateway.service import Gateway
from zoom_common.observability import count, fault, logger, measure
from zoom_common.settings import optional, require
from zoom_common.wiring.gateway import gateway


@dataclass(frozen=True, slots=True)
class Settings:
    """`from_env` raises MissingSetting."""

    zoom_api: ZoomApiSettings
    events_table: str
    ingest_queue_url: str
    reconcile_queue_url: str
    webhook_secret_arn: str
    coordination_table: str
    projection_retention_days: int
    event_bus: str
    event_retention_days: int

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Return the settings in a function's environment."""
        return cls(
            zoom_api=ZoomApiSettings.from_env(environ),
            events_table=require(environ, "EVENTS_TABLE"),
            ingest_queue_url=require(environ, "INGEST_QUEUE_URL"),
            reconcile_queue_url=require(environ, "RECONCILE_QUEUE_URL"),
            webhook_secret_arn=require(environ, "ZOOM_WEBHOOK_SECRET_ARN"),
            coordination_table=require(environ, "COORDINATION_TABLE"),
            projection_retention_days=int(optional(environ, "PROJECTION_RETENTION_DAYS", "400")),
            event_bus=require(environ, "EVENT_BUS"),
            event_retention_days=int(optional(environ, "EVENT_RETENTION_DAYS", "30")),
        )


# Every connection in use has a due time, at the latest when its refresh token gets old. So the index of due times has
# all.
_EVER = 10 * 365 * 86_400


_SPREAD_SECONDS = 600


class Reconciliation:
    """All collaborators of one container."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.time) -> None:
        dynamodb = clients.boto3_client("dynamodb")
        table = Table(dynamodb, settings.zoom_api.connections_table, CONNECTIONS)
        events = Table(dynamodb, settings.events_table, EVENTS)
        self._clock = clock
        self._connections = ConnectionStore(table)
        self._index = RefreshStore(table)
        self._workers = RefreshQueue(clients.boto3_client("sqs"), settings.reconcile_queue_url)
        self._gateway: Gateway = gateway(settings.zoom_api)
        self._projections = ProjectionStore(events, retention_days=settings.projection_retention_days)
        self._lines = LogIndex(events)
        self._log = EventLog(events, clock=clock, retention_days=settings.event_retention_days)
        self._hosts = HostStore(events, clock=clock, retention_days=settings.event_retention_days)
        bus = BusPublisher(settings.event_bus, clients.boto3_client("events"))
        self._publisher = SettledPublisher(self._log, bus.publish, clock)
        self._queue = IngestQueue(settings.ingest_queue_url, clients.boto3_client("sqs"))

    def hand_out(self) -> int:
        """Queue one message for every connection in use, spread over ten minutes. Return their number.

        Raises Unavailable.
        """
        handed_out = 0
        for shard in range(SHARDS):
            after: dict[str, Any] | None = None
            while True:
                page, after = self._index.due(f"{shard:02d}", now=self._clock() + _EVER, after=after)
                handed_out += self._workers.enqueue(page, delay=_SPREAD_SECONDS)
                if after is None:
                    break
        return handed_out

    def replay_unrouted(self, apps: Iterable[str]) -> int:
        """Process events again that arrived before their host was known. Return their number. Raises Unavailable."""
        look = UnroutedReplay(log=self._log, lines=self._lines, send=self._queue.send, clock=self._clock)
        return sum(look.of_known_hosts(app, self._hosts) for app in apps)

    def reconcile(
        self,
        tenant: str,
        connection_id: str,
        deadline: Deadline,
        *,
        settled: float = SETTLED_SECONDS,
        at: float | None = None,
    ) -> Reconciled | None:
        """Reconcile one connection, as of now or of the epoch seconds `at`. Return None when it is not in use any more.

        Raises GatewayError for a later try.
        """
        connection = self._connections.get(tenant, connection_id)
        if connection is None or connection.state not in ALIVE:
            return None
        reconciler = Reconciler(
            projections=self._projections,
            lines=self._lines,
            hosts=self._hosts,
            publisher=self._publisher,
            send=self._queue.send,
            clock=self._clock if at is None else lambda: at,
            settled=settled,
        )
        try:
            done = reconciler.reconcile(connection, reading(self._gateway, connection, deadline), deadline)
        except ConnectionUnusable:
            return None
        if done.missing and (connection.last_webhook_at or 0.0) < self._clock() - LOOKBACK_SECONDS:
            observability.count("ConnectionUnheard")
            observability.logger().warning("no webhook for two days", connection=connection_id, missing=done.missing)
        return done


def reading(gateway: Gateway, connection: Connection, deadline: Deadline) -> Read:
    """Return reads through the gateway and its rate limits, as the principal of the connection."""
    job = Principal(connection.tenant, "job:reconcile", frozenset({EVERY_SCOPE}), connection=connection.connection_id)
    return background_reads.reading(gateway, job, deadline)


@cache
def reconciliation() -> Reconciliation:
    """Return the collaborators, made once per container."""
    return Reconciliation(Settings.from_env(os.environ))


@cache
def webhook_health() -> WebhookHealth:
    """Return what the hourly check needs."""
    settings = Settings.from_env(os.environ)
    return WebhookHealth(
        webhook_status=WebhookStatusStore(
            Table(clients.boto3_client("dynamodb"), settings.coordination_table, COORDINATION), time.time
        ),
        secrets=partial(read_webhook_secrets, clients.boto3_client("secretsmanager"), settings.webhook_secret_arn),
        measure=measure,
        clock=time.time,
    )


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Queue all connections, or work on messages. The answer names the messages that have to come back."""
    deadline = Deadline.after(context.get_remaining_time_in_millis() / 1000)
    if "Records" in event:
        failed = [each["messageId"] for each in event["Records"] if not _worked(json.loads(each["body"]), deadline)]
        return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}
    if event.get("action") == "reconcile":
        try:
            return _one(event, deadline)
        except GatewayError as error:
            return {"outcome": "failed", "reason": error.reason}
    apps = _measure_webhooks()
    if event.get("action") == "webhook_health":
        return {"apps": len(apps)}
    handed_out = reconciliation().hand_out()
    logger().info("connections handed out", connections=handed_out)
    again = reconciliation().replay_unrouted(apps)
    if again:
        count("EventsLookedAtAgain", again)
    return {"handed_out": handed_out, "looked_at_again": again}


def _measure_webhooks() -> list[str]:
    """Return the checked Zoom apps, or none when the check failed, which must not prevent the round."""
    try:
        return webhook_health().look()
    except (GatewayError, UnusableSecrets) as error:
        if isinstance(error, InternalError):
            fault(error)
        count("WebhookHealthUnknown")
        logger().warning("webhook health unknown", reason=error.reason)
        return []


def _worked(work: dict[str, Any], deadline: Deadline) -> bool:
    try:
        _one(work, deadline)
    except GatewayError as error:
        if isinstance(error, InternalError):
            fault(error, connection=str(work.get("connection_id")))
        count("ReconcileFailed")
        logger().warning("not reconciled", reason=error.reason, connection=work.get("connection_id"))
        return False
    return True


def _one(work: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
    """Reconcile one connection. A manual call can set `settled_seconds` (two hours) and `at` (epoch seconds)."""
    settled, at = float(work.get("settled_seconds", SETTLED_SECONDS)), work.get("at")
    done = reconciliation().reconcile(work["tenant"], work["connection_id"], deadline, settled=settled, at=at)
    if done is None:
        return {"outcome": "not_in_use"}
    count("InstancesCompared", done.compared)
    if done.missing:
        count("EventsReconciled", done.missing)
        logger().warning("events were missing", connection=work["connection_id"], missing=done.missing)
    if done.settled:
        count("AttendanceSettled", done.settled)
    for what, reason in done.partial.items():
        count("ReconciledInPart", what=what, reason=reason)
    return {
        "outcome": "reconciled",
        "compared": done.compared,
        "missing": done.missing,
        "settled": done.settled,
        "complete": done.complete,
        "partial": dict(done.partial),
        "unseen": dict(done.unseen),
    }
