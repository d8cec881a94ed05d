"""What is told to the outside when a connection's state changes. Ids and reasons only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from zoom_common.connections.model import Connection, State

# Takes one change; it must not raise: the state has changed already.
type Publish = Callable[[Mapping[str, Any]], None]


def state_changed(connection: Connection, state: State, reason: str | None, *, at: float) -> dict[str, Any]:
    """The change of `connection` (as it was) to `state`, at epoch seconds `at`.

    Where only the person can help, `reconnect_path` is the route of ours that makes the link for them.
    """
    asks = {"reconnect_path": f"/connections/{connection.connection_id}/reconnect"}
    return (asks if state is State.REAUTHORIZATION_REQUIRED else {}) | {
        "type": f"connection.{state}",
        "tenant": connection.tenant,
        "connection_id": connection.connection_id,
        "owner": connection.owner,
        "client_id": connection.client_id,
        "zoom_user_id": connection.zoom_user_id,
        "zoom_account_id": connection.zoom_account_id,
        "state": str(state),
        "previous_state": str(connection.state),
        "reason": reason,
        "at": at,
    }
