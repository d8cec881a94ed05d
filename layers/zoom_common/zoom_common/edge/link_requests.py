"""What requests about connections say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoom_common.access.principal import Principal
from zoom_common.connections.selection import owner_filter
from zoom_common.edge.request import Request
from zoom_common.errors import FieldError, Forbidden, InvalidRequest

_PAGE, _LARGEST_PAGE = 30, 300
_LONGEST = 2000


def body_of(request: Request) -> Mapping[str, Any]:
    """The JSON object in the body; no body is an empty one. Raises InvalidRequest."""
    body = request.json() if request.body else {}
    if not isinstance(body, dict):
        raise InvalidRequest(message="Request Body should be a valid JSON object.")
    return body


def text_of(body: Mapping[str, Any], name: str) -> str | None:
    """A text field, or None when it is absent. Raises InvalidRequest."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST or not value.isprintable():
        raise InvalidRequest([FieldError(name, "Invalid field.")])
    return value


def owner_of(principal: Principal, asked: str | None) -> str:
    """Who will own a new connection: a person connects only for themselves. Raises Forbidden."""
    if asked is None or asked == principal.subject:
        return principal.subject
    if owner_filter(principal) is not None:
        raise Forbidden(["connections:all"])
    return asked


def page_of(request: Request) -> tuple[int, str | None]:
    """`page_size` (30, at most 300) and `next_page_token`, named as Zoom names them. Raises InvalidRequest."""
    size = request.query.get("page_size", str(_PAGE))
    if not (size.isascii() and size.isdigit() and 0 < int(size) <= _LARGEST_PAGE):
        raise InvalidRequest([FieldError("page_size", "Invalid field.")])
    return int(size), request.query.get("next_page_token") or None


def wants_json(request: Request) -> bool:
    """Whether the caller asked for JSON and not for a page."""
    accept = request.headers.get("accept", "").lower()
    return "application/json" in accept and "text/html" not in accept


def cookie_name(public_base_url: str) -> str:
    """`__Host-` keeps other hosts of the domain from setting it; without https no browser would take that."""
    return "__Host-zoom-connect" if public_base_url.startswith("https://") else "zoom-connect"
