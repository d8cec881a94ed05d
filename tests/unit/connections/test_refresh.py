"""The refresh algorithm, attacked: each test names the fault it injects."""

from __future__ import annotations

import json

import pytest

from tests.fakes.connections import START, World
from zoom_common.connections.cipher import SealKind
from zoom_common.connections.model import State
from zoom_common.connections.queues import from_message
from zoom_common.connections.refresh.algorithm import NotPersisted
from zoom_common.connections.refresh.effects import Escrow, FetchKeys, Finish, RequestGrant, TakeLease, Write
from zoom_common.connections.refresh.policy import Outcome
from zoom_common.errors import InternalError
from zoom_common.zoom.http import HttpResponse

INVALID_CLIENT = HttpResponse(400, {}, b'{"reason":"Invalid client_id or client_secret","error":"invalid_client"}')
APP_DISABLED = HttpResponse(400, {}, b'{"errorCode":4717,"error":"invalid_request"}')
INVALID_GRANT = HttpResponse(400, {}, b'{"reason":"Invalid Token!","error":"invalid_grant"}')
SERVER_ERROR = HttpResponse(503, {}, b"<html>busy</html>")
RATE_LIMITED = HttpResponse(429, {"retry-after": "120"}, b"{}")
CUT_OFF = HttpResponse(200, {}, b'{"access_token": "acc')


def test_a_refresh_replaces_the_pair_and_keeps_the_former_token() -> None:
    """Version, tokens, scopes, expiry and due time move together, and the token used stays as the previous one."""
    world = World()
    result = world.on_demand()
    assert (result.outcome, result.version) == (Outcome.REFRESHED, 2)
    assert world.current == "refresh-1"
    assert world.opened(world.item.previous_refresh or b"") == "refresh-0"
    assert world.opened(world.item.sealed_access, SealKind.ACCESS) == "access-1"
    assert world.item.access_expires_at == START + 3600
    assert "user:read:user" in world.item.scopes
    assert world.item.api_url == "https://api-us.zoom.us"
    assert (world.item.lease_owner, dict(world.item.intents)) == (None, {})
    assert world.item.last_used_at == START
    assert world.published == []


def test_fifty_callers_make_one_token_request() -> None:
    """However many meet the expired token at once, one asks Zoom and the others ride on its result."""
    world = World()
    workers = [world.worker(f"w{number}", wait=10.0) for number in range(50)]
    winner = workers[0].until(Write)
    for loser in workers[1:]:
        loser.go()
    winner.finish()
    results = [loser.finish() for loser in workers[1:]]
    assert {result.outcome for result in results} == {Outcome.CURRENT}
    assert {result.version for result in results} == {2}
    assert len(world.zoom.requests) == 1


def test_a_loser_whose_token_lives_does_not_wait() -> None:
    """Inside the margin the old access token serves until the winner is back."""
    world = World(access_expires_at=START + 100)
    world.worker("winner").until(RequestGrant)
    loser = world.worker("loser", wait=10.0)
    assert loser.finish().outcome is Outcome.BUSY
    assert world.clock.now == START


def test_a_loser_learns_that_the_winner_failed() -> None:
    """When the lease is given back without a new version, waiting ends."""
    world = World()
    world.zoom.faults = [RATE_LIMITED]
    winner, loser = world.worker("winner").until(RequestGrant), world.worker("loser", wait=10.0)
    loser.go()
    winner.finish()
    assert loser.finish().outcome is Outcome.REFRESH_FAILING


def test_a_loser_gives_up_at_its_deadline() -> None:
    """A winner that never comes back costs a loser no more than the time it has."""
    world = World()
    world.worker("winner").until(RequestGrant)
    loser = world.worker("loser", wait=3.0)
    assert loser.finish().outcome is Outcome.BUSY
    assert world.clock.now < START + 4


