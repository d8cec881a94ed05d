"""Decides whose an event is: the connections of the verified app that it concerns, and nothing the sender says else.

`account_id` alone reaches only connections made for a whole account: everyone in a company shares it. An event that
names a meeting and no user belongs to the meeting's host, as earlier events of the same app told.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from zoom_common.zoom.events import ZoomEvent

# A connection nobody has redeemed yet belongs to nobody yet; a disconnected one has left.
_RECEIVING = frozenset({"connected", "refresh_failing", "reauthorization_required"})


class Connected(Protocol):
    """What routing has to know of a connection."""

    @property
    def tenant(self) -> str:
        """Whose it is."""
        ...

    @property
    def connection_id(self) -> str:
        """Which one it is."""
        ...

    @property
    def kind(self) -> str:
        """`user` or `account`."""
        ...

    @property
    def state(self) -> str:
        """One of the vault's states."""
        ...


class Connections(Protocol):
    """The vault's lookups that start at Zoom's ids."""

    def by_zoom_user(self, client_id: str, zoom_user_id: str) -> Connected | None:
        """The one connection of this app and Zoom user."""
        ...

    def by_account(self, client_id: str, account_id: str) -> Sequence[Connected]:
        """The account-level connections of this app and Zoom account."""
        ...


class Hosts(Protocol):
    """Who hosts what, as the app's own events told."""

    def find(self, app: str, event: ZoomEvent) -> str | None:
        """The Zoom user whose meeting the event is about."""
        ...


@dataclass(frozen=True, slots=True)
class Route:
    """One tenant an event goes to, and the connection it came by."""

    tenant: str
    connection_id: str


def routes(event: ZoomEvent, app: str, connections: Connections, hosts: Hosts) -> list[Route]:
    """Where the event goes, each tenant once: by its host, the user it is about, its operator, then its account."""
    found: dict[str, Route] = {}
    for connection in _candidates(event, app, connections, hosts):
        if str(connection.state) in _RECEIVING:
            found.setdefault(connection.tenant, Route(connection.tenant, connection.connection_id))
    return list(found.values())


def _candidates(event: ZoomEvent, app: str, connections: Connections, hosts: Hosts) -> Iterator[Connected]:
    # An update names who made it and not whose meeting it is: what was learned of its host comes first.
    learned = hosts.find(app, event) if event.host is None else None
    for user in dict.fromkeys(filter(None, (learned, *event.users))):
        connection = connections.by_zoom_user(app, user)
        if connection is not None:
            yield connection
    if event.account_id:
        yield from (
            connection for connection in connections.by_account(app, event.account_id) if connection.kind == "account"
        )
