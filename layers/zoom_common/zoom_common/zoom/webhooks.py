"""Tells Zoom's deliveries from everyone else's, and answers Zoom's endpoint challenge.

Bytes, headers, secrets and time in; the secret that verified, or the reason why none did, out. Nothing here parses the
body: Zoom signs the bytes it sent, and no serialiser gives exactly those back.
https://developers.zoom.us/docs/api/webhooks/#verify-webhook-events
"""

from __future__ import annotations

import hmac
import re
from binascii import hexlify
from collections.abc import Iterable, Mapping

from zoom_common.secret import Secret
from zoom_common.values import dataclass, field

SIGNATURE = "x-zm-signature"
TIMESTAMP = "x-zm-request-timestamp"

# Zoom repeats a failed delivery after 5, 25 and 85 minutes, and only its first repeat has been seen with a new stamp.
RETRY_HORIZON = 90 * 60
TOLERATED_SKEW = 5 * 60

CHALLENGE = "endpoint.url_validation"
_PLAIN_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}")
_MOST_DIGITS = 12


class Rejected(Exception):
    """Not provably Zoom's. `reason` is safe to log; the message holds no header and no body."""

    reason = "rejected"

    def __init__(self) -> None:
        super().__init__(self.reason)


class MissingHeader(Rejected):
    """The signature or its timestamp is not there."""

    reason = "missing_header"


class MalformedTimestamp(Rejected):
    """The timestamp is not a number of epoch seconds."""

    reason = "malformed_timestamp"


class StaleTimestamp(Rejected):
    """Stamped longer ago than Zoom still retries."""

    reason = "stale_timestamp"


class EarlyTimestamp(Rejected):
    """Stamped further in the future than clocks differ."""

    reason = "early_timestamp"


class WrongSignature(Rejected):
    """No secret that was active when the delivery was stamped gives this signature."""

    reason = "wrong_signature"


class MalformedChallenge(Exception):
    """A genuine challenge whose token we refuse to sign, because it could be more than a token."""


@dataclass(frozen=True, slots=True)
class SigningSecret:
    """A secret token of one Zoom app, from `starts` until before `ends` (epoch seconds, None for open)."""

    app: str
    value: Secret
    starts: float | None = None
    ends: float | None = None

    def active(self, at: float) -> bool:
        """Whether a delivery stamped at `at` may be signed with this secret."""
        return (self.starts is None or self.starts <= at) and (self.ends is None or at < self.ends)


@dataclass(frozen=True, slots=True)
class Claim:
    """What a delivery's headers claim, fresh enough to be worth a look at its signature."""

    stamp: str
    stamped_at: int
    signature: str = field(repr=False)

    @classmethod
    def from_headers(cls, headers: Mapping[str, str], *, now: float) -> Claim:
        """Read the lower-case headers at `now`, in epoch seconds. Raises Rejected, before any secret is needed."""
        signature, stamp = headers.get(SIGNATURE), headers.get(TIMESTAMP)
        if not signature or not stamp:
            raise MissingHeader
        if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= _MOST_DIGITS):
            raise MalformedTimestamp
        stamped_at = int(stamp)
        if stamped_at < now - RETRY_HORIZON:
            raise StaleTimestamp
        if stamped_at > now + TOLERATED_SKEW:
            raise EarlyTimestamp
        return cls(stamp, stamped_at, signature)

    def verify(self, body: bytes, secrets: Iterable[SigningSecret]) -> SigningSecret:
        """The secret that signed `body`; its `app` is the only identity a delivery has. Raises WrongSignature.

        A secret's dates are held against the signed stamp, so that a repeat of a delivery signed before a rotation
        still counts; a leaked secret has to be removed, not dated.
        """
        message = b"v0:" + self.stamp.encode() + b":" + body
        claimed = self.signature.encode(errors="replace")
        verified = None
        for secret in secrets:  # all of them, so that the time taken does not tell which one it was
            matches = hmac.compare_digest(b"v0=" + _hex_hmac(secret.value, message), claimed)
            if matches and verified is None and secret.active(self.stamped_at):
                verified = secret
        if verified is None:
            raise WrongSignature
        return verified


def verify(body: bytes, headers: Mapping[str, str], secrets: Iterable[SigningSecret], *, now: float) -> SigningSecret:
    """The secret that signed a delivery that arrived at `now`. Raises Rejected; see Claim for the two steps of it."""
    return Claim.from_headers(headers, now=now).verify(body, secrets)


def answer_challenge(payload: object, secret: SigningSecret) -> dict[str, str]:
    """The answer to a verified challenge, made with the secret that verified it. Raises MalformedChallenge.

    The token's alphabet has no colon: signing `v0:<stamp>:<body>` for a caller would be signing deliveries for him.
    https://developers.zoom.us/docs/api/webhooks/#validate-your-webhook-endpoint
    """
    token = payload.get("plainToken") if isinstance(payload, dict) else None
    if not isinstance(token, str) or not _PLAIN_TOKEN.fullmatch(token):
        raise MalformedChallenge
    return {"plainToken": token, "encryptedToken": _hex_hmac(secret.value, token.encode()).decode()}


def _hex_hmac(secret: Secret, message: bytes) -> bytes:
    return hexlify(hmac.digest(secret.reveal().encode(), message, "sha256"))
