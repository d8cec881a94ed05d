"""Zoom's signature and challenge."""

from __future__ import annotations

import hashlib
import hmac
import json

from zoom_simulator.webhooks.signing import encrypted_token, serialise, sign


def test_the_signature_is_that_of_the_documentation() -> None:
    """HMAC-SHA256 over `v0:timestamp:body`, hexadecimal, after `v0=`."""
    expected = hmac.new(b"secret", b"v0:1700000000:{}", hashlib.sha256).hexdigest()
    assert sign("secret", "1700000000", "{}") == f"v0={expected}"


def test_the_encrypted_token_is_the_plain_one_hashed() -> None:
    """HMAC-SHA256 of the plain token."""
    assert encrypted_token("s", "abc") == hmac.new(b"s", b"abc", hashlib.sha256).hexdigest()


def test_bodies_cannot_be_written_again_alike() -> None:
    """Letters are raw, emoji are escaped: no serialiser writes both that way."""
    body = serialise({"topic": "d\u2019or 🚒"})
    assert body == '{"topic":"d\u2019or \\uD83D\\uDE92"}'
    assert json.loads(body) == {"topic": "d\u2019or 🚒"}
    assert body not in (json.dumps(json.loads(body)), json.dumps(json.loads(body), ensure_ascii=False))
