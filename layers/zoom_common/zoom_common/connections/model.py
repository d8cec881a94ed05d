"""A Zoom connection: one grant of one Zoom user or account, kept for one owner of one tenant."""

from __future__ import annotations

import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from zoom_common.secret import Secret

if TYPE_CHECKING:
    from zoom_common.zoom.oauth import TokenGrant

# A connection id, as it appears in paths and in DynamoDB sort keys.
ID_PREFIX = "con_"


class State(StrEnum):
    """The state of a connection; docs/connections.md has a diagram."""

    PENDING = "pending"  # linked in a browser, not yet redeemed by the program that asked
    CONNECTED = "connected"
    REFRESH_FAILING = "refresh_failing"  # the grant may well be valid; Zoom or the gateway is not working
    REAUTHORIZATION_REQUIRED = "reauthorization_required"  # only the person can help, see `reason`
    DISCONNECTED = "disconnected"  # being deleted: the tokens are gone, the item follows


# In these states the grant is refreshed and may be used.
ALIVE = frozenset({State.CONNECTED, State.REFRESH_FAILING})


class Kind(StrEnum):
    """Whether a token belongs to a user or to an account."""

    USER = "user"
    ACCOUNT = "account"  # Server-to-Server: there is no refresh token; the app's secret is used instead


