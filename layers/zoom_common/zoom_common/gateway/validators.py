"""Entity tags for reads: the caller that has what Zoom has gets no body.

https://www.rfc-editor.org/rfc/rfc9110#section-13.1.2
"""

from __future__ import annotations

import hashlib
import re

# New with every read, and the caller's own: the link that opens a meeting as its host.
_VOLATILE = re.compile(rb'"start_url"\s*:\s*"(?:[^"\\]|\\.)*"')


def etag(connection_id: str, body: bytes) -> str:
    """The weak tag of an answer, as this connection sees it. Two answers that differ in `start_url` only share one."""
    seen = hashlib.sha256(connection_id.encode() + b"\0" + _VOLATILE.sub(b"", body))
    return f'W/"{seen.hexdigest()[:32]}"'


def is_known(if_none_match: str | None, tag: str) -> bool:
    """Whether `If-None-Match` names the tag, by weak comparison."""
    if not if_none_match:
        return False
    named = {each.strip().removeprefix("W/") for each in if_none_match.split(",")}
    return "*" in named or tag.removeprefix("W/") in named
