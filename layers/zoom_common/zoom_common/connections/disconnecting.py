"""Ending connections: by their owner, by the person at Zoom, and revoking grants at Zoom now or from a queue."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from zoom_common.connections.cipher import Cipher, SealBroken, SealContext, SealKind
from zoom_common.connections.model import Connection, Kind, State, state_changed
from zoom_common.connections.queues import REVOKE, RevokeQueue
from zoom_common.connections.store import ConnectionStore
from zoom_common.errors import DependencyFailed, NotFound
from zoom_common.secret import Secret
from zoom_common.zoom.events import DEAUTHORIZED
from zoom_common.zoom.oauth import AppAtFault, GrantRejected, TokenUnavailable

if TYPE_CHECKING:
    from zoom_common.connections.oauth_client import ZoomOAuth
    from zoom_common.connections.outbox import Outbox

# A token with less left than this would end on its way to Zoom.
_LEFT = 30.0


class Revoked(StrEnum):
    """What came of it."""

    CONFIRMED = "confirmed"
    NOT_OURS = "not_ours"  # the app is in use for this Zoom user by another connection, or there is nothing to revoke
    REFUSED = "refused"  # Zoom takes none of the tokens: the grant has ended already
    UNANSWERED = "unanswered"  # ask again later


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedGrant:
    """What a revoke needs of a connection that is deleted by then. The seals open as that connection's."""

    tenant: str
    connection_id: str
    client_id: str
    zoom_user_id: str
    access_expires_at: float
    sealed_access: bytes = field(repr=False)
    sealed_refresh: bytes = field(repr=False)

    @classmethod
    def of(cls, connection: Connection) -> EndedGrant | None:
        """The grant of a connection; None when it has none that a revoke could end."""
        if connection.kind is not Kind.USER or connection.zoom_user_id is None or not connection.sealed_refresh:
            return None
        return cls(**{each.name: getattr(connection, each.name) for each in fields(cls)})

    def to_message(self) -> dict[str, Any]:
        """For the queue: ids, and tokens under their seals."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        sealed = {name: b64encode(value).decode() for name, value in values.items() if isinstance(value, bytes)}
        return {"action": REVOKE, **values, **sealed}

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> EndedGrant:
        """From the queue. Raises KeyError, TypeError or ValueError when it is none."""
        values = {each.name: message[each.name] for each in fields(cls)}
        for name in ("sealed_access", "sealed_refresh"):
            values[name] = b64decode(values[name], validate=True)
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """Ends grants at Zoom."""

    connections: ConnectionStore
    cipher: Cipher
    zoom: ZoomOAuth
    clock: Callable[[], float]

    def revoke(self, grant: EndedGrant) -> Revoked:
        """Revoke, unless somebody else's connection would go with it. Never raises: UNANSWERED says try again."""
        try:
            if not self._ends_this_only(grant):
                return Revoked.NOT_OURS
            return Revoked.CONFIRMED if self.zoom.revoke(self._access_token(grant)) else Revoked.REFUSED
        except (GrantRejected, SealBroken):
            return Revoked.REFUSED
        except (TokenUnavailable, AppAtFault, DependencyFailed):
            return Revoked.UNANSWERED

    def _ends_this_only(self, grant: EndedGrant) -> bool:
        """Return whether no other connection has a grant of the user: a revoke uninstalls the app for all of them."""
        holder = self.connections.by_zoom_user(grant.client_id, grant.zoom_user_id)
        if holder is None or holder.grant_id == DEAUTHORIZED:
            return True
        return (holder.tenant, holder.connection_id) == (grant.tenant, grant.connection_id)

    def _access_token(self, grant: EndedGrant) -> Secret:
        if grant.access_expires_at - self.clock() > _LEFT:
            return self._open(grant, grant.sealed_access, SealKind.ACCESS)
        # Zoom revokes by access token. The pair this makes is not stored: it is revoked in the same breath.
        return self.zoom.refresh(self._open(grant, grant.sealed_refresh, SealKind.REFRESH)).access_token

    def _open(self, grant: EndedGrant, sealed: bytes, kind: SealKind) -> Secret:
        return self.cipher.open(sealed, SealContext(grant.tenant, grant.connection_id, kind))


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
    outbox: Outbox
    clock: Callable[[], float]

    def disconnect(self, connection: Connection) -> Disconnected:
        """End `connection`. When Zoom is down, the revoke is left to a queue. Raises NotFound, Unavailable."""
        change = state_changed(connection, State.DISCONNECTED, None, at=self.clock())
        ended = self.connections.disconnect(connection, now=change["at"], also=[self.outbox.entry(change)])
        if ended is None:
            raise NotFound("There is no such connection.")
        grant = EndedGrant.of(ended)
        outcome = self.revocation.revoke(grant) if grant else Revoked.NOT_OURS
        queued = grant is not None and outcome is Revoked.UNANSWERED and self._later(grant)
        self.connections.delete(ended)
        self.outbox.publish(change)
        return Disconnected(outcome is Revoked.CONFIRMED, queued)

    def _later(self, grant: EndedGrant) -> bool:
        try:
            self.retries.enqueue(grant.to_message())
        except DependencyFailed:
            return False  # the connection is deleted anyway; the result says that nothing was revoked
        return True
