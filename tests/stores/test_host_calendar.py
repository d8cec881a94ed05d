"""When hosts' meetings are planned, and which of them take place at the same time."""

from __future__ import annotations

import json
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.stores import factories
from zoom_common.erasure_target import ErasureTarget
from zoom_common.errors import Unavailable
from zoom_common.gateway.host_calendar import LIFE, HostCalendar, overlapping, planned
from zoom_common.zoom.events import ZoomEvent, parse

pytestmark = pytest.mark.aws

NOW = 1_900_000_000
HOUR = 3600
FIRST, SECOND, THIRD = "81000000001", "81000000002", "81000000003"


@pytest.fixture
def calendar(dynamodb: DynamoDBClient) -> HostCalendar:
    """Nothing is planned yet."""
    return factories.calendar(dynamodb, clock=lambda: float(NOW))


def hour(number: int) -> tuple[int, int]:
    """A span of an hour, so many hours from now."""
    return NOW + number * HOUR, NOW + (number + 1) * HOUR


def event(name: str, operation: str = "all", **about: Any) -> ZoomEvent:
    """A webhook's event about the first meeting of a host."""
    whole = {"id": int(FIRST), "host_id": "host-1", **about}
    payload = {"account_id": "account-1", "operation": operation, "object": whole}
    return parse(json.dumps({"event": name, "event_ts": 1, "payload": payload}).encode())


def test_a_booking_returns_the_others_of_the_host(calendar: HostCalendar) -> None:
    """A booking returns the other meetings of the same host in the same account."""
    assert calendar.book("account-1", "host-1", FIRST, [hour(1)]) == {}
    assert calendar.book("account-1", "host-1", SECOND, [hour(1), hour(25)]) == {FIRST: [hour(1)]}
    assert calendar.book("account-1", "host-2", THIRD, [hour(1)]) == {}
    assert calendar.book("account-2", "host-1", THIRD, [hour(1)]) == {}
    assert calendar.book("account-1", "host-1", FIRST, [hour(2)]) == {SECOND: [hour(1), hour(25)]}


def test_booking_again_changes_nothing(calendar: HostCalendar) -> None:
    """A create that is answered again under its key says the same."""
    calendar.book("account-1", "host-1", FIRST, [hour(1)])
    for _ in range(2):
        assert calendar.book("account-1", "host-1", SECOND, [hour(1)]) == {FIRST: [hour(1)]}


def test_a_canceled_meeting_is_not_returned(calendar: HostCalendar) -> None:
    """Canceling what is not there is no fault."""
    calendar.book("account-1", "host-1", FIRST, [hour(1)])
    calendar.cancel("account-1", "host-1", FIRST)
    calendar.cancel("account-1", "host-1", FIRST)
    calendar.cancel("account-1", "nobody", FIRST)
    assert calendar.book("account-1", "host-1", SECOND, [hour(1)]) == {}


def test_the_past_is_dropped_when_it_grows(calendar: HostCalendar) -> None:
    """An item does not grow for as long as its host has meetings."""
    for number in range(25):
        calendar.book("account-1", "host-1", f"8200000{number:04}", [hour(-100)])
    left = calendar.book("account-1", "host-1", FIRST, [hour(1)])
    assert len(left) < 20


def test_webhooks_keep_it(calendar: HostCalendar) -> None:
    """What was planned, moved and deleted in Zoom's own pages counts too."""
    start: dict[str, Any] = {"type": 2, "start_time": "2030-03-17T18:46:40Z", "duration": 60}
    calendar.on_event(event("meeting.created", **start))
    assert calendar.book("account-1", "host-1", SECOND, [hour(0)]) == {FIRST: [(NOW + HOUR, NOW + 2 * HOUR)]}
    calendar.on_event(event("meeting.updated", type=2, start_time="2030-03-17T17:46:40Z", duration=30))
    assert calendar.book("account-1", "host-1", THIRD, [])[FIRST] == [(NOW, NOW + HOUR // 2)]
    calendar.on_event(event("meeting.deleted", operation="single", **start))
    assert FIRST in calendar.book("account-1", "host-1", THIRD, [])
    calendar.on_event(event("meeting.deleted", **start))
    assert FIRST not in calendar.book("account-1", "host-1", THIRD, [])


@pytest.mark.parametrize(
    "reported",
    [
        event("meeting.created", type=1, start_time="2030-03-17T18:46:40Z", duration=60),
        event("meeting.created", host_id=None, type=2, start_time="2030-03-17T18:46:40Z", duration=60),
        event("meeting.created", id="no number", type=2, start_time="2030-03-17T18:46:40Z", duration=60),
        event("meeting.started", type=2, start_time="2030-03-17T18:46:40Z", duration=60),
        event("recording.created", type=2, start_time="2030-03-17T18:46:40Z", duration=60),
        event("meeting.updated", topic="new"),
    ],
)
def test_what_says_no_time_is_not_kept(calendar: HostCalendar, reported: ZoomEvent) -> None:
    """An instant meeting, an event without a host, and one about something else."""
    calendar.on_event(reported)
    assert calendar.book("account-1", "host-1", SECOND, [hour(0)]) == {}


def test_a_table_that_does_not_answer_stops_no_event() -> None:
    """A create learns of it."""
    away = factories.calendar(factories.away(), clock=lambda: float(NOW))
    away.on_event(event("meeting.created", type=2, start_time="2030-03-17T18:46:40Z", duration=60))
    with pytest.raises(Unavailable):
        away.book("account-1", "host-1", FIRST, [hour(1)])


def test_an_item_expires(calendar: HostCalendar, dynamodb: DynamoDBClient, coordination_table: str) -> None:
    """Three months after its last change."""
    calendar.book("account-1", "host-1", FIRST, [hour(1)])
    (item,) = dynamodb.scan(TableName=coordination_table)["Items"]
    assert item["expires_at"] == {"N": str(NOW + LIFE)}


def test_a_persons_calendar_is_erased() -> None:
    """Only the person's calendar is erased, by its exact key."""
    item = {"pk": "calendar#account-1#host-1", "sk": "calendar"}
    target, other = (
        ErasureTarget(tenant="acme", account_ids=frozenset({"account-1"}), zoom_user_ids=frozenset({host}))
        for host in ("host-1", "host-2")
    )
    assert HostCalendar.erases(item, target)
    assert not HostCalendar.erases(item, other)


def test_a_series_is_planned_by_its_dates() -> None:
    """Dates that were deleted take no time; one without a duration has the series'."""
    series = {
        "type": 8,
        "duration": 30,
        "occurrences": [
            {"start_time": "2030-03-17T17:46:40Z", "duration": 60, "status": "available"},
            {"start_time": "2030-03-18T17:46:40Z", "duration": 60, "status": "deleted"},
            {"start_time": "2030-03-19T17:46:40Z"},
        ],
    }
    assert planned(series) == [(NOW, NOW + HOUR), (NOW + 48 * HOUR, NOW + 48 * HOUR + HOUR // 2)]
    assert planned({"type": 3, "duration": 60}) == planned({"type": 2, "start_time": "soon", "duration": 1}) == []


def test_overlaps_are_named_by_start() -> None:
    """Meetings that only touch do not overlap."""
    others = {THIRD: [hour(2)], SECOND: [hour(1), hour(3)], FIRST: [(NOW, NOW + 2 * HOUR)], "9": [hour(4)]}
    assert overlapping([(NOW + HOUR, NOW + 4 * HOUR)], others) == [FIRST, SECOND, THIRD]
