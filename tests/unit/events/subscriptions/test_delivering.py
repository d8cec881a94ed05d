"""Deliveries from the bus to endpoints: at once, again on the schedule, in order where asked, never after an end."""

from __future__ import annotations

import pytest

from tests.fakes.subscribing import START, World
from zoom_common.events.bus import CloudEvent
from zoom_common.events.subscriptions.delivery_store import Delivery, Waiting, again
from zoom_common.events.subscriptions.model import (
    MOST_ATTEMPTS,
    SCHEDULE,
    Attempt,
    Filters,
    Payload,
    State,
    Status,
)

DAY = 86_400.0


@pytest.fixture
def world() -> World:
    return World()


def test_a_healthy_endpoint_gets_an_event_at_once(world: World) -> None:
    """It is the CloudEvent with the id of the queue, signed, and recorded as delivered."""
    made = world.subscribe("a.example.com")
    event = world.event()
    world.work()
    (got,) = world.received[made.subscription_id]
    assert got.event_id == event.id
    assert got.body == event.to_json().encode()
    assert world.forged == []
    (delivery,), _ = world.deliveries.page(made, limit=10)
    assert delivery.status is Status.DELIVERED
    assert delivery.attempts[0].status == 200
    assert delivery.attempts[0].answer == "thanks"


def test_only_wanted_events_are_sent(world: World) -> None:
    """Types with a star, meetings, hosts, connections, and meetings or webinars only."""
    wanted = {
        "types": world.subscribe("a.example.com", ("meeting.started", "recording.*")),
        "meeting": world.subscribe("b.example.com", ("*",), filters=Filters(meeting=("7",))),
        "host": world.subscribe("c.example.com", ("*",), filters=Filters(host=("ada",))),
        "connection": world.subscribe("d.example.com", ("*",), filters=Filters(connection=("con_2",))),
        "kind": world.subscribe("e.example.com", ("*",), filters=Filters(kind="webinar")),
    }
    started = world.event("meeting.started", meeting="1", host="ada")
    ended = world.event("meeting.ended", meeting="7")
    recording = world.event("recording.completed", meeting="7")
    world.work()
    got = {name: {each.event_id for each in world.received[made.subscription_id]} for name, made in wanted.items()}
    assert got["types"] == {started.id, recording.id}
    assert got["meeting"] == {ended.id, recording.id}
    assert got["host"] == {started.id}
    assert got["connection"] == set()
    assert got["kind"] == set()


def test_a_thin_payload_has_a_reference_and_no_data(world: World) -> None:
    """The event can be read under its `dataref`."""
    made = world.subscribe("a.example.com", payload=Payload.THIN)
    event = world.event()
    world.work()
    (got,) = world.received[made.subscription_id]
    assert "data" not in got.event
    assert got.event["dataref"] == f"/events/{event.id}"


def test_a_failing_event_is_tried_again_on_the_schedule(world: World) -> None:
    """Eight attempts with growing pauses; then the delivery has failed, and is kept to be asked for."""
    made = world.subscribe("a.example.com")
    world.endpoints["a.example.com"] = lambda _: 500
    event = world.event()
    world.pass_time(2 * DAY)
    assert world.attempts["a.example.com"] == MOST_ATTEMPTS
    (delivery,), _ = world.deliveries.page(made, limit=10)
    assert (delivery.event_id, delivery.status) == (event.id, Status.FAILED)
    pauses = [b.at - a.at for a, b in zip(delivery.attempts, delivery.attempts[1:], strict=False)]
    for pause, scheduled in zip(pauses, SCHEDULE, strict=True):
        assert scheduled <= pause <= scheduled * 1.1 + 120


