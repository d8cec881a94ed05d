"""Giving up is reversible: kept tokens are tried again, and a fault of Zoom's gives nobody up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.connections import START, World
from zoom_common.connections.cipher import SealKind
from zoom_common.connections.model import Connection, State
from zoom_common.connections.refresh.effects import Outcome
from zoom_common.connections.refresh.policy import Policy
from zoom_common.connections.refresh.refusal_rate import AnswerCounts, RefusalRate
from zoom_common.errors import Unavailable
from zoom_common.zoom.http import HttpResponse

REFUSED = HttpResponse(400, {}, b'{"reason":"Invalid Token!","error":"invalid_grant"}')
INVALID_REQUEST = HttpResponse(400, {}, b'{"reason":"Invalid Token!","error":"invalid_request"}')
HOUR = 3600.0


class GivenUp(World):
    """A connection that was given up because Zoom refused it, as `refused` says; its token is alive."""

    def __init__(self, refused: HttpResponse = REFUSED) -> None:
        super().__init__()
        self.zoom.faults = [refused]
        assert self.on_demand().outcome is Outcome.REAUTHORIZATION_REQUIRED
        self.given_up_at = self.clock.now

    def when_due(self) -> float:
        """Let time pass until the connection is due, and have it refreshed; how long it was given up by then."""
        assert self.item.due_at is not None
        self.clock.now = max(self.clock.now, self.item.due_at)
        self.refresher.when_due("acme", "con_1")
        return self.clock.now - self.given_up_at


@pytest.mark.parametrize("refused", [REFUSED, INVALID_REQUEST])
def test_a_spurious_refusal_is_healed_after_a_quarter_of_an_hour(refused: HttpResponse) -> None:
    """The token lives at Zoom: the connection works again without the person, and the bus says so."""
    world = GivenUp(refused)
    assert world.when_due() == pytest.approx(900, rel=0.06)
    assert (world.item.state, world.item.reason, world.current) == (State.CONNECTED, None, "refresh-1")
    assert [each["state"] for each in world.published] == ["reauthorization_required", "connected"]


def test_kept_tokens_are_tried_after_15_minutes_1_6_and_24_hours() -> None:
    """There are no further tries. The state and the time of its change stay, and nothing is published again."""
    world = GivenUp()
    world.zoom.live = set()
    tried = [world.when_due() for _ in range(4)]
    assert tried == pytest.approx([900, HOUR, 6 * HOUR, 24 * HOUR], rel=0.06)
    assert all(late >= at for late, at in zip(tried, Policy().again_after, strict=True))
    assert (world.item.state, world.item.due_at) == (State.REAUTHORIZATION_REQUIRED, None)
    assert world.item.state_changed_at == pytest.approx(world.given_up_at, abs=1)
    assert (len(world.zoom.requests), len(world.published)) == (5, 1)


def test_a_fault_on_the_way_costs_no_try() -> None:
    """Zoom away, or an answer that was lost: the state stays, and it is tried again soon after."""
    world = GivenUp()
    world.zoom.faults = ["never_sent"]
    world.when_due()
    assert len(world.published) == 1
    states = [world.item.state]
    assert world.when_due() < HOUR
    states += [world.item.state]
    assert states == [State.REAUTHORIZATION_REQUIRED, State.CONNECTED]


@pytest.mark.parametrize("reason", ["superseded", "app_deauthorized", "revoked", "owner_gone", "tokens_refused"])
def test_what_has_another_cause_is_not_tried_by_itself(reason: str) -> None:
    """Also when the index still names it."""
    world = World(state=State.REAUTHORIZATION_REQUIRED, reason=reason)
    result = world.refresher.when_due("acme", "con_1")
    assert (result.outcome, world.zoom.requests) == (Outcome.REAUTHORIZATION_REQUIRED, [])


def test_a_connection_that_is_superseded_while_it_is_tried_again_stays_so() -> None:
    """The pair of a former grant is dropped."""
    world = GivenUp()
    worker = world.worker("w")
    world.change(grant_id="superseded", reason="superseded")
    worker.finish()
    assert (world.item.state, world.item.reason) == (State.REAUTHORIZATION_REQUIRED, "superseded")


@pytest.mark.parametrize("reason", ["invalid_grant", "revoked", "tokens_refused"])
def test_an_operator_may_have_it_tried_at_once(reason: str) -> None:
    """Whatever the time of the next try is."""
    world = World(state=State.REAUTHORIZATION_REQUIRED, reason=reason, due_at=None, cool_until=START + 60)
    assert world.refresher.try_again("acme", "con_1").outcome is Outcome.REFRESHED
    assert (world.item.state, world.item.due_at is None) == (State.CONNECTED, False)


def test_an_operators_try_that_is_refused_changes_nothing() -> None:
    """The state and its reason are as they were; while the day of its own tries lasts, they go on."""
    world = World(state=State.REAUTHORIZATION_REQUIRED, reason="invalid_grant", due_at=None, state_changed_at=START)
    world.zoom.live = set()
    assert world.refresher.try_again("acme", "con_1").outcome is Outcome.REAUTHORIZATION_REQUIRED
    assert (world.item.reason, world.published) == ("invalid_grant", [])
    assert world.store.due("14", now=START + 2000)[0] == [("acme", "con_1")]


@pytest.mark.parametrize(
    "changes",
    [
        {"state": State.REAUTHORIZATION_REQUIRED, "reason": "superseded"},
        {"state": State.REAUTHORIZATION_REQUIRED, "reason": "app_deauthorized"},
        {"state": State.REAUTHORIZATION_REQUIRED, "reason": "erased", "sealed_refresh": b""},
        {"state": State.DISCONNECTED},
        {"state": State.PENDING},
    ],
)
def test_an_operator_cannot_bring_back_what_is_somebody_elses_or_gone(changes: dict[str, Any]) -> None:
    """Nothing is sent to Zoom."""
    world = World(**changes)
    world.refresher.try_again("acme", "con_1")
    assert (world.zoom.requests, world.published) == ([], [])


class Many(World):
    """As many connections as a test wants, all of one app; each has its own token at Zoom."""

    def add(self, count: int) -> list[str]:
        names = [f"con_x{number}" for number in range(count)]
        for name in names:
            self.memory.put(self._copy(name))
        return names

    def _copy(self, name: str) -> Connection:
        sealed: dict[str, Any] = {
            "sealed_access": self.seal("access", SealKind.ACCESS, name),
            "sealed_refresh": self.seal(f"refresh-{name}", SealKind.REFRESH, name),
        }
        return replace(self.item, connection_id=name, **sealed)

    def refresh(self, name: str) -> Outcome:
        return self.refresher.on_demand("acme", name, seen_version=1, wait=0.0).outcome

    def states(self, names: list[str]) -> set[State]:
        return {self.memory.items["acme", name].state for name in names}


def test_many_refusals_at_once_give_nobody_up() -> None:
    """From the tenth within minutes on it is Zoom's or the app's fault: no connection changes its state."""
    world = Many()
    names = world.add(60)
    world.zoom.live = set()
    outcomes = [world.refresh(name) for name in names]
    assert outcomes[:9] == [Outcome.REAUTHORIZATION_REQUIRED] * 9
    assert set(outcomes[9:]) == {Outcome.UNAVAILABLE}
    assert world.states(names[9:]) == {State.CONNECTED}
    assert len(world.published) == 9
    world.clock.sleep(1000)
    world.zoom.live = {f"refresh-{name}" for name in names}
    due = [each for each in names if world.memory.items["acme", each].due_at is not None]
    assert due == names  # all of them come back by themselves, those given up as well
    assert world.refresher.when_due("acme", names[30]).outcome is Outcome.REFRESHED


def test_refusals_among_many_refreshes_that_work_are_about_single_grants() -> None:
    """A company that removes the app from its account does not hold up the others' truth."""
    world = Many()
    names = world.add(40)
    for _ in range(60):
        world.refresher.rate.granted()
    world.zoom.live = set()
    assert {world.refresh(name) for name in names} == {Outcome.REAUTHORIZATION_REQUIRED}


