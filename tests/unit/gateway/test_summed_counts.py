"""Counts of archived files over more than the week that Zoom counts at once."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from tests.unit.gateway.test_pagination import Zoom, body
from zoom_common.errors import InvalidRequest, Unavailable
from zoom_common.gateway import summed_counts
from zoom_common.gateway.service import Answer
from zoom_common.zoom.operations.table import match

COUNTS = match("GET", "/v2/archive_files/statistics")[0]
ARCHIVED = match("GET", "/v2/archive_files")[0]
TODAY = date(2030, 6, 1)


def week(first: str, last: str, count: int, **kinds: int) -> dict[str, Any]:
    """One answer of Zoom's."""
    return {
        "from": f"{first}T00:00:00Z",
        "to": f"{last}T23:59:59Z",
        "total_records": count,
        "statistic_by_file_extension": kinds,
    }


def test_the_counts_of_all_weeks_are_added_up() -> None:
    """At every depth, with the days that were asked for."""
    zoom = Zoom(
        [
            week("2030-01-01", "2030-01-07", 3, mp4_file_count=2, vtt_file_count=1),
            week("2030-01-08", "2030-01-14", 5, mp4_file_count=5),
            week("2030-01-15", "2030-01-16", 1, txt_file_count=1),
        ]
    )
    query = "from=2030-01-01T09:00:00Z&to=2030-01-16"
    found = body(summed_counts.summed(COUNTS, query, zoom.fetch, zoom.deadline(), today=TODAY))
    assert found == {
        "from": "2030-01-01T09:00:00Z",
        "to": "2030-01-16",
        "total_records": 9,
        "statistic_by_file_extension": {"mp4_file_count": 7, "vtt_file_count": 1, "txt_file_count": 1},
    }
    assert [(each["from"], each["to"]) for each in zoom.asked] == [
        ("2030-01-01T09:00:00Z", "2030-01-07T23:59:59Z"),
        ("2030-01-08T00:00:00Z", "2030-01-14T23:59:59Z"),
        ("2030-01-15T00:00:00Z", "2030-01-16"),
    ]


def test_days_that_zoom_left_out_are_counted_as_well() -> None:
    """Zoom answered the end of the week alone."""
    zoom = Zoom(
        [
            week("2030-01-05", "2030-01-07", 3),
            week("2030-01-01", "2030-01-04", 4),
            week("2030-01-08", "2030-01-08", 1),
        ]
    )
    found = summed_counts.summed(COUNTS, "from=2030-01-01&to=2030-01-08", zoom.fetch, zoom.deadline(), today=TODAY)
    assert body(found)["total_records"] == 8


def test_a_part_of_the_weeks_is_no_answer() -> None:
    """A sum that lacks some weeks would be a wrong number."""
    zoom = Zoom([week("2030-01-01", "2030-01-07", 3)], takes=27.0)
    with pytest.raises(Unavailable) as refusal:
        summed_counts.summed(COUNTS, "from=2030-01-01&to=2030-01-09", zoom.fetch, zoom.deadline(), today=TODAY)
    assert refusal.value.reason == "deadline_exceeded"


def test_more_weeks_than_a_request_can_ask_for_are_refused() -> None:
    """Before Zoom is asked."""
    zoom = Zoom([])
    with pytest.raises(InvalidRequest):
        summed_counts.summed(COUNTS, "from=2020-01-01", zoom.fetch, zoom.deadline(), today=TODAY)


@pytest.mark.parametrize("page", [[], None, "<xml/>"])
def test_an_answer_without_counts_is_a_fault_of_zooms(page: Any) -> None:
    """Nothing is added to it."""
    zoom = Zoom([])
    with pytest.raises(Unavailable):
        summed_counts.summed(
            COUNTS,
            "from=2030-01-01&to=2030-02-01",
            lambda _: Answer(200, {}, json.dumps(page).encode()),
            zoom.deadline(),
            today=TODAY,
        )


@pytest.mark.parametrize("query", ["", "from=2030-01-01&to=2030-01-07", "to=2030-01-07", "from=x"])
def test_a_week_is_one_call(query: str) -> None:
    """And so is what Zoom has to judge. Lists are walked, not added up."""
    assert not summed_counts.is_summed(COUNTS, query, today=TODAY)
    assert not summed_counts.is_summed(ARCHIVED, "from=2020-01-01", today=TODAY)
