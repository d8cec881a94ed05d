"""The event log in DynamoDB."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.fakes.events import NOW, Clock, logged
from tests.stores import factories
from zoom_common.aws.table import Table
from zoom_common.errors import Unavailable
from zoom_common.events.log.entries import Admission, Admitted, LogEntry, entry_key
from zoom_common.events.log.store import EventLog

pytestmark = pytest.mark.aws

ENTRY = LogEntry(
    owner="acme",
    event_id="evt_1",
    key="natural:1",
    app="App",
    type="zoom.meeting.started",
    received_at_ms=int(NOW * 1000),
    occurred_at_ms=int(NOW * 1000) - 500,
    subject="meetings/1",
    request_id="r",
    content=b'{"a":1}',
)
BARE = LogEntry("malformed.App", "evt_2", "bytes:1", "App", "malformed", int(NOW * 1000))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def log(dynamodb: DynamoDBClient, clock: Clock) -> EventLog:
    return factories.event_log(dynamodb, clock=clock)


def items(dynamodb: DynamoDBClient, table: str) -> list[tuple[str, str]]:
    pages = Table(dynamodb, table).pages("scan")
    return sorted((item["pk"]["S"], item["sk"]["S"]) for page in pages for item in page["Items"])


def test_a_new_event_is_admitted_and_kept(log: EventLog, dynamodb: DynamoDBClient, events_table: str) -> None:
    """One entry and, once it is published, one line in the log's day; both expire after thirty days."""
    assert logged(log, ENTRY) == Admitted(Admission.ADMITTED, ENTRY)
    assert items(dynamodb, events_table) == [
        ("acme#event#evt_1", "event"),
        ("acme#recorded#2026-09-21", "1790000000000#evt_1"),
    ]
    found = dynamodb.scan(TableName=events_table)["Items"]
    assert {item["expires_at"]["N"] for item in found} == {str(int(NOW) + 30 * 86_400)}
    assert log.get("acme", "evt_1") == ENTRY
    assert log.get("globex", "evt_1") is None


def test_a_bare_entry_is_kept_too(log: EventLog) -> None:
    """No subject, no time, no body."""
    log.admit(BARE)
    assert log.get("malformed.App", "evt_2") == BARE


def test_until_it_is_finished_an_event_is_one_workers(log: EventLog, clock: Clock) -> None:
    """Another one waits, and takes over the first delivery's content when the claim has run out."""
    log.admit(ENTRY)
    twin = replace(ENTRY, content=b'{"a":2}', received_at_ms=ENTRY.received_at_ms + 9)
    assert log.admit(twin) == Admitted(Admission.IN_PROGRESS)
    clock.now += 60
    assert log.admit(twin) == Admitted(Admission.ADMITTED, ENTRY)
    assert log.admit(twin) == Admitted(Admission.IN_PROGRESS)


def test_two_workers_never_take_over_together(
    log: EventLog, dynamodb: DynamoDBClient, events_table: str, clock: Clock
) -> None:
    """Both saw the claim run out; only the first of them gets the event."""
    log.admit(ENTRY)
    seen = dynamodb.get_item(TableName=events_table, Key=entry_key("acme", "evt_1"))["Item"]
    clock.now += 61
    assert log._known(seen).outcome is Admission.ADMITTED
    clock.now += 1
    assert log._known(seen).outcome is Admission.IN_PROGRESS


def test_a_finished_event_is_a_duplicate_from_then_on(log: EventLog, clock: Clock) -> None:
    """However late."""
    logged(log, ENTRY)
    assert log.admit(ENTRY) == Admitted(Admission.FINISHED)
    clock.now += 20 * 86_400
    assert log.admit(ENTRY) == Admitted(Admission.FINISHED)


def test_an_event_that_was_received_long_before_has_a_line_by_arrival_too(
    log: EventLog, dynamodb: DynamoDBClient, events_table: str, clock: Clock
) -> None:
    """From a backlog or a dead-letter queue: more than ten seconds after it was received."""
    clock.now += 10
    logged(log, ENTRY)
    clock.now += 1
    logged(log, replace(ENTRY, event_id="evt_2"))
    assert [key for key in items(dynamodb, events_table) if key[1] != "event"] == [
        ("acme#events#2026-09-21", "1790000000000#evt_2"),
        ("acme#recorded#2026-09-21", "1790000010000#evt_1"),
        ("acme#recorded#2026-09-21", "1790000011000#evt_2"),
    ]


def test_a_log_line_missing_after_a_crash_is_written_later(
    log: EventLog, dynamodb: DynamoDBClient, events_table: str, clock: Clock
) -> None:
    """Killed between the entry and its line: whoever takes over writes the lines of the first delivery."""
    log.admit(ENTRY)
    clock.now += 61
    logged(log, replace(ENTRY, received_at_ms=ENTRY.received_at_ms + 86_400_000))
    assert items(dynamodb, events_table)[1:] == [
        ("acme#events#2026-09-21", "1790000000000#evt_1"),
        ("acme#recorded#2026-09-21", "1790000061000#evt_1"),
    ]


