"""Calls Zoom's OAuth endpoints over a transport, with the app's own credentials. Every failure is a TokenError."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from zoom_common.aws.errors import translated
from zoom_common.errors import Unavailable
from zoom_common.secret import Secret
from zoom_common.transport import AnswerLost, NotSent, Transport
from zoom_common.zoom import oauth
from zoom_common.zoom.http import HttpRequest, HttpResponse
from zoom_common.zoom.oauth import App, AppAtFault, Endpoints, TokenError, TokenGrant, TokenUnavailable, ZoomUser

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_LIFETIME = 300.0

_UNAVAILABLE = "app_secret_unavailable"

_translated = translated(_UNAVAILABLE)


class AppSecret:
    """Reads `{"client_id", "client_secret"}` from the secret and caches it for five minutes."""

    def __init__(self, secrets: SecretsManagerClient, arn: str, *, clock: Callable[[], float]) -> None:
        self._secrets = secrets
        self._arn = arn
        self._clock = clock
        self._known: tuple[float, App] | None = None

    def app(self) -> App:
        """Return the credentials. Raises Unavailable."""
        if self._known is None or self._clock() >= self._known[0] + _LIFETIME:
            self._known = (self._clock(), self._read())
        return self._known[1]

    def changed(self) -> bool:
        """Read the secret again after Zoom refused it. Return whether it has changed."""
        former = self._known[1] if self._known else None
        self._known = None
        return self.app() != former

    def _read(self) -> App:
        with _translated:
            found = self._secrets.get_secret_value(SecretId=self._arn)
        try:
            fields = json.loads(found["SecretString"])
            return App(str(fields["client_id"]), Secret(str(fields["client_secret"])))
        except (KeyError, TypeError, ValueError):
            raise Unavailable(reason=_UNAVAILABLE) from None


class AppCredentials(Protocol):
    """The source of the app's own credentials."""

    def app(self) -> App:
        """Return the credentials. Raises Unavailable."""
        ...

    def changed(self) -> bool:
        """Read the credentials again. Return whether they have changed."""
        ...


class AnotherApp(TokenError):
    """The grant was made with another Zoom app than the configured one. Nothing was sent."""

    def __init__(self) -> None:
        super().__init__("connection_of_another_app")


class ZoomOAuth:
    """All requests to Zoom about grants. `timeout` is of one request, in seconds."""

    def __init__(
        self,
        transport: Transport,
        credentials: AppCredentials,
        *,
        endpoints: Endpoints,
        api_base_url: str,
        clock: Callable[[], float],
        timeout: float = 8.0,
    ) -> None:
        self.endpoints = endpoints
        self._transport = transport
        self._credentials = credentials
        self._api_base_url = api_base_url
        self._clock = clock
        self._timeout = timeout

    def exchange(self, code: Secret, *, redirect_uri: str, verifier: Secret) -> TokenGrant:
        """Exchange a code for a grant. A code works once, so this is never sent twice.

        Raises TokenError and Unavailable.
        """
        return self._token(
            lambda app: oauth.code_request(self.endpoints, app, code=code, redirect_uri=redirect_uri, verifier=verifier)
        )

    def is_configured(self, client_id: str) -> bool:
        """Return whether this is the configured Zoom app: only its tokens are sent to Zoom. Raises Unavailable."""
        return self._credentials.app().client_id == client_id

    def refresh(self, refresh_token: Secret, *, client_id: str) -> TokenGrant:
        """Exchange a refresh token of the app `client_id` for a new pair.

        Raises TokenError, also AnotherApp, and Unavailable.
        """
        return self._token(lambda app: oauth.refresh_request(self.endpoints, _only(app, client_id), refresh_token))

    def account_token(self, app: App, account_id: str) -> TokenGrant:
        """Return an account's token, requested with that Server-to-Server app's own credentials. Raises TokenError."""
        return self._grant(oauth.account_request(self.endpoints, app, account_id))

    def identity(self, access_token: Secret) -> ZoomUser:
        """Return the user of a grant. Reading is safe, so it is tried twice. Raises TokenUnavailable."""
        request = oauth.identity_request(self._api_base_url, access_token)
        try:
            return oauth.decipher_identity(self._send(request))
        except TokenUnavailable:
            return oauth.decipher_identity(self._send(request))

    def accepts(self, access_token: Secret, *, of_account: bool) -> bool:
        """Return whether Zoom's API accepts an access token. Raises TokenUnavailable when it does not answer."""
        request = oauth.acceptance_request(self._api_base_url, access_token, of_account=of_account)
        return oauth.decipher_acceptance(self._send(request))

    def revoke(self, access_token: Secret, *, client_id: str) -> bool:
        """Revoke a grant of the app `client_id` at Zoom, which uninstalls the app for that user.

        Return whether Zoom confirmed it. Raises TokenUnavailable when Zoom gave no answer, AnotherApp, and Unavailable.
        """
        request = oauth.revoke_request(self.endpoints, _only(self._credentials.app(), client_id), access_token)
        return oauth.decipher_revoke(self._send(request))

    def _token(self, request: Callable[[App], HttpRequest]) -> TokenGrant:
        try:
            return self._grant(request(self._credentials.app()))
        except AppAtFault:
            # After a rotation in Secrets Manager, this container may still hold the old secret. A request with refused
            # credentials consumes neither code nor refresh token.
            if not self._credentials.changed():
                raise
        return self._grant(request(self._credentials.app()))

    def _grant(self, request: HttpRequest) -> TokenGrant:
        return oauth.decipher_token(self._send(request), self._clock())

    def _send(self, request: HttpRequest) -> HttpResponse:
        try:
            return self._transport.send(request, timeout=self._timeout)
        except NotSent:
            raise TokenUnavailable("zoom_unreachable", outcome_known=True) from None
        except AnswerLost:
            raise TokenUnavailable("zoom_silent", outcome_known=False) from None


def _only(app: App, client_id: str) -> App:
    """Return `app` if the token was made with it. Raises AnotherApp."""
    if app.client_id != client_id:
        raise AnotherApp
    return app
