"""Reading the event log in DynamoDB: order, pages, days, tenants and reach; and publishing it again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.fakes.events import NOW, Bus, Clock, plenty
from zoom_common.aws.table import EVENTS, Table
from zoom_common.deadline import Deadline
from zoom_common.errors import NotFound
from zoom_common.events.archive import Archive
from zoom_common.events.envelope import CloudEvent
from zoom_common.events.log_entry import LogEntry
from zoom_common.events.log_index_store import LogIndex
from zoom_common.events.log_query import LogQuery
from zoom_common.events.log_store import EventLog

pytestmark = pytest.mark.aws

MS = int(NOW * 1000)
SIX_HOURS = 6 * 3600 * 1000


def entry(number: int, *, owner: str = "acme", connection: str = "con_1") -> LogEntry:
    """The `number`th event, one every six hours back from now."""
    name = f"evt_{number:032x}"
    published = CloudEvent(name, "/zoom/App", "zoom.meeting.updated", "2026-09-21T00:00:00Z", owner, data={"n": number})
    return LogEntry(
        owner=owner,
        event_id=name,
        key=str(number),
        app="App",
        type="zoom.meeting.updated",
        received_at_ms=MS - number * SIX_HOURS,
        subject=f"meetings/{number % 2}",
        connection_id=connection,
        content=published.to_json().encode(),
    )


@pytest.fixture
def archive(dynamodb: DynamoDBClient, events_table: str) -> Archive:
    log = EventLog(Table(dynamodb, events_table, EVENTS), clock=Clock())
    for number in range(12):
        log.admit(entry(number, connection=f"con_{number % 3}"))
    log.admit(entry(99, owner="globex"))
    return Archive(log, LogIndex(Table(dynamodb, events_table, EVENTS)))


def query(*, since: str = "", **given: str) -> LogQuery:
    return LogQuery.from_mapping({**given, "from": since}, now=NOW, retention_days=30)


def pages(archive: Archive, reach: frozenset[str] | None = None, **given: str) -> Iterator[list[int]]:
    token = ""
    while True:
        page = archive.page("acme", query(**given, next_page_token=token), reach)
        yield [int(event["id"][4:], 16) for event in page["events"]]
        token = page["next_page_token"]
        if not token:
            return


def test_the_log_is_read_in_pages_newest_first(archive: Archive) -> None:
    """Over days, without gap or repeat."""
    assert [each for each in pages(archive, page_size="5") if each] == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [10, 11]]
    assert list(pages(archive, meeting="1")) == [[1, 3, 5, 7, 9, 11]]
    assert list(pages(archive, since="2026-09-20T00:00:00Z", to="2026-09-21T00:00:00Z")) == [[3, 4, 5, 6]]


def test_a_caller_sees_what_came_by_its_connections(archive: Archive) -> None:
    """In the list, and by id; another tenant's event does not exist."""
    assert list(pages(archive, frozenset({"con_1"}))) == [[1, 4, 7, 10]]
    assert archive.event("acme", f"evt_{1:032x}", frozenset({"con_1"})).data == {"n": 1}
    for tenant, number, reach in (("acme", 2, frozenset({"con_1"})), ("acme", 99, None), ("acme", 77, None)):
        with pytest.raises(NotFound):
            archive.event(tenant, f"evt_{number:032x}", reach)


def test_a_range_is_published_again_with_the_ids_it_has(archive: Archive) -> None:
    """Page by page."""
    bus = Bus()
    done = archive.replay("acme", query(page_size="11"), bus, plenty())
    assert done["replayed"] == 11
    rest = archive.replay("acme", query(page_size="11", next_page_token=done["next_page_token"]), bus, plenty())
    assert rest["replayed"] == 1
    assert [event.id for event in bus.events] == [f"evt_{number:032x}" for number in range(12)]


def test_a_replay_that_runs_out_of_time_says_where_to_go_on(archive: Archive) -> None:
    """After the batches that are on the bus."""
    times = iter([26.0])
    bus = Bus()
    done = archive.replay("acme", query(), bus, Deadline(28.0, clock=lambda: next(times)))
    assert done["replayed"] == len(bus.events) == 10
    archive.replay("acme", query(next_page_token=done["next_page_token"]), bus, plenty())
    assert len({event.id for event in bus.events}) == len(bus.events) == 12
