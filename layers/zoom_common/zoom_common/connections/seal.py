"""The sealed form of a token: one format version, the wrapped data key, a nonce, and AES-256-GCM over the token.

    1 byte version | 2 bytes length | wrapped data key | 12 bytes nonce | ciphertext and tag

The context is additional data, for the data key (by KMS) and for the token: a seal moved to another connection or kind
does not open.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from zoom_common.secret import Secret

VERSION = 1
_NONCE = 12
_HEADER = 3


class SealBroken(Exception):
    """The bytes are not a seal of ours under this context."""


class SealKind(StrEnum):
    """What is sealed; each kind has its own KMS key."""

    ACCESS = "access_token"
    REFRESH = "refresh_token"


@dataclass(frozen=True, slots=True)
class SealContext:
    """What a seal belongs to."""

    tenant: str
    connection: str
    kind: SealKind

    def to_kms(self) -> dict[str, str]:
        """As KMS's encryption context, which CloudTrail logs: ids only."""
        return {"tenant": self.tenant, "connection": self.connection, "kind": str(self.kind)}

    def to_bytes(self) -> bytes:
        """As additional data."""
        return json.dumps([VERSION, self.tenant, self.connection, str(self.kind)], separators=(",", ":")).encode()


def seal(token: Secret, *, key: bytes, wrapped_key: bytes, context: SealContext, nonce: bytes) -> bytes:
    """Seal `token`. A nonce is never used twice with one key."""
    ciphertext = AESGCM(key).encrypt(nonce, token.reveal().encode(), context.to_bytes())
    return bytes([VERSION]) + len(wrapped_key).to_bytes(2) + wrapped_key + nonce + ciphertext


def wrapped_key_of(sealed: bytes) -> bytes:
    """The wrapped data key of a seal, for KMS to open. Raises SealBroken."""
    end = _HEADER + int.from_bytes(sealed[1:_HEADER])
    if sealed[:1] != bytes([VERSION]) or len(sealed) < end + _NONCE:
        raise SealBroken
    return sealed[_HEADER:end]


def unseal(sealed: bytes, *, key: bytes, context: SealContext) -> Secret:
    """Open a seal with its data key. Raises SealBroken."""
    body = _HEADER + len(wrapped_key_of(sealed))
    nonce, ciphertext = sealed[body : body + _NONCE], sealed[body + _NONCE :]
    try:
        return Secret(AESGCM(key).decrypt(nonce, ciphertext, context.to_bytes()).decode())
    except InvalidTag:
        raise SealBroken from None
