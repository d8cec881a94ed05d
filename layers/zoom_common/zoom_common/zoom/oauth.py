"""Zoom's OAuth as values: builds requests and reads answers into a grant or an error.

Does no I/O and reads no clock.
"""

from __future__ import annotations

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode, urlsplit

from zoom_common.secret import Secret
from zoom_common.zoom.http import HttpRequest, HttpResponse, retry_after


class TokenError(Exception):
    """The root of the errors. `reason` is our own word, because Zoom's text is localised and may quote the request."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class GrantRejected(TokenError):
    """Zoom refuses this token of the grant. A newer refresh token of the same grant may still work."""


class AppAtFault(TokenError):
    """Zoom refuses the app itself. Every grant of the app fails until an operator acts."""


class TokenUnavailable(TokenError):
    """Zoom gave no usable answer. `retry_after` is in seconds, or None when Zoom named no time."""

    def __init__(self, reason: str, *, outcome_known: bool, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.outcome_known = outcome_known
        self.retry_after = retry_after


class IdentityUnreadable(TokenUnavailable):
    """Zoom's `/users/me` named no user and account."""

    def __init__(self) -> None:
        super().__init__("identity_unreadable", outcome_known=True)


class IdentityRefused(IdentityUnreadable):
    """Zoom's `/users/me` answered 401: the access token is not valid."""


class TokenUnreadable(TokenUnavailable):
    """Zoom answered 200 with a body that cannot be read."""

    def __init__(self) -> None:
        super().__init__("unreadable_answer", outcome_known=False)


ZOOM_OAUTH_URL = "https://zoom.us/oauth"

# Only these hosts may receive a bearer token. Regional and vanity hosts are all below them.
_ZOOM_DOMAINS = (".zoom.us", ".zoomgov.com")

_REJECTED = {
    4711: "refresh_token_invalid",
    4733: "code_expired",
    4734: "code_invalid",
    4735: "owner_gone",
    4737: "refresh_token_unknown",
    4740: "outside_tolerance",
    4741: "revoked",
}

_APP = {
    4702: "invalid_client",
    4704: "invalid_client",
    4705: "unsupported_grant_type",
    4706: "invalid_client",
    4709: "redirect_mismatch",
    4717: "app_disabled",
    4738: "app_disabled_by_admin",
}

# `invalid_request` with "Invalid Token!" was seen for a dead refresh token, and for an unknown S2S account.
_REJECTED_NAMES = {"invalid_grant", "invalid_request"}

_APP_NAMES = {"invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope"}


@dataclass(frozen=True, slots=True)
class App:
    """The credentials of one app in Zoom's Marketplace."""

    client_id: str
    client_secret: Secret


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where the three OAuth endpoints are."""

    base_url: str = ZOOM_OAUTH_URL

    @classmethod
    def parse(cls, setting: str) -> Endpoints:
        """Read a setting that names the base or one of the endpoints, with or without a trailing slash."""
        base = setting.strip().rstrip("/")
        for endpoint in ("/authorize", "/token", "/revoke"):
            base = base.removesuffix(endpoint)
        return cls(base.rstrip("/"))

    @property
    def origin(self) -> str:
        """Scheme, host and port, as a browser names them."""
        parts = urlsplit(self.base_url)
        return f"{parts.scheme}://{parts.netloc}"


@dataclass(frozen=True, slots=True)
class TokenGrant:
    """The tokens that Zoom issued. `expires_at` is epoch seconds; `refresh_token` is None for Server-to-Server."""

    access_token: Secret
    refresh_token: Secret | None
    expires_at: float
    scopes: frozenset[str]
    api_url: str | None


@dataclass(frozen=True, slots=True)
class ZoomUser:
    """The Zoom user and account of a grant. `email` and `name` are None where Zoom did not name them."""

    user_id: str
    account_id: str
    email: Secret | None = None
    name: Secret | None = None


def pkce_challenge(verifier: Secret) -> str:
    """Return the S256 challenge of a verifier (RFC 7636). Zoom's default is `plain`, so the method is always named."""
    return urlsafe_b64encode(sha256(verifier.reveal().encode()).digest()).rstrip(b"=").decode()


