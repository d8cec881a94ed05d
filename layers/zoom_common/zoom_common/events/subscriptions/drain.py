"""The worker of one subscription: verifies its target, collects what it missed, and sends what waits.

A worker holds the subscription's lease, so there is one at a time. It keeps the order, the rate, and the back-off of a
failing target. All its state is in the tables. When a worker dies, another takes over after its lease has expired.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from zoom_common.deadline import Deadline
from zoom_common.errors import DependencyFailed
from zoom_common.events.bus import CloudEvent
from zoom_common.events.log.index import SETTLED_MS, ForwardPage
from zoom_common.events.log.query import LogLine, LogQuery
from zoom_common.events.subscriptions.delivery_store import DeliveryStore, Waiting, place_of
from zoom_common.events.subscriptions.fanout import SOON, RunAll, Sends
from zoom_common.events.subscriptions.model import (
    LONGEST_PAUSE,
    MOST_ATTEMPTS,
    ORDER_SECONDS,
    Attempt,
    Outcome,
    State,
    Subscription,
    back_off,
    to_json,
)
from zoom_common.events.subscriptions.sending import own_event
from zoom_common.events.subscriptions.settling import (
    Count,
    Log,
    Settlement,
    logged,
    missed_until,
    time_ms_of,
    waiting_in_log,
)
from zoom_common.events.subscriptions.store import SubscriptionStore

_AT_ONCE = 20
# A chunk ends within an attempt's 15 seconds and its writes. The lease of a dead worker expires soon after.
LEASE_SECONDS = 60.0
_RESERVE_SECONDS = 25.0
_FAST_MS = 1_000
_PAGE = 200
# The number of pages from the incomplete end of the log that are read at once: 100 events a second.
_PAGES = 5
# The log is complete only up to some seconds ago. Newer events are collected then.
_COLLECT_AGAIN = 15.0
_SETTLED = SETTLED_MS / 1000
_MOST_REMEMBERED = 200


class Verifies(Sends, Protocol):
    """Makes attempts, also for verifications."""

    def verify(self, subscription: Subscription) -> Attempt:
        """Ask a target whether it wants events."""
        ...


class Lines(Protocol):
    """The lines of the event log."""

    def follow(self, owner: str, query: LogQuery, *, now: float, reach: frozenset[str] | None = None) -> ForwardPage:
        """Return one page forwards."""
        ...


@dataclass(frozen=True, slots=True)
class Rest:
    """There is nothing to do before `due_at` (epoch seconds; None: until something wakes the subscription)."""

    due_at: float | None


class Drain:
    """`clock` gives epoch seconds; `sleep` waits, to keep a rate; `publish` puts events on the bus."""

    def __init__(
        self,
        *,
        subscriptions: SubscriptionStore,
        deliveries: DeliveryStore,
        log: Log,
        lines: Lines,
        sender: Verifies,
        settlement: Settlement,
        publish: Callable[[Sequence[CloudEvent]], None],
        run_all: RunAll,
        count: Count,
        clock: Callable[[], float],
        sleep: Callable[[float], object],
        random: Callable[[], float],
        owner: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self._subscriptions = subscriptions
        self._deliveries = deliveries
        self._log = log
        self._lines = lines
        self._sender = sender
        self._settlement = settlement
        self._publish = publish
        self._run_all = run_all
        self._count = count
        self._clock = clock
        self._sleep = sleep
        self._random = random
        self._owner = owner
        # The collected events of ordered subscriptions from the end of the log that is not complete yet.
        self._ahead: dict[str, frozenset[str]] = {}

    def drain(self, tenant: str, subscription_id: str, deadline: Deadline) -> float | None:
        """Do what is due for one subscription. Return the seconds until more is due, if that is soon.

        None leaves the rest to the next wake-up or sweep; 0.0 means that time ran out. Raises Unavailable; nothing is
        lost, because what is due stays due.
        """
        owner = self._owner()
        while True:
            now = self._clock()
            leased = self._subscriptions.lease(tenant, subscription_id, owner, now=now, until=now + LEASE_SECONDS)
            if leased is None:  # deleted, or leased by another worker, which checks again before it stops
                return None
            try:
                rest = self._step(leased)
            except DependencyFailed:
                with suppress(DependencyFailed):  # otherwise the lease expires
                    self._subscriptions.pass_on(leased, due_at=self._clock())
                raise
            if rest is not None:
                return _soon(rest, self._clock())
            if not deadline.allows(_RESERVE_SECONDS):
                self._subscriptions.pass_on(leased, due_at=self._clock())
                return 0.0

    def _step(self, leased: Subscription) -> Rest | None:
        """Do one thing. Return None when there may be more to do now."""
        if leased.announce is not None:
            self._announce(leased)
            return None
        match leased.state:
            case State.PENDING:
                return self._verify(leased)
            case State.ACTIVE:
                return self._work(leased)
            case _:
                return self._rest(leased, None)

    def _announce(self, leased: Subscription) -> None:
        """Publish that the subscription was ended. A crash before it is recorded publishes the same id again."""
        at = leased.state_changed_at
        event = own_event(
            leased,
            str(leased.announce),
            at=at,
            name=f"{at:.3f}",
            state=str(leased.state),
            reason=leased.reason or "",
            description=leased.description,
        )
        self._publish([event])
        self._subscriptions.note(leased, announce=None)

    def _verify(self, leased: Subscription) -> Rest | None:
        now = self._clock()
        if leased.retry_at is not None and leased.retry_at > now:
            return self._rest(leased, leased.retry_at)
        if leased.rounds >= MOST_ATTEMPTS:
            return self._rest(leased, None)
        attempt = self._sender.verify(leased)
        now = self._clock()
        if attempt.outcome is Outcome.DELIVERED:
            self._subscriptions.change(
                leased,
                state=State.ACTIVE,
                state_changed_at=now,
                reason=None,
                failures=None,
                failing_since=None,
                retry_at=None,
                rounds=None,
                missed_until=missed_until(now) if leased.missed_after else None,
                last_attempt=to_json([attempt]),
            )
            self._count("Verifications", outcome="verified")
            return None
        self._count("Verifications", outcome="failed")
        self._subscriptions.change(
            leased,
            rounds=leased.rounds + 1,
            retry_at=now + back_off(leased.rounds, random=self._random),
            last_attempt=to_json([attempt]),
        )
        return None

    def _work(self, leased: Subscription) -> Rest | None:
        now = self._clock()
        if leased.retry_at is not None and leased.retry_at > now:
            return self._rest(leased, leased.retry_at)
        collect_at = self._collect(leased) if leased.missed_after is not None else None
        most = 1 if leased.backs_off else min(_AT_ONCE, leased.rate or _AT_ONCE)
        is_due, horizon = _due(leased, now)
        ready, next_head = self._deliveries.heads(leased, is_due=is_due, most=most)
        if len(ready) < most:
            ready += filter(is_due, self._deliveries.due(leased, now=horizon, limit=most - len(ready)))
        if ready:
            self._send(leased, ready)
            return None
        waits = [each for each in (next_head, self._deliveries.next_due(leased), collect_at) if each is not None]
        return self._rest(leased, max(now, min(waits)) if waits else None)

    def _rest(self, leased: Subscription, due_at: float | None) -> Rest | None:
        """Return the lease, unless something has woken the subscription meanwhile."""
        return Rest(due_at) if self._subscriptions.rest(leased, due_at=due_at) else None

    def _send(self, leased: Subscription, ready: Sequence[Waiting]) -> None:
        """Send what is ready, all at once. It has at most one event of each lane."""
        started = self._clock()
        known: dict[str, Waiting] = {}
        for waiting in ready:
            if waiting.event_id in known and not waiting.attempts:
                self._deliveries.remove(leased, waiting)  # stored twice, because a message came twice
            else:
                known.setdefault(waiting.event_id, waiting)
        failed: list[DependencyFailed] = []
        attempts: list[Attempt] = []

        def send(waiting: Waiting) -> None:
            try:
                attempt = self._attempt(leased, waiting)
            except DependencyFailed as error:
                failed.append(error)
                return
            if attempt is not None:
                attempts.append(attempt)

        self._run_all([partial(send, waiting) for waiting in known.values()], lambda _: None)
        if failed:
            raise failed[0]
        if leased.slow_at is not None and attempts and all(each.duration_ms < _FAST_MS for each in attempts):
            self._subscriptions.note(leased, slow_at=None)
        if leased.rate is not None:
            self._sleep(max(0.0, len(attempts) / leased.rate - (self._clock() - started)))

    def _attempt(self, leased: Subscription, waiting: Waiting) -> Attempt | None:
        """Send one event and store the result. Return None when there is nothing to send any more."""
        event = self._event(leased, waiting)
        if event is None or not (waiting.forced or leased.wants(event)):
            self._deliveries.remove(leased, waiting)
            self._count("Deliveries", outcome="dropped")
            return None
        attempt = self._sender.send(leased, event)
        self._settlement.settle(leased, waiting, attempt, stored=True)
        return attempt

    def _event(self, leased: Subscription, waiting: Waiting) -> CloudEvent | None:
        """Return a waiting event as it was published, or None when it has expired or was erased."""
        if waiting.body is not None:
            return CloudEvent.from_json(waiting.body)
        return logged(self._log, leased.tenant, waiting.event_id)

    def _collect(self, leased: Subscription) -> float | None:
        """Store one page of missed events as waiting. Return when to continue, in epoch seconds, or None.

        An ordered subscription collects all events, because the log has the order.
        """
        now = self._clock()
        until = now if leased.ordered or leased.missed_until is None else leased.missed_until
        until_ms = int(until * 1000)
        query = LogQuery(0, until_ms, types=leased.types, page_size=_PAGE, after=leased.missed_after)
        page = self._lines.follow(leased.tenant, query, now=now)
        self._add_missed(leased, page.lines, now)
        if not leased.ordered and not page.more and page.complete_until_ms >= until_ms:
            self._subscriptions.note(leased, missed_after=None, missed_until=None)
            return None
        if page.lines or page.more:
            self._subscriptions.note(leased, missed_after=page.after)
        if page.more:
            return now
        if not leased.ordered:
            return now + _COLLECT_AGAIN
        return self._collect_ahead(leased, replace(query, after=page.after), now)

    def _collect_ahead(self, leased: Subscription, query: LogQuery, now: float) -> float | None:
        """Store events from the end of the log that is not complete yet. Return when to continue, or None.

        These lines are read again until the log is complete, because another may still appear before them.
        """
        latest = now + LEASE_SECONDS  # another container's clock dated the line
        seen: list[str] = []
        query, more = replace(query, until_ms=int(latest * 1000)), True
        while more and len(seen) < _PAGES * _PAGE:
            page = self._lines.follow(leased.tenant, query, now=latest + _SETTLED)
            self._add_missed(leased, page.lines, now)
            seen += [line.event_id for line in page.lines]
            query, more = replace(query, after=page.after), page.more
        if len(self._ahead) > _MOST_REMEMBERED:
            self._ahead.clear()  # anything that is not cached is looked up
        self._ahead[leased.subscription_id] = frozenset(seen)
        return now + _SETTLED if more else None

    def _add_missed(self, leased: Subscription, lines: Sequence[LogLine], now: float) -> None:
        ahead = self._ahead.get(leased.subscription_id, frozenset())
        lines = [line for line in lines if line.event_id not in ahead]
        places = {line.event_id: place_of(time_ms_of(line), line.event_id) for line in lines}
        known = self._deliveries.statuses(leased, places.values())
        for line in lines:
            if places[line.event_id] in known or line.received_at_ms < int(leased.created_at * 1000):
                continue
            # It is due since it became visible, so that the oldest is sent first.
            due_at = min(now, (line.recorded_at_ms or line.received_at_ms) / 1000)
            if leased.ordered:
                due_at = max(due_at, line.received_at_ms / 1000 + ORDER_SECONDS)
            missed = waiting_in_log(self._log, leased, line.event_id, time_ms_of(line), line.type, due_at=due_at)
            if missed is not None:
                self._deliveries.add(leased, missed, now=now)


def _soon(rest: Rest, now: float) -> float | None:
    """Return the seconds until the end of a short rest, and None for a long one."""
    return max(0.0, rest.due_at - now) if rest.due_at is not None and rest.due_at - now <= SOON else None


def _due(leased: Subscription, now: float) -> tuple[Callable[[Waiting], bool], float]:
    """Return a test whether an event is due, and the latest due time that can pass it.

    While a subscription catches up after a resume, events that failed before are due at once.
    """
    if leased.missed_after is None:
        return lambda waiting: waiting.due_at <= now, now

    def is_due(waiting: Waiting) -> bool:
        failed_before = bool(waiting.attempts) and waiting.attempts[-1].at < leased.state_changed_at
        return waiting.due_at <= now or failed_before

    return is_due, now + LONGEST_PAUSE
