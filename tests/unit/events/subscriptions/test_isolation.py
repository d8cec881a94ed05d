"""Nobody waits for somebody else's endpoint: fifty endpoints, of which ten are dead and five slow, in virtual time."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from typing import Any

from tests.fakes.subscribing import START, World
from tests.fakes.virtual_time import VirtualTime
from zoom_common.deadline import Deadline
from zoom_common.events.bus import CloudEvent
from zoom_common.events.subscriptions.addresses import Endpoint
from zoom_common.events.subscriptions.settling import SLOW_SECONDS
from zoom_common.events.subscriptions.target_client import Answer, NoAnswer

ENDPOINTS, DEAD, SLOW = 50, 10, 5
EVENTS, EVERY = 60, 0.25
# As in the template: what works at once, and how many messages a batch has.
DELIVERS, REDELIVERS, BATCH = 30, 10, 10
_ANSWER, _DEADLINE, _DRIP = 0.1, 15.0, 12.0


class Busy(World):
    """The deployed shape: so many workers at once, each with threads, and endpoints that take their time."""

    def __post_init__(self) -> None:
        self.time = VirtualTime(START, self._at)
        super().__post_init__()
        self.idle: Counter[str] = Counter(deliver=DELIVERS, redeliver=REDELIVERS)
        self.published_at: dict[str, float] = {}
        self.dead: set[str] = set()
        self.slow: set[str] = set()

    def _at(self, now: float) -> None:
        self.now = now

    def post(self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes, **more: Any) -> Answer:
        if endpoint.host in self.dead:
            self.attempts[endpoint.host] += 1
            self.time.sleep(_DEADLINE)
            raise NoAnswer("timeout")
        self.time.sleep(_DRIP if endpoint.host in self.slow else _ANSWER)
        return super().post(endpoint, headers, body, **more)

    def publish(self, event: CloudEvent) -> None:
        self.published_at[event.id] = self.now
        super().publish(event)
        self.poll()

    def poll(self) -> None:
        """Start a worker for what is visible, where one is idle."""
        if self.idle["deliver"] and any(each.visible_at <= self.now for each in self.messages):
            self.idle["deliver"] -= 1
            self.time.spawn(self._batch)
        ready = [each for each in self.wakes if each[0] <= self.now]
        if self.idle["redeliver"] and ready:
            self.idle["redeliver"] -= 1
            self.wakes.remove(ready[0])
            self.time.spawn(lambda: self._drain(*ready[0][1:]))

    def _batch(self) -> None:
        self._deliver_batch()
        self.idle["deliver"] += 1
        self.poll()

    def _drain(self, tenant: str, name: str) -> None:
        more_after = self.drain.drain(tenant, name, Deadline(self.now + 120, clock=lambda: self.now))
        if more_after is not None:
            self.wakes.append((self.now + math.ceil(more_after), tenant, name))
        self.idle["redeliver"] += 1
        self.poll()

    def _run_all(self, tasks: Any, late: Any) -> None:
        self.time.run_all(tasks, late, patience=SLOW_SECONDS)

    def _sleep(self, seconds: float) -> None:
        self.time.sleep(seconds)


def test_dead_and_slow_endpoints_delay_nobody_else() -> None:
    """Each event reaches every healthy endpoint as fast as if there were no others; dead ones are hardly asked."""
    world = Busy()
    hosts = [f"host{at}.example.com" for at in range(ENDPOINTS)]
    made = {host: world.subscribe(host) for host in hosts}
    world.dead, world.slow = set(hosts[:DEAD]), set(hosts[DEAD : DEAD + SLOW])
    for at in range(EVENTS):
        world.time.spawn(world.event, after=at * EVERY)  # type: ignore[arg-type] # what it returns is not needed
    for at in range(int(EVENTS * EVERY) + 1):
        world.time.spawn(world.poll, after=at + 0.5)
    world.time.run()
    waits = []
    for host in hosts[DEAD + SLOW :]:
        got = world.received[made[host].subscription_id]
        assert len({each.event_id for each in got}) == EVENTS
        waits += [each.at - world.published_at[each.event_id] for each in got]
    assert max(waits) <= 1.0
    assert sorted(waits)[len(waits) // 2] <= 2 * _ANSWER
    assert max(world.attempts[host] for host in world.dead) < EVENTS / 2


class Watched(World):
    """Remembers how many were run at once, and says of each task that it takes long before it has begun."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.at_once: list[int] = []

    def _run_all(self, tasks: Any, late: Any) -> None:
        self.at_once.append(len(tasks))
        for at in range(len(tasks)):
            late(at)
        super()._run_all(tasks, late)


def test_a_busy_function_makes_no_endpoint_slow() -> None:
    """An endpoint is slow when its answer takes long, and not because its turn came late."""
    world = Watched()
    made = world.subscribe("a.example.com")
    world.event()
    world.work()
    assert world.subscription(made).slow_at is None


def test_the_events_of_a_batch_go_out_together_after_the_first_has_arrived() -> None:
    """An endpoint that is away is asked once; one that answers gets the others at once."""
    for status, at_once, attempts in ((200, [1, 9], 10), ("timeout", [1], 1)):
        world = Watched()
        world.subscribe("a.example.com")
        world.endpoints["a.example.com"] = lambda _, status=status: status  # type: ignore[misc] # bound per round
        for _ in range(10):
            world.event()
        world.work()
        assert world.at_once == at_once
        assert world.attempts["a.example.com"] == attempts
