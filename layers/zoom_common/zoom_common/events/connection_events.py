"""Applies Zoom's deauthorizations to connections, and turns changes of connections' states into events."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from zoom_common import observability
from zoom_common.connections.model import Publish, State, changes_at, state_changed
from zoom_common.connections.store import ConnectionStore
from zoom_common.connections.tombstones import Tombstones, of_account, of_person, of_tenant, of_user
from zoom_common.events.bus import BusPublisher, CloudEvent, event_id, rfc3339
from zoom_common.events.routing import Route
from zoom_common.events.webhook.message import Delivery
from zoom_common.zoom.events import DEAUTHORIZED, ZoomEvent, identifier

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

    from zoom_common.connections.outbox import Outbox

# "Last webhook" shows whether events arrive at all. It need not be written for each event.
_NOTED_EVERY = 300.0

_MOST_KNOWN = 10_000

# The result that a tenant was not erased is cached for this long. An erasure deletes twice, with more time between.
_TENANT_KNOWN = 60.0

# Zoom's clock may be fast: an event dated this little after an erasure counts as from before it.
_SKEW = 5.0


@dataclass(slots=True)
class ConnectionUpdates:
    """Updates connections by verified events. Repeating one is safe. Raises Unavailable."""

    connections: ConnectionStore
    deauthorization: Deauthorization
    tombstones: Tombstones
    clock: Callable[[], float]
    _noted: dict[Route, float] = field(default_factory=dict)
    _standing: dict[str, float] = field(default_factory=dict)  # when each tenant was last found not erased

    def __call__(self, event: ZoomEvent, delivery: Delivery, routes: list[Route], /) -> list[Route] | None:
        """Handle one event that the secret of `delivery.app` verified. Return its routes, or None to drop it."""
        if event.name == DEAUTHORIZED:
            self._deauthorized(event, delivery)
        # An event made from the REST API is dated by what happened, and not by when Zoom sent it.
        at = event.true_since_by(delivery.received_at_ms) / 1000
        people = people_of(event)
        allowed = [each for each in routes if not self._kept_from(each.tenant, people, at)]
        if not delivery.reconciled:  # an event that we made ourselves does not show that Zoom delivers
            for route in allowed:
                self._note_webhook(route)
        if routes:
            return allowed or None
        names = [of_user(delivery.app, who) for who in people]
        names += [of_account(delivery.app, event.account_id)] if event.account_id else []
        return None if self._erased(names, at) else []

    def knows(self, tenant: str) -> bool:
        """Return whether a tenant was found not erased so recently that it is not looked up again."""
        return self.clock() - self._standing.get(tenant, float("-inf")) < _TENANT_KNOWN

    def _kept_from(self, tenant: str, people: Iterable[str], at: float) -> bool:
        if self._erased((of_person(tenant, who) for who in people), at):
            return True
        if self.knows(tenant):
            return False
        erased_at = self.tombstones.erased_at(of_tenant(tenant))
        if erased_at is None:
            if len(self._standing) >= _MOST_KNOWN:
                self._standing.clear()
            self._standing[tenant] = self.clock()
        return erased_at is not None and at <= erased_at + _SKEW

    def _erased(self, names: Iterable[str], at: float) -> bool:
        """Return whether one of these has been erased since the event happened at `at`."""
        found = (self.tombstones.erased_at(name) for name in names)
        return any(erased is not None and at <= erased + _SKEW for erased in found)

    def _deauthorized(self, event: ZoomEvent, delivery: Delivery) -> None:
        user = identifier(event.payload.get("user_id"))
        if user is not None:
            at_ms = event.occurred_by(delivery.received_at_ms)
            self.deauthorization.end(delivery.app, user, at=at_ms / 1000)

    def _note_webhook(self, route: Route) -> None:
        now = self.clock()
        if now - self._noted.get(route, 0.0) < _NOTED_EVERY:
            return
        self.connections.heard(route.tenant, route.connection_id, now=now)
        if len(self._noted) >= _MOST_KNOWN:
            self._noted.clear()
        self._noted[route] = now


def people_of(event: ZoomEvent) -> tuple[str, ...]:
    """Return the Zoom users that an event names: its host, its operator, and participants."""
    participant = event.object.get("participant")
    taking_part = identifier(participant.get("id")) if isinstance(participant, dict) else None
    return tuple(dict.fromkeys([*event.users, *([taking_part] if taking_part else [])]))


SOURCE = "/gateway/connections"


def sender(bus: str, client: Callable[[], EventBridgeClient]) -> Publish:
    """Return a function that publishes to `bus`, or only counts when there is no bus.

    The function raises Unavailable when a change is not on the bus.
    """
    publisher = BusPublisher(bus, client()) if bus else None

    def send(change: Mapping[str, Any]) -> None:
        if publisher is not None:
            publisher.publish([to_event(change)])
        observability.count("ConnectionStateChanges", state=str(change["state"]))

    return send


def to_event(change: Mapping[str, Any]) -> CloudEvent:
    """Return a change as a CloudEvent: `connection.connected`, `connection.reauthorization_required`, ..."""
    at_ms, name = int(change["at"] * 1000), str(change["connection_id"])
    return CloudEvent(
        id=event_id(SOURCE, str(change["tenant"]), f"{name}/{change['state']}/{at_ms}"),
        source=SOURCE,
        type=str(change["type"]),
        time=rfc3339(at_ms),
        tenant=str(change["tenant"]),
        subject=f"connections/{name}",
        connection_id=name,
        correlation_id=observability.correlation_id() or None,
        data={key: value for key, value in change.items() if key not in {"type", "at"}},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Deauthorization:
    """Ends the grant that a verified `app_deauthorized` is about. Repeating it changes and publishes nothing.

    The change is stored in the outbox together with the change of state, so it is published at least once. `outbox`
    makes the outbox at the first removal.
    """

    connections: ConnectionStore
    outbox: Callable[[], Outbox]
    clock: Callable[[], float]

    def end(self, client_id: str, zoom_user_id: str, *, at: float) -> bool:
        """Return whether the app's removal at epoch second `at` ends a grant that is stored here. Raises Unavailable.

        A late event about a former grant is ignored, because the person has authorized the app again since. The change
        of state on the bus names what was deleted and serves as the receipt.
        """
        connection = self.connections.by_zoom_user(client_id, zoom_user_id)
        if connection is None or connection.state is State.DISCONNECTED or at <= connection.authorized_at:
            return False
        if connection.grant_id == DEAUTHORIZED:
            return True
        now, outbox = round(changes_at(connection, self.clock()), 3), self.outbox()
        change = state_changed(connection, State.REAUTHORIZATION_REQUIRED, DEAUTHORIZED, at=now)
        receipt = {**change, "deleted": list(_DELETED)}
        if not self.connections.forget_tokens(connection, reason=DEAUTHORIZED, now=now, also=[outbox.entry(receipt)]):
            return self.end(client_id, zoom_user_id, at=at)  # it may have been reconnected just now, so read it again
        outbox.publish(receipt)
        return True


_DELETED = ("access_token", "refresh_token", "previous_refresh_token", "spare_refresh_tokens")
