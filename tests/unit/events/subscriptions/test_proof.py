"""Seeded stories: workers die, answers get lost, endpoints come and go, secrets rotate, subscriptions end in flight.

What was promised arrives, with the right signature, and nothing arrives after an end but what was on its way. `make
soak` tells 1,000 stories.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from tests.fakes.soak import SOAKING
from tests.fakes.subscribing import TENANT, World
from zoom_common.events.bus import CloudEvent
from zoom_common.events.subscriptions.model import Payload, State, Subscription

STORIES = 1_000 if SOAKING else 200
_BATCHES = 10
TYPES = ("meeting.started", "meeting.ended", "recording.completed")
# Until every retry has been made: the schedule ends after 28 hours, and endpoints are away for less than two.
_LONG = 12 * 3600.0


@dataclass
class Promise:
    """A subscription with what it has been promised: the events that came while it was active and wanted them."""

    made: Subscription
    host: str
    owed: list[CloudEvent] = field(default_factory=list)
    ended_at: float | None = None
    paused: bool = False


def tell(seed: int) -> None:
    """One story, and what has to be true at its end."""
    world = World(seed=seed, faults=0.03)
    random = world.random
    promises = [promise(world, at) for at in range(random.randint(2, 5))]
    for _ in range(random.randint(10, 30)):
        if random.random() < 0.8:
            happen(world, promises)
        else:
            interfere(world, random.choice(promises))
        world.pass_time(random.choice((0.0, 0.5, 3.0, 30.0, 400.0)))
    for each in promises:
        world.endpoints.pop(each.host, None)
        if each.paused and each.ended_at is None:
            world.resume(each.made)
    world.faults = 0.0
    world.pass_time(_LONG)
    for each in promises:
        check(world, each)
    assert world.forged == []
    assert world.messages == []


def promise(world: World, at: int) -> Promise:
    host = f"host{at}.example.com"
    made = world.subscribe(
        host,
        world.random.choice((("*",), ("meeting.*",), ("recording.completed",))),
        ordered=world.random.random() < 0.3,
        rate=world.random.choice((None, None, None, 20)),
        payload=world.random.choice(tuple(Payload)),
    )
    return Promise(made, host)


def happen(world: World, promises: list[Promise]) -> None:
    """Something happens at Zoom."""
    event = world.logged(
        world.random.choice(TYPES),
        uuid=world.random.choice((None, "uuid-1", "uuid-2")),
        lag=world.random.choice((0.0, 0.0, 4.0, 9.0)),
    )
    for each in promises:
        if each.ended_at is None and each.made.wants(event):
            each.owed.append(event)
    world.publish(event)


def interfere(world: World, each: Promise) -> None:
    """The endpoint or the owner does something."""
    match world.random.choice(("away", "away", "errors", "back", "rotate", "pause", "resume", "delete", "gone")):
        case "away":
            until = world.now + world.random.choice((10.0, 600.0, 6_000.0))
            world.endpoints[each.host] = lambda now: "timeout" if now < until else 200
        case "errors":
            share = world.random.random()
            world.endpoints[each.host] = lambda _: 500 if world.random.random() < share else 200
        case "back":
            world.endpoints.pop(each.host, None)
        case "rotate" if each.ended_at is None:
            world.rotate(each.made)
        case "pause" if each.ended_at is None and not each.paused:
            world.pause(each.made)
            each.paused = True
        case "resume" if each.ended_at is None and each.paused:
            world.resume(each.made)
            each.paused = False
        case "delete" if each.ended_at is None and world.random.random() < 0.3:
            world.subscriptions.delete(TENANT, each.made.subscription_id)
            each.ended_at = world.now
        case "gone" if each.ended_at is None and world.random.random() < 0.2:
            world.endpoints[each.host] = lambda _: 410
            world.pass_time(1)
            each.ended_at = world.now if ended(world, each) else None
            world.endpoints.pop(each.host, None)


def ended(world: World, each: Promise) -> bool:
    found = world.subscriptions.get(TENANT, each.made.subscription_id)
    return found is None or found.state is State.UNSUBSCRIBED


def check(world: World, each: Promise) -> None:
    """Everything owed has arrived, or was given up where the endpoint refused it eight times; nothing came later."""
    got = world.received[each.made.subscription_id]
    arrived = {one.event_id for one in got}
    if each.ended_at is not None:
        assert [one for one in got if one.at > each.ended_at] == []
        return
    assert {one.id for one in each.owed} <= arrived, each.made
    announced = {one.id for one in world.published}  # that another subscription has ended, for who wants every type
    assert arrived <= {one.id for one in each.owed} | announced
    if each.made.ordered:
        check_order(each, [one.event_id for one in got])


def check_order(each: Promise, got: list[str]) -> None:
    """Of each instance, what arrived for the first time came in the order in which it became true."""
    first = {name: at for at, name in reversed(list(enumerate(got)))}
    for uuid in ("uuid-1", "uuid-2"):
        owed = [one for one in each.owed if one.uuid == uuid]
        in_order = sorted(owed, key=lambda one: one.sequence or "")
        places = [first[one.id] for one in in_order]
        assert places == sorted(places)


@pytest.mark.parametrize("batch", range(_BATCHES))
def test_what_was_promised_arrives_whatever_happens(batch: int) -> None:
    """Each story ends well."""
    for seed in range(batch, STORIES, _BATCHES):
        try:
            tell(seed)
        except AssertionError as failed:
            raise AssertionError(f"the story of seed {seed}") from failed
