"""`POST /oauth/token` for programs: takes an API key's id and secret, and issues a short-lived bearer token."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from zoom_common.access import bearers
from zoom_common.access.authentication import Keys
from zoom_common.access.bearers import Bearer
from zoom_common.access.keys import Credential
from zoom_common.access.principal import CONNECTION_ID

GRANTS = frozenset({"account_credentials", "client_credentials", "authorization_code", "refresh_token"})
# For these Zoom also returns a refresh token. Ours grants nothing: a refresh needs key id and secret again.
_WITH_REFRESH = frozenset({"authorization_code", "refresh_token"})
_CONNECTION = "con_"


class Refused(Exception):
    """The request is refused. `error` and `reason` are the words of Zoom's endpoint; `status` is the HTTP status."""

    def __init__(self, error: str, reason: str, *, status: int = 400) -> None:
        super().__init__(reason)
        self.error = error
        self.reason = reason
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """The endpoint. `keep` stores a bearer; `api_url` is the gateway's own address."""

    keys: Keys
    keep: Callable[[Bearer], None]
    clock: Callable[[], float]
    api_url: str

    def token(self, authorization: str, form: Mapping[str, str]) -> dict[str, Any]:
        """Return a token response in Zoom's form. Raises Refused, and Unavailable when a store fails.

        An `account_id` that is one of our connection ids limits the bearer to that connection.
        """
        if form.get("grant_type") not in GRANTS:
            raise Refused("unsupported_grant_type", "unsupported grant type")
        credential = presented(authorization, form)
        key = self.keys.get(credential.key_id) if credential is not None else None
        now = self.clock()
        if credential is None or key is None or key.refusal(credential, now=now) is not None:
            raise Refused("invalid_client", "Invalid client_id or client_secret")
        account = form.get("account_id", "")
        connection = account if account.startswith(_CONNECTION) else None
        if connection and (not CONNECTION_ID.fullmatch(connection) or key.connection not in {None, connection}):
            raise Refused("invalid_request", "Account does not exist")
        text, bearer = bearers.issue(key, credential.digest(), now=now, connection=connection)
        self.keep(bearer)
        answer: dict[str, Any] = {
            "access_token": text.reveal(),
            "token_type": "bearer",
            "expires_in": int(bearer.expires_at - now),
            "scope": " ".join(sorted(key.scopes)),
            "api_url": self.api_url,
        }
        return answer | ({"refresh_token": f"zr_{key.key_id}"} if form["grant_type"] in _WITH_REFRESH else {})


def presented(authorization: str, form: Mapping[str, str]) -> Credential | None:
    """Return key id and secret from HTTP Basic, else from the form; None without them.

    `zk_<id>` is accepted as the id, and the whole key as the secret.
    """
    scheme, _, encoded = authorization.strip().partition(" ")
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
        except ValueError:  # no base64, no ASCII or no UTF-8
            return None
        # RFC 6749 form-encodes both first; that changes no character that our keys use.
        client, secret = unquote(user), unquote(password)
    else:
        client, secret = form.get("client_id", ""), form.get("client_secret", "")
    whole = Credential.parse(secret)
    key_id = client.strip().removeprefix("zk_")
    if whole is not None:
        return whole if whole.key_id == key_id else None
    return Credential.parse(f"zk_{key_id}_{secret}")
