"""Names for connections and one-time secrets for links."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from hashlib import sha256

from zoom_common.connections.model import ID_PREFIX
from zoom_common.secret import Secret

_BASE32 = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's: no i, l, o, u
_TIME_DIGITS, _RANDOM_DIGITS = 10, 16


def connection_id(now: float, random_bits: int) -> str:
    """An id that sorts by time: 48 bits of milliseconds and 80 of `random_bits`."""
    return ID_PREFIX + _digits(int(now * 1000), _TIME_DIGITS) + _digits(random_bits, _RANDOM_DIGITS)


def digest(secret: Secret) -> str:
    """How a ticket, state, cookie or code is kept: who reads the table cannot use what it holds."""
    return sha256(secret.reveal().encode()).hexdigest()


def verifier(cookie: Secret, state: Secret) -> Secret:
    """The PKCE verifier of a link, made from what only its browser and its URL hold, so that none is kept anywhere."""
    made = sha256(f"pkce:{cookie.reveal()}:{state.reveal()}".encode()).digest()
    return Secret(urlsafe_b64encode(made).rstrip(b"=").decode())


def _digits(number: int, count: int) -> str:
    return "".join(_BASE32[number >> shift & 31] for shift in range(5 * (count - 1), -1, -5))
