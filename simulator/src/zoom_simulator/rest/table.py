"""All operations, from every resource module."""

from __future__ import annotations

from zoom_simulator.rest import (
    from_facts,
    invitations,
    livestream,
    meetings,
    past,
    recordings,
    registrants,
    reports,
    subscriptions,
    users,
    webinars,
)
from zoom_simulator.rest.call import Operation
from zoom_simulator.rest.operations import OPERATIONS
from zoom_simulator.seed import Scopes

RESOURCES = (
    users,
    meetings,
    registrants,
    invitations,
    livestream,
    webinars,
    past,
    recordings,
    reports,
    subscriptions,
)


def rows() -> list[Operation]:
    """The operations with code of their own."""
    return OPERATIONS


def served_from_facts() -> list[from_facts.FactOperation]:
    """The other operations of Zoom's contracts."""
    stories = {_shape(row) for row in OPERATIONS}
    return [row for row in from_facts.rows() if _shape(row) not in stories]


def _shape(row: Operation) -> tuple[str, ...]:
    """What names an operation, whatever its path calls the ids."""
    return (row.method, *("{}" if each.startswith("{") else each for each in row.segments))


def scopes() -> Scopes:
    """Return every granular scope that an operation asks for.

    A user-managed app has the plain form, and the `:admin` form where there is no other. A Server-to-Server app has the
    `:admin` form of each.
    """
    for_people = [row for row in [*OPERATIONS, *served_from_facts()] if row.scope and _is_for_people(row)]
    return Scopes(
        user=tuple(sorted({f"{row.scope}:admin" if row.admin_only else row.scope for row in for_people})),
        account=tuple(sorted({f"{row.scope}:admin" for row in for_people})),
    )


def _is_for_people(row: Operation) -> bool:
    return not row.scope.startswith("marketplace:")  # those belong to the app itself
