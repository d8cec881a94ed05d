"""Requests about the event log, read into a query."""

from __future__ import annotations

import pytest

from zoom_common.edge.own_requests import log_query_of, log_tokens
from zoom_common.edge.request_fields import Fields, PageTokens
from zoom_common.errors import InvalidRequest
from zoom_common.events.log.query import PLACE, LogLine, LogQuery

NOW = 1_790_000_000.0
MS = 1_790_000_000_000
LINE = LogLine("evt_" + "a" * 32, "zoom.recording.completed", MS - 1000, subject="meetings/85746065/recordings")
TOKENS = log_tokens("acme")


def asked(**query: str) -> LogQuery:
    fields = Fields({name.rstrip("_"): value for name, value in query.items()})
    return log_query_of(fields, now=NOW, retention_days=30, tokens=TOKENS)


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
        ("next_page_token", log_tokens("globex").encode(LINE.place)),
        ("next_page_token", PageTokens("connections", "acme", PLACE).encode(LINE.place)),
    ],
)
def test_what_makes_no_sense_is_named(name: str, value: str) -> None:
    """With the field that is wrong, as Zoom does it."""
    with pytest.raises(InvalidRequest) as refused:
        asked(**{name: value})
    assert [each.field for each in refused.value.fields] == [name]


def test_every_wrong_field_is_named_at_once() -> None:
    """A caller corrects a request once."""
    with pytest.raises(InvalidRequest) as refused:
        asked(page_size="0", from_="x", meeting="y", next_page_token="z")
    assert {each.field for each in refused.value.fields} == {"page_size", "from", "meeting", "next_page_token"}


def test_a_token_goes_on_after_its_line() -> None:
    """Of the list it came from, for the tenant that got it."""
    assert asked(next_page_token=TOKENS.encode(LINE.place)).after == LINE.place
