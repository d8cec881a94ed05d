"""The client of Zoom's API: access tokens, what a call takes from the rate budget, and refused tokens."""

from __future__ import annotations

import pytest

from tests.fakes.gateway import BASE, NOW, World, answer, connection, principal
from zoom_common.connections.model import Connection, Kind
from zoom_common.gateway.context import Call
from zoom_common.gateway.token_rejections import REMEMBERED
from zoom_common.transport import AnswerLost
from zoom_common.zoom.http import HttpResponse
from zoom_common.zoom.operations.model import RateLabel
from zoom_common.zoom.operations.table import operations

BY_NAME = {each.name: each for each in operations()}
REFUSED, ACCEPTED = answer(401, b'{"code":124}'), answer(200, b"{}")
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


def test_a_token_that_zoom_refuses_for_two_requests_counts_against_the_connection() -> None:
    """The call and an independent read are refused with the fresh token: Zoom's refusal is the answer."""
    world = World.of(*[REFUSED] * 3)
    call = call_of(world, "meetings.get", meetingId="1")
    assert world.client().send(call).status == 401
    assert [each.url.removeprefix(BASE) for each in world.zoom.sent] == ["/meetings/1"] * 2 + ["/users/me"]
    assert (world.tokens.rejections, world.tokens.reported, call.stats.request_at_fault) == (1, 1, False)


@pytest.mark.parametrize(
    "accepts",
    [
        answer(200, b'{"id":"zoom-user-1"}'),
        answer(400, b'{"code":4711}'),
        answer(404, b'{"code":1001}'),
        answer(429, b'{"code":429}', retry_after="60"),
    ],
)
def test_a_request_that_zoom_refuses_alone_is_at_fault(accepts: HttpResponse) -> None:
    """Any answer to another request but 401/124 accepts the token: nothing counts against the connection."""
    world = World.of(REFUSED, REFUSED, accepts)
    call = call_of(world, "meetings.get", meetingId="1")
    assert world.client().send(call).status == 401
    assert (world.tokens.rejections, world.tokens.reported, call.stats.request_at_fault) == (1, 0, True)


@pytest.mark.parametrize(
    "silent",
    [
        AnswerLost(),
        answer(502, b"<html>"),
        answer(403, b"<html>proxy</html>"),
        answer(401, b"<html>Sign in to the proxy</html>"),
        answer(401, b""),
    ],
)
def test_without_evidence_nothing_is_counted(silent: AnswerLost | HttpResponse) -> None:
    """A check that gets no answer of Zoom's says nothing about the token or the request."""
    world = World.of(REFUSED, REFUSED, *[silent] * 4)
    call = call_of(world, "meetings.get", meetingId="1")
    assert world.client().send(call).status == 401
    assert (world.tokens.reported, call.stats.request_at_fault) == (0, False)


def test_a_proxys_401_replaces_no_token() -> None:
    """A page to sign in, to every request: none of them is Zoom's word, and the caller gets it."""
    world = World.of(*[answer(401, b"<html>Sign in to the proxy</html>")] * 2)
    assert world.client().send(call_of(world, "meetings.get", meetingId="1")).status == 401
    assert (world.tokens.rejections, world.tokens.reported, len(world.zoom.sent)) == (0, 0, 2)


def test_a_401_without_a_code_is_healed_where_zoom_refuses_the_token() -> None:
    """SCIM's errors have no code: what Zoom says of another request decides."""
    world = World.of(answer(401, b'{"detail":"Invalid access token"}'), REFUSED, answer(200, b"{}"))
    assert world.client().send(call_of(world, "meetings.get", meetingId="1")).status == 200
    assert (world.tokens.rejections, world.tokens.reported) == (1, 0)


