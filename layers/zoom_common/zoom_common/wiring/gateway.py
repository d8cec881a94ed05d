"""Builds a gateway to Zoom once per container, for the functions that call Zoom."""

from __future__ import annotations

import random
import secrets
import time
from typing import Protocol

from zoom_common.access.principal import Principal
from zoom_common.aws import clients
from zoom_common.aws.table import CONNECTIONS, COORDINATION, Table
from zoom_common.connections.access_tokens import AccessTokenSettings, access_tokens, reconnect_url
from zoom_common.connections.model import Connection
from zoom_common.connections.selection import select
from zoom_common.connections.store import ConnectionStore
from zoom_common.gateway.http_client import RetryingHttpClient, ZoomApiClient
from zoom_common.gateway.idempotency import Idempotency
from zoom_common.gateway.idempotency_store import IdempotencyStore
from zoom_common.gateway.read_cache import ChangeStore, ReadCache
from zoom_common.gateway.service import Gateway
from zoom_common.gateway.token_rejections import RejectedRequests
from zoom_common.gateway.usage import LiveUsage, UsageCounter
from zoom_common.ratelimit.limiter import RateLimiter, RateLimitRules
from zoom_common.ratelimit.quotas import DailyCalls, DailyStore
from zoom_common.ratelimit.slots import SlotStore
from zoom_common.transport import RequestsTransport


class GatewaySettings(AccessTokenSettings, Protocol):
    """What a function that calls Zoom is told: where the vault is, and where Zoom is."""

    @property
    def zoom_api_base_url(self) -> str: ...  # noqa: D102
    @property
    def coordination_table(self) -> str: ...  # noqa: D102
    @property
    def budget(self) -> RateLimitRules: ...  # noqa: D102
    @property
    def read_cache_seconds(self) -> float: ...  # noqa: D102


def gateway(settings: GatewaySettings) -> Gateway:
    """A gateway to Zoom over one kept-alive session, for connections in DynamoDB."""
    store = ConnectionStore(Table(clients.client("dynamodb"), settings.connections_table, CONNECTIONS))

    def selected(principal: Principal, requested: str | None) -> Connection:
        return select(principal, requested, store)

    shared = Table(clients.impatient_dynamodb(), settings.coordination_table, COORDINATION)
    budget = RateLimiter(
        slots=SlotStore(shared), daily=DailyCalls(DailyStore(shared)), rules=settings.budget, clock=time.time
    )
    return Gateway(
        select=selected,
        sender=ZoomApiClient(
            tokens=access_tokens(settings),
            exchange=RetryingHttpClient(
                transport=RequestsTransport(), turns=budget, clock=time.time, sleep=time.sleep, random=random.random
            ),
            usage=UsageCounter(live=LiveUsage(shared), clock=time.time),
            rejected=RejectedRequests(time.time),
            api_base_url=settings.zoom_api_base_url,
        ),
        keys=Idempotency(
            store=IdempotencyStore(shared),
            clock=time.time,
            sleep=time.sleep,
            random=random.random,
            new_id=lambda: secrets.token_hex(8),
        ),
        reads=ReadCache(
            changes=ChangeStore(shared, clock=time.time), seconds=settings.read_cache_seconds, clock=time.time
        ),
        reconnect_url=lambda connection: reconnect_url(settings, connection.connection_id),
    )
