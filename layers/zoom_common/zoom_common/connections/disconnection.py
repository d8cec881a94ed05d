"""Ending a connection because its owner wants to: no more use at once, then Zoom is told, then it is deleted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zoom_common.connections.changes import Publish, state_changed
from zoom_common.connections.cipher import Cipher
from zoom_common.connections.model import Connection, Kind, State
from zoom_common.connections.seal import SealBroken, SealContext, SealKind
from zoom_common.connections.store import ConnectionStore
from zoom_common.connections.zoom_client import ZoomOAuth
from zoom_common.errors import NotFound, Unavailable
from zoom_common.secret import Secret
from zoom_common.zoom.token_errors import TokenError

# A token with less left than this would end on its way to Zoom.
_LEFT = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnection:
    """Deletes connections. Whatever Zoom answers, or does not, the tokens are gone afterwards."""

    connections: ConnectionStore
    cipher: Cipher
    zoom: ZoomOAuth
    publish: Publish
    clock: Callable[[], float]

    def disconnect(self, connection: Connection) -> bool:
        """End `connection`; whether Zoom confirmed that its grant is revoked. Raises NotFound, Unavailable."""
        ended = self.connections.disconnect(connection, now=self.clock())
        if ended is None:
            raise NotFound("There is no such connection.")
        revoked = self._is_the_live_one(connection) and self._revoke(connection)
        self.connections.delete(ended)
        self.publish(state_changed(connection, State.DISCONNECTED, None, at=self.clock()))
        return revoked

    def _is_the_live_one(self, connection: Connection) -> bool:
        """Whether a revoke ends this grant only: it uninstalls the app for the user, whoever else has connected."""
        if connection.kind is not Kind.USER or connection.zoom_user_id is None:
            return False
        holder = self.connections.by_zoom_user(connection.client_id, connection.zoom_user_id)
        return holder is None or (holder.tenant, holder.connection_id) == (connection.tenant, connection.connection_id)

    def _revoke(self, connection: Connection) -> bool:
        try:
            return self.zoom.revoke(self._access_token(connection))
        except (TokenError, SealBroken, Unavailable):
            return False

    def _access_token(self, connection: Connection) -> Secret:
        if connection.access_expires_at - self.clock() > _LEFT:
            return self._open(connection, connection.sealed_access, SealKind.ACCESS)
        # Zoom revokes by access token. The pair this makes is not stored: it is revoked in the same breath.
        return self.zoom.refresh(self._open(connection, connection.sealed_refresh, SealKind.REFRESH)).access_token

    def _open(self, connection: Connection, sealed: bytes, kind: SealKind) -> Secret:
        return self.cipher.open(sealed, SealContext(connection.tenant, connection.connection_id, kind))