def authorize_url(endpoints: Endpoints, *, client_id: str, redirect_uri: str, state: Secret, verifier: Secret) -> str:
    """Return the URL for the person's browser. It has no scopes: they come from the app's configuration at Zoom."""
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "state": state.reveal(),
        "code_challenge": pkce_challenge(verifier),
        "code_challenge_method": "S256",
    }
    return f"{endpoints.base_url}/authorize?{urlencode(query)}"


def code_request(endpoints: Endpoints, app: App, *, code: Secret, redirect_uri: str, verifier: Secret) -> HttpRequest:
    """Return the request that exchanges a code. A code lives five minutes and works once."""
    return _form(
        f"{endpoints.base_url}/token",
        app,
        {
            "grant_type": "authorization_code",
            "code": code.reveal(),
            "redirect_uri": redirect_uri,
            "code_verifier": verifier.reveal(),
        },
    )


def refresh_request(endpoints: Endpoints, app: App, refresh_token: Secret) -> HttpRequest:
    """Return the request that exchanges a refresh token for a new pair. Zoom rotates the token on every use."""
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token.reveal()}
    return _form(f"{endpoints.base_url}/token", app, form)


def account_request(endpoints: Endpoints, app: App, account_id: str) -> HttpRequest:
    """Return the request for an account's token with the app's own credentials. Several tokens may exist at once."""
    form = {"grant_type": "account_credentials", "account_id": account_id}
    return _form(f"{endpoints.base_url}/token", app, form)


def revoke_request(endpoints: Endpoints, app: App, access_token: Secret) -> HttpRequest:
    """Return the request that revokes the grant behind an access token. It also uninstalls the app for that user."""
    return _form(f"{endpoints.base_url}/revoke", app, {"token": access_token.reveal()})


def identity_request(api_base_url: str, access_token: Secret) -> HttpRequest:
    """Return the request for the user of a new grant. `api_base_url` ends in `/v2`."""
    headers = {"Authorization": f"Bearer {access_token.reveal()}", "Accept": "application/json"}
    return HttpRequest("GET", f"{api_base_url.rstrip('/')}/users/me", headers)


def acceptance_request(api_base_url: str, access_token: Secret, *, of_account: bool) -> HttpRequest:
    """Return a request that every access token may make: for the user, or for a page of the account's users."""
    request = identity_request(api_base_url, access_token)
    return replace(request, url=f"{api_base_url.rstrip('/')}/users?page_size=1") if of_account else request


def decipher_acceptance(response: HttpResponse) -> bool:
    """Return whether Zoom accepts the token: it does with any answer but 401. Raises TokenUnavailable for 5xx."""
    if response.status >= 500:  # noqa: PLR2004
        raise TokenUnavailable("zoom_error", outcome_known=True)
    return response.status != 401  # noqa: PLR2004


def decipher_token(response: HttpResponse, now: float) -> TokenGrant:
    """Read a token response received at `now` (epoch seconds). Raises a TokenError when it is not a grant."""
    if response.status != 200:  # noqa: PLR2004 - HTTP's own number
        raise _error_of(response, now)
    fields = _fields(response.body)
    try:
        access_token = _text(fields["access_token"])
        refresh_token = _text(fields["refresh_token"]) if fields.get("refresh_token") else None
        lifetime = float(fields.get("expires_in", 3600))
        scopes = frozenset(_text(fields["scope"]).replace(",", " ").split()) if fields.get("scope") else frozenset()
    except (KeyError, TypeError, ValueError):
        raise TokenUnreadable from None
    refresh = Secret(refresh_token) if refresh_token else None
    return TokenGrant(Secret(access_token), refresh, now + lifetime, scopes, trusted_api_url(fields.get("api_url")))


