"""Builds a gateway to Zoom once per container, for the functions that call Zoom."""

from __future__ import annotations

import random
import secrets
import time
from functools import partial
from typing import Protocol

from zoom_common.aws import clients
from zoom_common.aws.table import CONNECTIONS, COORDINATION, Table
from zoom_common.connections.access_tokens import AccessTokens, RefreshFunction, reconnect_url
from zoom_common.connections.cipher import Cipher, SealKind
from zoom_common.connections.selection import select
from zoom_common.connections.store import ConnectionStore
from zoom_common.gateway.change_store import ChangeStore
from zoom_common.gateway.host_calendar import HostCalendar
from zoom_common.gateway.http_client import RetryingHttpClient, ZoomApiClient
from zoom_common.gateway.idempotency import Idempotency
from zoom_common.gateway.idempotency_store import IdempotencyStore
from zoom_common.gateway.read_cache import ReadCache
from zoom_common.gateway.service import Gateway
from zoom_common.gateway.token_rejections import RejectedRequests
from zoom_common.gateway.usage import LiveUsage, UsageCounter
from zoom_common.ratelimit.limiter import RateLimiter, RateLimitRules
from zoom_common.ratelimit.quotas import DailyCalls, DailyStore
from zoom_common.ratelimit.slots import SlotStore
from zoom_common.transport import RequestsTransport


class GatewaySettings(Protocol):
    """The settings of a function that calls Zoom."""

    @property
    def connections_table(self) -> str: ...  # noqa: D102
    @property
    def data_key_id(self) -> str: ...  # noqa: D102
    @property
    def token_refresh_function(self) -> str: ...  # noqa: D102
    @property
    def public_base_url(self) -> str: ...  # noqa: D102
    @property
    def connect_page_url(self) -> str: ...  # noqa: D102

    @property
    def zoom_api_base_url(self) -> str: ...  # noqa: D102
    @property
    def coordination_table(self) -> str: ...  # noqa: D102
    @property
    def budget(self) -> RateLimitRules: ...  # noqa: D102
    @property
    def read_cache_seconds(self) -> float: ...  # noqa: D102
    @property
    def pass_through(self) -> bool: ...  # noqa: D102
    @property
    def zoom_client_id(self) -> str: ...  # noqa: D102


def gateway(settings: GatewaySettings) -> Gateway:
    """Return a gateway to Zoom over one kept-alive session, for connections in DynamoDB."""
    connections = ConnectionStore(Table(clients.client("dynamodb"), settings.connections_table, CONNECTIONS))

    shared = Table(clients.impatient_dynamodb(), settings.coordination_table, COORDINATION)
    limiter = RateLimiter(
        slots=SlotStore(shared), daily=DailyCalls(DailyStore(shared)), rules=settings.budget, clock=time.time
    )
    return Gateway(
        select=partial(select, store=connections, app=settings.zoom_client_id),
        client=ZoomApiClient(
            tokens=_access_tokens(settings, connections),
            http=RetryingHttpClient(
                transport=RequestsTransport(), limiter=limiter, clock=time.time, sleep=time.sleep, random=random.random
            ),
            usage=UsageCounter(begin_write=LiveUsage(shared).begin, clock=time.time),
            rejected=RejectedRequests(time.time),
            api_base_url=settings.zoom_api_base_url,
        ),
        idempotency=Idempotency(
            store=IdempotencyStore(shared),
            clock=time.time,
            sleep=time.sleep,
            random=random.random,
            new_id=lambda: secrets.token_hex(8),
        ),
        read_cache=ReadCache(
            changes=ChangeStore(shared, clock=time.time), seconds=settings.read_cache_seconds, clock=time.time
        ),
        reconnect_url=lambda connection: reconnect_url(settings, connection.connection_id),
        passes_on=settings.pass_through,
        calendar=HostCalendar(shared, clock=time.time),
    )


def _access_tokens(settings: GatewaySettings, connections: ConnectionStore) -> AccessTokens:
    """Return the vault's access tokens, for a function that may read connections and use DataKey only."""
    return AccessTokens(
        connections,
        Cipher(clients.client("kms"), {SealKind.ACCESS: settings.data_key_id}),
        RefreshFunction(clients.client("lambda"), settings.token_refresh_function),
        reconnect_url=lambda connection_id: reconnect_url(settings, connection_id),
    )
