"""Every token pair from an exchanged code is stored or revoked, whatever happens to the link.

Zoom is reported to let a later authorization supersede the former one. So after the exchange the new pair may be the
only valid pair of its Zoom user, redeemed or not (https://github.com/raycast/extensions/issues/10896). It is therefore
handled like a refreshed pair:

1. It goes to the escrow queue under its seal, before anything else can fail.
2. One transaction stores it in a pending connection, and in the connection that holds the Zoom user, so that a link
   that nobody redeems ends no connection. Later refreshes of that connection use it.
3. When the code can no longer be redeemed, the queue's message ends the link: the pending connection is deleted, and
   the grant is revoked if no connection of any tenant holds the Zoom user. The message waits while another link of
   that user is open.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from math import ceil
from typing import Any

from zoom_common.aws.table import ConditionFailed
from zoom_common.connections.cipher import Cipher, SealBroken, SealContext, SealKind
from zoom_common.connections.disconnecting import EndedGrant, Revocation, Revoked
from zoom_common.connections.labels import label_of
from zoom_common.connections.link_store import LINK_SECONDS, AuthorizationStore, LinkRequest, Operation
from zoom_common.connections.model import (
    ALIVE,
    Connection,
    Kind,
    Spare,
    State,
    changes_at,
    digest,
    email_digest,
    state_changed,
)
from zoom_common.connections.oauth_client import ZoomOAuth
from zoom_common.connections.outbox import Change, Outbox
from zoom_common.connections.queues import LINK, LinkQueue
from zoom_common.connections.refresh.policy import Policy
from zoom_common.connections.store import ConnectionStore
from zoom_common.errors import Unavailable
from zoom_common.secret import Secret
from zoom_common.zoom.oauth import AppAtFault, IdentityRefused, TokenGrant, TokenUnavailable, ZoomUser

_TRIES = 5
# The clocks of the function that redeems and of the one that ends links may differ by this many seconds.
_SKEW = 60.0
# SQS delays a message by at most 15 minutes.
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-message-timers.html
_LONGEST_DELAY = 900


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedGrant:
    """A token pair from an exchanged code, sealed for the link's connection. Times are epoch seconds."""

    tenant: str
    connection_id: str
    owner: str
    client_id: str
    issued_at: float
    access_expires_at: float
    redeemable_until: int
    scopes: frozenset[str]
    api_url: str | None
    sealed_access: bytes = field(repr=False)
    sealed_refresh: bytes = field(repr=False)

    def to_message(self) -> dict[str, Any]:
        """Return the message for the queue: ids, times, and tokens under their seals."""
        values = {each.name: getattr(self, each.name) for each in fields(self)}
        sealed = {name: b64encode(value).decode() for name, value in values.items() if isinstance(value, bytes)}
        return {"action": LINK, **values, "scopes": sorted(self.scopes), **sealed}

    @classmethod
    def from_message(cls, message: Mapping[str, Any]) -> LinkedGrant:
        """Return the grant in a message. Raises KeyError, TypeError or ValueError when there is none."""
        values = {each.name: message[each.name] for each in fields(cls)}
        for name in ("sealed_access", "sealed_refresh"):
            values[name] = b64decode(values[name], validate=True)
        return cls(**values | {"scopes": frozenset(values["scopes"])})

    def pending(self, user: ZoomUser) -> Connection:
        """Return the pending connection of the link."""
        return Connection(
            **{name: getattr(self, name) for name in _SHARED},
            kind=Kind.USER,
            state=State.PENDING,
            reason=None,
            zoom_user_id=user.user_id,
            zoom_account_id=user.account_id,
            grant_id=f"grant_{self.connection_id}",
            version=1,
            refresh_issued_at=self.issued_at,
            created_at=self.issued_at,
            authorized_at=self.issued_at,
            state_changed_at=self.issued_at,
            last_used_at=self.issued_at,
            expires_at=int(self.issued_at) + LINK_SECONDS,
            own_email=email_digest(user.email.reveal()) if user.email else None,
            label=label_of(user),
        )


_SHARED = (
    "tenant",
    "connection_id",
    "owner",
    "client_id",
    "access_expires_at",
    "scopes",
    "api_url",
    "sealed_access",
    "sealed_refresh",
)


