"""How far events lag behind where AWS scales the containers that handle them: a queue and its mapping, simulated.

For standard queues, a mapping begins with five batches at a time. While messages wait it adds up to 300 a minute, and
ends at its maximum concurrency: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
"""

from __future__ import annotations

import heapq
import random
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.figures import Table
from ops.cost import PRICES, memory_of, on_lambda, parser, units
from ops.measured import ARRIVAL, ARRIVALS, Measured, batch_of

_BEGINS_WITH = 5
_ADDED_A_SECOND = 300 / 60
_BATCH = 10
_SECONDS = 60.0
# Events a second, and the most containers: the default, and what 5,000 need.
_RATES = ((100, 20), (1000, 20), (5000, 20), (5000, 80))


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


def table(found: Mapping[str, Measured]) -> Table:
    """Return lag, containers and cost by events a second, with batches that take as long as they were `found` to."""
    rows = Table(
        "Events a second, simulated for a minute",
        (
            "events a second",
            "`EventConcurrency`",
            "containers",
            "events in a batch",
            "lag in seconds: median, worst",
            "left waiting",
            "dollars a million",
        ),
        note="A queue and its mapping as AWS scales it: five batches at a time, then 300 more a minute, up to "
        "`EventConcurrency`. Batches take what was measured above for one event and for ten (people who join a meeting "
        "each), with the processor time of its memory. The first seconds of a rush are the worst; AWS's own delays are "
        "left out.",
    )
    for rate, maximum in _RATES:
        seen = lag(rate, maximum, found)
        defaults = parser().parse_args([])
        million = units(
            zoom_ms=defaults.zoom_ms, core_ms=defaults.core_ms, aws_ms=defaults.aws_ms, batch=seen.batch, found=found
        )["webhook"]
        rows.rows.append(
            (
                f"{rate:,}",
                str(maximum),
                str(seen.containers),
                f"{seen.batch:.1f}",
                f"{seen.median:.2f}, {seen.worst:.1f}",
                f"{seen.left:,}" if seen.left > rate else "none",
                f"{sum(million.dollars(PRICES, 1_000_000).values()):.2f}",
            )
        )
    return rows


def _batch_seconds(events: int, found: Mapping[str, Measured]) -> float:
    batch = batch_of(events, found[ARRIVAL], found[ARRIVALS])
    return (batch.waits_ms + on_lambda(batch.core_ms, memory_mb=memory_of("event_processor"))) / 1000


def lag(rate: int, maximum: int, found: Mapping[str, Measured]) -> Lag:
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
        end = start + _batch_seconds(size, found)
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
