"""Ending a connection because its owner wants to: no more use at once, then Zoom is told, then it is deleted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zoom_common.connections.changes import Publish, state_changed
from zoom_common.connections.model import Connection, State
from zoom_common.connections.queue import RevokeQueue
from zoom_common.connections.revocation import EndedGrant, Revocation, Revoked
from zoom_common.connections.store import ConnectionStore
from zoom_common.errors import DependencyFailed, NotFound


@dataclass(frozen=True, slots=True)
class Disconnected:
    """What a disconnect came to: whether Zoom has confirmed the revoke, and whether it will be asked again."""

    revoked: bool
    queued: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnection:
    """Deletes connections. Whatever Zoom answers, or does not, the connection is gone afterwards."""

    connections: ConnectionStore
    revocation: Revocation
    retries: RevokeQueue
    publish: Publish
    clock: Callable[[], float]

    def disconnect(self, connection: Connection) -> Disconnected:
        """End `connection`. When Zoom is down, the revoke is left to a queue. Raises NotFound, Unavailable."""
        ended = self.connections.disconnect(connection, now=self.clock())
        if ended is None:
            raise NotFound("There is no such connection.")
        grant = EndedGrant.of(ended)
        outcome = self.revocation.revoke(grant) if grant else Revoked.NOT_OURS
        queued = grant is not None and outcome is Revoked.UNANSWERED and self._later(grant)
        self.connections.delete(ended)
        self.publish(state_changed(connection, State.DISCONNECTED, None, at=self.clock()))
        return Disconnected(outcome is Revoked.CONFIRMED, queued)

    def _later(self, grant: EndedGrant) -> bool:
        try:
            self.retries.enqueue(grant.to_message())
        except DependencyFailed:
            return False  # the connection goes all the same; the caller is told that nothing was revoked
        return True
