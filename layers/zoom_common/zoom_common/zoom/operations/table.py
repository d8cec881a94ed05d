"""All operations in one table, and how a path finds its row."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from types import MappingProxyType
from urllib.parse import quote, unquote

from zoom_common.errors import MethodNotAllowed, NotFound
from zoom_common.zoom.operations.meetings import MEETINGS
from zoom_common.zoom.operations.model import Operation
from zoom_common.zoom.operations.recordings import RECORDINGS
from zoom_common.zoom.operations.registrants import REGISTRANTS
from zoom_common.zoom.operations.reports import REPORTS
from zoom_common.zoom.operations.users import USERS
from zoom_common.zoom.operations.webinars import WEBINARS

PREFIX = "/v2"

# The reason of the 404 for paths that Zoom may have and the gateway does not serve.
NOT_SERVED = "not_served_here"

# An id of one instance of a meeting or webinar may be a UUID. Only what ends as base64 of 16 bytes ends may hold a
# slash: `123/registrants` is no id.
_INSTANCE = frozenset({"meetingId", "webinarId", "meetingUUID"})

_UUID = r"[A-Za-z0-9+/]+=="

_SEGMENT = r"(?!\.{1,2}(?:/|$))[^/]+"

_SLASHES = re.compile(r"/{2,}")

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def pattern(template: str) -> re.Pattern[str]:
    """What matches a decoded path of `template`, with a group for each of its ids."""
    parts = _PLACEHOLDER.split(template)
    regex = "".join(_group(part) if index % 2 else re.escape(part) for index, part in enumerate(parts))
    return re.compile(re.escape(PREFIX) + regex)


def _group(name: str) -> str:
    return f"(?P<{name}>{_UUID}|{_SEGMENT})" if name in _INSTANCE else f"(?P<{name}>{_SEGMENT})"


def decoded(path: str) -> str:
    """`path` as it was meant: sent plain, encoded once, or twice as Zoom's documents advise. Raises ValueError."""
    for _ in range(2):
        if "%" not in path:
            break
        path = unquote(path, errors="strict")
    return path


def encoded(identifier: str) -> str:
    """An id as Zoom wants it in a path: twice encoded when it starts with a slash or holds two in a row, else once."""
    once = quote(identifier, safe="")
    return quote(once, safe="") if identifier.startswith("/") or "//" in identifier else once


def encoded_twice(identifier: str) -> str:
    """An id as every path of ours takes it, whatever it holds: `decoded` undoes it."""
    return quote(quote(identifier, safe=""), safe="")


def filled(template: str, ids: Mapping[str, str]) -> str:
    """The path on the wire, below the base URL."""
    return _PLACEHOLDER.sub(lambda found: encoded(ids[found[1]]), template)


OPERATIONS: tuple[Operation, ...] = (*USERS, *MEETINGS, *WEBINARS, *REGISTRANTS, *RECORDINGS, *REPORTS)

# Templates with more fixed words first: `/meetings/{id}/status` is asked before `/meetings/{id}` could take it.
_TEMPLATES = sorted({each.path for each in OPERATIONS}, key=lambda path: (-path.count("/"), path.count("{"), path))

_BY_METHOD = {path: {each.method: each for each in OPERATIONS if each.path == path} for path in _TEMPLATES}

# Where `DELETE list/` with an id that came out empty would delete all instead of one.
_DELETED = [each.path for each in OPERATIONS if each.method == "DELETE"]
_LISTS_TO_DELETE = frozenset(path for path in _DELETED if any(each.startswith(f"{path}/{{") for each in _DELETED))

# The fixed words at both ends.
_ENDS = [(PREFIX + each.partition("{")[0], each.rpartition("}")[2], each) for each in _TEMPLATES]

# Compiled when a path first looks like it: a function is asked for few of them.
_compiled = cache(pattern)


def match(method: str, path: str) -> tuple[Operation, Mapping[str, str]]:
    """The operation that `method` and `path` (with its `/v2`) mean, and the ids in the path, decoded.

    HEAD means GET. Slashes at the end and in a row do not count, unless a UUID needs them. But a DELETE with nothing
    after its last slash lacks an id where a list and its items can both be deleted, and means nothing. Raises NotFound
    with Zoom's code 2300, and MethodNotAllowed.
    """
    by_method, ids = _found(path)
    operation = by_method.get("GET" if method.upper() == "HEAD" else method.upper())
    if operation is None:
        raise MethodNotAllowed(_allowed(by_method))
    if operation.path in _LISTS_TO_DELETE and operation.method == "DELETE" and path.endswith("/"):
        raise _unknown()
    return operation, ids


def methods(path: str) -> list[str]:
    """Return the methods that a path knows. Raises NotFound."""
    return _allowed(_found(path)[0])


def _allowed(by_method: Mapping[str, Operation]) -> list[str]:
    return sorted({*by_method, "OPTIONS", *(["HEAD"] if "GET" in by_method else [])})


def _found(path: str) -> tuple[Mapping[str, Operation], Mapping[str, str]]:
    try:
        meant = decoded(path).rstrip("/")
    except ValueError:
        raise _unknown() from None
    try:
        return _matched(meant)
    except NotFound:
        typed = _SLASHES.sub("/", meant)
        if typed == meant:
            raise
        return _matched(typed)


@lru_cache(maxsize=64)  # a request asks twice
def _matched(meant: str) -> tuple[Mapping[str, Operation], Mapping[str, str]]:
    for head, last, template in _ENDS:
        if meant.startswith(head) and meant.endswith(last):
            found = _compiled(template).fullmatch(meant)
            if found is not None:
                return _BY_METHOD[template], MappingProxyType(found.groupdict())
    raise _unknown()


def routes(function: str) -> frozenset[str]:
    """The HTTP API routes behind which `function` serves its operations."""
    return frozenset(each.route for each in OPERATIONS if each.function == function)


def _unknown() -> NotFound:
    return NotFound("The gateway does not serve this path of Zoom's API.", reason=NOT_SERVED)
