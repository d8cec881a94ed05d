"""What a refusal of Zoom's needs beside Zoom's own words: which scopes are missing, and where to get them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from zoom_common.connections.model import Connection, Kind
from zoom_common.errors import ZoomRefused, ZoomScopesMissing
from zoom_common.zoom import api
from zoom_common.zoom.meanings import SCOPES_MISSING
from zoom_common.zoom.operations import Operation
from zoom_common.zoom.wire import HttpResponse

_CONSENT = "Any one of the missing scopes is enough. Add it to the Zoom app, then let the person reconnect."
_ADMINISTRATORS = (
    "Only an administrator of the Zoom account can grant this, to an app that has the scope: a user-level app can not."
)
_ACCOUNT = "Add one of the missing scopes to the Server-to-Server app at Zoom; its next token has it."

type ReconnectUrl = Callable[[Connection], str]


def check_scopes(operation: Operation, connection: Connection, reconnect_url: ReconnectUrl) -> None:
    """Raise ZoomScopesMissing when no token of `connection` can do `operation`.

    A grant whose scopes nobody has told us is Zoom's to judge.
    """
    if connection.scopes and not operation.scopes.allow(connection.scopes):
        raise ZoomScopesMissing(
            operation.scopes.lacking(connection.scopes),
            reconnect_url=reconnect_url(connection),
            hint=_way_out(operation, connection),
        )


def decipher(
    response: HttpResponse,
    *,
    operation: Operation,
    connection: Connection,
    headers: Mapping[str, str],
    reconnect_url: ReconnectUrl,
) -> None:
    """Return for a success, else raise ZoomRefused; one for a lack of scopes says which, and where to get them."""
    try:
        api.decipher(response, headers=headers)
    except ZoomRefused as refusal:
        if refusal.zoom_code == SCOPES_MISSING:
            # From our table, never out of Zoom's message: that is for people, in their language.
            refusal.missing_scopes = operation.scopes.lacking(connection.scopes)
            refusal.reconnect_url = reconnect_url(connection)
            refusal.hint = _way_out(operation, connection)
        elif api.token_rejected(response):
            refusal.reconnect_url = reconnect_url(connection)
        raise


def _way_out(operation: Operation, connection: Connection) -> str:
    if connection.kind is Kind.ACCOUNT:
        return _ACCOUNT
    return _ADMINISTRATORS if operation.scopes.administrators_only else _CONSENT
