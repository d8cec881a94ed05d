"""People who sign in at the company's identity provider: turns an OIDC access token into a principal."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol
from urllib.parse import urlsplit

import jwt

from zoom_common.access.authentication import Denial
from zoom_common.access.principal import SCOPES, Principal
from zoom_common.errors import Unavailable
from zoom_common.transport import AnswerLost, NotSent, RequestsTransport, Transport
from zoom_common.zoom.http import HttpRequest

# Public keys only: with HS256 on this list, the public key itself would be the secret to forge tokens with.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")

_RSA = tuple(each for each in ALGORITHMS if each.startswith(("RS", "PS")))

# Clocks differ by this much, in seconds.
LEEWAY = 30.0

# Subjects of API keys begin like this and reach every owner of their tenant, so a person's subject must not.
KEY_PREFIX = "key:"

_TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")

_LONGEST_SUBJECT = 255  # OpenID Connect Core, section 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The identity provider whose tokens are accepted, and how they are read.

    `audience` is this gateway's name at the provider. `tenant_claim` and `scope_claim` name claims; with `tenant` set,
    every user of the provider belongs to that one tenant. With `id_tokens`, ID tokens are accepted like access tokens.
    """

    issuer: str
    audience: str
    tenant_claim: str = "tenant"
    scope_claim: str = "scope"
    tenant: str = ""
    id_tokens: bool = False


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One public key of the provider, with the algorithms that its tokens may name."""

    key_id: str | None
    key: Any
    algorithms: tuple[str, ...]


class Keys(Protocol):
    """The provider's public keys. Raises Unavailable when it has none and cannot be asked."""

    def find(self, key_id: str | None, *, now: float) -> SigningKey | None:
        """Return the signing key with this id; without an id, the only key there is, else None."""
        ...


@dataclass(frozen=True, slots=True)
class TokenVerifier:
    """Checks tokens of one issuer."""

    trust: Trust
    keys: Keys

    def verify(self, token: str, *, now: float) -> Principal | Denial:
        """Return who signed in, or a denial: malformed_credential, untrusted_token, expired_token or unavailable."""
        try:
            header = jwt.get_unverified_header(token)
        except jwt.PyJWTError:
            return Denial("malformed_credential")
        if header.get("alg") not in ALGORITHMS:
            return Denial("untrusted_token", "algorithm")
        try:
            key = self.keys.find(header.get("kid"), now=now)
        except Unavailable as error:
            return Denial("unavailable", error.cause)
        if key is None:
            return Denial("untrusted_token", "key")
        try:
            # Times are checked below, against the clock that is passed in.
            unjudged = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
            claims = jwt.decode(
                token,
                key.key,
                algorithms=key.algorithms,
                issuer=self.trust.issuer,
                options={"require": ["exp", "sub", "iss"], **unjudged},  # type: ignore[arg-type]
            )
        except jwt.PyJWTError as error:
            return Denial("untrusted_token", type(error).__name__)
        return self._judge(header, claims, now)

    def _judge(self, header: Mapping[str, Any], claims: Mapping[str, Any], now: float) -> Principal | Denial:
        tenant = self.trust.tenant or claims.get(self.trust.tenant_claim)
        times = [claims["exp"], claims.get("nbf", 0), claims.get("iat", 0)]
        faults = {
            "id_token": not self.trust.id_tokens and _is_id_token(header, claims),
            "audience": self.trust.audience not in _audiences(claims),
            "times": not all(map(_is_time, times)),
            "subject": not _is_subject(claims["sub"]),
            "tenant": not (isinstance(tenant, str) and _TENANT.fullmatch(tenant)),
        }
        if any(faults.values()):
            return Denial("untrusted_token", next(name for name, wrong in faults.items() if wrong))
        ends, *begins = times
        if ends + LEEWAY <= now:
            return Denial("expired_token")
        if max(begins) > now + LEEWAY:
            return Denial("untrusted_token", "not_yet")
        return Principal(str(tenant), claims["sub"], _scopes(claims.get(self.trust.scope_claim)))


def _audiences(claims: Mapping[str, Any]) -> list[Any]:
    # Amazon Cognito's access tokens have no `aud`; API Gateway's JWT authorizer then reads `client_id`, and so do we.
    named = claims.get("aud", claims.get("client_id"))
    return named if isinstance(named, list) else [named]


def _is_id_token(header: Mapping[str, Any], claims: Mapping[str, Any]) -> bool:
    """Return whether a token is an ID token: it says who signed in, and permits no call.

    An access token says so in its header (RFC 9068, section 2.1). Otherwise the provider's claim decides: `token_use`
    of Amazon Cognito, `typ` of Keycloak, and the hashes that only ID tokens have (OpenID Connect Core, 3.1.3.6).
    https://docs.aws.amazon.com/cognito/latest/developerguide/amazon-cognito-user-pools-using-the-id-token.html
    """
    if str(header.get("typ", "")).lower().removeprefix("application/") == "at+jwt":
        return False
    named = claims.get("token_use") == "id" or claims.get("typ") == "ID"
    return named or not {"at_hash", "c_hash"}.isdisjoint(claims)


