"""Connects a whole Zoom account with the credentials of its Server-to-Server app."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from zoom_common.aws.table import ConditionFailed
from zoom_common.connections.cipher import Cipher
from zoom_common.connections.model import Connection, Kind, State, changes_at, connection_id, state_changed
from zoom_common.connections.oauth_client import ZoomOAuth
from zoom_common.connections.outbox import Outbox
from zoom_common.connections.refresh.effects import Seals
from zoom_common.connections.refresh.policy import Policy
from zoom_common.connections.store import ConnectionStore
from zoom_common.errors import Conflict, FieldError, InvalidRequest, ZoomUnavailable
from zoom_common.zoom.oauth import App, AppAtFault, GrantRejected, TokenGrant, TokenUnavailable


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRequest:
    """The owner of the connection, and the account's app."""

    tenant: str
    owner: str
    app: App
    account_id: str
    label: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountConnecting:
    """Makes account-level connections, and gives existing ones new credentials."""

    connections: ConnectionStore
    cipher: Cipher
    zoom: ZoomOAuth
    outbox: Outbox
    clock: Callable[[], float]
    chance: Callable[[], float]
    random_bits: Callable[[], int]
    policy: Policy = field(default_factory=Policy)

    def connect(self, asked: AccountRequest) -> tuple[Connection, bool]:
        """Return the connection, which works at once, and whether it is new: an owner has one per app and account.

        Nothing is stored when this raises: InvalidRequest when Zoom refuses the credentials, Conflict, ZoomUnavailable,
        or Unavailable.
        """
        former = self._former(asked)
        new_id = connection_id(self.clock(), self.random_bits())
        seals = self.cipher.pair_sealer(asked.tenant, former.connection_id if former else new_id)
        grant = self._ask(asked)
        made = self._connected(asked, new_id, grant, seals)
        try:
            return (self._renew(former, made), False) if former else (self._add(made), True)
        except ConditionFailed:
            # A refresh or another request came in between. The caller still has the credentials.
            raise Conflict("The connection has just been changed. Try again.", reason="connection_busy") from None

    def _add(self, made: Connection) -> Connection:
        change = state_changed(replace(made, state=State.PENDING), State.CONNECTED, None, at=made.state_changed_at)
        self.connections.add_account(made, also=[self.outbox.entry(change)])
        self.outbox.publish(change)
        return made

    def _renew(self, former: Connection, made: Connection) -> Connection:
        """Store the new credentials under the former id. The new grant id makes a refresh under way drop its pair."""
        renewed = replace(
            made,
            connection_id=former.connection_id,
            created_at=former.created_at,
            label=made.label or former.label,
            last_webhook_at=former.last_webhook_at,
            version=former.version + 1,
            state_changed_at=changes_at(former, self.clock()),
        )
        # A refresh may change the state without a new version, so the connection may not be connected any more:
        # publish.
        change = state_changed(former, State.CONNECTED, None, at=renewed.state_changed_at)
        self.connections.replace(renewed, seen=former, also=[self.outbox.entry(change)])
        self.outbox.publish(change)
        return renewed

    def _former(self, asked: AccountRequest) -> Connection | None:
        linked = self.connections.by_account(asked.app.client_id, asked.account_id)
        return next((each for each in linked if (each.tenant, each.owner) == (asked.tenant, asked.owner)), None)

    def _ask(self, asked: AccountRequest) -> TokenGrant:
        try:
            return self.zoom.account_token(asked.app, asked.account_id)
        except AppAtFault:
            raise InvalidRequest([FieldError("client_secret", "Zoom refuses this app's credentials.")]) from None
        except GrantRejected:
            raise InvalidRequest([FieldError("account_id", "Zoom knows no such account of this app.")]) from None
        except TokenUnavailable:
            raise ZoomUnavailable from None

    def _connected(self, asked: AccountRequest, new_id: str, grant: TokenGrant, seals: Seals) -> Connection:
        now = self.clock()
        due_at = self.policy.due_at(
            now=now, last_used_at=now, expires_at=grant.expires_at, issued_at=now, chance=self.chance()
        )
        return Connection.granted(
            grant,
            tenant=asked.tenant,
            connection_id=new_id,
            owner=asked.owner,
            kind=Kind.ACCOUNT,
            state=State.CONNECTED,
            client_id=asked.app.client_id,
            zoom_user_id=None,
            zoom_account_id=asked.account_id,
            sealed_access=seals.seal_access(grant.access_token),
            sealed_refresh=seals.seal_refresh(asked.app.client_secret),
            now=now,
            due_at=due_at,
            label=asked.label,
        )
