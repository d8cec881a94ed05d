"""The queue of deliveries. Each has three seconds, and is retried after 5, 20 and 60 minutes.

https://developers.zoom.us/docs/api/webhooks/#notification-delivery
"""

from __future__ import annotations

import asyncio
from collections import deque
from functools import partial

from zoom_simulator.behaviour import Behaviour
from zoom_simulator.clock import Clock, Timetable
from zoom_simulator.faults import Faults
from zoom_simulator.ids import Ids
from zoom_simulator.model import Delivery, State, Subscription
from zoom_simulator.webhooks.sender import WebhookClient, WebhookRequest

SERVER_ERROR = 500
REDIRECT = 300
UNDER_WAY = ("queued", "sending", "retrying")
FROM_THE_EVENT_SERVICE = ("recording.", "user.", "app_")


class DeliveryQueue:
    """Sends deliveries to endpoints, retries them, and keeps their history."""

    def __init__(
        self,
        state: State,
        *,
        clock: Clock,
        ids: Ids,
        behaviour: Behaviour,
        timetable: Timetable,
        faults: Faults,
        client: WebhookClient,
    ) -> None:
        self._state = state
        self._clock = clock
        self._ids = ids
        self._behaviour = behaviour
        self._timetable = timetable
        self._faults = faults
        self._client = client
        self._queue: deque[Delivery] = deque()
        self._held: dict[str, list[Delivery]] = {}  # by subscription: deliveries that wait for the next one
        self._followers: dict[str, list[Delivery]] = {}  # by delivery: those that are sent after it
        self._wake = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self.sent = 0

    def submit(self, subscription: Subscription, event: str, body: str) -> Delivery:
        """Queue an event for one subscription, with the faults that are in force."""
        request = self._client.request(body, event_service=event.startswith(FROM_THE_EVENT_SERVICE))
        delivery = Delivery(
            id=request.request_id,
            subscription_id=subscription.id,
            event=event,
            body=body,
            created_at=self._clock.now(),
            tracking_id=request.tracking_id,
        )
        self._remember(delivery)
        effects = {rule.effect: rule for rule in self._faults.strike_delivery(event)}
        delivery.note = ",".join(effects)
        if "drop" in effects:
            delivery.state = "dropped"
        elif "reorder" in effects:
            self._held.setdefault(subscription.id, []).append(delivery)
            self._timetable.after(effects["reorder"].seconds, self.release_all)  # in case nothing follows
        elif "late" in effects:
            delivery.next_at = self._clock.now() + effects["late"].seconds
            self._timetable.at(delivery.next_at, partial(self.enqueue, delivery))
        else:
            self._followers[delivery.id] = self._held.pop(subscription.id, [])
            self.enqueue(delivery)
        for effect in ("duplicate", "forge", "stale"):
            if effect in effects:
                self._submit_copy(delivery, effect, effects[effect].seconds)
        return delivery

    def enqueue(self, delivery: Delivery) -> None:
        """Queue a delivery, whatever its state. A redelivery does the same."""
        delivery.state, delivery.next_at = "queued", None
        self._queue.append(delivery)
        self._wake.set()

    def resume(self) -> None:
        """Continue the deliveries that were unfinished when the state was saved."""
        for delivery in self._state.deliveries.values():
            if delivery.next_at is not None and delivery.state in ("queued", "retrying"):
                self._timetable.at(delivery.next_at, partial(self.enqueue, delivery))
            elif delivery.state in ("queued", "sending"):
                self.enqueue(delivery)

    def release_all(self) -> None:
        """Queue everything that was held back to arrive out of order."""
        held, self._held = self._held, {}
        for deliveries in held.values():
            for delivery in deliveries:
                self.enqueue(delivery)

    async def run(self) -> None:
        """Deliver until cancelled, several at a time."""
        gate = asyncio.Semaphore(self._behaviour.delivery_concurrency)
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                delivery = self._queue.popleft()
                await gate.acquire()
                task = asyncio.create_task(self._attempt(delivery))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
                task.add_done_callback(lambda _: gate.release())

    async def drain(self) -> None:
        """Send what is queued now, one delivery after the other, for tests that control time."""
        while self._queue:
            await self._attempt(self._queue.popleft())

    def idle(self) -> bool:
        """Return whether no delivery is queued or being sent."""
        return not self._queue and not self._tasks

    async def _attempt(self, delivery: Delivery) -> None:
        await self._try(delivery)
        for follower in self._followers.pop(delivery.id, []):
            self.enqueue(follower)

    async def _try(self, delivery: Delivery) -> None:
        subscription = self._state.subscriptions.get(delivery.subscription_id)
        if subscription is None or not subscription.enabled:
            delivery.state, delivery.note = "dropped", "subscription is disabled or gone"
            return
        delivery.state = "sending"
        request = WebhookRequest(delivery.body, delivery.id.split("#")[0], delivery.tracking_id)
        secret = self._ids.secret() if "forged" in delivery.note else ""
        attempt, _ = await self._client.send(subscription, request, age=self._age(delivery), secret=secret)
        self.sent += 1
        delivery.attempts.append(attempt)
        self._settle(delivery, attempt.status)

    def _settle(self, delivery: Delivery, status: int | None) -> None:
        if status is not None and status < SERVER_ERROR:
            delivery.state = "delivered" if status < REDIRECT else "refused"
            return
        retries = self._behaviour.retry_minutes
        done = len(delivery.attempts) - 1
        if done >= len(retries) or "forged" in delivery.note:
            delivery.state = "failed"
            return
        delivery.state = "retrying"
        delivery.next_at = self._clock.now() + retries[done] * 60 * self._behaviour.retry_scale
        self._timetable.at(delivery.next_at, partial(self._retry, delivery))

    def _retry(self, delivery: Delivery) -> None:
        if delivery.state == "retrying":
            self.enqueue(delivery)

    def _submit_copy(self, original: Delivery, effect: str, seconds: float) -> None:
        copy = Delivery(
            id=f"{original.id}#{effect}",
            subscription_id=original.subscription_id,
            event=original.event,
            body=original.body,
            created_at=original.created_at,
            tracking_id=original.tracking_id,
            note={"duplicate": "duplicate", "forge": "forged", "stale": f"stale:{seconds:.0f}"}[effect],
        )
        if effect == "forge":
            copy.body = original.body.replace('"account_id":"', '"account_id":"X', 1)
        self._remember(copy)
        self.enqueue(copy)

    def _age(self, delivery: Delivery) -> float:
        return float(delivery.note.partition("stale:")[2] or 0)

    def _remember(self, delivery: Delivery) -> None:
        deliveries = self._state.deliveries
        deliveries[delivery.id] = delivery
        while len(deliveries) > self._behaviour.keep_deliveries:
            done = next((key for key, each in deliveries.items() if each.state not in UNDER_WAY), None)
            if done is None:
                break
            del deliveries[done]