def decipher_revoke(response: HttpResponse) -> bool:
    """Return whether Zoom has revoked the grant. Raises TokenUnavailable when a later try may succeed."""
    if response.status == 429 or response.status >= 500:  # noqa: PLR2004
        raise TokenUnavailable("revoke_unanswered", outcome_known=False)
    return response.status == 200  # noqa: PLR2004


def decipher_identity(response: HttpResponse) -> ZoomUser:
    """Read `/users/me`. Raises IdentityRefused for a 401, IdentityUnreadable when it names no user and account."""
    if response.status == 401:  # noqa: PLR2004
        raise IdentityRefused
    fields = _fields(response.body) if response.status == 200 else {}  # noqa: PLR2004
    user, account = fields.get("id"), fields.get("account_id")
    if isinstance(user, str) and user and isinstance(account, str):
        return ZoomUser(user, account, _secret(fields.get("email")), _secret(_name(fields)))
    raise IdentityUnreadable


def _name(fields: Mapping[str, Any]) -> str:
    """Return a user's display name, else first and last name, else nothing."""
    parts = fields.get("display_name"), fields.get("first_name"), fields.get("last_name")
    display, *names = (each.strip() if isinstance(each, str) else "" for each in parts)
    return display or " ".join(filter(None, names))


def _secret(value: object) -> Secret | None:
    return Secret(value) if isinstance(value, str) and value else None


def trusted_api_url(api_url: object) -> str | None:
    """Return the grant's regional base URL, or None unless it is https on one of Zoom's hosts.

    A bearer must not be sent elsewhere. https://developers.zoom.us/docs/api/using-zoom-apis/
    """
    if not isinstance(api_url, str):
        return None
    try:
        parts = urlsplit(api_url)
        port = parts.port
    except ValueError:
        return None
    host = parts.hostname or ""
    plain = parts.username is None and parts.password is None and port in (None, 443)
    if parts.scheme == "https" and plain and host.endswith(_ZOOM_DOMAINS):
        return f"https://{host}"
    return None


def _form(url: str, app: App, form: Mapping[str, str]) -> HttpRequest:
    # In the body and not in the query string, which access logs on the way would store.
    basic = b64encode(f"{app.client_id}:{app.client_secret.reveal()}".encode()).decode()
    headers = {
        "Authorization": f"Basic {basic}",
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
    }
    return HttpRequest("POST", url, headers, urlencode(form).encode())


def _error_of(response: HttpResponse, now: float) -> TokenError:
    if response.status >= 500:  # noqa: PLR2004
        return TokenUnavailable("zoom_error", outcome_known=False)
    if response.status == 429:  # noqa: PLR2004
        wait = retry_after(response.headers.get("retry-after"), now=now)
        return TokenUnavailable("rate_limited", outcome_known=True, retry_after=wait)
    fields = _fields(response.body)
    return _meaning(_number(fields), str(fields.get("error")), response.status)


def _meaning(number: int | None, name: str, status: int) -> TokenError:
    if number in _APP:
        return AppAtFault(_APP[number])
    if number in _REJECTED:
        return GrantRejected(_REJECTED[number])
    if name in _APP_NAMES:
        return AppAtFault(name)
    if name in _REJECTED_NAMES:
        return GrantRejected("invalid_grant")
    if status == 401:  # noqa: PLR2004 - the Basic credentials, since nothing else was in a header
        return AppAtFault("invalid_client")
    # Any other answer (a proxy's page, an unknown number) never ends a grant.
    return TokenUnavailable("unexpected_answer", outcome_known=True)


def _fields(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body)
    except ValueError:
        return {}
    return fields if isinstance(fields, dict) else {}


def _number(fields: Mapping[str, Any]) -> int | None:
    for key in ("errorCode", "error_code", "code"):
        value = fields.get(key)
        if isinstance(value, int) or (isinstance(value, str) and value.isascii() and value.isdigit()):
            return int(value)
    return None


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError
    return value
