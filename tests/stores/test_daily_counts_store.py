"""Counts of a day for operators: added, read back, and nothing that anybody waits for."""

from __future__ import annotations

from datetime import date

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.stores import factories
from zoom_common.daily_counts import DELIVERIES, DUPLICATES, EVENTS, REFRESHES, DailyCounts
from zoom_common.errors import Unavailable

pytestmark = pytest.mark.aws
DAY = 86_400.0


def test_containers_add_up(dynamodb: DynamoDBClient) -> None:
    """Each writes its sum once, however often it counted; writing again without counting adds nothing."""
    for _ in range(2):
        counts = factories.daily_counts(dynamodb, clock=lambda: DAY)
        counts.add(REFRESHES, "refreshed")
        counts.add(REFRESHES, "refreshed", 2)
        counts.add(*DUPLICATES)
        counts.write()
        counts.write()
    found = factories.daily_counts(dynamodb, clock=lambda: DAY).of(date(1970, 1, 2))
    assert found == {EVENTS: {"duplicates": 2}, REFRESHES: {"refreshed": 6}, DELIVERIES: {}}


def test_a_count_that_nobody_waits_for(dynamodb: DynamoDBClient) -> None:
    """It is sent at once, and counted once when the sums are written."""
    counts = factories.daily_counts(dynamodb, clock=lambda: DAY)
    counts.begin(REFRESHES, "refreshed")
    assert counts.of(date(1970, 1, 2))[REFRESHES] == {"refreshed": 1}
    counts.add(REFRESHES, "refreshed")
    counts.write()
    counts.write()
    assert counts.of(date(1970, 1, 2))[REFRESHES] == {"refreshed": 2}


def test_days_are_apart_and_leave_by_ttl(dynamodb: DynamoDBClient, coordination_table: str) -> None:
    """A day ends at midnight UTC; its counts go 35 days later."""
    now = 2 * DAY - 0.5
    counts = factories.daily_counts(dynamodb, clock=lambda: now)
    counts.add(DELIVERIES, "failed")
    counts.write()
    now = 2 * DAY
    counts.add(DELIVERIES, "failed", 5)
    counts.write()
    assert [counts.of(date(1970, 1, day))[DELIVERIES] for day in (1, 2, 3)] == [{}, {"failed": 1}, {"failed": 5}]
    items = dynamodb.scan(TableName=coordination_table)["Items"]
    assert {int(item["expires_at"]["N"]) for item in items} == {int(2 * DAY - 0.5 + 35 * DAY), int(2 * DAY + 35 * DAY)}


def test_what_cannot_be_written_is_lost_and_no_fault() -> None:
    """Nothing depends on it; reading says that the table is away."""
    counts = factories.daily_counts(factories.away(), clock=lambda: DAY)
    counts.begin(REFRESHES, "refreshed")
    counts.add(REFRESHES, "refreshed")
    counts.write()
    with pytest.raises(Unavailable):
        counts.of(date(1970, 1, 2))


def test_without_a_table_nothing_is_kept() -> None:
    """Without a Coordination table nothing is counted, and nothing fails."""
    counts = DailyCounts.from_env({}, lambda: pytest.fail("no client is needed"), clock=lambda: DAY)
    counts.add(REFRESHES, "refreshed")
    counts.write()
    assert counts.of(date(1970, 1, 2)) == {EVENTS: {}, REFRESHES: {}, DELIVERIES: {}}
