"""Creates with an Idempotency-Key: once, whatever happens to the answer."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.gateway import NOW, World, answer, connection
from zoom_common.connections.model import Kind
from zoom_common.errors import (
    Conflict,
    GatewayError,
    IdempotencyKeyReused,
    InvalidRequest,
    OutcomeUnknown,
    TooManyRequests,
    Unavailable,
    ZoomRefused,
    ZoomUnavailable,
)
from zoom_common.gateway.context import CallStats
from zoom_common.gateway.idempotency import SETTLED_AFTER
from zoom_common.gateway.idempotency_store import Entry, Step
from zoom_common.gateway.service import Answer
from zoom_common.transport import AnswerLost, NotSent
from zoom_common.zoom.http import HttpResponse

BODY = {"topic": "Review", "type": 2, "start_time": "2031-05-06T07:08:00Z", "duration": 30}
PATH = "/v2/users/me/meetings"
FULL = BODY | {"id": 85746065, "created_at": "2030-03-17T17:46:40Z", "start_url": "https://zoom.us/s/85746065?zak=x"}
LISTED = {name: FULL[name] for name in ("id", "topic", "type", "start_time", "duration", "created_at")}
MADE = answer(201, json.dumps(FULL).encode())


def create(
    world: World, body: Any = None, *, key: str = "key-1", path: str = PATH, stats: CallStats | None = None
) -> Answer:
    """Create a meeting with a key."""
    content = json.dumps(BODY if body is None else body).encode()
    return world.call("POST", path, stats=stats, headers={"idempotency-key": key}, body=content)


def listing(*meetings: dict[str, Any]) -> HttpResponse:
    """Zoom's list of a user's meetings."""
    return answer(200, json.dumps({"meetings": list(meetings), "next_page_token": ""}).encode())


def single(**changes: Any) -> HttpResponse:
    """Zoom's single read."""
    return answer(200, json.dumps(FULL | changes).encode())


def under_way(entry: Entry, step: Step = Step.SENT, *, until: float = NOW + 1000) -> Entry:
    """The record as it was before there was an answer."""
    sent = NOW if step is Step.SENT else None
    return replace(entry, answer=None, step=step, lease_until=until, first_sent=sent, last_sent=sent)


def posts(world: World) -> int:
    """How often a create was sent."""
    return sum(each.method == "POST" for each in world.zoom.sent)


def test_the_first_answer_is_given_again() -> None:
    """Without asking Zoom, and without the link that makes whoever opens it the host."""
    world = World.of(MADE)
    first = create(world)
    assert json.loads(first.body) == FULL
    assert first.headers["idempotency-status"] == "made"
    again = create(world)
    assert (again.status, again.headers["idempotency-status"]) == (201, "replayed")
    assert json.loads(again.body) == {name: value for name, value in FULL.items() if name != "start_url"}
    assert posts(world) == 1
    assert "zak" not in repr(world.keys.entries) + str([each.answer.body for each in world.keys.entries.values()])  # type: ignore[union-attr]


def test_the_same_body_in_other_bytes_is_the_same() -> None:
    """Clients write JSON anew for each try."""
    world = World.of(MADE)
    create(world)
    assert create(world, dict(reversed(BODY.items()))).headers["idempotency-status"] == "replayed"


@pytest.mark.parametrize(
    ("body", "path"),
    [({**BODY, "duration": 31}, PATH), (BODY, "/v2/users/basil@zoom.example/meetings")],
    ids=["body", "user"],
)
def test_another_request_under_a_used_key_is_refused(body: dict[str, Any], path: str) -> None:
    """Nothing is sent."""
    world = World.of(MADE)
    create(world)
    with pytest.raises(IdempotencyKeyReused) as refusal:
        create(world, body, path=path)
    assert refusal.value.status == 422
    assert posts(world) == 1


@pytest.mark.parametrize("change", [{"tenant": "other"}, {"connection_id": "con_2"}], ids=["tenant", "connection"])
def test_keys_of_others_never_meet(change: dict[str, Any]) -> None:
    """Another tenant or connection may use the same word."""
    world = World.of(MADE, answer(201, b'{"id":2}'))
    create(world)
    world.connection = connection(**change)
    assert create(world, BODY | {"duration": 5}).headers["idempotency-status"] == "made"
    assert posts(world) == 2


def test_keys_of_other_operations_never_meet() -> None:
    """A webinar is no meeting."""
    world = World.of(MADE, answer(201, b'{"id":2}'))
    create(world)
    webinar = create(world, {"topic": "x"}, path="/v2/users/me/webinars")
    assert webinar.headers["idempotency-status"] == "made"


@pytest.mark.parametrize("key", ["", "with space", "x" * 256, "caf\u00e9", "a\n"])
def test_a_key_is_visible_ascii(key: str) -> None:
    """Up to 255 characters."""
    world = World.of()
    with pytest.raises(InvalidRequest) as refusal:
        create(world, key=key)
    assert refusal.value.fields[0].field == "Idempotency-Key"


