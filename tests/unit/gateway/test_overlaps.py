"""Overlapping meetings of the same host are named in X-Gateway-Overlaps on creates."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.gateway import NOW, World, answer, principal
from tests.fakes.gateway_stores import MemoryCalendar
from zoom_common.connections.model import Kind
from zoom_common.errors import Unavailable
from zoom_common.gateway.context import Call
from zoom_common.gateway.service import Answer
from zoom_common.zoom.http import HttpResponse
from zoom_common.zoom.operations.table import match

HOST = "zoom-user-1"


def made(number: int, start: str, minutes: int = 60, **more: Any) -> HttpResponse:
    """Zoom's answer to a create."""
    whole = {"id": number, "host_id": HOST, "type": 2, "start_time": start, "duration": minutes, **more}
    return answer(201, json.dumps(whole).encode())


def call(
    world: World,
    calendar: MemoryCalendar,
    method: str,
    path: str,
    body: str = "{}",
    *,
    query: str = "",
    left: float = 28.0,
) -> Answer:
    """One call through a gateway with this calendar."""
    operation, ids = match(method, path)
    asked = Call(
        principal=principal(),
        operation=operation,
        ids=ids,
        query_string=query,
        body=body.encode(),
        deadline=world.time.deadline(left),
    )
    return replace(world.gateway(), calendar=calendar).call(asked)


def create(world: World, calendar: MemoryCalendar, path: str = "/v2/users/me/meetings", **more: Any) -> str | None:
    """The header of a create."""
    return call(world, calendar, "POST", path, **more).headers.get("x-gateway-overlaps")


@pytest.fixture
def calendar() -> MemoryCalendar:
    """Nothing is planned."""
    return MemoryCalendar(clock=lambda: NOW)


def test_a_create_names_what_it_overlaps_and_counts_at_once(calendar: MemoryCalendar) -> None:
    """Without another call to Zoom; a webinar overlaps a meeting."""
    world = World.of(
        made(81000000001, "2031-01-07T10:00:00Z"),
        made(81000000002, "2031-01-07T10:30:00Z"),
        made(81000000003, "2031-01-07T11:30:00Z"),
        made(91000000004, "2031-01-07T09:00:00Z", 240, type=5),
    )
    assert create(world, calendar) is None
    assert create(world, calendar) == "81000000001"
    assert create(world, calendar) is None
    assert create(world, calendar, "/v2/users/me/webinars") == "81000000001, 81000000002, 81000000003"
    assert len(world.zoom.sent) == 4


def test_nothing_is_said_where_nobody_knows(calendar: MemoryCalendar) -> None:
    """An instant meeting, an answer without a host, and a table that does not answer."""
    start = "2031-01-07T10:00:00Z"
    world = World.of(made(81000000001, start), made(81000000002, start, type=1), made(81000000003, start, host_id=None))
    assert [create(world, calendar) for _ in range(3)] == [None, None, None]
    calendar.fails = Unavailable(reason="coordination_store_unavailable")
    world = World.of(made(81000000004, start))
    assert create(world, calendar) is None


@pytest.mark.parametrize(
    ("method", "body", "query", "stays"),
    [
        ("DELETE", "", "", False),
        ("DELETE", "", "occurrence_id=1", True),
        ("PATCH", '{"start_time":"2031-02-01T10:00:00Z"}', "", False),
        ("PATCH", '{"topic":"new"}', "", True),
    ],
)
def test_a_meeting_that_moved_or_went_is_forgotten(
    calendar: MemoryCalendar,
    method: str,
    body: str,
    query: str,
    stays: bool,  # noqa: FBT001 - a column of the table
) -> None:
    """A webhook says when it is now."""
    start = "2031-01-07T10:00:00Z"
    world = World.of(made(81000000001, start), answer(204), made(81000000002, start))
    create(world, calendar)
    call(world, calendar, method, "/v2/meetings/81000000001", body, query=query)
    assert create(world, calendar) == ("81000000001" if stays else None)


def test_another_hosts_calendar_is_left_alone(calendar: MemoryCalendar) -> None:
    """An account-level connection does not say whose meeting it deletes."""
    start = "2031-01-07T10:00:00Z"
    world = World.of(made(81000000001, start), answer(204), made(81000000002, start), kind=Kind.ACCOUNT)
    create(world, calendar, f"/v2/users/{HOST}/meetings")
    call(world, calendar, "DELETE", "/v2/meetings/81000000001", "")
    assert create(world, calendar, f"/v2/users/{HOST}/meetings") == "81000000001"


def test_an_answer_does_not_wait_without_time(calendar: MemoryCalendar) -> None:
    """Zoom's answer is worth more than the header."""
    start = "2031-01-07T10:00:00Z"
    world = World.of(made(81000000001, start), made(81000000002, start))
    create(world, calendar)
    assert create(world, calendar, left=2.0) is None
