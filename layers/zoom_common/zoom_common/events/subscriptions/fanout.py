"""Sends events from the bus to targets: each event at once to every healthy subscription that wants it.

Targets that fail, are slow, or need an order or a rate have a worker of their own. Here, their events are only stored
for it, so other targets do not wait for them. A message is acknowledged when each of its deliveries was made or is
stored.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from functools import partial
from itertools import batched
from typing import TYPE_CHECKING, Any, Protocol

from zoom_common.aws.errors import translated
from zoom_common.connections.store import SHARDS
from zoom_common.errors import DependencyFailed
from zoom_common.events.bus import CloudEvent
from zoom_common.events.subscriptions.delivery_store import DeliveryStore, place_of
from zoom_common.events.subscriptions.model import (
    ORDER_SECONDS,
    Attempt,
    Outcome,
    State,
    Status,
    Subscription,
    event_time_ms,
    in_log,
)
from zoom_common.events.subscriptions.settling import SLOW_SECONDS, Count, Settlement, waiting_of
from zoom_common.events.subscriptions.store import SubscriptionStore

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

_AWAY = "subscription_queue_unavailable"
_LARGEST_BATCH = 10
_LONGEST_DELAY = 900
_MOST_AT_ONCE = 128
# After one event of a batch has arrived, this many are sent to the target at once: all others of ten.
_AT_ONCE_PER_TARGET = 9
# A target is slow when its answer takes at least this long.
_LATE_SECONDS = 0.9 * SLOW_SECONDS
# What is due later than this, in seconds, is left to the sweep.
SOON = 30.0


class Sends(Protocol):
    """Makes attempts."""

    def send(self, subscription: Subscription, event: CloudEvent) -> Attempt:
        """Make one attempt. Raises Unavailable when nothing was sent."""
        ...


class Wakes(Protocol):
    """Wakes workers."""

    def send(self, subscriptions: Sequence[tuple[str, str]], *, delay: float = 0) -> None:
        """Wake (tenant, subscription id) pairs. Raises Unavailable."""
        ...


class WakeQueue:
    """Wakes workers for subscriptions that have something to do. The next sweep finds those that were left out.

    `MessageGroupId` makes a standard queue fair: a tenant with many subscriptions does not delay others.
    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-fair-queues.html
    """

    def __init__(self, sqs: SQSClient, url: str) -> None:
        self._sqs = sqs
        self._url = url

    def send(self, subscriptions: Sequence[tuple[str, str]], *, delay: float = 0) -> None:
        """Wake (tenant, subscription id) pairs after `delay` seconds. Raises Unavailable."""
        for some in batched(subscriptions, _LARGEST_BATCH, strict=False):
            entries: Any = [
                {
                    "Id": str(at),
                    "MessageBody": json.dumps({"tenant": tenant, "subscription_id": subscription_id}),
                    "DelaySeconds": min(_LONGEST_DELAY, round(delay)),
                    "MessageGroupId": tenant,
                }
                for at, (tenant, subscription_id) in enumerate(some)
            ]
            with translated(_AWAY):
                self._sqs.send_message_batch(QueueUrl=self._url, Entries=entries)

    def return_after(self, receipt_handle: str, seconds: float) -> None:
        """Let a message come again after `seconds`, once the function has returned it as failed. Raises Unavailable."""
        with translated(_AWAY):
            self._sqs.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt_handle, VisibilityTimeout=math.ceil(seconds)
            )


def read_wake(body: str) -> tuple[str, str]:
    """Return tenant and subscription id of a message. Raises KeyError, TypeError or ValueError for other messages."""
    message: Mapping[str, Any] = json.loads(body)
    return str(message["tenant"]), str(message["subscription_id"])


# Runs tasks at once and returns when all are done. Calls `late` with the number of each task that takes long.
type RunAll = Callable[[Sequence[Callable[[], None]], Callable[[int], None]], None]


def run_in_threads(tasks: Sequence[Callable[[], None]], late: Callable[[int], None]) -> None:
    """Run tasks in threads, and return when all are done. A task's own error is raised at the end."""
    if not tasks:
        return
    with ThreadPoolExecutor(max_workers=min(len(tasks), _MOST_AT_ONCE)) as pool:
        futures: list[Future[None]] = [pool.submit(task) for task in tasks]
        _, unfinished = wait(futures, timeout=SLOW_SECONDS)
        for at, future in enumerate(futures):
            if future in unfinished and not future.done():
                late(at)
    for future in futures:
        future.result()


