"""An HTTP request as a function sees it, from the payload 2.0 event of an HTTP API or a function URL.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from zoom_common.access.principal import Principal
from zoom_common.deadline import Deadline
from zoom_common.errors import BodyTooLong, InvalidRequest

# An HTTP API gives up after 30 s, whatever the function does. The rest is left for answering.
LONGEST_CALL = 28.0
_TIME_TO_ANSWER = 0.5
# In bytes, base64 included. Lambda's event may have 6 MB, and headers need some of it. On AWS, API Gateway itself
# refuses most longer bodies. https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
LONGEST_BODY = 6_000_000
_JSON_TYPES = ("application/json", "text/json")


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `path` is as it arrived, without the stage. Query values are decoded, the first of each name."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict, repr=False)
    query_string: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    principal: Principal | None = None
    denied: str | None = None
    request_id: str = ""
    deadline: Deadline = field(default_factory=lambda: Deadline.after(LONGEST_CALL))

    @classmethod
    def from_event(
        cls, event: Mapping[str, Any], context: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> Request:
        """Read an event. `context` gives the time that is left; `headers` are the event's, from `lower_case`.

        Raises InvalidRequest when the body is not readable.
        """
        about = event.get("requestContext") or {}
        authorizer = (about.get("authorizer") or {}).get("lambda") or {}
        query_string = _text(event.get("rawQueryString") or "")
        headers = lower_case(event.get("headers")) if headers is None else headers
        return cls(
            method=(about.get("http") or {}).get("method", "GET").upper(),
            path=_without_stage(_text(event.get("rawPath") or "/"), about.get("stage", "$default")),
            query=_first_of_each(parse_qsl(query_string, keep_blank_values=True)),
            query_string=query_string,
            headers=headers,
            cookies=_cookies(map(_text, event.get("cookies") or headers.get("cookie", "").split(";"))),
            body=_body(event),
            principal=Principal.from_context(authorizer),
            denied=authorizer.get("denied"),
            request_id=request_id(event, context),
            deadline=_deadline(context),
        )

    def json(self) -> Any:
        """Return the body as JSON.

        Raises InvalidRequest when it is empty, not JSON, or declared to be something else.
        """
        declared = self.headers.get("content-type", _JSON_TYPES[0]).partition(";")[0].strip().lower()
        if declared not in _JSON_TYPES and not declared.endswith("+json"):
            raise InvalidRequest(message="Send JSON, with the header Content-Type: application/json.")
        try:
            return json.loads(self.body, parse_constant=_refuse)
        except (ValueError, RecursionError):
            raise InvalidRequest(message="Request Body should be a valid JSON object.") from None


def lower_case(headers: Mapping[str, str] | None) -> dict[str, str]:
    """Return the headers by their names in lower case, without characters that cannot be encoded."""
    return {name.lower(): _text(value) for name, value in (headers or {}).items()}


def request_id(event: Mapping[str, Any], context: Any = None) -> str:
    """Return API Gateway's id of the request, else that of the invocation."""
    about = event.get("requestContext") or {}
    return str(about.get("requestId") or getattr(context, "aws_request_id", ""))


def _without_stage(path: str, stage: str) -> str:
    prefix = f"/{stage}"
    if stage != "$default" and (path == prefix or path.startswith(prefix + "/")):
        return path[len(prefix) :] or "/"
    return path or "/"


def _first_of_each(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in pairs:
        found.setdefault(name, value)
    return found


def _cookies(lines: Iterable[str]) -> dict[str, str]:
    # Browsers send the most specific cookie of a name first.
    split = (line.strip().partition("=") for line in lines)
    return _first_of_each((name, value) for name, equals, value in split if equals)


def _text(text: str) -> str:
    """Return `text` with a question mark for each lone surrogate: an event can hold them, and UTF-8 cannot."""
    return text if text.isascii() else text.encode(errors="replace").decode()


def _body(event: Mapping[str, Any]) -> bytes:
    body = event.get("body") or ""
    if len(body) > LONGEST_BODY:
        raise BodyTooLong(LONGEST_BODY)
    try:
        return base64.b64decode(body, validate=True) if event.get("isBase64Encoded") else str(body).encode()
    except ValueError:  # not base64, not ASCII, or a lone surrogate
        raise InvalidRequest(message="The body could not be read.") from None


def _deadline(context: Any) -> Deadline:
    left = getattr(context, "get_remaining_time_in_millis", None)
    if left is None:
        return Deadline.after(LONGEST_CALL)
    return Deadline.after(min(LONGEST_CALL, max(0.0, left() / 1000 - _TIME_TO_ANSWER)))


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)  # Python reads NaN and Infinity as JSON, other parsers do not
