"""The events function: the log by its query parameters."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.fakes import tables
from tests.fakes.events import NOW, logged
from tests.fakes.handlers import load
from zoom_common.access.principal import Principal
from zoom_common.aws.table import EVENTS, Table
from zoom_common.events.log.entries import LogEntry
from zoom_common.events.log.index import LogIndex
from zoom_common.events.log.reader import LogReader
from zoom_common.events.log.store import EventLog

type Get = Callable[..., tuple[int, Any]]


@pytest.fixture
def get(monkeypatch: pytest.MonkeyPatch) -> Get:
    """GET /events with a query string, a minute after six events: status and JSON."""
    module = load("events")
    table = Table(tables.in_memory().client(), tables.EVENTS, EVENTS)
    log = EventLog(table, clock=lambda: NOW)
    for number in range(6):
        logged(log, entry(number))
    monkeypatch.setattr(module, "archive", lambda: LogReader(log, LogIndex(table)))
    monkeypatch.setattr(module, "connections", lambda: None)
    monkeypatch.setattr(module.time, "time", lambda: NOW + 60)
    names = dict.fromkeys(("connections_table", "events_table", "event_bus", "coordination_table"), "unused")
    monkeypatch.setattr(module, "settings", lambda: module.Settings(**names, retention_days=30))

    def call(query: str = "") -> tuple[int, Any]:
        principal = Principal(tenant="acme", subject="key:k", scopes=frozenset({"events:read"}))
        context = {"authorizer": {"lambda": principal.to_context()}, "http": {"method": "GET"}}
        answer = module.handler({"rawPath": "/events", "rawQueryString": query, "requestContext": context}, None)
        return answer["statusCode"], json.loads(answer["body"])

    return call


def entry(number: int) -> LogEntry:
    """The `number`th event: of two types, two instances and two connections in turn."""
    return LogEntry(
        owner="acme",
        event_id=f"evt_{number:032x}",
        key=str(number),
        app="App",
        type=f"zoom.{('meeting.started', 'meeting.ended', 'user.updated')[number % 3]}",
        received_at_ms=int(NOW * 1000) - number,
        subject="meetings/1",
        connection_id=f"con_{number % 2:032x}",
        uuid=f"u/{number % 2}+==",
        content=b"{}",
    )


def numbers(answer: dict[str, Any]) -> list[int]:
    """Which events an answer lists."""
    return [int(each["id"][4:], 16) for each in answer["events"]]


def test_an_unknown_parameter_is_named(get: Get) -> None:
    """A misspelled filter would otherwise select everything."""
    status, answer = get("typ=meeting.started&limit=3")
    assert status == 400
    assert [each["field"] for each in answer["errors"]] == ["limit", "typ"]


def test_a_parameter_that_stands_there_twice_is_named(get: Get) -> None:
    """One of the two would otherwise be left out without a word; only types add up."""
    status, answer = get("uuid=u%2F0%2B%3D%3D&uuid=u%2F1%2B%3D%3D&type=a&type=b")
    assert (status, [each["field"] for each in answer["errors"]]) == (400, ["uuid"])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", [0, 1, 2, 3, 4, 5]),
        ("order=desc", [0, 1, 2, 3, 4, 5]),
        ("order=asc", [0, 1, 2, 3, 4, 5]),
        ("type=meeting.started,user.updated", [0, 2, 3, 5]),
        ("type=meeting.started&type=user.updated", [0, 2, 3, 5]),
        ("type=zoom.meeting.*&uuid=u%2F0%2B%3D%3D", [0, 4]),
        ("uuid=u%252F1%252B%253D%253D", [1, 3, 5]),
        (f"connection=con_{1:032x}", [1, 3, 5]),
    ],
)
def test_the_log_is_filtered(get: Get, query: str, found: list[int]) -> None:
    """By several types, the instance in whatever encoding, and the connection."""
    status, answer = get(query)
    assert status == 200
    assert numbers(answer) == found


def test_the_log_is_followed_with_a_cursor(get: Get) -> None:
    """Every answer has a cursor and says until when it is complete, also at the end."""
    _, first = get("order=asc&page_size=4")
    assert (numbers(first), first["complete_until"]) == ([0, 1, 2, 3], "2026-09-21T14:13:20.000Z")
    assert first["next_page_token"] == first["after"]
    _, second = get(f"after={first['after']}")
    assert (numbers(second), second["complete_until"]) == ([4, 5], "2026-09-21T14:14:10.000Z")
    assert second["next_page_token"] == ""
    assert second["events"][0]["recorded_at"] == "2026-09-21T14:13:20.000Z"
    _, third = get(f"after={second['after']}")
    assert (numbers(third), third["after"]) == ([], second["after"])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("order=up", "order"),
        ("after=abc", "after"),
        ("order=desc&after={cursor}", "order"),
        ("next_page_token={cursor}", "next_page_token"),
        ("connection=../x", "connection"),
        ("type=a,,b", "type"),
        ("uuid=%C3%A9", "uuid"),
    ],
)
def test_a_wrong_parameter_is_named(get: Get, query: str, field: str) -> None:
    """A cursor is no token of a page of the newest events, and goes forwards only."""
    cursor = get("order=asc")[1]["after"]
    status, answer = get(query.format(cursor=cursor))
    assert status == 400
    assert [each["field"] for each in answer["errors"]] == [field]
