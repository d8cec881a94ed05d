"""How fast deliveries are on AWS, by simulation: measured work and waits, and the scaling rules of the queue.

Nothing of it has run on AWS. What is measured there by others, and what is assumed, is said at each number.
"""

from __future__ import annotations

import heapq
import random
from bisect import bisect
from collections import deque
from itertools import count

from ops.cost import DELIVERY_CORE_MS, on_lambda
from ops.measured import ARRIVAL, measured

type Quantiles = tuple[tuple[float, float], ...]

# Milliseconds from a message's sending to the function that is started with it, at shares of all messages.
# https://bitesizedserverless.com/bite/serverless-messaging-latency-compared/ : eu-west-1, 1,024 messages each
_SQS: Quantiles = ((0.0, 10.0), (0.1, 13.7), (0.5, 16.2), (0.9, 33.8), (0.99, 105.0), (1.0, 250.0))
_EVENTBRIDGE: Quantiles = ((0.0, 90.0), (0.1, 113.0), (0.5, 148.0), (0.9, 241.0), (0.99, 387.0), (1.0, 1_000.0))
# A round trip to an endpoint, from the same continent to the other side of the world: assumed.
_ROUND_TRIP: Quantiles = ((0.0, 5.0), (0.5, 40.0), (0.9, 150.0), (1.0, 300.0))
# A request of DynamoDB, SQS or EventBridge that is waited for, as in the cost model; a lookup of a name: assumed.
_AWS_MS, _DNS_MS = 5.0, 10.0
# The function may have to start: so often, and for so long (docs/benchmarks.md has starts of the functions).
_COLD_SHARE, _COLD_MS = 0.01, 1_500.0


def drawn(quantiles: Quantiles, chance: random.Random) -> float:
    """Return a value between the measured ones."""
    share = chance.random()
    at = min(bisect([each for each, _ in quantiles], share), len(quantiles) - 1)
    (low, less), (high, more) = quantiles[at - 1 : at + 1]
    return less + (more - less) * (share - low) / (high - low)


def milliseconds(chance: random.Random) -> float:
    """Return how long one event takes from Zoom's POST to the first byte of the POST that the endpoint gets."""
    webhook = on_lambda(1.0, waits=1, aws_ms=_AWS_MS)
    one = measured()[ARRIVAL]
    processor = on_lambda(one.core_ms, waits=one.waits, aws_ms=_AWS_MS)
    deliver = on_lambda(DELIVERY_CORE_MS, waits=1, aws_ms=_AWS_MS)
    starts = sum(_COLD_MS for _ in range(3) if chance.random() < _COLD_SHARE)
    connecting = _DNS_MS + 2.5 * drawn(_ROUND_TRIP, chance)  # TCP, TLS 1.3, and half a round trip for the request
    queues = drawn(_SQS, chance) + drawn(_EVENTBRIDGE, chance) + drawn(_SQS, chance)
    return webhook + processor + deliver + starts + queues + connecting


def test_an_event_reaches_an_endpoint_within_a_second() -> None:
    """The median and nine of ten arrive in time. Slower ones waited for a start, or for a distant endpoint."""
    chance = random.Random(1)  # noqa: S311 - a simulation
    found = sorted(milliseconds(chance) for _ in range(20_000))
    assert found[len(found) // 2] < 600
    assert found[len(found) * 9 // 10] < 1_000


ENDPOINT_MS = 100.0
MESSAGES, WORKERS = 10, 30
# https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html : five batches at once, then up to 300 more a
# minute while messages are there.
FIRST_WORKERS, MORE_A_SECOND = 5, 300 / 60


def batch_seconds(messages: int, subscriptions: int) -> float:
    """Return how long a batch takes at 512 MB: one event after the other waits for the endpoint, then the rest at once.

    Waiting and work are added up, though threads work while others wait.
    """
    rounds = min(messages, 2)
    waits = rounds * (ENDPOINT_MS + _AWS_MS) + _AWS_MS
    return (waits + on_lambda(DELIVERY_CORE_MS) * messages * subscriptions) / 1000


def simulate(*, events_a_second: float, subscriptions: int, seconds: float) -> tuple[float, float]:
    """Return deliveries a second in the second half, and the longest that an event waited in the queue then."""
    sent: deque[float] = deque(at / events_a_second for at in range(int(events_a_second * seconds)))
    numbers, done, waits = count(), 0, [0.0]
    idle = [(0.0, next(numbers)) for _ in range(FIRST_WORKERS)]
    more = [(at / MORE_A_SECOND, next(numbers)) for at in range(1, WORKERS - FIRST_WORKERS + 1)]
    free = [*idle, *more]
    heapq.heapify(free)
    while sent and free:
        now, worker = heapq.heappop(free)
        now = max(now, sent[0])
        if now >= seconds:
            break
        batch = [sent.popleft() for _ in range(min(MESSAGES, sum(1 for at in list(sent)[:MESSAGES] if at <= now)))]
        if now > seconds / 2:
            done += len(batch) * subscriptions
            waits.append(now - batch[0])
        heapq.heappush(free, (now + batch_seconds(len(batch), subscriptions), worker))
    return done / (seconds / 2), max(waits)


def test_a_thousand_deliveries_a_second_are_kept_up_with() -> None:
    """To five subscriptions and to twenty, after the queue has scaled: nothing piles up."""
    for subscriptions in (5, 10, 20):
        rate, longest = simulate(events_a_second=1_000 / subscriptions, subscriptions=subscriptions, seconds=120)
        assert rate >= 990
        assert longest < 1.0


def test_what_is_too_much_piles_up() -> None:
    """The simulation knows an end: twice as much is more than the workers carry."""
    rate, longest = simulate(events_a_second=400, subscriptions=5, seconds=120)
    assert rate < 1_950
    assert longest > 1.0
