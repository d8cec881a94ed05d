"""Turns an event into one delivery for each subscription to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from fnmatch import fnmatchcase

from zoom_simulator.behaviour import Behaviour
from zoom_simulator.clock import Clock, milliseconds
from zoom_simulator.model import Json, State, Subscription
from zoom_simulator.webhooks.deliveries import DeliveryQueue
from zoom_simulator.webhooks.signing import serialise

PAID_ONLY = ("meeting.updated", "meeting.deleted")
PAYLOAD_FIRST = ("recording.", "user.", "webinar.")


class Publisher:
    """Turns events into deliveries."""

    def __init__(self, state: State, *, clock: Clock, behaviour: Behaviour, deliveries: DeliveryQueue) -> None:
        self._state = state
        self._clock = clock
        self._behaviour = behaviour
        self._deliveries = deliveries
        self.counts: dict[str, int] = {}

    def publish(
        self,
        event: str,
        payload: Json,
        *,
        user_id: str = "",
        account_id: str = "",
        download_token: Callable[[], str] | None = None,
    ) -> None:
        """Deliver `event` about something of `user_id` to everybody who subscribed.

        `account_id` names the account where the payload does not. `download_token` is called for each delivery and
        returns a new token.
        """
        self.counts[event] = self.counts.get(event, 0) + 1
        twins: Counter[str] = Counter()
        for subscription in list(self._state.subscriptions.values()):
            if self._concerns(subscription, event, account_id or str(payload.get("account_id", "")), user_id):
                shift = twins[subscription.client_id] * self._behaviour.twin_shift_ms
                twins[subscription.client_id] += 1
                body = serialise(self._envelope(event, payload, download_token, shift))
                self._deliveries.submit(subscription, event, body)

    def publish_bare(self, event: str, payload: Json, *, client_id: str = "", account_id: str = "") -> None:
        """Deliver `{"event", "payload"}` and nothing else to the subscriptions of one app, or of an account's apps."""
        for subscription in list(self._state.subscriptions.values()):
            app = self._state.apps.get(subscription.client_id)
            wanted = client_id == subscription.client_id or (app is not None and app.account_id == account_id)
            if wanted and subscription.enabled:
                self.counts[event] = self.counts.get(event, 0) + 1
                self._deliveries.submit(subscription, event, serialise({"event": event, "payload": payload}))

    def _envelope(self, event: str, payload: Json, download_token: Callable[[], str] | None, shift_ms: int) -> Json:
        now_ms = milliseconds(self._clock.now()) + shift_ms
        if self._behaviour.unknown_fields:
            payload = {**payload, "unknown_field": {"since": now_ms}}
            if isinstance(payload.get("object"), dict):
                payload["object"] = {**payload["object"], "custom_keys": [{"key": "k", "value": "v"}]}
        if event.startswith(PAYLOAD_FIRST):  # the order of keys depends on the part of Zoom that sends it
            body: Json = {"payload": payload, "event_ts": now_ms, "event": event}
        else:
            body = {"event": event, "payload": payload, "event_ts": now_ms}
        if self._behaviour.events_without_event_ts:
            del body["event_ts"]
        if download_token is not None:
            body["download_token"] = download_token()
        return body

    def _concerns(self, subscription: Subscription, event: str, account_id: str, user_id: str) -> bool:
        app = self._state.apps.get(subscription.client_id)
        if not subscription.enabled or app is None or not app.enabled:
            return False
        if app.account_id != account_id and not self._installed_in(app.client_id, account_id):
            return False
        if event in PAID_ONLY and self._state.accounts[account_id].plan == "free":
            return False
        if subscription.scope == "user" and user_id not in subscription.user_ids:
            return False
        if not any(fnmatchcase(event, pattern) for pattern in subscription.events):
            return False
        return self._behaviour.audience == "account" or self._installed(app.client_id, user_id)

    def _installed_in(self, client_id: str, account_id: str) -> bool:
        return any(
            grant.client_id == client_id and grant.account_id == account_id and not grant.revoked
            for grant in self._state.grants.values()
        )

    def _installed(self, client_id: str, user_id: str) -> bool:
        return any(
            grant.client_id == client_id and grant.user_id == user_id and not grant.revoked
            for grant in self._state.grants.values()
        )
