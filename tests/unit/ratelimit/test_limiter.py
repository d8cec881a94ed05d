"""When the rate limiter lets a call go to Zoom, and what it refuses for the day."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.fakes.gateway import NOW, Time
from tests.fakes.gateway_stores import MemoryCounters, MemorySlots
from zoom_common.errors import TooManyRequests, Unavailable
from zoom_common.ratelimit.limiter import Cost, RateLimiter, RateLimitRules, Reservation
from zoom_common.ratelimit.quotas import DailyCalls
from zoom_common.zoom.operations.model import RateLabel
from zoom_common.zoom.rate_limits import USER_DAILY, Limit, Plan, RateLimitResponse, until_midnight

LIGHT = Cost(account="account-1", label=RateLabel.LIGHT)
HEAVY = Cost(account="account-1", label=RateLabel.HEAVY)
COSTLY = Cost(account="account-1", label=RateLabel.RESOURCE_INTENSIVE)
CREATE = Cost(account="account-1", label=RateLabel.LIGHT, user="Jill@zoom.example")


class Office:
    """Containers that share slots and counters, and one clock."""

    def __init__(self, **rules: object) -> None:
        self.slots, self.counters, self.time = MemorySlots(), MemoryCounters(), Time()
        self.rules = RateLimitRules(**rules)  # type: ignore[arg-type]

    def container(self) -> RateLimiter:
        daily = DailyCalls(self.counters)
        return RateLimiter(slots=self.slots, daily=daily, rules=self.rules, clock=self.time.now)

    def reserve(self, limiter: RateLimiter, cost: Cost, *, seconds: float = 28.0) -> Reservation:
        return limiter.reserve(cost, self.time.deadline(seconds))

    @contextmanager
    def slow_table(self) -> Iterator[None]:
        """A table that takes a fifth of a second to answer."""
        take = self.slots.take

        def slowly(*args: Any, **more: Any) -> Any:
            self.time.passed += 0.2
            return take(*args, **more)

        self.slots.take = slowly  # type: ignore[method-assign]
        yield
        self.slots.take = take  # type: ignore[method-assign]


def test_containers_take_turns() -> None:
    """Whoever asks gets the next slot; the answer says how many could still begin within the second."""
    office = Office()
    turns = [office.reserve(office.container(), LIGHT) for _ in range(30)]
    waits = [turn.wait for turn in turns]
    assert waits == pytest.approx([index / 29.1 for index in range(30)], abs=0.001)
    assert [turns[0].left, turns[15].left, turns[29].left] == [28, 13, 0]


def test_slots_that_come_late_are_no_burst() -> None:
    """DynamoDB takes a fifth of a second: what was free when we asked is over, and is left alone."""
    office = Office()
    limiter = office.container()
    with office.slow_table():
        for _ in range(20):
            office.reserve(limiter, LIGHT)
            (following,) = office.slots.next.values()
            late = office.time.now() - (following / 1e6 - 1 / 29.1)
            assert late <= 2.01 / 29.1
    assert office.slots.asked <= 24


def test_what_is_left_is_known_without_asking() -> None:
    """As far as the container has seen."""
    office = Office()
    limiter = office.container()
    assert limiter.left(LIGHT) == 29
    for _ in range(10):
        office.reserve(limiter, LIGHT)
    assert limiter.left(LIGHT) == 19
    assert office.slots.asked == 10


def test_a_call_that_would_wait_too_long_gets_the_time_to_come_back() -> None:
    """Ten seconds are the longest, and a call keeps three of its own for sending."""
    office = Office(plan=Plan.FREE)
    limiter = office.container()
    for _ in range(10):
        office.reserve(limiter, HEAVY)
    with pytest.raises(TooManyRequests) as refusal:
        office.reserve(limiter, HEAVY)
    assert (refusal.value.reason, refusal.value.retry_after) == ("rate_budget_spent", 11)
    office.time.passed += 5
    with pytest.raises(TooManyRequests):
        office.reserve(limiter, HEAVY, seconds=7.0)
    assert office.reserve(limiter, HEAVY, seconds=10.0).wait == pytest.approx(5.31, abs=0.01)


def test_what_is_held_back_is_for_people_who_wait() -> None:
    """A background job fills its bucket; an interactive call does not queue behind it, and takes a free slot first."""
    office = Office(reserve=0.1)
    limiter = office.container()
    interactive = Cost(account="account-1", label=RateLabel.LIGHT, interactive=True)
    assert office.reserve(limiter, interactive).wait == 0
    for _ in range(27):
        office.reserve(limiter, LIGHT)
    assert office.reserve(limiter, LIGHT).wait > 0.9
    assert office.reserve(limiter, interactive).wait == 0
    assert 0.3 < office.reserve(limiter, interactive).wait < 0.4


def test_accounts_have_the_limits_of_their_plans() -> None:
    """Without other settings all have the same."""
    office = Office(plan=Plan.PRO, plans={"big": Plan.BUSINESS})
    limiter = office.container()
    for account, second in (("small", 1 / 29.1), ("big", 1 / 76.8)):
        cost = Cost(account=account, label=RateLabel.LIGHT)
        office.reserve(limiter, cost)
        assert office.reserve(limiter, cost).wait == pytest.approx(second, abs=0.001)


def test_a_users_hundred_creates_are_counted_before_zoom_counts_them() -> None:
    """By user, whatever the case of the name, until midnight UTC; other calls of the account go on."""
    office = Office()
    limiter = office.container()
    for count in range(USER_DAILY):
        office.time.passed += 1
        assert office.reserve(limiter, CREATE).left_today == USER_DAILY - 1 - count
    same = Cost(account="account-1", label=RateLabel.LIGHT, user="jill@zoom.example")
    with pytest.raises(TooManyRequests) as refusal:
        office.reserve(limiter, same)
    assert refusal.value.reason == "user_daily_limit"
    assert refusal.value.retry_after == until_midnight(office.time.now())
    office.time.passed += 1
    office.reserve(limiter, LIGHT)
    office.reserve(limiter, Cost(account="account-1", label=RateLabel.LIGHT, user="basil@zoom.example"))
    office.time.passed += refusal.value.retry_after
    assert office.reserve(limiter, CREATE).left_today == USER_DAILY - 1


def test_a_days_budget_is_shared_by_labels_that_zoom_counts_together() -> None:
    """Ours is a share of it."""
    office = Office(plan=Plan.BUSINESS, share=0.0001)
    limiter = office.container()
    office.counters.used["account-1#costly", int(NOW // 86_400)] = 4
    assert office.reserve(limiter, COSTLY).left_today == 1
    assert office.reserve(limiter, HEAVY).left_today == 0
    with pytest.raises(TooManyRequests) as refusal:
        office.reserve(limiter, HEAVY)
    assert refusal.value.reason == "daily_limit"


def test_a_call_that_finds_no_slot_costs_nothing_of_the_day() -> None:
    """It is counted when it is made."""
    office = Office(plan=Plan.FREE)
    limiter = office.container()
    left = [office.reserve(limiter, HEAVY).left_today for _ in range(10)]
    with pytest.raises(TooManyRequests):
        office.reserve(limiter, HEAVY)
    office.time.passed += 10
    assert office.reserve(limiter, HEAVY).left_today == left[-1] - 1  # type: ignore[operator]


def test_a_long_refusal_of_zooms_closes_the_label_for_every_container() -> None:
    """Nobody asks Zoom again before the time; other labels are open."""
    office = Office()
    office.container().rate_limited(LIGHT, RateLimitResponse(Limit.PER_SECOND, 40.0))
    with pytest.raises(TooManyRequests) as refusal:
        office.reserve(office.container(), LIGHT)
    assert (refusal.value.reason, refusal.value.retry_after) == ("zoom_asked_to_wait", 40)
    office.reserve(office.container(), HEAVY)
    office.time.passed += 40
    assert office.reserve(office.container(), LIGHT).wait == 0


@pytest.mark.parametrize("limit", [Limit.DAILY, Limit.PER_SECOND])
def test_nobody_is_shut_out_for_longer_than_a_day(limit: Limit) -> None:
    """Whatever a header says: the longest of Zoom's limits is over by then."""
    office = Office()
    office.container().rate_limited(LIGHT, RateLimitResponse(limit, 999_999_999.0))
    with pytest.raises(TooManyRequests) as refusal:
        office.reserve(office.container(), LIGHT)
    assert refusal.value.retry_after == 86_400
    office.time.passed += 86_401
    assert office.reserve(office.container(), LIGHT).wait == 0