def _is_time(value: object) -> bool:
    """Return whether a claim is a number of seconds: finite, and small enough to be compared with one."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return -_LATEST <= value <= _LATEST  # NaN is neither


# The year 33658. JSON's numbers have no upper bound, and the largest do not fit into a float.
_LATEST = 10**12


def _is_subject(value: object) -> bool:
    fits = isinstance(value, str) and 0 < len(value) <= _LONGEST_SUBJECT and value.isprintable()
    return fits and not str(value).startswith(KEY_PREFIX)


def _scopes(claim: object) -> frozenset[str]:
    """Return the gateway's scopes in a claim, which is a text with spaces or a list. Other scopes are ignored."""
    named = claim.split() if isinstance(claim, str) else claim
    return (
        frozenset(each for each in named if isinstance(each, str)) & SCOPES if isinstance(named, list) else frozenset()
    )


FRESH_SECONDS = 600.0

# An outage of an hour at the provider signs nobody out; after a day without an answer its keys are not trusted.
STALE_SECONDS = 86_400.0

# Limits the requests to the provider that tokens with made-up key ids can cause.
PAUSE_SECONDS = 30.0

TIMEOUT = 2.5

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})

_OK = 200


class _Unreadable(Exception):
    """The provider's answer is not a valid configuration or key set."""


class ProviderKeys:
    """One issuer's signing keys. `issuer` is an https URL, or an http URL on this machine."""

    def __init__(self, issuer: str, transport: Transport) -> None:
        self._issuer = issuer
        self._transport = transport
        self._keys: list[SigningKey] = []
        self._read_at = float("-inf")
        self._asked_at = float("-inf")

    def find(self, key_id: str | None, *, now: float) -> SigningKey | None:
        """Return the key with this id; without an id, the only key there is, else None. Raises Unavailable."""
        if now - self._read_at >= FRESH_SECONDS:
            self._refresh(now)
        found = self._find(key_id)
        if found is None and now - self._asked_at >= PAUSE_SECONDS:
            self._refresh(now)
            found = self._find(key_id)
        return found

    def _find(self, key_id: str | None) -> SigningKey | None:
        if key_id is None:
            return self._keys[0] if len(self._keys) == 1 else None
        return next((key for key in self._keys if key.key_id == key_id), None)

    def _refresh(self, now: float) -> None:
        usable = bool(self._keys) and now - self._read_at < STALE_SECONDS
        if now - self._asked_at < PAUSE_SECONDS and usable:
            return
        self._asked_at = now
        try:
            self._keys = self._read()
            self._read_at = now
        except (NotSent, AnswerLost, _Unreadable) as error:
            if not usable:
                raise Unavailable(reason="identity_provider_unavailable", cause=type(error).__name__) from None

    def _read(self) -> list[SigningKey]:
        about = self._get(self._issuer.rstrip("/") + "/.well-known/openid-configuration")
        if about.get("issuer") != self._issuer:
            raise _Unreadable("another issuer")
        keys = self._get(str(about.get("jwks_uri", ""))).get("keys")
        read = [_signing_key(each) for each in keys] if isinstance(keys, list) else []
        if not any(read):
            raise _Unreadable("no keys")
        return [key for key in read if key is not None]

    def _get(self, url: str) -> dict[str, Any]:
        if not is_safe(url):
            raise _Unreadable("address")
        answer = self._transport.send(HttpRequest("GET", url, {"accept": "application/json"}), timeout=TIMEOUT)
        try:
            content = json.loads(answer.body) if answer.status == _OK else None
        except ValueError:
            content = None
        if not isinstance(content, dict):
            raise _Unreadable("answer")
        return content


def is_safe(url: str) -> bool:
    """Return whether keys may be read from `url`: over TLS, or from this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _signing_key(described: Any) -> SigningKey | None:
    """Return the key, or None when it is not for signing or of an unsupported kind.

    Providers may leave `alg` out (RFC 7517, section 4.4). An RSA key then takes every RSA algorithm of the list.
    """
    if not isinstance(described, dict) or described.get("use", "sig") != "sig" or described.get("kty") == "oct":
        return None
    try:
        key = jwt.PyJWK(described)
    except jwt.PyJWTError:
        return None
    every = _RSA if described["kty"] == "RSA" and "alg" not in described else (key.algorithm_name,)
    return SigningKey(key.key_id, key.key, tuple(each for each in every if each in ALGORITHMS))


class OidcSettings(Protocol):
    """The settings of the identity provider."""

    @property
    def oidc_issuer(self) -> str: ...  # noqa: D102
    @property
    def oidc_audience(self) -> str: ...  # noqa: D102
    @property
    def oidc_tenant_claim(self) -> str: ...  # noqa: D102
    @property
    def oidc_scope_claim(self) -> str: ...  # noqa: D102
    @property
    def oidc_tenant(self) -> str: ...  # noqa: D102
    @property
    def oidc_id_tokens(self) -> bool: ...  # noqa: D102


@cache
def verifier(settings: OidcSettings) -> TokenVerifier:
    """Return a verifier for these settings, which keeps the provider's keys as long as the container lives."""
    trust = Trust(
        issuer=settings.oidc_issuer,
        audience=settings.oidc_audience,
        tenant_claim=settings.oidc_tenant_claim,
        scope_claim=settings.oidc_scope_claim,
        tenant=settings.oidc_tenant,
        id_tokens=settings.oidc_id_tokens,
    )
    return TokenVerifier(trust, ProviderKeys(settings.oidc_issuer, RequestsTransport()))
