"""Redeems a one-time code. Before that, and for any other program, a linked account does not work."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from zoom_common.access.principal import Principal
from zoom_common.aws.table import ConditionFailed
from zoom_common.connections.cipher import Cipher, SealContext, SealKind
from zoom_common.connections.link_store import SUPERSEDED, AuthorizationStore, Claim, LinkRequest
from zoom_common.connections.model import Connection, State, changes_at, state_changed
from zoom_common.connections.outbox import Change, Outbox
from zoom_common.connections.refresh.policy import Policy
from zoom_common.connections.store import ConnectionStore, LatestLink
from zoom_common.errors import FieldError, InvalidRequest, NotFound, Unavailable
from zoom_common.secret import Secret

_TRIES = 4
_PAUSE = 0.5
_CODE = 0  # its position in the transaction


@dataclass(frozen=True, slots=True)
class _Found:
    """What a redemption has read. `holder` is the connection that has the claim, if it has tokens."""

    code: Secret
    link: LinkRequest
    pending: Connection
    claim: Claim | None
    holder: Connection | None
    latest: LatestLink | None = field(repr=False)

    def label_over(self, target: Connection) -> str | None:
        """Return the new label of `target`: what the program asked for, else its present one, else Zoom's.

        The label of another owner's connection is never used.
        """
        return self.link.label or target.label or self.pending.label


@dataclass(frozen=True, slots=True, kw_only=True)
class Redemption:
    """Turns a pending connection into a connected one. A Zoom user has one connection per app."""

    store: AuthorizationStore
    connections: ConnectionStore
    cipher: Cipher
    outbox: Outbox
    clock: Callable[[], float]
    chance: Callable[[], float]
    sleep: Callable[[float], object] = time.sleep
    policy: Policy = field(default_factory=Policy)

    def redeem(self, principal: Principal, code: Secret, *, owner: str | None = None) -> Connection:
        """Return the connection of a code, connected. Repeating it while the code is valid returns the same connection.

        `owner` is the one that the link was made for; it may be left out where that is the principal's own subject.
        Raises InvalidRequest where it is missing, and NotFound when the code is unknown or expired, or was made for
        another program or owner. Neither uses up the code. Raises Unavailable while a refresh is under way.
        """
        for tried in range(_TRIES):
            if tried:
                self.sleep(_PAUSE)
            link = self._link(principal, code, owner)
            if link.redeemed is not None:
                return self._again(link, link.redeemed)
            pending = self.connections.get(link.tenant, str(link.connection_id))
            if pending is None or pending.state is not State.PENDING:
                raise _unknown()
            try:
                return self._connect(self._find(code, link, pending))
            except ConditionFailed:
                # Something changed between reading and writing, such as by a refresh, or the code was redeemed.
                continue
        raise Unavailable(reason="connection_busy")

    def _link(self, principal: Principal, code: Secret, owner: str | None) -> LinkRequest:
        link = self.store.code(code, now=self.clock())
        if link is None or (link.tenant, link.subject) != (principal.tenant, principal.subject):
            raise _unknown()
        if owner is None and link.owner != principal.subject:
            raise InvalidRequest([FieldError("owner", "Required: the owner that the link was made for.")])
        if owner is not None and owner != link.owner:
            raise _unknown()
        return link

    def _again(self, link: LinkRequest, connection_id: str) -> Connection:
        connected = self.connections.get(link.tenant, connection_id)
        if connected is None or not connected.holds_tokens or connected.owner != link.owner:
            raise _unknown()
        return connected

    def _find(self, code: Secret, link: LinkRequest, pending: Connection) -> _Found:
        user = str(pending.zoom_user_id)
        # Read it first, because every change of the user's claim changes it.
        latest = self.connections.latest_link(pending.client_id, user)
        claim = self.store.claim(pending.client_id, user)
        holder = self._claimant(claim, pending)
        return _Found(code, link, pending, claim, holder if holder and holder.holds_tokens else None, latest)

    def _claimant(self, claim: Claim | None, pending: Connection) -> Connection | None:
        """Return the connection that has the claim on the Zoom user of `pending`."""
        found = self.connections.get(claim.tenant, claim.connection_id) if claim else None
        return found if found and found.is_of_user(pending.client_id, pending.zoom_user_id) else None

    def _connect(self, found: _Found) -> Connection:
        replaced, source = self._replaced(found), self._source(found)
        if replaced is not None and source is found.holder and _same(source, replaced):
            return self._in_place(found, replaced)
        target = replaced or found.pending
        moved = self._moved(source, target, found.pending)
        at = changes_at(target, self.clock())
        connected = replace(moved, state_changed_at=at, label=found.label_over(target))
        superseded = None if _same(found.holder, replaced) else found.holder
        changes = self._changes(target, connected, superseded)
        self.store.redeem(
            found.code,
            pending=found.pending,
            connected=connected,
            replaced=replaced,
            claim=found.claim,
            superseded=superseded,
            now=self.clock(),
            latest=found.latest,
            also=[self.outbox.entry(change) for change in changes],
        )
        self.outbox.publish(*changes)
        return connected

    def _in_place(self, found: _Found, holder: Connection) -> Connection:
        """Return the holder, connected. The callback has already given it the link's tokens or newer ones."""
        at = changes_at(holder, self.clock())
        label = found.label_over(holder)
        connected = replace(self._connected(holder), failures=0, cool_until=0.0, state_changed_at=at, label=label)
        changes = self._changes(holder, connected, None)
        self.store.redeem_in_place(
            found.code,
            pending=found.pending,
            holder=holder,
            connected=connected,
            latest=found.latest,
            now=self.clock(),
            also=[self.outbox.entry(change) for change in changes],
        )
        self.outbox.publish(*changes)
        return connected

    def _replaced(self, found: _Found) -> Connection | None:
        """Return the connection that gets the new grant: the one to reconnect, or the owner's own for the Zoom user."""
        pending, link = found.pending, found.link
        if link.reconnects is not None:
            asked = self.connections.get(link.tenant, link.reconnects)
            if asked is not None and asked.zoom_user_id == pending.zoom_user_id:
                return asked
        holder = self._claimant(found.claim, pending)
        mine = holder is not None and (holder.tenant, holder.owner) == (pending.tenant, pending.owner)
        return holder if mine and holder is not None and holder.state is not State.DISCONNECTED else None

    def _source(self, found: _Found) -> Connection:
        """Return the connection with the tokens of the latest authorization: the holder, if there is one."""
        latest, pending = found.latest, found.pending
        other = None
        if latest is not None and latest.connection_id != pending.connection_id:
            other = self.connections.get(latest.tenant, latest.connection_id)
        candidates = [each for each in (found.holder, other, pending) if each is not None]
        return max(candidates, key=lambda each: each.authorized_at)

    def _connected(self, connection: Connection) -> Connection:
        now = self.clock()
        due_at = self.policy.due_at(
            now=now,
            last_used_at=now,
            expires_at=connection.access_expires_at,
            issued_at=connection.refresh_issued_at,
            chance=self.chance(),
        )
        return replace(
            connection,
            state=State.CONNECTED,
            reason=None,
            state_changed_at=now,
            last_used_at=now,
            due_at=due_at,
            expires_at=None,
        )

    def _moved(self, source: Connection, target: Connection, pending: Connection) -> Connection:
        """Return `target` with the tokens of `source`, sealed again, because a seal is bound to its connection."""
        moved = replace(
            self._connected(source),
            tenant=target.tenant,
            connection_id=target.connection_id,
            owner=target.owner,
            created_at=target.created_at,
            last_webhook_at=target.last_webhook_at,
            own_email=pending.own_email or source.own_email,
            grant_id=pending.grant_id,
            version=target.version if _same(target, pending) else target.version + 1,
            previous_refresh=None,
            spares={},
            intents={},
            lease_owner=None,
            lease_expires_at=0.0,
            failures=0,
            cool_until=0.0,
            refused_version=0,
            refusals=0,
            refused_since=0.0,
        )
        if _same(source, target):
            return replace(moved, previous_refresh=source.previous_refresh, spares=source.spares)
        seals = self.cipher.pair_sealer(target.tenant, target.connection_id)
        return replace(
            moved,
            sealed_access=seals.seal_access(self._open(source, source.sealed_access, SealKind.ACCESS)),
            sealed_refresh=seals.seal_refresh(self._open(source, source.sealed_refresh, SealKind.REFRESH)),
            previous_refresh=pending.sealed_refresh if _same(target, pending) else None,
        )

    def _open(self, connection: Connection, sealed: bytes, kind: SealKind) -> Secret:
        return self.cipher.open(sealed, SealContext(connection.tenant, connection.connection_id, kind))

    def _changes(self, before: Connection, connected: Connection, superseded: Connection | None) -> Sequence[Change]:
        changes = [state_changed(before, connected.state, None, at=connected.state_changed_at)]
        if superseded is not None:
            at = changes_at(superseded, self.clock())
            changes.append(state_changed(superseded, State.REAUTHORIZATION_REQUIRED, SUPERSEDED, at=at))
        return changes


def _same(one: Connection | None, other: Connection | None) -> bool:
    if one is None or other is None:
        return one is other
    return (one.tenant, one.connection_id) == (other.tenant, other.connection_id)


def _unknown() -> NotFound:
    return NotFound("There is no such code.", reason="code_unknown")