def test_what_zoom_refuses_is_an_answer() -> None:
    """The same key gives it again; Zoom is asked once."""
    world = World.of(answer(404, b'{"code":1001,"message":"User does not exist."}'))
    for _ in range(2):
        with pytest.raises(ZoomRefused) as refusal:
            create(world)
        assert (refusal.value.status, refusal.value.zoom_code) == (404, 1001)
    assert posts(world) == 1


@pytest.mark.parametrize(
    ("script", "error"),
    [
        ([NotSent()] * 4, ZoomUnavailable),
        ([answer(429, b'{"code":429}', retry_after="3600")] * 2, ZoomRefused),
        ([answer(401, b'{"code":124}')] * 3, ZoomRefused),
    ],
    ids=["never_sent", "rate", "token"],
)
def test_a_key_under_which_nothing_was_made_is_as_good_as_new(script: list[Any], error: type[GatewayError]) -> None:
    """The next call makes it."""
    world = World.of(*script, MADE)
    with pytest.raises(error):
        create(world)
    assert create(world).headers["idempotency-status"] == "made"


def test_a_key_that_the_budget_turned_away_is_as_good_as_new() -> None:
    """Ours is no answer of Zoom's."""
    world = World.of(MADE)
    world.limiter.script.append(TooManyRequests(5))
    with pytest.raises(TooManyRequests):
        create(world)
    assert create(world).headers["idempotency-status"] == "made"


def test_a_lost_answer_is_looked_for_at_once() -> None:
    """And adopted: the caller does not notice, and the key is done."""
    world = World.of(AnswerLost(), listing(LISTED), single())
    found = create(world)
    assert (found.status, found.headers["idempotency-status"]) == (201, "adopted")
    assert json.loads(found.body) == FULL
    assert create(world).headers["idempotency-status"] == "replayed"
    assert posts(world) == 1


@pytest.mark.parametrize(("away", "hurried"), [(False, [False] * 3), (True, [False, True, True])])
def test_usage_that_is_away_is_waited_for_once(*, away: bool, hurried: list[bool]) -> None:
    """Not for each look on the way: what has begun is heard of without waiting, and nothing else is tried."""
    world, stats = World.of(AnswerLost(), listing(LISTED), single()), CallStats()
    world.usage.away = away
    create(world, stats=stats)
    assert world.usage.hurried == hurried


def test_an_answer_that_stays_lost_is_looked_for_by_the_next_call() -> None:
    """Zoom was slow: the meeting appears after the first look."""
    world = World.of(AnswerLost(), listing(), listing(LISTED), single())
    with pytest.raises(OutcomeUnknown) as unknown:
        create(world)
    assert unknown.value.hint is not None
    assert "same Idempotency-Key" in unknown.value.hint
    assert create(world).headers["idempotency-status"] == "adopted"
    assert posts(world) == 1


def test_nothing_is_made_again_before_zoom_must_be_through() -> None:
    """Not found is not the same as not made, for a minute; then it is, and is made."""
    world = World.of(AnswerLost(), listing(), listing(), listing(), MADE)
    with pytest.raises(OutcomeUnknown):
        create(world)
    world.time.passed += 20
    with pytest.raises(Conflict) as later:
        create(world)
    assert later.value.reason == "idempotency_unsettled"
    assert later.value.headers["retry-after"] == str(int(SETTLED_AFTER - 20))
    assert posts(world) == 1
    world.time.passed += 40
    assert create(world).headers["idempotency-status"] == "made"
    assert posts(world) == 2


@pytest.mark.parametrize(
    "other",
    [
        {"topic": "Another"},
        {"duration": 31},
        {"start_time": "2031-05-06T07:09:00Z"},
        {"type": 8},
        {"created_at": "2030-03-17T17:46:30Z"},
    ],
    ids=lambda other: next(iter(other)),
)
def test_what_is_not_exactly_the_same_is_not_adopted(other: dict[str, Any]) -> None:
    """Nor what was there before."""
    world = World.of(AnswerLost(), listing(LISTED | other))
    with pytest.raises(OutcomeUnknown):
        create(world)


def test_the_single_read_decides() -> None:
    """A list shows less than there is."""
    world = World.of(AnswerLost(), listing(LISTED), single(password="other"))
    with pytest.raises(OutcomeUnknown):
        create(world, BODY | {"password": "wanted"})


def test_two_that_are_alike_are_left_to_the_caller() -> None:
    """Nobody can say which one it is."""
    twin = {"id": 85746066}
    world = World.of(AnswerLost(), listing(LISTED, LISTED | twin), single(), single(**twin))
    with pytest.raises(OutcomeUnknown):
        create(world)


def test_what_another_key_made_is_not_adopted() -> None:
    """Two creates with the same body and different keys make two meetings."""
    world = World.of(MADE, AnswerLost(), listing(LISTED), single())
    create(world, key="key-1")
    with pytest.raises(OutcomeUnknown):
        create(world, key="key-2")


def test_zooms_own_failure_is_no_promise_that_nothing_was_made() -> None:
    """The next call looks first."""
    world = World.of(answer(500, b'{"code":500}'), listing(LISTED), single())
    with pytest.raises(ZoomRefused):
        create(world)
    assert create(world).headers["idempotency-status"] == "adopted"


