"""An HTTP answer, and the one table from errors to answers.

Error bodies have Zoom's shape, `{"code", "message"[, "errors"]}`, and the gateway's members `reason`, `request_id` and,
where there is one, `hint`.
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
    """One answer. Header names are lower case. Each cookie is a whole Set-Cookie value."""

    status: int = 200
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    cookies: Sequence[str] = field(default=(), repr=False)

    def to_event(self) -> dict[str, Any]:
        """Return the payload 2.0 answer: bodies of text types as text, all others in base64."""
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
    """Return an answer whose body is `payload` as compact JSON."""
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    return Response(status, body, {"content-type": JSON, **(headers or {})})


def error_response(error: GatewayError, request_id: str) -> Response:
    """Return the answer to an error. Zoom's refusals keep Zoom's bytes, followed by the gateway's members."""
    if isinstance(error, ZoomRefused):
        return Response(error.status, _with_ours(error, request_id), _zoom_headers(error))
    body: dict[str, Any] = {"code": error.code, "message": str(error), **_details(error)}
    return json_response(error.status, body | _ours(error, request_id), {**error.headers, **_headers(error)})


def _ours(error: GatewayError, request_id: str) -> dict[str, Any]:
    ours = {"reason": error.reason, "request_id": request_id}
    return ours if error.hint is None else {**ours, "hint": error.hint}


def _with_ours(error: ZoomRefused, request_id: str) -> bytes:
    """Return Zoom's JSON object, byte for byte, with the gateway's members added at its end."""
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
    """Return the answer to a fault of the gateway: a fixed text with the id under which the log has the rest."""
    body = {"code": 500, "message": "Something went wrong inside the gateway.", "reason": "internal_error"}
    return json_response(500, body | {"request_id": request_id})


def _zoom_headers(error: ZoomRefused) -> dict[str, str]:
    headers = dict(error.headers)
    if error.body and "json" not in headers.get("content-type", ""):
        # Zoom's edge answers some failures in HTML, which a browser must not render as ours.
        is_json = error.body.lstrip()[:1] in {b"{", b"["}
        headers["content-type"] = JSON if is_json else "text/plain; charset=utf-8"
    # For answers without a JSON body: pages, and errors without a body.
    return {**headers, "x-gateway-reason": error.reason}


def _as_text(body: bytes, content_type: str) -> str | None:
    kind = content_type.partition(";")[0].strip().lower()
    if body and not (kind.startswith("text/") or kind in _TEXT_TYPES or kind.endswith(("+json", "+xml"))):
        return None
    try:
        return body.decode()
    except UnicodeDecodeError:
        return None
