"""Usage in DynamoDB: counted, rolled up, asked for."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from zoom_common.aws.table import CONNECTIONS, Table
from zoom_common.connections.census_store import census
from zoom_common.deadline import Deadline
from zoom_common.edge.heartbeat_store import SWEEP, Heartbeats
from zoom_common.errors import Unavailable
from zoom_common.gateway.usage import between, roll_up
from zoom_common.gateway.usage_store import KeptUsage, LiveUsage, Usage, day_of

pytestmark = pytest.mark.aws
TODAY = date(2026, 11, 23)
YESTERDAY = TODAY - timedelta(days=1)


def used(day: date = TODAY, tenant: str = "acme", connection: str = "con_1", calls: int = 1) -> Usage:
    return Usage(day, tenant, connection, "meetings.get", calls, calls, 0)


@pytest.fixture
def live(dynamodb: DynamoDBClient, coordination_table: str) -> LiveUsage:
    """Counters in an empty table."""
    return LiveUsage(Table(dynamodb, coordination_table))


@pytest.fixture
def kept(dynamodb: DynamoDBClient, events_table: str) -> KeptUsage:
    """No day has ended yet."""
    return KeptUsage(Table(dynamodb, events_table), retention_days=400)


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
    """Even next to one whose name begins with its own."""
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


def test_a_census_counts_connections_and_nothing_else(dynamodb: DynamoDBClient, connections_table: str) -> None:
    """Claims, links and keys lie in the same table; a state that nobody is in is a zero, not a gap."""
    for pk, sk, state in (
        ("acme#connections", "con_1", "connected"),
        ("globex#connections", "con_2", "connected"),
        ("acme#connections", "con_3", "pending"),
        ("apikey#a", "apikey", "connected"),
    ):
        dynamodb.put_item(TableName=connections_table, Item={"pk": {"S": pk}, "sk": {"S": sk}, "state": {"S": state}})
    found = census(Table(dynamodb, connections_table, CONNECTIONS), Deadline.after(60))
    assert {state: number for state, number in found.items() if number} == {"connected": 2, "pending": 1}
    assert found["refresh_failing"] == 0
    with pytest.raises(Unavailable):
        census(Table(dynamodb, connections_table, CONNECTIONS), Deadline.after(0))


def test_a_heartbeat_is_written_once_a_minute(dynamodb: DynamoDBClient, coordination_table: str) -> None:
    """And another container sees how old it is."""
    now = 1000.0
    table = Table(dynamodb, coordination_table)
    beats, other = Heartbeats(table=table, clock=lambda: now), Heartbeats(table=table, clock=lambda: now)
    assert other.age(SWEEP) is None
    beats.beat(SWEEP)
    now = 1030.0
    beats.beat(SWEEP)
    assert other.age(SWEEP) == 30.0
    now = 1061.0
    beats.beat(SWEEP)
    assert other.age(SWEEP) == 0.0
