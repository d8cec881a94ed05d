"""All operations, in one table. Routing, preflight, limits, retries and documents read it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, lru_cache
from types import MappingProxyType

from zoom_common.errors import MethodNotAllowed, NotFound
from zoom_common.zoom.operations.meetings import MEETINGS
from zoom_common.zoom.operations.model import Operation
from zoom_common.zoom.operations.paths import PREFIX, decoded, pattern
from zoom_common.zoom.operations.recordings import RECORDINGS
from zoom_common.zoom.operations.registrants import REGISTRANTS
from zoom_common.zoom.operations.reports import REPORTS
from zoom_common.zoom.operations.users import USERS
from zoom_common.zoom.operations.webinars import WEBINARS

OPERATIONS: tuple[Operation, ...] = (*USERS, *MEETINGS, *WEBINARS, *REGISTRANTS, *RECORDINGS, *REPORTS)

# Templates with more fixed words first: `/meetings/{id}/status` is asked before `/meetings/{id}` could take it.
_TEMPLATES = sorted({each.path for each in OPERATIONS}, key=lambda path: (-path.count("/"), path.count("{"), path))
_BY_METHOD = {path: {each.method: each for each in OPERATIONS if each.path == path} for path in _TEMPLATES}
# The fixed words at both ends.
_ENDS = [(PREFIX + each.partition("{")[0], each.rpartition("}")[2], each) for each in _TEMPLATES]
# Compiled when a path first looks like it: a function is asked for few of them.
_compiled = cache(pattern)


def match(method: str, path: str) -> tuple[Operation, Mapping[str, str]]:
    """The operation that `method` and `path` (with its `/v2`) mean, and the ids in the path, decoded.

    Raises NotFound with Zoom's code 2300, and MethodNotAllowed.
    """
    try:
        meant = decoded(path).rstrip("/")
    except ValueError:
        raise _unknown() from None
    by_method, ids = _matched(meant)
    operation = by_method.get(method.upper())
    if operation is None:
        raise MethodNotAllowed(sorted(by_method))
    return operation, ids


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
    return NotFound("This API endpoint is not recognized.", reason="unknown_route", code=2300)
