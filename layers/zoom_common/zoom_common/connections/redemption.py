"""Redeeming a one-time code: only then, and only for the program that asked, does a linked account work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from zoom_common.access.principal import Principal
from zoom_common.aws.table import ConditionFailed
from zoom_common.connections.cipher import Cipher, SealContext, SealKind
from zoom_common.connections.link_store import SUPERSEDED, AuthorizationStore, LinkRequest
from zoom_common.connections.model import Connection, Publish, State, state_changed
from zoom_common.connections.refresh.policy import Policy
from zoom_common.connections.store import ConnectionStore
from zoom_common.errors import NotFound, Unavailable
from zoom_common.secret import Secret

_TRIES = 3
_CODE = 0  # its position in the transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """Turns a pending connection into a connected one. One Zoom user of one app has one connection."""

    store: AuthorizationStore
    connections: ConnectionStore
    cipher: Cipher
    publish: Publish
    clock: Callable[[], float]
    chance: Callable[[], float]
    policy: Policy = field(default_factory=Policy)

    def redeem(self, principal: Principal, code: Secret) -> Connection:
        """The connection behind a code, connected.

        Raises NotFound when the code is unknown, used, expired or was asked for by somebody else; nothing changes then.
        """
        for _ in range(_TRIES):
            link = self.store.code(code, now=self.clock())
            if link is None or (link.tenant, link.subject) != (principal.tenant, principal.subject):
                raise _unknown()
            pending = self.connections.get(link.tenant, str(link.connection_id))
            if pending is None or pending.state is not State.PENDING:
                raise _unknown()
            try:
                return self._connect(code, link, pending)
            except ConditionFailed as failed:
                if _CODE in failed.failed:
                    raise _unknown() from None
                # Something moved between reading and writing, a refresh for one: look again.
        raise Unavailable(reason="connection_busy")

    def _connect(self, code: Secret, link: LinkRequest, pending: Connection) -> Connection:
        claim = self.store.claim(pending.client_id, str(pending.zoom_user_id))
        holder = self.connections.get(claim.tenant, claim.connection_id) if claim else None
        replaced = self._replaced(link, pending, holder)
        connected = self._moved_to(replaced, pending) if replaced else self._connected(pending)
        superseded = None if _same(holder, replaced) else holder
        self.store.redeem(
            code,
            pending=pending,
            connected=connected,
            replaced=replaced,
            claim=claim,
            superseded=superseded,
            now=self.clock(),
        )
        self._announce(replaced or pending, connected, superseded)
        return connected

    def _replaced(self, link: LinkRequest, pending: Connection, holder: Connection | None) -> Connection | None:
        """The connection that gets the new grant: the one to reconnect, else the owner's own for this Zoom user."""
        if link.reconnects is not None:
            asked = self.connections.get(link.tenant, link.reconnects)
            if asked is not None and asked.zoom_user_id == pending.zoom_user_id:
                return asked
        mine = holder is not None and (holder.tenant, holder.owner) == (pending.tenant, pending.owner)
        return holder if mine else None

    def _connected(self, pending: Connection) -> Connection:
        now = self.clock()
        due_at = self.policy.due_at(
            now=now,
            last_used_at=now,
            expires_at=pending.access_expires_at,
            issued_at=pending.refresh_issued_at,
            chance=self.chance(),
        )
        return replace(
            pending, state=State.CONNECTED, state_changed_at=now, last_used_at=now, due_at=due_at, expires_at=None
        )

    def _moved_to(self, former: Connection, pending: Connection) -> Connection:
        """The new grant under the former id. A seal is bound to its connection, so both tokens are sealed anew."""
        seals = self.cipher.pair_sealer(former.tenant, former.connection_id)
        return replace(
            self._connected(pending),
            connection_id=former.connection_id,
            owner=former.owner,
            created_at=former.created_at,
            last_webhook_at=former.last_webhook_at,
            version=former.version + 1,
            sealed_access=seals.seal_access(self._open(pending, pending.sealed_access, SealKind.ACCESS)),
            sealed_refresh=seals.seal_refresh(self._open(pending, pending.sealed_refresh, SealKind.REFRESH)),
        )

    def _open(self, pending: Connection, sealed: bytes, kind: SealKind) -> Secret:
        return self.cipher.open(sealed, SealContext(pending.tenant, pending.connection_id, kind))

    def _announce(self, before: Connection, connected: Connection, superseded: Connection | None) -> None:
        now = self.clock()
        self.publish(state_changed(before, connected.state, None, at=now))
        if superseded is not None:
            self.publish(state_changed(superseded, State.REAUTHORIZATION_REQUIRED, SUPERSEDED, at=now))


def _same(one: Connection | None, other: Connection | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.tenant, one.connection_id) == (other.tenant, other.connection_id)


def _unknown() -> NotFound:
    return NotFound("There is no such code.", reason="code_unknown")
