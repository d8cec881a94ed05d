"""Usage in DynamoDB: counted, rolled up, asked for."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.stores import factories
from zoom_common.errors import Unavailable
from zoom_common.gateway.usage import KeptUsage, LiveUsage, Usage, between, day_of, roll_up

pytestmark = pytest.mark.aws
TODAY = date(2026, 11, 23)
YESTERDAY = TODAY - timedelta(days=1)


def used(day: date = TODAY, tenant: str = "acme", connection: str = "con_1", calls: int = 1) -> Usage:
    return Usage(day, tenant, connection, "meetings.get", calls, calls, 0)


@pytest.fixture
def live(dynamodb: DynamoDBClient) -> LiveUsage:
    """Counters in an empty table."""
    return factories.live_usage(dynamodb)


@pytest.fixture
def kept(dynamodb: DynamoDBClient) -> KeptUsage:
    """No day has ended yet."""
    return factories.kept_usage(dynamodb, retention_days=400)


def test_calls_add_up_by_connection_operation_and_day(live: LiveUsage) -> None:
    """And stay apart from what another connection or day has."""
    for usage in (used(), used(), used(connection="con_2"), used(YESTERDAY)):
        live.begin(usage)()
    assert sorted((each.connection, each.calls) for each in live.of(TODAY, "acme")) == [("con_1", 2), ("con_2", 1)]
    assert [each.calls for each in live.of(YESTERDAY)] == [1]


def test_what_has_begun_is_added_once(live: LiveUsage) -> None:
    """However often its answer is asked for, and whatever is counted before that."""
    begun = live.begin(used())
    live.begin(used())()
    begun()
    begun()
    assert [each.calls for each in live.of(TODAY, "acme")] == [2]


def test_a_tenant_sees_its_own_only(live: LiveUsage, kept: KeptUsage) -> None:
    """A tenant's usage excludes another tenant whose name begins with the same letters."""
    live.begin(used(tenant="acme"))()
    live.begin(used(tenant="acme-2", calls=5))()
    roll_up(live, kept, today=TODAY + timedelta(days=1))
    for when in (TODAY, TODAY + timedelta(days=30)):
        assert [each.calls for each in between(live, kept, "acme", TODAY, TODAY, today=when)] == [1]


def test_a_rollup_keeps_days_that_are_over_and_may_be_repeated(live: LiveUsage, kept: KeptUsage) -> None:
    """Today is still being counted; a second run, or one after a missed night, changes nothing and misses nothing."""
    live.begin(used(TODAY, calls=9))()
    live.begin(used(YESTERDAY, calls=2))()
    live.begin(used(TODAY - timedelta(days=3), calls=3))()
    assert roll_up(live, kept, today=TODAY) == roll_up(live, kept, today=TODAY) == 2
    found = list(kept.between("acme", TODAY - timedelta(days=30), TODAY))
    assert [(each.day, each.calls) for each in found] == [(TODAY - timedelta(days=3), 3), (YESTERDAY, 2)]


def test_live_counters_go_before_what_was_kept(live: LiveUsage, kept: KeptUsage) -> None:
    """A write that came after the rollup is not missing from the answer, and nothing counts twice."""
    live.begin(used(YESTERDAY))()
    roll_up(live, kept, today=TODAY)
    live.begin(used(YESTERDAY))()
    assert [each.calls for each in between(live, kept, "acme", YESTERDAY, TODAY, today=TODAY)] == [2]


def test_both_leave_by_ttl(
    live: LiveUsage, kept: KeptUsage, dynamodb: DynamoDBClient, coordination_table: str, events_table: str
) -> None:
    """Counters ten days after their day, kept days as long as the operator says."""
    live.begin(used(TODAY))()
    roll_up(live, kept, today=TODAY + timedelta(days=1))
    ends = (TODAY - date(1970, 1, 1)).days + 1
    for table, days in ((coordination_table, 10), (events_table, 400)):
        (item,) = dynamodb.scan(TableName=table)["Items"]
        assert int(item["expires_at"]["N"]) == (ends + days) * 86_400


def test_days_are_utc() -> None:
    """One second before midnight is still the day before."""
    assert [day_of(at) for at in (0.0, 86_399.9, 86_400.0)] == [date(1970, 1, 1), date(1970, 1, 1), date(1970, 1, 2)]


def test_kept_days_are_read_from_the_first_to_the_last(kept: KeptUsage) -> None:
    """Both included, in order of day, connection and operation; writing a day again replaces it."""
    days = [TODAY - timedelta(days=back) for back in range(4)]
    for day in days:
        for connection in ("con_2", "con_1"):
            kept.keep(used(day, connection=connection))
    kept.keep(used(days[1], connection="con_1", calls=9))
    found = [(each.day, each.connection, each.calls) for each in kept.between("acme", days[2], days[1])]
    assert found == [(days[2], "con_1", 1), (days[2], "con_2", 1), (days[1], "con_1", 9), (days[1], "con_2", 1)]
    assert list(kept.between("acme-2", days[3], days[0])) == []


def test_numbers_of_one_day_are_added_each_by_itself(live: LiveUsage) -> None:
    """Calls, requests and refusals."""
    live.begin(Usage(TODAY, "acme", "con_1", "meetings.get", 1, 3, 1))()
    live.begin(Usage(TODAY, "acme", "con_1", "meetings.get", 0, 2, 0))()
    assert list(live.of(TODAY, "acme")) == [Usage(TODAY, "acme", "con_1", "meetings.get", 1, 5, 1)]
    assert list(live.of(TODAY, "acm")) == []


def test_a_table_that_does_not_answer_is_unavailable() -> None:
    """Not a day without calls."""
    live = factories.live_usage(factories.away())
    kept = factories.kept_usage(factories.away(), retention_days=400)
    for attempt in (
        lambda: live.begin(used()),
        lambda: list(live.of(TODAY)),
        lambda: kept.keep(used()),
        lambda: list(kept.between("acme", TODAY, TODAY)),
    ):
        with pytest.raises(Unavailable):
            attempt()
