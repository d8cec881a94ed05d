"""Envelope encryption of tokens: KMS makes and unwraps data keys; this process encrypts with AES-256-GCM."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from zoom_common.aws.client import begin
from zoom_common.aws.errors import translated
from zoom_common.errors import DependencyFailed
from zoom_common.secret import Secret

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

    from zoom_common.aws.client import Json

VERSION = 1

_NONCE = 12

_HEADER = 3


class SealBroken(Exception):
    """The bytes are not a seal of this gateway for this context."""


class SealKind(StrEnum):
    """The kind of secret in a seal. A role may open the kinds that its policy names, each under one KMS key."""

    ACCESS = "access_token"
    REFRESH = "refresh_token"
    SUBSCRIPTION = "subscription_secret"


@dataclass(frozen=True, slots=True)
class SealContext:
    """What a seal is bound to: tenant, connection and kind."""

    tenant: str
    connection: str
    kind: SealKind

    def to_kms(self) -> dict[str, str]:
        """Return the context as KMS's encryption context, which CloudTrail logs. It holds ids only."""
        return {"tenant": self.tenant, "connection": self.connection, "kind": str(self.kind)}

    def to_bytes(self) -> bytes:
        """Return the context as the cipher's additional data."""
        return json.dumps([VERSION, self.tenant, self.connection, str(self.kind)], separators=(",", ":")).encode()


def seal(token: Secret, *, key: bytes, wrapped_key: bytes, context: SealContext, nonce: bytes) -> bytes:
    """Encrypt `token`. A nonce must never be used twice with one key."""
    ciphertext = AESGCM(key).encrypt(nonce, token.reveal().encode(), context.to_bytes())
    return bytes([VERSION]) + len(wrapped_key).to_bytes(2) + wrapped_key + nonce + ciphertext


def wrapped_key_of(sealed: bytes) -> bytes:
    """Return the wrapped data key of a seal, which KMS can unwrap. Raises SealBroken."""
    end = _HEADER + int.from_bytes(sealed[1:_HEADER])
    if sealed[:1] != bytes([VERSION]) or len(sealed) < end + _NONCE:
        raise SealBroken
    return sealed[_HEADER:end]


def unseal(sealed: bytes, *, key: bytes, context: SealContext) -> Secret:
    """Decrypt a seal with its data key. Raises SealBroken."""
    body = _HEADER + len(wrapped_key_of(sealed))
    nonce, ciphertext = sealed[body : body + _NONCE], sealed[body + _NONCE :]
    try:
        return Secret(AESGCM(key).decrypt(nonce, ciphertext, context.to_bytes()).decode())
    except InvalidTag:
        raise SealBroken from None


_AWAY = "kms_unavailable"

_BROKEN = {"InvalidCiphertextException", "IncorrectKeyException"}


@dataclass(frozen=True, slots=True)
class Sealer:
    """One data key for one context. It seals without a call to KMS."""

    context: SealContext
    wrapped_key: bytes
    _key: bytes = field(repr=False)
    _random: Callable[[int], bytes] = field(default=os.urandom, repr=False)

    def seal(self, token: Secret) -> bytes:
        """Seal one token with a new nonce."""
        key, nonce = self._key, self._random(12)
        return seal(token, key=key, wrapped_key=self.wrapped_key, context=self.context, nonce=nonce)


@dataclass(frozen=True, slots=True)
class PairSealer:
    """The two data keys for the next token pair of one connection."""

    access: Sealer
    refresh: Sealer

    def seal_access(self, token: Secret) -> bytes:
        """Seal the access token under DataKey."""
        return self.access.seal(token)

    def seal_refresh(self, token: Secret) -> bytes:
        """Seal the refresh token under RefreshKey."""
        return self.refresh.seal(token)


class Cipher:
    """Seals under one KMS key per kind of token. A function without the key of a kind can neither seal nor open it."""

    def __init__(self, kms: KMSClient, keys: Mapping[SealKind, str]) -> None:
        self._kms = kms
        self._keys = keys

    def sealer(self, context: SealContext) -> Sealer:
        """Return a new data key for `context`. Fetch it before asking Zoom for tokens. Raises Unavailable."""
        return self._begin_sealer(context)()

    def pair_sealer(self, tenant: str, connection_id: str) -> PairSealer:
        """Return data keys for the next token pair of one connection. Raises Unavailable."""
        return self.begin_pair_sealer(tenant, connection_id)()

    def begin_pair_sealer(self, tenant: str, connection_id: str) -> Callable[[], PairSealer]:
        """Ask for the data keys of the next pair of one connection, both at once; the result waits as `pair_sealer`."""
        access = self._begin_sealer(SealContext(tenant, connection_id, SealKind.ACCESS))
        refresh = self._begin_sealer(SealContext(tenant, connection_id, SealKind.REFRESH))
        return lambda: PairSealer(access(), refresh())

    def open(self, sealed: bytes, context: SealContext) -> Secret:
        """Return the token in a seal.

        Raises SealBroken when it is no seal of this context, Unavailable when KMS fails.
        """
        return self._opened(sealed, context, self._ask("decrypt", **self._to_open(sealed, context)))

    def begin_open(self, sealed: bytes, context: SealContext) -> Callable[[], Secret]:
        """Ask for the data key of a seal; the result waits for it, and returns and raises as `open` does."""
        try:
            asked = self._begin("decrypt", **self._to_open(sealed, context))
        except SealBroken:
            return lambda: self.open(sealed, context)
        return lambda: self._opened(sealed, context, asked)

    def _to_open(self, sealed: bytes, context: SealContext) -> Json:
        # Naming the key keeps a seal made under somebody else's key from being opened at all.
        key = self._keys[context.kind]
        return {"CiphertextBlob": wrapped_key_of(sealed), "KeyId": key, "EncryptionContext": context.to_kms()}

    @staticmethod
    def _opened(sealed: bytes, context: SealContext, asked: Callable[[], Json]) -> Secret:
        with translated(_AWAY, _meaning):
            opened = asked()
        return unseal(sealed, key=opened["Plaintext"], context=context)

    def _begin_sealer(self, context: SealContext) -> Callable[[], Sealer]:
        about = context.to_kms()
        asked = self._begin(
            "generate_data_key", KeyId=self._keys[context.kind], KeySpec="AES_256", EncryptionContext=about
        )

        def made() -> Sealer:
            with translated(_AWAY):
                answer = asked()
            return Sealer(context, answer["CiphertextBlob"], answer["Plaintext"])

        return made

    def _ask(self, operation: str, **request: Any) -> Callable[[], Json]:
        return lambda: getattr(self._kms, operation)(**request)

    def _begin(self, operation: str, **request: Any) -> Callable[[], Json]:
        """Ask KMS, beside what else it is asked. What cannot be asked is raised by the result."""
        try:
            return begin(self._kms, operation, beside=True, **request)
        except (BotoCoreError, ClientError, DependencyFailed):
            return self._ask(operation, **request)


def _meaning(error: ClientError) -> SealBroken | None:
    return SealBroken() if error.response.get("Error", {}).get("Code") in _BROKEN else None
