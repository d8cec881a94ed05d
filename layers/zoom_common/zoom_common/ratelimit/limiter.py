"""The rate limiter of all functions and containers: decides when a call may go to Zoom, by second and by day."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil

from zoom_common.deadline import Deadline
from zoom_common.errors import TooManyRequests, Unavailable
from zoom_common.ratelimit.quotas import DailyCalls, user_counter
from zoom_common.ratelimit.slots import (
    MICROSECONDS,
    PACE,
    PROBE_EVERY,
    Bucket,
    Buckets,
    EarlySlot,
    NoSlot,
    Slot,
    SlotStore,
    buckets,
)
from zoom_common.zoom import rate_limits
from zoom_common.zoom.operations.model import RateLabel
from zoom_common.zoom.rate_limits import Limit, Plan, RateLimitResponse, until_midnight

LONGEST_WAIT = 10.0
# In seconds: the time that must be left after the slot, to send the request and read the answer.
_TIME_TO_SEND = 3.0
# Without DynamoDB each container uses a tenth of the rate, so that ten busy containers together keep to it.
_LOCAL_PART = 10
# A slot that is this many intervals in the past is not used. A shorter delay is within the reserve of the pace.
_LATEST_INTERVALS = 2
_LONGEST_LAG = 0.25
# In seconds. No limit of Zoom's lasts longer than a day, so a longer Retry-After is cut.
_LONGEST_CLOSURE = 86_400.0
# In seconds: how long DynamoDB is not tried after it failed.
_REST = 5.0

_USER_DAY = "user_daily_limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimitRules:
    """How much of Zoom's limits the gateway uses. `plans` names accounts with another plan than `plan`.

    `share` is the gateway's part of an account's limits; the rest is for the account's other apps. `reserve` is the
    part of that share for interactive calls only. Both are fractions up to 1.
    """

    plan: Plan = Plan.PRO
    plans: Mapping[str, Plan] = field(default_factory=dict)
    share: float = 1.0
    reserve: float = 0.0
    pace: float = PACE

    def of(self, account: str) -> Plan:
        """Return the plan of an account."""
        return self.plans.get(account, self.plan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one request takes. `user` is set when it counts against that user's daily creates and updates.

    `pool` names a family of operations that Zoom counts separately.
    """

    account: str
    label: RateLabel
    user: str | None = None
    interactive: bool = False
    pool: str = ""


@dataclass(frozen=True, slots=True)
class Reservation:
    """A send slot in `wait` seconds. `left` calls could begin within the rate's window, `left_today` today if known.

    `local` says that DynamoDB did not answer, and the container reserved by itself. `counters` are the daily counters
    that counted the call; they are corrected when it is not made. A `probe` is sent although the account or the user is
    closed.
    """

    wait: float
    left: int
    left_today: int | None = None
    local: bool = False
    counters: tuple[str, ...] = ()
    probe: bool = False


