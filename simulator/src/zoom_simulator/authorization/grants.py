"""The rules of the authorization server: single-use codes, rotation, one grant per user and app, revocation.

https://developers.zoom.us/docs/integrations/oauth/
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace

from zoom_simulator.authorization import requests
from zoom_simulator.authorization.errors import OAuthError, invalid_client, invalid_code, invalid_grant
from zoom_simulator.authorization.requests import ScopeRequest
from zoom_simulator.behaviour import Behaviour
from zoom_simulator.errors import invalid_token
from zoom_simulator.ids import Ids
from zoom_simulator.model import AccessToken, App, Code, Grant, Json, RefreshToken, State, User

APP_SCOPES = (  # Zoom gives them to every app, for what belongs to it: user apps ask with client_credentials
    "marketplace:delete:event_subscription",
    "marketplace:read:list_event_subscriptions",
    "marketplace:read:webhook_logs",
    "marketplace:update:event_subscription",
    "marketplace:write:event_subscription",
)
OnDeauthorized = Callable[[Grant], None]


@dataclass(frozen=True, slots=True)
class Principal:
    """The caller: an app, its grant and its scopes."""

    app: App
    grant: Grant
    scopes: frozenset[str]

    @property
    def account_level(self) -> bool:
        """Whether the token belongs to the account or the app instead of a user."""
        return self.grant.level != "user"


class Grants:
    """Issues, rotates and revokes tokens."""

    def __init__(
        self, state: State, *, ids: Ids, behaviour: Behaviour, base_url: str, on_deauthorized: OnDeauthorized
    ) -> None:
        self._state = state
        self._ids = ids
        self._behaviour = behaviour
        self._base_url = base_url
        self._on_deauthorized = on_deauthorized

    # asking

    def people_for(self, app: App) -> list[User]:
        """Return who can authorise an app: users of its account, and all users once it is published."""
        return [
            user
            for user in self._state.users.values()
            if user.status == "active" and (app.published or user.account_id == app.account_id)
        ]

    def scopes_for(self, app: App, user: User, asked: ScopeRequest) -> list[str]:
        """Return the scopes that `user` can grant to `app`, with earlier ones where the request keeps them."""
        granted = [scope for grant in self.living(user.id, app.client_id) for scope in grant.scopes]
        return asked.given(app, user, granted)

    def issue_code(
        self, app: App, user: User, *, redirect_uri: str, asked: ScopeRequest, challenge: str, method: str, now: float
    ) -> Code:
        """Return a code for what `user` has just allowed."""
        code = Code(
            value=self._ids.code(),
            client_id=app.client_id,
            user_id=user.id,
            redirect_uri=redirect_uri,
            scopes=self.scopes_for(app, user, asked),
            expires_at=now + self._behaviour.code_seconds,
            challenge=challenge,
            method=method or "plain",
        )
        self._state.codes[code.value] = code
        return code

    # tokens

    def client(self, client_id: str, secret: str) -> App:
        """Return the app with these credentials. OAuthError `invalid_client` when they are wrong."""
        app = self._state.apps.get(client_id)
        if app is not None and app.public and not secret:
            return app
        if app is None or not hmac.compare_digest(app.client_secret.encode(), secret.encode()):
            raise invalid_client(self._behaviour.invalid_client_status)
        if not app.enabled:
            raise OAuthError(400, "invalid_client", "The app has been disabled (4717)")
        return app

    def exchange(self, app: App, code_value: str, redirect_uri: str, verifier: str, now: float) -> Json:
        """Exchange a code for a pair of tokens. A code works once."""
        code = self._state.codes.get(code_value)
        if code is None or code.client_id != app.client_id or code.used or code.expires_at <= now:
            raise invalid_code(code_value)
        code.used = True
        if code.redirect_uri != redirect_uri:
            raise OAuthError(400, "invalid_request", "Redirect URI mismatch.")
        if app.public and not code.challenge:
            raise invalid_grant("Invalid code verifier.")
        if code.challenge and not requests.matches(code.challenge, code.method, verifier):
            raise invalid_grant("Invalid code verifier.")
        if self._behaviour.reauthorisation_supersedes:
            self._supersede(app.client_id, code.user_id)
        grant = Grant(
            id=self._ids.opaque(),
            client_id=app.client_id,
            account_id=self._state.users[code.user_id].account_id,
            user_id=code.user_id,
            scopes=code.scopes,
            created_at=now,
        )
        self._state.grants[grant.id] = grant
        return self._pair(grant, now)

    def refresh(self, app: App, value: str, now: float) -> Json:
        """Return the next pair of tokens. The old refresh token stops working at once or after the configured grace."""
        token = self._state.refresh_tokens.get(value)
        grant = self._state.grants.get(token.grant_id) if token else None
        if token is None or grant is None or grant.client_id != app.client_id or not self._refreshes(token, grant, now):
            raise OAuthError(400, self._behaviour.refused_refresh_error, "Invalid Token!")
        if token.superseded_at is None:
            token.superseded_at = now
        if not self._behaviour.old_access_token_survives_refresh:
            self._drop_access(grant)
        return self._pair(grant, now)

    def for_account(self, app: App, account_id: str, now: float) -> Json:
        """Return a Server-to-Server token: it lasts an hour, has no refresh token, and any number can exist."""
        account = self._state.accounts.get(account_id)
        if account is None or account.id != app.account_id:
            raise OAuthError(400, "invalid_request", "Account does not exist")
        if not app.server_to_server:
            raise OAuthError(400, "invalid_request", "Account does not enabled the OAuth app type")
        scopes = [*app.account_scopes, *(scope for scope in APP_SCOPES if scope not in app.account_scopes)]
        return self._without_user(app, account.owner_id, "account", scopes, now)

    def for_app(self, app: App, now: float) -> Json:
        """Return a token for what belongs to the app itself (its event subscriptions)."""
        owner = self._state.accounts[app.account_id].owner_id
        return self._without_user(app, owner, "app", list(APP_SCOPES), now)

    # using

    def principal(self, bearer: str, now: float) -> Principal:
        """Return the caller with this bearer. ZoomError 401/124 when it is unknown, revoked or expired."""
        token = self._state.access_tokens.get(bearer)
        grant = self._state.grants.get(token.grant_id) if token else None
        if token is None or grant is None or grant.revoked:
            raise invalid_token()
        app = self._state.apps.get(grant.client_id)
        user = self._state.users.get(grant.user_id)
        if app is None or not app.enabled or user is None or user.status == "inactive":
            raise invalid_token()
        if token.expires_at <= now:
            raise invalid_token("Access token is expired.")
        return Principal(app, grant, frozenset(token.scopes))

    # ending

    def revoke(self, app: App, value: str) -> None:
        """End the grant behind an access or refresh token; that also uninstalls the app for the user."""
        grant = self.grant_behind(value)
        if grant is None or grant.client_id != app.client_id or grant.revoked:
            raise OAuthError(400, "invalid_request", "Invalid Token!")
        self.end(grant, "revoked")
        if app.published:  # apps in development never trigger the notification
            self._on_deauthorized(grant)

    def end(self, grant: Grant, reason: str) -> None:
        """Revoke every token of a grant."""
        grant.revoked = reason
        self._drop_access(grant)
        tokens = self._state.refresh_tokens
        for value in [each.value for each in tokens.values() if each.grant_id == grant.id]:
            del tokens[value]

    def expire(self, grant: Grant, now: float) -> int:
        """Expire the access tokens of a grant and return how many; its refresh token stays valid."""
        early = [each for each in self._state.access_tokens.values() if each.grant_id == grant.id]
        for token in early:
            token.expires_at = min(token.expires_at, now)
        return len(early)

    def living(self, user_id: str = "", client_id: str = "") -> list[Grant]:
        """Return the grants that are not revoked, of one user or app or of all."""
        return [
            grant
            for grant in self._state.grants.values()
            if not grant.revoked
            and grant.level == "user"
            and user_id in ("", grant.user_id)
            and client_id in ("", grant.client_id)
        ]

    def sweep(self, now: float) -> None:
        """Delete what expired long ago."""
        for table in (self._state.access_tokens, self._state.codes, self._state.download_tokens):
            for key in [key for key, each in table.items() if each.expires_at < now - 3600]:
                del table[key]

    def _refreshes(self, token: RefreshToken, grant: Grant, now: float) -> bool:
        user = self._state.users.get(grant.user_id)
        if grant.revoked or user is None or user.status != "active" or token.expires_at <= now:
            return False
        if token.superseded_at is None:
            return True
        # Not by how much time has passed alone: a clock that was moved back must not bring a dead token back to life.
        grace = self._behaviour.old_refresh_token_grace_seconds
        return grace > 0 and now < token.superseded_at + grace

    def grant_behind(self, value: str) -> Grant | None:
        """Return the grant of an access or refresh token."""
        token = self._state.access_tokens.get(value) or self._state.refresh_tokens.get(value)
        return self._state.grants.get(token.grant_id) if token else None

    def people_behind(self, value: str) -> tuple[str, ...]:
        """Return id and e-mail address of the user of a token or code; empty when there is none."""
        grant, code = self.grant_behind(value), self._state.codes.get(value)
        user = self._state.users.get(grant.user_id if grant else code.user_id if code else "")
        return (user.id, user.email) if user else ()

    def _pair(self, grant: Grant, now: float) -> Json:
        refresh = RefreshToken(self._ids.token(), grant.id, now + self._behaviour.refresh_token_seconds)
        self._state.refresh_tokens[refresh.value] = refresh
        answer = self._access(grant, now)
        return {
            "access_token": answer["access_token"],
            "token_type": "bearer",
            "refresh_token": refresh.value,
            "expires_in": answer["expires_in"],
            "scope": answer["scope"],
            "api_url": answer["api_url"],
        }

    def _access(self, grant: Grant, now: float) -> Json:
        seconds = self._behaviour.access_token_seconds
        token = AccessToken(self._ids.token(), grant.id, list(grant.scopes), now + seconds)
        self._state.access_tokens[token.value] = token
        return {
            "access_token": token.value,
            "token_type": "bearer",
            "expires_in": seconds,
            "scope": " ".join(grant.scopes),
            "api_url": self._behaviour.api_url or self._base_url,
        }

    def _without_user(self, app: App, owner_id: str, level: str, scopes: list[str], now: float) -> Json:
        grant_id = f"{level}:{app.client_id}"
        grant = self._state.grants.get(grant_id)
        if grant is None or grant.revoked:
            grant = Grant(grant_id, app.client_id, app.account_id, owner_id, [], now, level)  # type: ignore[arg-type]
            self._state.grants[grant_id] = grant
        self._state.grants[grant_id] = grant = replace(grant, scopes=list(scopes))
        return self._access(grant, now)

    def _supersede(self, client_id: str, user_id: str) -> None:
        for grant in self.living(user_id, client_id):
            self.end(grant, "superseded")

    def _drop_access(self, grant: Grant) -> None:
        tokens = self._state.access_tokens
        for value in [each.value for each in tokens.values() if each.grant_id == grant.id]:
            del tokens[value]