def test_a_message_that_comes_again_moves_the_line_of_its_event(
    log: EventLog, dynamodb: DynamoDBClient, events_table: str, clock: Clock
) -> None:
    """Its worker may have died after it had written the line too late for those who read forwards."""
    logged(log, ENTRY)
    assert log.admit(ENTRY, again=True) == Admitted(Admission.IN_PROGRESS)
    clock.now += 61
    assert log.admit(ENTRY, again=True) == Admitted(Admission.FINISHED)
    assert items(dynamodb, events_table)[-1] == ("acme#recorded#2026-09-21", "1790000061000#evt_1")
    assert log.admit(ENTRY) == Admitted(Admission.FINISHED)


def test_what_the_release_before_finished_is_a_duplicate(
    log: EventLog, dynamodb: DynamoDBClient, events_table: str, clock: Clock
) -> None:
    """Its entry says so; its lines do not, and stand there before the event is published."""
    logged(log, ENTRY)
    line = {"pk": {"S": "acme#recorded#2026-09-21"}, "sk": {"S": "1790000000000#evt_1"}}
    dynamodb.update_item(TableName=events_table, Key=line, UpdateExpression="REMOVE done_at")
    assert log.admit(ENTRY) == Admitted(Admission.IN_PROGRESS)
    finished = "SET done_at = :now REMOVE claimed_until"
    key, values = entry_key("acme", "evt_1"), {":now": {"N": "1"}}
    dynamodb.update_item(TableName=events_table, Key=key, UpdateExpression=finished, ExpressionAttributeValues=values)
    clock.now += 61
    assert log.admit(ENTRY) == Admitted(Admission.FINISHED)


def test_an_entry_of_the_release_before_is_taken_over(
    log: EventLog, dynamodb: DynamoDBClient, events_table: str, clock: Clock
) -> None:
    """It has no moment at which its line became visible; whoever takes over gives it one."""
    log.admit(ENTRY)
    key = entry_key("acme", "evt_1")
    dynamodb.update_item(TableName=events_table, Key=key, UpdateExpression="REMOVE recorded_at_ms")
    clock.now += 61
    assert logged(log, ENTRY).outcome is Admission.ADMITTED
    assert items(dynamodb, events_table)[-1] == ("acme#recorded#2026-09-21", "1790000061000#evt_1")


def test_a_large_body_is_deflated(log: EventLog, dynamodb: DynamoDBClient, events_table: str) -> None:
    """JSON shrinks to a tenth."""
    log.admit(replace(ENTRY, content=b'{"a":1}' * 50_000))
    assert len(items(dynamodb, events_table)) == 1
    found = log.get("acme", "evt_1")
    assert found
    assert found.content == b'{"a":1}' * 50_000


def test_a_body_that_does_not_shrink_is_split(
    log: EventLog, dynamodb: DynamoDBClient, events_table: str, clock: Clock
) -> None:
    """And joined again, from the parts of the delivery that was admitted."""
    first, second = os.urandom(900_000), os.urandom(900_000)
    log.admit(replace(ENTRY, content=first))
    log.admit(replace(ENTRY, content=second))
    assert len(items(dynamodb, events_table)) == 1 + 3 + 3
    found = log.get("acme", "evt_1")
    assert found
    assert found.content == first
    clock.now += 61
    taken = log.admit(replace(ENTRY, content=second))
    assert taken.entry
    assert taken.entry.content == first


def test_half_an_event_is_none(log: EventLog, dynamodb: DynamoDBClient, events_table: str) -> None:
    """DynamoDB expires items one by one: a body with a hole in it is not given out."""
    log.admit(replace(ENTRY, content=os.urandom(900_000)))
    owner, part = next(key for key in items(dynamodb, events_table) if key[1].startswith("body#"))
    dynamodb.delete_item(TableName=events_table, Key={"pk": {"S": owner}, "sk": {"S": part}})
    with pytest.raises(Unavailable) as caught:
        log.get("acme", "evt_1")
    assert caught.value.reason == "event_expired"


def test_a_table_that_does_not_answer_is_unavailable(clock: Clock) -> None:
    """Whatever is asked of it."""
    log = factories.event_log(factories.away(), clock=clock)
    for attempt in (lambda: log.admit(ENTRY), lambda: log.finish(ENTRY), lambda: log.get("acme", "evt_1")):
        with pytest.raises(Unavailable, match="not available"):
            attempt()


def test_finishing_again_changes_nothing_for_anybody(
    log: EventLog, dynamodb: DynamoDBClient, events_table: str
) -> None:
    """The event stays a duplicate, with one line."""
    admitted = logged(log, ENTRY).entry
    assert admitted
    log.finish(admitted)
    assert len(items(dynamodb, events_table)) == 2
    assert log.admit(ENTRY) == Admitted(Admission.FINISHED)
    assert log.get("acme", "evt_1") == ENTRY


def test_a_claim_runs_out_at_its_second(log: EventLog, clock: Clock) -> None:
    """A second before it, the event is another's."""
    log.admit(ENTRY)
    clock.now += 59
    assert log.admit(ENTRY).outcome is Admission.IN_PROGRESS
    clock.now += 1
    assert log.admit(ENTRY).outcome is Admission.ADMITTED


def test_owners_and_events_do_not_meet(log: EventLog) -> None:
    """The same event of two tenants is two entries, each with its own claim."""
    other = replace(ENTRY, owner="globex")
    assert [log.admit(each).outcome for each in (ENTRY, other)] == [Admission.ADMITTED] * 2
    log.finish(replace(ENTRY, recorded_at_ms=int(NOW * 1000)))
    assert log.admit(ENTRY).outcome is Admission.FINISHED
    assert log.admit(other).outcome is Admission.IN_PROGRESS
