"""Receives Zoom's deliveries: size, signature, then challenge or queue, and the response to Zoom."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping

from zoom_common import observability
from zoom_common.deadline import Deadline
from zoom_common.errors import Unavailable
from zoom_common.events.webhook.message import LARGEST_BODY, Delivery, TooLarge
from zoom_common.events.webhook.secrets import CachedSecrets
from zoom_common.observability import COUNT, MILLISECONDS, Metrics, metric_line
from zoom_common.values import dataclass, field
from zoom_common.zoom.webhooks import (
    CHALLENGE,
    Claim,
    MalformedChallenge,
    Rejected,
    SigningSecret,
    WrongSignature,
    answer_challenge,
)

# The counters of the webhook that are metrics, and what is measured of it.
WATCHED = frozenset({"WebhookFailed", "WebhookRejected", "WebhookSecretsStale", "WebhookTooLarge"})
MEASURED = frozenset({"WebhookLag", "InitDurationWebhook"})


class MetricLines:
    """Counts of `service` in `namespace`, one JSON line each. Properties are reasons and ids, never content."""

    def __init__(
        self, service: str, namespace: str, *, write: Callable[[str], object], clock: Callable[[], float]
    ) -> None:
        self._service = service
        self._namespace = namespace
        self._write = write
        self._clock = clock

    def count(self, name: str, *, reason: str = "", lag_ms: int | None = None, **properties: str) -> None:
        """Count `name` in a line of this service; what an alarm or the dashboard watches is a metric too.

        `lag_ms` is how long ago Zoom says that it happened.
        """
        metrics = [Metrics({name: (1, COUNT)}, [["service"]] if name in WATCHED else [])]
        if lag_ms is not None:  # a filter of its log makes a metric of this
            metrics.append(Metrics({"WebhookLag": (lag_ms, MILLISECONDS)}, []))
        about = {"service": self._service, "reason": reason or None, **properties}
        self._write(metric_line(metrics, about, namespace=self._namespace, at=self._clock()))

    def measure(self, name: str, milliseconds: int) -> None:
        """Record a length of time, which is a metric without a dimension."""
        metrics = Metrics({name: (milliseconds, MILLISECONDS)}, [[]])
        self._write(metric_line([metrics], {"service": self._service}, namespace=self._namespace, at=self._clock()))


TYPE_CHECKING = False  # without importing `typing`

if TYPE_CHECKING:
    from typing import Any, Protocol

    from zoom_common.events.webhook.client import IngestQueue

    class StatusNotes(Protocol):
        """Where challenges and rejections are noted. Neither method raises."""

        def challenged(self, app: str, deadline: Deadline) -> None:
            """Zoom has challenged the endpoint of `app`, and got its answer."""
            ...

        def rejected(self, reason: str, deadline: Deadline) -> None:
            """A delivery was rejected."""
            ...


_HEADERS = {"content-type": "application/json", "cache-control": "no-store", "x-content-type-options": "nosniff"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What Zoom gets."""

    status: int
    body: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def to_event(self) -> dict[str, Any]:
        """The answer as a function URL wants it."""
        return {
            "statusCode": self.status,
            "headers": dict(_HEADERS),
            "body": json.dumps(self.body),
            "isBase64Encoded": False,
        }


class Receiver:
    """One delivery at a time, from the function URL's event to Zoom's answer."""

    def __init__(
        self,
        *,
        secrets: CachedSecrets,
        queue: IngestQueue,
        metrics: MetricLines,
        clock: Callable[[], float],
        status_notes: StatusNotes,
    ) -> None:
        self._secrets = secrets
        self._queue = queue
        self._metrics = metrics
        self._clock = clock
        self._status_notes = status_notes

    def receive(self, event: Mapping[str, Any], deadline: Deadline) -> Answer:
        """The answer to one delivery; each outcome is counted with its reason."""
        headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
        known_as = str((event.get("requestContext") or {}).get("requestId") or "")
        request_id = observability.begin_correlation(headers.get("x-zm-request-id", ""), known_as)
        try:
            return self._take(headers, _raw_body(event), request_id, deadline)
        except TooLarge:
            return self._refuse(413, "WebhookTooLarge", "too_large")
        except binascii.Error:
            return self._refuse(400, "WebhookUnreadable", "not_base64")
        except Rejected as rejected:
            self._status_notes.rejected(rejected.reason, deadline)
            return self._refuse(401, "WebhookRejected", rejected.reason)
        except MalformedChallenge:
            return self._refuse(400, "WebhookUnreadable", "malformed_challenge")
        except Unavailable as unavailable:
            return self._refuse(503, "WebhookFailed", unavailable.reason)

    def _take(self, headers: Mapping[str, str], body: bytes, request_id: str, deadline: Deadline) -> Answer:
        secret = self._verify(body, headers, deadline)
        document = _parsed(body)
        if isinstance(document, dict) and document.get("event") == CHALLENGE:
            answer = answer_challenge(document.get("payload"), secret)
            self._metrics.count("WebhookChallenged", app=secret.app)
            self._status_notes.challenged(secret.app, deadline)
            return Answer(200, answer)
        self._queue.send(Delivery(secret.app, body, int(self._clock() * 1000), request_id), deadline)
        if document is None:
            self._metrics.count("WebhookMalformed", app=secret.app)
        self._metrics.count("WebhookAccepted", app=secret.app, lag_ms=self._lag_ms(document))
        return Answer(200)

    def _lag_ms(self, document: Any) -> int | None:
        """How long ago Zoom says it happened; its clock and ours may differ, and then it is now."""
        happened = document.get("event_ts") if isinstance(document, dict) else None
        return max(0, int(self._clock() * 1000) - happened) if type(happened) is int else None

    def _verify(self, body: bytes, headers: Mapping[str, str], deadline: Deadline) -> SigningSecret:
        claim = Claim.from_headers(headers, now=self._clock())
        secrets = self._secrets.current(deadline)
        if self._secrets.stale:
            self._metrics.count("WebhookSecretsStale", reason=self._secrets.failure)
        try:
            return claim.verify(body, secrets)
        except WrongSignature:
            newer = self._secrets.newer(deadline)
            if newer is not None:
                return claim.verify(body, newer)
            if self._secrets.failure:  # it may be signed with a secret we cannot read: that is a fault of ours
                raise Unavailable(reason=self._secrets.failure) from None
            raise

    def _refuse(self, status: int, metric: str, reason: str) -> Answer:
        self._metrics.count(metric, reason=reason)
        return Answer(status, {"message": "refused" if status < 500 else "unavailable"})  # noqa: PLR2004 - HTTP's own


def _raw_body(event: Mapping[str, Any]) -> bytes:
    """The bytes Zoom sent. Raises TooLarge before anything is decoded, or binascii.Error."""
    text = event.get("body") or ""
    encoded = bool(event.get("isBase64Encoded"))
    if len(text) > (LARGEST_BODY * 4 / 3 + 4 if encoded else LARGEST_BODY):
        raise TooLarge
    body = text.encode(errors="replace")
    if encoded:
        body = base64.b64decode(body, validate=True)
    if len(body) > LARGEST_BODY:
        raise TooLarge
    return body


def _parsed(body: bytes) -> Any:
    """The JSON value, or None for what is none: what Zoom signed is kept even then."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
