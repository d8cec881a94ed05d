"""Zoom's request signature and the answer it expects to its challenge.

https://developers.zoom.us/docs/api/webhooks/#verify-webhook-events
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from typing import Any

_ASTRAL = re.compile("[\U00010000-\U0010ffff]")


def sign(secret: str, stamp: str, body: str) -> str:
    """`v0=` and the HMAC-SHA256 of `v0:<stamp>:<body>`; `stamp` is epoch seconds."""
    return "v0=" + _hmac(secret, f"v0:{stamp}:{body}")


def encrypted_token(secret: str, plain_token: str) -> str:
    """What an endpoint has to answer to a challenge."""
    return _hmac(secret, plain_token)


def serialise(event: dict[str, Any]) -> str:
    """The body as Zoom's producers write it: compact, letters raw, but emoji as escaped surrogates.

    That mixture is why a receiver that parses and writes the body again gets another signature.
    """
    text = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
    return _ASTRAL.sub(lambda match: json.dumps(match[0])[1:-1].upper().replace("\\U", "\\u"), text)


def _hmac(secret: str, text: str) -> str:
    return hmac.new(secret.encode(), text.encode(), hashlib.sha256).hexdigest()
