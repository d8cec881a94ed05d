"""Finding what a create without an answer may have made."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fakes.gateway import NOW, World, answer, principal
from zoom_common.gateway.context import Call
from zoom_common.gateway.create_lookup import LISTED_AT, LookupInconclusive, can_be_found, candidates
from zoom_common.zoom.http import HttpResponse
from zoom_common.zoom.operations.table import operations

BY_NAME = {each.name: each for each in operations()}
CREATED = "2030-03-17T17:46:40Z"
ASKED = {"topic": "Review", "type": 5}


def call_of(world: World, name: str = "webinars.create", **body: Any) -> Call:
    """A create."""
    text = json.dumps(ASKED | body).encode()
    ids = {"userId": "me"}
    operation = BY_NAME[name]
    call = Call(principal=principal(), operation=operation, ids=ids, deadline=world.time.deadline(), body=text)
    call.bind(world.connection)
    return call


def page(*ids: int, **about: Any) -> HttpResponse:
    """A page of webinars that are alike."""
    each = [ASKED | {"id": number, "created_at": CREATED} for number in ids]
    return answer(200, json.dumps({"webinars": each, **about}).encode())


def single(number: int) -> HttpResponse:
    """One of them."""
    return answer(200, json.dumps(ASKED | {"id": number, "created_at": CREATED}).encode())


def found(world: World, **body: Any) -> list[str | None]:
    """The ids that were found."""
    return [made for made, _ in candidates(world.client(), call_of(world, **body), since=NOW)]


def test_every_page_is_read() -> None:
    """Webinars come with page numbers, by Zoom's contract."""
    world = World.of(page(1, page_count=2), page(2, page_count=2), single(1), single(2))
    assert found(world) == ["1", "2"]
    assert "page_number=2" in world.zoom.sent[1].url


def test_meetings_come_with_tokens() -> None:
    """And end with an empty one."""
    first = json.dumps({"meetings": [], "next_page_token": "t/1"}).encode()
    last = json.dumps({"meetings": [], "next_page_token": ""}).encode()
    world = World.of(answer(200, first), answer(200, last))
    assert candidates(world.client(), call_of(world, "meetings.create", type=2), since=NOW) == []
    assert "next_page_token=t%2F1" in world.zoom.sent[1].url


def test_a_series_is_one_thing_with_many_dates() -> None:
    """A list names it once for each."""
    assert found(World.of(page(1, 1, 1), single(1))) == ["1"]


def test_a_list_without_an_end_is_none() -> None:
    """Nobody waits for it."""
    world = World.of(*[page(page_count=99)] * 10)
    with pytest.raises(LookupInconclusive):
        found(world)
    assert len(world.zoom.sent) == 5


@pytest.mark.parametrize("body", [{"type": 1}, {"type": "1"}])
def test_instant_meetings_are_not_looked_for(body: dict[str, Any]) -> None:
    """They are in no list."""
    world = World.of()
    call = call_of(world, "meetings.create", **body)
    assert not can_be_found(call)
    with pytest.raises(LookupInconclusive):
        candidates(world.client(), call, since=NOW)


def test_places_are_operations() -> None:
    """Every name in the table is one, and its id stands in the path."""
    for create, place in LISTED_AT.items():
        assert BY_NAME[create].method == "POST"
        assert BY_NAME[place.listing].method == BY_NAME[place.single].method == "GET"
        assert f"{{{place.identifier}}}" in BY_NAME[place.single].path
