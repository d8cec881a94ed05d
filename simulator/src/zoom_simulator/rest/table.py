"""All operations, from every resource module."""

from __future__ import annotations

from zoom_simulator.rest import (
    livestream,
    meetings,
    panelists,
    past,
    recording_extras,
    recordings,
    registrants,
    reports,
    sip,
    subscriptions,
    user_access,
    users,
    webinars,
)
from zoom_simulator.rest.operations import OPERATIONS, Operation

RESOURCES = (
    users,
    user_access,
    meetings,
    registrants,
    livestream,
    webinars,
    panelists,
    past,
    recordings,
    recording_extras,
    reports,
    sip,
    subscriptions,
)


def rows() -> list[Operation]:
    """The whole table."""
    return OPERATIONS


def user_scopes() -> list[str]:
    """Every granular scope a user-managed app can have, and the admin form where there is no other."""
    return sorted({f"{row.scope}:admin" if row.admin_only else row.scope for row in OPERATIONS if _is_for_people(row)})


def admin_scopes() -> list[str]:
    """The `:admin` form of every granular scope: what a Server-to-Server app is given."""
    return sorted({f"{row.scope}:admin" for row in OPERATIONS if _is_for_people(row)})


def _is_for_people(row: Operation) -> bool:
    return not row.scope.startswith("marketplace:")  # those belong to the app itself
