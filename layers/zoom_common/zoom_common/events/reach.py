"""Whose events a caller sees: a program its tenant's, a person what came by their own connections."""

from __future__ import annotations

from zoom_common.access.principal import Principal
from zoom_common.connections.selection import owner_filter
from zoom_common.connections.store import ConnectionStore


def reach(principal: Principal, connections: ConnectionStore) -> frozenset[str] | None:
    """Ids of the connections whose events the caller may see; None when it may see all of its tenant's."""
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
