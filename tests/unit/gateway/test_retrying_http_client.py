"""The retrying HTTP client: as many tries as are safe and as the deadline allows."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest

from tests.fakes.gateway import World, answer, principal
from zoom_common.errors import OutcomeUnknown, TooManyRequests, Unavailable, ZoomUnavailable
from zoom_common.gateway.context import Call
from zoom_common.gateway.http_client import READ_TIMEOUT
from zoom_common.ratelimit.limiter import Reservation
from zoom_common.transport import AnswerLost, NotSent
from zoom_common.zoom.http import HttpRequest, HttpResponse
from zoom_common.zoom.operations.table import operations
from zoom_common.zoom.rate_limits import Limit

BY_NAME = {each.name: each for each in operations()}
REQUEST = HttpRequest("GET", "https://api.zoom.us/v2/meetings/1")


def call_of(world: World, name: str, *, seconds: float = 28.0) -> Call:
    """A call of the operation `name`."""
    call = Call(principal=principal(), operation=BY_NAME[name], ids={}, deadline=world.time.deadline(seconds))
    call.bind(world.connection)
    return call


def send(world: World, name: str, *, seconds: float = 28.0) -> HttpResponse:
    """Send one request as the operation `name`."""
    return world.http_client().send(call_of(world, name, seconds=seconds), REQUEST)


def test_a_read_survives_faults_and_silence() -> None:
    """Each try waits a little longer, and the answer is the last one."""
    world = World.of(answer(500, b'{"code":500}'), AnswerLost(), NotSent(), answer(200, b'{"id":1}'))
    assert send(world, "meetings.get").body == b'{"id":1}'
    assert world.time.waits == [0.5, 1.0, 2.0]


def test_a_lost_answer_to_a_create_is_an_unknown_outcome() -> None:
    """It is sent once, never again, and the error says how to check."""
    world = World.of(AnswerLost())
    with pytest.raises(OutcomeUnknown) as unknown:
        send(world, "meetings.create")
    assert unknown.value.hint is not None
    assert "List" in unknown.value.hint
    assert len(world.zoom.sent) == 1


@pytest.mark.parametrize("page", [answer(502, b"<html>"), answer(201, b'{"id":1'), answer(302)])
@pytest.mark.parametrize("name", ["meetings.create", "meetings.update", "meetings.delete"])
def test_a_proxys_page_is_no_answer_to_a_change(name: str, page: HttpResponse) -> None:
    """Somebody answered, but not Zoom: it may have happened."""
    with pytest.raises(OutcomeUnknown):
        send(World.of(page), name)


def test_zooms_own_fault_is_an_answer_to_a_create() -> None:
    """It says so in JSON, with a number: the caller gets it as it is."""
    assert send(World.of(answer(500, b'{"code":500}')), "meetings.create").status == 500


def test_a_create_that_never_left_is_sent_again() -> None:
    """Nothing can have happened."""
    world = World.of(NotSent(), answer(201, b"{}"))
    assert send(world, "meetings.create").status == 201


def test_giving_up_says_that_nothing_happened() -> None:
    """For reads, and for what never left."""
    with pytest.raises(ZoomUnavailable):
        send(World.of(*[NotSent()] * 4), "meetings.create")
    with pytest.raises(ZoomUnavailable):
        send(World.of(*[AnswerLost()] * 4), "meetings.get")
    with pytest.raises(ZoomUnavailable):
        send(World.of(*[answer(503, b"<html>")] * 4), "meetings.get")


def test_no_wait_outlasts_the_deadline() -> None:
    """One deadline for all tries: a wait that does not fit is not begun."""
    world = World.of(answer(429, b'{"code":429}', retry_after="5"))
    assert send(world, "meetings.get", seconds=4.0).status == 429
    assert world.time.waits == []


def test_a_passed_deadline_sends_nothing() -> None:
    """And says so."""
    world = World.of()
    with pytest.raises(ZoomUnavailable) as refusal:
        send(world, "meetings.create", seconds=0.0)
    assert refusal.value.reason == "deadline_exceeded"


def test_each_try_gets_what_is_left() -> None:
    """A read less than that, so that another try fits."""
    world = World.of(answer(200, b"{}"))
    send(world, "meetings.get")
    assert world.zoom.timeouts == [READ_TIMEOUT]
    world = World.of(NotSent(), answer(201, b"{}"))
    send(world, "meetings.create", seconds=10.0)
    assert world.zoom.timeouts == [9.0, pytest.approx(8.55)]


def test_each_try_has_a_turn_and_waits_for_it() -> None:
    """The first and every other; what was waited is known."""
    world = World.of(answer(500, b'{"code":500}'), answer(200, b"{}"))
    world.limiter.script = [Reservation(0.25, 5), Reservation(0.125, 4, 99, local=True)]
    call = call_of(world, "meetings.get")
    world.http_client().send(call, REQUEST)
    stats = call.stats
    assert world.time.waits == [0.25, 0.5, 0.125]
    assert (stats.tries, stats.status, stats.waited) == (2, 200, 0.875)
    assert (stats.budget_left, stats.left_today, stats.local_budget) == (4, 99, True)


def test_a_try_that_gets_no_turn_leaves_the_last_outcome() -> None:
    """The first has to get one; a read that failed once and may not go on answers as it failed."""
    world = World.of(answer(500, b'{"code":500}'))
    world.limiter.script = [Reservation(0.0, 0), TooManyRequests(30)]
    assert send(world, "meetings.get").status == 500
    world = World.of()
    world.limiter.script = [TooManyRequests(30)]
    with pytest.raises(TooManyRequests):
        send(world, "meetings.get")


def test_every_refusal_reaches_the_limiter() -> None:
    """What it makes of it is its own business."""
    world = World.of(answer(429, b'{"code":429}'), answer(200, b"{}"))
    assert send(world, "meetings.get").status == 200
    assert [each.limit for each in world.limiter.refusals] == [Limit.PER_SECOND]
    assert world.time.waits == [1.5]


def test_the_callback_runs_before_the_wait_for_the_slot() -> None:
    """A record written meanwhile delays nobody: the slot stays where it is."""
    world = World.of(answer(201, b"{}"))
    world.limiter.script = [Reservation(2.0, 0)]
    said: list[float] = []

    def write() -> None:
        said.append(world.time.passed)
        world.time.passed += 0.5

    world.http_client().send(call_of(world, "meetings.create"), REQUEST, write)
    assert said == [0.0]
    assert world.time.waits == [1.5]


def slowed(world: World, name: str, *writes: float) -> HttpResponse:
    """Send one request; before each try something is written that takes so many seconds."""
    takes = iter(writes)

    def write() -> None:
        world.time.passed += next(takes)

    return world.http_client().send(call_of(world, name), REQUEST, write)


def test_a_request_for_which_no_time_was_left_is_not_sent() -> None:
    """What was written before took it: a first try says that nothing happened, a later one what the last came to."""
    world = World.of()
    with pytest.raises(ZoomUnavailable) as refusal:
        slowed(world, "meetings.create", 28.0)
    assert (refusal.value.reason, world.zoom.sent) == ("deadline_exceeded", [])
    world = World.of(answer(500, b'{"code":500}'))
    assert slowed(world, "meetings.get", 0.0, 28.0).status == 500


@pytest.mark.parametrize(("wait", "slept"), [(2**-10, []), (2**-8, [2**-8])])
def test_a_turn_that_is_as_good_as_there_is_not_slept_for(wait: float, slept: list[float]) -> None:
    """A nap of less than a millisecond costs more processor time than it spreads calls."""
    world = World.of(answer(200, b"{}"))
    world.limiter.script = [Reservation(wait, 5)]
    assert send(world, "meetings.get").status == 200
    assert world.time.waits == slept


COUNTED = Reservation(0.0, 29, 99, counters=("account-1#user#x",))
PROBE = Reservation(0.0, 29, 0, probe=True)
REFUSED = b'{"code":429,"message":"..."}'
DAILY = answer(429, REFUSED, x_ratelimit_type="Daily-limit", retry_after="2030-03-18T00:00:00Z")
PER_USER = answer(429, REFUSED, x_ratelimit_remaining="5893")
PROXY = answer(429, b"<html>slow down</html>", retry_after="3600", content_type="text/html")


@pytest.mark.parametrize(
    ("outcome", "given_back"),
    [
        (NotSent(), 4),
        (answer(429, REFUSED), 4),
        (answer(401, b'{"code":124}'), 1),
        (AnswerLost(), 0),
        (answer(500, b'{"code":500}'), 0),
        (answer(400, b'{"code":300}'), 0),
        (answer(201, b"{}"), 0),
    ],
)
def test_what_was_not_sent_or_not_counted_is_given_back(
    outcome: HttpResponse | NotSent | AnswerLost, given_back: int
) -> None:
    """Each try by itself. What may have been carried out counts."""
    world = World.of(*[outcome] * 4)
    world.limiter.script = [COUNTED] * 4
    with contextlib.suppress(ZoomUnavailable, OutcomeUnknown):
        send(world, "meetings.create")
    assert len(world.limiter.given_back) == given_back


def test_a_call_that_is_not_made_after_all_is_given_back() -> None:
    """Its record could not be written, or the time went by while it waited for its slot."""
    world = World.of()
    world.limiter.script = [COUNTED, replace(COUNTED, wait=9.8)]

    def fails() -> None:
        raise Unavailable(reason="idempotency_store_unavailable")

    with pytest.raises(Unavailable):
        world.http_client().send(call_of(world, "meetings.create"), REQUEST, fails)
    with pytest.raises(ZoomUnavailable):
        send(world, "meetings.create", seconds=10.0)
    assert (len(world.limiter.given_back), world.zoom.sent) == (2, [])


@pytest.mark.parametrize(("refusal", "limit"), [(DAILY, Limit.DAILY), (PER_USER, Limit.PER_USER)])
def test_a_closed_day_is_believed_when_zoom_says_it_twice(refusal: HttpResponse, limit: Limit) -> None:
    """One answer may be a slip: the call is sent once more before a day is closed for everybody."""
    world = World.of(refusal, answer(201, b"{}"))
    assert send(world, "meetings.create").status == 201
    assert world.limiter.refusals == []
    world = World.of(refusal, refusal)
    assert send(world, "meetings.create").status == 429
    assert [each.limit for each in world.limiter.refusals] == [limit]


def test_a_day_that_cannot_be_confirmed_in_time_is_not_closed() -> None:
    """The caller gets Zoom's 429, and nobody else."""
    world = World.of(DAILY)
    assert send(world, "meetings.get", seconds=1.5).status == 429
    assert world.limiter.refusals == []


def test_a_proxys_429_closes_nothing() -> None:
    """It is passed on, however long it says to wait: only this call has met it."""
    world = World.of(PROXY)
    assert send(world, "meetings.get").status == 429
    assert [(each.from_zoom, each.lasts) for each in world.limiter.refusals] == [(False, False)]


def test_a_probe_that_zoom_answers_opens_what_was_closed() -> None:
    """An answer of Zoom's, also a refusal of the request itself; a 429 is believed at once."""
    for answered in (answer(201, b"{}"), answer(400, b'{"code":300}')):
        world = World.of(answered)
        world.limiter.script = [PROBE]
        send(world, "meetings.create")
        assert [each.account for each in world.limiter.reopened] == ["zoom-account-1"]
    for silent in (DAILY, AnswerLost()):
        world = World.of(silent)
        world.limiter.script = [PROBE]
        with contextlib.suppress(OutcomeUnknown):
            send(world, "meetings.create")
        assert (world.limiter.reopened, len(world.zoom.sent)) == ([], 1)
