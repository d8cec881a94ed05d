"""The identity provider's public keys: found by discovery, kept for a while, asked for again when one is unknown.

https://openid.net/specs/openid-connect-discovery-1_0.html
"""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

import jwt

from zoom_common.errors import Unavailable
from zoom_common.transport import AnswerLost, NotSent, Transport
from zoom_common.zoom.wire import HttpRequest

FRESH_SECONDS = 600.0
# A provider that is down for an hour signs nobody out; one that is gone for a day is no longer believed.
STALE_SECONDS = 86_400.0
# Tokens with made-up key ids must not turn into requests to the provider.
PAUSE_SECONDS = 30.0
TIMEOUT = 2.5
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_OK = 200


class _Unreadable(Exception):
    """The provider answered something that is no configuration or no key set."""


class ProviderKeys:
    """One issuer's signing keys. `issuer` is https, or http on this very machine."""

    def __init__(self, issuer: str, transport: Transport) -> None:
        self._issuer = issuer
        self._transport = transport
        self._keys: list[jwt.PyJWK] = []
        self._read_at = float("-inf")
        self._asked_at = float("-inf")

    def find(self, key_id: str | None, *, now: float) -> jwt.PyJWK | None:
        """The key with this id; without an id, the only one there is. Raises Unavailable."""
        if now - self._read_at >= FRESH_SECONDS:
            self._refresh(now)
        found = self._find(key_id)
        if found is None and now - self._asked_at >= PAUSE_SECONDS:
            self._refresh(now)
            found = self._find(key_id)
        return found

    def _find(self, key_id: str | None) -> jwt.PyJWK | None:
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

    def _read(self) -> list[jwt.PyJWK]:
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
    """Whether keys may be read from there: over TLS, or without leaving this machine."""
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)


def _signing_key(described: Any) -> jwt.PyJWK | None:
    """The key, or None for one that is not for signing or of a kind nobody here knows."""
    if not isinstance(described, dict) or described.get("use", "sig") != "sig" or described.get("kty") == "oct":
        return None
    try:
        return jwt.PyJWK(described)
    except jwt.PyJWTError:
        return None