def test_the_same_bad_request_costs_no_further_refresh_for_a_while() -> None:
    """For ten minutes its 401 is checked with the token in use; other requests and a real expiry are unaffected."""
    world = World.of(REFUSED, REFUSED, ACCEPTED)
    world.client().send(call_of(world, "meetings.get", meetingId="1"))
    world.zoom.script = [REFUSED, ACCEPTED] * 3
    for _ in range(3):
        call = call_of(world, "meetings.get", meetingId="1")
        assert (world.client().send(call).status, call.stats.request_at_fault) == (401, True)
    assert world.tokens.rejections == 1
    world.zoom.script = [REFUSED, REFUSED, ACCEPTED]  # the token has ended: the check says so
    assert world.client().send(call_of(world, "meetings.get", meetingId="1")).status == 200
    assert world.tokens.rejections == 2
    world.zoom.script = [REFUSED, ACCEPTED]  # another meeting
    assert world.client().send(call_of(world, "meetings.get", meetingId="2")).status == 200
    world.time.passed += REMEMBERED
    world.zoom.script = [REFUSED, ACCEPTED]
    assert world.client().send(call_of(world, "meetings.get", meetingId="1")).status == 200


def test_a_young_token_is_checked_before_it_is_replaced() -> None:
    """Many bad requests, in many containers, refresh a connection once in ten minutes together."""
    young = connection(refresh_issued_at=NOW - 60)
    world = World.of(*[REFUSED, ACCEPTED] * 20)
    for number in range(20):
        world.client().send(call_of(world, "meetings.get", young, meetingId=str(number)))
    assert (world.tokens.rejections, world.tokens.reported) == (0, 0)
    refused_when_new = connection(refresh_issued_at=NOW - 60, refused_version=1)
    world.zoom.script, world.tokens.another = [REFUSED], False
    world.client().send(call_of(world, "meetings.get", refused_when_new, meetingId="1"))
    assert (world.tokens.rejections, world.zoom.script) == (1, [])


@pytest.mark.parametrize(
    ("name", "of", "asked"),
    [
        ("meetings.get", connection(), "/users/me"),
        ("users.get", connection(), "/users/me/meetings?page_size=1"),
        ("meetings.get", connection(**ACCOUNT), "/users?page_size=1"),
        ("users.list", connection(**ACCOUNT), "/report/daily"),
    ],
)
def test_the_check_is_another_request_than_the_one_refused(name: str, of: Connection, asked: str) -> None:
    """A request cannot be evidence about itself."""
    world = World.of(REFUSED, REFUSED, ACCEPTED)
    world.client().send(call_of(world, name, of, meetingId="1", userId="me"))
    assert world.zoom.sent[-1].url == BASE + asked


def test_a_success_ends_a_rejection_streak() -> None:
    """A token that served one call is no refused one; without a streak nothing is reported."""
    world = World.of(answer(200, b"{}"), answer(200, b"{}"))
    world.client().send(call_of(world, "meetings.get", meetingId="1"))
    assert world.tokens.accepted_versions == []
    world.client().send(call_of(world, "meetings.get", connection(refusals=2, version=7), meetingId="1"))
    assert world.tokens.accepted_versions == [7]


def test_where_another_token_would_be_no_better_zooms_refusal_is_the_answer() -> None:
    """Nothing is sent again, and nothing is counted again."""
    world = World.of(REFUSED)
    world.tokens.another = False
    assert world.client().send(call_of(world, "meetings.get", meetingId="1")).status == 401
    assert (len(world.zoom.sent), world.tokens.reported) == (1, 0)


def test_usage_learns_of_a_call_before_zoom_does() -> None:
    """Once for each try; a record of the caller's own comes first, because the call must not be made without it."""
    world = World.of(answer(401, b'{"code":124}'), answer(200, b"{}"))
    call, reply = call_of(world, "meetings.get", meetingId="1"), list[int]()
    world.client().send(call, before_sending=lambda: reply.append(len(world.usage.begun)))
    assert world.usage.begun == [("acme", "meetings.get", 0), ("acme", "meetings.get", 1)]
    assert reply == [0, 1]
