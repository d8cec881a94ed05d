"""PKCE: S256 and plain, and plain when the method is left out, as Zoom has it.

https://developers.zoom.us/blog/public-pkce/
"""

from __future__ import annotations

import base64
import hashlib
import hmac

METHODS = ("S256", "plain")


def matches(challenge: str, method: str, verifier: str) -> bool:
    """Whether `verifier` is the one that `challenge` was made from."""
    made = verifier
    if method == "S256":
        made = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    return hmac.compare_digest(made.encode(), challenge.encode())
