"""Wires the reconciler: the gateway as its eyes, the ingest queue as its mouth."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from zoom_common.access.principal import EVERY_SCOPE, Principal
from zoom_common.aws import clients
from zoom_common.aws.table import CONNECTIONS, EVENTS, Table
from zoom_common.connections.item import SHARDS
from zoom_common.connections.model import ALIVE, Connection
from zoom_common.connections.queue import RefreshQueue
from zoom_common.connections.refresh_store import RefreshStore
from zoom_common.connections.store import ConnectionStore
from zoom_common.deadline import Deadline
from zoom_common.edge import observability
from zoom_common.edge.settings.reconcile import Settings
from zoom_common.errors import ConnectionUnusable, Forbidden, ZoomRefused
from zoom_common.events.host_store import HostStore
from zoom_common.events.log_index_store import LogIndex
from zoom_common.events.log_store import EventLog
from zoom_common.events.projection_store import ProjectionStore
from zoom_common.events.reconciliation.ingest_queue import IngestQueue
from zoom_common.events.reconciliation.reconciler import (
    LOOKBACK_SECONDS,
    SETTLED_SECONDS,
    Reconciled,
    Reconciler,
)
from zoom_common.events.reconciliation.second_look import SecondLook
from zoom_common.events.reconciliation.sight import MISSING_SCOPES, NO_PERMISSION, Read, Unseen
from zoom_common.gateway.api_request import ApiRequest
from zoom_common.gateway.call import Gateway
from zoom_common.gateway.wiring import gateway

# A connection is due some day: at the latest when its refresh token grows old. So the index of due times has them all.
_EVER = 10 * 365 * 86_400
_SPREAD_SECONDS = 600
# Zoom's codes for what a connection is not shown at all, whatever the id.
_NOT_SHOWN = {4711: MISSING_SCOPES, 200: NO_PERMISSION}


class Reconciliation:
    """All that one container needs."""

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
        self._log = EventLog(events, clock=clock)
        self._hosts = HostStore(events, clock=clock)
        self._queue = IngestQueue(settings.ingest_queue_url, clients.boto3_client("sqs"))

    def hand_out(self) -> int:
        """One message for every connection in use, spread over ten minutes; how many. Raises Unavailable."""
        handed_out = 0
        for shard in range(SHARDS):
            after: dict[str, Any] | None = None
            while True:
                page, after = self._index.due(f"{shard:02d}", now=self._clock() + _EVER, after=after)
                handed_out += self._workers.enqueue(page, delay=_SPREAD_SECONDS)
                if after is None:
                    break
        return handed_out

    def look_again(self, apps: Iterable[str]) -> int:
        """Events that came before it was known whose meeting they are about, sent on; how many. Raises Unavailable."""
        look = SecondLook(log=self._log, lines=self._lines, send=self._queue.send, clock=self._clock)
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
        """Reconcile one connection, as of now or of the epoch seconds `at`; None when it is not in use any more.

        Raises GatewayError for a later try.
        """
        connection = self._connections.get(tenant, connection_id)
        if connection is None or connection.state not in ALIVE:
            return None
        reconciler = Reconciler(
            projections=self._projections,
            lines=self._lines,
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
    """Reads through the gateway and its budget as the job that the connection serves."""
    job = Principal(connection.tenant, "job:reconcile", frozenset({EVERY_SCOPE}), connection=connection.connection_id)

    def read(path: str) -> Mapping[str, Any] | None:
        try:
            answer = gateway.call(ApiRequest.read(path, job, deadline))
        except Forbidden:
            raise Unseen(MISSING_SCOPES) from None  # the person did not grant it
        except ZoomRefused as refused:
            if refused.retryable:
                raise
            if refused.zoom_code in _NOT_SHOWN:
                raise Unseen(_NOT_SHOWN[refused.zoom_code]) from None
            return None
        found = json.loads(answer.body)
        if not isinstance(found, dict):
            return None
        if "message" in found and found.get("code") in _NOT_SHOWN:
            raise Unseen(_NOT_SHOWN[found["code"]])  # Zoom's pages on webinars print refusals with a 200
        return found

    return read
