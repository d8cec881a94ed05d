"""Word of changes, from webhooks to the containers that remember reads: one short-lived item per changed thing."""

from __future__ import annotations

from zoom_common.connections.table_client import Table

# Longer than any read is remembered.
LIFE = 600
_SK = "change"


class ChangeStore:
    """When a connection's things were last said to have changed. Methods raise Unavailable."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def changed(self, connection_id: str, resource: str, identifier: str, *, now: float) -> None:
        """A webhook tells that `resource` (meetings, webinars) with this id is not what it was."""
        item = {"pk": _pk(connection_id, resource, identifier), "sk": _SK, "at": now, "expires_at": int(now) + LIFE}
        self._table.put(item)

    def last_change(self, connection_id: str, resource: str, identifier: str) -> float | None:
        """When that was, in epoch seconds, if it was lately."""
        item = self._table.get(_pk(connection_id, resource, identifier), _SK)
        return float(item["at"]) if item else None


def _pk(connection_id: str, resource: str, identifier: str) -> str:
    return f"change#{connection_id}#{resource}#{identifier}"
