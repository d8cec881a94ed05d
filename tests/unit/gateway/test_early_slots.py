"""The send slot that is asked for while the connection is read: when it is, and that it is never lost by a mistake."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.gateway import World, answer, principal
from zoom_common.errors import Conflict, GatewayError, Unauthenticated, ZoomScopesMissing
from zoom_common.gateway.context import Call
from zoom_common.gateway.service import Answer, Gateway
from zoom_common.zoom.operations.table import match


class Container:
    """A gateway that stays, as in a warm container."""

    def __init__(self, *script: Any, **changes: Any) -> None:
        self.world = World.of(*script)
        for name, value in changes.items():
            setattr(self.world, name, value)
        self.gateway: Gateway = self.world.gateway()
        self.limiter = self.world.limiter

    def call(self, method: str = "GET", path: str = "/v2/users/me/meetings", **more: Any) -> Answer:
        operation, ids = match(method, path)
        usual: dict[str, Any] = {"principal": principal(), "deadline": self.world.time.deadline()}
        return self.gateway.call(Call(operation=operation, ids=ids, **(usual | more)))


def ok() -> Any:
    return answer(200, b'{"meetings": []}')


def made() -> Any:
    return answer(201, b'{"id": 85746065, "topic": "x"}')


def test_the_first_call_asks_when_it_knows_its_connection() -> None:
    """And every further one of the caller before, for a slot that is used."""
    container = Container(ok(), ok())
    container.call()
    assert container.limiter.begun == []
    container.call()
    assert container.limiter.begun == container.limiter.costs[1:]
    assert container.limiter.dropped == []


def test_every_caller_and_every_named_connection_is_expected_by_itself() -> None:
    """Another subject, or another id in the header, may mean another account."""
    container = Container(ok(), ok(), ok())
    container.call()
    container.call(principal=replace(principal(), subject="key:2"))
    container.call(headers={"x-zoom-connection": "con_2"})
    assert container.limiter.begun == []


def test_a_connection_of_another_account_gives_the_slot_back() -> None:
    """Before the call is made, which takes a slot of its own account."""
    container = Container(ok(), ok())
    container.call()
    container.world.connection = replace(container.world.connection, zoom_account_id="another")
    container.call()
    assert [slot.key[0] for slot in container.limiter.dropped] == [container.limiter.begun[0].account]
    assert container.limiter.costs[-1].account == "another"


def test_a_refused_connection_gives_the_slot_back_and_is_expected_no_more() -> None:
    """A caller who has lost the connection takes one slot for a moment, and none after that."""
    container = Container(ok())
    container.call()

    def refuse(*_: object) -> Any:
        raise Conflict("none", reason="no_connection")

    container.gateway = replace(container.gateway, select=refuse)
    for _ in range(3):
        with pytest.raises(Conflict):
            container.call()
    assert len(container.limiter.dropped) == len(container.limiter.begun) == 1


def test_a_request_that_is_wrong_gives_the_slot_back() -> None:
    """It costs no quota, and what follows it is not expected to go to Zoom either."""
    container = Container(ok())
    container.call()
    for _ in range(3):
        with pytest.raises(Unauthenticated):
            container.call(query_string="access_token=x")
    assert len(container.limiter.dropped) == len(container.limiter.begun) == 1


def test_an_operation_that_the_grant_does_not_allow_asks_for_no_slot_early() -> None:
    """It will be refused; calls that are allowed go on as before."""
    container = Container(ok(), ok())
    container.call()
    with pytest.raises(ZoomScopesMissing):
        container.call("GET", "/v2/users/me")
    assert container.limiter.begun == []
    container.call()
    assert len(container.limiter.begun) == 1


def test_a_call_that_zoom_does_not_answer_has_used_its_slot() -> None:
    """The slot is not given back, because Zoom may have counted the call."""
    container = Container(ok(), answer(500, b"{}"), answer(500, b"{}"), answer(500, b"{}"), answer(500, b"{}"))
    container.call()
    with pytest.raises(GatewayError):
        container.call()
    assert len(container.limiter.begun) == 1
    assert container.limiter.dropped == []


@pytest.mark.parametrize(
    ("changes", "request_of"),
    [
        ({"read_cache_seconds": 5.0}, {}),
        (
            {},
            {
                "method": "POST",
                "body": b'{"topic": "x"}',
                "headers": {"idempotency-key": "k-1"},
            },
        ),
    ],
    ids=["cached reads", "creates with a key"],
)
def test_what_may_be_answered_from_what_is_stored_asks_for_no_slot_early(
    changes: dict[str, Any], request_of: dict[str, Any]
) -> None:
    """It may not need one."""
    container = Container(*(made() if request_of else ok() for _ in range(2)), **changes)
    for _ in range(2):
        container.call(**request_of)
    assert container.limiter.begun == []
