"""Giving up is reversible: kept tokens are tried again, and a fault of Zoom's gives nobody up."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.connections import START, Worker, World
from tests.fakes.zoom_oauth import ZoomServer
from zoom_common.connections.cipher import SealKind
from zoom_common.connections.model import Connection, Kind, State
from zoom_common.connections.refresh.effects import CheckToken, FetchKeys, Verdict
from zoom_common.connections.refresh.policy import Outcome, Policy
from zoom_common.connections.refresh.refusal_rate import AnswerCounts, Probe, RefusalRate, verdict
from zoom_common.errors import Unavailable
from zoom_common.zoom.http import HttpRequest, HttpResponse

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
    """Then no more. The state and the time of its change stay, and nothing is published again."""
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


@pytest.mark.parametrize("reason", ["superseded", "app_deauthorized", "revoked", "owner_gone"])
def test_what_has_another_cause_is_not_tried_by_itself(reason: str) -> None:
    """Also when the index still names it."""
    world = World(state=State.REAUTHORIZATION_REQUIRED, reason=reason)
    result = world.refresher.when_due("acme", "con_1")
    assert (result.outcome, world.zoom.requests) == (Outcome.REAUTHORIZATION_REQUIRED, [])


class TokensRefused(World):
    """A connection that was given up because Zoom's API took none of three new pairs over ten minutes."""

    def __init__(self, **changes: Any) -> None:
        super().__init__(version=3, refusals=2, refused_version=2, refused_since=START - 700, **changes)
        assert self.refresher.refused("acme", "con_1", version=3)

    def when_due(self) -> float:
        """Let time pass until the tokens are tried, and try them; how long after it was given up."""
        assert self.item.due_at is not None
        self.clock.now = self.item.due_at
        self.refresher.when_due("acme", "con_1")
        return self.clock.now - START


def test_tokens_that_zooms_api_refused_are_tried_again() -> None:
    """Once it accepts a new one the connection works, its row of refusals is forgotten, and the bus says so."""
    world = TokensRefused()
    assert world.when_due() == pytest.approx(900, rel=0.06)
    assert (world.item.state, world.item.reason, world.item.refusals) == (State.CONNECTED, None, 0)
    assert (world.current, world.item.lease_owner) == ("refresh-1", None)
    assert world.item.due_at == pytest.approx(world.clock.now + 2700, abs=1)
    assert [each["state"] for each in world.published] == ["reauthorization_required", "connected"]


def test_tokens_that_zooms_api_goes_on_refusing_are_kept_and_publish_nothing() -> None:
    """Each try stores its pair; after four of them there are no more."""
    world = TokensRefused()
    tried = []
    for _ in range(4):
        world.zoom.faults = [None, HttpResponse(401, {}, b'{"code":124}')]
        tried.append(world.when_due())
    assert tried == pytest.approx([900, HOUR, 6 * HOUR, 24 * HOUR], rel=0.06)
    assert (world.item.state, world.item.reason, world.item.due_at) == (
        State.REAUTHORIZATION_REQUIRED,
        "tokens_refused",
        None,
    )
    assert (world.current, world.item.version, len(world.published)) == ("refresh-4", 7, 1)


@pytest.mark.parametrize("fault", ["never_sent", HttpResponse(502, {}, b"")])
def test_no_answer_about_new_tokens_costs_no_try(fault: str | HttpResponse) -> None:
    """The pair is stored, and half a minute later another one is asked for."""
    world = TokensRefused()
    world.zoom.faults = [None, fault]
    world.when_due()
    assert (world.item.state, world.current, world.item.version) == (State.REAUTHORIZATION_REQUIRED, "refresh-1", 4)
    assert world.when_due() < 1200
    assert world.item.state is State.CONNECTED


def test_a_crash_before_new_tokens_are_checked_loses_no_pair() -> None:
    """The connection holds the pair, stays given up, and is tried once more."""
    world = TokensRefused()
    world.worker("w").until(CheckToken)
    assert (world.item.state, world.item.reason, world.current) == (
        State.REAUTHORIZATION_REQUIRED,
        "tokens_refused",
        "refresh-1",
    )
    world.when_due()
    assert (world.item.state, world.current) == (State.CONNECTED, "refresh-2")


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


