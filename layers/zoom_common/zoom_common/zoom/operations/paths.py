"""Ids in paths, and which operation a path means.

Zoom's meeting UUIDs are base64 and hold slashes, and an HTTP API decodes `%2F` before anyone sees the path: so a path
is matched from its right end, where the fixed words are, and what is left over is the id, slashes and all.

https://developers.zoom.us/docs/api/using-zoom-apis/#meeting-id-and-uuid
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

PREFIX = "/v2"

# An id of one instance of a meeting or webinar may be a UUID. Only what ends as base64 of 16 bytes ends may hold a
# slash: `123/registrants` is no id.
_INSTANCE = frozenset({"meetingId", "webinarId", "meetingUUID"})
_UUID = r"[A-Za-z0-9+/]+=="
_SEGMENT = r"(?!\.{1,2}(?:/|$))[^/]+"
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