@dataclass(frozen=True, slots=True)
class Spare:
    """A refresh token that came too late to be the current one. Zoom may accept it when it refuses the current one."""

    sealed: bytes = field(repr=False)
    issued_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A connection as last read.

    Times are epoch seconds; `sealed_*` can only be opened for this tenant, id and kind.
    """

    tenant: str
    connection_id: str
    owner: str
    kind: Kind
    state: State
    reason: str | None
    client_id: str
    zoom_user_id: str | None
    zoom_account_id: str
    scopes: frozenset[str]
    api_url: str | None
    # A grant is the person's consent; a version is one token pair of the grant.
    grant_id: str
    version: int
    access_expires_at: float
    refresh_issued_at: float
    created_at: float
    authorized_at: float
    state_changed_at: float
    last_used_at: float
    sealed_access: bytes = field(repr=False)
    sealed_refresh: bytes = field(repr=False)
    previous_refresh: bytes | None = field(default=None, repr=False)
    # the spare tokens by the attempt that got them
    spares: Mapping[str, Spare] = field(default_factory=dict, repr=False)
    intents: Mapping[str, float] = field(default_factory=dict)  # attempts that may have rotated the token, and when
    lease_owner: str | None = None
    lease_expires_at: float = 0.0
    written_by: str | None = None  # the attempt that wrote this version
    failures: int = 0
    cool_until: float = 0.0
    due_at: float | None = None
    last_webhook_at: float | None = None
    expires_at: float | None = None  # when an unredeemed link may be deleted
    # Tokens that Zoom refused right after it had issued them: the last such version, how many in a row, and since when.
    refused_version: int = 0
    refusals: int = 0
    refused_since: float = 0.0
    # The user's e-mail address as a keyed digest (`email_digest`). None for connections linked before it was stored.
    own_email: bytes | None = field(default=None, repr=False)
    # The display name, see `labels`. None for connections linked before labels existed, until a program or a link sets
    # one.
    label: str | None = field(default=None, repr=False)

    @classmethod
    def granted(
        cls,
        grant: TokenGrant,
        *,
        tenant: str,
        connection_id: str,
        owner: str,
        kind: Kind,
        state: State,
        client_id: str,
        zoom_user_id: str | None,
        zoom_account_id: str,
        sealed_access: bytes,
        sealed_refresh: bytes,
        now: float,
        due_at: float | None = None,
        expires_at: float | None = None,
        own_email: bytes | None = None,
        label: str | None = None,
    ) -> Connection:
        """Return a connection that begins at `now` with what Zoom has just granted."""
        return cls(
            tenant=tenant,
            connection_id=connection_id,
            owner=owner,
            kind=kind,
            state=state,
            reason=None,
            client_id=client_id,
            zoom_user_id=zoom_user_id,
            zoom_account_id=zoom_account_id,
            scopes=grant.scopes,
            api_url=grant.api_url,
            grant_id=f"grant_{connection_id}",
            version=1,
            access_expires_at=grant.expires_at,
            refresh_issued_at=now,
            created_at=now,
            authorized_at=now,
            state_changed_at=now,
            last_used_at=now,
            sealed_access=sealed_access,
            sealed_refresh=sealed_refresh,
            due_at=due_at,
            expires_at=expires_at,
            own_email=own_email,
            label=label,
        )

    @property
    def holds_tokens(self) -> bool:
        """Return whether this is a connection, and not an open link, whose tokens have not been deleted."""
        return bool(self.sealed_refresh) and self.state not in {State.PENDING, State.DISCONNECTED}

    def is_of_user(self, client_id: str, zoom_user_id: str | None) -> bool:
        """Return whether this is a connection of that Zoom user, made with the app `client_id`.

        A claim may name a connection that has been reconnected with another app since.
        """
        return (self.client_id, self.zoom_user_id) == (client_id, zoom_user_id)

    def is_of_another_app(self, app: str) -> bool:
        """Return whether this is a person's connection made with another Zoom app than the configured `app`.

        Server-to-Server connections have apps of their own. With an empty `app`, the result is False.
        """
        return bool(app) and self.kind is Kind.USER and self.client_id != app

    def fallbacks(self) -> Iterable[bytes]:
        """Return refresh tokens to try when the current one is refused: spares, newest first, then the previous one."""
        if self.kind is Kind.ACCOUNT:
            return  # There is only one secret, and Zoom has refused it.
        yield from (spare.sealed for spare in sorted(self.spares.values(), key=lambda each: -each.issued_at))
        if self.previous_refresh is not None:
            yield self.previous_refresh

    def unresolved(self, *, since: float, but: str) -> list[str]:
        """Return attempts newer than `since`, other than `but`, whose outcome has not been stored."""
        return [attempt for attempt, at in self.intents.items() if at > since and attempt != but]


_DIGEST_KEY = 16


def email_digest(email: str, *, key: bytes | None = None) -> bytes:
    """Return the keyed digest of an e-mail address, with its key in front. The case of the address does not matter.

    A new digest gets a random key, so equal addresses of two connections have different digests. The key is stored with
    the digest: the table holds no address, but a reader of the table can test a guess.
    """
    key = secrets.token_bytes(_DIGEST_KEY) if key is None else key
    return key + hmac.digest(key, email.strip().casefold().encode(), sha256)


def is_own_user(connection: Connection, user: str) -> bool:
    """Return whether `user`, an id or an e-mail address, is the Zoom user of a user-level connection."""
    if user == connection.zoom_user_id:
        return True
    kept = connection.own_email
    if kept is None or "@" not in user:
        return False
    return hmac.compare_digest(kept, email_digest(user, key=kept[:_DIGEST_KEY]))


def changes_at(connection: Connection, now: float) -> float:
    """Return when a change of state counts as made: `now`, or just after the change before it if that is later.

    Clocks of functions differ, and subscribers order changes by this time.
    """
    return max(now, connection.state_changed_at + 0.001)


# Receives one change. It must not raise, because the state has changed already.
type Publish = Callable[[Mapping[str, Any]], None]


def state_changed(connection: Connection, state: State, reason: str | None, *, at: float) -> dict[str, Any]:
    """Return the change of `connection`, as it was before, to `state` at epoch seconds `at`.

    Where only the person can help, `reconnect_path` is the gateway's route that makes a link for them.
    """
    asks = {"reconnect_path": f"/connections/{connection.connection_id}/reconnect"}
    return (asks if state is State.REAUTHORIZATION_REQUIRED else {}) | {
        "type": f"connection.{state}",
        "tenant": connection.tenant,
        "connection_id": connection.connection_id,
        "owner": connection.owner,
        "client_id": connection.client_id,
        "zoom_user_id": connection.zoom_user_id,
        "zoom_account_id": connection.zoom_account_id,
        "state": str(state),
        "previous_state": str(connection.state),
        "reason": reason,
        "at": at,
    }


_BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's alphabet: no i, l, o, u

_TIME_DIGITS, _RANDOM_DIGITS = 10, 16


def connection_id(now: float, random_bits: int) -> str:
    """Return an id that sorts by time: 48 bits of milliseconds and 80 of `random_bits`."""
    return ID_PREFIX + _digits(int(now * 1000), _TIME_DIGITS) + _digits(random_bits, _RANDOM_DIGITS)


def digest(secret: Secret) -> str:
    """Return the digest under which a ticket, state, cookie or code is stored. Nobody can use the digest instead."""
    return sha256(secret.reveal().encode()).hexdigest()


def verifier(cookie: Secret, state: Secret) -> Secret:
    """Return the PKCE verifier of a link. It is derived from the browser's cookie and the state, and never stored."""
    made = sha256(f"pkce:{cookie.reveal()}:{state.reveal()}".encode()).digest()
    return Secret(urlsafe_b64encode(made).rstrip(b"=").decode())


def _digits(number: int, count: int) -> str:
    return "".join(_BASE32[number >> shift & 31] for shift in range(5 * (count - 1), -1, -5))
