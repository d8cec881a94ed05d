"""Ends connections: for their owner, and for people who remove the app at Zoom.

Revokes grants at once or from a queue.
"""

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

# A token with less time left may expire on its way to Zoom.
_LEFT = 30.0

# After this many conflicting changes of state, give up and let the other writer finish.
_TRIES = 4


class Revoked(StrEnum):
    """The result of a revocation."""

    CONFIRMED = "confirmed"
    # Another connection uses the app for this Zoom user, the app is another one, or there is nothing to revoke.
    NOT_OURS = "not_ours"
    REFUSED = "refused"  # Zoom accepts none of the tokens: the grant has ended already.
    UNANSWERED = "unanswered"  # Zoom gave no answer: ask again later.


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedGrant:
    """What is needed to revoke the grant of a deleted connection. The seals are bound to that connection.

    `fallbacks` are refresh tokens, one of which may be valid when the current one is not.
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
        """Return the grant of a connection, or None when it has no token with which a revocation is possible."""
        if connection.kind is not Kind.USER or connection.zoom_user_id is None or not connection.sealed_refresh:
            return None
        values = {name: getattr(connection, name) for name in _PLAIN}
        return cls(**values, fallbacks=tuple(connection.fallbacks()))

    @classmethod
    def of_pair(cls, pair: SealedPair) -> EndedGrant | None:
        """Return the grant of a pair that no connection uses any more, or None when it cannot be revoked."""
        if not pair.zoom_user_id:
            return None
        return cls(**{name: getattr(pair, name) for name in _PLAIN})

    def to_message(self) -> dict[str, Any]:
        """Return the message for the queue: ids and sealed tokens."""
        values = {name: getattr(self, name) for name in _PLAIN}
        sealed = {name: _encoded(value) for name, value in values.items() if isinstance(value, bytes)}
        return {"action": REVOKE, **values, **sealed, "fallbacks": [_encoded(each) for each in self.fallbacks]}

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> EndedGrant:
        """Return the grant in a message. Raises KeyError, TypeError or ValueError for other messages."""
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
    """Revokes grants at Zoom. `retries` queues a grant when Zoom does not answer."""

    connections: ConnectionStore
    cipher: Cipher
    zoom: ZoomOAuth
    retries: RevokeQueue
    clock: Callable[[], float]

    def revoke(self, grant: EndedGrant) -> Revoked:
        """Revoke a grant, unless that would end another connection or link. UNANSWERED means: try again.

        Never raises.
        """
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
        """Return whether no other connection holds the user: a revocation ends all grants of the user.

        A link that is not redeemed yet is revoked when it ends, if no connection holds the user then.
        """
        holder = self.connections.by_zoom_user(grant.client_id, grant.zoom_user_id)
        if holder is not None and holder.state is not State.DISCONNECTED and holder.grant_id != DEAUTHORIZED:
            return False
        link = self.connections.latest_link(grant.client_id, grant.zoom_user_id)
        return link is None or link.connection_id == grant.connection_id or link.expires_at <= self.clock()

    def _access_tokens(self, grant: EndedGrant) -> Iterator[Secret]:
        """Yield access tokens to revoke with: the stored one, then a new one for each refresh token."""
        if grant.access_expires_at - self.clock() > _LEFT:
            with suppress(SealBroken):
                yield self._open(grant, grant.sealed_access, SealKind.ACCESS)
        for sealed in (grant.sealed_refresh, *grant.fallbacks):
            try:
                yield self._refreshed(grant, sealed)
            except (GrantRejected, SealBroken):
                continue

    def _refreshed(self, grant: EndedGrant, sealed: bytes) -> Secret:
        """Return a new access token. Its pair is queued before it is used, because the revocation may get no answer."""
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
    """The result of a disconnect: whether Zoom has confirmed the revocation, and whether it is queued again."""

    revoked: bool
    queued: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Disconnection:
    """Disconnects and deletes connections.

    From the first write on, a connection cannot be used, whatever Zoom answers.
    """

    connections: ConnectionStore
    revocation: Revocation
    retries: RevokeQueue
    outbox: Outbox
    clock: Callable[[], float]

    def disconnect(self, connection: Connection) -> Disconnected:
        """Disconnect `connection`. When Zoom is down, the revocation is queued. Raises NotFound and Unavailable.

        When this function crashes, the sweep finishes the work.
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
        """Revoke the grant of a disconnected connection, and delete the connection.

        When neither Zoom nor the queue answers, the connection stays for the sweep, because its tokens are needed.
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
