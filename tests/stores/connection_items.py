"""A connection in the table, and what a refresh brings, for the suites of the vault's stores."""

from __future__ import annotations

from typing import Any

from tests.fakes.connections import START, connection
from zoom_common.aws.table import Table
from zoom_common.connections.link_store import LinkRequest
from zoom_common.connections.model import Connection, State
from zoom_common.connections.refresh.effects import FinalState, SealedPair
from zoom_common.connections.store import to_values

LINK = LinkRequest(tenant="acme", subject="key:k1", owner="ada", return_url="https://app.example/done")


def stored(table: Table, **changes: Any) -> Connection:
    made = connection(**({"sealed_access": b"access", "sealed_refresh": b"refresh"} | changes))
    table.put(to_values(made))
    return made


def pair(**changes: Any) -> SealedPair:
    values: dict[str, Any] = {
        "tenant": "acme",
        "connection_id": "con_1",
        "grant_id": "grant_1",
        "seen_version": 1,
        "attempt": "a1",
        "sealed_access": b"new access",
        "sealed_refresh": b"new refresh",
        "used_refresh": b"refresh",
        "tried": (),
        "access_expires_at": START + 3600,
        "issued_at": START,
        "scopes": frozenset({"user:read:user"}),
        "api_url": None,
        "state_changed_at": START,
        "last_used_at": None,
        "due_at": START + 2700,
    }
    return SealedPair(**(values | changes))


def settlement(**changes: Any) -> FinalState:
    values: dict[str, Any] = {
        "attempt": "a1",
        "state": State.REFRESH_FAILING,
        "reason": "zoom_error",
        "failures": 3,
        "cool_until": START + 30,
        "state_changed_at": START,
        "due_at": START + 30,
        "outcome_known": True,
    }
    return FinalState(**(values | changes))
