"""The person has removed the app at Zoom: the tokens are deleted, and a receipt says so.

https://developers.zoom.us/docs/build-flow/data-compliance/
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zoom_common.connections.changes import Publish, state_changed
from zoom_common.connections.model import Connection, State
from zoom_common.connections.store import ConnectionStore

DEAUTHORIZED = "app_deauthorized"
_DELETED = ("access_token", "refresh_token", "previous_refresh_token", "spare_refresh_tokens")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deauthorization:
    """Ends the grant that a verified `app_deauthorized` is about. Doing it again changes nothing."""

    connections: ConnectionStore
    publish: Publish
    clock: Callable[[], float]

    def end(self, client_id: str, zoom_user_id: str, *, at: float) -> bool:
        """Whether the app's removal at epoch second `at` ends a grant held here. Raises Unavailable.

        Late word about a former grant is ignored: the person has authorized the app again since. The receipt is the
        change of state on the bus, which names what was deleted; when it is sent again it has the same id.
        """
        connection = self.connections.by_zoom_user(client_id, zoom_user_id)
        if connection is None or at < connection.authorized_at:
            return False
        if connection.grant_id == DEAUTHORIZED:
            self._receipt(connection, connection.state_changed_at)
            return True
        now = self.clock()
        if not self.connections.forget_tokens(connection, reason=DEAUTHORIZED, now=now):
            return self.end(client_id, zoom_user_id, at=at)  # reconnected just now, perhaps: look again
        self._receipt(connection, now)
        return True

    def _receipt(self, connection: Connection, at: float) -> None:
        change = state_changed(connection, State.REAUTHORIZATION_REQUIRED, DEAUTHORIZED, at=round(at, 3))
        self.publish({**change, "deleted": list(_DELETED)})
