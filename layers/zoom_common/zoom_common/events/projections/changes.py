"""What an event changes: from Zoom's name to the records it touches. Events without a projection change none.

A meeting's id arrives as text in some events and as a number in others: here it is one identity.
"""

from __future__ import annotations

from collections.abc import Callable

from zoom_common.events.projections.meetings import definition_changes, instance_changes
from zoom_common.events.projections.participants import participant_changes
from zoom_common.events.projections.record import Change
from zoom_common.events.projections.recordings import recording_changes
from zoom_common.events.projections.registrations import registration_changes
from zoom_common.events.projections.users import user_changes
from zoom_common.zoom.events import ZoomEvent

type Projector = Callable[[ZoomEvent], list[Change]]

# DynamoDB's keys have 2,048 and 1,024 bytes. Zoom's ids have some thirty letters; a longer one names nothing.
_LONGEST_NAME = 200


def changes(event: ZoomEvent) -> list[Change]:
    """The changes of one event, at most one for each record."""
    family, _, rest = event.name.partition(".")
    found = (change for projector in _projectors(family, rest) for change in projector(event))
    return [each for each in found if len(each.partition) <= _LONGEST_NAME and len(each.sort) <= _LONGEST_NAME]


def _projectors(family: str, rest: str) -> tuple[Projector, ...]:
    if family not in {"meeting", "webinar"}:
        return _FAMILIES.get(family, ())
    if rest in {"started", "ended"}:
        return (instance_changes,)
    if rest.startswith(("participant_", "sharing_")):
        return (instance_changes, participant_changes)
    if rest.startswith("registration_"):
        return (definition_changes, registration_changes)
    return (definition_changes,)


_FAMILIES: dict[str, tuple[Projector, ...]] = {"user": (user_changes,), "recording": (recording_changes,)}
