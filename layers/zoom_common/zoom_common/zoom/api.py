"""Zoom's REST API over HTTP: turns an operation into a request, and reads an answer for errors.

https://developers.zoom.us/docs/api/
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NoReturn, cast
from urllib.parse import quote

from zoom_common import __version__
from zoom_common.errors import FieldError, InvalidRequest, ZoomRefused
from zoom_common.secret import Secret
from zoom_common.zoom.error_codes import SCOPES_MISSING, RefusedCall, meaning
from zoom_common.zoom.http import HttpRequest, HttpResponse
from zoom_common.zoom.operations.model import JSON, MULTIPART, Operation, with_lowered_page_size
from zoom_common.zoom.operations.table import filled

if TYPE_CHECKING:
    from zoom_common.zoom.models.fields import ZoomModel

# The characters that RFC 3986 allows in a query, and the caller's own %-escapes, so that nothing is encoded twice.
_QUERY = "%&=+-._~!$'()*,;:@/?"
_LONE_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
TOKEN_REJECTED = 124
_GZIP = b"\x1f\x8b"
_COMPRESSED = "The body is compressed. Send it without Content-Encoding."
_NO_JSON = "Send one JSON object in UTF-8, with the header Content-Type: application/json."
# https://www.rfc-editor.org/rfc/rfc2046#section-5.1.1
_BOUNDARY = re.compile(
    r"""multipart/form-data\s*;(?:.*;)?\s*boundary=(?:"([ -!#-~]{1,70})"|([!#-+\--:=?-~]{1,70}))\s*(?:;.*)?""",
    re.IGNORECASE | re.ASCII,
)


def check_body(operation: Operation, body: bytes, content_type: str = "") -> None:
    """Raise InvalidRequest with every fault of a request body that Zoom would certainly refuse.

    A missing JSON body is no fault. A body is read as JSON whatever `content_type` says, because programs often leave
    it out.
    """
    if operation.media == MULTIPART:
        _check_parts(body, content_type)
    elif operation.media == JSON and body.strip():
        _check_members(operation, parsed(body))


def _check_members(operation: Operation, members: dict[str, Any]) -> None:
    found = [FieldError(name, "This field is required.") for name in operation.required if name not in members]
    if operation.model is not None:
        from zoom_common.zoom.models.fields import faults  # noqa: PLC0415 - pydantic is for those who send a body

        found = faults(cast("type[ZoomModel]", operation.body), members)
    if found:
        raise InvalidRequest(found)


def _check_parts(body: bytes, content_type: str) -> None:
    """Check that a body is multipart, as far as forwarding it requires.

    https://www.rfc-editor.org/rfc/rfc7578
    """
    boundary = multipart_boundary(content_type)
    if boundary is None or b"--" + boundary not in body:
        raise InvalidRequest(
            message="Send the file as multipart/form-data, with the boundary in the header Content-Type."
        )


def multipart_boundary(content_type: str) -> bytes | None:
    """Return the boundary in a `Content-Type` of multipart/form-data, or None."""
    found = _BOUNDARY.fullmatch(content_type.strip())
    return None if found is None else (found[1] or found[2]).encode()


def parsed(body: bytes) -> dict[str, Any]:
    """Return the JSON object in `body`, which may be UTF-8, UTF-16 or UTF-32, with or without a byte order mark.

    Raises InvalidRequest for any other body.
    """
    try:
        value = json.loads(body.decode(json.detect_encoding(body)), parse_constant=_refuse)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        unreadable = InvalidRequest(message="Request Body should be a valid JSON object.")
        unreadable.hint = _COMPRESSED if body.startswith(_GZIP) else _NO_JSON
        raise unreadable
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)  # Python reads NaN and Infinity as JSON, other parsers do not


def as_utf8(body: bytes) -> bytes:
    """Return JSON text as UTF-8 without a byte order mark. A text that is UTF-8 already is not changed."""
    encoding = json.detect_encoding(body)
    return body if encoding == "utf-8" else body.decode(encoding).encode()


_ONE_DAY = timedelta(days=1)

# A start time with an offset, as a member's value. Inside a text, the quotation mark would follow a backslash. Programs
# write the plus as an escape, put a blank before the offset, or the zone's name after it. It is compiled when a body
# first has one, so that it costs no time at a function's start.
_OFFSET_START = (
    rb'("start_time"\s*:\s*")\s*(\d{4})-(\d\d?)-(\d\d?)[Tt ](\d\d?):(\d\d?)(?::(\d\d?)(?:[.,]\d+)?)?'
    rb'\s*(-|\+|\\u002[Bb])(\d\d)(?::?(\d\d))?(?:\[[^"\]\\]*\])?\s*"'
)


def with_utc_start(body: bytes) -> bytes:
    """Return a JSON body with its start time in UTC if it has an offset. All other bytes stay.

    Zoom is reported to ignore the offset and to read the time as UTC (https://github.com/calcom/cal.diy/pull/3238).
    With a `Z` the time means the same in either reading.
    """
    return re.sub(_OFFSET_START, _in_utc, body) if b'"start_time"' in body else body


def _in_utc(found: re.Match[bytes]) -> bytes:
    year, month, day, hour, minute, second = (int(found[group] or 0) for group in range(2, 8))
    offset = timedelta(hours=int(found[9]), minutes=int(found[10] or 0))
    if offset >= _ONE_DAY:
        return found[0]
    try:
        local = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - the offset makes it UTC
        when = local + offset if found[8] == b"-" else local - offset
    except (ValueError, OverflowError):
        return found[0]
    return found[1] + when.isoformat(timespec="seconds").encode() + b'Z"'


def build(
    operation: Operation,
    params: Mapping[str, str],
    *,
    query_string: str,
    body: bytes,
    base_url: str,
    token: Secret,
    content_type: str = "",
) -> HttpRequest:
    """Return the request for `operation`, with ids as Zoom expects them, and query and body as the caller wrote them.

    Two things change: a page size above the maximum is lowered, and JSON in UTF-16 becomes UTF-8. A multipart body is
    sent with the caller's `content_type`, which names its boundary. A body is left out if the operation has none.
    """
    query_string = with_lowered_page_size(operation.query, query_string)
    url = base_url.rstrip("/") + filled(operation.path, params)
    if query_string:
        url += "?" + quote(_LONE_PERCENT.sub("%25", query_string), safe=_QUERY)
    headers = {
        "Authorization": f"Bearer {token.reveal()}",
        "Accept": "application/json",
        "User-Agent": f"integrato-zoom/{__version__}",
    }
    if not operation.media or not body.strip():
        return HttpRequest(operation.method, url, headers)
    if operation.media == MULTIPART:
        return HttpRequest(operation.method, url, {**headers, "Content-Type": content_type}, body)
    content = with_utc_start(as_utf8(body))
    return HttpRequest(operation.method, url, {**headers, "Content-Type": "application/json"}, content)


def is_answer(response: HttpResponse, *, anything: bool = False) -> bool:
    """Return whether the answer is Zoom's: a success with JSON or nothing in it, or an error. A proxy's page is not.

    With `anything` a success may have any content, and a redirect is an answer too.
    """
    if anything and 200 <= response.status < 400:  # noqa: PLR2004 - successes and redirects
        is_redirect = response.status >= 300 and "location" in response.headers  # noqa: PLR2004 - HTTP's own number
        return bool(response.body) or response.too_long or is_redirect or _meant_to_be_empty(response)
    if 200 <= response.status < 300:  # noqa: PLR2004 - the class of successes
        return _json(response.body) is not None if response.body.strip() else _meant_to_be_empty(response)
    if 400 <= response.status < 500:  # noqa: PLR2004 - the class of refusals
        return True
    return zoom_code(response) is not None


def _meant_to_be_empty(response: HttpResponse) -> bool:
    # An answer that ends inside its headers looks like an empty one, but has no header about its length.
    if response.status in {204, 304}:
        return True
    return not response.headers.keys().isdisjoint(("content-length", "transfer-encoding"))


def token_rejected(response: HttpResponse) -> bool:
    """Return whether Zoom refused the access token itself. Some operations answer 400 for that.

    A token that lacks a scope is valid, whatever the status, because a new one would lack the scope as well.
    """
    if response.status not in {400, 401}:
        return False
    code = zoom_code(response)
    return code not in SCOPES_MISSING if response.status == 401 else code == TOKEN_REJECTED  # noqa: PLR2004


def zoom_code(response: HttpResponse) -> int | None:
    """Return the number in an error body, or None when there is none."""
    body = _json(response.body)
    code = body.get("code") if isinstance(body, dict) else None
    return code if isinstance(code, int) and not isinstance(code, bool) else None


def decipher(
    response: HttpResponse, *, headers: Mapping[str, str] | None = None, call: RefusedCall | None = None
) -> None:
    """Return for a success, else raise ZoomRefused with Zoom's own bytes and the `headers` for the caller.

    `call` describes the refused call, for a matching hint.
    """
    if 200 <= response.status < 300:  # noqa: PLR2004 - the class of successes
        return
    code = zoom_code(response)
    if call is not None:
        body = _json(response.body)
        call = replace(call, names_fields=isinstance(body, dict) and bool(body.get("errors")))
    meant = meaning(response.status, code, call)
    raise ZoomRefused(
        response.status,
        response.body,
        zoom_code=code,
        reason=meant.reason,
        hint=meant.hint,
        retryable=response.status == 429 or response.status >= 500,  # noqa: PLR2004 - HTTP's own numbers
        headers=headers,
    )


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
