"""Send slots in DynamoDB: taken once, an interval apart, whichever container asks and whatever its clock says."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mypy_boto3_dynamodb import DynamoDBClient

from zoom_common.aws.table import Table
from zoom_common.gateway.pacing import MICROSECONDS, Lane
from zoom_common.gateway.slot_store import NoSlot, Slot, SlotStore

pytestmark = pytest.mark.aws

NOW = 1_900_000_000 * MICROSECONDS
LANE = Lane("all", 100_000)
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


def test_a_free_lane_gives_a_slot_at_once(table: Table) -> None:
    """And the next one an interval later."""
    slots = SlotStore(table)
    assert slots.take("a", "Light", LANE, now=NOW, latest=FAR) == Slot(NOW, LANE.interval)
    assert slots.take("a", "Light", LANE, now=NOW, latest=FAR) == Slot(NOW + LANE.interval, 2 * LANE.interval)
    assert slots.take("a", "Light", LANE, now=NOW + 5 * LANE.interval, latest=FAR) == Slot(
        NOW + 5 * LANE.interval, LANE.interval
    )


def test_accounts_labels_and_lanes_do_not_meet(table: Table) -> None:
    """Each has slots of its own."""
    slots = SlotStore(table)
    for account, label, lane in (("a", "Light", LANE), ("b", "Light", LANE), ("a", "Heavy", LANE)):
        assert slots.take(account, label, lane, now=NOW, latest=FAR) == Slot(NOW, LANE.interval)
    interactive = Lane("interactive", LANE.interval)
    assert slots.take("a", "Light", interactive, now=NOW, latest=FAR) == Slot(NOW, LANE.interval)


def test_a_slot_that_comes_too_late_is_not_taken(table: Table) -> None:
    """The answer says when one would be free, and the lane is as it was."""
    slots = SlotStore(table)
    slots.take("a", "Light", LANE, now=NOW, latest=NOW)
    assert slots.take("a", "Light", LANE, now=NOW, latest=NOW + LANE.interval - 1) == NoSlot(NOW + LANE.interval)
    assert slots.take("a", "Light", LANE, now=NOW, latest=FAR) == Slot(NOW + LANE.interval, 2 * LANE.interval)


def test_a_closed_lane_sends_everybody_away(table: Table) -> None:
    """In every container, with the reason, until it opens; a shorter closure changes nothing."""
    first, second = SlotStore(table), SlotStore(table)
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


def test_a_slot_written_by_a_wrong_clock_is_mended(table: Table) -> None:
    """A container an hour ahead does not silence the others for an hour."""
    slots = SlotStore(table)
    hour = 3600 * MICROSECONDS
    slots.take("a", "Light", LANE, now=NOW + hour, latest=NOW + hour)
    taken = slots.take("a", "Light", LANE, now=NOW, latest=NOW)
    assert taken == Slot(NOW, LANE.interval)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    skews=st.lists(st.integers(-50_000, 50_000), min_size=2, max_size=5),
    calls=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 150_000)), min_size=20, max_size=50),
    run=st.uuids(),
)
def test_no_window_of_zooms_holds_more_than_the_rate(
    table: Table, skews: list[int], calls: list[tuple[int, int]], run: object
) -> None:
    """Containers with wrong clocks share a lane: slots are an interval apart, and skew is all that is lost.

    No window of a second, in true time, holds more sends than fit into a second and twice the skew.
    """
    containers = [(SlotStore(table), skew) for skew in skews]
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
