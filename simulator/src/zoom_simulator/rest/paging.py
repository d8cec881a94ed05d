"""Pages: `next_page_token` (empty at the end, good for 15 minutes) and the old `page_number`.

https://developers.zoom.us/docs/api/using-zoom-apis/#pagination
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any

from zoom_simulator.errors import ZoomError
from zoom_simulator.model import Json
from zoom_simulator.rest.call import Call

DEFAULT_SIZE = 30
PAGING_PARAMETERS = ("next_page_token", "page_number", "page_size")


def page(call: Call, items: Sequence[Any], *, largest: int = 300, numbered: bool = True) -> tuple[Sequence[Any], Json]:
    """The items of the page that was asked for, and the fields that describe it.

    ZoomError 300 for a token that is expired, made up or belongs to another query.
    """
    size = _size(call, largest)
    token = call.query.get("next_page_token", "")
    number = call.number("page_number", 1, 0) or 1
    begin = _offset(call, token) if token else (number - 1) * size
    chunk = items[begin : begin + size]
    more = begin + size < len(items)
    shown: Json = {
        "page_count": max(1, -(-len(items) // size)),
        "page_size": size,
        "total_records": len(items),
        "next_page_token": _token(call, begin + size) if more else "",
    }
    if numbered:
        shown["page_number"] = begin // size + 1
    return chunk, shown


def _size(call: Call, largest: int) -> int:
    """The page size that was asked for: 0 means the default, and one above the maximum is lowered to it."""
    asked = call.query.get("page_size", "")
    if asked.isdecimal() and int(asked) > largest and call.sim.behaviour.page_size_above_maximum == "lower":
        return largest
    return call.number("page_size", DEFAULT_SIZE, 0, largest) or DEFAULT_SIZE


def _token(call: Call, offset: int) -> str:
    expiry = int(call.now + call.sim.behaviour.page_token_seconds)
    content = json.dumps([offset, expiry]).encode()
    return base64.urlsafe_b64encode(_seal(call, content) + content).decode().rstrip("=")


def _offset(call: Call, token: str) -> int:
    refusal = ZoomError(400, 300, "The next page token is invalid or expired.")
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        seal, content = raw[:16], raw[16:]
        offset, expiry = json.loads(content)
    except (ValueError, TypeError):
        raise refusal from None
    if not hmac.compare_digest(seal, _seal(call, content)) or expiry <= call.now:
        raise refusal
    return int(offset)


def _seal(call: Call, content: bytes) -> bytes:
    query = {name: value for name, value in call.query.items() if name not in PAGING_PARAMETERS}
    subject = json.dumps([call.operation.name, call.params, sorted(query.items())]).encode()
    return hmac.new(call.sim.state.signing_key.encode(), subject + content, hashlib.sha256).digest()[:16]
