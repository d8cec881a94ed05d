"""From a token of the identity provider to a principal. The tokens are made by another library."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest
from joserfc import jws

from tests.fakes.identity import AUDIENCE, ISSUER, NOW, Provider, claims, ec_key, rsa_key, token
from zoom_common.access.authentication import Denial
from zoom_common.access.oidc import LEEWAY, ProviderKeys, TokenVerifier, Trust
from zoom_common.access.principal import Principal
from zoom_common.connections.selection import owner_filter

KEY = rsa_key()
TRUST = Trust(issuer=ISSUER, audience=AUDIENCE)


def verify(text: str, *, trust: Trust = TRUST, now: float = NOW) -> Principal | Denial:
    return TokenVerifier(trust, ProviderKeys(ISSUER, Provider([KEY]))).verify(text, now=now)


def reason(verdict: Principal | Denial) -> tuple[str, str]:
    assert isinstance(verdict, Denial)
    return verdict.reason, verdict.cause


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@pytest.mark.parametrize("algorithm", ["RS256", "RS512", "PS256", "PS384"])
def test_a_key_without_an_algorithm_takes_every_rsa_algorithm(algorithm: str) -> None:
    """RFC 7517 lets a provider leave `alg` out of its keys."""
    assert isinstance(verify(token(KEY, algorithm=algorithm)), Principal)


def test_a_key_with_an_algorithm_takes_that_one_only() -> None:
    """Another algorithm with the same key is refused."""
    provider = Provider(extra=[KEY.as_dict(private=False) | {"alg": "RS256"}])
    verifier = TokenVerifier(TRUST, ProviderKeys(ISSUER, provider))
    assert isinstance(verifier.verify(token(KEY), now=NOW), Principal)
    assert isinstance(verifier.verify(token(KEY, algorithm="PS256"), now=NOW), Denial)


@pytest.mark.parametrize("said", [{"token_use": "id"}, {"typ": "ID"}, {"at_hash": "x"}, {"c_hash": "x"}])
def test_an_id_token_is_no_access_token(said: dict[str, Any]) -> None:
    """It says who signed in at a client. A parameter takes it all the same; `at+jwt` says that it is none."""
    text = token(KEY, claims(**said), typ="JWT")
    assert reason(verify(text)) == ("untrusted_token", "id_token")
    assert isinstance(verify(text, trust=replace(TRUST, id_tokens=True)), Principal)
    assert isinstance(verify(token(KEY, claims(**said))), Principal)


@pytest.mark.parametrize(
    "end", ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400, "true", '"1900000600"', "[]"]
)
def test_an_end_that_is_no_finite_number_is_refused(end: str) -> None:
    """Python reads more numbers than JSON has; none of them lets a token live for ever or is a fault of ours."""
    body = json.dumps(claims(exp=0)).replace('"exp": 0', f'"exp": {end}')
    signed = jws.serialize_compact({"alg": "RS256", "kid": KEY.kid}, body.encode(), KEY, algorithms=["RS256"])
    assert reason(verify(signed))[0] == "untrusted_token"


def test_a_token_names_its_principal() -> None:
    """The principal has the token's tenant, its subject, and those scopes that the gateway has."""
    expected = Principal("acme", "person-1", frozenset({"meetings:read", "connections:read"}))
    assert verify(token(KEY)) == expected


def test_elliptic_curves_sign_too() -> None:
    """Some providers have no RSA key."""
    key = ec_key()
    verifier = TokenVerifier(TRUST, ProviderKeys(ISSUER, Provider([key])))
    assert isinstance(verifier.verify(token(key, algorithm="ES256"), now=NOW), Principal)


def test_a_person_reaches_only_what_is_theirs() -> None:
    """Unless a scope says more."""
    person = verify(token(KEY))
    everyone = verify(token(KEY, claims(scope="connections:all")))
    assert isinstance(person, Principal)
    assert isinstance(everyone, Principal)
    assert (owner_filter(person), owner_filter(everyone)) == ("person-1", None)


def test_nobody_can_be_called_like_a_key() -> None:
    """API keys reach every owner of their tenant; a provider that lets people choose `sub` must not give that away."""
    assert reason(verify(token(KEY, claims(sub="key:abcdefghijkl")))) == ("untrusted_token", "subject")


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        ({"iss": "https://elsewhere.example.com"}, "InvalidIssuerError"),
        ({"iss": None}, "MissingRequiredClaimError"),
        ({"aud": "another-program"}, "audience"),
        ({"aud": None}, "audience"),
        ({"exp": None}, "MissingRequiredClaimError"),
        ({"exp": "tomorrow"}, "times"),
        ({"nbf": NOW + LEEWAY + 1}, "not_yet"),
        ({"iat": NOW + LEEWAY + 1}, "not_yet"),
        ({"sub": None}, "MissingRequiredClaimError"),
        ({"sub": ""}, "subject"),
        ({"sub": "x" * 256}, "subject"),
        ({"tenant": None}, "tenant"),
        ({"tenant": "acme#connections"}, "tenant"),
        ({"tenant": ["acme"]}, "tenant"),
    ],
)
def test_a_token_that_says_the_wrong_thing_is_not_trusted(change: dict[str, Any], cause: str) -> None:
    """The denial's cause names the wrong claim for the log."""
    assert reason(verify(token(KEY, claims(**change)))) == ("untrusted_token", cause)


