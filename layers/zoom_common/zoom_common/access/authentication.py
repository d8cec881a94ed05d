"""From an `Authorization` header to who is calling, or to why nobody is. Never to what the caller may do."""

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
    """No principal, and why.

    Of a key: unknown_key, wrong_secret, expired_key, revoked_key. Of a token: untrusted_token, expired_token. Of both:
    malformed_credential, unavailable, internal_error.
    """

    reason: str
    cause: str = ""  # what the store ran into or what is wrong with a token, for the log

    def to_context(self) -> dict[str, str]:
        """The authorizer context of a refusal."""
        return {"denied": self.reason}


class Keys(Protocol):
    """Anything that finds a key by its id, or raises Unavailable."""

    def get(self, key_id: str) -> ApiKey | None:
        """The key, or None."""
        ...


class Tokens(Protocol):
    """Anything that judges a token of the identity provider."""

    def verify(self, token: str, *, now: float) -> Principal | Denial:
        """Who signed in, or why nobody did."""
        ...


# Three parts in base64url (RFC 7515, section 3.1), and no longer than a header may be.
_JWT = re.compile(r"(?=.{20,8192}$)[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


def authenticate(
    header: str, keys: Keys, *, now: float, tokens: Tokens | None = None, bearers: Bearers | None = None
) -> Principal | Denial:
    """Judge an `Authorization` header: an API key, a bearer got for one, or a token for which there is a judge.

    `now` in epoch seconds. Raises nothing: a store that fails is a denial.
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
    """The store could not be asked, or refused to be: a fault of ours is not called an outage."""
    return Denial("internal_error" if isinstance(error, InternalError) else "unavailable", error.cause)
