"""Stores the result of an attempt: the delivery's record, what waits, and the health of the subscription's target."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from threading import Lock
from typing import Protocol

from zoom_common.events.bus import CloudEvent
from zoom_common.events.log.entries import LogEntry
from zoom_common.events.log.index import SETTLED_MS, before
from zoom_common.events.log.query import LogLine
from zoom_common.events.log.store import EventExpired
from zoom_common.events.subscriptions.delivery_store import Delivery, DeliveryStore, Waiting, again
from zoom_common.events.subscriptions.model import (
    DISABLED,
    DISABLED_AFTER,
    FAILURES_UNTIL_BACK_OFF,
    LONGEST_PAUSE,
    UNSUBSCRIBED,
    Attempt,
    Outcome,
    State,
    Status,
    Subscription,
    back_off,
    pause_after,
)
from zoom_common.events.subscriptions.store import SubscriptionStore

# A target that takes longer than this gets a worker of its own, so that others do not wait for it.
SLOW_SECONDS = 2.0
# A worker may act for this long on what it read before a change of state.
_STALE_SECONDS = 60.0


class Count(Protocol):
    """A metric's counter."""

    def __call__(self, name: str, value: int = 1, **dimensions: str) -> None:
        """Add `value` to `name`, and to `name` with these dimensions."""
        ...


class Tally:
    """Counts in memory and writes each sum once, because deliveries are many. Several threads use it.

    `written` is called after sums were written, if there were any.
    """

    def __init__(self, count: Count, *, written: Callable[[], None] = lambda: None) -> None:
        self._count = count
        self._written = written
        self._sums: Counter[tuple[str, tuple[tuple[str, str], ...]]] = Counter()
        self._lock = Lock()

    def __call__(self, name: str, value: int = 1, **dimensions: str) -> None:
        """Add `value` to a sum."""
        with self._lock:
            self._sums[name, tuple(sorted(dimensions.items()))] += value

    def write(self) -> None:
        """Write all sums, and start again at zero."""
        with self._lock:
            sums, self._sums = self._sums, Counter()
        for (name, dimensions), value in sums.items():
            self._count(name, value, **dict(dimensions))
        if sums:
            self._written()


class Settlement:
    """Stores the results of attempts. Every method raises Unavailable, and can be repeated."""

    def __init__(
        self,
        *,
        subscriptions: SubscriptionStore,
        deliveries: DeliveryStore,
        count: Count,
        clock: Callable[[], float],
        random: Callable[[], float],
    ) -> None:
        self._subscriptions = subscriptions
        self._deliveries = deliveries
        self._count = count
        self._clock = clock
        self._random = random

    def settle(self, seen: Subscription, waiting: Waiting, attempt: Attempt, *, stored: bool) -> float | None:
        """Store the result of one attempt. Return when the event is due again, in epoch seconds, or None.

        `stored` says whether the event waits in the table already. The event is stored as waiting before its record
        says that it will be tried again, and removed after its record says that it was delivered. So a crash in between
        sends it once more and loses nothing.
        """
        now, outcome = self._clock(), attempt.outcome
        later = None
        if outcome not in {Outcome.DELIVERED, Outcome.GONE}:
            pause = pause_after(waiting.tries + 1, random=self._random, asked=attempt.retry_after)
            # when the target works again, the event is sent again
            if pause is not None and outcome is Outcome.UNREACHED:
                pause = min(pause, self._pause_of_target(seen, attempt))
            later = again(waiting, attempt, now + pause) if pause is not None else None
        if later is not None:
            if stored:
                self._deliveries.postpone(seen, waiting, later, now=now)
            else:
                self._deliveries.add(seen, later, now=now)
        self._deliveries.record(seen, _delivery(waiting, attempt, outcome, later), now=now)
        if later is None and stored:
            self._leave(seen, waiting, attempt, outcome, now)
        self._count("Deliveries", outcome="retried" if later is not None else str(_status(outcome, later)))
        self._health(seen, attempt, outcome, now)
        return later.due_at if later is not None else None

    def _leave(self, seen: Subscription, waiting: Waiting, attempt: Attempt, outcome: Outcome, now: float) -> None:
        """Remove an event that is done. An event that a failing target has missed is kept aside for a resume."""
        if seen.backs_off and seen.failing_since is not None and outcome in {Outcome.ANSWERED, Outcome.UNREACHED}:
            aside = again(waiting, attempt, seen.failing_since + LONGEST_PAUSE)
            self._deliveries.postpone(seen, waiting, aside, now=now)
        else:
            self._deliveries.remove(seen, waiting)

    def _health(self, seen: Subscription, attempt: Attempt, outcome: Outcome, now: float) -> None:
        match outcome:
            case Outcome.DELIVERED:
                if seen.failures or seen.backs_off:
                    self._subscriptions.succeeded(seen)
            case Outcome.GONE:
                self.end(seen, State.UNSUBSCRIBED, UNSUBSCRIBED, reason="answered_410")
            case _:
                self._failed(seen, attempt, outcome, now)
        if seen.slow_at is None and attempt.duration_ms > SLOW_SECONDS * 1000:
            self.slow(seen)

    def slow(self, seen: Subscription) -> None:
        """Give a target that answers slowly a worker of its own."""
        self._subscriptions.note(seen, slow_at=self._clock())

    def end(self, seen: Subscription, state: State, announcement: str, *, reason: str) -> bool:
        """Stop sending to an active subscription, and let its worker publish that.

        Return False when it is not active.
        """
        now = self._clock()
        missed = missed_since(seen, now) if state is State.DISABLED else None
        ended = self._subscriptions.change(
            seen,
            state=state,
            state_changed_at=now,
            reason=reason,
            announce=announcement,
            missed_after=missed,
            due_at=now,
        )
        if ended is not None:
            self._count("SubscriptionsDisabled" if state is State.DISABLED else "SubscriptionsUnsubscribed")
        return ended is not None

    def _failed(self, seen: Subscription, attempt: Attempt, outcome: Outcome, now: float) -> None:
        if seen.backs_off:
            rounds, since = seen.rounds + 1, seen.failing_since
            self._rest(seen, rounds, attempt, now, failures=seen.failures + 1)
        else:
            counted = self._subscriptions.failed(seen, now=now)
            if counted is None:  # it has started to back off just now
                return
            since = counted.failing_since
            if outcome is Outcome.UNREACHED or counted.failures >= FAILURES_UNTIL_BACK_OFF:
                self._rest(seen, 0, attempt, now)
        if since is not None and now - since >= DISABLED_AFTER:
            self.end(seen, State.DISABLED, DISABLED, reason="failed_for_five_days")

    def _pause_of_target(self, seen: Subscription, attempt: Attempt) -> float:
        rounds = seen.rounds + 1 if seen.backs_off else 0
        return back_off(rounds, random=self._random, asked=attempt.retry_after)

    def _rest(self, seen: Subscription, rounds: int, attempt: Attempt, now: float, **more: int) -> None:
        until = now + back_off(rounds, random=self._random, asked=attempt.retry_after)
        self._subscriptions.note(seen, retry_at=until, rounds=rounds, **more)


