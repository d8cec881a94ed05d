"""Filters, windows and page tokens of the event log."""

from __future__ import annotations

import pytest

from zoom_common.errors import InvalidRequest
from zoom_common.events.log_query import LogLine, LogQuery, token

NOW = 1_790_000_000.0
MS = 1_790_000_000_000
LINE = LogLine("evt_" + "a" * 32, "zoom.recording.completed", MS - 1000, subject="meetings/85746065/recordings")


def asked(**query: str) -> LogQuery:
    return LogQuery.from_mapping({name.rstrip("_"): value for name, value in query.items()}, now=NOW, retention_days=30)


@pytest.mark.parametrize(
    ("query", "fits"),
    [
        ({}, True),
        ({"type": "recording.completed"}, True),
        ({"type": "zoom.recording.completed"}, True),
        ({"type": "recording.*"}, True),
        ({"type": "recording."}, False),
        ({"type": "meeting.*"}, False),
        ({"meeting": "85746065"}, True),
        ({"meeting": "8574606"}, False),
        ({"from_": "2026-09-21T14:13:19Z"}, True),
        ({"from_": "2026-09-21T14:13:20+00:00"}, False),
        ({"to": "2026-09-21T14:13:19Z"}, False),
        ({"to": "2026-09-21T14:13:20"}, True),
    ],
)
def test_a_line_fits_what_is_asked(query: dict[str, str], fits: bool) -> None:  # noqa: FBT001 - the expectation
    """By Zoom's name or its beginning, by the meeting's number, and from a moment until before another."""
    assert asked(**query).fits(LINE) is fits


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("page_size", "0"),
        ("page_size", "301"),
        ("page_size", "x"),
        ("from", "yesterday"),
        ("to", "99999-01-01"),
        ("type", "a b"),
        ("type", "*.*"),
        ("meeting", "u/1=="),
        ("next_page_token", "%%"),
        ("next_page_token", token("acme#event#x")),
    ],
)
def test_what_makes_no_sense_is_named(name: str, value: str) -> None:
    """With the field that is wrong, as Zoom does it."""
    with pytest.raises(InvalidRequest) as refused:
        asked(**{name: value})
    assert [each.field for each in refused.value.fields] == [name]


def test_nothing_older_than_the_log_is_looked_for() -> None:
    """However far back the caller asks."""
    query = asked(from_="1990-01-01T00:00:00Z")
    assert query.since_ms == MS - 30 * 86_400_000
    assert len(list(query.days())) == 31


def test_a_token_goes_on_after_its_line() -> None:
    """Days that the pages before have read are not read again."""
    query = asked(next_page_token=token(LogLine("evt_" + "b" * 32, "t", MS - 3 * 86_400_000).place))
    assert str(next(query.days())) == "2026-09-18"
    assert query.bounds()[1] == query.after
