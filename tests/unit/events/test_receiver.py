"""What Zoom gets for what it delivers."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.fakes.events import APP, NOW, SECRET, Clock, Queue, StatusNotes, meeting, plenty, zoom_headers
from zoom_common.deadline import Deadline
from zoom_common.errors import Unavailable
from zoom_common.events.webhook.message import LARGEST_BODY
from zoom_common.events.webhook.receiver import Answer, MetricLines, Receiver
from zoom_common.events.webhook.secrets import CachedSecrets
from zoom_common.secret import Secret

BODY = meeting("meeting.started")


@dataclass
class Endpoint:
    """A receiver and all it touches. `apps` is the secret's document, None when it cannot be read."""

    apps: dict[str, list[str]] | None = field(default_factory=lambda: {APP: [SECRET], "OtherApp": ["other-secret"]})
    clock: Clock = field(default_factory=Clock)
    queue: Queue = field(default_factory=Queue)
    lines: list[str] = field(default_factory=list)
    status_notes: StatusNotes = field(default_factory=StatusNotes)
    reads: int = 0

    def __post_init__(self) -> None:
        self.receiver = Receiver(
            secrets=CachedSecrets(self.read, clock=self.clock),
            queue=self.queue,
            metrics=MetricLines("webhook", "ZoomGateway/prod", write=self.lines.append, clock=self.clock),
            clock=self.clock,
            status_notes=self.status_notes,
        )

    def read(self, deadline: Deadline) -> Secret:
        assert deadline
        self.reads += 1
        if self.apps is None:
            raise Unavailable(reason="webhook_secrets_unreachable")
        apps = [{"app": app, "secrets": [{"secret": text} for text in texts]} for app, texts in self.apps.items()]
        return Secret(json.dumps({"apps": apps}))

    def post(self, body: bytes, headers: dict[str, str] | None = None, *, encoded: bool = False) -> Answer:
        text = base64.b64encode(body).decode() if encoded else body.decode()
        event = {
            "headers": zoom_headers(body) if headers is None else headers,
            "body": text,
            "isBase64Encoded": encoded,
        }
        return self.receiver.receive(event, plenty())

    @property
    def counted(self) -> list[tuple[str, str]]:
        found = []
        for line in map(json.loads, self.lines):
            (name,) = (each for each in line if each.startswith("Webhook") and each != "WebhookLag")
            found.append((name, line.get("reason", "")))
        return found


def test_a_genuine_delivery_is_queued_and_acknowledged() -> None:
    """The queued delivery has the app whose secret verified it, and the time of arrival."""
    endpoint = Endpoint()
    assert endpoint.post(BODY).status == 200
    (delivery,) = endpoint.queue.deliveries
    assert (delivery.app, delivery.body, delivery.received_at_ms) == (APP, BODY, NOW * 1000)
    assert delivery.request_id == "f8e7d6c5_b4a3_4a2b_9c1d_0123456789ab"
    assert endpoint.counted == [("WebhookAccepted", "")]


def test_the_app_travels_with_the_event() -> None:
    """Whoever holds another app's secret speaks for that app only, whatever the body or a header says."""
    endpoint = Endpoint()
    endpoint.post(BODY, {**zoom_headers(BODY, secret="other-secret"), "clientid": APP})
    assert [delivery.app for delivery in endpoint.queue.deliveries] == ["OtherApp"]


@pytest.mark.parametrize("encoded", [False, True])
@pytest.mark.parametrize(
    "body",
    [
        '{"event":"meeting.updated","payload":{"object":{"topic":"café 🚒"}}}'.encode(),
        b'{ "event" : "meeting.updated",\r\n\t"payload":{"object":{"topic":"caf\\u00e9"}} }\n',
        b'{"event":"meeting.updated","payload":{"object":{"id":12345678901234567890123}}}',
    ],
)
def test_the_bytes_stay_as_they_are(body: bytes, *, encoded: bool) -> None:
    """A function URL delivers text or base64 of it; either way Zoom's bytes are verified and kept."""
    endpoint = Endpoint()
    assert endpoint.post(body, encoded=encoded).status == 200
    assert endpoint.queue.deliveries[0].body == body


def test_bytes_that_are_no_text_are_kept_too() -> None:
    """What is signed is Zoom's word."""
    endpoint = Endpoint()
    assert endpoint.post(b"\xff\xfe\x00", encoded=True).status == 200
    assert endpoint.queue.deliveries[0].body == b"\xff\xfe\x00"