def test_crash_before_the_request() -> None:
    """The lease ends by itself, and the next attempt refreshes."""
    world = World()
    world.worker("crashed").until(RequestGrant)
    assert world.worker("early").finish().outcome is Outcome.BUSY
    world.clock.sleep(90)
    assert world.worker("next").finish().outcome is Outcome.REFRESHED


def test_crash_after_the_request_with_zooms_grace() -> None:
    """The pair died with the process; Zoom still takes the former token, and the grant lives on."""
    world = World()
    world.worker("crashed").until(Write)
    world.clock.sleep(90)
    assert world.worker("next").finish().outcome is Outcome.REFRESHED
    assert world.current in world.zoom.live


def test_crash_after_the_request_without_grace_waits_before_it_gives_up() -> None:
    """An unresolved young intent blocks the verdict; after a quarter of an hour the person is asked."""
    world = World()
    world.zoom.grace = False
    world.worker("crashed").until(Write)
    world.clock.sleep(90)
    result = world.worker("next").finish()
    assert (result.outcome, world.item.state) == (Outcome.REFRESH_FAILING, State.REFRESH_FAILING)
    assert world.item.reason == "rotation_unresolved"
    world.clock.sleep(15 * 60)
    assert world.worker("later").finish().outcome is Outcome.REAUTHORIZATION_REQUIRED
    assert world.item.reason == "invalid_grant"
    assert world.opened(world.item.sealed_refresh) == "refresh-0"


@pytest.mark.parametrize("lost", [1, 2])
def test_lost_response_without_grace_ends_with_the_person_asked(lost: int) -> None:
    """Nobody can bring the new token: a quarter of an hour of rest, then the schedule alone says what has to be done.

    It comes back when the last open intent is over and no cool-down later, and Zoom is asked a few times, not for ever.
    """
    world = World()
    world.zoom.grace = False
    world.zoom.faults = ["lost_response"] * lost
    world.on_demand()
    while world.item.state is not State.REAUTHORIZATION_REQUIRED:
        assert world.item.due_at is not None
        world.clock.now = max(world.clock.now, world.item.due_at)
        world.refresher.when_due("acme", "con_1")
        assert world.item.state in {State.REFRESH_FAILING, State.REAUTHORIZATION_REQUIRED}
    assert (world.item.state, world.item.reason) == (State.REAUTHORIZATION_REQUIRED, "invalid_grant")
    assert 15 * 60 <= world.clock.now - START <= 15 * 60 + 10
    assert len(world.zoom.requests) <= 8
    assert [each["state"] for each in world.published] == [State.REFRESH_FAILING, State.REAUTHORIZATION_REQUIRED]


def test_crash_after_the_write() -> None:
    """What is written is written: the next caller finds the new version."""
    world = World()
    world.worker("crashed").finish()
    assert world.on_demand(seen_version=1).outcome is Outcome.CURRENT
    assert len(world.zoom.requests) == 1


def test_lost_response_after_rotation() -> None:
    """The outcome is unknown: the same token is sent once more inside the same lease."""
    world = World()
    world.zoom.faults = ["lost_response"]
    assert world.on_demand().outcome is Outcome.REFRESHED
    assert len(world.zoom.requests) == 2
    assert world.current in world.zoom.live


@pytest.mark.parametrize("fault", [SERVER_ERROR, CUT_OFF])
def test_an_unusable_answer_is_asked_for_again(fault: HttpResponse) -> None:
    """A 5xx and a success that cannot be read may both have rotated the grant."""
    world = World()
    world.zoom.faults = [fault]
    assert world.on_demand().outcome is Outcome.REFRESHED


def test_response_lost_twice_leaves_the_intent() -> None:
    """Nobody knows what Zoom did: the connection rests, and the open intent guards it against a hasty verdict."""
    world = World()
    world.zoom.faults = ["lost_response", "lost_response"]
    assert world.on_demand().outcome is Outcome.REFRESH_FAILING
    assert list(world.item.intents) == ["attempt-1"]
    assert world.item.lease_owner is None
    world.zoom.grace = False
    world.clock.sleep(60)
    assert world.on_demand().outcome is Outcome.REFRESH_FAILING
    assert world.item.state is not State.REAUTHORIZATION_REQUIRED


