"""Limits per API key: shared by containers, cheap for who keeps to them, and no lock when the table is away."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

import pytest

from tests.fakes.edge import LambdaContext, http_event
from tests.fakes.edge_stores import MemoryThrottle
from zoom_common.access.principal import Principal
from zoom_common.edge.http import guarded
from zoom_common.edge.request import Request
from zoom_common.edge.response import Response, json_response
from zoom_common.errors import TooManyRequests
from zoom_common.ratelimit.quotas import Throttle

CALLER = Principal("acme", "key:abc", frozenset({"*"}), requests_per_minute=100)


@dataclass
class Clock:
    now: float = 60_000.0

    def __call__(self) -> float:
        return self.now


def admitted(throttles: list[Throttle], caller: Principal, requests: int) -> int:
    """How many of so many requests pass, spread over containers."""
    passed = 0
    for number in range(requests):
        try:
            throttles[number % len(throttles)].admit(caller)
        except TooManyRequests:
            continue
        passed += 1
    return passed


@pytest.mark.parametrize("containers", [1, 2, 7])
def test_all_containers_together_keep_the_limit(containers: int) -> None:
    """To the letter while all are busy: not one more, not one less."""
    table, clock = MemoryThrottle(), Clock()
    throttles = [Throttle(store=table, clock=clock) for _ in range(containers)]
    assert admitted(throttles, CALLER, 300) == 100


def test_a_busy_container_rarely_asks_the_table() -> None:
    """Leases grow; and who is over the limit costs one more question a minute, and no more."""
    table = MemoryThrottle()
    one = Throttle(store=table, clock=Clock())
    caller = replace(CALLER, requests_per_minute=6000)
    assert admitted([one], caller, 6000) == 6000
    assert table.writes <= 30
    before = table.writes
    assert admitted([one], caller, 1000) == 0
    assert table.writes == before + 1


def test_an_idle_container_strands_little() -> None:
    """One request leases one."""
    table = MemoryThrottle()
    Throttle(store=table, clock=Clock()).admit(CALLER)
    assert set(table.used.values()) == {1}


def test_the_next_minute_begins_anew_and_is_named() -> None:
    """Retry-After leads into it, in whole seconds."""
    clock = Clock(60_000.0 + 12.5)
    one = Throttle(store=MemoryThrottle(), clock=clock)
    admitted([one], CALLER, 100)
    with pytest.raises(TooManyRequests) as refusal:
        one.admit(CALLER)
    assert (refusal.value.reason, refusal.value.retry_after) == ("key_rate_limit", 48)
    clock.now += refusal.value.retry_after
    one.admit(CALLER)


def test_keys_do_not_share_and_who_has_no_limit_asks_nobody() -> None:
    """One that is over its limit takes nothing from another."""
    table = MemoryThrottle()
    one = Throttle(store=table, clock=Clock())
    admitted([one], CALLER, 200)
    one.admit(replace(CALLER, subject="key:def"))
    writes = table.writes
    admitted([one], replace(CALLER, subject="key:ghi", requests_per_minute=None), 500)
    assert table.writes == writes


def test_a_table_that_is_away_lets_everybody_pass() -> None:
    """The limit is for fairness: an outage of ours refuses nobody."""
    one = Throttle(store=MemoryThrottle(away=True), clock=Clock())
    assert admitted([one], CALLER, 150) == 150


def test_thousands_of_keys_do_not_fill_the_memory() -> None:
    """Leases of minutes that are over go when there are many."""
    clock = Clock()
    one = Throttle(store=MemoryThrottle(), clock=clock)
    for number in range(3000):
        clock.now += 0.1
        one.admit(replace(CALLER, subject=f"key:{number}"))
    assert len(one._leases) <= 1600


def test_the_answer_has_zooms_shape() -> None:
    """429 in code and status, Retry-After, a reason and a hint; and the function behind it is not asked."""
    asked: list[Request] = []

    def answer(request: Request) -> Response:
        asked.append(request)
        return json_response(200, {})

    one = Throttle(store=MemoryThrottle(), clock=Clock())
    handler = guarded(answer, one.admit)
    event = http_event(path="/v2/users/me", principal=replace(CALLER, requests_per_minute=2))
    answers: list[dict[str, Any]] = [handler(event, LambdaContext()) for _ in range(3)]
    assert [each["statusCode"] for each in answers] == [200, 200, 429]
    assert len(asked) == 2
    body = json.loads(answers[2]["body"])
    assert (body["code"], body["reason"]) == (429, "key_rate_limit")
    assert "2 times a minute" in body["hint"]
    assert answers[2]["headers"]["retry-after"] == "60"
