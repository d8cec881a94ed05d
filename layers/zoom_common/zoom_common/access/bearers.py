"""Short-lived bearer tokens, issued for an API key to clients that sign in by themselves, and where they are stored."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field, replace
from math import ceil
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from zoom_common.access.keys import ApiKey, Entropy
from zoom_common.access.principal import Principal
from zoom_common.aws.table import Table
from zoom_common.secret import Secret

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem

# As long as Zoom's own tokens live, in seconds.
LIFE = 3600

_BEARER = re.compile(r"zt_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Bearer:
    """A bearer as it is stored. Times are epoch seconds, UTC. `connection` limits it to one connection."""

    digest: bytes = field(repr=False)
    key_id: str
    opened_by: bytes = field(repr=False)
    """Hash of the digest of the secret that the client signed in with."""
    expires_at: float
    connection: str | None = None

    def principal(self, key: ApiKey | None, *, now: float) -> Principal | str:
        """Return who calls with the bearer, given its key as it is now, or the reason for a denial."""
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
    """Finds a bearer by its digest, or raises Unavailable."""

    def get(self, digest: bytes) -> Bearer | None:
        """Return the bearer, or None."""
        ...


def mark(digest: bytes) -> bytes:
    """Return a digest to store with a bearer. It opens nothing, and shows whether the secret has changed."""
    return hashlib.sha256(b"bearer:" + digest).digest()


def digest_of(text: str) -> bytes | None:
    """Return the digest under which a bearer is stored, or None when `text` is no bearer."""
    return hashlib.sha256(text.encode()).digest() if _BEARER.fullmatch(text) else None


def issue(
    key: ApiKey,
    secret_digest: bytes,
    *,
    now: float,
    connection: str | None = None,
    entropy: Entropy = secrets.token_bytes,
) -> tuple[Secret, Bearer]:
    """Return a new bearer for `key`, and the record to store.

    It lives an hour, or until the key ends if that is sooner.
    """
    text = "zt_" + base64.urlsafe_b64encode(entropy(32)).decode().rstrip("=")
    until = min(now + LIFE, key.valid_until if key.valid_until is not None else now + LIFE)
    digest = hashlib.sha256(text.encode()).digest()
    return Secret(text), Bearer(digest, key.key_id, mark(secret_digest), until, connection)


_SORT = "bearer"

_AWAY = "bearer_store_unavailable"


class BearerStore:
    """Bearers by digest. Both methods raise Unavailable when the table cannot be asked."""

    OWNED_KEYS: ClassVar = {"coordination": (r"bearer#.+", r"bearer")}

    def __init__(self, coordination: Table) -> None:
        self._table = coordination.with_reason(_AWAY)

    def put(self, bearer: Bearer) -> None:
        """Store a new bearer until it expires."""
        item: dict[str, Any] = {
            **_key(bearer.digest),
            "key_id": {"S": bearer.key_id},
            "opened_by": {"B": bearer.opened_by},
            "until": {"N": str(bearer.expires_at)},
            "expires_at": {"N": str(ceil(bearer.expires_at))},
        }
        if bearer.connection is not None:
            item["connection"] = {"S": bearer.connection}
        self._table.call("put_item", Item=item)

    def get(self, digest: bytes) -> Bearer | None:
        """Return the bearer or None. An expired one may still be there."""
        item = self._table.call("get_item", Key=_key(digest), ConsistentRead=True).get("Item")
        if item is None:
            return None
        return Bearer(
            digest=digest,
            key_id=item["key_id"]["S"],
            opened_by=item["opened_by"]["B"],
            expires_at=float(item["until"]["N"]),
            connection=item.get("connection", {}).get("S"),
        )

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether an erasure deletes a bearer: with its key, or with the connection that it is limited to."""
        return item["key_id"] in target.key_ids or item.get("connection") in target.connection_ids


def _key(digest: bytes) -> dict[str, Any]:
    return {"pk": {"S": f"bearer#{digest.hex()}"}, "sk": {"S": _SORT}}
