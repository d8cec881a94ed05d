"""What a caller may know of a meeting from its events: the projections, within reach of the caller's connections."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zoom_common.access.principal import Principal
from zoom_common.aws import clients
from zoom_common.aws.table import CONNECTIONS, EVENTS, Table
from zoom_common.connections.store import ConnectionStore
from zoom_common.events.meeting_reader import MeetingReader
from zoom_common.events.projection_store import ProjectionStore
from zoom_common.events.reach import reach


@dataclass(frozen=True, slots=True)
class EventRoster:
    """The live roster and the attendance, by a meeting's number.

    Raises NotFound for a UUID: events name meetings by number.
    """

    reader: MeetingReader
    connections: ConnectionStore

    def state(self, principal: Principal, number: str) -> dict[str, Any]:
        """The meeting as it is now."""
        return self.reader.state(principal.tenant, number, reach(principal, self.connections))

    def attendance(self, principal: Principal, number: str) -> dict[str, Any]:
        """Who was there the last time."""
        return self.reader.attendance(principal.tenant, number, None, reach(principal, self.connections))


def roster(*, events_table: str, connections_table: str) -> EventRoster:
    """A roster over the Events table."""
    dynamodb = clients.client("dynamodb")
    return EventRoster(
        MeetingReader(ProjectionStore(Table(dynamodb, events_table, EVENTS))),
        ConnectionStore(Table(dynamodb, connections_table, CONNECTIONS)),
    )