def test_a_short_refusal_closes_nothing() -> None:
    """The call itself waits."""
    office = Office()
    for refused in (
        RateLimitResponse(Limit.PER_SECOND, 2.0),
        RateLimitResponse(Limit.PER_SECOND, None),
        RateLimitResponse(Limit.CONCURRENT, None),
    ):
        office.container().rate_limited(LIGHT, refused)
    assert office.reserve(office.container(), LIGHT).wait == 0


def test_a_spent_day_closes_all_labels_that_count_towards_it() -> None:
    """Heavy and resource-intensive calls share a day on paid plans."""
    office = Office(reserve=0.1)
    office.container().rate_limited(HEAVY, RateLimitResponse(Limit.DAILY, 3600.0))
    for cost in (HEAVY, COSTLY, Cost(account="account-1", label=RateLabel.HEAVY, interactive=True)):
        with pytest.raises(TooManyRequests) as refusal:
            office.reserve(office.container(), cost)
        assert (refusal.value.reason, refusal.value.retry_after) == ("daily_limit", 3600)
    office.reserve(office.container(), LIGHT)


def test_a_users_spent_day_is_that_users() -> None:
    """Another app may have used it up."""
    office = Office()
    office.container().rate_limited(CREATE, RateLimitResponse(Limit.PER_USER, until_midnight(NOW)))
    with pytest.raises(TooManyRequests) as refusal:
        office.reserve(office.container(), CREATE)
    assert refusal.value.reason == "user_daily_limit"
    office.reserve(office.container(), LIGHT)


