"""Usage has each call once, or the call's statistics say that it has not."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.gateway import World, answer
from zoom_common.errors import GatewayError, Unavailable
from zoom_common.gateway.context import CallStats
from zoom_common.gateway.usage import Usage, UsageCounter, totals
from zoom_common.transport import AnswerLost, NotSent

# A list that goes on shows what looking for a lost create costs: one call for each page.
PAGE = answer(200, b'{"meetings":[],"next_page_token":"more"}')
OUTCOMES = st.sampled_from(
    [
        answer(200, b'{"id":1}'),
        answer(201, b'{"id":1}'),
        PAGE,
        answer(401, b'{"code":124,"message":"Invalid access token."}'),
        answer(404, b'{"code":3001}'),
        answer(429, b'{"code":429}'),
        answer(500, b'{"code":500}'),
        answer(502, b"<html>"),
        NotSent(),
        AnswerLost(),
    ]
)
MEETINGS, WANTED = "/v2/users/me/meetings", b'{"topic":"x","type":2}'
CALLS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "read": ("GET", "/v2/meetings/1", {}),
    "delete": ("DELETE", "/v2/meetings/1", {}),
    "create": ("POST", MEETINGS, {"body": WANTED}),
    "create with a key": ("POST", MEETINGS, {"body": WANTED, "headers": {"idempotency-key": "k"}}),
}


@dataclass(slots=True)
class Counters:
    """Adds up what it is told, once it is asked whether it has. `up` says, change by change, whether it answers."""

    up: Iterator[bool]
    added: list[Usage] = field(default_factory=list)
    open: int = 0

    def begin(self, usage: Usage) -> Callable[..., None]:
        self.open += 1

        def finish(*, again: bool = True) -> None:  # noqa: ARG001 - the seam's signature
            self.open -= 1
            if not next(self.up):
                raise Unavailable(reason="connections_store_unavailable")
            self.added.append(usage)

        return finish


@pytest.mark.parametrize("kind", CALLS)
@given(script=st.lists(OUTCOMES, min_size=40, max_size=40), up=st.lists(st.booleans()), twice=st.booleans())
def test_each_call_is_counted_once(kind: str, script: list[Any], up: list[bool], *, twice: bool) -> None:
    """And no change is left that nobody has heard of, which the container's next call would have to wait for."""
    method, path, more = CALLS[kind]
    counters, world, records = Counters(iter([*up, *[True] * 100])), World.of(*script), list[CallStats]()
    world.usage = cast("Any", UsageCounter(begin_write=counters.begin, clock=world.time.now))
    for _ in range(1 + twice):
        stats = CallStats()
        with contextlib.suppress(GatewayError):
            world.call(method, path, stats=stats, deadline=world.time.deadline(10_000.0), **more)
        records += stats.with_reads()
        world.time.passed += 100.0
    assert counters.open == 0
    counted = totals(counters.added)
    refused = sum(each.reason is not None or (each.status or 0) >= 400 for each in records)
    made = {"calls": len(records), "requests": len(world.zoom.sent), "refused": refused}
    if any(each.uncounted for each in records):
        assert all(counted[name] <= made[name] for name in made)
    else:
        assert counted == made
