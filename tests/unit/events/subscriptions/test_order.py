"""The order of ordered subscriptions: every schedule of two events of one instance, and seeded ones of more.

An event is received, becomes visible in the log some time later, and is published after that. The container that
writes its line may have a clock that is behind. Workers run whenever they are woken in between.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import permutations, product

import pytest

from tests.fakes.subscribing import START, World
from zoom_common.events.bus import CloudEvent
from zoom_common.events.subscriptions.model import ORDER_SECONDS

type Step = tuple[str, int]
"""`show` or `publish`, and the number of an event."""

# A worker may run in each pause: at once, while events are held back, after that, and after the log is complete.
PAUSES = (0.0, 0.4, 1.2, 12.0)
# Within what the log allows for: a line is visible at most 10 seconds after the moment in its key.
LAGS = (0.0, 9.0)
# The message that wakes a worker is delayed by whole seconds.
_WAKE_SECONDS = 1.0


def schedules(events: int) -> Iterator[tuple[Step, ...]]:
    """Every order in which events become visible and are published, each published after it is visible."""
    steps = [(kind, at) for at in range(events) for kind in ("show", "publish")]
    for order in permutations(steps):
        if all(order.index(("show", at)) < order.index(("publish", at)) for at in range(events)):
            yield order


def play(order: Sequence[Step], pauses: Sequence[float], lags: Sequence[float]) -> None:
    """One schedule: everything arrives, and nothing before an earlier event that the log showed by then."""
    world = World()
    made = world.subscribe("a.example.com", ordered=True)
    reported: list[CloudEvent] = []
    for _ in lags:
        reported.append(world.happened("meeting.started", uuid="uuid-1"))
        world.now += 0.001
    shown: dict[str, float] = {}
    published: dict[str, float] = {}
    received_at = world.now
    for (kind, at), pause in zip(order, pauses, strict=True):
        event = reported[at]
        if kind == "show":
            world.show(event, received_at=received_at, lag=lags[at])
            shown[event.id] = world.now
        else:
            world.publish(event)
            published[event.id] = world.now
        world.pass_time(pause)
    world.pass_time(5)
    got = world.received[made.subscription_id]
    assert sorted(each.event_id for each in got) == sorted(each.id for each in reported)
    sent = {each.event_id: (each.at, place) for place, each in enumerate(got)}
    for place, earlier in enumerate(reported):
        for later in reported[place + 1 :]:
            if shown[earlier.id] < sent[later.id][0]:
                assert sent[earlier.id][1] < sent[later.id][1], (earlier.sequence, later.sequence)
    for each in reported:
        assert sent[each.id][0] <= published[each.id] + ORDER_SECONDS + _WAKE_SECONDS
        assert sent[each.id][0] >= received_at + ORDER_SECONDS


@pytest.mark.parametrize("order", list(schedules(2)), ids=lambda order: "-".join(f"{kind}{at}" for kind, at in order))
def test_two_events_arrive_in_order_in_every_schedule(order: Sequence[Step]) -> None:
    """The order is kept for every pause between the steps and every clock."""
    for pauses in product(PAUSES, repeat=len(order) - 1):
        for lags in product(LAGS, repeat=2):
            play(order, (*pauses, 0.0), lags)


def test_more_events_arrive_in_order_in_seeded_schedules() -> None:
    """Four events of one instance."""
    for seed in range(100):
        choose = random.Random(seed)  # noqa: S311 - a schedule, no secret
        order = list(product(("show",), range(4)))
        choose.shuffle(order)
        for at in range(4):
            order.insert(choose.randint(order.index(("show", at)) + 1, len(order)), ("publish", at))
        play(order, choose.choices(PAUSES, k=len(order)), choose.choices(LAGS, k=4))


def test_an_ordered_event_arrives_about_a_second_after_it_was_received() -> None:
    """Long before the log is complete up to it."""
    world = World()
    made = world.subscribe("a.example.com", ordered=True)
    world.event()
    world.pass_time(5)
    (got,) = world.received[made.subscription_id]
    assert got.at == START + ORDER_SECONDS
