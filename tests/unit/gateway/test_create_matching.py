"""Deciding whether something at Zoom is what a create asked for."""

from __future__ import annotations

from typing import Any

import pytest

from zoom_common.gateway.create_lookup import created_since, matches

ASKED = {"topic": "Review", "type": 2, "start_time": "2031-05-06T07:08:00Z", "duration": 30, "agenda": "All"}
CREATED = {"created_at": "2030-03-17T17:46:40Z"}
NOW = 1_900_000_000.0


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"topic": " Review "},
        {"type": "2"},
        {"duration": "30"},
        {"start_time": "2031-05-06T09:08:00+02:00"},
        {"agenda": None},
        {"settings": {"host_video": True}},
    ],
)
def test_the_same_said_otherwise_is_the_same(said: dict[str, Any]) -> None:
    """Numbers as text, spaces around text, another offset; what only one side says is not compared."""
    assert matches(ASKED | said, ASKED)


@pytest.mark.parametrize(
    "found",
    [{"topic": "review"}, {"type": 8}, {"duration": 31}, {"start_time": "2031-05-06T07:08:01Z"}, {"agenda": "Some"}],
    ids=lambda found: next(iter(found)),
)
def test_any_difference_is_one(found: dict[str, Any]) -> None:
    """In whatever both sides say."""
    assert not matches(ASKED, ASKED | found)


def test_a_local_time_is_read_in_its_zone() -> None:
    """Zoom answers in UTC; without a zone nobody knows, and the rest decides."""
    berlin = ASKED | {"start_time": "2031-05-06T09:08:00", "timezone": "Europe/Berlin"}
    assert matches(berlin, ASKED)
    assert not matches(berlin | {"start_time": "2031-05-06T07:08:00"}, ASKED)
    assert matches(ASKED | {"start_time": "2031-05-06T09:08:00"}, ASKED)
    assert matches(berlin | {"timezone": "Nowhere/Land"}, ASKED)


def test_a_series_is_listed_by_its_dates() -> None:
    """Whose start says nothing about the series."""
    assert matches(ASKED | {"recurrence": {"type": 1}}, ASKED | {"start_time": "2031-05-07T07:08:00Z"})


@pytest.mark.parametrize(("since", "is_since"), [(NOW, True), (NOW + 5, True), (NOW + 6, False)])
def test_clocks_may_differ_by_seconds(since: float, *, is_since: bool) -> None:
    """Zoom's has whole ones."""
    assert created_since(CREATED, since) is is_since


@pytest.mark.parametrize("created", [None, "", "soon", 5])
def test_what_does_not_say_when_was_not(created: Any) -> None:
    """It cannot be the one."""
    assert not created_since({"created_at": created}, 0.0)
