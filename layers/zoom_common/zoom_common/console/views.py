"""Connections, keys and counts as an operator sees them: ids, states, numbers and times. No e-mail addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoom_common.access.keys import ApiKey
from zoom_common.connections.labels import without_addresses
from zoom_common.connections.views import iso
from zoom_common.console.advice import advice_for
from zoom_common.console.snapshot import ConnectionRow, Snapshot

ACTIVE, EXPIRED, REVOKED = KEY_STATES = ("active", "expired", "revoked")


def about(found: Snapshot) -> dict[str, Any]:
    """Return when a snapshot was taken, and whether it is complete."""
    return {"as_of": iso(found.at), "complete": found.complete}


def connection(row: ConnectionRow) -> dict[str, Any]:
    """Return one connection, with the recommended action."""
    return {
        "id": row.connection_id,
        "tenant": row.tenant,
        "kind": row.kind,
        "state": row.state,
        "reason": row.reason,
        "advice": advice_for(row.state, row.reason),
        "failures": row.failures,
        "zoom_client_id": row.client_id,
        "zoom_account_id": row.zoom_account_id,
        "state_changed_at": iso(row.state_changed_at),
        "last_used_at": iso(row.last_used_at) if row.last_used_at else None,
        "last_webhook_at": iso(row.last_webhook_at) if row.last_webhook_at else None,
    }


def key_state(key: ApiKey, now: float) -> str:
    """Return whether a key is active, expired or revoked."""
    if key.revoked_at is not None:
        return REVOKED
    return EXPIRED if key.ended(now=now) else ACTIVE


def api_key(key: ApiKey, now: float) -> dict[str, Any]:
    """Return one key, without any part of its secret."""
    return {
        "id": key.key_id,
        "tenant": key.tenant,
        "name": without_addresses(key.name),
        "state": key_state(key, now),
        "scopes": sorted(key.scopes),
        "connection": key.connection,
        "requests_per_minute": key.requests_per_minute,
        "created_at": iso(key.created_at),
        "expires_at": None if key.valid_until is None else iso(key.valid_until),
        "revoked_at": None if key.revoked_at is None else iso(key.revoked_at),
    }


def deliveries(found: Mapping[str, int]) -> dict[str, int]:
    """Return a day's deliveries to subscriptions by outcome."""
    return {name: found.get(name, 0) for name in ("delivered", "retried", "failed", "dropped")}


def refreshes(found: Mapping[str, int]) -> dict[str, int]:
    """Return a day's refreshes by outcome."""
    names = ("refreshed", "refresh_failing", "reauthorization_required", "unavailable")
    return {name: found.get(name, 0) for name in names}