@pytest.mark.parametrize("body", [b"", b"not json", b'{"event":', b"[" * 200_000])
def test_malformed_json_with_a_good_signature_is_kept(body: bytes) -> None:
    """Refusing it would lose it; a metric tells."""
    endpoint = Endpoint()
    assert endpoint.post(body).status == 200
    assert endpoint.queue.deliveries[0].body == body
    assert endpoint.counted == [("WebhookMalformed", ""), ("WebhookAccepted", "")]


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({}, "missing_header"),
        ({**zoom_headers(BODY), "x-zm-request-timestamp": "soon"}, "malformed_timestamp"),
        (zoom_headers(BODY, at=NOW - 5401), "stale_timestamp"),
        (zoom_headers(BODY, at=NOW + 301), "early_timestamp"),
        (zoom_headers(BODY, secret="forged"), "wrong_signature"),
        (zoom_headers(BODY + b" "), "wrong_signature"),
    ],
)
def test_a_bad_signature_is_401_and_nothing_is_kept(headers: dict[str, str], reason: str) -> None:
    """The reason goes to the metric; the answer tells nothing."""
    endpoint = Endpoint()
    answer = endpoint.post(BODY, headers)
    assert (answer.status, answer.body) == (401, {"message": "refused"})
    assert endpoint.queue.deliveries == []
    assert endpoint.counted == [("WebhookRejected", reason)]


def test_headers_count_whatever_their_case() -> None:
    """A front door on a laptop does not lower them."""
    endpoint = Endpoint()
    assert endpoint.post(BODY, {name.title(): value for name, value in zoom_headers(BODY).items()}).status == 200


def test_the_challenge_is_verified_like_any_event() -> None:
    """Signed, it is answered with the secret that verified it; unsigned, it is refused; neither is queued."""
    challenge = b'{"payload":{"plainToken":"abc"},"event_ts":1,"event":"endpoint.url_validation"}'
    endpoint = Endpoint()
    ours = endpoint.post(challenge)
    theirs = endpoint.post(challenge, zoom_headers(challenge, secret="other-secret"))
    assert (ours.status, ours.body["plainToken"]) == (200, "abc")
    assert ours.body["encryptedToken"] != theirs.body["encryptedToken"]
    assert endpoint.post(challenge, {}).status == 401
    assert endpoint.queue.deliveries == []
    assert endpoint.counted[:2] == [("WebhookChallenged", "")] * 2


def test_a_challenge_with_more_than_a_token_is_not_answered() -> None:
    """It is genuine, so it is not a 401, and signing it would be signing a delivery."""
    body = b'{"payload":{"plainToken":"v0:1:{}"},"event":"endpoint.url_validation"}'
    endpoint = Endpoint()
    assert endpoint.post(body).status == 400
    assert endpoint.counted == [("WebhookUnreadable", "malformed_challenge")]


def test_what_nobody_else_learns_of_is_noted() -> None:
    """A challenge that was answered, with its app, and a refusal with its reason; no delivery, no fault of ours."""
    endpoint = Endpoint()
    challenge = {"event": "endpoint.url_validation", "event_ts": 1, "payload": {"plainToken": "t"}}
    endpoint.post(BODY)
    endpoint.post(json.dumps(challenge).encode())
    endpoint.post(json.dumps(challenge | {"payload": {"plainToken": "v0:1:x"}}).encode())
    endpoint.post(BODY, {})
    endpoint.post(BODY, zoom_headers(BODY, secret="guessed"))
    endpoint.queue.down = True
    endpoint.post(BODY)
    assert endpoint.status_notes.noted == [
        ("challenged", APP),
        ("rejected", "missing_header"),
        ("rejected", "wrong_signature"),
    ]


