"""Single reads, remembered for a moment."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.gateway import World, answer, connection
from zoom_common.errors import Unavailable
from zoom_common.gateway.context import CallStats
from zoom_common.gateway.service import Answer

FIRST, SECOND = answer(200, b'{"id":1,"topic":"a"}'), answer(200, b'{"id":1,"topic":"b"}')


def world_of(*script: Any, seconds: float = 30.0) -> World:
    """A gateway that remembers."""
    world = World.of(*script)
    world.read_cache_seconds = seconds
    return world


def call(world: World, method: str = "GET", path: str = "/v2/meetings/1", query: str = "") -> tuple[Answer, str | None]:
    """One call: the answer, and what the cache had to do with it."""
    stats = CallStats()
    body = b"{}" if method == "PATCH" else b""
    answered = world.call(method, path, query_string=query, body=body, stats=stats)
    return answered, stats.cache


def test_off_unless_asked_for() -> None:
    """Each read is Zoom's answer of now."""
    world = world_of(FIRST, SECOND, seconds=0.0)
    assert [call(world)[0].body for _ in range(2)] == [FIRST.body, SECOND.body]
    assert call(world_of(FIRST, seconds=0.0))[1] is None


def test_a_read_is_good_for_its_seconds() -> None:
    """A read is answered from the cache for its seconds, and counted as hit or miss."""
    world = world_of(FIRST, SECOND)
    assert call(world)[1] == "miss"
    world.time.passed += 29.9
    again, how = call(world)
    assert (again.body, how) == (FIRST.body, "hit")
    world.time.passed += 0.1
    assert call(world)[0].body == SECOND.body


def test_never_longer_than_a_minute() -> None:
    """Whatever the setting says."""
    world = world_of(FIRST, SECOND, seconds=3600.0)
    call(world)
    world.time.passed += 60
    assert call(world)[1] == "miss"


def test_never_for_another_connection() -> None:
    """A cached read is not used for another connection, of the same tenant or another."""
    world = world_of(FIRST, SECOND, SECOND)
    call(world)
    for other in (connection(connection_id="con_2"), connection(tenant="other")):
        world.connection = other
        assert call(world)[1] == "miss"


@pytest.mark.parametrize("reply", [0.0, 10.0])
def test_a_webhooks_word_ends_it(reply: float) -> None:
    """From the moment of the read on: what changed while Zoom was asked may not be in its answer."""
    world = world_of(FIRST, SECOND)
    call(world)
    world.time.passed += 10
    world.changes.changed["zoom-account-1", "meetings/1"] = world.time.now() - 10 + reply
    assert call(world)[0].body == SECOND.body


def test_an_older_word_does_not() -> None:
    """The read is newer."""
    world = world_of(FIRST)
    world.changes.changed["zoom-account-1", "meetings/1"] = world.time.now() - 1
    call(world)
    assert call(world)[1] == "hit"


def test_the_callers_own_change_ends_it() -> None:
    """Before Zoom is asked for it."""
    world = world_of(FIRST, answer(204), SECOND)
    call(world)
    call(world, "PATCH")
    assert call(world)[0].body == SECOND.body


def test_without_word_of_changes_nothing_is_remembered() -> None:
    """A table that does not answer costs a read, not the truth."""
    world = world_of(FIRST, SECOND)
    call(world)
    world.changes.fails = Unavailable(reason="down")
    assert call(world)[0].body == SECOND.body


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/v2/users/me/meetings", ""),
        ("/v2/meetings/1", "occurrence_id=5"),
        ("/v2/meetings/pfVhAbCdEfGh1234%3D%3D", ""),
    ],
    ids=["list", "query", "uuid"],
)
def test_only_plain_single_reads_are_remembered(path: str, query: str) -> None:
    """What webhooks tell of, by the number they tell."""
    world = world_of(FIRST, SECOND)
    call(world, path=path, query=query)
    assert call(world, path=path, query=query)[0].body == SECOND.body
