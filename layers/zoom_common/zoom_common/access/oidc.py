"""People who sign in at the company's identity provider: from an OIDC access token to a principal.

https://openid.net/specs/openid-connect-core-1_0.html and https://www.rfc-editor.org/rfc/rfc9068 say what a token
holds. Which claims name the tenant and the scopes is the provider's business, and a setting here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import jwt

from zoom_common.access.authentication import Denial
from zoom_common.access.principal import SCOPES, Principal
from zoom_common.errors import Unavailable

# Public keys only: with HS256 on this list, the public key itself would be the secret to forge tokens with.
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
# Clocks differ by this much, in seconds.
LEEWAY = 30.0
# Subjects of API keys begin so, and reach every owner of their tenant: no person may be called like that.
KEY_PREFIX = "key:"
_TENANT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_LONGEST_SUBJECT = 255  # OpenID Connect Core, section 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whose tokens count, and how they are read.

    `audience` is this gateway's name at the provider. `tenant_claim` and `scope_claim` name claims; with `tenant` set,
    everybody the provider knows belongs to that one tenant.
    """

    issuer: str
    audience: str
    tenant_claim: str = "tenant"
    scope_claim: str = "scope"
    tenant: str = ""


class Keys(Protocol):
    """The provider's public keys. Raises Unavailable when it has none and cannot be asked."""

    def find(self, key_id: str | None, *, now: float) -> jwt.PyJWK | None:
        """The signing key with this id; without an id, the only one there is."""
        ...


@dataclass(frozen=True, slots=True)
class TokenVerifier:
    """Judges tokens of one issuer."""

    trust: Trust
    keys: Keys

    def verify(self, token: str, *, now: float) -> Principal | Denial:
        """Who signed in, or why nobody did: malformed_credential, untrusted_token, expired_token, unavailable."""
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
            # Times are judged below, by the clock that is passed in.
            unjudged = {"verify_exp": False, "verify_nbf": False, "verify_iat": False, "verify_aud": False}
            claims = jwt.decode(
                token,
                key,
                algorithms=ALGORITHMS,
                issuer=self.trust.issuer,
                options={"require": ["exp", "sub", "iss"], **unjudged},  # type: ignore[arg-type]
            )
        except jwt.PyJWTError as error:
            return Denial("untrusted_token", type(error).__name__)
        return self._judge(claims, now)

    def _judge(self, claims: Mapping[str, Any], now: float) -> Principal | Denial:
        tenant = self.trust.tenant or claims.get(self.trust.tenant_claim)
        times = [claims["exp"], claims.get("nbf", 0), claims.get("iat", 0)]
        faults = {
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
    # Amazon Cognito's access tokens have no `aud`; API Gateway's own JWT authorizer reads `client_id` then, too.
    named = claims.get("aud", claims.get("client_id"))
    return named if isinstance(named, list) else [named]


def _is_time(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_subject(value: object) -> bool:
    fits = isinstance(value, str) and 0 < len(value) <= _LONGEST_SUBJECT and value.isprintable()
    return fits and not str(value).startswith(KEY_PREFIX)


def _scopes(claim: object) -> frozenset[str]:
    """The gateway's scopes among those in a claim: a text with spaces, or a list. Others mean nothing here."""
    named = claim.split() if isinstance(claim, str) else claim
    return (
        frozenset(each for each in named if isinstance(each, str)) & SCOPES if isinstance(named, list) else frozenset()
    )