def test_never_sent_is_a_known_outcome() -> None:
    """A request that never left resolves its intent."""
    world = World()
    world.zoom.faults = ["never_sent"]
    assert world.on_demand().outcome is Outcome.REFRESH_FAILING
    assert dict(world.item.intents) == {}
    assert len(world.zoom.requests) == 1


def test_rate_limited_rests_for_as_long_as_zoom_says() -> None:
    """The cool-down is Zoom's Retry-After where that is longer; nobody asks meanwhile."""
    world = World()
    world.zoom.faults = [RATE_LIMITED]
    world.on_demand()
    assert world.item.cool_until == START + 120
    assert world.item.due_at == START + 120
    assert world.on_demand().outcome is Outcome.REFRESH_FAILING
    assert len(world.zoom.requests) == 1


def test_no_connection_rests_for_ever() -> None:
    """A number that nobody can mean, a proxy's perhaps, costs a day and not the grant."""
    world = World()
    world.zoom.faults = [HttpResponse(429, {"retry-after": "999999999"}, b"{}")]
    world.on_demand()
    assert world.item.cool_until == START + 86_400


def test_failures_cool_down_longer_each_time_and_success_forgets_them() -> None:
    """Backing off doubles; one success starts over."""
    world = World()
    rests = []
    for _ in range(3):
        world.zoom.faults = ["never_sent"]
        before = world.clock.now
        world.on_demand()
        rests.append(world.item.cool_until - before)
        world.clock.now = world.item.cool_until
    assert rests == [30.0, 60.0, 120.0]
    assert world.item.state is State.REFRESH_FAILING
    assert world.on_demand().outcome is Outcome.REFRESHED
    assert (world.item.failures, world.item.state, world.item.reason) == (0, State.CONNECTED, None)
    assert [change["state"] for change in world.published] == ["refresh_failing", "connected"]


def test_one_failure_while_the_token_lives_is_not_a_change_of_state() -> None:
    """The person's calls still work: nothing is announced before it keeps failing."""
    world = World(access_expires_at=START + 200)
    world.zoom.faults = ["never_sent"]
    world.on_demand()
    assert (world.item.state, world.item.failures) == (State.CONNECTED, 1)
    assert world.published == []


@pytest.mark.parametrize("fault", [INVALID_CLIENT, APP_DISABLED])
def test_faults_of_the_app_change_no_connection(fault: HttpResponse) -> None:
    """One alarm, and every connection is as good as before."""
    world = World()
    world.zoom.faults = [fault]
    result = world.on_demand()
    assert result.outcome is Outcome.UNAVAILABLE
    assert (result.reason or "").startswith("app:")
    assert (world.item.state, world.item.failures, world.item.reason) == (State.CONNECTED, 0, None)
    assert world.item.cool_until > START
    assert dict(world.item.intents) == {}


def test_kms_away_before_the_rotation() -> None:
    """Without a data key nothing is sent, and the connection is as it was: KMS is asked while the lease is taken."""
    world = World()
    worker = world.worker("w")
    world.kms.away = True
    worker.until(FetchKeys)
    leased_by = world.item.lease_owner
    assert (leased_by, worker.finish().outcome) == ("w", Outcome.UNAVAILABLE)
    assert world.zoom.requests == []
    after = world.item
    assert (after.state, after.lease_owner, dict(after.intents)) == (State.CONNECTED, None, {})


def test_a_refresh_asks_kms_three_times() -> None:
    """For two data keys and for the token that is tried first; nothing is asked twice because it was asked ahead."""
    world = World()
    world.kms.made = world.kms.decrypts = 0
    assert world.on_demand().outcome is Outcome.REFRESHED
    assert (world.kms.made, world.kms.decrypts) == (2, 1)


