"""The fields of requests to the gateway's own routes for connections and events."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote

from zoom_common.access.principal import CONNECTION_ID, Principal
from zoom_common.connections import labels
from zoom_common.connections.selection import owner_filter
from zoom_common.edge.request import Request
from zoom_common.edge.request_fields import Fields, PageTokens
from zoom_common.errors import Conflict, FieldError, Forbidden, InvalidRequest
from zoom_common.events.log.query import PLACE, LogQuery
from zoom_common.secret import Secret
from zoom_common.zoom.oauth import App

_LONGEST = 2000

# Zoom's own ids have about 22 characters. Both ids are part of one key in the table, which may have 2,048 bytes.
_LONGEST_ID = 200

_MARKS = frozenset("#: ")

ACCOUNT_CREDENTIALS = "account_credentials"


def body_of(request: Request) -> Mapping[str, Any]:
    """Return the JSON object in the body, or an empty one without a body. Raises InvalidRequest."""
    body = request.json() if request.body else {}
    if not isinstance(body, dict):
        raise InvalidRequest(message="Request Body should be a valid JSON object.")
    return body


def text_of(body: Mapping[str, Any], name: str) -> str | None:
    """Return a text field of at most 2,000 characters, or None when it is absent. Raises InvalidRequest."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST or not value.isprintable():
        raise InvalidRequest([FieldError(name, "Invalid field.")])
    return value


def label_of(body: Mapping[str, Any]) -> str | None:
    """Return a program's label for a connection, or None when it is absent. Raises InvalidRequest."""
    return labels.checked(text_of(body, "label"))


def new_label_of(body: Mapping[str, Any]) -> str | None:
    """Return the label in a request that changes only the label; null removes it. Raises InvalidRequest."""
    unknown = [FieldError(name, "Only label can be changed.") for name in body if name != "label"]
    if unknown or "label" not in body:
        raise InvalidRequest(unknown or [FieldError("label", "Required: a text, or null for none.")])
    return label_of(body)


def owner_of(principal: Principal, asked: str | None) -> str:
    """Return the owner of a new connection. People connect only for themselves. Raises Forbidden."""
    if asked is None or asked == principal.subject:
        return principal.subject
    if owner_filter(principal) is not None:
        raise Forbidden(["connections:all"])
    return asked


def refuse_bound(principal: Principal) -> None:
    """Raise Conflict for a key that is bound to one connection, because it may not make others."""
    if principal.connection is not None:
        raise Conflict("This key is bound to one connection: reconnect that one.", reason="key_bound")


def account_of(body: Mapping[str, Any]) -> tuple[App, str]:
    """Return the app and the account id of a Server-to-Server connection. Raises InvalidRequest."""
    if body.get("grant_type", ACCOUNT_CREDENTIALS) != ACCOUNT_CREDENTIALS:
        raise InvalidRequest([FieldError("grant_type", f"Only {ACCOUNT_CREDENTIALS}: people connect by a link.")])
    found = {name: text_of(body, name) for name in ("client_id", "client_secret", "account_id")}
    missing = [FieldError(name, "Required.") for name, value in found.items() if value is None]
    # A separator inside a value must not end the table's key or the Basic credentials that it becomes a part of.
    bad = [
        FieldError(name, "Invalid field.")
        for name in ("client_id", "account_id")
        if set(found[name] or "") & _MARKS or len(found[name] or "") > _LONGEST_ID
    ]
    if missing or bad:
        raise InvalidRequest([*missing, *bad])
    return App(str(found["client_id"]), Secret(str(found["client_secret"]))), str(found["account_id"])


def page_of(request: Request, tokens: PageTokens) -> tuple[int, str | None]:
    """Return `page_size` (30, at most 300) and the place after which `next_page_token` continues.

    Raises InvalidRequest.
    """
    fields = Fields(request.query)
    size, after = fields.page_size(), fields.after(tokens)
    fields.check()
    return size, after


def wants_json(request: Request) -> bool:
    """Return whether the caller asked for JSON and not for a page."""
    accept = request.headers.get("accept", "").lower()
    return "application/json" in accept and "text/html" not in accept


def cookie_name(public_base_url: str) -> str:
    """Return the cookie's name. `__Host-` keeps other hosts of the domain from setting it, and needs https."""
    return "__Host-zoom-connect" if public_base_url.startswith("https://") else "zoom-connect"


_ONE_TYPE = r"(?:zoom\.)?[\x21-\x29\x2b\x2d-\x7e]{1,120}\*?"
_TYPE = re.compile(rf"{_ONE_TYPE}(?:,{_ONE_TYPE}){{0,19}}")
_UUID = re.compile(r"[\x20-\x7e]{1,200}")
_ORDER = re.compile(r"asc|desc")

_MEETING = re.compile(r"[0-9]{1,20}")


def log_fields(request: Request) -> Fields:
    """The parameters of a read of the log. `type` may stand there several times; of the others, each once."""
    values: dict[str, str] = {}
    repeated = set()
    for name, value in parse_qsl(request.query_string, keep_blank_values=True):
        if name in values and name != "type":
            repeated.add(name)
        values[name] = ",".join(filter(None, (values.get(name), value))) if name == "type" else value
    fields = Fields(values)
    for name in sorted(repeated):
        fields.wrong(name, "Only once.")
    return fields


def log_tokens(tenant: str) -> PageTokens:
    """Return the page tokens of a tenant's event log, for reading it and for publishing it again."""
    return PageTokens("events", tenant, PLACE)


def forward_tokens(tenant: str) -> PageTokens:
    """Return the cursors of a tenant's event log read forwards."""
    return PageTokens("events.after", tenant, PLACE)


def reads_forwards(fields: Fields) -> bool:
    """Return whether `order` or `after` asks for the log in the order in which events became visible."""
    order = fields.matching("order", _ORDER, "asc or desc.")
    if order == "desc" and fields.text("after"):
        fields.wrong("order", "A cursor goes forwards: leave order out, or asc.")
    return order == "asc" or bool(fields.text("after"))


def log_query_of(fields: Fields, *, now: float, retention_days: int, tokens: PageTokens | None = None) -> LogQuery:
    """Read `type`, `meeting`, `uuid`, `connection`, `from`, `to`, `page_size` and, with `tokens`, the page token.

    A page continues after `after` or `next_page_token`. `now` is epoch seconds. Events older than `retention_days` are
    not looked for. Raises InvalidRequest.
    """
    until, since = fields.moment_ms("to"), fields.moment_ms("from")
    kind = fields.matching("type", _TYPE, "Up to 20 names of events with commas between them, such as meeting.started.")
    meeting = fields.matching("meeting", _MEETING, "The number of a meeting or webinar, digits only.")
    uuid = fields.matching("uuid", _UUID, "The uuid of an instance.")
    connection = fields.matching("connection", CONNECTION_ID, "The id of a connection, as GET /connections lists it.")
    size, token = fields.page_size(), "after" if fields.text("after") else "next_page_token"
    after = fields.after(tokens, token) if tokens is not None else None
    fields.check()
    return LogQuery.within(
        now=now,
        retention_days=retention_days,
        since_ms=since,
        until_ms=until,
        kind=kind,
        meeting=meeting,
        uuid=unquote(unquote(uuid)).replace(" ", "+") if uuid else None,
        connection=connection,
        page_size=size,
        after=after,
    )
