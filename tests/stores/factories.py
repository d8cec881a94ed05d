"""How each store is made: over DynamoDB in memory as tests elsewhere have it, else as functions have it.

A suite asks here and nowhere else, so that another constructor is another line.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import EndpointConnectionError
from mypy_boto3_dynamodb import DynamoDBClient

from tests.fakes.access_stores import MemoryApiKeys, MemoryBearers
from tests.fakes.connection_stores import Memory, MemoryAuthorization, MemoryRefresh, MemoryTombstones
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.edge_stores import MemoryThrottle, MemoryWebhookStatus
from tests.fakes.event_stores import Hosts, Log, Projections
from tests.fakes.gateway_stores import MemoryCalendar, MemoryChanges, MemoryCounters, MemoryKeys, MemorySlots
from tests.fakes.tables import CONNECTIONS, COORDINATION, EVENTS
from zoom_common.access.bearers import BearerStore
from zoom_common.access.key_store import ApiKeyStore
from zoom_common.archive.ledger import Ledger
from zoom_common.archive.policy import PolicyStore
from zoom_common.aws.table import Table
from zoom_common.connections.link_store import AuthorizationStore
from zoom_common.connections.outbox import Outbox
from zoom_common.connections.refresh.store import RefreshStore
from zoom_common.connections.store import ConnectionStore
from zoom_common.connections.tombstones import Tombstones
from zoom_common.console.snapshot import Snapshots
from zoom_common.daily_counts import DailyCounts
from zoom_common.erasure.records import ErasureRecords
from zoom_common.erasure.removal import WholeTable
from zoom_common.events.log.index import LogIndex
from zoom_common.events.log.store import EventLog
from zoom_common.events.projections.store import ProjectionStore
from zoom_common.events.routing import HostStore
from zoom_common.events.subscriptions.delivery_store import DeliveryStore
from zoom_common.events.subscriptions.store import SubscriptionStore
from zoom_common.events.webhook.status import WebhookStatusStore
from zoom_common.gateway.change_store import ChangeStore
from zoom_common.gateway.host_calendar import HostCalendar
from zoom_common.gateway.idempotency_store import IdempotencyStore
from zoom_common.gateway.usage import KeptUsage, LiveUsage
from zoom_common.heartbeats import Heartbeats
from zoom_common.jobs.store import JobStore
from zoom_common.ratelimit.quotas import DailyStore, ThrottleStore
from zoom_common.ratelimit.slots import SlotStore

type Clock = Callable[[], float]


def connections(dynamodb: DynamoDBClient) -> ConnectionStore:
    memory = in_memory(dynamodb)
    return Memory(memory) if memory else ConnectionStore(Table(dynamodb, CONNECTIONS))


def subscriptions(dynamodb: DynamoDBClient) -> SubscriptionStore:
    return SubscriptionStore(Table(dynamodb, CONNECTIONS))


def deliveries(dynamodb: DynamoDBClient) -> DeliveryStore:
    return DeliveryStore(Table(dynamodb, EVENTS))


def refreshes(dynamodb: DynamoDBClient) -> RefreshStore:
    memory = in_memory(dynamodb)
    return MemoryRefresh(Memory(memory)) if memory else RefreshStore(Table(dynamodb, CONNECTIONS))


def authorizations(dynamodb: DynamoDBClient) -> AuthorizationStore:
    memory = in_memory(dynamodb)
    if memory:
        return MemoryAuthorization(Memory(memory))
    return AuthorizationStore(Table(dynamodb, COORDINATION), Table(dynamodb, CONNECTIONS))


def outbox(dynamodb: DynamoDBClient, send: Callable[[Any], object], clock: Clock) -> Outbox:
    memory = in_memory(dynamodb)
    return Outbox(Memory(memory).table if memory else Table(dynamodb, CONNECTIONS), send, clock=clock)


def tombstones(dynamodb: DynamoDBClient) -> Tombstones:
    memory = in_memory(dynamodb)
    return MemoryTombstones(memory) if memory else Tombstones(Table(dynamodb, CONNECTIONS))


def api_keys(dynamodb: DynamoDBClient) -> ApiKeyStore:
    memory = in_memory(dynamodb)
    return MemoryApiKeys(dynamodb=memory) if memory else ApiKeyStore(Table(dynamodb, CONNECTIONS))


def bearers(dynamodb: DynamoDBClient) -> BearerStore:
    memory = in_memory(dynamodb)
    return MemoryBearers(dynamodb=memory) if memory else BearerStore(Table(dynamodb, COORDINATION))


def slots(dynamodb: DynamoDBClient) -> SlotStore:
    memory = in_memory(dynamodb)
    return MemorySlots(memory) if memory else SlotStore(Table(dynamodb, COORDINATION))


def daily(dynamodb: DynamoDBClient) -> DailyStore:
    memory = in_memory(dynamodb)
    return MemoryCounters(memory) if memory else DailyStore(Table(dynamodb, COORDINATION))


def changes(dynamodb: DynamoDBClient, *, clock: Clock) -> ChangeStore:
    memory = in_memory(dynamodb)
    return MemoryChanges(memory, clock=clock) if memory else ChangeStore(Table(dynamodb, COORDINATION), clock=clock)


def calendar(dynamodb: DynamoDBClient, *, clock: Clock) -> HostCalendar:
    memory = in_memory(dynamodb)
    return MemoryCalendar(memory, clock=clock) if memory else HostCalendar(Table(dynamodb, COORDINATION), clock=clock)


def idempotency(dynamodb: DynamoDBClient) -> IdempotencyStore:
    memory = in_memory(dynamodb)
    return MemoryKeys(memory) if memory else IdempotencyStore(Table(dynamodb, COORDINATION))


def live_usage(dynamodb: DynamoDBClient) -> LiveUsage:
    return LiveUsage(Table(dynamodb, COORDINATION))


def kept_usage(dynamodb: DynamoDBClient, *, retention_days: int) -> KeptUsage:
    return KeptUsage(Table(dynamodb, EVENTS), retention_days=retention_days)


def throttle(dynamodb: DynamoDBClient) -> ThrottleStore:
    memory = in_memory(dynamodb)
    return MemoryThrottle(dynamodb=memory) if memory else ThrottleStore(Table(dynamodb, COORDINATION))


def event_log(dynamodb: DynamoDBClient, *, clock: Clock) -> EventLog:
    memory = in_memory(dynamodb)
    return Log(clock, memory) if memory else EventLog(Table(dynamodb, EVENTS), clock=clock)


def log_index(dynamodb: DynamoDBClient) -> LogIndex:
    return LogIndex(Table(dynamodb, EVENTS))


def hosts(dynamodb: DynamoDBClient, *, clock: Clock) -> HostStore:
    memory = in_memory(dynamodb)
    return Hosts(dynamodb=memory, clock=clock) if memory else HostStore(Table(dynamodb, EVENTS), clock=clock)


def projections(dynamodb: DynamoDBClient) -> ProjectionStore:
    memory = in_memory(dynamodb)
    return Projections(memory) if memory else ProjectionStore(Table(dynamodb, EVENTS), pause=lambda _: None)


def heartbeats(dynamodb: DynamoDBClient, *, clock: Clock) -> Heartbeats:
    return Heartbeats(table=Table(dynamodb, COORDINATION), clock=clock)


def daily_counts(dynamodb: DynamoDBClient, *, clock: Clock) -> DailyCounts:
    return DailyCounts(table=Table(dynamodb, COORDINATION), clock=clock)


def snapshots(dynamodb: DynamoDBClient, *, clock: Clock) -> Snapshots:
    return Snapshots(table=Table(dynamodb, CONNECTIONS), clock=clock)


def webhook_status(dynamodb: DynamoDBClient, *, clock: Clock) -> WebhookStatusStore:
    memory = in_memory(dynamodb)
    return (
        MemoryWebhookStatus(clock=clock, dynamodb=memory)
        if memory
        else WebhookStatusStore(Table(dynamodb, COORDINATION), clock)
    )


def jobs(dynamodb: DynamoDBClient) -> JobStore:
    return JobStore(Table(dynamodb, EVENTS))


def erasure_records(dynamodb: DynamoDBClient) -> ErasureRecords:
    return ErasureRecords(Table(dynamodb, CONNECTIONS))


def whole_table(dynamodb: DynamoDBClient, name: str) -> WholeTable:
    return WholeTable(Table(dynamodb, name))


def ledger(dynamodb: DynamoDBClient) -> Ledger:
    return Ledger(Table(dynamodb, EVENTS))


def policies(dynamodb: DynamoDBClient) -> PolicyStore:
    return PolicyStore(Table(dynamodb, EVENTS))


def in_memory(dynamodb: Any) -> MemoryDynamoDB | None:
    """The DynamoDB behind a client, if it is one in memory."""
    return dynamodb if isinstance(dynamodb, MemoryDynamoDB) else None


def away() -> DynamoDBClient:
    """A DynamoDB that cannot be reached."""
    dynamodb = MemoryDynamoDB()
    dynamodb.fails = EndpointConnectionError(endpoint_url="https://dynamodb.example")
    return dynamodb.client()
