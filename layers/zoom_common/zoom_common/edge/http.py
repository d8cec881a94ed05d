"""Answers Lambda's HTTP events: routes, authorization, and the one place where errors become answers."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import unquote

from zoom_common import observability
from zoom_common.access.principal import Principal
from zoom_common.edge.request import Request, lower_case, request_id
from zoom_common.edge.response import Response, error_response, json_response, unexpected
from zoom_common.errors import (
    Forbidden,
    GatewayError,
    InternalError,
    MethodNotAllowed,
    NotFound,
    Unauthenticated,
    Unavailable,
)
from zoom_common.settings import MissingSetting

__all__ = ["Request", "Response", "Router", "authorize", "error_response", "guarded", "json_response"]

type Handler = Callable[[Mapping[str, Any], Any], dict[str, Any]]

# Counts a request of an API key that has a limit. Raises TooManyRequests.
type Admit = Callable[[Principal], None]

NOT_RECOGNIZED = "This API endpoint is not recognized."
_SECURITY_HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
_INTERNAL_STATUS = 500
_PLAIN = re.compile(r"[A-Za-z0-9/_-]{1,200}")


def authorize(request: Request, scope: str | None) -> Principal:
    """Return the caller, if they have `scope` (None: if they are known).

    Raises Unauthenticated, Forbidden, or Unavailable when the key store could not be asked.
    """
    if request.principal is None:
        raise _denial(request.denied)
    if scope is not None and not request.principal.may(scope):
        raise Forbidden([scope])
    return request.principal


def _denial(reason: str | None) -> GatewayError:
    match reason:
        case "unavailable":
            return Unavailable(reason="key_store_unavailable")
        case "internal_error":
            return InternalError(where="key_store_unavailable", cause="authorizer")
        case "expired_key" | "expired_token":
            return Unauthenticated(reason=reason, message="Access token is expired.")
        case "revoked_key":
            return Unauthenticated(reason=reason)
        case _:
            # An unknown key and a wrong secret get the same answer, so that key ids cannot be guessed.
            return Unauthenticated()


def guarded(answer: Callable[[Request], Response], admit: Admit) -> Handler:
    """Return a Lambda handler around `answer`. Every error that it raises becomes an answer.

    `admit` is called for callers with a limit of requests only.
    """

    def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        known_as, headers = request_id(event, context), lower_case(event.get("headers"))
        observability.begin_correlation(headers.get(observability.CORRELATION_HEADER, ""), known_as)
        try:
            request = Request.from_event(event, context, headers=headers)
            if request.principal is not None and request.principal.requests_per_minute is not None:
                admit(request.principal)
            response = Response(204) if _is_preflight(request) else answer(request)
        except InternalError as error:
            observability.fault(error, request_id=known_as)
            response = error_response(error, known_as)
        except GatewayError as error:
            if error.status >= _INTERNAL_STATUS:
                observability.logger().warning("refused", reason=error.reason, status=error.status, request_id=known_as)
            response = error_response(error, known_as)
        except Exception as error:  # noqa: BLE001 - the caller gets a fixed text, the log the place
            observability.logger().error("failed", request_id=known_as, **_place(error))
            observability.count("UnexpectedErrors")
            response = unexpected(known_as)
        return _finished(response, headers, known_as).to_event()

    return handler


def _is_preflight(request: Request) -> bool:
    """Return whether a browser asks if a page may make a request. It sends no credential with that.

    API Gateway answers by itself where no route has the method, and a route of any method has it. It adds the CORS
    headers to this answer if the parameter CorsAllowedOrigins is set; without them browsers refuse the page.
    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html
    https://github.com/anomalyco/sst/issues/5493
    """
    if request.method != "OPTIONS" or request.principal is not None:
        return False
    return {"origin", "access-control-request-method"} <= request.headers.keys()


def _place(error: Exception) -> dict[str, Any]:
    # The exception's message is never logged: it may quote what a person or Zoom sent.
    frames = traceback.extract_tb(error.__traceback__)
    place = {"error": type(error).__qualname__, "at": [f"{each.filename}:{each.lineno} {each.name}" for each in frames]}
    return {**place, "setting": error.name} if isinstance(error, MissingSetting) else place


def _finished(response: Response, asked: Mapping[str, str], known_as: str) -> Response:
    headers = {**_SECURITY_HEADERS, "x-request-id": known_as, **response.headers}
    if observability.correlation_id() != known_as:
        headers[observability.CORRELATION_HEADER] = observability.correlation_id()
    if asked.get("x-forwarded-proto") == "https":
        headers["strict-transport-security"] = "max-age=31536000"
    return replace(response, headers=headers)


@dataclass(frozen=True, slots=True)
class _Route:
    method: str
    template: str
    pattern: re.Pattern[str]
    scope: str | None
    answer: Callable[..., Response]


# A meeting's number, or the uuid of an instance, which is base64 and may contain unencoded slashes.
_MEETING = r"[^/]+|[A-Za-z0-9+/]{20,24}={0,2}"


def _segment(placeholder: re.Match[str]) -> str:
    name = placeholder[1]
    return f"(?P<{name}>{_MEETING if name == 'number' else '[^/]+'})"


class Router:
    """The routes of a function. `{name}` in a template matches one segment and is passed decoded, as a keyword.

    `admit` is as for `guarded`.
    """

    def __init__(self, admit: Admit) -> None:
        self._routes: list[_Route] = []
        self._handler = guarded(self.answer, admit)

    def route[F: Callable[..., Response]](self, method: str, template: str, *, scope: str | None) -> Callable[[F], F]:
        """Register `f(request, principal, **path)`; with `scope=None` the route is open and `f(request, **path)`."""
        pattern = re.compile(re.sub(r"\\\{(\w+)\\\}", _segment, re.escape(template)))

        def register(answer: F) -> F:
            self._routes.append(_Route(method, template, pattern, scope, answer))
            return answer

        return register

    @property
    def routes(self) -> list[tuple[str, str]]:
        """Return method and template of every route, in the order in which they are tried."""
        return [(each.method, each.template) for each in self._routes]

    def knows(self, path: str) -> bool:
        """Return whether some route has this path."""
        return bool(self._matches(path))

    def handle(self, event: Mapping[str, Any], context: Any) -> dict[str, Any]:
        """The Lambda handler of these routes."""
        return self._handler(event, context)

    def answer(self, request: Request) -> Response:
        """Answer one request. HEAD is answered like GET, without the body; OPTIONS with the methods of the path.

        Slashes at the end and repeated slashes are ignored where no route has them. Raises NotFound or MethodNotAllowed
        for known callers, Unauthenticated for others.
        """
        matches = self._matches(request.path) or self._matches(typed_path(request.path))
        method = "GET" if request.method == "HEAD" else request.method
        for route, found in matches:
            if route.method == method:
                response = self._routed(route, found, request)
                return replace(response, body=b"") if request.method == "HEAD" else response
        authorize(request, None)
        if not matches:
            raise _unknown(request)
        allowed = [route.method for route, _ in matches]
        if method == "OPTIONS":
            return Response(204, headers={"allow": ", ".join([*allowed, "OPTIONS"])})
        raise MethodNotAllowed(allowed)

    def _matches(self, path: str) -> list[tuple[_Route, re.Match[str]]]:
        return [(route, found) for route in self._routes if (found := route.pattern.fullmatch(path))]

    @staticmethod
    def _routed(route: _Route, found: re.Match[str], request: Request) -> Response:
        path = {name: unquote(value) for name, value in found.groupdict().items()}
        if route.scope is None:
            return route.answer(request, **path)
        return route.answer(request, authorize(request, route.scope), **path)


def _unknown(request: Request) -> NotFound:
    """Return the 404 of a path that has no route. It names the path under /v2 that the caller may have meant."""
    # Imported here, because the table of operations would take most of the start's time.
    from zoom_common.zoom.operations.table import methods  # noqa: PLC0415

    meant, message = f"/v2{typed_path(request.path)}", NOT_RECOGNIZED
    with suppress(NotFound):
        methods(meant)
        # The message repeats only plain paths: another path may contain an e-mail address.
        message += f" Did you mean {meant}?" if _PLAIN.fullmatch(meant) else " Did you mean the same path under /v2?"
    return NotFound(message, reason="unknown_route", code=2300)


def typed_path(path: str) -> str:
    """Return a path without extra slashes: those at the end, and all but one of several in a row."""
    return re.sub("/{2,}", "/", path).rstrip("/") or "/"