def test_kms_away_after_the_rotation() -> None:
    """The data key was fetched before the request: sealing and writing need KMS no more."""
    world = World()
    worker = world.worker("w").until(Write)
    world.kms.away = True
    assert worker.finish().outcome is Outcome.REFRESHED


def test_write_throttled() -> None:
    """A write that fails is tried again."""
    world = World()
    world.memory.faults["write"] = 2
    assert world.on_demand().outcome is Outcome.REFRESHED
    assert world.sqs.bodies == []


def test_write_that_happened_and_said_it_failed() -> None:
    """The second try finds its own attempt's name on the new version."""
    world = World()
    world.store.lost_writes = 1
    assert world.on_demand().outcome is Outcome.REFRESHED
    assert (world.item.version, dict(world.item.spares)) == (2, {})


def test_write_failing_for_good_escrows_the_pair_and_escrow_brings_it_back() -> None:
    """The sealed pair waits in the queue, without a readable token, and becomes the current one later."""
    world = World()
    world.zoom.grace = False
    world.memory.faults["write"] = 3
    assert world.on_demand().outcome is Outcome.UNAVAILABLE
    [body] = world.sqs.bodies
    assert "refresh-1" not in body
    assert world.refresher.restore(from_message(json.loads(body))) == "written"
    assert world.current == "refresh-1"
    assert dict(world.item.intents) == {}
    assert world.refresher.restore(from_message(json.loads(body))) == "written"
    assert world.item.version == 2


def test_a_write_that_is_refused_escrows_the_pair_and_is_called_a_fault() -> None:
    """A request that DynamoDB will never take costs no grant: the pair is safe before anybody hears of the fault."""
    world = World()
    world.zoom.grace = False
    world.memory.refuses = {"write"}
    with pytest.raises(InternalError):
        world.on_demand()
    world.memory.refuses = set()
    [body] = world.sqs.bodies
    assert world.refresher.restore(from_message(json.loads(body))) == "written"
    assert world.current == "refresh-1"


def test_a_key_that_is_refused_gives_the_lease_back() -> None:
    """A fault of ours before anything is at stake ends loudly, and the next attempt need not wait for a lease."""
    world = World()
    world.kms.refused = True
    with pytest.raises(InternalError):
        world.on_demand()
    assert (world.item.lease_owner, world.zoom.requests) == (None, [])


def test_escrow_is_tried_until_it_or_the_table_takes_the_pair() -> None:
    """With both away, both are tried again and again while the lease lasts."""
    world = World()
    world.memory.faults["write"] = 6
    world.sqs.away = True
    assert world.on_demand().outcome is Outcome.REFRESHED


def test_nothing_takes_the_pair() -> None:
    """Then the attempt fails loudly, and its intent keeps the connection from being given up."""
    world = World()
    world.memory.faults["write"] = 10_000
    world.sqs.away = True
    with pytest.raises(NotPersisted):
        world.on_demand()
    assert list(world.item.intents) == ["attempt-1"]


def test_escrow_brings_back_a_connection_that_was_given_up() -> None:
    """A pair that arrives after the verdict overturns it."""
    world = World()
    worker = world.worker("slow").until(Write)
    assert isinstance(worker.step, Write)
    pair = worker.step.pair
    world.change(state=State.REAUTHORIZATION_REQUIRED, reason="invalid_grant", due_at=None)
    world.refresher.restore(pair)
    assert (world.item.state, world.item.reason) == (State.CONNECTED, None)
    assert [change["state"] for change in world.published] == ["connected"]


