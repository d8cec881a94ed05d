"""The operations by family, for people: docs/api/operations.md."""

from __future__ import annotations

from dev.openapi.document import FAMILIES, family
from zoom_common.zoom.operations.model import Operation
from zoom_common.zoom.operations.table import operations

_HEAD = """# Operations

Generated from the table in `zoom_common/zoom/operations` by `make openapi`; do not edit. Paths are below `/v2`.
Any one of the Zoom scopes is enough; classic apps need one of the classic scopes, in brackets, instead. Key scope is
what an API key of the gateway needs. What `all=true` does, and all else that is the gateway's own: [README](README.md).

These are all operations of Zoom's contracts of meetings and users, {count} of them.

"""
_COLUMNS = ("Method", "Path", "What", "Success", "Zoom scopes", "Key scope", "Rate label", "Plan", "Function", "Notes")


def table() -> str:
    """Return the whole page."""
    rows = [each for each in operations() if not each.own]
    links = [f"* [{title}](#{name})" for name, title in FAMILIES.items()]
    head = _HEAD.format(count=len(rows)) + "\n".join(links) + "\n"
    return head + "".join(_section(name, title) for name, title in FAMILIES.items())


def _section(name: str, title: str) -> str:
    rows = [_row(_cells(each)) for each in operations() if family(each) == name]
    return f"\n## {title}\n\n" + "\n".join([_row(_COLUMNS), _row(["---"] * len(_COLUMNS)), *rows]) + "\n"


def _cells(operation: Operation) -> list[str]:
    scopes = "<br>".join(f"`{each}`" for each in operation.scopes.granular)
    classic = ", ".join(f"`{each}`" for each in operation.scopes.classic)
    notes = [operation.notes] if operation.notes else []
    if operation.scopes.administrators_only:
        notes.append("Administrators only.")
    if operation.items is not None:
        notes.append("`all=true`.")
    if operation.monthly:
        notes.append("Periods longer than a month are split.")
    if operation.weekly:
        notes.append("Periods longer than a week are split.")
    return [
        operation.method,
        f"`{operation.path}`",
        operation.summary,
        str(operation.success),
        "<br>".join(each for each in (scopes, f"({classic})" if classic else "") if each),
        f"`{operation.gateway_scope}`",
        str(operation.label),
        operation.plan,
        f"`{operation.function}`",
        " ".join(notes),
    ]


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"
