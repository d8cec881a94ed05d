"""Ending connections: by their owner, by the person at Zoom, and revoking grants at Zoom now or from a queue."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from zoom_common.connections.cipher import Cipher, SealBroken, SealContext, SealKind
from zoom_common.connections.model import Connection, Kind, State, changes_at, state_changed
from zoom_common.connections.oauth_client import AnotherApp
from zoom_common.connections.queues import REVOKE, RevokeQueue
from zoom_common.connections.store import ConnectionStore
from zoom_common.errors import DependencyFailed, NotFound, Unavailable
from zoom_common.secret import Secret
from zoom_common.zoom.events import DEAUTHORIZED
from zoom_common.zoom.oauth import AppAtFault, GrantRejected, TokenUnavailable

if TYPE_CHECKING:
    from zoom_common.connections.oauth_client import ZoomOAuth
    from zoom_common.connections.outbox import Outbox
    from zoom_common.connections.refresh.effects import SealedPair

# A token with less left than this would end on its way to Zoom.
_LEFT = 30.0

# A state that changes more often than this between reading and writing is somebody else's work.
_TRIES = 4


class Revoked(StrEnum):
    """What came of it."""

    CONFIRMED = "confirmed"
    NOT_OURS = "not_ours"  # another connection uses the app for this Zoom user, it is another app, or nothing to revoke
    REFUSED = "refused"  # Zoom takes none of the tokens: the grant has ended already
    UNANSWERED = "unanswered"  # ask again later


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedGrant:
    """What a revoke needs of a connection that is deleted by then. The seals open as that connection's.

    `fallbacks` are refresh tokens that may be the live one where the current one is not.
    """

    tenant: str
    connection_id: str
    client_id: str
    zoom_user_id: str
    access_expires_at: float
    sealed_access: bytes = field(repr=False)
    sealed_refresh: bytes = field(repr=False)
    fallbacks: tuple[bytes, ...] = field(default=(), repr=False)

    @classmethod
    def of(cls, connection: Connection) -> EndedGrant | None:
        """The grant of a connection; None when it has none that a revoke could end."""
        if connection.kind is not Kind.USER or connection.zoom_user_id is None or not connection.sealed_refresh:
            return None
        values = {name: getattr(connection, name) for name in _PLAIN}
        return cls(**values, fallbacks=tuple(connection.fallbacks()))

    @classmethod
    def of_pair(cls, pair: SealedPair) -> EndedGrant | None:
        """The grant of a pair that no connection takes any more; None when a revoke could not end it."""
        if not pair.zoom_user_id:
            return None
        return cls(**{name: getattr(pair, name) for name in _PLAIN})

    def to_message(self) -> dict[str, Any]:
        """For the queue: ids, and tokens under their seals."""
        values = {name: getattr(self, name) for name in _PLAIN}
        sealed = {name: _encoded(value) for name, value in values.items() if isinstance(value, bytes)}
        return {"action": REVOKE, **values, **sealed, "fallbacks": [_encoded(each) for each in self.fallbacks]}

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> EndedGrant:
        """From the queue. Raises KeyError, TypeError or ValueError when it is none."""
        values = {name: message[name] for name in _PLAIN}
        for name in ("sealed_access", "sealed_refresh"):
            values[name] = b64decode(values[name], validate=True)
        fallbacks = (b64decode(each, validate=True) for each in message.get("fallbacks", []))
        return cls(**values, fallbacks=tuple(fallbacks))


_PLAIN = (
    "tenant",
    "connection_id",
    "client_id",
    "zoom_user_id",
    "access_expires_at",
    "sealed_access",
    "sealed_refresh",
)


def _encoded(value: bytes) -> str:
    return b64encode(value).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """Ends grants at Zoom. `retries` takes what a revoke needs when Zoom does not answer."""

    connections: ConnectionStore
    cipher: Cipher
    zoom: ZoomOAuth
    retries: RevokeQueue
    clock: Callable[[], float]

    def revoke(self, grant: EndedGrant) -> Revoked:
        """Revoke, unless a connection or a link would go with it. Never raises: UNANSWERED says try again."""
        try:
            if not self._ends_this_only(grant):
                return Revoked.NOT_OURS
            confirmed = any(self.zoom.revoke(token, client_id=grant.client_id) for token in self._access_tokens(grant))
        except AnotherApp:
            return Revoked.NOT_OURS
        except (TokenUnavailable, AppAtFault, DependencyFailed):
            return Revoked.UNANSWERED
        return Revoked.CONFIRMED if confirmed else Revoked.REFUSED

    def _ends_this_only(self, grant: EndedGrant) -> bool:
        """Return whether nobody holds the user: a revoke uninstalls the app, and ends every grant of the user.

        A link that is not redeemed yet is revoked when it ends, if nobody holds the user then.
        """
        holder = self.connections.by_zoom_user(grant.client_id, grant.zoom_user_id)
        if holder is not None and holder.state is not State.DISCONNECTED and holder.grant_id != DEAUTHORIZED:
            return False
        link = self.connections.latest_link(grant.client_id, grant.zoom_user_id)
        return link is None or link.connection_id == grant.connection_id or link.expires_at <= self.clock()

    def _access_tokens(self, grant: EndedGrant) -> Iterator[Secret]:
        """Yield access tokens, by which Zoom revokes: the stored one, then new ones for each refresh token."""
        if grant.access_expires_at - self.clock() > _LEFT:
            with suppress(SealBroken):
                yield self._open(grant, grant.sealed_access, SealKind.ACCESS)
        for sealed in (grant.sealed_refresh, *grant.fallbacks):
            try:
                yield self._refreshed(grant, sealed)
            except (GrantRejected, SealBroken):
                continue

    def _refreshed(self, grant: EndedGrant, sealed: bytes) -> Secret:
        """Return a new access token. Its pair is in the queue before it is used: the revoke may get no answer."""
        token = self._open(grant, sealed, SealKind.REFRESH)
        seals = self.cipher.pair_sealer(grant.tenant, grant.connection_id)
        pair = self.zoom.refresh(token, client_id=grant.client_id)
        renewed = replace(
            grant,
            access_expires_at=pair.expires_at,
            sealed_access=seals.seal_access(pair.access_token),
            sealed_refresh=seals.seal_refresh(pair.refresh_token) if pair.refresh_token else sealed,
            fallbacks=(),
        )
        with suppress(DependencyFailed):
            self.retries.enqueue(renewed.to_message())
        return pair.access_token

    def _open(self, grant: EndedGrant, sealed: bytes, kind: SealKind) -> Secret:
        return self.cipher.open(sealed, SealContext(grant.tenant, grant.connection_id, kind))


@dataclass(frozen=True, slots=True)
class Disconnected:
    """What a disconnect came to: whether Zoom has confirmed the revoke, and whether it will be asked again."""

    revoked: bool
    queued: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnection:
    """Deletes connections. Whatever Zoom answers, or does not, a connection cannot be used from the first write on."""

    connections: ConnectionStore
    revocation: Revocation
    retries: RevokeQueue
    outbox: Outbox
    clock: Callable[[], float]

    def disconnect(self, connection: Connection) -> Disconnected:
        """End `connection`. When Zoom is down, the revoke is left to a queue. Raises NotFound, Unavailable.

        What a crash leaves half done is finished by the sweep.
        """
        latest: Connection | None = connection
        for _ in range(_TRIES):
            if latest is None:
                raise NotFound("There is no such connection.")
            if latest.state is State.DISCONNECTED:
                return self.finish(latest)
            change = state_changed(latest, State.DISCONNECTED, None, at=changes_at(latest, self.clock()))
            ended = self.connections.disconnect(latest, now=change["at"], also=[self.outbox.entry(change)])
            if ended is not None:
                done = self.finish(ended)
                self.outbox.publish(change)
                return done
            latest = self.connections.get(connection.tenant, connection.connection_id)
        raise Unavailable(reason="connection_busy")

    def finish(self, ended: Connection) -> Disconnected:
        """Revoke the grant of a connection that is disconnected, and delete it.

        When neither Zoom nor the queue answers, it stays for the sweep: its tokens are needed for the revoke.
        """
        grant = EndedGrant.of(ended)
        outcome = self.revocation.revoke(grant) if grant else Revoked.NOT_OURS
        queued = grant is not None and outcome is Revoked.UNANSWERED
        if grant is not None and queued:
            try:
                self.retries.enqueue(grant.to_message())
            except DependencyFailed:
                return Disconnected(revoked=False, queued=True)
        self.connections.delete(ended)
        return Disconnected(outcome is Revoked.CONFIRMED, queued)
