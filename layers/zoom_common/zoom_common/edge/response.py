"""An HTTP answer, and the one table from errors to answers.

Error bodies have Zoom's shape, `{"code", "message"[, "errors"]}`, and what the gateway adds beside it:
`reason`, `request_id` and, where there is one, `hint`.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zoom_common.errors import (
    Conflict,
    ConnectionUnusable,
    Forbidden,
    GatewayError,
    InvalidRequest,
    MethodNotAllowed,
    TooManyRequests,
    Unauthenticated,
    ZoomRefused,
    ZoomScopesMissing,
)

JSON = "application/json"
_TEXT_TYPES = (
    JSON,
    "application/x-ndjson",
    "application/xml",
    "application/javascript",
    "application/x-www-form-urlencoded",
)


@dataclass(frozen=True, slots=True)
class Response:
    """One answer. Header names are lower case; each cookie is a whole Set-Cookie value."""

    status: int = 200
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    cookies: Sequence[str] = field(default=(), repr=False)

    def to_event(self) -> dict[str, Any]:
        """The payload 2.0 answer: bodies of text types as text, all others in base64."""
        text = _as_text(self.body, self.headers.get("content-type", ""))
        answer: dict[str, Any] = {
            "statusCode": self.status,
            "headers": dict(self.headers),
            "body": base64.b64encode(self.body).decode() if text is None else text,
            "isBase64Encoded": text is None,
        }
        if self.cookies:
            answer["cookies"] = list(self.cookies)
        return answer


def json_response(status: int, payload: Any, headers: Mapping[str, str] | None = None) -> Response:
    """An answer whose body is `payload` as compact JSON."""
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    return Response(status, body, {"content-type": JSON, **(headers or {})})


def error_response(error: GatewayError, request_id: str) -> Response:
    """The answer to an error. What Zoom refused goes out in Zoom's own bytes, with ours after them."""
    if isinstance(error, ZoomRefused):
        return Response(error.status, _with_ours(error, request_id), _zoom_headers(error))
    body: dict[str, Any] = {"code": error.code, "message": str(error), **_details(error)}
    return json_response(error.status, body | _ours(error, request_id), {**error.headers, **_headers(error)})


def _ours(error: GatewayError, request_id: str) -> dict[str, Any]:
    ours = {"reason": error.reason, "request_id": request_id}
    return ours if error.hint is None else {**ours, "hint": error.hint}


def _with_ours(error: ZoomRefused, request_id: str) -> bytes:
    """Zoom's JSON object with our members after its own, which stay as they are, byte for byte."""
    try:
        theirs = json.loads(error.body)
    except (ValueError, RecursionError):
        return error.body
    if not isinstance(theirs, dict):
        return error.body
    added = _ours(error, request_id) | _link(error.reconnect_url)
    if error.missing_scopes:
        added["missing_scopes"] = list(error.missing_scopes)
    ours = {name: value for name, value in added.items() if name not in theirs}
    members = json.dumps(ours, ensure_ascii=False, separators=(",", ":")).encode()
    head = error.body.rstrip().removesuffix(b"}").rstrip()
    return head + (b"," if theirs and ours else b"") + members[1:]


def _details(error: GatewayError) -> dict[str, Any]:
    match error:
        case InvalidRequest() if error.fields:
            return {"errors": [{"field": each.field, "message": each.message} for each in error.fields]}
        case ZoomScopesMissing():
            return {"missing_scopes": list(error.scopes), **_link(error.reconnect_url)}
        case Forbidden():
            return {"missing_scopes": list(error.scopes)}
        case Conflict():
            return dict(error.details)
        case ConnectionUnusable():
            app = {"zoom_client_id": error.client_id} if error.client_id else {}
            return {"state": error.state, **app, **_link(error.reconnect_url)}
        case _:
            return {}


def _link(reconnect_url: str | None) -> dict[str, str]:
    return {"reconnect_url": reconnect_url} if reconnect_url else {}


def _headers(error: GatewayError) -> dict[str, str]:
    match error:
        case Unauthenticated():
            return {"www-authenticate": "Bearer"}
        case MethodNotAllowed():
            return {"allow": ", ".join(error.allowed)}
        case TooManyRequests():
            return {"retry-after": str(error.retry_after)}
        case _:
            return {}


def unexpected(request_id: str) -> Response:
    """The answer to a fault of ours: a fixed text that says nothing but where to look."""
    body = {"code": 500, "message": "Something went wrong inside the gateway.", "reason": "internal_error"}
    return json_response(500, body | {"request_id": request_id})


def _zoom_headers(error: ZoomRefused) -> dict[str, str]:
    headers = dict(error.headers)
    if error.body and "json" not in headers.get("content-type", ""):
        # Zoom's edge answers some failures in HTML: never let a browser render it as ours.
        is_json = error.body.lstrip()[:1] in {b"{", b"["}
        headers["content-type"] = JSON if is_json else "text/plain; charset=utf-8"
    # For answers that have no room for it: pages, and errors without a body.
    return {**headers, "x-gateway-reason": error.reason}


def _as_text(body: bytes, content_type: str) -> str | None:
    kind = content_type.partition(";")[0].strip().lower()
    if body and not (kind.startswith("text/") or kind in _TEXT_TYPES or kind.endswith(("+json", "+xml"))):
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None
