"""All operations in one table, and the search for the row of a path."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import import_module
from types import MappingProxyType
from urllib.parse import quote, unquote

from zoom_common.errors import MethodNotAllowed, NotFound
from zoom_common.zoom.operations.model import Operation

PREFIX = "/v2"

# The reason of the 404 for paths that Zoom may have and the gateway does not serve.
NOT_SERVED = "not_served_here"

# An id of one instance of a meeting or webinar may be a UUID, and that of a chat message looks like one. Only an id
# that ends like base64 of 16 bytes may contain a slash: `123/registrants` is no id.
_INSTANCE = frozenset({"meetingId", "webinarId", "meetingUUID", "messageId"})

_UUID = r"[A-Za-z0-9+/]+=="

_SEGMENT = r"(?!\.{1,2}(?:/|$))[^/]+"

_SLASHES = re.compile(r"/{2,}")

_PLACEHOLDER = re.compile(r"\{(\w+)\}")


def pattern(template: str) -> re.Pattern[str]:
    """Return the pattern of decoded paths of `template`, with a group for each id."""
    parts = _PLACEHOLDER.split(template)
    regex = "".join(_group(part) if index % 2 else re.escape(part) for index, part in enumerate(parts))
    return re.compile(re.escape(PREFIX) + regex)


def _group(name: str) -> str:
    return f"(?P<{name}>{_UUID}|{_SEGMENT})" if name in _INSTANCE else f"(?P<{name}>{_SEGMENT})"


def decoded(path: str) -> str:
    """Return `path` decoded. It comes plain, encoded once, or twice as Zoom's documents advise. Raises ValueError."""
    for _ in range(2):
        if "%" not in path:
            break
        path = unquote(path, errors="strict")
    return path


def encoded(identifier: str) -> str:
    """Return an id encoded for Zoom: twice when it starts with a slash or holds two in a row, else once."""
    once = quote(identifier, safe="")
    return quote(once, safe="") if identifier.startswith("/") or "//" in identifier else once


def encoded_twice(identifier: str) -> str:
    """Return an id encoded for our own paths, whatever it contains. `decoded` undoes it."""
    return quote(quote(identifier, safe=""), safe="")


def filled(template: str, ids: Mapping[str, str]) -> str:
    """Return the path of a request to Zoom, below the base URL."""
    return _PLACEHOLDER.sub(lambda found: encoded(ids[found[1]]), template)


# The modules with the rows of paths that begin with a word. They are loaded at the first request for such a path, so
# that a start does not load all of Zoom's API.
_MODULES = {
    "users": ("users", "user_resources", "schedules"),
    "meetings": ("meetings", "registrants", "polls", "recordings"),
    "webinars": ("webinars", "registrants", "polls", "branding"),
    "past_meetings": ("past", "archives"),
    "past_webinars": ("past",),
    "live_meetings": ("live",),
    "live_webinars": ("live",),
    "report": ("reports",),
    "archive_files": ("archives",),
    "groups": ("groups",),
    "contacts": ("groups",),
    "devices": ("devices",),
    "h323": ("devices",),
    "sip_phones": ("devices",),
    "divisions": ("account",),
    "tracking_fields": ("account",),
    "tsp": ("account",),
}


@cache
def _rows(module: str) -> tuple[Operation, ...]:
    rows: tuple[Operation, ...] = import_module(f"zoom_common.zoom.operations.{module}").ROWS
    return rows


@cache
def operations() -> tuple[Operation, ...]:
    """Return the whole table."""
    modules = dict.fromkeys(module for each in _MODULES.values() for module in each)
    return tuple(row for module in modules for row in _rows(module))


def named(name: str) -> Operation:
    """Return the operation called `name`. Raises LookupError."""
    for modules in _MODULES.values():
        for module in modules:
            for row in _rows(module):
                if row.name == name:
                    return row
    raise LookupError(name)


@dataclass(frozen=True, slots=True)
class _Paths:
    """The rows of paths that begin with one word.

    `words` are the fixed words of each template: at its start, at its end, and between its ids. `lists_to_delete` are
    the paths where `DELETE list/` with an empty id would delete all instead of one.
    """

    by_method: Mapping[str, Mapping[str, Operation]]
    words: tuple[tuple[str, str, tuple[str, ...], str], ...]
    lists_to_delete: frozenset[str]

    @classmethod
    def of(cls, word: str) -> _Paths:
        rows: dict[str, dict[str, Operation]] = {}
        for row in (row for module in _MODULES.get(word, ()) for row in _rows(module)):
            if row.path.split("/")[1] == word:
                rows.setdefault(row.path, {})[row.method] = row
        # Templates with more fixed words first, so that `/meetings/{id}/status` is tried before `/meetings/{id}`.
        templates = sorted(rows, key=lambda path: (-path.count("/"), path.count("{"), path))
        words = tuple(_fixed_words(each) for each in templates)
        deleted = [path for path, by_method in rows.items() if "DELETE" in by_method]
        lists = frozenset(path for path in deleted if any(each.startswith(f"{path}/{{") for each in deleted))
        return cls(rows, words, lists)


def _fixed_words(template: str) -> tuple[str, str, tuple[str, ...], str]:
    parts = _PLACEHOLDER.split(template)[::2]
    return PREFIX + parts[0], parts[-1], tuple(parts[1:-1]), template


_paths = cache(_Paths.of)

# Compiled at the first path that looks like it, because a function receives few of them.
_compiled = cache(pattern)


def match(method: str, path: str) -> tuple[Operation, Mapping[str, str]]:
    """Return the operation of `method` and `path` (with its `/v2`), and the decoded ids in the path.

    HEAD means GET. Slashes at the end and repeated slashes are ignored, unless a UUID needs them. But a DELETE with
    nothing after its last slash lacks an id where a list and its items can both be deleted, and matches nothing. Raises
    NotFound with the reason `not_served_here`, and MethodNotAllowed.
    """
    paths, template, ids = _found(path)
    by_method = paths.by_method[template]
    operation = by_method.get("GET" if method.upper() == "HEAD" else method.upper())
    if operation is None:
        raise MethodNotAllowed(_allowed(by_method))
    if template in paths.lists_to_delete and operation.method == "DELETE" and path.endswith("/"):
        raise _unknown()
    return operation, ids


def methods(path: str) -> list[str]:
    """Return the methods of a path. Raises NotFound."""
    paths, template, _ = _found(path)
    return _allowed(paths.by_method[template])


def _allowed(by_method: Mapping[str, Operation]) -> list[str]:
    return sorted({*by_method, "OPTIONS", *(["HEAD"] if "GET" in by_method else [])})


type _Found = tuple[_Paths, str, Mapping[str, str]]


def _found(path: str) -> _Found:
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
def _matched(meant: str) -> _Found:
    _, version, word, *_ = (*meant.split("/", 3), "", "", "")
    if f"/{version}" == PREFIX and word in _MODULES:
        paths = _paths(word)
        for head, last, between, template in paths.words:
            if meant.startswith(head) and meant.endswith(last) and all(each in meant for each in between):
                found = _compiled(template).fullmatch(meant)
                if found is not None:
                    return paths, template, MappingProxyType(found.groupdict())
    raise _unknown()


def routes(function: str) -> frozenset[str]:
    """Return the HTTP API routes behind which `function` serves its operations."""
    return frozenset(each.route for each in operations() if each.function == function)


def _unknown() -> NotFound:
    return NotFound("The gateway does not serve this path of Zoom's API.", reason=NOT_SERVED)