@dataclass(slots=True, kw_only=True)
class RateLimiter:
    """The rate limiter of one container. `clock` gives epoch seconds."""

    slots: SlotStore
    daily: DailyCalls
    rules: RateLimitRules
    clock: Callable[[], float]
    _local: dict[tuple[str, str], float] = field(default_factory=dict)
    _down_until: float = 0.0
    _lag: float = 0.0  # smoothed seconds that taking a slot takes

    def begin(self, cost: Cost, deadline: Deadline) -> EarlySlot | None:
        """Request the slot that `reserve` will need, while something else is waited for.

        Return a value for `reserve`, or for `drop` when the call is not made. Return None where finding a slot takes
        more than one request.
        """
        split, now = self._split(cost, cost.label), self.clock()
        if now < self._down_until or (cost.interactive and split.reserve is not None):
            return None
        lane, bucket = _lane(cost, cost.label), split.everybody
        start, end = self._span(now, now + self._lag, _longest(deadline))
        if self.slots.is_spent(cost.account, lane, bucket, now=start, latest=end):
            return None
        early = self.slots.begin(cost.account, lane, bucket, now=start, latest=end)
        early.began = now
        return early

    def drop(self, early: EarlySlot | None) -> None:
        """Give an early slot back, unless it was used."""
        if early is not None and not early.used:
            self.slots.give_back(early)

    def reserve(self, cost: Cost, deadline: Deadline, early: EarlySlot | None = None) -> Reservation:
        """Reserve the next free slot, or the `early` one if it is of the same bucket.

        Raises TooManyRequests when there is none before `deadline`, or none today.
        """
        longest = _longest(deadline)
        now = self.clock()
        if now >= self._down_until:
            try:
                return self._shared(cost, now, longest, early)
            except Unavailable:
                self._down_until = self.clock() + _REST
        return self._local_reservation(cost, self.clock(), longest)

    def left(self, cost: Cost) -> int:
        """Return how many calls could begin within the window, by what this container knows without DynamoDB."""
        bucket = self._split(cost, cost.label).everybody
        now = int(self.clock() * MICROSECONDS)
        return self._room(cost, bucket, self.slots.backlog(cost.account, _lane(cost, cost.label), bucket, now=now))

    def give_back(self, reservation: Reservation) -> None:
        """Correct the counters for a call that was not sent, or that Zoom refused for its rate or its token.

        Zoom does not say whether it counts those. If they were counted here, the gateway might refuse calls that Zoom
        accepts. Not to count them costs a 429 of Zoom's at worst, which then closes the limit.
        """
        now = self.clock()
        for counter in reservation.counters:
            self.daily.give_back(counter, now=now)
            with suppress(Unavailable):
                self.daily.return_unused(counter, now=now)

    def reopen(self, cost: Cost) -> None:
        """Open what was closed for the account, because Zoom answered a probe."""
        with suppress(Unavailable):
            for label in self._counted_with(cost):
                for bucket in self._buckets(cost, label):
                    self.slots.reopen(cost.account, _lane(cost, label), bucket)

    def rate_limited(self, cost: Cost, refusal: RateLimitResponse) -> None:
        """Record a 429. A limit of Zoom's that lasts is shared, so that no container sends before it ends.

        A 429 that is not from Zoom itself closes nothing.
        """
        if not refusal.from_zoom:
            return
        now = self.clock()
        wait = min(refusal.retry_after or 0.0, _LONGEST_CLOSURE)
        try:
            if refusal.limit is Limit.PER_USER and cost.user is not None:
                self.daily.exhaust(_user_counter_of(cost), limit=rate_limits.USER_DAILY, now=now)
            elif refusal.limit is Limit.DAILY:
                self._close(cost, self._counted_with(cost), now + wait, "daily_limit")
            elif wait > LONGEST_WAIT:
                self._close(cost, [cost.label], now + wait, "zoom_asked_to_wait")
        except Unavailable:
            self._down_until = now + _REST  # other containers learn it from Zoom

    def _shared(self, cost: Cost, now: float, longest: float, early: EarlySlot | None) -> Reservation:
        left_today, counters, probe = self._take_today(cost, now)
        split = self._split(cost, cost.label)
        try:
            slot = self._punctual_slot(cost, split, longest, early)
        except Unavailable:
            self._not_made(counters, now)
            raise
        if isinstance(slot, NoSlot):
            self._not_made(counters, now)
            raise TooManyRequests(max(1, ceil(slot.at / MICROSECONDS - now)), reason=slot.closed or "rate_budget_spent")
        left = self._room(cost, split.everybody, slot.ahead)
        wait = max(0.0, slot.at / MICROSECONDS - self.clock())
        return Reservation(wait, left, left_today, counters=counters, probe=probe or slot.probe)

    def _not_made(self, counters: Iterable[str], now: float) -> None:
        for counter in counters:
            self.daily.give_back(counter, now=now)

    def _room(self, cost: Cost, bucket: Bucket, ahead: int) -> int:
        window = rate_limits.rate(self.rules.of(cost.account), cost.label, cost.pool).seconds * MICROSECONDS
        return max(0, (window - ahead) // bucket.interval)

    def _punctual_slot(self, cost: Cost, split: Buckets, longest: float, early: EarlySlot | None) -> Slot | NoSlot:
        """Take a slot that is not over when DynamoDB answers, because calls in past slots would be sent in a burst."""
        slot = self._timed_slot(cost, split, longest, early)
        late = (
            isinstance(slot, Slot)
            and not slot.probe
            and self.clock() * MICROSECONDS - slot.at > _LATEST_INTERVALS * split.everybody.interval
        )
        return self._timed_slot(cost, split, longest) if late else slot

    def _timed_slot(self, cost: Cost, split: Buckets, longest: float, early: EarlySlot | None = None) -> Slot | NoSlot:
        asked = self.clock()
        began = asked if early is None or early.used else early.began
        slot = self._slot(cost, split, asked, asked + self._lag, longest, early)
        took = self.clock() - began
        # It rises at once when DynamoDB becomes slow, and falls slowly.
        self._lag = min(_LONGEST_LAG, max(took, self._lag + (took - self._lag) * 0.1))
        return slot

    @staticmethod
    def _span(now: float, ready: float, longest: float) -> tuple[int, int]:
        """Return the first and the last time at which a slot may begin, in epoch microseconds."""
        return int(ready * MICROSECONDS), int((now + max(longest, ready - now)) * MICROSECONDS)

    def _slot(  # noqa: PLR0917 - what a slot depends on
        self,
        cost: Cost,
        split: Buckets,
        now: float,
        ready: float,
        longest: float,
        early: EarlySlot | None,
    ) -> Slot | NoSlot:
        start, end = self._span(now, ready, longest)
        label = _lane(cost, cost.label)
        if not cost.interactive or split.reserve is None:
            return self.slots.take(cost.account, label, split.everybody, now=start, latest=end, early=early)
        for bucket, latest in ((split.everybody, start), (split.reserve, end)):
            slot = self.slots.take(cost.account, label, bucket, now=start, latest=latest)
            if isinstance(slot, Slot) or slot.closed:
                return slot
        return self.slots.take(cost.account, label, split.everybody, now=start, latest=end)

    def _take_today(self, cost: Cost, now: float) -> tuple[int | None, tuple[str, ...], bool]:
        """Count a call in its days. Return how many are left, the counters, and whether it is a user's probe.

        Our share of an account's day is our own limit and is not probed; a user's hundred is counted by Zoom.
        """
        least: int | None = None
        taken: list[str] = []
        probe = False
        for counter, limit, reason in self._counters(cost):
            left = self.daily.take(counter, limit=limit, now=now)
            if left is not None:
                taken.append(counter)
            elif reason == _USER_DAY and self.daily.probe(counter, now=now):
                left, probe = 0, True
            else:
                self._not_made(taken, now)
                raise TooManyRequests(ceil(until_midnight(now)), reason=reason)
            least = left if least is None else min(least, left)
        return least, tuple(taken), probe

    def _counters(self, cost: Cost) -> list[tuple[str, int, str]]:
        found = []
        if cost.user is not None:
            found.append((_user_counter_of(cost), rate_limits.USER_DAILY, _USER_DAY))
        day = rate_limits.daily(self.rules.of(cost.account), cost.label, cost.pool)
        if day is not None:
            found.append((f"{cost.account}#{day.name}", int(day.calls * self.rules.share), "daily_limit"))
        return found

    def _close(self, cost: Cost, labels: Iterable[RateLabel], until: float, reason: str) -> None:
        end, probe_at = int(until * MICROSECONDS), int(self.clock() * MICROSECONDS) + PROBE_EVERY
        for label in labels:
            everybody, *others = self._buckets(cost, label)
            lane = _lane(cost, label)
            self.slots.close(cost.account, lane, everybody, until=end, reason=reason, probe_at=probe_at)
            for bucket in others:
                self.slots.close(cost.account, lane, bucket, until=end, reason=reason)

    def _buckets(self, cost: Cost, label: RateLabel) -> list[Bucket]:
        split = self._split(cost, label)
        return [split.everybody] if split.reserve is None else [split.everybody, split.reserve]

    def _counted_with(self, cost: Cost) -> list[RateLabel]:
        plan, pool = self.rules.of(cost.account), cost.pool
        day = rate_limits.daily(plan, cost.label, pool)
        return [
            each for each in RateLabel if each is cost.label or (day and rate_limits.daily(plan, each, pool) == day)
        ]

    def _split(self, cost: Cost, label: RateLabel) -> Buckets:
        rate = rate_limits.rate(self.rules.of(cost.account), label, cost.pool)
        return buckets(rate, share=self.rules.share, reserve=self.rules.reserve, pace=self.rules.pace)

    def _local_reservation(self, cost: Cost, now: float, longest: float) -> Reservation:
        key = (cost.account, _lane(cost, cost.label))
        interval = self._split(cost, cost.label).everybody.interval * _LOCAL_PART / MICROSECONDS
        at = max(now, self._local.get(key, 0.0))
        if at - now > max(0.0, longest):
            raise TooManyRequests(max(1, ceil(at - now)), reason="rate_budget_spent")
        self._local[key] = at + interval
        return Reservation(at - now, 0, local=True)


def _longest(deadline: Deadline) -> float:
    """Return the seconds that a call may wait for its slot."""
    return min(LONGEST_WAIT, deadline.remaining() - _TIME_TO_SEND)


def _lane(cost: Cost, label: RateLabel) -> str:
    """Return the name of a label's buckets. A family that Zoom counts separately has its own."""
    return f"{cost.pool}.{label}" if cost.pool else str(label)


def _user_counter_of(cost: Cost) -> str:
    return user_counter(cost.account, str(cost.user))
