"""For each function an event that it answers with success, by one call to whatever stands behind it."""

from __future__ import annotations

import base64
import itertools
import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from benchmarks import deliveries
from zoom_common.access.keys import Credential
from zoom_common.events.webhook.message import Delivery
from zoom_common.secret import Secret

TENANT, CLIENT_ID, CONNECTION = "acme", "benchmark-app", "con_01hx00000000000000000000ab"
MEETING = {"topic": "Planning", "type": 2, "start_time": "2030-01-01T10:00:00Z", "duration": 30, "timezone": "UTC"}
API_KEY = Credential("abcdefgh2345", Secret("k" * 43))
BATCH = 10


def event_for(name: str) -> Callable[[], bytes] | None:
    """What makes events for the function `name`; None for one nobody has thought of here."""
    return {
        "authorizer": lambda: api_event("GET", "/v2/users/me/meetings", bearer=API_KEY.text().reveal()),
        "erasures": lambda: api_event("GET", "/erasures"),
        "event_processor": batch_of,
        "events": lambda: api_event("GET", "/meetings/85746065432/state"),
        "health": lambda: api_event("GET", "/health"),
        "meeting_sdk": lambda: api_event("POST", "/meetings/85746065432/sdk-signature", {}),
        "meetings": create_meeting,
        "oauth": lambda: api_event("GET", "/connections"),
        "reconcile": lambda: b'{"action": "webhook_health"}',
        "token": lambda: api_event("POST", "/oauth/token", basic=API_KEY),
        "token_refresh": lambda: b'{"action": "sweep"}',
        "usage": lambda: api_event("GET", "/usage"),
        "webhook": zoom_delivery,
        "webinars": lambda: api_event("GET", "/v2/webinars/85746065432"),
        "zoom_api": lambda: api_event("GET", "/v2/users/me"),
    }.get(name)


def batch_of(size: int = BATCH) -> bytes:
    """So many starts from the ingest queue, each of a meeting of its own."""
    return _batch(deliveries.started(*_meeting(number)) for number in _numbers(size))


def batch_of_arrivals(size: int = BATCH) -> bytes:
    """Return one delivery per person who joins a meeting. In every batch but the first, the meetings already run."""
    return _batch(deliveries.joined(*_meeting(at), user_id=str(user)) for at, user in enumerate(_numbers(size)))


def batch_of_one_meeting() -> bytes:
    """Ten people who join one meeting, which runs already in every batch but the first."""
    return _batch(deliveries.joined(*_meeting(BATCH), user_id=str(user)) for user in _numbers(BATCH))


def refresh_on_demand() -> bytes:
    """A call finds an access token that has expired, and has it refreshed."""
    asked = {"action": "refresh", "tenant": TENANT, "connection_id": CONNECTION, "seen_version": 1, "wait": 10}
    return json.dumps(asked).encode()


def create_meeting() -> bytes:
    """A caller creates a meeting."""
    return api_event("POST", "/v2/users/me/meetings", MEETING)


def zoom_delivery() -> bytes:
    """One delivery by Zoom."""
    return deliveries.zoom(deliveries.compact(deliveries.STARTED))


def slack_delivery() -> bytes:
    """One delivery by Slack."""
    return deliveries.slack(deliveries.compact(deliveries.MENTIONED))


def api_event(
    method: str,
    path: str,
    body: Mapping[str, Any] | None = None,
    *,
    bearer: str = "zk_x",
    basic: Credential | None = None,
) -> bytes:
    """An HTTP API's event, after the authorizer and as the authorizer itself gets it."""
    signed_in = f"Bearer {bearer}"
    if basic:
        pair = f"{basic.key_id}:{basic.secret.reveal()}".encode()
        signed_in = f"Basic {base64.b64encode(pair).decode()}"
    principal = {"tenant": TENANT, "subject": "key:benchmark", "scopes": ["*"]}
    http = {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "benchmark"}
    headers = {"content-type": "application/json", "x-forwarded-proto": "https", "authorization": signed_in}
    if basic:
        headers["content-type"] = "application/x-www-form-urlencoded"
    event = {
        "version": "2.0",
        "type": "REQUEST",
        "routeKey": "ANY",
        "rawPath": path,
        "rawQueryString": "grant_type=account_credentials&account_id=x" if basic else "",
        "headers": headers,
        "requestContext": {
            "http": http,
            "requestId": "benchmark",
            "stage": "$default",
            "timeEpoch": 1893492000000,
            "authorizer": {"lambda": {"principal": json.dumps(principal)}},
        },
        "isBase64Encoded": False,
    }
    return json.dumps(event | ({"body": json.dumps(body)} if body is not None else {})).encode()


# Meetings of a lower number run for long.
_NUMBERS = itertools.count(100)


def _numbers(count: int) -> list[int]:
    return list(itertools.islice(_NUMBERS, count))


def _batch(events: Iterable[Mapping[str, Any]]) -> bytes:
    return json.dumps({"Records": [_record(event) for event in events]}).encode()


def _meeting(number: int) -> tuple[str, str]:
    """The UUID and the number of one of many meetings."""
    return f"{number:022}==", str(80_000_000_000 + number)


def _record(event: Mapping[str, Any]) -> dict[str, Any]:
    number = next(_NUMBERS)
    now_ms = int(time.time() * 1000)
    message = Delivery(CLIENT_ID, deliveries.compact(event), now_ms, f"request-{number}").to_message()
    attributes = {
        name: {"dataType": value["DataType"], "stringValue": value["StringValue"]}
        for name, value in message["MessageAttributes"].items()
    }
    return {
        "messageId": f"message-{number}",
        "body": message["MessageBody"],
        "messageAttributes": attributes,
        "attributes": {"ApproximateReceiveCount": "1"},
        "eventSource": "aws:sqs",
    }