def test_winner_slower_than_its_lease_becomes_a_spare() -> None:
    """Two hold a pair: the first write is current, the other pair is kept and tried when the current is refused."""
    world = World()
    slow = world.worker("slow").until(Write)
    world.clock.sleep(90)
    assert world.worker("fast").finish().outcome is Outcome.REFRESHED
    assert slow.finish().outcome is Outcome.CURRENT
    assert [world.opened(spare.sealed) for spare in world.item.spares.values()] == ["refresh-1"]
    world.zoom.live, world.zoom.rotated = {"refresh-1"}, set()
    assert world.on_demand().outcome is Outcome.REFRESHED
    assert world.current in world.zoom.live
    assert dict(world.item.spares) == {}


def test_slow_winner_whose_lease_was_taken_still_writes() -> None:
    """The lease does not decide about the write: version does. The other's lease stays the other's."""
    world = World()
    slow = world.worker("slow").until(Write)
    world.clock.sleep(90)
    other = world.worker("other").until(RequestGrant)
    assert slow.finish().outcome is Outcome.REFRESHED
    assert world.item.lease_owner == "other"
    other.finish()
    assert world.current in world.zoom.live or any(
        world.opened(spare.sealed) in world.zoom.live for spare in world.item.spares.values()
    )


def test_invalid_grant_while_another_writer_is_still_writing() -> None:
    """The loser of Zoom's rotation waits for the version to move instead of giving the grant up."""
    world = World()
    world.zoom.grace = False
    slow = world.worker("slow").until(Write)
    world.clock.sleep(90)
    hasty = world.worker("hasty").until(RequestGrant)
    hasty.go()
    hasty.go()  # reads, sees the open intent, waits
    slow.finish()
    result = hasty.finish()
    assert (result.outcome, result.version) == (Outcome.CURRENT, 2)
    assert (world.item.state, world.current) == (State.CONNECTED, "refresh-1")


def test_previous_token_is_tried_once() -> None:
    """Zoom refuses the current token and takes the one before it."""
    world = World()
    world.on_demand()
    world.zoom.live = {"refresh-0"}
    world.zoom.grace = False
    assert world.on_demand().outcome is Outcome.REFRESHED
    assert world.current in world.zoom.live


def test_every_copy_refused_asks_the_person_and_keeps_the_tokens() -> None:
    """A grant Zoom has ended is never deleted by a refresh, and callers do not bring it back."""
    world = World()
    world.zoom.live = set()
    result = world.on_demand()
    assert result.outcome is Outcome.REAUTHORIZATION_REQUIRED
    assert (world.item.state, world.item.reason) == (State.REAUTHORIZATION_REQUIRED, "invalid_grant")
    assert world.current == "refresh-0"
    assert [change["state"] for change in world.published] == ["reauthorization_required"]
    assert world.on_demand().outcome is Outcome.REAUTHORIZATION_REQUIRED
    assert len(world.zoom.requests) == 1


def test_person_reconnects_in_the_middle() -> None:
    """The pair of the former grant is dropped, and the new grant is untouched."""
    world = World()
    worker = world.worker("w").until(Write)
    world.change(grant_id="grant_2", version=2, sealed_refresh=world.seal("new", SealKind.REFRESH))
    assert worker.finish().outcome is Outcome.CURRENT
    assert (world.current, dict(world.item.spares)) == ("new", {})


def test_disconnected_in_the_middle() -> None:
    """A connection that is gone stays gone."""
    world = World()
    worker = world.worker("w").until(Write)
    world.memory.items.clear()
    assert worker.finish().outcome is Outcome.CURRENT
    assert world.memory.items == {}


def test_reconnected_while_zoom_refuses() -> None:
    """The refusal was for a grant that is no more: nothing is settled."""
    world = World()
    world.zoom.live = set()
    worker = world.worker("w").until(RequestGrant)
    world.change(grant_id="grant_2", version=2)
    assert worker.finish().outcome is Outcome.CURRENT
    assert world.item.state is State.CONNECTED


