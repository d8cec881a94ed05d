"""Random schedules of workers and faults over the real decisions: no live grant is lost while a copy can be had.

Every schedule is a seed: what fails can be run again.
"""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from tests.fakes.connections import Worker, World
from tests.fakes.soak import times
from zoom_common.connections.cipher import SealKind
from zoom_common.connections.disconnecting import EndedGrant
from zoom_common.connections.model import State
from zoom_common.connections.queues import RESTORE, REVOKE, from_message
from zoom_common.connections.refresh.algorithm import NotPersisted
from zoom_common.connections.refresh.effects import RequestGrant, SealedPair, Sleep, Write
from zoom_common.connections.refresh.policy import Outcome
from zoom_common.errors import Unavailable

SCHEDULES = times(400)
FAULTS = ("lost_response", "never_sent")


class Schedule:
    """One seed's worth of workers that start, go on, stop and crash in any order."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - a schedule, not a secret
        self.world = World()
        self.world.zoom.grace = self.random.random() < 0.5
        self.workers: list[Worker] = []
        self.frozen: dict[str, float] = {}  # until when a worker stands still, holding what it holds
        self.decided: dict[str, float] = {}  # when a worker came to the step before it
        self.names = 0
        self.grants = 0

    def run(self, length: int = 200) -> None:
        for _ in range(length):
            self.act()
            self.check()
        self.calm_down()

    def act(self) -> None:
        """One thing happens. Outages end by themselves after a few more."""
        world, chance = self.world, self.random.random
        world.kms.away = world.kms.away and chance() < 0.8
        world.sqs.away = world.sqs.away and chance() < 0.9
        acts = {
            self.start: 8,
            self.go: 70,
            self.crash: 1,
            self.zoom_fails: 3,
            self.table_fails: 4,
            self.kms_fails: 1,
            self.queue_fails: 1,
            self.restore: 3,
            self.time_passes: 8,
            self.reconnect: 0.3,
        }
        (act,) = self.random.choices(list(acts), weights=list(acts.values()))
        act()

    def crash(self) -> None:
        if self.workers:
            self.workers.remove(self.random.choice(self.workers))

    def zoom_fails(self) -> None:
        self.world.zoom.faults = [self.random.choice(FAULTS)]

    def table_fails(self) -> None:
        method = self.random.choice(["write", "get", "settle", "keep_spare", "take_lease"])
        self.world.memory.faults[method] = self.random.choice([1, 2, 5])

    def kms_fails(self) -> None:
        self.world.kms.away = True

    def queue_fails(self) -> None:
        self.world.sqs.away = True

    def reconnect(self) -> None:
        """The person gives a new grant: at Zoom the former one ends, here its id and everything that hung on it."""
        world, version = self.world, self.world.item.version + 1
        world.zoom.rotated.clear()
        world.zoom.pair()
        away, world.kms.away = world.kms.away, False
        [token] = world.zoom.live
        sealed = {
            "sealed_access": world.seal("access", SealKind.ACCESS),
            "sealed_refresh": world.seal(token, SealKind.REFRESH),
        }
        world.kms.away = away
        self.grants += 1
        fresh: dict[str, Any] = {"spares": {}, "intents": {}, "previous_refresh": None, "written_by": None}
        calm = {"lease_owner": None, "lease_expires_at": 0.0, "failures": 0, "cool_until": 0.0, "reason": None}
        world.change(grant_id=f"again-{self.grants}", version=version, state=State.CONNECTED, **sealed, **fresh, **calm)

    def time_passes(self) -> None:
        self.world.clock.sleep(self.random.choice([1, 5, 20, 50, 90, 90, 200]))

    def start(self) -> None:
        given_up = self.world.item.state is State.REAUTHORIZATION_REQUIRED
        if len(self.workers) > 4 or (given_up and self.random.random() < 0.8):  # a few try again
            return
        self.names += 1
        self.workers.append(self.world.worker(f"w{self.names}", skew=self.random.uniform(-4, 4)))

    def go(self) -> None:
        if not self.workers:
            return
        worker, now = self.random.choice(self.workers), self.world.clock.now
        if now < self.frozen.get(worker.name, 0.0):
            return
        if worker.name not in self.frozen and self.random.random() < (0.4 if isinstance(worker.step, Write) else 0.03):
            self.frozen[worker.name] = now + self.random.choice([100, 200, 400, 1000])
            return
        if isinstance(worker.step, RequestGrant):
            self.alone(worker)
        if isinstance(worker.step, Sleep):
            worker.step = Sleep(0.0) if self.random.random() < 0.5 else worker.step
        held = worker.pair()
        try:
            worker.go()
        except (Unavailable, NotPersisted):
            worker.step, held = None, None
        if held and not worker.pair():
            self.at_rest(held)
        self.decided[worker.name] = self.world.clock.now
        if worker.step is None:
            self.workers.remove(worker)

    def alone(self, asking: Worker) -> None:
        """While one holds a lease, nobody else's request begins; but who stood still since deciding cannot know."""
        item, now = self.world.item, self.world.clock.now
        if asking.attempt.seen.grant_id != item.grant_id:
            return  # a former grant, which Zoom has ended: another's
        if now - self.decided.get(asking.name, now) < asking.attempt.policy.reserve:
            leased = item.lease_owner not in {None, asking.name} and item.lease_expires_at > now
            assert not leased, "two refreshes within one lease"

    def at_rest(self, pair: SealedPair) -> None:
        """A worker that lets a pair go has put it where it can be found, unless Zoom has forgotten it already."""
        token = self.opened(pair.sealed_refresh)
        assert token in self.copies() or token not in self.world.zoom.live, "a live pair was let go"

    def opened(self, sealed: bytes) -> str:
        away, self.world.kms.away = self.world.kms.away, False
        token = self.world.opened(sealed, SealKind.REFRESH)
        self.world.kms.away = away
        return token

    def restore(self) -> None:
        if not self.world.sqs.bodies:
            return
        body = self.random.choice(self.world.sqs.bodies)
        try:
            self.take(json.loads(body))
        except Unavailable:
            return
        if self.random.random() < 0.8:  # else it is delivered once more
            self.world.sqs.bodies.remove(body)

    def take(self, message: dict[str, Any]) -> None:
        """Restore a pair. A revoke changes nothing here: a connection holds the user, so Zoom is not asked."""
        if message["action"] == RESTORE:
            self.world.refresher.restore(from_message(message))

    def copies(self) -> set[str]:
        """Every refresh token that somebody could still bring: written, spare, previous, in escrow, or in a worker."""
        item = self.world.item
        sealed = [item.sealed_refresh, *item.fallbacks()]
        messages = [json.loads(body) for body in self.world.sqs.bodies]
        sealed += [from_message(each).sealed_refresh for each in messages if each["action"] == RESTORE]
        sealed += [EndedGrant.from_message(each).sealed_refresh for each in messages if each["action"] == REVOKE]
        sealed += [pair.sealed_refresh for worker in self.workers if (pair := worker.pair())]
        return {self.opened(each) for each in sealed}

    def check(self) -> None:
        if self.world.item.state is State.REAUTHORIZATION_REQUIRED:
            assert not self.copies() & self.world.zoom.live, "given up with a live copy within reach"

    def calm_down(self) -> None:
        """All faults end, all workers crash; what can be had is had, and then the connection works."""
        reachable = bool(self.copies_at_rest() & self.world.zoom.live) or self.world.zoom.grace
        self.workers.clear()
        world = self.world
        world.zoom.faults, world.memory.faults = [], {}
        world.sqs.away = world.kms.away = False
        while world.sqs.bodies:
            self.take(json.loads(world.sqs.bodies.pop()))
        if world.item.state is State.REAUTHORIZATION_REQUIRED:
            return
        for _ in range(6):
            world.clock.sleep(1000)
            if world.on_demand().outcome is Outcome.REFRESHED:
                assert world.current in world.zoom.live
                return
        assert not reachable, "a copy was within reach and the grant is lost"

    def copies_at_rest(self) -> set[str]:
        workers, self.workers = self.workers, []
        found = self.copies()
        self.workers = workers
        return found


@pytest.mark.parametrize("block", range(12))
def test_no_schedule_loses_a_live_grant(block: int) -> None:
    """A thousand and more seeds, each with crashes, lost answers, failing writes and clocks that disagree."""
    for seed in range(block * SCHEDULES // 12, (block + 1) * SCHEDULES // 12):
        try:
            Schedule(seed).run()
        except AssertionError as failed:
            raise AssertionError(f"seed {seed}: {failed}") from failed
