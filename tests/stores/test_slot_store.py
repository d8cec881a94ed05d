"""Send slots in DynamoDB: taken once, an interval apart, whichever container asks and whatever its clock says."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mypy_boto3_dynamodb import DynamoDBClient

from tests.fakes.soak import times
from tests.stores import factories
from zoom_common.aws.table import Table
from zoom_common.errors import Unavailable
from zoom_common.ratelimit.slots import MICROSECONDS, Bucket, NoSlot, Slot, SlotStore

pytestmark = pytest.mark.aws

NOW = 1_900_000_000 * MICROSECONDS
LANE = Bucket("all", 100_000)
FAR = NOW + 60 * MICROSECONDS


@pytest.fixture
def table(dynamodb: DynamoDBClient, coordination_table: str) -> Table:
    """The Coordination table."""
    return Table(dynamodb, coordination_table)


@dataclass(slots=True)
class Counting:
    """The table, counting the writes that are tried."""

    table: Table
    writes: int = 0
    expires: list[int] = field(default_factory=list)

    def update(self, *args: str, **more: object) -> dict[str, object]:
        self.writes += 1
        return self.table.update(*args, **more)  # type: ignore[arg-type]


def test_a_free_lane_gives_a_slot_at_once(dynamodb: DynamoDBClient) -> None:
    """A free lane gives a slot at once, and the next one an interval later."""
    slots = factories.slots(dynamodb)
    assert slots.take("a", "Light", LANE, now=NOW, latest=FAR) == Slot(NOW, LANE.interval)
    assert slots.take("a", "Light", LANE, now=NOW, latest=FAR) == Slot(NOW + LANE.interval, 2 * LANE.interval)
    assert slots.take("a", "Light", LANE, now=NOW + 5 * LANE.interval, latest=FAR) == Slot(
        NOW + 5 * LANE.interval, LANE.interval
    )


def test_accounts_labels_and_lanes_do_not_meet(dynamodb: DynamoDBClient) -> None:
    """Each has slots of its own."""
    slots = factories.slots(dynamodb)
    for account, label, lane in (("a", "Light", LANE), ("b", "Light", LANE), ("a", "Heavy", LANE)):
        assert slots.take(account, label, lane, now=NOW, latest=FAR) == Slot(NOW, LANE.interval)
    interactive = Bucket("interactive", LANE.interval)
    assert slots.take("a", "Light", interactive, now=NOW, latest=FAR) == Slot(NOW, LANE.interval)


def test_a_slot_that_comes_too_late_is_not_taken(dynamodb: DynamoDBClient) -> None:
    """The answer says when one would be free, and the lane is as it was."""
    slots = factories.slots(dynamodb)
    slots.take("a", "Light", LANE, now=NOW, latest=NOW)
    assert slots.take("a", "Light", LANE, now=NOW, latest=NOW + LANE.interval - 1) == NoSlot(NOW + LANE.interval)
    assert slots.take("a", "Light", LANE, now=NOW, latest=FAR) == Slot(NOW + LANE.interval, 2 * LANE.interval)


def test_a_closed_lane_sends_everybody_away(dynamodb: DynamoDBClient) -> None:
    """In every container, with the reason, until it opens; a shorter closure changes nothing."""
    first, second = factories.slots(dynamodb), factories.slots(dynamodb)
    first.close("a", "Light", LANE, until=NOW + 20 * MICROSECONDS, reason="daily_limit")
    first.close("a", "Light", LANE, until=NOW + 10 * MICROSECONDS, reason="zoom_asked_to_wait")
    refused = second.take("a", "Light", LANE, now=NOW, latest=FAR)
    assert refused == NoSlot(NOW + 20 * MICROSECONDS, "daily_limit")
    opened = NOW + 20 * MICROSECONDS
    assert second.take("a", "Light", LANE, now=opened, latest=opened) == Slot(opened, LANE.interval)


def test_a_backed_up_lane_costs_one_write_a_call(table: Table) -> None:
    """A container that has seen the lane guesses right; one that has not, guesses wrong once."""
    old, new = Counting(table), Counting(table)
    busy = SlotStore(old)  # type: ignore[arg-type]
    for _ in range(10):
        busy.take("a", "Light", LANE, now=NOW, latest=FAR)
    assert old.writes == 10
    fresh = SlotStore(new)  # type: ignore[arg-type]
    for _ in range(10):
        fresh.take("a", "Light", LANE, now=NOW, latest=FAR)
    assert new.writes == 11


def test_a_slot_written_by_a_wrong_clock_is_mended(dynamodb: DynamoDBClient) -> None:
    """A container an hour ahead does not silence the others for an hour."""
    slots = factories.slots(dynamodb)
    hour = 3600 * MICROSECONDS
    slots.take("a", "Light", LANE, now=NOW + hour, latest=NOW + hour)
    taken = slots.take("a", "Light", LANE, now=NOW, latest=NOW)
    assert taken == Slot(NOW, LANE.interval)


@settings(
    max_examples=times(15),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    skews=st.lists(st.integers(-50_000, 50_000), min_size=2, max_size=5),
    calls=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 150_000)), min_size=20, max_size=50),
    run=st.uuids(),
)
def test_no_window_of_zooms_holds_more_than_the_rate(
    dynamodb: DynamoDBClient, skews: list[int], calls: list[tuple[int, int]], run: object
) -> None:
    """Containers with wrong clocks share a lane: slots are an interval apart, and skew is all that is lost.

    No window of a second, in true time, holds more sends than fit into a second and twice the skew.
    """
    containers = [(factories.slots(dynamodb), skew) for skew in skews]
    true, sends, slots = NOW, [], []
    for which, later in calls:
        true += later
        store, skew = containers[which % len(containers)]
        slot = store.take(str(run), "Light", LANE, now=true + skew, latest=FAR)
        assert isinstance(slot, Slot)
        slots.append(slot.at)
        sends.append(max(true, slot.at - skew))  # the container waits until its own clock shows the slot
    assert all(later - earlier >= LANE.interval for earlier, later in pairwise(slots))
    worst = max(abs(skew) for skew in skews)
    most = (MICROSECONDS + 2 * worst) // LANE.interval + 1
    for begin in sends:
        assert sum(begin <= each < begin + MICROSECONDS for each in sends) <= most


def test_a_closure_is_lengthened_and_never_shortened(dynamodb: DynamoDBClient) -> None:
    """And a lane that was never used can be closed."""
    slots = factories.slots(dynamodb)
    for seconds, reason in ((10, "first"), (20, "second"), (15, "third"), (20, "fourth")):
        slots.close("a", "Light", LANE, until=NOW + seconds * MICROSECONDS, reason=reason)
    refused = factories.slots(dynamodb).take("a", "Light", LANE, now=NOW, latest=FAR)
    assert refused == NoSlot(NOW + 20 * MICROSECONDS, "second")


def test_a_closed_lane_is_free_after_its_backlog(dynamodb: DynamoDBClient) -> None:
    """What was reserved before the closure counts on."""
    slots = factories.slots(dynamodb)
    for _ in range(3):
        slots.take("a", "Light", LANE, now=NOW, latest=FAR)
    slots.close("a", "Light", LANE, until=NOW + LANE.interval, reason="zoom_asked_to_wait")
    assert slots.take("a", "Light", LANE, now=NOW, latest=FAR) == NoSlot(NOW + 3 * LANE.interval, "zoom_asked_to_wait")
    opened = NOW + LANE.interval
    assert slots.take("a", "Light", LANE, now=opened, latest=FAR) == Slot(NOW + 3 * LANE.interval, 3 * LANE.interval)


def test_a_container_knows_the_backlog_that_it_saw(dynamodb: DynamoDBClient) -> None:
    """Nothing before it asked; labels are one however they are written."""
    slots = factories.slots(dynamodb)
    assert slots.backlog("a", "Light", LANE, now=NOW) == 0
    slots.take("a", "Light", LANE, now=NOW, latest=FAR)
    slots.take("a", "LIGHT", LANE, now=NOW, latest=FAR)
    assert slots.backlog("a", "light", LANE, now=NOW) == 2 * LANE.interval
    assert slots.backlog("a", "light", LANE, now=NOW + MICROSECONDS) == 0


def test_a_lane_is_forgotten_an_hour_after_its_last_use(dynamodb: DynamoDBClient, coordination_table: str) -> None:
    """By TTL, in seconds; a closed one an hour after it opens."""
    slots = factories.slots(dynamodb)
    slots.take("a", "Light", LANE, now=NOW, latest=FAR)
    (item,) = dynamodb.scan(TableName=coordination_table)["Items"]
    assert item["expires_at"] == {"N": str(NOW // MICROSECONDS + 3600)}
    slots.close("a", "Light", LANE, until=FAR, reason="daily_limit")
    (item,) = dynamodb.scan(TableName=coordination_table)["Items"]
    assert item["expires_at"] == {"N": str(FAR // MICROSECONDS + 3600)}


def test_a_table_that_does_not_answer_is_unavailable() -> None:
    """Taking and closing; what was seen of the backlog is known without it."""
    slots = factories.slots(factories.away())
    with pytest.raises(Unavailable):
        slots.take("a", "Light", LANE, now=NOW, latest=FAR)
    with pytest.raises(Unavailable):
        slots.close("a", "Light", LANE, until=FAR, reason="daily_limit")
    assert slots.backlog("a", "Light", LANE, now=NOW) == 0


def test_one_call_a_minute_may_probe_a_closed_lane(dynamodb: DynamoDBClient) -> None:
    """Of all containers; where no probe was allowed, nobody may."""
    slots, second = factories.slots(dynamodb), MICROSECONDS
    slots.close("a", "Light", LANE, until=FAR, reason="daily_limit", probe_at=NOW + 10 * second)
    slots.close("a", "Heavy", LANE, until=FAR, reason="daily_limit")
    assert slots.take("a", "Light", LANE, now=NOW + 9 * second, latest=FAR) == NoSlot(FAR, "daily_limit")
    at = NOW + 10 * second
    assert slots.take("a", "Light", LANE, now=at, latest=FAR) == Slot(at, 0, probe=True)
    another = factories.slots(dynamodb).take("a", "Light", LANE, now=at + 49 * second, latest=FAR)
    assert another == NoSlot(FAR, "daily_limit")
    assert slots.take("a", "Heavy", LANE, now=at, latest=FAR) == NoSlot(FAR, "daily_limit")


def test_a_closed_lane_is_opened_again(dynamodb: DynamoDBClient) -> None:
    """For every container; an open lane stays as it is."""
    slots = factories.slots(dynamodb)
    slots.close("a", "Light", LANE, until=FAR, reason="daily_limit", probe_at=NOW)
    slots.reopen("a", "Light", LANE)
    assert factories.slots(dynamodb).take("a", "Light", LANE, now=NOW, latest=FAR) == Slot(NOW, LANE.interval)
    slots.reopen("a", "Light", LANE)
    slots.reopen("b", "Light", LANE)
    assert slots.take("a", "Light", LANE, now=NOW, latest=FAR) == Slot(NOW + LANE.interval, 2 * LANE.interval)


def test_an_early_slot_is_given_back_unless_another_was_taken_since(dynamodb: DynamoDBClient) -> None:
    """Giving it back then would give the other one out twice."""
    slots, other = factories.slots(dynamodb), factories.slots(dynamodb)
    slots.give_back(slots.begin("a", "Light", LANE, now=NOW, latest=FAR))
    assert other.take("a", "Light", LANE, now=NOW, latest=FAR) == Slot(NOW, LANE.interval)
    slots.take("a", "Light", LANE, now=NOW, latest=FAR)
    early = slots.begin("a", "Light", LANE, now=NOW, latest=FAR)
    assert other.take("a", "Light", LANE, now=NOW, latest=FAR) == Slot(NOW + 3 * LANE.interval, 4 * LANE.interval)
    slots.give_back(early)
    assert other.take("a", "Light", LANE, now=NOW, latest=FAR) == Slot(NOW + 4 * LANE.interval, 5 * LANE.interval)


def test_an_early_slot_that_was_not_there_gives_nothing_back(dynamodb: DynamoDBClient) -> None:
    """The guess was wrong; the lane stays as it is."""
    slots, other = factories.slots(dynamodb), factories.slots(dynamodb)
    other.take("a", "Light", LANE, now=NOW, latest=FAR)
    slots.give_back(slots.begin("a", "Light", LANE, now=NOW, latest=FAR))
    assert other.take("a", "Light", LANE, now=NOW, latest=FAR) == Slot(NOW + LANE.interval, 2 * LANE.interval)


def test_an_early_slot_serves_the_call_that_takes_it(dynamodb: DynamoDBClient) -> None:
    """An early slot is used once, and only in its own lane."""
    slots = factories.slots(dynamodb)
    early = slots.begin("a", "Light", LANE, now=NOW, latest=FAR)
    assert slots.take("b", "Light", LANE, now=NOW, latest=FAR, early=early) == Slot(NOW, LANE.interval)
    assert slots.take("a", "Light", LANE, now=NOW + 7, latest=FAR, early=early) == Slot(NOW, LANE.interval)
    again = slots.take("a", "Light", LANE, now=NOW, latest=FAR, early=early)
    assert again == Slot(NOW + LANE.interval, 2 * LANE.interval)


def test_who_was_refused_a_slot_far_ahead_does_not_ask_at_once_again(dynamodb: DynamoDBClient) -> None:
    """For a quarter of a second, unless the call could wait much longer; refusals of little backlog are asked again."""
    slots = factories.slots(dynamodb)
    second, quarter = MICROSECONDS, MICROSECONDS // 4
    for _ in range(30):
        slots.take("a", "Light", LANE, now=NOW, latest=FAR)
    assert slots.take("a", "Light", LANE, now=NOW, latest=NOW + second // 2) == NoSlot(NOW + 3 * second)
    assert slots.is_spent("a", "Light", LANE, now=NOW + quarter - 1, latest=NOW + second)
    assert not slots.is_spent("a", "Light", LANE, now=NOW + quarter - 1, latest=NOW + 3 * second + quarter)
    assert not slots.is_spent("a", "Light", LANE, now=NOW + quarter, latest=NOW + second)
    assert not slots.is_spent("b", "Light", LANE, now=NOW, latest=NOW)
    factories.slots(dynamodb).take("a", "Light", LANE, now=NOW, latest=FAR)
    assert slots.take("a", "Light", LANE, now=NOW + 1, latest=NOW + second) == NoSlot(NOW + 3 * second)
    slots.take("b", "Light", LANE, now=NOW, latest=FAR)
    slots.take("b", "Light", LANE, now=NOW, latest=NOW)
    assert not slots.is_spent("b", "Light", LANE, now=NOW, latest=NOW)
