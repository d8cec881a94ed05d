"""Deliveries: their records, and the events that wait by due time or in lanes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.stores import factories
from tests.stores.test_subscription_store import NOW, made
from zoom_common.events.subscriptions.delivery_store import Delivery, DeliveryStore, Waiting, again
from zoom_common.events.subscriptions.model import Attempt, Status

pytestmark = pytest.mark.aws
SUBSCRIPTION = made()
ATTEMPT = Attempt(at=NOW, duration_ms=120, status=500, answer="no")


@pytest.fixture
def store(dynamodb: DynamoDBClient) -> DeliveryStore:
    return factories.deliveries(dynamodb)


def event_id(number: int) -> str:
    return f"evt_{number:032x}"


def waiting(number: int, **more: Any) -> Waiting:
    return Waiting(
        **{"event_id": event_id(number), "time_ms": number, "type": "zoom.meeting.started", "due_at": NOW, **more}
    )


def delivery(number: int, status: Status = Status.DELIVERED) -> Delivery:
    return Delivery(
        event_id=event_id(number), time_ms=number, type="zoom.meeting.started", status=status, attempts=(ATTEMPT,)
    )


def test_records_are_listed_newest_event_first(store: DeliveryStore) -> None:
    """Page by page, and by status."""
    for number in (3, 1, 2):
        store.record(SUBSCRIPTION, delivery(number, Status.FAILED if number == 1 else Status.DELIVERED), now=NOW)
    page, after = store.page(SUBSCRIPTION, limit=2)
    assert [each.time_ms for each in page] == [3, 2]
    rest, end = store.page(SUBSCRIPTION, limit=2, after=after)
    assert ([each.time_ms for each in rest], end) == ([1], None)
    failed, _ = store.page(SUBSCRIPTION, limit=10, status=Status.FAILED)
    assert failed == [delivery(1, Status.FAILED)]
    assert store.page(replace(SUBSCRIPTION, tenant="other"), limit=10) == ([], None)


def test_a_record_is_replaced(store: DeliveryStore) -> None:
    """By what has become of the delivery since."""
    retrying = replace(delivery(1, Status.RETRYING), next_at=NOW + 5)
    store.record(SUBSCRIPTION, retrying, now=NOW)
    assert store.get(SUBSCRIPTION, 1, event_id(1)) == retrying
    store.record(SUBSCRIPTION, delivery(1), now=NOW)
    assert store.get(SUBSCRIPTION, 1, event_id(1)) == delivery(1)
    assert store.get(SUBSCRIPTION, 2, event_id(2)) is None


def test_the_status_of_many_is_asked_at_once(store: DeliveryStore) -> None:
    """Of those that have a record."""
    store.record(SUBSCRIPTION, delivery(1), now=NOW)
    places = [delivery(number).place for number in (1, 2, 1)]
    assert store.statuses(SUBSCRIPTION, places) == {places[0]: Status.DELIVERED}


def test_what_waits_is_due_in_the_order_of_its_times(store: DeliveryStore) -> None:
    """The longest due first; what is due later is not given out, and says when it is."""
    for number, at in ((1, NOW + 0.0015), (2, NOW - 5.5), (3, NOW + 60.25)):
        store.add(SUBSCRIPTION, waiting(number, due_at=at, attempts=(ATTEMPT,), tries=1), now=NOW)
    found = store.due(SUBSCRIPTION, now=NOW + 1, limit=10)
    assert [each.event_id for each in found] == [event_id(2), event_id(1)]
    assert found[0].attempts == (ATTEMPT,)
    for each in found:
        store.remove(SUBSCRIPTION, each)
    assert store.due(SUBSCRIPTION, now=NOW + 1, limit=10) == []
    assert store.next_due(SUBSCRIPTION) == NOW + 60.25
    later = again(store.due(SUBSCRIPTION, now=NOW + 100, limit=1)[0], ATTEMPT, NOW + 400.123_456)
    store.postpone(SUBSCRIPTION, store.due(SUBSCRIPTION, now=NOW + 100, limit=1)[0], later, now=NOW)
    (kept,) = store.due(SUBSCRIPTION, now=NOW + 1000, limit=10)
    assert (kept.tries, len(kept.attempts)) == (2, 2)
    assert kept.due_at == pytest.approx(NOW + 400.123, abs=0.001)
    store.remove(SUBSCRIPTION, kept)
    assert store.next_due(SUBSCRIPTION) is None


def test_only_the_first_event_of_a_lane_is_given_out(store: DeliveryStore) -> None:
    """One that failed holds back its own lane, and no other."""
    for number, lane in ((1, "a"), (2, "a"), (3, "b"), (4, "c")):
        store.add(SUBSCRIPTION, waiting(number, lane=lane, place=f"{number:013}"), now=NOW)
    store.add(SUBSCRIPTION, waiting(9), now=NOW)

    def heads(most: int = 10) -> tuple[list[str], float | None]:
        found, soonest = store.heads(SUBSCRIPTION, is_due=lambda each: each.due_at <= NOW, most=most)
        return [each.event_id for each in found], soonest

    assert heads() == ([event_id(1), event_id(3), event_id(4)], None)
    assert heads(2) == ([event_id(1), event_id(3)], None)
    (first, *_), _ = store.heads(SUBSCRIPTION, is_due=lambda _: True, most=1)
    store.postpone(SUBSCRIPTION, first, again(first, ATTEMPT, NOW + 5), now=NOW)
    assert heads() == ([event_id(3), event_id(4)], NOW + 5)
    store.add(SUBSCRIPTION, waiting(1, lane="a", place=f"{1:013}"), now=NOW)  # its message came again
    assert heads() == ([event_id(3), event_id(4)], NOW + 5)
    assert [each.event_id for each in store.due(SUBSCRIPTION, now=NOW, limit=10)] == [event_id(9)]


def test_what_waits_keeps_a_body_that_the_log_does_not_have(store: DeliveryStore) -> None:
    """A waiting event keeps its body if the log does not have it, and whether somebody asked for it."""
    store.add(SUBSCRIPTION, waiting(1, body=b"{}", forced=True), now=NOW)
    (found,) = store.due(SUBSCRIPTION, now=NOW, limit=1)
    assert (found.body, found.forced) == (b"{}", True)