class LinkEnd(StrEnum):
    """The state of a link after a follow-up."""

    WAITING = "waiting"  # its code, or that of another link of the user, can still be redeemed
    REDEEMED = "redeemed"  # or disconnected: nothing is left to do
    KEPT = "kept"  # a connection holds the Zoom user
    REVOKED = "revoked"
    DEAD = "dead"  # Zoom accepts none of the link's tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Stores the pairs of links, and ends links that nobody redeems."""

    links: AuthorizationStore
    connections: ConnectionStore
    cipher: Cipher
    zoom: ZoomOAuth
    revocation: Revocation
    queue: LinkQueue
    outbox: Outbox
    clock: Callable[[], float]
    chance: Callable[[], float]
    policy: Policy = field(default_factory=Policy)

    def place(
        self,
        linked: LinkedGrant,
        grant: TokenGrant,
        user: ZoomUser,
        *,
        code: Secret | None = None,
        link: LinkRequest | None = None,
    ) -> None:
        """Store a pair once, with the code that redeems it. Raises Unavailable; then the queue brings the pair again.

        It does not raise when an earlier try was applied and only its answer was lost.
        """
        failed: Exception | None = None
        for _ in range(_TRIES):
            try:
                return self._place(linked, grant, user, code=code, link=link)
            except (ConditionFailed, Unavailable) as error:
                failed = error
            placed = self.links.placed(linked.connection_id)
            if placed is not None:
                if code is None or placed == digest(code):
                    return None
                break  # The queue was faster and has stored the pair without a code.
        raise Unavailable(reason="connection_busy") from failed

    def follow_up(self, linked: LinkedGrant) -> LinkEnd:
        """Store a pair that its callback did not store, and end its link when nobody can redeem it any more.

        Raises Unavailable; then the queue keeps the message and brings it again.
        """
        if self.links.placed(linked.connection_id) is None and not self._place_late(linked):
            if self.links.close(linked.connection_id, issued_at=linked.issued_at):
                return LinkEnd.DEAD
            raise Unavailable(reason="connection_busy")  # Its callback has just stored it.
        remaining = linked.redeemable_until + _SKEW - self.clock()
        if remaining > 0:
            self.queue.hold(linked.to_message(), delay=min(_LONGEST_DELAY, ceil(remaining)))
            return LinkEnd.WAITING
        return self._end(linked)

    def _place(
        self, linked: LinkedGrant, grant: TokenGrant, user: ZoomUser, *, code: Secret | None, link: LinkRequest | None
    ) -> None:
        pending = linked.pending(user)
        latest = self.connections.latest_link(pending.client_id, user.user_id)
        holder = self.connections.by_zoom_user(pending.client_id, user.user_id)
        also: list[Operation] = []
        changes: list[Change] = []
        if holder is not None and holder.holds_tokens:
            beside, change = self._beside(holder, linked, grant, own_email=pending.own_email)
            also.append(beside)
            changes += [change] if change else []
        also += [self.outbox.entry(change) for change in changes]
        self.links.put_pending(pending, code, link, expires_at=linked.redeemable_until, latest=latest, also=also)
        self.outbox.publish(*changes)

    def _beside(
        self, holder: Connection, linked: LinkedGrant, grant: TokenGrant, *, own_email: bytes | None
    ) -> tuple[Operation, Change | None]:
        """Return the pair sealed for the holder: as its next version, or as a spare if the holder has a newer pair."""
        seals = self.cipher.pair_sealer(holder.tenant, holder.connection_id)
        refresh = seals.seal_refresh(_refresh_token(grant))
        if holder.refresh_issued_at > linked.issued_at:
            spare = Spare(refresh, linked.issued_at)
            return self.links.to_keep_spare(holder, linked.connection_id, spare), None
        renewed = replace(
            holder,
            version=holder.version + 1,
            sealed_access=seals.seal_access(grant.access_token),
            sealed_refresh=refresh,
            previous_refresh=holder.sealed_refresh,
            access_expires_at=grant.expires_at,
            scopes=grant.scopes or holder.scopes,
            api_url=grant.api_url,
            refresh_issued_at=linked.issued_at,
            authorized_at=linked.issued_at,
            failures=0,
            cool_until=0.0,
            refused_version=0,  # Zoom refused tokens of the former authorization.
            refusals=0,
            refused_since=0.0,
            written_by=linked.connection_id,
            own_email=own_email or holder.own_email,
        )
        renewed = self._revived(holder, renewed, linked)
        if renewed.state is holder.state:
            return self.links.to_renew(holder, renewed), None
        change = state_changed(holder, renewed.state, renewed.reason, at=renewed.state_changed_at)
        return self.links.to_renew(holder, renewed), change

    def _revived(self, holder: Connection, renewed: Connection, linked: LinkedGrant) -> Connection:
        """Let a connection that was given up work again, if this authorization ended its former pair or is its owner's.

        Otherwise the owner has not agreed to it: the tokens are stored, and the state stays.
        """
        own = (holder.tenant, holder.owner) == (linked.tenant, linked.owner)
        ended_by_this = holder.state_changed_at >= linked.issued_at - _SKEW
        if holder.state not in ALIVE and not own and not ended_by_this:
            return renewed
        due_at = self.policy.due_at(
            now=self.clock(),
            last_used_at=holder.last_used_at,
            expires_at=renewed.access_expires_at,
            issued_at=renewed.refresh_issued_at,
            chance=self.chance(),
        )
        at = holder.state_changed_at if holder.state is State.CONNECTED else changes_at(holder, self.clock())
        return replace(renewed, state=State.CONNECTED, reason=None, state_changed_at=at, due_at=due_at)

    def _place_late(self, linked: LinkedGrant) -> bool:
        """Store the pair of a callback that did not get so far. Return False when Zoom says that the pair is dead."""
        if not self.zoom.is_configured(linked.client_id):
            # The queue keeps the pair, because that app may be configured again.
            raise Unavailable(reason="connection_of_another_app")
        grant = self._opened(linked)
        try:
            user = self.zoom.identity(grant.access_token)
        except IdentityRefused:
            if self.clock() < linked.redeemable_until:
                raise Unavailable(reason="identity_refused") from None  # One refusal may be an error of Zoom's.
            return False
        except (TokenUnavailable, AppAtFault) as error:
            raise Unavailable(reason=error.reason) from None
        self.place(linked, grant, user)
        return True

    def _end(self, linked: LinkedGrant) -> LinkEnd:
        pending = self.connections.get(linked.tenant, linked.connection_id)
        if pending is None or pending.state is not State.PENDING:
            return LinkEnd.REDEEMED
        latest = self.connections.latest_link(pending.client_id, str(pending.zoom_user_id))
        if latest is not None and latest.connection_id != pending.connection_id and latest.expires_at > self.clock():
            # Another link of the user is open. When it has ended, Zoom's answer shows which of the two pairs is valid.
            self.queue.hold(linked.to_message(), delay=_LONGEST_DELAY)
            return LinkEnd.WAITING
        grant = EndedGrant.of(pending)
        outcome = Revoked.NOT_OURS if grant is None else self.revocation.revoke(grant)
        if outcome is Revoked.UNANSWERED:
            raise Unavailable(reason="revoke_unanswered")
        try:
            self.links.forget(pending)
        except ConditionFailed:
            return LinkEnd.REDEEMED  # or was disconnected meanwhile
        return LinkEnd.REVOKED if outcome is Revoked.CONFIRMED else LinkEnd.KEPT

    def _opened(self, linked: LinkedGrant) -> TokenGrant:
        return TokenGrant(
            self._open(linked, linked.sealed_access, SealKind.ACCESS),
            self._open(linked, linked.sealed_refresh, SealKind.REFRESH),
            linked.access_expires_at,
            linked.scopes,
            linked.api_url,
        )

    def _open(self, linked: LinkedGrant, sealed: bytes, kind: SealKind) -> Secret:
        try:
            return self.cipher.open(sealed, SealContext(linked.tenant, linked.connection_id, kind))
        except SealBroken:
            raise Unavailable(reason="seal_broken") from None


def _refresh_token(grant: TokenGrant) -> Secret:
    if grant.refresh_token is None:
        raise ValueError("a grant of a person has a refresh token")
    return grant.refresh_token