@dataclass(slots=True)
class _Task:
    """The events of one batch for one subscription, each with its messages.

    `sent_at` has the start of each attempt under way, by event.
    """

    subscription: Subscription
    events: list[tuple[CloudEvent, _Message]] = field(default_factory=list)
    sent_at: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Message:
    message_id: str
    sent_at: float
    again: bool


class FanOut:
    """`clock` gives epoch seconds. `count` and `report` record what happened, without content."""

    def __init__(
        self,
        *,
        subscriptions: SubscriptionStore,
        deliveries: DeliveryStore,
        sender: Sends,
        settlement: Settlement,
        wakes: Wakes,
        run_all: RunAll,
        count: Count,
        report: Callable[..., None],
        clock: Callable[[], float],
    ) -> None:
        self._subscriptions = subscriptions
        self._deliveries = deliveries
        self._sender = sender
        self._settlement = settlement
        self._wakes = wakes
        self._run_all = run_all
        self._count = count
        self._report = report
        self._clock = clock

    def process(self, records: Iterable[Mapping[str, Any]]) -> list[str]:
        """Deliver the events of one invocation's messages. Return the ids of the messages that have to come back."""
        failed: set[str] = set()
        tasks = self._tasks(records, failed)
        woken: dict[tuple[str, str], float] = {}

        def run(task: _Task) -> None:
            try:
                self._deliver(task, woken)
            except DependencyFailed as error:
                failed.update(message.message_id for _, message in task.events)
                self._report("not delivered", reason=error.reason, subscription=task.subscription.subscription_id)

        def late(at: int) -> None:
            begun = min([*tasks[at].sent_at.values()], default=None)
            if begun is None or self._clock() - begun < _LATE_SECONDS:
                return  # its turn came late, so the delay is not the target's
            try:
                self._settlement.slow(tasks[at].subscription)
            except DependencyFailed as error:
                self._report("not marked as slow", reason=error.reason)

        self._run_all([partial(run, task) for task in tasks], late)
        self._wake(woken)
        return sorted(failed)

    def sweep(self) -> int:
        """Wake every subscription that is due, and return their number. Raises Unavailable."""
        woken = 0
        for shard in range(SHARDS):
            after: Mapping[str, Any] | None = None
            while True:
                page, after = self._subscriptions.due(shard, now=self._clock(), after=after)
                self._wakes.send(page)
                woken += len(page)
                if after is None:
                    break
        return woken

    def _tasks(self, records: Iterable[Mapping[str, Any]], failed: set[str]) -> list[_Task]:
        by_tenant: dict[str, list[tuple[CloudEvent, _Message]]] = defaultdict(list)
        for record in records:
            try:
                event = CloudEvent.from_json(record["body"])
            except (ValueError, KeyError, TypeError):
                self._count("DeliveriesUnreadable")
                continue
            by_tenant[event.tenant].append((event, _message(record)))
        tasks: list[_Task] = []
        for tenant, events in by_tenant.items():
            try:
                found = self._subscriptions.list(tenant)
            except DependencyFailed as error:
                failed.update(message.message_id for _, message in events)
                self._report("subscriptions not read", reason=error.reason)
                continue
            wanted = [_Task(each, [pair for pair in events if each.wants(pair[0])]) for each in found]
            tasks += [task for task in wanted if task.events]
        return tasks

    def _deliver(self, task: _Task, woken: dict[tuple[str, str], float]) -> None:
        seen = task.subscription
        match seen.state:
            case State.PAUSED | State.DISABLED:
                # An event that was on the bus before the change may be in the log before the place where a resume
                # begins.
                self._keep(task, [pair for pair in task.events if pair[1].sent_at < seen.state_changed_at], {})
            case State.ACTIVE if seen.needs_a_worker:
                self._keep(task, task.events, woken)
            case State.ACTIVE:
                self._send(task, woken)
            case _:
                pass  # it is pending, or wants no events

    def _keep(
        self, task: _Task, events: Sequence[tuple[CloudEvent, _Message]], woken: dict[tuple[str, str], float]
    ) -> None:
        """Store events for the subscription's own worker, and wake it unless it backs off."""
        seen, now = task.subscription, self._clock()
        for event, _ in events:
            if not (seen.ordered and in_log(event)):  # the log has the order, and the worker reads it there
                self._deliveries.add(seen, waiting_of(event, seen, now=now), now=now)
        if events and seen.state is State.ACTIVE:
            at = max(now + (ORDER_SECONDS if seen.ordered else 0.0), seen.retry_at or 0.0)
            self._subscriptions.wake(seen, at=at)
            woken.setdefault((seen.tenant, seen.subscription_id), at - now)

    def _send(self, task: _Task, woken: dict[tuple[str, str], float]) -> None:
        """Send one event, then the others, a few at once. After one that gets no answer, the others are only stored."""
        left, some = self._not_made(task), 1
        while left:
            now, left = left[:some], left[some:]
            attempts: list[Attempt] = []
            sends = [partial(self._send_one, task, event, attempts, woken) for event, _ in now]
            if some == 1:
                sends[0]()
            else:
                self._run_all(sends, lambda _: None)
            if any(each.outcome is Outcome.GONE for each in attempts):
                return
            if any(each.outcome is Outcome.UNREACHED or each.duration_ms > SLOW_SECONDS * 1000 for each in attempts):
                self._keep(task, left, woken)
                return
            some = _AT_ONCE_PER_TARGET

    def _send_one(
        self, task: _Task, event: CloudEvent, attempts: list[Attempt], woken: dict[tuple[str, str], float]
    ) -> None:
        seen, now = task.subscription, self._clock()
        task.sent_at[event.id] = now
        waiting = waiting_of(event, seen, now=now)
        attempt = self._sender.send(seen, event)
        del task.sent_at[event.id]
        attempts.append(attempt)
        due = self._settlement.settle(seen, waiting, attempt, stored=False)
        if due is not None:
            self._subscriptions.wake(seen, at=due)
            woken[seen.tenant, seen.subscription_id] = max(0.0, due - self._clock())

    def _not_made(self, task: _Task) -> list[tuple[CloudEvent, _Message]]:
        """Return the events whose deliveries an earlier try of their messages has not made."""
        known, left = self._known(task), []
        for event, message in task.events:
            status = known.get(place_of(event_time_ms(event), event.id))
            if status is None:
                left.append((event, message))
            elif status is Status.RETRYING:  # The earlier try may have died before it woke the worker.
                self._subscriptions.wake(task.subscription, at=self._clock())
        return left

    def _known(self, task: _Task) -> Mapping[str, Status]:
        """Return the places of events that an earlier try of their messages has handled."""
        repeated = [event for event, message in task.events if message.again]
        places = [place_of(event_time_ms(event), event.id) for event in repeated]
        return self._deliveries.statuses(task.subscription, places) if places else {}

    def _wake(self, woken: Mapping[tuple[str, str], float]) -> None:
        by_delay: dict[float, list[tuple[str, str]]] = defaultdict(list)
        for each, delay in woken.items():
            if delay <= SOON:
                by_delay[math.ceil(delay)].append(each)
        try:
            for delay, some in by_delay.items():
                self._wakes.send(some, delay=delay)
        except DependencyFailed as error:  # the next sweep finds them
            self._report("workers not woken", reason=error.reason)


def _message(record: Mapping[str, Any]) -> _Message:
    attributes = record.get("attributes", {})
    return _Message(
        record["messageId"],
        int(attributes.get("SentTimestamp", 0)) / 1000,
        int(attributes.get("ApproximateReceiveCount", 1)) > 1,
    )
