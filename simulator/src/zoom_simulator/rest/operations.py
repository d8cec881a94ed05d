"""The registry of operations, and the look-up of an operation by method and path."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote

from zoom_simulator.rest.call import Handler, Label, Operation

OPERATIONS: list[Operation] = []


def operation(
    name: str,
    method: str,
    path: str,
    *,
    label: Label,
    scope: str,
    classic: str,
    admin_only: bool = False,
) -> Callable[[Handler], Handler]:
    """Add a row whose handler is the decorated function. `classic` lists classic scopes, separated by blanks."""

    def add(handler: Handler) -> Handler:
        row = Operation(name, method, path, label, scope, tuple(classic.split()), handler, admin_only)
        OPERATIONS.append(row)
        return handler

    return add


class Routes:
    """Finds the operation for a path as it was sent."""

    def __init__(self, operations: list[Operation]) -> None:
        self._by_shape: dict[tuple[str, int], list[tuple[tuple[str, ...], Operation]]] = {}
        for row in sorted(operations, key=lambda each: each.path.count("{")):  # fixed words before parameters
            shape = (row.method, len(row.segments))
            self._by_shape.setdefault(shape, []).append((row.segments, row))

    def match(self, method: str, raw_path: str) -> tuple[Operation, dict[str, str]] | None:
        """The operation and its parameters, or None. `raw_path` starts after `/v2` and is still encoded."""
        parts = raw_path.strip("/").split("/")
        for template, row in self._by_shape.get((method, len(parts)), ()):
            found: dict[str, str] = {}
            for expected, given in zip(template, parts, strict=True):
                if expected[0] == "{":
                    found[expected[1:-1]] = path_id(given)
                elif expected != given:
                    break
            else:
                return row, found
        return None


def path_id(segment: str) -> str:
    """An id as Zoom reads it from a path.

    A UUID that begins with `/` or contains `//` has to be encoded twice. Encoded once, Zoom splits it at the slash and
    looks up something else. https://developers.zoom.us/docs/api/using-zoom-apis/
    """
    if "%" not in segment:
        return segment
    once = unquote(segment)
    if once.startswith("/") or "//" in once:
        return once.lstrip("/").replace("//", "/")
    return unquote(once)
