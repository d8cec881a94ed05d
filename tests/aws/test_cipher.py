"""Sealing under KMS, against moto."""

from __future__ import annotations

import pytest
from mypy_boto3_kms import KMSClient

from zoom_common.aws import clients
from zoom_common.connections.cipher import Cipher, SealBroken, SealContext, SealKind
from zoom_common.errors import InternalError
from zoom_common.secret import Secret

pytestmark = pytest.mark.aws

CONTEXT = SealContext("acme", "con_1", SealKind.REFRESH)


@pytest.fixture
def kms() -> KMSClient:
    return clients.boto3_client("kms")


@pytest.fixture
def keys(kms: KMSClient) -> dict[SealKind, str]:
    return {kind: kms.create_key()["KeyMetadata"]["Arn"] for kind in SealKind}


@pytest.mark.parametrize("length", [1, 40, 700, 5000])
def test_tokens_of_any_length(kms: KMSClient, keys: dict[SealKind, str], length: int) -> None:
    """What is sealed opens, and never twice to the same bytes."""
    cipher, token = Cipher(kms, keys), Secret("t" * length)
    sealer = cipher.sealer(CONTEXT)
    first, second = sealer.seal(token), sealer.seal(token)
    assert first != second
    assert cipher.open(first, CONTEXT) == cipher.open(second, CONTEXT) == token


@pytest.mark.parametrize(
    "foreign",
    [
        SealContext("other", "con_1", SealKind.REFRESH),
        SealContext("acme", "con_2", SealKind.REFRESH),
        SealContext("acme", "con_1", SealKind.ACCESS),
    ],
)
def test_a_moved_seal_does_not_open(kms: KMSClient, keys: dict[SealKind, str], foreign: SealContext) -> None:
    """A seal cannot be opened for another tenant, connection or kind."""
    cipher = Cipher(kms, keys)
    sealed = cipher.sealer(CONTEXT).seal(Secret("token"))
    with pytest.raises(SealBroken):
        cipher.open(sealed, foreign)


def test_a_pair_is_sealed_under_two_keys(kms: KMSClient, keys: dict[SealKind, str]) -> None:
    """A function that may use DataKey only opens access tokens, and nothing else."""
    seals = Cipher(kms, keys).pair_sealer("acme", "con_1")
    reader = Cipher(kms, {SealKind.ACCESS: keys[SealKind.ACCESS]})
    access = SealContext("acme", "con_1", SealKind.ACCESS)
    assert reader.open(seals.seal_access(Secret("a")), access) == Secret("a")
    with pytest.raises(SealBroken):
        reader.open(seals.seal_refresh(Secret("r")), access)


def test_a_missing_key_is_a_fault_of_ours(kms: KMSClient) -> None:
    """Whatever KMS says, its text stays inside."""
    with pytest.raises(InternalError, match="went wrong"):
        Cipher(kms, {SealKind.REFRESH: "00000000-0000-0000-0000-000000000000"}).sealer(CONTEXT)


def test_a_sealer_hides_its_key(kms: KMSClient, keys: dict[SealKind, str]) -> None:
    """Nothing that could be printed opens a token."""
    sealer = Cipher(kms, keys).sealer(CONTEXT)
    assert repr(sealer._key) not in repr(sealer)
