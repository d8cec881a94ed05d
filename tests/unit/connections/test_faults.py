"""Faults that two or more things have at once, each under its own name; the others are in `test_refresh`."""

from __future__ import annotations

import json

from tests.fakes.connections import World
from zoom_common.connections.model import State
from zoom_common.connections.queues import from_message
from zoom_common.connections.refresh.effects import RequestGrant, Write
from zoom_common.connections.refresh.policy import Outcome


def test_crash_before_the_write() -> None:
    """The pair dies with the process before anything is stored; Zoom still takes the token before it."""
    world = World()
    crashed = world.worker("crashed").until(Write)
    assert (world.item.version, world.item.lease_owner) == (1, "crashed")
    assert crashed.pair() is not None
    world.clock.sleep(90)
    assert world.worker("next").finish().outcome is Outcome.REFRESHED
    assert world.current in world.zoom.live


def test_kms_and_dynamodb_down_before_the_rotation() -> None:
    """Nothing is sent while either is away, and nothing about the connection has changed afterwards."""
    world = World()
    world.kms.away = True
    world.memory.faults = {"take_lease": 1, "settle": 1}
    assert world.on_demand().outcome is Outcome.UNAVAILABLE
    assert world.on_demand().outcome is Outcome.UNAVAILABLE
    assert (world.zoom.requests, world.item.state, world.current_when_back()) == ([], State.CONNECTED, "refresh-0")
    world.clock.sleep(90)
    assert world.on_demand().outcome is Outcome.REFRESHED


def test_kms_and_dynamodb_down_after_the_rotation() -> None:
    """The sealed pair needs neither: it goes to escrow, and from there to the table when that is back."""
    world = World()
    world.zoom.grace = False
    worker = world.worker("w").until(Write)
    world.kms.away = True
    world.memory.faults["write"] = 3
    assert worker.finish().reason == "escrowed"
    [body] = world.sqs.bodies
    assert world.refresher.restore(from_message(json.loads(body))) == "written"
    assert world.current_when_back() == "refresh-1"


def test_fifty_callers_at_different_steps_make_one_token_request() -> None:
    """Some start while the winner asks, some while it writes: one request, and everybody reads version two."""
    world = World()
    winner = world.worker("winner", wait=10.0).until(RequestGrant)
    early = [world.worker(f"early{number}", wait=10.0) for number in range(25)]
    for each in early:
        each.go()
    winner.until(Write)
    late = [world.worker(f"late{number}", wait=10.0) for number in range(24)]
    for each in late:
        each.go()
    winner.finish()
    assert {each.finish().version for each in (*early, *late)} == {2}
    assert len(world.zoom.requests) == 1


def test_person_reconnects_while_the_pair_is_in_escrow() -> None:
    """What comes out of escrow belongs to the former grant, and is dropped."""
    world = World()
    world.memory.faults["write"] = 3
    world.on_demand()
    world.change(grant_id="grant_2", version=2)
    assert world.refresher.restore(from_message(json.loads(world.sqs.bodies[0]))) == "dropped"
    assert (world.item.version, dict(world.item.spares)) == (2, {})