def test_a_dead_endpoint_is_not_asked_for_every_event(world: World) -> None:
    """While it backs off, events wait; when it is back, each arrives, the oldest first."""
    made = world.subscribe("a.example.com")
    world.endpoints["a.example.com"] = lambda now: "connect_failed" if now < START + 3600 else 200
    events = []
    for _ in range(40):
        events.append(world.event())
        world.pass_time(60)
    assert world.attempts["a.example.com"] < 6
    world.pass_time(3 * 3600)
    got = [each.event_id for each in world.received[made.subscription_id]]
    assert sorted(got) == sorted(each.id for each in events)
    waited = [each.id for each in events[1:]]
    assert [each for each in got if each in set(waited[3:])] == waited[3:]
    assert not world.subscription(made).backs_off


def test_after_five_days_of_failures_a_subscription_is_disabled(world: World) -> None:
    """The bus has an event about it, and on resume the endpoint gets what it missed."""
    made = world.subscribe("a.example.com")
    world.endpoints["a.example.com"] = lambda now: "timeout" if now < START + 7 * DAY else 200
    missed = []
    for _ in range(12):
        missed.append(world.event())
        world.pass_time(DAY / 2)
    seen = world.subscription(made)
    assert (seen.state, seen.reason) == (State.DISABLED, "failed_for_five_days")
    assert [each.type for each in world.published] == ["subscription.disabled"]
    asked = world.attempts["a.example.com"]
    world.pass_time(2 * DAY)
    assert world.attempts["a.example.com"] == asked
    world.resume(made)
    world.pass_time(3600)
    got = [each.event_id for each in world.received[made.subscription_id]]
    assert {each.id for each in missed} == set(got)


def test_410_ends_a_subscription(world: World) -> None:
    """Nothing is sent after it, and the bus has an event about it."""
    made = world.subscribe("a.example.com")
    world.endpoints["a.example.com"] = lambda _: 410
    world.event()
    world.work()
    world.event()
    world.pass_time(DAY)
    assert world.attempts["a.example.com"] == 1
    assert world.subscription(made).state is State.UNSUBSCRIBED
    assert [each.type for each in world.published] == ["subscription.unsubscribed"]


def test_a_redirect_is_a_failure(world: World) -> None:
    """It is not followed, and what it said is not shown."""
    made = world.subscribe("a.example.com")
    world.endpoints["a.example.com"] = lambda _: 302
    world.event()
    world.work()
    (delivery,), _ = world.deliveries.page(made, limit=10)
    assert delivery.status is Status.RETRYING
    assert delivery.attempts[0].answer == ""


def test_a_paused_subscription_gets_on_resume_what_it_missed(world: World) -> None:
    """Nothing while it is paused; on resume everything since, once each."""
    made = world.subscribe("a.example.com")
    before = world.event()
    world.pass_time(300)
    world.pause(made)
    missed = []
    for _ in range(30):
        missed.append(world.event())
        world.pass_time(120)
    assert [each.event_id for each in world.received[made.subscription_id]] == [before.id]
    world.resume(made)
    after = world.event()
    world.pass_time(600)
    got = [each.event_id for each in world.received[made.subscription_id]]
    assert sorted(got) == sorted([before.id, *(each.id for each in missed), after.id])
    assert [each for each in got if each not in {before.id, after.id}] == [each.id for each in missed]


def test_an_ordered_subscription_gets_each_instance_in_order(world: World) -> None:
    """A failed event holds back what comes after it in its own instance, and nothing else."""
    made = world.subscribe("a.example.com", ordered=True)
    events: dict[str, list[CloudEvent]] = {"uuid-1": [], "uuid-2": []}
    world.failing = {"uuid-1"}
    for at in range(10):
        for uuid, reported in events.items():
            reported.append(world.event(f"meeting.e{at}", uuid=uuid))
        world.pass_time(1)
    world.pass_time(30)
    got = [each.event_id for each in world.received[made.subscription_id]]
    assert got == [each.id for each in events["uuid-2"]]
    world.failing = set()
    world.pass_time(7200)
    held = [each.event_id for each in world.received[made.subscription_id] if each.event["uuid"] == "uuid-1"]
    assert held == [each.id for each in events["uuid-1"]]