class ManyPeople(ZoomServer):
    """A Zoom where each grant lives by itself, and which refuses all refreshes while `ill`."""

    ill = False

    def send(self, request: HttpRequest, *, timeout: float) -> HttpResponse:
        answer = super().send(request, timeout=timeout) if not self.ill else REFUSED
        self.requests += [request] * self.ill
        return answer

    def pair(self) -> HttpResponse:
        others = set(self.live)
        answer = super().pair()
        self.live |= others
        return answer


class Many(World):
    """As many connections as a test wants, all of one app; each has its own token at Zoom."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.zoom = self.people = ManyPeople()
        self.oauth._transport = self.zoom
        self.names = ["con_1", *(f"con_x{number}" for number in range(count - 1))]
        for name in self.names:
            self.memory.put(self._copy(name))
            self.zoom.live.add(f"refresh-{name}")

    def _copy(self, name: str) -> Connection:
        sealed: dict[str, Any] = {
            "sealed_access": self.seal("access", SealKind.ACCESS, name),
            "sealed_refresh": self.seal(f"refresh-{name}", SealKind.REFRESH, name),
        }
        return replace(self.item, connection_id=name, **sealed)

    def connection(self, name: str) -> Connection:
        return self.memory.items["acme", name]

    def refresh(self, name: str) -> Outcome:
        return self.refresher.on_demand("acme", name, seen_version=self.connection(name).version, wait=0.0).outcome

    def sweep(self, *, until: float) -> None:
        """Let the schedule refresh what is due, minute by minute."""
        while self.clock.now < until:
            for name in self.names:
                self.refresher.when_due("acme", name)
            self.clock.sleep(60)

    def states(self) -> set[State]:
        return {self.connection(name).state for name in self.names}


@pytest.mark.parametrize("count", [3, 6, 60])
def test_a_wide_refusal_changes_the_state_of_no_connection(count: int) -> None:
    """From the first refusal on, whether there are three or many; each is tried again half a minute later."""
    world = Many(count)
    world.people.ill = True
    assert {world.refresh(name) for name in world.names} == {Outcome.UNAVAILABLE}
    assert (world.states(), world.published) == ({State.CONNECTED}, [])
    assert {world.connection(name).due_at for name in world.names} == {world.clock.now + 30}


def test_a_long_wide_refusal_is_survived_without_a_change() -> None:
    """Three hours in which Zoom refuses everybody, minute by minute; afterwards everybody is refreshed."""
    world = Many(4)
    world.people.ill = True
    world.sweep(until=START + 3 * HOUR)
    assert (world.states(), world.published) == ({State.CONNECTED}, [])
    asked = len(world.zoom.requests)
    assert asked < 4 * 16 * 8  # each rests up to a quarter of an hour, and asks for itself and three others, twice each
    world.people.ill = False
    world.sweep(until=world.clock.now + 1200)
    assert {world.connection(name).access_expires_at > world.clock.now for name in world.names} == {True}
    assert world.published == []


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_one_person_who_ended_their_grant_is_asked_at_once(count: int) -> None:
    """One other connection at most is refreshed for it, and its program notices nothing."""
    world = Many(count)
    world.zoom.live.discard("refresh-con_1")
    assert world.refresh("con_1") is Outcome.REAUTHORIZATION_REQUIRED
    assert [each["connection_id"] for each in world.published] == ["con_1"]
    assert len(world.zoom.requests) == 1 + (count > 1)
    assert sorted(world.connection(name).version for name in world.names[1:]) == [1] * (count - 2) + [2] * (count > 1)


def test_without_others_a_connection_is_held_while_its_access_token_lives() -> None:
    """The schedule has a quarter of an hour; a call that Zoom refuses meanwhile gets the answer at once."""
    world = Many(2)
    for name in world.names:
        world.memory.put(replace(world.connection(name), access_expires_at=START + 900))
    world.people.ill = True
    world.sweep(until=START + 800)
    assert (world.states(), world.published) == ({State.CONNECTED}, [])
    assert world.connection("con_x0").cool_until < world.clock.now  # each rests for half a minute only
    assert world.refresh("con_x0") is Outcome.REAUTHORIZATION_REQUIRED
    world.sweep(until=START + 2400)
    assert world.states() == {State.REAUTHORIZATION_REQUIRED}


def test_a_probe_that_zoom_refuses_leaves_its_connection_as_it_was() -> None:
    """Its state, its failures, and when it is due; it is judged by itself then."""
    world = Many(3)
    before = {name: world.connection(name) for name in world.names[1:]}
    world.people.ill = True
    world.refresh("con_1")
    assert {name: world.connection(name) for name in world.names[1:]} == before


def test_others_that_are_refreshed_at_this_moment_leave_a_refusal_unconfirmed() -> None:
    """All are refused in the same second, and each holds its own lease. The first one to judge raises no alarm yet."""
    world = Many(4)
    workers = [Worker(world, name, world.connection(name), wait=0.0, skew=0.0) for name in world.names]
    for each in workers:
        each.until(FetchKeys)  # all hold their leases
    world.people.ill = True
    first, *others = [each.finish() for each in workers]
    assert (first.reason, first.widely_refused) == ("refusal_unconfirmed", False)
    assert {each.outcome for each in (first, *others)} == {Outcome.UNAVAILABLE}
    assert (world.states(), world.published) == ({State.CONNECTED}, [])


@pytest.mark.parametrize(
    ("probes", "expected"),
    [
        ("", Verdict.UNCOMPARED),
        ("g", Verdict.ALONE),
        ("r", Verdict.UNCOMPARED),
        ("rg", Verdict.ALONE),
        ("rrg", Verdict.ALONE),
        ("rr", Verdict.WIDE),
        ("rrs", Verdict.WIDE),
        ("rss", Verdict.UNKNOWN),
        ("ss", Verdict.UNKNOWN),
        ("s", Verdict.UNCOMPARED),
    ],
)
def test_what_a_refusal_means_beside_the_answers_for_others(probes: str, expected: Verdict) -> None:
    """`g` for granted, `r` for refused, `s` for silent."""
    answers = {"g": Probe.GRANTED, "r": Probe.REFUSED, "s": Probe.SILENT}
    assert verdict((answers[each] for each in probes), Policy()) is expected


def test_probes_are_of_the_same_app_alive_and_lately_granted() -> None:
    """Connections of another app, accounts, and those given up say nothing; those that rest come last."""
    world = Many(8)
    changes: list[dict[str, Any]] = [
        {"client_id": "other-app"},
        {"kind": Kind.ACCOUNT},
        {"state": State.REAUTHORIZATION_REQUIRED},
        {"cool_until": START + 9},
        {"refresh_issued_at": START - 10},
        {"lease_owner": "x", "lease_expires_at": START + 9, "refresh_issued_at": START},
        {"refresh_issued_at": START - 20},
    ]
    for name, change in zip(world.names[1:], changes, strict=True):
        world.memory.put(replace(world.connection(name), **change))
    found = [each.connection_id for each in world.refresher.others.like(world.item)]
    assert found == ["con_x4", "con_x6", "con_x5"]


def test_refusals_among_many_refreshes_that_work_are_about_single_grants() -> None:
    """A company that removes the app from its account does not hold up the others' truth."""
    world = Many(100)
    ended = world.names[:40]
    world.zoom.live -= {f"refresh-{name}" for name in ended}
    for name in world.names[40:]:
        world.refresh(name)
    assert {world.refresh(name) for name in ended} == {Outcome.REAUTHORIZATION_REQUIRED}


def test_from_the_tenth_refusal_on_nobody_else_is_tried() -> None:
    """Most of all answers are refusals by then, even if Zoom grants one now and then."""
    world = Many(40)
    world.zoom.live = {"refresh-con_x38"}
    for name in world.names[:30]:
        world.refresh(name)
    asked = len(world.zoom.requests)
    assert world.refresh("con_x30") is Outcome.UNAVAILABLE
    assert len(world.zoom.requests) == asked + 1


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
