"""How far events lag behind where AWS scales the containers that handle them: a queue and its mapping, simulated.

For standard queues, a mapping begins with five batches at a time. While messages wait it adds up to 300 a minute, and
ends at its maximum concurrency: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
"""

from __future__ import annotations

import heapq
import random
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from ops.cost import BATCH_WAITS, CORE_MS, on_lambda

_BEGINS_WITH = 5
_ADDED_A_SECOND = 300 / 60
_BATCH = 10
_SECONDS = 60.0
# In milliseconds, for one request of DynamoDB, as the cost model has it.
_AWS_MS = 5


@dataclass(frozen=True, slots=True)
class Lag:
    """Events of a minute at a constant rate, from their arrival in the queue to the end of their batch, in seconds.

    `containers` is how many worked at once at most, `left` how many events waited in the end.
    """

    rate: int
    maximum: int
    containers: int
    median: float
    worst: float
    left: int
    batch: float


def batch_seconds(events: int) -> float:
    """Return how long a batch takes by the cost model: its waits, and each event's part of a core."""
    return (BATCH_WAITS * _AWS_MS + events * on_lambda(CORE_MS["event"])) / 1000


def lag(rate: int, maximum: int) -> Lag:
    """Simulate a minute of random arrivals at `rate` a second in front of at most `maximum` containers."""
    arrivals = _arrivals(rate)
    free = [0.0] * min(_BEGINS_WITH, maximum)
    added_until, at = 0.0, 0
    ends: list[float] = []
    sizes: list[int] = []
    busiest = 1
    while at < len(arrivals):
        start = max(heapq.heappop(free), arrivals[at])
        if start > _SECONDS:
            break
        size = sum(1 for arrived in arrivals[at : at + _BATCH] if arrived <= start)
        end = start + batch_seconds(size)
        ends += [end] * size
        sizes.append(size)
        at += size
        heapq.heappush(free, end)
        busiest = max(busiest, sum(1 for each in free if each > start))
        waits = at < len(arrivals) and arrivals[at] <= start
        if waits and len(free) < maximum and start - added_until >= 1 / _ADDED_A_SECOND:
            added_until = start
            heapq.heappush(free, start)
    found = [end - arrived for end, arrived in zip(ends, arrivals, strict=False)]
    return Lag(rate, maximum, busiest, statistics.median(found), max(found), len(arrivals) - at, statistics.mean(sizes))


def _arrivals(rate: int) -> Sequence[float]:
    draw, at, found = random.Random(rate), 0.0, list[float]()
    while (at := at + draw.expovariate(rate)) < _SECONDS:
        found.append(at)
    return found
