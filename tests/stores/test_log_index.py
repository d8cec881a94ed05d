"""Reading the event log in DynamoDB: order, pages, days, tenants and reach; and publishing it again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.fakes.events import NOW, Bus, Clock, logged, plenty
from tests.stores import factories
from zoom_common.deadline import Deadline
from zoom_common.errors import NotFound, Unavailable
from zoom_common.events.bus import CloudEvent
from zoom_common.events.log.entries import LogEntry
from zoom_common.events.log.query import LogQuery
from zoom_common.events.log.reader import LogReader

pytestmark = pytest.mark.aws

MS = int(NOW * 1000)
MIDNIGHT = MS - MS % 86_400_000
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
def archive(dynamodb: DynamoDBClient) -> LogReader:
    log = factories.event_log(dynamodb, clock=Clock())
    for number in range(12):
        logged(log, entry(number, connection=f"con_{number % 3}"))
    logged(log, entry(99, owner="globex"))
    return LogReader(log, factories.log_index(dynamodb))


def query(**given: Any) -> LogQuery:
    return LogQuery.within(now=NOW, retention_days=30, **given)


def pages(archive: LogReader, reach: frozenset[str] | None = None, **given: Any) -> Iterator[list[int]]:
    asked = query(**given)
    while True:
        page = archive.page("acme", asked, reach)
        yield [int(event["id"][4:], 16) for event in page.events]
        if page.after is None:
            return
        asked = replace(asked, after=page.after)


def test_the_log_is_read_in_pages_newest_first(archive: LogReader) -> None:
    """Over days, without gap or repeat."""
    assert [each for each in pages(archive, page_size=5) if each] == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9], [10, 11]]
    assert list(pages(archive, meeting="1")) == [[1, 3, 5, 7, 9, 11]]
    assert list(pages(archive, since_ms=MIDNIGHT - 86_400_000, until_ms=MIDNIGHT)) == [[3, 4, 5, 6]]


def test_a_caller_sees_what_came_by_its_connections(archive: LogReader) -> None:
    """In the list, and by id; another tenant's event does not exist."""
    assert list(pages(archive, frozenset({"con_1"}))) == [[1, 4, 7, 10]]
    assert archive.event("acme", f"evt_{1:032x}", frozenset({"con_1"})).data == {"n": 1}
    for tenant, number, reach in (("acme", 2, frozenset({"con_1"})), ("acme", 99, None), ("acme", 77, None)):
        with pytest.raises(NotFound):
            archive.event(tenant, f"evt_{number:032x}", reach)


def test_a_range_is_published_again_with_the_ids_it_has(archive: LogReader) -> None:
    """Page by page."""
    bus = Bus()
    done = archive.replay("acme", query(page_size=11), bus.publish, plenty())
    assert done.count == 11
    rest = archive.replay("acme", query(page_size=11, after=done.after), bus.publish, plenty())
    assert rest.count == 1
    assert [event.id for event in bus.events] == [f"evt_{number:032x}" for number in range(12)]


def test_a_replay_that_runs_out_of_time_says_where_to_go_on(archive: LogReader) -> None:
    """After the batches that are on the bus."""
    times = iter([26.0])
    bus = Bus()
    done = archive.replay("acme", query(), bus.publish, Deadline(28.0, clock=lambda: next(times)))
    assert done.count == len(bus.events) == 10
    archive.replay("acme", query(after=done.after), bus.publish, plenty())
    assert len({event.id for event in bus.events}) == len(bus.events) == 12


def test_a_long_search_that_finds_little_ends_with_a_token(
    archive: LogReader, dynamodb: DynamoDBClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A short page that is not the last one; a line is never given twice."""
    assert archive
    monkeypatch.setattr("zoom_common.events.log.index._MOST_READ", 5)
    index = factories.log_index(dynamodb)
    first = index.search("acme", query(), frozenset({"con_1"}))
    assert ([line.received_at_ms for line in first.lines], first.after is None) == (
        [MS - SIX_HOURS, MS - 4 * SIX_HOURS],
        False,
    )
    second = index.search("acme", query(after=first.after), frozenset({"con_1"}))
    assert [line.received_at_ms for line in second.lines] == [MS - 7 * SIX_HOURS]


def test_a_line_says_what_its_entry_is(archive: LogReader, dynamodb: DynamoDBClient) -> None:
    """Without its content; the bounds are from the first, included, to the last, excluded."""
    assert archive
    index = factories.log_index(dynamodb)
    day = LogQuery(MS - SIX_HOURS, MS)
    (line,) = index.search("acme", day).lines
    assert (line.event_id, line.type, line.subject) == (f"evt_{1:032x}", "zoom.meeting.updated", "meetings/1")
    assert (line.connection_id, line.occurred_at_ms) == ("con_1", None)
    assert index.search("nobody", day).lines == []


def test_a_log_that_does_not_answer_is_unavailable() -> None:
    """Not an empty one."""
    with pytest.raises(Unavailable):
        factories.log_index(factories.away()).search("acme", query())
