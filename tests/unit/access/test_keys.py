"""The form of API keys, and when a secret opens one."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from zoom_common.access.keys import ApiKey, Credential, issue
from zoom_common.access.principal import OPERATOR_SCOPES, SCOPES
from zoom_common.errors import InvalidRequest

NOW = 1_800_000_000.0


def new_key(credential: Credential, **changes: Any) -> ApiKey:
    """A valid key with these changes."""
    given: dict[str, Any] = {"tenant": "acme", "name": "reports", "scopes": ["meetings:read"], "now": NOW}
    return issue(credential, **(given | changes))


def test_a_key_has_the_documented_form() -> None:
    """`zk_`, 12 characters of id, 43 of secret."""
    text = Credential.generate(entropy=lambda size: bytes(range(size))).text().reveal()
    assert text == "zk_aaaqeayeauda_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"
    assert len(text) == 3 + 12 + 1 + 43


def test_a_key_reads_back_as_its_halves() -> None:
    """Also when the secret holds underscores and hyphens."""
    credential = Credential.generate(entropy=lambda size: b"\xff" * size)
    assert "_" in credential.secret.reveal()
    assert Credential.parse(credential.text().reveal()) == credential


def test_two_keys_are_never_the_same() -> None:
    """Both halves come from the system's randomness."""
    one, other = Credential.generate(), Credential.generate()
    assert one.key_id != other.key_id
    assert one.secret != other.secret


@pytest.mark.parametrize(
    "text",
    [
        "",
        "zk_",
        "eyJhbGciOiJIUzI1NiJ9.e30.sig",
        "zk_abcdefghijkl_short",
        "zk_ABCDEFGHIJKL_" + "a" * 43,
        "zk_abcdefghijk1_" + "a" * 43,
        "zk_abcdefghijkl_" + "a" * 44,
        "zk_abcdefghijkl_" + "a" * 42 + "=",
        " zk_abcdefghijkl_" + "a" * 43,
        "zk_abcdefghijkl_" + "a" * 43 + "\n",
        "zk_abcdefghijkl_" + "\u0661" * 43,
    ],
)
def test_anything_else_is_no_key(text: str) -> None:
    """Nothing is trimmed, folded or guessed."""
    assert Credential.parse(text) is None


def test_only_the_hash_of_the_secret_is_kept() -> None:
    """Who reads the table cannot call with what is in it, and no repr shows either."""
    credential = Credential.generate()
    secret = credential.secret.reveal()
    key = new_key(credential)
    assert key.digest == hashlib.sha256(secret.encode()).digest()
    assert secret not in repr(key) + repr(credential)


def test_the_right_secret_opens_and_gives_the_principal() -> None:
    """Tenant, scopes and connection are the key's; the subject is its id."""
    credential = Credential.generate()
    key = new_key(credential, connection="con_1")
    principal = key.principal()
    assert key.refusal(credential, now=NOW) is None
    assert (principal.tenant, principal.connection) == ("acme", "con_1")
    assert (principal.subject, principal.scopes) == (f"key:{key.key_id}", frozenset({"meetings:read"}))


def test_another_secret_does_not_open() -> None:
    """Knowing the id is knowing nothing; an ended key does not say so to a wrong secret."""
    key = new_key(Credential.generate(), valid_until=NOW + 1)
    guess = Credential.generate(key_id=key.key_id)
    assert key.refusal(guess, now=NOW) == "wrong_secret"
    assert key.refusal(guess, now=NOW + 2) == "wrong_secret"
    assert replace(key, revoked_at=NOW).refusal(guess, now=NOW) == "wrong_secret"


def test_a_key_ends_at_its_time() -> None:
    """Valid before, expired from that second on."""
    credential = Credential.generate()
    key = new_key(credential, valid_until=NOW + 10)
    assert key.refusal(credential, now=NOW + 9.9) is None
    assert key.refusal(credential, now=NOW + 10) == "expired_key"


def test_a_revoked_key_stays_revoked() -> None:
    """Whatever else holds of it."""
    credential = Credential.generate()
    assert replace(new_key(credential), revoked_at=NOW + 5).refusal(credential, now=NOW) == "revoked_key"


def test_after_a_rotation_both_secrets_open_for_a_while() -> None:
    """The former secret ends with the overlap, or with the key; the new one goes on."""
    former, current = Credential.generate(), Credential.generate()
    key = replace(new_key(former), digest=current.digest(), previous_digest=former.digest(), previous_until=NOW + 60)
    assert key.refusal(former, now=NOW + 59) is None
    assert key.refusal(former, now=NOW + 60) == "expired_key"
    assert key.refusal(current, now=NOW + 60) is None
    assert replace(key, valid_until=NOW + 30).refusal(former, now=NOW + 30) == "expired_key"
    assert replace(key, previous_until=None).refusal(former, now=NOW) == "expired_key"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tenant", ""),
        ("tenant", "Acme"),
        ("tenant", "-acme"),
        ("tenant", "a#b"),
        ("tenant", "a" * 64),
        ("tenant", "acme\n"),
        ("name", ""),
        ("name", "two\nlines"),
        ("name", "x" * 101),
        ("scopes", []),
        ("scopes", ["meetings:read", "meetings:delete"]),
        ("expires", NOW),
    ],
)
def test_a_field_that_will_not_do_is_named(field: str, value: Any) -> None:
    """Each by itself, with what would do."""
    with pytest.raises(InvalidRequest) as raised:
        new_key(Credential.generate(), **{"valid_until" if field == "expires" else field: value})
    assert [each.field for each in raised.value.fields] == [field]


def test_every_known_scope_can_be_given() -> None:
    """The list of scopes is one list."""
    assert new_key(Credential.generate(), scopes=SCOPES, operator=True).scopes == SCOPES


@pytest.mark.parametrize("scope", sorted(OPERATOR_SCOPES))
def test_only_a_key_for_an_operator_has_an_operators_scope(scope: str) -> None:
    """The refusal does not list it among the scopes that a key can have."""
    with pytest.raises(InvalidRequest) as refused:
        new_key(Credential.generate(), scopes={"meetings:read", scope})
    assert scope not in refused.value.fields[0].message
    assert new_key(Credential.generate(), scopes={scope}, operator=True).principal().may(scope)
