"""Sends one event to one subscription's target, signed by the Standard Webhooks specification.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from zoom_common import __version__
from zoom_common.connections.cipher import Cipher, SealBroken, SealContext, SealKind
from zoom_common.events.bus import CloudEvent, event_id, rfc3339
from zoom_common.events.subscriptions.addresses import AddressRefused, Endpoint, endpoint_of
from zoom_common.events.subscriptions.model import SOURCE, TEST, VERIFICATION, Attempt, Subscription
from zoom_common.events.subscriptions.target_client import Answer, NoAnswer
from zoom_common.secret import Secret

PREFIX = "whsec_"
# The specification asks for 24 to 64 bytes.
_SECRET_BYTES = 32
_MOST_OPENED = 5_000
_LONGEST_CHALLENGE_ANSWER = 65_536
_OK = 200
CHALLENGE_MISMATCH = "challenge_mismatch"

type Entropy = Callable[[int], bytes]


def new_secret(entropy: Entropy = secrets.token_bytes) -> Secret:
    """Return a new secret in the form that its owner gets: `whsec_` and 32 random bytes in base64."""
    return Secret(PREFIX + base64.b64encode(entropy(_SECRET_BYTES)).decode())


def signature_headers(message_id: str, body: bytes, *, at: float, secrets: Sequence[Secret]) -> Mapping[str, str]:
    """Return the three headers of a delivery, signed with each of `secrets`, at `at` (epoch seconds).

    Raises ValueError when a secret was not made by `new_secret`.
    """
    timestamp = str(int(at))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{_signature(each, signed)}" for each in secrets),
    }


def _signature(secret: Secret, signed: bytes) -> str:
    return base64.b64encode(hmac.digest(_key(secret), signed, hashlib.sha256)).decode()


def _key(secret: Secret) -> bytes:
    text = secret.reveal()
    if not text.startswith(PREFIX):
        raise ValueError("not a secret of a subscription")
    try:
        return base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error:
        raise ValueError("not a secret of a subscription") from None


class SigningSecrets:
    """Seals subscriptions' secrets, and opens each once per container. Methods raise Unavailable when KMS fails."""

    def __init__(self, cipher: Cipher) -> None:
        self._cipher = cipher
        self._opened: dict[bytes, Secret] = {}

    def seal(self, tenant: str, subscription_id: str, secret: Secret) -> bytes:
        """Return a secret as it is stored."""
        return self._cipher.sealer(_context(tenant, subscription_id)).seal(secret)

    def of(self, subscription: Subscription, *, now: float) -> Sequence[Secret]:
        """Return the secrets to sign with: the current one and, during a rotation, also the former one."""
        found = [self._open(subscription, subscription.secret)]
        if subscription.previous_secret is not None and (subscription.previous_until or 0.0) > now:
            found.append(self._open(subscription, subscription.previous_secret))
        return found

    def _open(self, subscription: Subscription, sealed: bytes) -> Secret:
        found = self._opened.get(sealed)
        if found is None:
            found = self._cipher.open(sealed, _context(subscription.tenant, subscription.subscription_id))
            if len(self._opened) >= _MOST_OPENED:
                self._opened.clear()
            self._opened[sealed] = found
        return found


def _context(tenant: str, subscription_id: str) -> SealContext:
    return SealContext(tenant, subscription_id, SealKind.SUBSCRIPTION)


class Posts(Protocol):
    """Sends POSTs."""

    def post(
        self, endpoint: Endpoint, headers: Mapping[str, str], body: bytes, *, most: int = ..., whole: bool = ...
    ) -> Answer:
        """Send one POST. Raises NoAnswer."""
        ...


class Queues(Protocol):
    """Sends messages to other people's queues."""

    def put(self, url: str, message_id: str, body: bytes) -> str | None:
        """Send one message. Return None, or the reason why the queue did not accept it."""
        ...


