"""API keys: their form, the stored record, and whether a secret is valid.

A key reads `zk_<id>_<secret>`. The id is public and names the record; the secret has 256 bits, is shown once,
and only its SHA-256 is kept: a secret of that size needs no slow hash.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from zoom_common.access.principal import CONNECTION_ID, OPERATOR_SCOPES, SCOPES, Principal
from zoom_common.errors import FieldError, InvalidRequest
from zoom_common.secret import Secret

_KEY = re.compile(r"zk_([a-z2-7]{12})_([A-Za-z0-9_-]{43})")
_TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_LONGEST_NAME = 100
# An HTTP API's own account limit is 10,000 requests a second.
MOST_PER_MINUTE = 600_000
LIMIT_RULE = f"A whole number from 1 to {MOST_PER_MINUTE}, requests in each minute."

type Entropy = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Credential:
    """The two halves of a key, as a caller presents them."""

    key_id: str
    secret: Secret

    @classmethod
    def generate(cls, *, key_id: str | None = None, entropy: Entropy = secrets.token_bytes) -> Credential:
        """Return a new secret, for a new key or for the existing key `key_id`."""
        new_id = base64.b32encode(entropy(8)).decode().lower()[:12]
        secret = base64.urlsafe_b64encode(entropy(32)).decode().rstrip("=")
        return cls(key_id or new_id, Secret(secret))

    @classmethod
    def parse(cls, text: str) -> Credential | None:
        """Return the halves of `text`, or None when it is not an API key."""
        found = _KEY.fullmatch(text)
        return cls(found[1], Secret(found[2])) if found else None

    def text(self) -> Secret:
        """The whole key, as its owner has to send it."""
        return Secret(f"zk_{self.key_id}_{self.secret.reveal()}")

    def digest(self) -> bytes:
        """The digest of the secret, which is what is stored."""
        return hashlib.sha256(self.secret.reveal().encode()).digest()


@dataclass(frozen=True, slots=True)
class ApiKey:
    """The record of a key. Times are epoch seconds, UTC. The previous secret is valid until `previous_until`."""

    key_id: str
    tenant: str
    name: str
    scopes: frozenset[str]
    digest: bytes = field(repr=False)
    created_at: float
    connection: str | None = None
    valid_until: float | None = None
    revoked_at: float | None = None
    previous_digest: bytes | None = field(default=None, repr=False)
    previous_until: float | None = None
    requests_per_minute: int | None = None
    """The most requests per minute; None means the gateway's default."""

    def refusal(self, credential: Credential, *, now: float) -> str | None:
        """Return the reason why `credential` is not valid for this key, or None when it is.

        The secret is checked first, so that only somebody with a correct secret learns that the key is revoked or
        expired.
        """
        digest = credential.digest()
        current = hmac.compare_digest(digest, self.digest)
        previous = hmac.compare_digest(digest, self.previous_digest or b"")
        if not (current or previous):
            return "wrong_secret"
        if self.revoked_at is not None:
            return "revoked_key"
        outlived = not current and (self.previous_until is None or self.previous_until <= now)
        return "expired_key" if outlived or self.ended(now=now) else None

    def ended(self, *, now: float) -> bool:
        """Return whether the key has ended, so that no secret is valid any more."""
        return self.revoked_at is not None or (self.valid_until is not None and self.valid_until <= now)

    def principal(self) -> Principal:
        """Return the principal of calls with this key."""
        subject = f"key:{self.key_id}"
        return Principal(self.tenant, subject, self.scopes, self.connection, self.requests_per_minute, self.name)


def issue(
    credential: Credential,
    *,
    tenant: str,
    name: str,
    scopes: Iterable[str],
    now: float,
    connection: str | None = None,
    valid_until: float | None = None,
    requests_per_minute: int | None = None,
    operator: bool = False,
) -> ApiKey:
    """Return the record of a new key. Raises InvalidRequest naming each field that is wrong.

    Scopes for the whole stack are refused unless the key is for an `operator`.
    """
    asked = frozenset(scopes)
    allowed = SCOPES if operator else SCOPES - OPERATOR_SCOPES
    checks = {
        "tenant": ("Lower-case letters, digits and hyphens, at most 63.", _TENANT.fullmatch(tenant) is not None),
        "name": (
            f"One line of 1 to {_LONGEST_NAME} characters.",
            0 < len(name) <= _LONGEST_NAME and name.isprintable(),
        ),
        "scopes": (f"At least one of: {', '.join(sorted(allowed))}.", bool(asked) and asked <= allowed),
        "connection": (
            "The id of one connection, as GET /connections lists it.",
            connection is None or CONNECTION_ID.fullmatch(connection) is not None,
        ),
        "expires": ("A time to come.", valid_until is None or valid_until > now),
        "requests_per_minute": (LIMIT_RULE, is_limit(requests_per_minute)),
    }
    wrong = [FieldError(each, message) for each, (message, right) in checks.items() if not right]
    if wrong:
        raise InvalidRequest(wrong)
    return ApiKey(
        credential.key_id,
        tenant,
        name,
        asked,
        credential.digest(),
        now,
        connection,
        valid_until,
        requests_per_minute=requests_per_minute,
    )


def is_limit(requests_per_minute: int | None) -> bool:
    """Return whether a key can have this limit."""
    return requests_per_minute is None or 0 < requests_per_minute <= MOST_PER_MINUTE
