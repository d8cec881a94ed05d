"""Turns an `Authorization` header into a principal, or into a denial. What the caller may do is decided elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

from zoom_common.access.bearers import Bearers, digest_of
from zoom_common.access.keys import ApiKey, Credential
from zoom_common.access.principal import Principal
from zoom_common.errors import DependencyFailed, InternalError


@dataclass(frozen=True, slots=True)
class Denial:
    """No principal, and the reason.

    Of a key: unknown_key, wrong_secret, expired_key, revoked_key. Of a token: untrusted_token, expired_token. Of both:
    malformed_credential, unavailable, internal_error.
    """

    reason: str
    cause: str = ""  # what the store reported, or what is wrong with a token; for the log

    def to_context(self) -> dict[str, str]:
        """Return the authorizer context of a denied request."""
        return {"denied": self.reason}


class Keys(Protocol):
    """Finds a key by its id, or raises Unavailable."""

    def get(self, key_id: str) -> ApiKey | None:
        """Return the key, or None."""
        ...


class Tokens(Protocol):
    """Checks tokens of the identity provider."""

    def verify(self, token: str, *, now: float) -> Principal | Denial:
        """Return the person who signed in, or the reason why the token is not accepted."""
        ...


# Three parts in base64url (RFC 7515, section 3.1), and no longer than a header may be.
_JWT = re.compile(r"(?=.{20,8192}$)[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


def authenticate(
    header: str, keys: Keys, *, now: float, tokens: Tokens | None = None, bearers: Bearers | None = None
) -> Principal | Denial:
    """Return the principal of an `Authorization` header, or a denial.

    The header holds an API key, a bearer issued for one, or, where `tokens` is given, a token of the identity provider.
    `now` is in epoch seconds. Raises nothing: a store that fails leads to a denial.
    """
    scheme, _, credential_text = header.strip().partition(" ")
    text = credential_text.strip() if scheme.lower() == "bearer" else ""
    if tokens is not None and _JWT.fullmatch(text):
        return tokens.verify(text, now=now)
    digest = digest_of(text) if bearers is not None else None
    if bearers is not None and digest is not None:
        return _by_bearer(bearers, digest, keys, now)
    credential = Credential.parse(text)
    if credential is None:
        return Denial("malformed_credential")
    try:
        key = keys.get(credential.key_id)
    except DependencyFailed as error:
        return _not_asked(error)
    if key is None:
        return Denial("unknown_key")
    refusal = key.refusal(credential, now=now)
    return key.principal() if refusal is None else Denial(refusal)


def _by_bearer(bearers: Bearers, digest: bytes, keys: Keys, now: float) -> Principal | Denial:
    try:
        bearer = bearers.get(digest)
        key = keys.get(bearer.key_id) if bearer is not None else None
    except DependencyFailed as error:
        return _not_asked(error)
    if bearer is None:
        return Denial("unknown_key")
    caller = bearer.principal(key, now=now)
    return Denial(caller) if isinstance(caller, str) else caller


def _not_asked(error: DependencyFailed) -> Denial:
    """Return the denial when the store failed. A fault of ours is reported as internal_error, not as unavailable."""
    return Denial("internal_error" if isinstance(error, InternalError) else "unavailable", error.cause)
