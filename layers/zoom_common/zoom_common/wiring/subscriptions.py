"""Builds what the functions for subscriptions share: settings, stores, secrets, and the parts that send and settle."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from zoom_common.aws.clients import boto3_client, sqs_in
from zoom_common.aws.table import CONNECTIONS, COORDINATION, EVENTS, Table
from zoom_common.connections.cipher import Cipher, SealKind
from zoom_common.daily_counts import DELIVERIES, DailyCounts
from zoom_common.events.bus import BusPublisher
from zoom_common.events.log.index import LogIndex
from zoom_common.events.log.store import EventLog
from zoom_common.events.subscriptions.delivery_store import DeliveryStore
from zoom_common.events.subscriptions.drain import Drain
from zoom_common.events.subscriptions.fanout import FanOut, WakeQueue, run_in_threads
from zoom_common.events.subscriptions.redelivery import Redelivery
from zoom_common.events.subscriptions.sending import Sender, SigningSecrets
from zoom_common.events.subscriptions.settling import Settlement, Tally
from zoom_common.events.subscriptions.store import SubscriptionStore
from zoom_common.events.subscriptions.target_client import EndpointClient, TargetQueues
from zoom_common.observability import count, logger
from zoom_common.settings import optional, require

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True)
class SubscriptionSettings:
    """`wake_queue_url` and `event_bus` are empty for functions that do not use them."""

    connections_table: str
    events_table: str
    coordination_table: str
    data_key: str
    retention_days: int
    local: bool
    enabled: bool
    wake_queue_url: str
    event_bus: str

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> SubscriptionSettings:
        """Read the settings. Raises MissingSetting."""
        return cls(
            connections_table=require(environ, "CONNECTIONS_TABLE"),
            events_table=require(environ, "EVENTS_TABLE"),
            coordination_table=require(environ, "COORDINATION_TABLE"),
            data_key=require(environ, "DATA_KEY_ID"),
            retention_days=int(optional(environ, "EVENT_RETENTION_DAYS", "30")),
            local=optional(environ, "STAGE") == "local",
            enabled=optional(environ, "SUBSCRIPTIONS") == "on",
            wake_queue_url=optional(environ, "WAKE_QUEUE_URL"),
            event_bus=optional(environ, "EVENT_BUS"),
        )


class Subscriptions:
    """The collaborators of one container, each made when it is first used."""

    def __init__(self, settings: SubscriptionSettings) -> None:
        self._settings = settings
        self.tally = Tally(self._counted, written=self._write_daily)

    def _counted(self, name: str, value: int = 1, **dimensions: str) -> None:
        count(name, value, **dimensions)
        if name == "Deliveries":
            self._daily.add(DELIVERIES, dimensions["outcome"], value)

    def _write_daily(self) -> None:
        self._daily.write()

    @cached_property
    def _daily(self) -> DailyCounts:
        table = Table(boto3_client("dynamodb"), self._settings.coordination_table, COORDINATION)
        return DailyCounts(table=table, clock=time.time)

    @cached_property
    def store(self) -> SubscriptionStore:
        """Return the store of subscriptions."""
        return SubscriptionStore(Table(boto3_client("dynamodb"), self._settings.connections_table, CONNECTIONS))

    @cached_property
    def deliveries(self) -> DeliveryStore:
        """Return the store of deliveries."""
        return DeliveryStore(self._events, retention_days=self._settings.retention_days)

    @cached_property
    def log(self) -> EventLog:
        """Return the event log."""
        return EventLog(self._events, clock=time.time, retention_days=self._settings.retention_days)

    @cached_property
    def secrets(self) -> SigningSecrets:
        """Return the signing secrets."""
        return SigningSecrets(Cipher(boto3_client("kms"), {SealKind.SUBSCRIPTION: self._settings.data_key}))

    @cached_property
    def endpoints(self) -> EndpointClient:
        """Return the client that sends POSTs."""
        return EndpointClient()

    @cached_property
    def wakes(self) -> WakeQueue:
        """Return the queue that wakes workers."""
        return WakeQueue(boto3_client("sqs"), self._settings.wake_queue_url)

    @cached_property
    def fan_out(self) -> FanOut:
        """Return what sends events from the bus to targets."""
        return FanOut(
            subscriptions=self.store,
            deliveries=self.deliveries,
            sender=self._sender,
            settlement=self._settlement,
            wakes=self.wakes,
            run_all=run_in_threads,
            count=self.tally,
            report=logger().warning,
            clock=time.time,
        )

    @cached_property
    def drain(self) -> Drain:
        """Return the worker of one subscription."""
        publisher = BusPublisher(self._settings.event_bus, boto3_client("events"))
        return Drain(
            subscriptions=self.store,
            deliveries=self.deliveries,
            log=self.log,
            lines=LogIndex(self._events),
            sender=self._sender,
            settlement=self._settlement,
            publish=publisher.publish,
            run_all=run_in_threads,
            count=self.tally,
            clock=time.time,
            sleep=time.sleep,
            random=random.random,
        )

    @cached_property
    def redelivery(self) -> Redelivery:
        """Return what sends events again by request."""
        return Redelivery(deliveries=self.deliveries, log=self.log, lines=LogIndex(self._events), clock=time.time)

    @cached_property
    def _events(self) -> Table:
        return Table(boto3_client("dynamodb"), self._settings.events_table, EVENTS)

    @cached_property
    def _sender(self) -> Sender:
        return Sender(
            posts=self.endpoints,
            queues=TargetQueues(_client, local=self._settings.local),
            secrets=self.secrets,
            clock=time.time,
            timer=time.monotonic,
            local=self._settings.local,
        )

    @cached_property
    def _settlement(self) -> Settlement:
        return Settlement(
            subscriptions=self.store,
            deliveries=self.deliveries,
            count=self.tally,
            clock=time.time,
            random=random.random,
        )


def _client(region: str) -> SQSClient:
    return sqs_in(region) if region else boto3_client("sqs")
