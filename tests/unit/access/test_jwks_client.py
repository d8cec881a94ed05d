"""The provider's keys: found, kept, asked for again."""

from __future__ import annotations

import pytest

from tests.fakes.identity import ISSUER, NOW, Provider, rsa_key
from zoom_common.access.oidc import FRESH_SECONDS, PAUSE_SECONDS, STALE_SECONDS, ProviderKeys, is_safe
from zoom_common.errors import Unavailable

KEY, NEXT = rsa_key("key-1"), rsa_key("key-2")


def test_keys_are_found_by_discovery_and_kept() -> None:
    """One look at the configuration and one at the keys serve many tokens."""
    provider = Provider([KEY])
    keys = ProviderKeys(ISSUER, provider)
    for moment in (NOW, NOW + 1, NOW + FRESH_SECONDS - 1):
        assert keys.find("key-1", now=moment) is not None
    assert provider.asked == [f"{ISSUER}/.well-known/openid-configuration", "https://id.example.com/keys"]


def test_a_new_key_is_found_when_a_token_names_it() -> None:
    """A token with an unknown key id makes the client read the keys again, because providers rotate them."""
    provider = Provider([KEY])
    keys = ProviderKeys(ISSUER, provider)
    keys.find("key-1", now=NOW)
    provider.keys = [NEXT]
    assert keys.find("key-2", now=NOW + PAUSE_SECONDS) is not None
    assert keys.find("key-1", now=NOW + PAUSE_SECONDS) is None


def test_made_up_key_ids_do_not_become_requests() -> None:
    """The provider is asked once in a while, however many are tried."""
    provider = Provider([KEY])
    keys = ProviderKeys(ISSUER, provider)
    for number in range(20):
        assert keys.find(f"made-up-{number}", now=NOW + number) is None
    assert len(provider.asked) == 2


def test_a_provider_that_is_down_for_an_hour_signs_nobody_out() -> None:
    """What is known stays known for a day."""
    provider = Provider([KEY])
    keys = ProviderKeys(ISSUER, provider)
    keys.find("key-1", now=NOW)
    provider.down = True
    assert keys.find("key-1", now=NOW + 3600) is not None
    with pytest.raises(Unavailable):
        keys.find("key-1", now=NOW + STALE_SECONDS)


@pytest.mark.parametrize(
    "configuration",
    [
        {"issuer": "https://elsewhere.example.com", "jwks_uri": "https://id.example.com/keys"},
        {"issuer": ISSUER, "jwks_uri": "http://id.example.com/keys"},
        {"issuer": ISSUER, "jwks_uri": "file:///etc/passwd"},
        {"issuer": ISSUER},
        {},
    ],
)
def test_a_configuration_that_does_not_fit_is_not_followed(configuration: dict[str, str]) -> None:
    """Another issuer's, or one that leads away from TLS."""
    provider = Provider([KEY], configuration=configuration)
    with pytest.raises(Unavailable):
        ProviderKeys(ISSUER, provider).find("key-1", now=NOW)
    assert provider.asked == [f"{ISSUER}/.well-known/openid-configuration"]


def test_only_signing_keys_count() -> None:
    """Encryption keys, shared secrets and unknown kinds are ignored."""
    extra = [
        {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"},
        {"kty": "XYZ", "kid": "odd"},
        {**rsa_key("enc").as_dict(private=False), "use": "enc"},
    ]
    keys = ProviderKeys(ISSUER, Provider([KEY], extra=extra))  # type: ignore[arg-type]
    assert [keys.find(name, now=NOW) for name in ("shared", "odd", "enc")] == [None, None, None]
    assert keys.find("key-1", now=NOW) is not None


def test_a_token_without_a_key_id_means_the_only_key() -> None:
    """With two there is no telling."""
    assert ProviderKeys(ISSUER, Provider([KEY])).find(None, now=NOW) is not None
    assert ProviderKeys(ISSUER, Provider([KEY, NEXT])).find(None, now=NOW) is None


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://id.example.com", True),
        ("http://localhost:3002", True),
        ("http://127.0.0.1/", True),
        ("http://id.example.com", False),
        ("http://localhost.example.com", False),
        ("file:///etc/passwd", False),
        ("", False),
    ],
)
def test_keys_come_over_tls_or_from_this_machine(url: str, *, safe: bool) -> None:
    """An http URL of another machine is refused, because an attacker could replace the keys."""
    assert is_safe(url) is safe
