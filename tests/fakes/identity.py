"""An identity provider of another make: its keys and tokens come from joserfc, not from the library under test."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from zoom_common.transport import AnswerLost
from zoom_common.zoom.http import HttpRequest, HttpResponse

ISSUER = "https://id.example.com/realm"
AUDIENCE = "zoom-gateway"
NOW = 1_900_000_000.0

type Key = RSAKey | ECKey


def rsa_key(key_id: str = "key-1") -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": key_id, "use": "sig"})


def ec_key(key_id: str = "key-1") -> ECKey:
    return ECKey.generate_key("P-256", {"kid": key_id, "use": "sig"})


def claims(**changes: Any) -> dict[str, Any]:
    """What a token of a signed-in person says. A change to None leaves the claim out."""
    whole = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "person-1",
        "iat": int(NOW) - 10,
        "exp": int(NOW) + 600,
        "tenant": "acme",
        "scope": "openid meetings:read connections:read",
    }
    return {name: value for name, value in (whole | changes).items() if value is not None}


def token(key: Key, body: dict[str, Any] | None = None, *, algorithm: str = "RS256", **header: Any) -> str:
    """A signed token. A header of None is left out."""
    head = {"alg": algorithm, "kid": key.kid, "typ": "at+jwt"} | header
    return jwt.encode(
        {name: value for name, value in head.items() if value is not None},
        claims() if body is None else body,
        key,
        algorithms=[algorithm],
    )


@dataclass(slots=True)
class Provider:
    """A transport that is the provider: discovery and keys."""

    keys: list[Key] = field(default_factory=list)
    down: bool = False
    asked: list[str] = field(default_factory=list)
    configuration: dict[str, Any] = field(
        default_factory=lambda: {"issuer": ISSUER, "jwks_uri": "https://id.example.com/keys"}
    )
    extra: list[dict[str, Any]] = field(default_factory=list)

    def send(self, request: HttpRequest, *, timeout: float) -> HttpResponse:
        assert timeout > 0
        self.asked.append(request.url)
        if self.down:
            raise AnswerLost
        if request.url.endswith("/.well-known/openid-configuration"):
            return HttpResponse(200, {}, json.dumps(self.configuration).encode())
        described = [key.as_dict(private=False) for key in self.keys]
        return HttpResponse(200, {}, json.dumps({"keys": [*described, *self.extra]}).encode())
