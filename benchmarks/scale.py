"""How cost grows: sweeps with the number of connections, events with their rate, memory with what a function loads."""

from __future__ import annotations

import heapq
import os
import random
import statistics
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import boto3
from moto import mock_aws

from benchmarks.scenario import a_connection
from zoom_common.aws.table import Table
from zoom_common.connections.refresh.runner import sweep
from zoom_common.connections.refresh.store import RefreshStore
from zoom_common.connections.store import to_values
from zoom_common.deadline import Deadline

_NOW = 1_900_000_000.0


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep took."""

    connections: int
    due: int
    requests: int
    items_read: int


class _Workers:
    def enqueue(self, connections: list[tuple[str, str]], *, delay: int = 0) -> int:  # noqa: ARG002 - the seam's
        return len(connections)


def swept(sizes: tuple[int, ...], *, due: int) -> Iterator[Swept]:
    """One sweep over each number of connections, of which `due` are due, against moto."""
    for size in sizes:
        with _table() as client:
            table = Table(client, "connections")
            for number in range(size):
                at = _NOW - 60 if number < due else _NOW + 3600 + number
                table.put(to_values(a_connection(f"con_{number:026d}", due_at=at)))
            asked: Counter[str] = Counter()
            client.meta.events.register("after-call.dynamodb.Query", _counter(asked))
            clock = lambda: _NOW  # noqa: E731 - a clock
            found = sweep(RefreshStore(table), _Workers(), clock=clock, deadline=Deadline.after(600))
            yield Swept(size, found, asked["requests"], asked["items"])


def _counter(asked: Counter[str]) -> Any:
    def count(parsed: dict[str, Any], **_: Any) -> None:
        asked["requests"] += 1
        asked["items"] += parsed["ScannedCount"]

    return count


@contextmanager
def _table() -> Iterator[Any]:
    pretended = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
    with patch.dict(os.environ, pretended), mock_aws():
        client = boto3.client("dynamodb")
        keys = {"pk": "S", "sk": "S", "due_shard": "S", "due_at": "N"}
        client.create_table(
            TableName="connections",
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": kind} for name, kind in keys.items()],  # type: ignore[typeddict-item]
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            GlobalSecondaryIndexes=[
                {
                    "IndexName": "due",
                    "KeySchema": [
                        {"AttributeName": "due_shard", "KeyType": "HASH"},
                        {"AttributeName": "due_at", "KeyType": "RANGE"},
                    ],
                    "Projection": {"ProjectionType": "KEYS_ONLY"},
                }
            ],
        )
        yield client


@dataclass(frozen=True, slots=True)
class Lag:
    """From an event's arrival to the end of its batch, in multiples of the time a batch of one takes."""

    rate: int
    containers: int
    median: float
    worst: float


def lags(rates: tuple[int, ...], *, one: float, ten: float, seconds: float = 20.0) -> Iterator[Lag]:
    """A queue in front of containers, simulated with measured times: `one` and `ten` are seconds a batch of so many.

    As many containers as keep up with a quarter to spare; arrivals are random; batches take what waits, ten at most.
    """
    each = (ten - one) / 9
    for rate in rates:
        containers = max(1, int(rate * ten / 10 * 1.25) + 1)
        found = _simulated(rate, containers, one - each, each, seconds)
        yield Lag(rate, containers, statistics.median(found) / one, max(found) / one)


def _simulated(rate: int, containers: int, fixed: float, each: float, seconds: float) -> list[float]:
    draw = random.Random(rate)
    arrivals: list[float] = []
    at = 0.0
    while at < seconds:
        at += draw.expovariate(rate)
        arrivals.append(at)
    free = [0.0] * containers
    found: list[float] = []
    while arrivals:
        start = max(heapq.heappop(free), arrivals[0])
        batch = [arrived for arrived in arrivals[:10] if arrived <= start]
        del arrivals[: len(batch)]
        end = start + fixed + each * len(batch)
        found += [end - arrived for arrived in batch]
        heapq.heappush(free, end)
    return found
