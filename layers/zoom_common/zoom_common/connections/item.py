"""How a connection stands in the table: keys, attributes, and the shard of its due time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Protocol
from zlib import crc32

from zoom_common.connections.model import ALIVE, Connection, Kind, Spare, State

# Fixed for the life of a table: it spreads due times over partitions of the index.
SHARDS = 16

_PLAIN = tuple(
    field.name for field in fields(Connection) if field.name not in {"kind", "state", "scopes", "spares", "intents"}
)
_TIMES = ("access_expires_at", "refresh_issued_at", "created_at", "authorized_at", "state_changed_at", "last_used_at")


def partition(tenant: str) -> str:
    """The partition that holds a tenant's connections."""
    return f"{tenant}#connections"


class Placed(Protocol):
    """What belongs to a connection."""

    @property
    def tenant(self) -> str: ...  # noqa: D102
    @property
    def connection_id(self) -> str: ...  # noqa: D102


def key_of(connection: Placed) -> tuple[str, str]:
    """The keys of a connection."""
    return partition(connection.tenant), connection.connection_id


def claim_key(client_id: str, zoom_user_id: str) -> tuple[str, str]:
    """The keys of the claim of one app on one Zoom user."""
    return f"claim#{client_id}#{zoom_user_id}", "claim"


def account_partition(client_id: str, account_id: str) -> str:
    """The partition that lists the account-level connections of one app and Zoom account."""
    return f"account#{client_id}#{account_id}"


def due_shard(connection_id: str) -> str:
    """The shard of the index `due` that a connection's due time is in."""
    return f"{crc32(connection_id.encode()) % SHARDS:02d}"


def to_values(connection: Connection) -> dict[str, object]:
    """The whole item. Spares and intents are maps by attempt, so that writers add to them without reading."""
    values: dict[str, object] = {name: getattr(connection, name) for name in _PLAIN}
    values["pk"], values["sk"] = key_of(connection)
    values |= {"kind": str(connection.kind), "state": str(connection.state), "scopes": connection.scopes}
    values["intents"] = dict(connection.intents)
    values["spares"] = {attempt: spare_values(spare) for attempt, spare in connection.spares.items()}
    if connection.due_at is not None and connection.state in ALIVE:
        values["due_shard"] = due_shard(connection.connection_id)
    else:
        values["due_at"] = None
    return values


def from_values(values: Mapping[str, Any]) -> Connection:
    """A connection from its item."""
    known: dict[str, Any] = {name: values[name] for name in _PLAIN if name in values}
    known |= {name: float(values[name]) for name in _TIMES}
    return Connection(
        **{"reason": None, "zoom_user_id": None, "api_url": None, **known},
        kind=Kind(values["kind"]),
        state=State(values["state"]),
        scopes=values.get("scopes", frozenset()),
        intents=values["intents"],
        spares={
            attempt: Spare(spare["sealed"], float(spare["issued_at"])) for attempt, spare in values["spares"].items()
        },
    )


def spare_values(spare: Spare) -> dict[str, object]:
    """One spare, as it stands in the map of spares."""
    return {"sealed": spare.sealed, "issued_at": spare.issued_at}