class Sender:
    """`clock` gives epoch seconds, `timer` any seconds. `local` accepts endpoints on the machine of a local stack."""

    def __init__(
        self,
        *,
        posts: Posts,
        queues: Queues,
        secrets: SigningSecrets,
        clock: Callable[[], float],
        timer: Callable[[], float],
        local: bool = False,
    ) -> None:
        self._posts = posts
        self._queues = queues
        self._secrets = secrets
        self._clock = clock
        self._timer = timer
        self._local = local

    def send(self, subscription: Subscription, event: CloudEvent) -> Attempt:
        """Make one attempt. Raises Unavailable when the secret could not be opened; then nothing was sent."""
        return self._attempt(subscription, event)[0]

    def verify(self, subscription: Subscription) -> Attempt:
        """Ask the target whether it wants events.

        A URL has to answer 200 with the challenge, a queue to accept a message. The attempt has no answer, because the
        answer of an unverified target is shown to nobody.
        """
        attempt, answer = self._attempt(subscription, verification(subscription, at=self._clock()), whole=True)
        error = attempt.error
        if answer is not None and (answer.status != _OK or not _has_challenge(answer.body, subscription.challenge)):
            error = CHALLENGE_MISMATCH
        return Attempt(at=attempt.at, duration_ms=attempt.duration_ms, status=attempt.status, error=error)

    def _attempt(
        self, subscription: Subscription, event: CloudEvent, *, whole: bool = False
    ) -> tuple[Attempt, Answer | None]:
        at, body = self._clock(), subscription.body(event)
        if subscription.queue is not None:
            started = self._timer()
            error = self._queues.put(subscription.queue, event.id, body)
            taken = None if error else _OK
            return Attempt(at=at, duration_ms=self._since(started), status=taken, error=error), None
        try:
            keys = self._secrets.of(subscription, now=at)
        except SealBroken:
            return Attempt(at=at, duration_ms=0, error="secret_unreadable"), None
        headers = {
            "content-type": "application/cloudevents+json; charset=utf-8",
            "user-agent": f"integrato-zoom/{__version__}",
            **signature_headers(event.id, body, at=at, secrets=keys),
        }
        started = self._timer()
        try:
            endpoint = endpoint_of(str(subscription.url), local=self._local)
            if whole:
                answer = self._posts.post(endpoint, headers, body, most=_LONGEST_CHALLENGE_ANSWER, whole=True)
            else:
                answer = self._posts.post(endpoint, headers, body)
        except AddressRefused:
            return Attempt(at=at, duration_ms=0, error="refused_address"), None
        except NoAnswer as failed:
            return Attempt(at=at, duration_ms=self._since(started), error=failed.reason), None
        took = self._since(started)
        return Attempt.answered(answer.status, answer.headers, answer.body, at=at, duration_ms=took), answer

    def _since(self, started: float) -> int:
        return round((self._timer() - started) * 1000)


def verification(subscription: Subscription, *, at: float) -> CloudEvent:
    """Return the event that asks a target whether it wants events."""
    return own_event(subscription, VERIFICATION, at=at, name=subscription.challenge, challenge=subscription.challenge)


def new_test_event(subscription: Subscription, *, at: float, name: str) -> CloudEvent:
    """Return an event that shows that deliveries arrive. `name` is different for each."""
    return own_event(subscription, TEST, at=at, name=name, message="This is a test event.")


def own_event(subscription: Subscription, type_: str, *, at: float, name: str, **data: str) -> CloudEvent:
    """Return an event about a subscription. The same type and name make the same id."""
    known_as = f"{subscription.subscription_id}/{type_}/{name}"
    return CloudEvent(
        id=event_id(SOURCE, subscription.tenant, known_as),
        source=SOURCE,
        type=type_,
        time=rfc3339(int(at * 1000)),
        tenant=subscription.tenant,
        subject=f"subscriptions/{subscription.subscription_id}",
        data={"subscription_id": subscription.subscription_id, **data},
    )


def _has_challenge(body: bytes, challenge: str) -> bool:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return False
    found = document.get("challenge") if isinstance(document, dict) else None
    return isinstance(found, str) and hmac.compare_digest(found.encode(), challenge.encode())