def test_calls_go_on_while_the_budget_is_out_of_reach() -> None:
    """At a tenth of the rate, per container, and DynamoDB is left alone for a while."""
    office = Office()
    office.slots.fails = Unavailable(reason="down")
    limiter = office.container()
    turns = [office.reserve(limiter, LIGHT) for _ in range(3)]
    assert [turn.local for turn in turns] == [True] * 3
    assert [turn.wait for turn in turns] == pytest.approx([0, 10 / 29.1, 20 / 29.1], abs=0.001)
    assert office.slots.asked == 1
    office.slots.fails = None
    office.time.passed += 5
    assert not office.reserve(limiter, LIGHT).local


def test_alone_a_container_does_not_wait_for_ever_either() -> None:
    """The same bound, the same answer."""
    office = Office(plan=Plan.FREE)
    office.slots.fails = Unavailable(reason="down")
    limiter = office.container()
    office.reserve(limiter, HEAVY)
    with pytest.raises(TooManyRequests) as refusal:
        office.reserve(limiter, HEAVY)
    assert refusal.value.retry_after == 11


def test_a_hundred_calls_that_never_left_close_nobodys_day() -> None:
    """In an outage many new containers each try a few: nothing is stranded in their batches."""
    office = Office()
    for _ in range(2 * USER_DAILY):
        limiter = office.container()
        limiter.give_back(office.reserve(limiter, CREATE))
        office.time.passed += 1
    assert office.reserve(office.container(), CREATE).left_today == USER_DAILY - 1


