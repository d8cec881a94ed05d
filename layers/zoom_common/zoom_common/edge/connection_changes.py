"""State changes of connections, counted and put on the bus."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from zoom_common import correlation
from zoom_common.connections.changes import Publish
from zoom_common.edge import observability
from zoom_common.errors import GatewayError
from zoom_common.events.bus import BusPublisher
from zoom_common.events.envelope import CloudEvent, event_id, rfc3339

if TYPE_CHECKING:
    from mypy_boto3_events import EventBridgeClient

SOURCE = "/gateway/connections"


def publisher(bus: str, client: Callable[[], EventBridgeClient]) -> Publish:
    """Publishes to `bus`, or only counts when there is none. Never raises: the state has changed already."""
    publisher = BusPublisher(bus, client()) if bus else None

    def publish(change: Mapping[str, Any]) -> None:
        observability.count("ConnectionStateChanges", state=str(change["state"]))
        if publisher is None:
            return
        try:
            publisher.publish([to_event(change)])
        except GatewayError as error:
            observability.logger().error(
                "connection change not published", reason=error.reason, connection=change["connection_id"]
            )
            observability.count("ConnectionChangesUnpublished")

    return publish


def to_event(change: Mapping[str, Any]) -> CloudEvent:
    """One change as a CloudEvent: `connection.connected`, `connection.reauthorization_required`, ..."""
    at_ms, name = int(change["at"] * 1000), str(change["connection_id"])
    return CloudEvent(
        id=event_id(SOURCE, str(change["tenant"]), f"{name}/{change['state']}/{at_ms}"),
        source=SOURCE,
        type=str(change["type"]),
        time=rfc3339(at_ms),
        tenant=str(change["tenant"]),
        subject=f"connections/{name}",
        connection_id=name,
        correlation_id=correlation.current() or None,
        data={key: value for key, value in change.items() if key not in {"type", "at"}},
    )