def test_after_a_day_zoom_is_believed() -> None:
    """When nobody's grant works for so long, the people are asked."""
    world = World(failures=Policy().held_at_most, due_at=START - 1)
    for _ in range(20):
        world.refresher.rate.refused()
    world.zoom.live = set()
    assert world.on_demand().outcome is Outcome.REAUTHORIZATION_REQUIRED


def test_containers_count_together_and_minutes_only() -> None:
    """Refusals in two containers add up; an hour later they count no more."""
    world = World()
    one, other = (RefusalRate(counters=world.store, clock=world.clock) for _ in range(2))
    assert [rate.refused() for _ in range(5) for rate in (one, other)] == [False] * 9 + [True]
    world.clock.sleep(299)
    assert one.refused()
    world.clock.sleep(HOUR)
    assert not one.refused()


def test_grants_are_stored_in_batches() -> None:
    """Counting costs a write for each 20 refreshes, and what a container has counted is in before it judges."""
    world = World()
    rate = RefusalRate(counters=world.store, clock=world.clock)
    window = int(START // 300)
    for _ in range(19):
        rate.granted()
    assert world.store.answers(window) == AnswerCounts()
    rate.granted()
    rate.granted()
    assert world.store.answers(window) == AnswerCounts(granted=20)
    rate.refused()
    assert world.store.answers(window) == AnswerCounts(granted=21, refused=1)
    rate.granted()
    world.clock.sleep(300)
    rate.granted()
    assert world.store.answers(window) == AnswerCounts(granted=22, refused=1)


def test_counts_that_are_out_of_reach_fail_nothing() -> None:
    """One connection that is given up can be tried again."""
    world = World()
    world.memory.dynamodb.fails = Unavailable(reason="connections_store_unavailable")
    rate = RefusalRate(counters=world.store, clock=world.clock)
    for _ in range(25):
        rate.granted()
    assert not rate.refused()
