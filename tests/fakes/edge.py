"""HTTP API events as API Gateway writes them (payload 2.0), for tests of handlers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from zoom_common.access.principal import Principal


@dataclass(frozen=True, slots=True)
class LambdaContext:
    """The part of Lambda's context that functions read."""

    aws_request_id: str = "invocation-1"
    function_name: str = "function"
    remaining_ms: int = 29_000

    def get_remaining_time_in_millis(self) -> int:
        return self.remaining_ms


def never_counted(caller: Principal) -> NoReturn:  # noqa: ARG001 - the seam's signature
    """Fail: a request of a caller without a limit is not counted."""
    raise AssertionError("counted a request of a caller without a limit")


def http_event(
    method: str = "GET",
    path: str = "/",
    *,
    query: str = "",
    headers: Mapping[str, str] | None = None,
    cookies: Sequence[str] = (),
    body: str | None = None,
    principal: Principal | None = None,
    denied: str | None = None,
) -> dict[str, Any]:
    """One request to an HTTP API whose authorizer found `principal`, or denied it, or did not run at all."""
    about: dict[str, Any] = {
        "stage": "$default",
        "requestId": "request-1",
        "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "test"},
    }
    if principal is not None:
        about["authorizer"] = {"lambda": principal.to_context()}
    elif denied is not None:
        about["authorizer"] = {"lambda": {"denied": denied}}
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": dict(headers or {}),
        "requestContext": about,
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = list(cookies)
    if body is not None:
        event["body"] = body
    return event
