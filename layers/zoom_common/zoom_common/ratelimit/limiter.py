"""The rate limiter that all functions and containers share: when a call may go to Zoom, and whether it may today."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from math import ceil
from typing import Protocol

from zoom_common.deadline import Deadline
from zoom_common.errors import TooManyRequests, Unavailable
from zoom_common.ratelimit.quotas import DailyCalls, user_counter
from zoom_common.ratelimit.slots import MICROSECONDS, PACE, PROBE_EVERY, Bucket, Buckets, NoSlot, Slot, buckets
from zoom_common.zoom import rate_limits
from zoom_common.zoom.operations.model import RateLabel
from zoom_common.zoom.rate_limits import Limit, Plan, RateLimitResponse, until_midnight

LONGEST_WAIT = 10.0
# What a call keeps for sending and reading the answer: a slot so late that nothing is left is no slot.
_TIME_TO_SEND = 3.0
# Without the shared budget each container takes a tenth of the rate: ten busy containers together keep it.
_LOCAL_PART = 10
# A slot that far over when it comes is not used. Anything less is within what the pace has to spare.
_LATEST_INTERVALS = 2
_LONGEST_LAG = 0.25
# No limit of Zoom's lasts longer than a day: whatever a header says, nobody is shut out for longer on its word.
_LONGEST_CLOSURE = 86_400.0
# How long DynamoDB is left alone after it failed.
_REST = 5.0

_USER_DAY = "user_daily_limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimitRules:
    """What we may take. `plans` names accounts whose plan is not `plan`; `share` and `reserve` are fractions up to 1.

    `share` is our part of the account's limits, the rest is for its other apps; `reserve` is the part of ours that only
    interactive calls may use.
    """

    plan: Plan = Plan.PRO
    plans: Mapping[str, Plan] = field(default_factory=dict)
    share: float = 1.0
    reserve: float = 0.0
    pace: float = PACE

    def of(self, account: str) -> Plan:
        """The plan of an account."""
        return self.plans.get(account, self.plan)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a request takes from. `user` is whose creates and updates of the day it counts among, if anybody's."""

    account: str
    label: RateLabel
    user: str | None = None
    interactive: bool = False


@dataclass(frozen=True, slots=True)
class Reservation:
    """When to send: in `wait` seconds. `left` calls could still begin soon, `left_today` today where that is known.

    `local` says that the shared budget could not be asked. `counters` are the days that the call was counted in, to be
    given back when it is not made. A `probe` goes out although the account or the user is closed.
    """

    wait: float
    left: int
    left_today: int | None = None
    local: bool = False
    counters: tuple[str, ...] = ()
    probe: bool = False


class Slots(Protocol):
    """Where slots come from: `SlotStore`."""

    def take(self, account: str, label: str, lane: Bucket, *, now: int, latest: int) -> Slot | NoSlot: ...  # noqa: D102

    def backlog(self, account: str, label: str, lane: Bucket, *, now: int) -> int: ...  # noqa: D102

    def close(  # noqa: D102
        self, account: str, label: str, lane: Bucket, *, until: int, reason: str, probe_at: int | None = None
    ) -> None: ...

    def reopen(self, account: str, label: str, lane: Bucket) -> None: ...  # noqa: D102


