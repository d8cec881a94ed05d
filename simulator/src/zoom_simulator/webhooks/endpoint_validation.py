"""The challenge of an endpoint: when its subscription is saved, and every 72 hours.

https://developers.zoom.us/docs/api/webhooks/#validate-your-webhook-endpoint
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Coroutine
from functools import partial
from typing import Any

from zoom_simulator.behaviour import Behaviour
from zoom_simulator.clock import Clock, Timetable, milliseconds
from zoom_simulator.ids import Ids
from zoom_simulator.model import State, Subscription
from zoom_simulator.webhooks.sender import Answer, WebhookClient
from zoom_simulator.webhooks.signing import encrypted_token, serialise

NOTICES_AFTER = (2, 4)
FIRST_TRIES = 30
FIRST_TRY_SECONDS = 10.0


class Validator:
    """Challenges endpoints and disables those that keep failing."""

    def __init__(
        self,
        state: State,
        *,
        clock: Clock,
        ids: Ids,
        behaviour: Behaviour,
        timetable: Timetable,
        client: WebhookClient,
    ) -> None:
        self._state = state
        self._clock = clock
        self._ids = ids
        self._behaviour = behaviour
        self._timetable = timetable
        self._client = client
        self._tasks: set[asyncio.Task[bool]] = set()
        self.notices: list[str] = []

    def schedule(self, subscription: Subscription) -> None:
        """Schedule the next challenge."""
        if not subscription.next_challenge_at:
            subscription.next_challenge_at = self._clock.now() + self._behaviour.revalidate_hours * 3600
        self._timetable.at(subscription.next_challenge_at, partial(self._begin, subscription.id))

    async def challenge(self, subscription: Subscription) -> bool:
        """Send a challenge now and record the outcome. Return whether the answer was right."""
        plain = self._ids.passcode() + self._ids.passcode() + self._ids.passcode()
        now_ms = milliseconds(self._clock.now())
        body = serialise({"payload": {"plainToken": plain}, "event_ts": now_ms, "event": "endpoint.url_validation"})
        _, answer = await self._client.send(subscription, self._client.request(body))
        good = _is_right(answer, plain, encrypted_token(subscription.secret, plain))
        self._note(subscription, good=good)
        return good

    def begin(self, subscription: Subscription) -> None:
        """Challenge in the background."""
        self._spawn(self.challenge(subscription))

    def introduce(self, subscription: Subscription, tries: int = FIRST_TRIES) -> None:
        """Challenge an endpoint that may still be starting: repeat until it answers, and count no failure."""
        self._spawn(self._introduce(subscription, tries))

    async def settle(self) -> None:
        """Wait for the challenges that were begun, for tests that control time."""
        await asyncio.gather(*self._tasks)

    def _begin(self, subscription_id: str) -> None:
        subscription = self._state.subscriptions.get(subscription_id)
        if subscription is None or not subscription.enabled or subscription.next_challenge_at > self._clock.now():
            return  # removed, or challenged by another call
        subscription.next_challenge_at = 0
        self.schedule(subscription)
        self._spawn(self.challenge(subscription))

    async def _introduce(self, subscription: Subscription, tries: int) -> bool:
        good = await self.challenge(subscription)
        if not good:
            subscription.failed_challenges = 0
            if tries > 1:
                again = partial(self.introduce, subscription, tries - 1)
                self._timetable.after(FIRST_TRY_SECONDS, again)
        return good

    def _spawn(self, work: Coroutine[Any, Any, bool]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _note(self, subscription: Subscription, *, good: bool) -> None:
        if good:
            subscription.validated, subscription.failed_challenges = True, 0
            return
        subscription.failed_challenges += 1
        failures = subscription.failed_challenges
        if failures >= self._behaviour.failed_challenges_allowed:
            subscription.enabled = False
            subscription.disabled_reason = f"{failures} failed challenges in a row"
            self.notices.append(f"mail: the subscription {subscription.name} was disabled")
        elif failures in NOTICES_AFTER:
            self.notices.append(f"mail: {failures} challenges of the subscription {subscription.name} failed in a row")


def _is_right(answer: Answer, plain: str, expected: str) -> bool:
    if answer.status != 200:  # noqa: PLR2004 - "200 or 204", but a 204 has no body to check
        return False
    try:
        body = json.loads(answer.body)
    except ValueError:
        return False
    if not isinstance(body, dict):
        return False
    given = str(body.get("encryptedToken", ""))
    return body.get("plainToken") == plain and hmac.compare_digest(given.encode(), expected.encode())
