"""What the vault learns from Zoom's events: that a connection is heard of, and that an app has been removed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from zoom_common.connections.deauthorization import Deauthorization
from zoom_common.connections.store import ConnectionStore
from zoom_common.events.ingest_message import Delivery
from zoom_common.events.routing import Route
from zoom_common.zoom.events import DEAUTHORIZED, ZoomEvent, identifier

# "Last webhook" is for people who ask whether events arrive at all: it need not cost a write for each of them.
_HEARD_EVERY = 300.0
_MOST_KNOWN = 10_000


@dataclass(slots=True)
class VaultNotices:
    """Takes note of verified events. Repeating one is safe. Raises Unavailable."""

    connections: ConnectionStore
    deauthorization: Deauthorization
    clock: Callable[[], float]
    _heard: dict[Route, float] = field(default_factory=dict)

    def __call__(self, event: ZoomEvent, delivery: Delivery, routes: Sequence[Route], /) -> None:
        """Take note of one event that the secret of `delivery.app` verified."""
        if event.name == DEAUTHORIZED:
            self._deauthorized(event, delivery)
        for route in routes:
            self._hear(route)

    def _deauthorized(self, event: ZoomEvent, delivery: Delivery) -> None:
        user = identifier(event.payload.get("user_id"))
        if user is not None:
            at_ms = event.occurred_at_ms or delivery.received_at_ms
            self.deauthorization.end(delivery.app, user, at=at_ms / 1000)

    def _hear(self, route: Route) -> None:
        now = self.clock()
        if now - self._heard.get(route, 0.0) < _HEARD_EVERY:
            return
        self.connections.heard(route.tenant, route.connection_id, now=now)
        if len(self._heard) >= _MOST_KNOWN:
            self._heard.clear()
        self._heard[route] = now