@dataclass(slots=True, kw_only=True)
class RateLimiter:
    """The budget as one container sees it. `clock` gives epoch seconds."""

    slots: Slots
    daily: DailyCalls
    rules: RateLimitRules
    clock: Callable[[], float]
    _local: dict[tuple[str, str], float] = field(default_factory=dict)
    _down_until: float = 0.0
    _lag: float = 0.0  # how long a slot takes to come, lately

    def turn(self, spend: Cost, deadline: Deadline) -> Reservation:
        """Reserve the next free slot. Raises TooManyRequests when there is none soon enough, or none today."""
        longest = min(LONGEST_WAIT, deadline.remaining() - _TIME_TO_SEND)
        now = self.clock()
        if now >= self._down_until:
            try:
                return self._shared(spend, now, longest)
            except Unavailable:
                self._down_until = self.clock() + _REST
        return self._alone(spend, self.clock(), longest)

    def left(self, spend: Cost) -> int:
        """How many calls could begin soon, as far as this container knows without asking."""
        lane = self._lanes(spend.account, spend.label).everybody
        now = int(self.clock() * MICROSECONDS)
        return self._room(spend, lane, self.slots.backlog(spend.account, str(spend.label), lane, now=now))

    def give_back(self, reservation: Reservation) -> None:
        """Give back what a call was counted in that never left, or that Zoom refused for its rate or its token.

        Zoom does not say whether it counts those. Counting them would refuse calls that Zoom takes; not counting them
        costs a 429 of Zoom's at worst, which is believed.
        """
        now = self.clock()
        for counter in reservation.counters:
            self.daily.give_back(counter, now=now)
            with suppress(Unavailable):
                self.daily.return_unused(counter, now=now)

    def reopen(self, spend: Cost) -> None:
        """Zoom answered a probe: open what was closed for the account."""
        with suppress(Unavailable):
            for label in self._counted_with(spend):
                for lane in self._both(spend.account, label):
                    self.slots.reopen(spend.account, str(label), lane)

    def refused(self, spend: Cost, refusal: RateLimitResponse) -> None:
        """Zoom answered 429. What will not pass soon is told to all containers, and none of them asks before.

        What does not come from Zoom itself closes nothing.
        """
        if not refusal.from_zoom:
            return
        now = self.clock()
        wait = min(refusal.retry_after or 0.0, _LONGEST_CLOSURE)
        try:
            if refusal.limit is Limit.PER_USER and spend.user is not None:
                self.daily.exhaust(_of_user(spend), limit=rate_limits.USER_DAILY, now=now)
            elif refusal.limit is Limit.DAILY:
                self._close(spend, self._counted_with(spend), now + wait, "daily_limit")
            elif wait > LONGEST_WAIT:
                self._close(spend, [spend.label], now + wait, "zoom_asked_to_wait")
        except Unavailable:
            self._down_until = now + _REST  # the next container that asks Zoom finds out for itself

    def _shared(self, spend: Cost, now: float, longest: float) -> Reservation:
        left_today, counters, probe = self._spend_today(spend, now)
        split = self._lanes(spend.account, spend.label)
        try:
            slot = self._punctual_slot(spend, split, longest)
        except Unavailable:
            self._not_made(counters, now)
            raise
        if isinstance(slot, NoSlot):
            self._not_made(counters, now)
            raise TooManyRequests(max(1, ceil(slot.at / MICROSECONDS - now)), reason=slot.closed or "rate_budget_spent")
        left = self._room(spend, split.everybody, slot.ahead)
        wait = max(0.0, slot.at / MICROSECONDS - self.clock())
        return Reservation(wait, left, left_today, counters=counters, probe=probe or slot.probe)

    def _not_made(self, counters: Iterable[str], now: float) -> None:
        for counter in counters:
            self.daily.give_back(counter, now=now)

    def _room(self, spend: Cost, lane: Bucket, ahead: int) -> int:
        window = rate_limits.rate(self.rules.of(spend.account), spend.label).seconds * MICROSECONDS
        return max(0, (window - ahead) // lane.interval)

    def _punctual_slot(self, spend: Cost, split: Buckets, longest: float) -> Slot | NoSlot:
        """A slot that is not over by the time we hear of it: slots that are, sent all at once, would be a burst."""
        slot = self._timed_slot(spend, split, longest)
        late = (
            isinstance(slot, Slot)
            and not slot.probe
            and self.clock() * MICROSECONDS - slot.at > _LATEST_INTERVALS * split.everybody.interval
        )
        return self._timed_slot(spend, split, longest) if late else slot

    def _timed_slot(self, spend: Cost, split: Buckets, longest: float) -> Slot | NoSlot:
        began = self.clock()
        slot = self._slot(spend, split, began, began + self._lag, longest)
        took = self.clock() - began
        # At once aware that DynamoDB has become slow, slow to believe that it is quick again.
        self._lag = min(_LONGEST_LAG, max(took, self._lag + (took - self._lag) * 0.1))
        return slot

    def _slot(self, spend: Cost, split: Buckets, now: float, ready: float, longest: float) -> Slot | NoSlot:
        start, end = int(ready * MICROSECONDS), int((now + max(longest, ready - now)) * MICROSECONDS)
        label = str(spend.label)
        if not spend.interactive or split.reserve is None:
            return self.slots.take(spend.account, label, split.everybody, now=start, latest=end)
        for lane, latest in ((split.everybody, start), (split.reserve, end)):
            slot = self.slots.take(spend.account, label, lane, now=start, latest=latest)
            if isinstance(slot, Slot) or slot.closed:
                return slot
        return self.slots.take(spend.account, label, split.everybody, now=start, latest=end)

    def _spend_today(self, spend: Cost, now: float) -> tuple[int | None, tuple[str, ...], bool]:
        """Count a call in its days: how many are left, what it was counted in, and whether it is a user's probe.

        Our share of an account's day is a limit of ours and is not probed; a user's hundred is Zoom's to count.
        """
        least: int | None = None
        spent: list[str] = []
        probe = False
        for counter, limit, reason in self._counters(spend):
            left = self.daily.spend(counter, limit=limit, now=now)
            if left is not None:
                spent.append(counter)
            elif reason == _USER_DAY and self.daily.probe(counter, now=now):
                left, probe = 0, True
            else:
                self._not_made(spent, now)
                raise TooManyRequests(ceil(until_midnight(now)), reason=reason)
            least = left if least is None else min(least, left)
        return least, tuple(spent), probe

    def _counters(self, spend: Cost) -> list[tuple[str, int, str]]:
        found = []
        if spend.user is not None:
            found.append((_of_user(spend), rate_limits.USER_DAILY, _USER_DAY))
        day = rate_limits.daily(self.rules.of(spend.account), spend.label)
        if day is not None:
            found.append((f"{spend.account}#{day.name}", int(day.calls * self.rules.share), "daily_limit"))
        return found

    def _close(self, spend: Cost, labels: Iterable[RateLabel], until: float, reason: str) -> None:
        end, probe_at = int(until * MICROSECONDS), int(self.clock() * MICROSECONDS) + PROBE_EVERY
        for label in labels:
            everybody, *others = self._both(spend.account, label)
            self.slots.close(spend.account, str(label), everybody, until=end, reason=reason, probe_at=probe_at)
            for lane in others:
                self.slots.close(spend.account, str(label), lane, until=end, reason=reason)

    def _both(self, account: str, label: RateLabel) -> list[Bucket]:
        split = self._lanes(account, label)
        return [split.everybody] if split.reserve is None else [split.everybody, split.reserve]

    def _counted_with(self, spend: Cost) -> list[RateLabel]:
        plan = self.rules.of(spend.account)
        day = rate_limits.daily(plan, spend.label)
        return [each for each in RateLabel if each is spend.label or (day and rate_limits.daily(plan, each) == day)]

    def _lanes(self, account: str, label: RateLabel) -> Buckets:
        rate = rate_limits.rate(self.rules.of(account), label)
        return buckets(rate, share=self.rules.share, reserve=self.rules.reserve, pace=self.rules.pace)

    def _alone(self, spend: Cost, now: float, longest: float) -> Reservation:
        key = (spend.account, str(spend.label))
        interval = self._lanes(spend.account, spend.label).everybody.interval * _LOCAL_PART / MICROSECONDS
        at = max(now, self._local.get(key, 0.0))
        if at - now > max(0.0, longest):
            raise TooManyRequests(max(1, ceil(at - now)), reason="rate_budget_spent")
        self._local[key] = at + interval
        return Reservation(at - now, 0, local=True)


def _of_user(spend: Cost) -> str:
    return user_counter(spend.account, str(spend.user))