def test_what_is_given_back_in_part_stays_with_the_container() -> None:
    """A batch that is in use costs no write for each call."""
    office = Office()
    limiter = office.container()
    made, lost = office.reserve(limiter, CREATE), office.reserve(limiter, CREATE)
    assert (made.left_today, lost.left_today) == (99, 98)
    limiter.give_back(lost)
    assert office.counters.used[made.counters[0], int(NOW // 86_400)] == 5
    assert office.reserve(limiter, CREATE).left_today == 98


def test_giving_back_fails_nothing_while_the_table_is_away() -> None:
    """The calls stay with the container."""
    office = Office()
    limiter = office.container()
    slot = office.reserve(limiter, CREATE)
    office.counters.fails = Unavailable(reason="coordination_unavailable")
    limiter.give_back(slot)
    office.counters.fails = None
    assert office.reserve(limiter, CREATE).left_today == 99


def test_one_call_a_minute_probes_a_closed_account() -> None:
    """Of all containers together, the first a minute after it was closed."""
    office = Office(reserve=0.1)
    office.container().rate_limited(HEAVY, RateLimitResponse(Limit.DAILY, 36_000.0))
    probes = 0
    for _ in range(180):
        office.time.passed += 1
        with contextlib.suppress(TooManyRequests):
            probes += office.reserve(office.container(), HEAVY).probe
    assert probes == 3


def test_a_probe_that_zoom_answers_opens_the_account() -> None:
    """All labels that count together, and what is held back for people who wait."""
    office = Office(reserve=0.1)
    limiter = office.container()
    limiter.rate_limited(HEAVY, RateLimitResponse(Limit.DAILY, 36_000.0))
    office.time.passed += 61
    assert office.reserve(limiter, HEAVY).probe
    limiter.reopen(HEAVY)
    for cost in (HEAVY, COSTLY, Cost(account="account-1", label=RateLabel.HEAVY, interactive=True)):
        assert not office.reserve(office.container(), cost).probe


def test_one_call_a_minute_probes_a_users_day() -> None:
    """Our count may be wrong: what is stranded in containers that ended was never made."""
    office = Office()
    office.container().rate_limited(CREATE, RateLimitResponse(Limit.PER_USER, until_midnight(NOW)))
    passed = []
    for second in range(180):
        with contextlib.suppress(TooManyRequests):
            slot = office.reserve(office.container(), CREATE)
            passed.append((second, slot.probe, slot.left_today))
        office.time.passed += 1
    assert passed == [(60, True, 0), (120, True, 0)]


def test_our_share_of_an_accounts_day_is_not_probed() -> None:
    """The rest is for its other apps, whatever Zoom would take."""
    office = Office(plan=Plan.BUSINESS, share=0.0001)
    office.counters.used["account-1#costly", int(NOW // 86_400)] = 6
    for _ in range(3):
        with pytest.raises(TooManyRequests):
            office.reserve(office.container(), HEAVY)
        office.time.passed += 61


def test_a_429_that_is_not_zooms_closes_nothing() -> None:
    """A proxy on the way speaks for nobody's account."""
    office = Office()
    office.container().rate_limited(LIGHT, RateLimitResponse(Limit.PER_SECOND, 3600.0, from_zoom=False))
    assert office.reserve(office.container(), LIGHT).wait == 0


def test_a_slot_may_be_asked_for_early() -> None:
    """While the connection is read: the call gets the slot that it would have got, and the next call the next one."""
    office = Office()
    limiter = office.container()
    early = limiter.begin(LIGHT, office.time.deadline())
    assert limiter.reserve(LIGHT, office.time.deadline(), early) == Reservation(0.0, 28)
    assert early is not None
    assert early.used
    assert office.reserve(office.container(), LIGHT).wait == pytest.approx(1 / 29.1, abs=0.001)


def test_how_long_an_early_slot_takes_is_learned() -> None:
    """A slow first answer makes slots lie further ahead; quick ones bring them back, also those that came early."""
    office = Office()
    limiter = office.container()
    with office.slow_table():
        office.reserve(limiter, LIGHT)
    waits = []
    for _ in range(40):
        office.time.passed += 1.0
        waits.append(limiter.reserve(LIGHT, office.time.deadline(), limiter.begin(LIGHT, office.time.deadline())).wait)
    assert waits[0] > 0.15
    assert waits[-1] < 0.01


def test_an_early_slot_that_is_not_needed_is_given_back() -> None:
    """The next call begins as if nobody had asked."""
    office = Office()
    limiter = office.container()
    limiter.drop(limiter.begin(LIGHT, office.time.deadline()))
    limiter.drop(None)
    assert office.reserve(office.container(), LIGHT).wait == 0


def test_an_early_slot_of_another_account_is_not_used() -> None:
    """The call takes a slot of its own account, and the other one can be given back."""
    office = Office()
    limiter = office.container()
    early = limiter.begin(Cost(account="account-2", label=RateLabel.LIGHT), office.time.deadline())
    limiter.reserve(LIGHT, office.time.deadline(), early)
    assert early is not None
    assert not early.used
    limiter.drop(early)
    assert office.reserve(limiter, Cost(account="account-2", label=RateLabel.LIGHT)).wait == 0
    assert office.reserve(limiter, LIGHT).wait > 0


def test_an_early_guess_that_was_wrong_is_followed_by_another() -> None:
    """Another container took slots that this one has not seen."""
    office = Office()
    limiter = office.container()
    for _ in range(3):
        office.reserve(office.container(), LIGHT)
    early = limiter.begin(LIGHT, office.time.deadline())
    assert limiter.reserve(LIGHT, office.time.deadline(), early).wait == pytest.approx(3 / 29.1, abs=0.001)
    limiter.drop(early)
    assert office.reserve(limiter, LIGHT).wait == pytest.approx(4 / 29.1, abs=0.001)


def test_nothing_is_asked_early_where_one_question_may_not_do() -> None:
    """Where a part of the rate is reserved for people who wait, and while DynamoDB rests after a failure."""
    office = Office(reserve=0.1)
    interactive = Cost(account="account-1", label=RateLabel.LIGHT, interactive=True)
    assert office.container().begin(interactive, office.time.deadline()) is None
    limiter = office.container()
    office.slots.fails = Unavailable(reason="down")
    assert office.reserve(limiter, LIGHT).local
    assert limiter.begin(LIGHT, office.time.deadline()) is None


def test_an_early_slot_without_an_answer_is_reserved_by_the_container() -> None:
    """An early slot without an answer is replaced by the container's own reservation, as without one."""
    office = Office()
    limiter = office.container()
    office.slots.fails = Unavailable(reason="down")
    early = limiter.begin(LIGHT, office.time.deadline())
    assert limiter.reserve(LIGHT, office.time.deadline(), early).local