@pytest.mark.parametrize("listed", [answer(403, b'{"code":200}'), answer(500, b'{"code":500}')])
def test_who_cannot_look_does_not_make_again(listed: HttpResponse) -> None:
    """The outcome stays unknown, however often it is asked for."""
    world = World.of(AnswerLost(), *[listed] * 12)
    for _ in range(3):
        world.time.passed += SETTLED_AFTER
        with pytest.raises(OutcomeUnknown):
            create(world)
    assert posts(world) == 1


def test_instant_meetings_cannot_be_looked_for() -> None:
    """They are never listed: the outcome stays unknown, and the hint says what to do."""
    world = World.of(AnswerLost())
    for _ in range(2):
        with pytest.raises(OutcomeUnknown) as unknown:
            create(world, {"topic": "now", "type": 1})
        assert unknown.value.hint is not None
        assert "new Idempotency-Key" in unknown.value.hint
        world.time.passed += SETTLED_AFTER
    assert len(world.zoom.sent) == 1


def test_a_duplicate_waits_for_the_first() -> None:
    """It comes while the first is on its way, and gets the same answer."""
    world = World.of(MADE)
    create(world)
    ((key, done),) = world.keys.entries.items()
    world.keys.entries[key] = under_way(done)
    begin = world.keys.begin

    def finished_meanwhile(*args: Any, **more: Any) -> Any:
        """The first call gets its answer while the duplicate sleeps."""
        entry = begin(*args, **more)
        world.keys.entries[key] = done
        return entry

    world.keys.begin = finished_meanwhile  # type: ignore[method-assign]
    again = create(world)
    assert again.headers["idempotency-status"] == "replayed"
    assert int(again.headers["x-zoom-waited-ms"]) > 0
    assert posts(world) == 1


def test_a_duplicate_does_not_wait_for_ever() -> None:
    """After ten seconds it is told that the first is under way."""
    world = World.of(MADE)
    create(world)
    ((key, entry),) = world.keys.entries.items()
    world.keys.entries[key] = under_way(entry, Step.STARTED)
    with pytest.raises(Conflict) as conflict:
        create(world)
    assert conflict.value.reason == "idempotency_in_progress"
    assert conflict.value.headers["retry-after"] == "1"
    assert 10 <= sum(world.time.waits) < 11


def test_a_call_that_died_before_it_sent_leaves_nothing_to_look_for() -> None:
    """Its lease runs out and the next call makes it, without a look."""
    world = World.of(MADE, MADE)
    create(world)
    ((key, entry),) = world.keys.entries.items()
    world.keys.entries[key] = under_way(entry, Step.STARTED, until=NOW - 1)
    assert create(world).headers["idempotency-status"] == "made"


def test_a_call_that_died_after_it_sent_is_looked_for() -> None:
    """Like one that heard nothing."""
    world = World.of(MADE, listing(LISTED), single())
    create(world)
    ((key, entry),) = world.keys.entries.items()
    world.keys.entries[key] = under_way(entry, until=NOW - 1)
    assert create(world).headers["idempotency-status"] == "adopted"


def test_without_its_records_nothing_is_sent() -> None:
    """A promise that cannot be kept is not made."""
    world = World.of()
    world.keys.fails = Unavailable(reason="idempotency_store_unavailable")
    with pytest.raises(Unavailable):
        create(world)
    assert world.zoom.sent == []


def test_an_answer_that_could_not_be_kept_is_given_all_the_same() -> None:
    """The record says that it was sent: the next call looks."""
    world = World.of(MADE, listing(LISTED), single())

    def break_down() -> None:
        world.keys.fails = Unavailable(reason="idempotency_store_unavailable")

    world.zoom.on_send = break_down
    assert create(world).status == 201
    world.zoom.on_send = lambda: None
    world.keys.fails = None
    world.time.passed += 60
    assert create(world).headers["idempotency-status"] == "adopted"


def test_a_user_of_an_account_level_connection_is_looked_for_in_their_own_list() -> None:
    """The list of the user in the path."""
    world = World.of(AnswerLost(), listing(LISTED), single(), kind=Kind.ACCOUNT, zoom_user_id=None)
    create(world, path="/v2/users/jill/meetings")
    assert "/users/jill/meetings?" in world.zoom.sent[1].url


def test_who_it_is_scheduled_for_is_looked_at() -> None:
    """The lookup reads the meetings of the host named in `schedule_for`."""
    world = World.of(AnswerLost(), listing(LISTED), single())
    create(world, BODY | {"schedule_for": "basil@zoom.example"})
    assert "/users/basil%40zoom.example/meetings?" in world.zoom.sent[1].url


def test_a_key_means_nothing_to_other_methods() -> None:
    """An update is sent as it is."""
    world = World.of(answer(204))
    world.call("PATCH", "/v2/meetings/1", headers={"idempotency-key": "key-1"}, body=b'{"topic":"x"}')
    assert world.keys.entries == {}