@pytest.mark.parametrize("encoded", [False, True])
def test_the_largest_body_is_taken_and_a_larger_one_is_not(*, encoded: bool) -> None:
    """900 KiB, counted in bytes and before anything else is done."""
    endpoint = Endpoint()
    assert endpoint.post(b" " * LARGEST_BODY, encoded=encoded).status == 200
    assert endpoint.post(b" " * (LARGEST_BODY + 1), {}, encoded=encoded).status == 413
    assert endpoint.post("é".encode() * (LARGEST_BODY // 2 + 1), {}, encoded=encoded).status == 413
    assert endpoint.counted[-2:] == [("WebhookTooLarge", "too_large")] * 2


@pytest.mark.parametrize("body", ["***", "ü", "abc"])
def test_a_body_that_is_not_base64_is_no_signature_fault(body: str) -> None:
    """It cannot come from a function URL."""
    endpoint = Endpoint()
    event: dict[str, Any] = {"headers": {}, "body": body, "isBase64Encoded": True}
    assert endpoint.receiver.receive(event, plenty()).status == 400


def test_an_event_without_body_and_headers_is_refused() -> None:
    """A GET by a passer-by."""
    endpoint = Endpoint()
    assert endpoint.receiver.receive({}, plenty()).status == 401


def test_a_queue_that_is_down_is_a_5xx() -> None:
    """Zoom retries those, and never a 4xx."""
    endpoint = Endpoint(queue=Queue(down=True))
    assert endpoint.post(BODY).status == 503
    assert endpoint.counted == [("WebhookFailed", "ingest_queue_unreachable")]


def test_secrets_that_cannot_be_read_are_a_5xx_and_cost_strangers_nothing() -> None:
    """A genuine delivery comes again; a request without a fresh stamp does not make us ask for secrets."""
    endpoint = Endpoint(apps=None)
    assert endpoint.post(BODY, {}).status == 401
    assert endpoint.post(BODY, zoom_headers(BODY, at=NOW - 5401)).status == 401
    assert endpoint.reads == 0
    assert endpoint.post(BODY).status == 503
    assert endpoint.counted[-1] == ("WebhookFailed", "webhook_secrets_unreachable")


def test_old_secrets_serve_during_an_outage() -> None:
    """Deliveries go on being accepted, and a metric tells."""
    endpoint = Endpoint()
    endpoint.post(BODY)
    endpoint.apps = None
    endpoint.clock.now += 301
    assert endpoint.post(BODY).status == 200
    assert ("WebhookSecretsStale", "webhook_secrets_unreachable") in endpoint.counted


def test_during_an_outage_an_unknown_signature_is_no_401() -> None:
    """It may be made with a secret we cannot read just now, and Zoom would not repeat what it got a 401 for."""
    endpoint = Endpoint()
    endpoint.post(BODY)
    endpoint.apps = None
    endpoint.clock.now += 16
    assert endpoint.post(BODY, zoom_headers(BODY, secret="rotated")).status == 503
    endpoint.apps = {APP: ["rotated"]}
    endpoint.clock.now += 16
    assert endpoint.post(BODY, zoom_headers(BODY, secret="rotated")).status == 200
    assert endpoint.post(BODY, zoom_headers(BODY, secret="forged")).status == 401


def test_a_new_secret_counts_at_once() -> None:
    """Zoom does not repeat what it got a 401 for, so a secret that is minutes old must not be one."""
    endpoint = Endpoint()
    endpoint.post(BODY)
    endpoint.apps = {APP: ["rotated"]}
    endpoint.clock.now += 16
    assert endpoint.post(BODY, zoom_headers(BODY, secret="rotated", at=endpoint.clock.now)).status == 200


def test_a_body_no_message_can_hold_is_refused_and_counted() -> None:
    """Full size and not compressible: as good as too large."""
    body = b"\xff" + b"".join(number.to_bytes(8) for number in _noise(LARGEST_BODY // 8))
    endpoint = Endpoint()
    assert endpoint.post(body[:LARGEST_BODY], encoded=True).status == 413


def test_lines_hold_no_content() -> None:
    """Neither body nor signature is ever logged."""
    endpoint = Endpoint()
    for headers in (None, zoom_headers(BODY, secret="forged")):
        endpoint.post(BODY, headers)
    assert "Stand-up" not in "".join(endpoint.lines)
    assert "v0=" not in "".join(endpoint.lines)


def test_an_answer_is_what_a_function_url_wants() -> None:
    """Status, JSON text and headers."""
    event = Answer(200, {"a": 1}).to_event()
    assert (event["statusCode"], event["body"], event["isBase64Encoded"]) == (200, '{"a": 1}', False)
    assert event["headers"]["content-type"] == "application/json"


def _noise(count: int) -> list[int]:
    state, found = 1, []
    for _ in range(count):
        state = (state * 6364136223846793005 + 1442695040888963407) % 2**64
        found.append(state ^ (state >> 33))
    return found