def test_a_rate_is_kept(world: World) -> None:
    """No second has more deliveries than the rate allows, and all of them arrive."""
    made = world.subscribe("a.example.com", rate=5)
    events = [world.event() for _ in range(60)]
    world.pass_time(60)
    times = [each.at for each in world.received[made.subscription_id]]
    assert len(times) == len(events)
    assert times[-1] - times[0] >= (len(events) - 10) / 5


def test_during_a_rotation_both_secrets_sign(world: World) -> None:
    """An endpoint that knows either secret accepts; a day later only the new one signs."""
    made = world.subscribe("a.example.com")
    world.rotate(made)
    world.event()
    world.work()
    world.pass_time(DAY + 1)
    world.event()
    world.work()
    first, second = world.received[made.subscription_id]
    assert len(first.headers["webhook-signature"].split(" ")) == 2
    assert len(second.headers["webhook-signature"].split(" ")) == 1
    assert world.forged == []


def test_a_pending_subscription_gets_its_verification_only(world: World) -> None:
    """With the challenge answered it is active; a wrong answer leaves it pending, and is tried again."""
    made = world.subscribe("a.example.com", state=State.PENDING, due_at=START)
    world.challenged = False
    world.event()
    world.pass_time(400)
    assert world.subscription(made).state is State.PENDING
    assert world.received[made.subscription_id] == []
    world.challenged = True
    world.pass_time(3600)
    assert world.subscription(made).state is State.ACTIVE
    event = world.event()
    world.work()
    assert [each.event_id for each in world.received[made.subscription_id]] == [event.id]


def test_a_slow_endpoint_gets_a_worker_of_its_own(world: World) -> None:
    """Its events are written down at once, and it is served as the others again when it answers fast."""
    made = world.subscribe("a.example.com", slow_at=START)
    event = world.event()
    world.work()
    assert [each.event_id for each in world.received[made.subscription_id]] == [event.id]
    assert world.subscription(made).slow_at is None


def test_a_retry_whose_worker_died_before_it_woke_anybody_is_made(world: World) -> None:
    """The message comes again, finds the delivery under way, and wakes a worker for it."""
    made = world.subscribe("a.example.com")
    event = world.event()
    failed = Attempt(at=START, duration_ms=1, error="timeout")
    waiting = again(Waiting.of(event, made, due_at=START), failed, START + 5)
    world.deliveries.add(made, waiting, now=START)
    record = {"event_id": event.id, "time_ms": waiting.time_ms, "type": event.type, "attempts": (failed,)}
    world.deliveries.record(made, Delivery(**record, status=Status.RETRYING), now=START)  # type: ignore[arg-type] # as named
    world.messages[0].receives = 1
    world.pass_time(120)
    assert [each.event_id for each in world.received[made.subscription_id]] == [event.id]


def test_a_worker_that_comes_too_early_comes_again(world: World) -> None:
    """An ordered subscription's event is held back for a second; a worker that finds it earlier looks again then."""
    made = world.subscribe("a.example.com", ordered=True)
    event = world.event()
    world.work()
    world.wakes = [(START + 0.5, made.tenant, made.subscription_id)]
    world.pass_time(0.9)
    assert world.received[made.subscription_id] == []
    world.pass_time(1)
    assert [each.event_id for each in world.received[made.subscription_id]] == [event.id]


def test_a_worker_that_failed_comes_again_without_the_sweep(world: World) -> None:
    """The first retry of an ordered event is made after five seconds, by the message that comes back."""
    made = world.subscribe("a.example.com", ordered=True)
    world.endpoints["a.example.com"] = lambda now: 500 if now < START + 4 else 200
    world.event()
    world.pass_time(9)
    (got,) = world.received[made.subscription_id]
    assert START + 6 <= got.at <= START + 8
