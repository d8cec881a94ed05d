"""Deliveries as a function URL hands them on, signed as Zoom and as Slack sign theirs."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

ZOOM_SECRET = "benchmark-zoom-secret"  # noqa: S105 - made up, and known to everyone who reads this
SLACK_SECRET = "benchmark-slack-secret"  # noqa: S105 - likewise

STARTED: dict[str, Any] = {
    "event": "meeting.started",
    "payload": {
        "account_id": "AAAAAABBBB",
        "object": {
            "duration": 30,
            "start_time": "2030-01-01T10:00:00Z",
            "timezone": "UTC",
            "topic": "Planning",
            "id": "85746065432",
            "type": 2,
            "uuid": "4444AAAiAAAAAiAiAiiAii==",
            "host_id": "30R7kT7bTIKSNUFEuH_Qlg",
        },
    },
    "event_ts": 1893492000000,
}
JOINED: dict[str, Any] = {
    "event": "meeting.participant_joined",
    "payload": {
        "account_id": "AAAAAABBBB",
        "object": {
            **STARTED["payload"]["object"],
            "participant": {
                "user_id": "16778240",
                "user_name": "Jill Chill",
                "participant_uuid": "55555AAAiAAAAAiAiAiiAii",
                "join_time": "2030-01-01T10:00:30Z",
                "email": "jill@example.com",
            },
        },
    },
    "event_ts": 1893492030000,
}
MENTIONED = {
    "token": "unused",
    "team_id": "T1",
    "api_app_id": "A1",
    "type": "event_callback",
    "event_id": "Ev1",
    "event_time": 1893492000,
    "event": {"type": "app_mention", "user": "U2", "text": "hi", "ts": "1.1", "channel": "C1", "event_ts": "1.1"},
}


def started(uuid: str, number: str) -> dict[str, Any]:
    """The start of one meeting."""
    about = {**STARTED["payload"]["object"], "uuid": uuid, "id": number}
    return {**STARTED, "payload": {**STARTED["payload"], "object": about}}


def joined(uuid: str, number: str, *, user_id: str) -> dict[str, Any]:
    """Somebody joins one meeting; Zoom numbers everybody's sessions in it."""
    about = JOINED["payload"]["object"]
    person = {**about["participant"], "user_id": user_id}
    about = {**about, "uuid": uuid, "id": number, "participant": person}
    return {**JOINED, "payload": {**JOINED["payload"], "object": about}}


def compact(value: Any) -> bytes:
    """JSON as Zoom writes it most of the time."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def zoom(body: bytes, *, encoded: bool = False, stamp: int | None = None, secret: str = ZOOM_SECRET) -> bytes:
    """The event of one delivery by Zoom, stamped now unless told otherwise."""
    at = str(int(time.time()) if stamp is None else stamp)
    signature = _hmac(secret, b"v0:" + at.encode() + b":" + body)
    headers = {
        "x-zm-signature": f"v0={signature}",
        "x-zm-request-timestamp": at,
        "x-zm-request-id": "11111111_2222_3333_4444_555555555555",
        "user-agent": "Zoom Marketplace/1.0a",
        "content-type": "application/json; charset=utf-8",
    }
    return _event(body, headers, encoded=encoded)


def slack(body: bytes, *, encoded: bool = False, stamp: int | None = None, secret: str = SLACK_SECRET) -> bytes:
    """The same by Slack, whose scheme is the same under other names."""
    at = str(int(time.time()) if stamp is None else stamp)
    signature = _hmac(secret, b"v0:" + at.encode() + b":" + body)
    headers = {"x-slack-signature": f"v0={signature}", "x-slack-request-timestamp": at}
    return _event(body, {**headers, "content-type": "application/json"}, encoded=encoded)


def _hmac(secret: str, message: bytes) -> str:
    return hmac.new(secret.encode(), message, hashlib.sha256).hexdigest()


def _event(body: bytes, headers: dict[str, str], *, encoded: bool) -> bytes:
    text = base64.b64encode(body).decode() if encoded else body.decode()
    http = {"method": "POST", "path": "/", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "benchmark"}
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {"http": http, "requestId": "benchmark", "stage": "$default", "timeEpoch": 1893492000000},
        "body": text,
        "isBase64Encoded": encoded,
    }
    return json.dumps(event).encode()