def test_a_token_ends() -> None:
    """With half a minute for clocks that differ."""
    text = token(KEY)
    assert isinstance(verify(text, now=NOW + 600 + LEEWAY - 1), Principal)
    assert reason(verify(text, now=NOW + 600 + LEEWAY)) == ("expired_token", "")


def test_an_audience_may_be_one_of_several_or_a_client_id() -> None:
    """As API Gateway's own JWT authorizer reads them."""
    assert isinstance(verify(token(KEY, claims(aud=["other", AUDIENCE]))), Principal)
    assert isinstance(verify(token(KEY, claims(aud=None, client_id=AUDIENCE))), Principal)
    assert isinstance(verify(token(KEY, claims(aud="other", client_id=AUDIENCE))), Denial)


def test_tenant_and_scopes_come_from_the_claims_that_are_named() -> None:
    """Providers put them where they like: a URL as a name, a list in place of a text."""
    trust = Trust(issuer=ISSUER, audience=AUDIENCE, tenant_claim="https://acme.example/org", scope_claim="permissions")
    body = claims(**{"https://acme.example/org": "acme", "permissions": ["meetings:write", "else", 7], "tenant": None})
    assert verify(token(KEY, body), trust=trust) == Principal("acme", "person-1", frozenset({"meetings:write"}))


def test_a_provider_of_one_tenant_needs_no_claim() -> None:
    """And a claim does not overrule the setting."""
    trust = Trust(issuer=ISSUER, audience=AUDIENCE, tenant="acme")
    for body in (claims(tenant=None), claims(tenant="other")):
        principal = verify(token(KEY, body), trust=trust)
        assert isinstance(principal, Principal)
        assert principal.tenant == "acme"


def test_a_token_without_scopes_may_do_nothing() -> None:
    """It is still somebody: the function answers 403, not 401."""
    assert verify(token(KEY, claims(scope=None))) == Principal("acme", "person-1", frozenset())


def test_another_key_of_the_same_id_does_not_verify() -> None:
    """The signature is what counts."""
    assert reason(verify(token(rsa_key("key-1")))) == ("untrusted_token", "InvalidSignatureError")


def test_an_unknown_key_is_no_key() -> None:
    """Even when the token would verify with its own."""
    assert reason(verify(token(rsa_key("key-2")))) == ("untrusted_token", "key")


def test_the_public_key_is_no_secret_to_sign_with() -> None:
    """A token signed with HS256 and the published key as its secret is refused."""
    signed = f"{_part({'alg': 'HS256', 'kid': 'key-1'})}.{_part(claims())}"
    seal = hmac.new(KEY.as_pem(private=False), signed.encode(), hashlib.sha256).digest()
    forged = f"{signed}.{base64.urlsafe_b64encode(seal).decode().rstrip('=')}"
    assert reason(verify(forged)) == ("untrusted_token", "algorithm")


def test_an_unsigned_token_is_nobodys() -> None:
    """A token with `alg: none` in any spelling is refused."""
    for name in ("none", "None", "NONE"):
        text = f"{_part({'alg': name, 'kid': 'key-1'})}.{_part(claims())}"
        assert reason(verify(f"{text}.AA"))[0] in {"untrusted_token", "malformed_credential"}


def test_a_key_in_the_header_is_not_believed() -> None:
    """`jwk` and `jku` name the forger's key."""
    forger = rsa_key("key-1")
    text = token(forger, jwk=forger.as_dict(private=False), jku="https://forger.example/keys")
    assert reason(verify(text)) == ("untrusted_token", "InvalidSignatureError")


@pytest.mark.parametrize("text", ["a.b.c", "e30.e30.e30", "...", "x" * 9000])
def test_noise_is_malformed_or_untrusted(text: str) -> None:
    """And raises nothing."""
    assert isinstance(verify(text), Denial)


def test_a_provider_that_is_down_is_not_the_callers_fault() -> None:
    """The edge makes a 503 of it."""
    keys = ProviderKeys(ISSUER, Provider([KEY], down=True))
    assert reason(TokenVerifier(TRUST, keys).verify(token(KEY), now=NOW)) == ("unavailable", "AnswerLost")
