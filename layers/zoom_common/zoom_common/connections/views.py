"""A connection as its owner's programs see it, without tokens and whole e-mail addresses."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from zoom_common.connections.model import Connection, Kind, State

_GRANT_LIFE = 90 * 86_400.0


def iso(at: float) -> str:
    """Return epoch seconds as ISO 8601 in UTC and whole seconds, as Zoom writes times."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def describe(connection: Connection, *, reconnect_url: str, app: str = "") -> dict[str, Any]:
    """Return the JSON of one connection, where `app` is the configured Zoom app.

    `grant_expires_at` is 90 days after the last refresh: Zoom ends a refresh token that is not used for so long.
    """
    return {
        "id": connection.connection_id,
        "label": connection.label,
        "state": str(connection.state),
        "reason": connection.reason,
        "owner": connection.owner,
        "kind": str(connection.kind),
        "zoom_client_id": connection.client_id,
        "of_another_app": connection.is_of_another_app(app),
        "zoom_user_id": connection.zoom_user_id,
        "zoom_account_id": connection.zoom_account_id,
        "scopes": sorted(connection.scopes),
        "missing_scopes": missing_scopes(connection),
        "access_token_expires_at": iso(connection.access_expires_at),
        "grant_expires_at": _grant_expires_at(connection),
        "created_at": iso(connection.created_at),
        "authorized_at": iso(connection.authorized_at),
        "state_changed_at": iso(connection.state_changed_at),
        "last_used_at": iso(connection.last_used_at) if connection.state is not State.PENDING else None,
        "last_webhook_at": iso(connection.last_webhook_at) if connection.last_webhook_at else None,
        "reconnect_url": reconnect_url,
    }


def missing_scopes(connection: Connection) -> list[str]:
    """Return one scope for each operation that the grant does not cover, although such a grant could have the scope."""
    # The table is imported only to show a connection: `oauth` starts twice as fast without it.
    from zoom_common.zoom.operations.table import operations  # noqa: PLC0415

    whole = connection.kind is Kind.ACCOUNT
    lacking = (
        scopes.lacking(connection.scopes)
        for scopes in {operation.scopes for operation in operations()}
        if not scopes.allow(connection.scopes) and (whole or not scopes.administrators_only)
    )
    return sorted({scopes[-1 if whole else 0] for scopes in lacking if scopes})


def _grant_expires_at(connection: Connection) -> str | None:
    if connection.kind is Kind.ACCOUNT:
        return None  # an app's secret does not expire
    return iso(connection.refresh_issued_at + _GRANT_LIFE)
