"""Which connections a caller may use, which one serves a call, and whose events a caller may see."""

from __future__ import annotations

from zoom_common.access.principal import Principal
from zoom_common.connections.model import Connection, State
from zoom_common.connections.store import ConnectionStore
from zoom_common.errors import Conflict, ConnectionUnusable, NotFound

EVERY_OWNER = "connections:all"

_NOT_IN_USE = frozenset({State.PENDING, State.DISCONNECTED})

_NAMED = 100

# The route by which a program requests a link.
CONNECT_PATH = "/auth/zoom/authorize"


class ConnectionOfAnotherApp(ConnectionUnusable):
    """The connection was made with the Zoom app `client_id`, and the gateway's app is `configured`.

    The connection's tokens are not sent to Zoom.
    """

    def __init__(self, connection: Connection, *, configured: str) -> None:
        made_with = connection.client_id
        message = f"The connection belongs to the Zoom app {made_with}; the gateway's own app is {configured}."
        super().__init__(str(connection.state), reason="connection_of_another_app", message=message)
        self.client_id = made_with
        self.hint = "Connect the account again with POST /auth/zoom/authorize, and delete this connection."


def owner_filter(principal: Principal) -> str | None:
    """Return the one owner whose connections the caller may use, or None for every owner of its tenant.

    An API key acts for the tenant's program. A person, signed in by OIDC, may use only their own connections.
    """
    everyone = principal.subject.startswith("key:") or principal.may(EVERY_OWNER)
    return None if everyone else principal.subject


def authorize_connection(principal: Principal, connection_id: str, store: ConnectionStore) -> Connection:
    """Return the connection if the caller may use it. Raises NotFound in every other case."""
    connection = store.get(principal.tenant, connection_id)
    if connection is None or not _may_use(principal, connection):
        raise NotFound("There is no such connection.", reason="connection_unknown")
    return connection


def select(principal: Principal, requested: str | None, store: ConnectionStore, *, app: str = "") -> Connection:
    """Return the connection that serves a call: the one the key is bound to, else the requested one, else the only one.

    `app` is the client id of the configured Zoom app. People's connections of another app are not candidates, and raise
    ConnectionOfAnotherApp when they are named, because their tokens must not be sent. An empty `app` allows them all.
    Raises NotFound, and Conflict with ids and labels when there are several, or none. The read is consistent.
    """
    if principal.connection is not None:
        if requested not in {None, principal.connection}:
            raise NotFound("There is no such connection.", reason="connection_unknown")
        requested = principal.connection
    if requested is not None:
        named = authorize_connection(principal, requested, store)
        if named.is_of_another_app(app):
            raise ConnectionOfAnotherApp(named, configured=app)
        return named
    page = store.list(principal.tenant, owner=owner_filter(principal), limit=_NAMED)
    usable = [each for each in page.connections if each.state not in _NOT_IN_USE and not each.is_of_another_app(app)]
    if len(usable) == 1 and page.cursor is None:
        return usable[0]
    if not usable and page.cursor is None:
        raise _none(others=any(each.state not in _NOT_IN_USE for each in page.connections))
    raise Conflict(
        "Several Zoom accounts are connected: name one in the header X-Zoom-Connection.",
        reason="connection_ambiguous",
        details={
            "connections": [connection.connection_id for connection in usable],
            "labels": {each.connection_id: each.label for each in usable if each.label is not None},
        },
    )


def _none(*, others: bool) -> Conflict:
    """Return the error for a caller without a connection. `others`: there are connections of another Zoom app."""
    return Conflict(
        "No Zoom account is connected with this Zoom app." if others else "No Zoom account is connected.",
        reason="no_connection",
        details={"connect_path": CONNECT_PATH},
        hint=f"POST {CONNECT_PATH} gives a link that a person opens to connect their Zoom account.",
    )


def _may_use(principal: Principal, connection: Connection) -> bool:
    owner = owner_filter(principal)
    bound = principal.connection in {None, connection.connection_id}
    return connection.tenant == principal.tenant and bound and owner in {None, connection.owner}


def visible_connections(principal: Principal, connections: ConnectionStore) -> frozenset[str] | None:
    """Return ids of the connections whose events the caller may see, or None when it may see all of its tenant's."""
    if principal.connection is not None:
        return frozenset({principal.connection})
    owner = owner_filter(principal)
    if owner is None:
        return None
    found: set[str] = set()
    page = connections.list(principal.tenant, owner=owner)
    found |= {each.connection_id for each in page.connections}
    while page.cursor is not None:
        page = connections.list(principal.tenant, owner=owner, cursor=page.cursor)
        found |= {each.connection_id for each in page.connections}
    return frozenset(found)