def begins_after(now: float) -> str:
    """Return the place in the log after which a new ordered subscription collects its events.

    The clocks of those who write lines may be slow, so earlier events are skipped when they are collected.
    """
    return before(int(now * 1000) - SETTLED_MS)


def missed_since(seen: Subscription, now: float) -> str:
    """Return the place in the log after which a subscription that stops now may miss events."""
    return seen.missed_after or before(int((now - _STALE_SECONDS) * 1000))


def missed_until(now: float) -> float:
    """Return the time from which on a subscription that starts now gets every event at once."""
    return now + _STALE_SECONDS


def waiting_of(event: CloudEvent, seen: Subscription, *, now: float, forced: bool = False) -> Waiting:
    """Return an event that is due now."""
    return Waiting.of(event, seen, due_at=now, forced=forced)


class Log(Protocol):
    """The entries of the event log."""

    def get(self, owner: str, event_id: str) -> LogEntry | None:
        """Return one entry."""
        ...


def logged(log: Log, tenant: str, event_id: str) -> CloudEvent | None:
    """Return an event as it was published, or None when it has expired or was erased. Raises Unavailable."""
    try:
        entry = log.get(tenant, event_id)
    except EventExpired:
        return None
    return entry.cloud_event if entry is not None else None


def waiting_in_log(
    log: Log,
    seen: Subscription,
    event_id: str,
    time_ms: int,
    type_: str,
    *,
    due_at: float,
    attempts: tuple[Attempt, ...] = (),
) -> Waiting | None:
    """Return an event of the log as waiting, with a new schedule of retries.

    For an ordered subscription the event itself is read. Return None when it is gone, or is not wanted.
    """
    if not seen.ordered:
        return Waiting(event_id=event_id, time_ms=time_ms, type=type_, due_at=due_at, attempts=attempts)
    event = logged(log, seen.tenant, event_id)  # its content has its place in the order
    if event is None or not seen.wants(event):
        return None
    return replace(Waiting.of(event, seen, due_at=due_at), attempts=attempts)


def time_ms_of(line: LogLine) -> int:
    """Return the `time` of a line's event, in epoch milliseconds."""
    return line.occurred_at_ms or line.received_at_ms


def _delivery(waiting: Waiting, attempt: Attempt, outcome: Outcome, later: Waiting | None) -> Delivery:
    return Delivery(
        event_id=waiting.event_id,
        time_ms=waiting.time_ms,
        type=waiting.type,
        status=_status(outcome, later),
        attempts=(*waiting.attempts, attempt),
        next_at=later.due_at if later is not None else None,
    )


def _status(outcome: Outcome, later: Waiting | None) -> Status:
    if outcome is Outcome.DELIVERED:
        return Status.DELIVERED
    return Status.RETRYING if later is not None else Status.FAILED