def test_state_changed_by_somebody_else_is_not_overwritten() -> None:
    """A settlement holds only for the state it was made from."""
    world = World()
    world.zoom.faults = ["never_sent"]
    worker = world.worker("w").until(Finish)
    world.change(state=State.REAUTHORIZATION_REQUIRED, reason="app_deauthorized", due_at=None)
    worker.finish()
    assert (world.item.state, world.item.reason) == (State.REAUTHORIZATION_REQUIRED, "app_deauthorized")


@pytest.mark.parametrize("skew", [-8.0, 8.0])
def test_clock_skew_of_seconds_does_not_break_a_lease(skew: float) -> None:
    """A lease counts as over only a margin after its end, whichever clock is ahead."""
    world = World()
    world.worker("winner").until(RequestGrant)
    world.clock.sleep(75)
    assert world.worker("other", skew=skew).finish().outcome is Outcome.BUSY
    assert world.zoom.requests == []


def test_no_request_leaves_that_the_lease_would_not_cover() -> None:
    """A worker that was frozen before it asked lets its lease go instead of asking beside its successor."""
    world = World()
    frozen = world.worker("frozen").until(RequestGrant)
    frozen.world.clock.sleep(55)
    world.zoom.faults = ["lost_response"]
    frozen.finish()
    assert len(world.zoom.requests) == 1


def test_no_request_leaves_that_the_process_would_not_outlive() -> None:
    """A worker about to be stopped gives the lease back untried."""
    world = World()
    result = world.refresher.when_due("acme", "con_1", ends=START + 15)
    assert (result.outcome, world.item.state) == (Outcome.UNAVAILABLE, State.CONNECTED)
    assert (world.zoom.requests, world.item.lease_owner) == ([], None)


def test_table_away_before_the_lease() -> None:
    """Nothing is sent, nothing is changed."""
    world = World()
    world.memory.faults["take_lease"] = 1
    assert world.on_demand().outcome is Outcome.UNAVAILABLE
    assert world.zoom.requests == []


def test_table_away_when_settling() -> None:
    """The lease ends by itself; the intent stands."""
    world = World()
    world.zoom.faults = ["never_sent"]
    world.memory.faults["settle"] = 1
    world.on_demand()
    assert world.item.lease_owner == "attempt-1"


@pytest.mark.parametrize("state", [State.PENDING, State.REAUTHORIZATION_REQUIRED, State.DISCONNECTED])
def test_only_living_connections_are_refreshed(state: State) -> None:
    """A link that is not redeemed, and a grant that ended, cost no request."""
    world = World(state=state)
    world.on_demand()
    assert world.zoom.requests == []


def test_message_that_comes_twice() -> None:
    """A worker refreshes what is due by now, and the second message finds it done."""
    world = World()
    assert world.refresher.when_due("acme", "con_1").outcome is Outcome.REFRESHED
    assert world.refresher.when_due("acme", "con_1").outcome is Outcome.CURRENT
    assert len(world.zoom.requests) == 1
    assert world.item.last_used_at == START - 60


def test_unknown_connection() -> None:
    """A message about a connection that is gone is done with."""
    assert World().refresher.when_due("acme", "con_gone").outcome is Outcome.CURRENT


def test_rotated_client_secret_is_read_again() -> None:
    """Zoom refuses what this container has cached: the secret is read anew, and the refresh goes on."""
    world = World()
    world.credentials.rotate("former-secret")
    assert world.on_demand().outcome is Outcome.REFRESHED
    assert len(world.zoom.requests) == 2


def test_steps_never_show_a_token() -> None:
    """What a log or a traceback could print of a step holds no sealed bytes."""
    world = World()
    worker = world.worker("w").until(Write)
    assert "sealed" not in repr(worker.step)
    assert "refresh-0" not in repr(worker.step)
    assert isinstance(worker.step, Write)
    assert "sealed" not in repr(Escrow(worker.step.pair))
    assert "sealed" not in repr(TakeLease(world.item, 0.0))
