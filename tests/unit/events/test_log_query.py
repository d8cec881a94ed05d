"""Windows and places of the event log."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes import tables
from zoom_common.aws.table import Table
from zoom_common.errors import Unavailable
from zoom_common.events.log.index import LogIndex
from zoom_common.events.log.query import PLACE, LogLine, LogQuery

NOW = 1_790_000_000.0
MS = 1_790_000_000_000
DAY = 86_400_000


def within(**window: Any) -> LogQuery:
    return LogQuery.within(now=NOW, retention_days=30, **window)


@pytest.mark.parametrize("since", [None, 0, -62_135_596_800_000])
def test_nothing_older_than_the_log_is_looked_for(since: int | None) -> None:
    """However far back the caller asks."""
    query = within(since_ms=since)
    assert query.since_ms == MS - 30 * DAY
    assert query.bounds() == (f"{MS - 30 * DAY}", f"{query.until_ms}")


@pytest.mark.parametrize(
    "window",
    [
        {"since_ms": MS, "until_ms": MS},
        {"since_ms": MS, "until_ms": MS - 1000},
        {"until_ms": -62_135_596_800_000},
        {"since_ms": 253_402_300_799_000},
        {"since_ms": MS - DAY, "after": f"{MS - 2 * DAY:013}#evt_" + "a" * 32},
    ],
)
def test_in_a_window_that_holds_no_time_nothing_is_read(window: dict[str, Any]) -> None:
    """DynamoDB refuses a range whose end is before its start."""
    memory = tables.in_memory()
    memory.fails = Unavailable(reason="events_table")
    assert LogIndex(Table(memory.client(), tables.EVENTS)).search("acme", within(**window)).lines == []


def test_a_place_has_been_read_up_to_its_line() -> None:
    """What the pages before have given out is not looked for again."""
    place = LogLine("evt_" + "b" * 32, "t", MS - 3 * DAY).place
    assert PLACE.fullmatch(place)
    query = within(after=place)
    assert query.bounds()[1] == query.after
