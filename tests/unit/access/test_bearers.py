"""Short-lived bearers, and how long they count."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.access_stores import AWAY, MemoryApiKeys, MemoryBearers
from zoom_common.access import bearers
from zoom_common.access.authentication import Denial, authenticate
from zoom_common.access.bearers import LIFE
from zoom_common.access.keys import ApiKey, Credential, issue
from zoom_common.access.principal import Principal

NOW = 1_800_000_000.0
CREDENTIAL = Credential.generate(entropy=lambda size: b"\x5a" * size)
KEY = issue(CREDENTIAL, tenant="acme", name="reports", scopes=["meetings:read"], now=NOW)
TEXT, BEARER = bearers.issue(KEY, CREDENTIAL.digest(), now=NOW)


def verdict(key: ApiKey | None = KEY, *, at: float = NOW, text: str = TEXT.reveal()) -> Principal | Denial:
    return authenticate(f"Bearer {text}", MemoryApiKeys(*filter(None, [key])), now=at, bearers=MemoryBearers(BEARER))


def test_a_bearer_is_its_keys_principal() -> None:
    """A bearer's principal has the key's tenant and scopes."""
    assert verdict() == KEY.principal()


def test_a_bearer_ends_after_an_hour() -> None:
    """As Zoom's do; and with a key that ends before."""
    assert isinstance(verdict(at=NOW + LIFE - 1), Principal)
    assert verdict(at=NOW + LIFE) == Denial("expired_token")
    short = replace(KEY, valid_until=NOW + 60)
    assert bearers.issue(short, CREDENTIAL.digest(), now=NOW)[1].expires_at == NOW + 60


def test_a_bearer_ends_with_its_key() -> None:
    """Revoked, expired, deleted."""
    assert verdict(replace(KEY, revoked_at=NOW)) == Denial("revoked_key")
    assert verdict(replace(KEY, valid_until=NOW)) == Denial("expired_token")
    assert verdict(None) == Denial("unknown_key")


def test_a_bearer_ends_with_the_secret_it_was_got_with() -> None:
    """A rotated secret counts as long as its overlap, and so does what was got with it."""
    rotated = replace(KEY, digest=b"new" * 10, previous_digest=KEY.digest, previous_until=NOW + 60)
    assert isinstance(verdict(rotated, at=NOW + 59), Principal)
    assert verdict(rotated, at=NOW + 60) == Denial("expired_token")
    assert verdict(replace(KEY, digest=b"new" * 10)) == Denial("expired_token")


def test_a_bearer_can_be_for_one_connection() -> None:
    """A key that is bound already stays bound to its own."""
    narrow = replace(BEARER, connection="con_1")
    assert narrow.principal(KEY, now=NOW) == replace(KEY.principal(), connection="con_1")
    bound = replace(KEY, connection="con_2")
    assert narrow.principal(bound, now=NOW) == bound.principal()


@pytest.mark.parametrize("text", ["zt_", "zt_" + "A" * 42, "zt_" + "A" * 44, "zt_" + "A" * 42 + "!"])
def test_what_is_no_bearer_is_malformed(text: str) -> None:
    """And costs no look at the table."""
    assert verdict(text=text) == Denial("malformed_credential")


def test_an_unknown_bearer_opens_nothing() -> None:
    """Nor does one that nobody can look up."""
    assert verdict(text="zt_" + "B" * 43) == Denial("unknown_key")
    down = authenticate(f"Bearer {TEXT.reveal()}", MemoryApiKeys(KEY), now=NOW, bearers=MemoryBearers(down=AWAY))
    assert isinstance(down, Denial)
    assert down.reason == "unavailable"


def test_neither_bearer_nor_secret_can_be_read_from_what_is_kept() -> None:
    """What is kept is hashes, and shows none of them."""
    assert TEXT.reveal().encode() not in BEARER.digest
    assert BEARER.opened_by != KEY.digest
    assert "digest" not in repr(BEARER)
