"""The provider itself: its key, its people, codes and tokens."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from dev.processes import port_is_free
from dev.workspace import Workspace

CLIENT_ID = "zoom-gateway-web"
FILE = "identity.json"
PREFERRED_PORT = 3002
CODE_SECONDS = 60
SESSION_SECONDS = 3600
_PERSONS_SCOPES = (
    "meetings:read meetings:write webinars:read webinars:write users:read recordings:read recordings:write "
    "connections:read connections:write events:read events:write archive:read archive:write jobs:read jobs:write "
    "subscriptions:read subscriptions:write"
)
_OPERATORS_SCOPES = "operator:read operator:write"

# By the beginning of a subject: name, scopes, and the text on the page that asks for a person.
_PEOPLE = {
    "dev": ("Dana Developer", _PERSONS_SCOPES, "sees the Zoom accounts she connects"),
    "ops": (
        "Otto Operator",
        f"{_PERSONS_SCOPES} connections:all {_OPERATORS_SCOPES}",
        "sees every Zoom account of the tenant, and the operator's console",
    ),
}


@dataclass(frozen=True, slots=True)
class Person:
    """An invented person."""

    subject: str
    name: str
    scopes: str
    about: str


@dataclass(slots=True)
class Provider:
    """The provider's state: its address, its one client, its people, and the open codes."""

    issuer: str
    redirect_uris: frozenset[str]
    audience: str
    tenant: str
    key: rsa.RSAPrivateKey
    key_id: str
    people: list[Person]
    clock: Callable[[], float] = time.time
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    def fault(self, asked: dict[str, str]) -> str | None:
        """Return why a request for a code is refused, or None.

        Nobody is redirected to an address that is not registered.
        """
        checks = {
            "client_id": asked.get("client_id") == CLIENT_ID,
            "redirect_uri": asked.get("redirect_uri") in self.redirect_uris,
            "response_type": asked.get("response_type") == "code",
            "code_challenge_method": asked.get("code_challenge_method") == "S256",
            "code_challenge": bool(asked.get("code_challenge")),
        }
        return next((name for name, right in checks.items() if not right), None)

    def code_for(self, subject: str, asked: dict[str, str]) -> str:
        """Return a one-time code for a person who has chosen themselves."""
        code = secrets.token_urlsafe(24)
        kept = {name: asked[name] for name in ("redirect_uri", "code_challenge")}
        self.codes[code] = {**kept, "subject": subject, "until": str(self.clock() + CODE_SECONDS)}
        return code

    def tokens(self, form: dict[str, str]) -> dict[str, Any] | None:
        """Return tokens for a code, once, to the client with its verifier, else None."""
        known = self.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            known is None
            or float(known["until"]) < self.clock()
            or not secrets.compare_digest(challenge, known["code_challenge"])
            or form.get("redirect_uri") != known["redirect_uri"]
            or form.get("client_id") != CLIENT_ID
        ):
            return None
        person = next(each for each in self.people if each.subject == known["subject"])
        return {
            "access_token": self.access_token(person),
            "id_token": self._sign({"sub": person.subject, "aud": CLIENT_ID, "name": person.name}, "JWT"),
            "token_type": "Bearer",
            "expires_in": SESSION_SECONDS,
            "scope": person.scopes,
        }

    def access_token(self, person: Person) -> str:
        """Return the token that the gateway's authorizer reads."""
        claims = {"sub": person.subject, "aud": self.audience, "tenant": self.tenant, "scope": person.scopes}
        return self._sign(claims, "at+jwt")

    def jwks(self) -> dict[str, Any]:
        """Return the public half of the key."""
        described = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.key.public_key()))
        described.pop("key_ops", None)
        return {"keys": [described | {"kid": self.key_id, "use": "sig", "alg": "RS256"}]}

    def _sign(self, claims: dict[str, Any], kind: str) -> str:
        now = int(self.clock())
        whole = {"iss": self.issuer, "iat": now, "exp": now + SESSION_SECONDS, **claims}
        return jwt.encode(whole, self.key, algorithm="RS256", headers={"kid": self.key_id, "typ": kind})


def issuer(port: int) -> str:
    """Return the provider's name, which is its address."""
    return f"http://localhost:{port}"


def port(workspace: Workspace, wanted: int | None = None) -> int:
    """Return the wanted port, else the last one while it is free, because the deployed stack knows the issuer by it."""
    known = workspace.read(FILE)
    likely = [wanted] if wanted else [known.get("port"), PREFERRED_PORT]
    chosen = next((each for each in likely if each and port_is_free(each)), wanted)
    if chosen is None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            chosen = probe.getsockname()[1]
    if chosen != known.get("port"):
        workspace.write(FILE, _made_up(known) | {"port": chosen})
    return int(chosen)


def _made_up(known: dict[str, Any]) -> dict[str, Any]:
    if "key" in known:
        return known
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    people = [[f"{role}-{secrets.token_hex(6)}"] for role in _PEOPLE]
    return {"key": pem, "key_id": secrets.token_hex(8), "people": people}


def load(workspace: Workspace, *, port: int, redirect_uris: list[str], audience: str, tenant: str) -> Provider:
    """Return the provider of this run, with the key and the people of earlier runs."""
    known = _made_up(workspace.read(FILE))
    key = jwt.algorithms.RSAAlgorithm(jwt.algorithms.RSAAlgorithm.SHA256).prepare_key(known["key"])
    assert isinstance(key, rsa.RSAPrivateKey)
    # Subjects stay from run to run; the scopes are those of this version.
    people = [Person(str(subject), *_PEOPLE[str(subject).partition("-")[0]]) for subject, *_ in known["people"]]
    return Provider(issuer(port), frozenset(redirect_uris), audience, tenant, key, known["key_id"], people)
