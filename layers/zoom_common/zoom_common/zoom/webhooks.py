"""Verifies the signatures of Zoom's deliveries, and answers Zoom's endpoint challenge.

It takes bytes, headers, secrets and the time, and returns the secret that verified, or raises an error with the reason.
It does not parse the body: Zoom signs the bytes it sent, and no serialiser would give exactly the same bytes.
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

# Zoom repeats a failed delivery after 5, 25 and 85 minutes. Only its first repeat has been seen with a new timestamp.
RETRY_HORIZON = 90 * 60
TOLERATED_SKEW = 5 * 60

CHALLENGE = "endpoint.url_validation"
_PLAIN_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,128}")
_MOST_DIGITS = 12


class Rejected(Exception):
    """It cannot be proved that the delivery is Zoom's.

    `reason` may be logged; the message has no header and no body.
    """

    reason = "rejected"

    def __init__(self) -> None:
        super().__init__(self.reason)


class MissingHeader(Rejected):
    """The signature or its timestamp is missing."""

    reason = "missing_header"


class MalformedTimestamp(Rejected):
    """The timestamp is not a number of epoch seconds."""

    reason = "malformed_timestamp"


class StaleTimestamp(Rejected):
    """The timestamp is older than Zoom's last retry."""

    reason = "stale_timestamp"


class EarlyTimestamp(Rejected):
    """The timestamp is further in the future than clocks differ."""

    reason = "early_timestamp"


class WrongSignature(Rejected):
    """No secret that was active at the delivery's timestamp gives this signature."""

    reason = "wrong_signature"


class MalformedChallenge(Exception):
    """The challenge is genuine, but its token is not signed, because it could be more than a token."""


@dataclass(frozen=True, slots=True)
class SigningSecret:
    """A secret token of one Zoom app, from `starts` until before `ends` (epoch seconds, None for open)."""

    app: str
    value: Secret
    starts: float | None = None
    ends: float | None = None

    def active(self, at: float) -> bool:
        """Return whether a delivery with the timestamp `at` may be signed with this secret."""
        return (self.starts is None or self.starts <= at) and (self.ends is None or at < self.ends)


@dataclass(frozen=True, slots=True)
class Claim:
    """The signature and timestamp of a delivery's headers, with a timestamp that is recent enough."""

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
        """Return the secret that signed `body`. Its `app` is the only identity of a delivery. Raises WrongSignature.

        The dates of a secret are compared with the signed timestamp, so that a repeat of a delivery that was signed
        before a rotation still verifies. A leaked secret has to be removed; an end date is not enough.
        """
        message = b"v0:" + self.stamp.encode() + b":" + body
        claimed = self.signature.encode(errors="replace")
        verified = None
        for secret in secrets:  # all of them, so that the time does not reveal which one matched
            matches = hmac.compare_digest(b"v0=" + _hex_hmac(secret.value, message), claimed)
            if matches and verified is None and secret.active(self.stamped_at):
                verified = secret
        if verified is None:
            raise WrongSignature
        return verified


def verify(body: bytes, headers: Mapping[str, str], secrets: Iterable[SigningSecret], *, now: float) -> SigningSecret:
    """Return the secret that signed a delivery that arrived at `now` (epoch seconds). Raises Rejected. See `Claim`."""
    return Claim.from_headers(headers, now=now).verify(body, secrets)


def answer_challenge(payload: object, secret: SigningSecret) -> dict[str, str]:
    """Return the answer to a verified challenge, made with the secret that verified it. Raises MalformedChallenge.

    A token with a colon is refused, because signing `v0:<stamp>:<body>` would mean to sign a delivery for the caller.
    https://developers.zoom.us/docs/api/webhooks/#validate-your-webhook-endpoint
    """
    token = payload.get("plainToken") if isinstance(payload, dict) else None
    if not isinstance(token, str) or not _PLAIN_TOKEN.fullmatch(token):
        raise MalformedChallenge
    return {"plainToken": token, "encryptedToken": _hex_hmac(secret.value, token.encode()).decode()}


def _hex_hmac(secret: Secret, message: bytes) -> bytes:
    return hexlify(hmac.digest(secret.reveal().encode(), message, "sha256"))
