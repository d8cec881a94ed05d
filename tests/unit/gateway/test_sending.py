"""What a call takes from the budget, and how it is sent for a connection."""

from __future__ import annotations

import pytest

from tests.fakes.gateway import World, answer, connection, principal
from zoom_common.connections.model import Connection, Kind
from zoom_common.gateway.context import Call
from zoom_common.zoom.operations.model import RateLabel
from zoom_common.zoom.operations.table import OPERATIONS

BY_NAME = {each.name: each for each in OPERATIONS}
ACCOUNT = {"kind": Kind.ACCOUNT, "zoom_user_id": None}


def call_of(world: World, name: str, of: Connection | None = None, **ids: str) -> Call:
    """A call of an operation."""
    about = world.connection if of is None else of
    call = Call(principal=principal(), operation=BY_NAME[name], ids=ids, deadline=world.time.deadline())
    call.bind(about)
    return call


def test_the_account_and_the_label_are_spent_from() -> None:
    """Zoom's account, not the tenant: others may share it."""
    cost = call_of(World.of(), "meetings.list", userId="me").cost()
    assert (cost.account, cost.label, cost.user) == ("zoom-account-1", RateLabel.MEDIUM, None)


@pytest.mark.parametrize(
    ("name", "ids", "of", "user"),
    [
        ("meetings.create", {"userId": "me"}, connection(), "zoom-user-1"),
        ("meetings.update", {"meetingId": "1"}, connection(), "zoom-user-1"),
        ("meetings.create", {"userId": "jill@zoom.example"}, connection(**ACCOUNT), "jill@zoom.example"),
        ("meetings.update", {"meetingId": "1"}, connection(**ACCOUNT), None),
        ("meetings.delete", {"meetingId": "1"}, connection(), None),
    ],
)
def test_a_users_day_is_spent_from_as_far_as_we_know_the_user(
    name: str, ids: dict[str, str], of: Connection, user: str | None
) -> None:
    """Creates and updates only; whose meeting an account-level connection changes, only Zoom knows."""
    assert call_of(World.of(), name, of, **ids).cost().user == user


def test_another_token_is_another_try_with_a_slot_of_its_own() -> None:
    """Zoom counts what it refuses."""
    world = World.of(answer(401, b'{"code":124}'), answer(200, b"{}"))
    call = call_of(world, "meetings.get", meetingId="1")
    assert world.client().send(call).status == 200
    assert len(world.limiter.costs) == 2
    assert [each.headers["Authorization"] for each in world.zoom.sent] == ["Bearer token-1", "Bearer token-2"]


def test_a_new_token_that_is_refused_too_is_told_to_the_vault() -> None:
    """Zoom's second refusal is the answer, and somebody counts it."""
    world = World.of(*[answer(401, b'{"code":124}')] * 2)
    assert world.client().send(call_of(world, "meetings.get", meetingId="1")).status == 401
    assert (world.tokens.rejections, world.tokens.told) == (1, 1)


def test_where_another_token_would_be_no_better_zooms_refusal_is_the_answer() -> None:
    """Nothing is sent again, and nothing is told again."""
    world = World.of(answer(401, b'{"code":124}'))
    world.tokens.another = False
    assert world.client().send(call_of(world, "meetings.get", meetingId="1")).status == 401
    assert (len(world.zoom.sent), world.tokens.told) == (1, 0)


def test_usage_hears_of_a_call_before_zoom_does() -> None:
    """Once for each try; a record of the caller's own comes first, because the call must not be made without it."""
    world = World.of(answer(401, b'{"code":124}'), answer(200, b"{}"))
    call, told = call_of(world, "meetings.get", meetingId="1"), list[int]()
    world.client().send(call, before_sending=lambda: told.append(len(world.usage.begun)))
    assert world.usage.begun == [("acme", "meetings.get", 0), ("acme", "meetings.get", 1)]
    assert told == [0, 1]
