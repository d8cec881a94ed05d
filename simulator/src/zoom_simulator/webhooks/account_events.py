"""Events about people and apps: `user.*` and `app_deauthorized`.

https://developers.zoom.us/docs/api/users/events/
https://developers.zoom.us/docs/api/marketplace/events/
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from zoom_simulator.behaviour import Behaviour
from zoom_simulator.clock import Clock, iso, milliseconds
from zoom_simulator.ids import Ids
from zoom_simulator.model import Grant, Json, User
from zoom_simulator.webhooks import payloads
from zoom_simulator.webhooks.publisher import Publisher

LICENSED = 2
COMPARED = ("first_name", "last_name", "email", "type", "pmi", "use_pmi", "timezone", "host_key", "language")
EXTRA = ("phone_number", "phone_country", "company", "vanity_name", "dept")


class AccountEvents:
    """Builds and publishes these events."""

    def __init__(self, publisher: Publisher, *, clock: Clock, ids: Ids, behaviour: Behaviour) -> None:
        self._publisher = publisher
        self._clock = clock
        self._ids = ids
        self._behaviour = behaviour

    def user_created(self, user: User, operator: User, creation_type: str) -> None:
        """Publish `user.created`."""
        payload = {**payloads.operator(operator), "creation_type": creation_type}
        self._publish("created", user, payload, {**basics(user), "display_name": user.name})

    def user_updated(self, user: User, operator: User, before: Json) -> None:
        """Publish `user.updated` with the fields that differ from `before`; nothing when none does."""
        after = comparable(user)
        new = {name: value for name, value in after.items() if before.get(name) != value}
        if not new:
            return
        old = {name: before[name] for name in new if name in before}
        payload: Json = {**payloads.operator(operator), "time_stamp": milliseconds(self._clock.now())}
        payload["old_object"] = {"id": user.id, **old}
        self._publish("updated", user, payload, {"id": user.id, **new})

    def user_operated(self, user: User, operation: str) -> None:
        """Publish `user.updated` that names an operation and has no `old_object`.

        Operations are `change_password` and `sign_out_from_all_devices`.
        """
        payload: Json = {**payloads.operator(user), "operation": operation}
        payload["time_stamp"] = milliseconds(self._clock.now())
        self._publish("updated", user, payload, {"id": user.id, "email": user.email})

    def user_changed(self, what: str, user: User, operator: User | None) -> None:
        """Publish `user.deleted`, `disassociated`, `activated`, `deactivated` or `invitation_accepted`.

        `invitation_accepted` has no operator.
        """
        self._publish(what, user, payloads.operator(operator) if operator else {}, basics(user))

    def user_signed(self, what: str, user: User, client: str) -> None:
        """Publish `user.signed_in` or `user.signed_out`."""
        self._publish(what, user, {}, self.sign_in(user, client))

    def user_settings_updated(self, user: User, operator: User, old: Json, new: Json) -> None:
        """Publish `user.settings_updated` with the settings that changed."""
        payload: Json = {**payloads.operator(operator), "time_stamp": milliseconds(self._clock.now())}
        payload["old_object"] = {"id": user.id, "settings": old}
        self._publish("settings_updated", user, payload, {"id": user.id, "settings": new})

    def deauthorized(self, grant: Grant) -> None:
        """Publish `app_deauthorized` to the subscriptions of the app."""
        self._publisher.publish_bare("app_deauthorized", self.deauthorization(grant), client_id=grant.client_id)

    def sign_in(self, user: User, client: str) -> Json:
        """Return the object of a sign-in or sign-out event."""
        return {
            "id": user.id,
            "email": user.email,
            "client_type": client,
            "date_time": iso(self._clock.now()),
            "version": "6.10.0",
            "login_type": 100 if self._behaviour.login_type == "number" else "100",
        }

    def deauthorization(self, grant: Grant) -> Json:
        """Return the payload of `app_deauthorized`: no `object`, and a `signature` that signs nothing."""
        now = self._clock.now()
        moment = datetime.fromtimestamp(now, UTC)
        stamp: Any = int(now * 1000)
        if self._behaviour.deauthorised_event_ts == "text":  # the example shows text, the schema a number
            stamp = moment.strftime("%Y-%m-%d %H:%M:%S")
        return {
            "account_id": grant.account_id,
            "user_id": grant.user_id,
            "signature": self._ids.file_id().replace("-", "") + self._ids.file_id().replace("-", ""),
            "deauthorization_time": moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z",
            "client_id": grant.client_id,
            "event_ts": stamp,
        }

    def _publish(self, what: str, user: User, payload: Json, shown: Json) -> None:
        whole = {"account_id": user.account_id, **payload, "object": shown}
        self._publisher.publish(f"user.{what}", whole, user_id=user.id)


def comparable(user: User) -> Json:
    """Return the fields of a user that `user.updated` compares."""
    shown = {name: getattr(user, name) for name in COMPARED}
    return {**shown, "display_name": user.name, **{name: user.extra[name] for name in EXTRA if name in user.extra}}


def basics(user: User) -> Json:
    """Return the fields that every event shows of its user."""
    return {
        "id": user.id,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "email": user.email,
        "type": min(user.type, LICENSED),
    }
