"""One line for each call to Zoom."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fakes.edge import LambdaContext, http_event, never_counted
from tests.fakes.gateway import World, answer, principal
from zoom_common.edge import zoom_api
from zoom_common.edge.call_log import Logged, write
from zoom_common.edge.http import guarded
from zoom_common.errors import TooManyRequests
from zoom_common.gateway.context import Call, CallStats
from zoom_common.ratelimit.limiter import Reservation
from zoom_common.transport import AnswerLost

PEOPLE = ("jill@zoom.example", "zoom-user-1", "Secret topic", "85746065", "zoom-account-1")


def line(stats: CallStats) -> dict[str, Any]:
    """What is written for a call."""
    lines: list[str] = []
    write(stats, "request-1", out=lines.append, clock=lambda: 1.5)
    assert lines[0].endswith("\n")
    assert "\n" not in lines[0][:-1]
    parsed: dict[str, Any] = json.loads(lines[0])
    return parsed


def test_a_call_is_logged_and_counted_in_one_line() -> None:
    """Operation, label, status, retries, wait and latency; metrics name only what the line has."""
    stats = CallStats(function="meetings", operation="meetings.get", label="Light", status=200)
    stats.tries, stats.waited, stats.latency = 3, 0.25, 1.234
    written = line(stats)
    assert written["ZoomRequests"] == 3
    assert written["ZoomRetries"] == 2
    assert (written["ZoomWait"], written["ZoomLatency"]) == (250, 1234)
    assert (written["operation"], written["status"], written["outcome"]) == ("meetings.get", 200, "ok")
    assert written["_aws"]["Timestamp"] == 1500
    for directive in written["_aws"]["CloudWatchMetrics"]:
        assert {each["Name"] for each in directive["Metrics"]} <= written.keys()
        assert {name for names in directive["Dimensions"] for name in names} <= written.keys()


@pytest.mark.parametrize(
    ("changes", "metrics"),
    [
        ({"refused": 1}, {"ZoomRateRefusals": 1}),
        ({"local_budget": True}, {"BudgetFallback": 1}),
        ({"cache": "hit"}, {"ReadCacheHits": 1, "ReadCacheReads": 1}),
        ({"cache": "miss"}, {"ReadCacheHits": 0, "ReadCacheReads": 1}),
    ],
)
def test_what_is_rare_is_counted_when_it_happens(changes: dict[str, Any], metrics: dict[str, int]) -> None:
    """And is no metric otherwise."""
    written = line(CallStats(function="meetings", operation="meetings.get", label="Light", **changes))
    assert {name: written[name] for name in metrics} == metrics
    assert line(CallStats(operation="x")).keys().isdisjoint(metrics)


@pytest.mark.parametrize("outcome", [answer(201, b'{"id":85746065}'), answer(404, b'{"code":1001}'), AnswerLost()])
def test_no_line_shows_who(outcome: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither path nor body nor answer is in it, whatever came of the call."""
    world = World.of(outcome)
    event = http_event(
        "POST", "/v2/users/jill@zoom.example/meetings", body='{"topic":"Secret topic"}', principal=principal()
    )
    handler = guarded(lambda request: zoom_api.answer(world.gateway(), request), never_counted)
    handler(event, LambdaContext())
    written = capsys.readouterr().out
    assert '"message":"zoom call"' in written
    assert not [each for each in PEOPLE if each in written]


def test_calls_on_the_way_are_logged_too(capsys: pytest.CaptureFixture[str]) -> None:
    """What a function asks Zoom for reasons of its own is a call like any other."""
    world = World.of(answer(200, b"{}"))
    logged = Logged(world.gateway())
    logged.call(Call.read("/v2/meetings/85746065", principal(), world.time.deadline()))
    assert '"operation":"meetings.get"' in capsys.readouterr().out


def test_a_look_for_a_lost_answer_is_logged_as_what_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """The create and each read of the look have lines of their own, with their own operation, label and status."""
    made = {"topic": "Secret topic", "type": 2, "id": 85746065, "created_at": "2030-03-17T17:46:40Z"}
    listed = answer(200, json.dumps({"meetings": [made]}).encode())
    world = World.of(AnswerLost(), listed, answer(200, json.dumps(made).encode()))
    event = http_event(
        "POST",
        "/v2/users/me/meetings",
        body='{"topic":"Secret topic","type":2}',
        principal=principal(),
        headers={"idempotency-key": "key-1"},
    )
    handler = guarded(lambda request: zoom_api.answer(world.gateway(), request), never_counted)
    found = handler(event, LambdaContext())
    assert found["headers"]["idempotency-status"] == "adopted"
    lines = [json.loads(each) for each in capsys.readouterr().out.splitlines() if '"zoom call"' in each]
    reported = [(each["operation"], each["label"], each.get("status"), each["ZoomRequests"]) for each in lines]
    assert reported == [
        ("meetings.create", "Light", None, 1),
        ("meetings.list", "Medium", 200, 1),
        ("meetings.get", "Light", 200, 1),
    ]
    assert not [each for each in PEOPLE if each in json.dumps(lines)]


def test_every_answer_says_how_the_budget_stands() -> None:
    """Errors too; and how long we waited, where we did."""
    world = World.of(answer(404, b'{"code":3001}'), answer(200, b"{}"))
    world.limiter.script = [Reservation(0.5, 7, 93), Reservation(0.0, 8)]
    handler = guarded(lambda request: zoom_api.answer(world.gateway(), request), never_counted)
    event = http_event("GET", "/v2/meetings/85746065", principal=principal())
    refused = handler(event, LambdaContext())["headers"]
    assert refused["x-request-id"]
    assert refused["x-zoom-ratelimit-category"] == "Light"
    assert (refused["x-zoom-budget-left"], refused["x-zoom-budget-left-today"]) == ("7", "93")
    assert refused["x-zoom-waited-ms"] == "500"
    served = handler(event, LambdaContext())["headers"]
    assert served["x-zoom-budget-left"] == "8"
    assert "x-zoom-waited-ms" not in served


def test_who_is_turned_away_by_us_is_reported_too() -> None:
    """Calls that the gateway refuses itself, for a limit or as invalid, are logged too."""
    world = World.of()
    world.limiter.script = [TooManyRequests(5, reason="rate_budget_spent")]
    handler = guarded(lambda request: zoom_api.answer(world.gateway(), request), never_counted)
    turned_away = handler(http_event("GET", "/v2/meetings/1", principal=principal()), LambdaContext())
    assert (turned_away["statusCode"], turned_away["headers"]["retry-after"]) == (429, "5")
    assert turned_away["headers"]["x-zoom-budget-left"] == "0"
    event = http_event("POST", "/v2/users/me/meetings", body='{"type":77}', principal=principal())
    invalid = handler(event, LambdaContext())
    assert (invalid["statusCode"], invalid["headers"]["x-zoom-budget-left"]) == (400, "28")
    assert invalid["headers"]["x-zoom-ratelimit-category"] == "Light"
