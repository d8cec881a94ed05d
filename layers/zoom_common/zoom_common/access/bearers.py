"""Short-lived bearers: what a client that signs in by itself gets for an API key.

A bearer reads `zt_<random>`. Only its SHA-256 is kept, with the key it came from: the key is read again each time, so a
bearer ends with its key, and with the secret that it was got with.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field, replace
from typing import Protocol

from zoom_common.access.keys import ApiKey, Entropy
from zoom_common.access.principal import Principal
from zoom_common.secret import Secret

# As long as Zoom's own tokens live, in seconds.
LIFE = 3600
_BEARER = re.compile(r"zt_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Bearer:
    """What is kept of a bearer. Times are epoch seconds, UTC. `connection` narrows it to one."""

    digest: bytes = field(repr=False)
    key_id: str
    opened_by: bytes = field(repr=False)
    """Hash of the kept digest of the secret it was got with."""
    expires_at: float
    connection: str | None = None

    def principal(self, key: ApiKey | None, *, now: float) -> Principal | str:
        """Who calls with it, given its key as it is now, or the reason why nobody does."""
        if key is None:
            return "unknown_key"
        if key.revoked_at is not None:
            return "revoked_key"
        if self.expires_at <= now or key.ended(now=now) or not self._secret_counts(key, now):
            return "expired_token"
        caller = key.principal()
        return caller if caller.connection is not None else replace(caller, connection=self.connection)

    def _secret_counts(self, key: ApiKey, now: float) -> bool:
        if hmac.compare_digest(self.opened_by, mark(key.digest)):
            return True
        former = key.previous_digest is not None and hmac.compare_digest(self.opened_by, mark(key.previous_digest))
        return former and key.previous_until is not None and key.previous_until > now


class Bearers(Protocol):
    """Anything that finds a bearer by its digest, or raises Unavailable."""

    def get(self, digest: bytes) -> Bearer | None:
        """The bearer, or None."""
        ...


def mark(digest: bytes) -> bytes:
    """What stands for a secret beside a bearer: it opens nothing, and tells when the secret has changed."""
    return hashlib.sha256(b"bearer:" + digest).digest()


def digest_of(text: str) -> bytes | None:
    """Under what a bearer is kept, or None when `text` is no bearer."""
    return hashlib.sha256(text.encode()).digest() if _BEARER.fullmatch(text) else None


def issue(
    key: ApiKey,
    secret_digest: bytes,
    *,
    now: float,
    connection: str | None = None,
    entropy: Entropy = secrets.token_bytes,
) -> tuple[Secret, Bearer]:
    """A new bearer for `key`, and what to keep of it. It lives an hour, or as long as the key where that is less."""
    text = "zt_" + base64.urlsafe_b64encode(entropy(32)).decode().rstrip("=")
    until = min(now + LIFE, key.valid_until if key.valid_until is not None else now + LIFE)
    digest = hashlib.sha256(text.encode()).digest()
    return Secret(text), Bearer(digest, key.key_id, mark(secret_digest), until, connection)
