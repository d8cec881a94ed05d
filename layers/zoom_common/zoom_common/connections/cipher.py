"""Envelope encryption of tokens: KMS makes and unwraps data keys, this process does the rest."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zoom_common.aws.errors import translated
from zoom_common.connections.seal import SealBroken, SealContext, SealKind, seal, unseal, wrapped_key_of
from zoom_common.secret import Secret

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_kms import KMSClient

_AWAY = "kms_unavailable"
_BROKEN = {"InvalidCiphertextException", "IncorrectKeyException"}


@dataclass(frozen=True, slots=True)
class Sealer:
    """One data key for one context: it seals without asking anybody."""

    context: SealContext
    wrapped_key: bytes
    _key: bytes = field(repr=False)
    _random: Callable[[int], bytes] = field(default=os.urandom, repr=False)

    def seal(self, token: Secret) -> bytes:
        """Seal one token, under a fresh nonce."""
        key, nonce = self._key, self._random(12)
        return seal(token, key=key, wrapped_key=self.wrapped_key, context=self.context, nonce=nonce)


@dataclass(frozen=True, slots=True)
class PairSealer:
    """Both data keys for one connection's next pair."""

    access: Sealer
    refresh: Sealer

    def seal_access(self, token: Secret) -> bytes:
        """The access token, under DataKey."""
        return self.access.seal(token)

    def seal_refresh(self, token: Secret) -> bytes:
        """The refresh token, under RefreshKey."""
        return self.refresh.seal(token)


class Cipher:
    """Seals under one KMS key per kind of token. A function without a kind's key can neither seal nor open it."""

    def __init__(self, kms: KMSClient, keys: Mapping[SealKind, str]) -> None:
        self._kms = kms
        self._keys = keys

    def sealer(self, context: SealContext) -> Sealer:
        """A data key for `context`: fetch it before there is anything to lose. Raises Unavailable."""
        with translated(_AWAY):
            made = self._kms.generate_data_key(
                KeyId=self._keys[context.kind], KeySpec="AES_256", EncryptionContext=context.to_kms()
            )
        return Sealer(context, made["CiphertextBlob"], made["Plaintext"])

    def pair_sealer(self, tenant: str, connection_id: str) -> PairSealer:
        """Data keys for the next pair of one connection. Raises Unavailable."""
        access = self.sealer(SealContext(tenant, connection_id, SealKind.ACCESS))
        return PairSealer(access, self.sealer(SealContext(tenant, connection_id, SealKind.REFRESH)))

    def open(self, sealed: bytes, context: SealContext) -> Secret:
        """The token in a seal. Raises SealBroken when it is no seal of this context, Unavailable when KMS is away."""
        wrapped = wrapped_key_of(sealed)
        with translated(_AWAY, _meaning):
            # Naming the key keeps a seal made under somebody else's key from being opened at all.
            opened = self._kms.decrypt(
                CiphertextBlob=wrapped, KeyId=self._keys[context.kind], EncryptionContext=context.to_kms()
            )
        return unseal(sealed, key=opened["Plaintext"], context=context)


def _meaning(error: ClientError) -> SealBroken | None:
    return SealBroken() if error.response.get("Error", {}).get("Code") in _BROKEN else None
