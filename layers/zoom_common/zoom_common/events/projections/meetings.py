"""Meetings and webinars: what they are (the definition) and each time they were held (an instance, by UUID).

https://developers.zoom.us/docs/api/meetings/events/ : `updated` carries only what changed; `start_time` is the
planned one in events about the definition and the real one in events about an instance.
"""

from __future__ import annotations

from typing import Any

from zoom_common.events.projections.record import Change
from zoom_common.zoom.events import ZoomEvent, epoch_ms, identifier

DEFINITION = "definition"
INSTANCE = "instance#"

# Whether the event says that it is there or gone, when it speaks of the whole of it.
_EXISTS = {
    "created": True,
    "updated": True,
    "recovered": True,
    "deleted": False,
    "permanently_deleted": False,
    "converted_to_webinar": True,
    "converted_to_meeting": True,
}
_ABOUT_DEFINITION = frozenset(_EXISTS) | {
    "registration_created",
    "registration_approved",
    "registration_denied",
    "registration_cancelled",
}
# Of the object; everything else in it is a thing of its own, or a link.
_APART = frozenset({"id", "uuid", "registrant", "participant", "occurrences", "settings", "host_email"})
_INSTANCE_FIELDS = ("host_id", "host_email", "topic", "type", "timezone", "duration")


def partition(meeting: str) -> str:
    """Where everything about one meeting or webinar is."""
    return f"meeting#{meeting}"


def meeting_of(event: ZoomEvent) -> str | None:
    """The number of the meeting or webinar an event is about."""
    return identifier(event.object.get("id")) or identifier(event.object.get("meeting_id"))


def definition_changes(event: ZoomEvent) -> list[Change]:
    """What an event says about the definition."""
    family, _, what = event.name.partition(".")
    meeting = meeting_of(event)
    if meeting is None or what not in _ABOUT_DEFINITION:
        return []
    fields: dict[str, Any] = {
        name: value for name, value in event.object.items() if name not in _APART and not name.endswith("_url")
    }
    settings = event.object.get("settings")
    if isinstance(settings, dict):
        fields |= {f"settings.{name}": value for name, value in settings.items()}
    occurrences = _occurrences(event, what)
    fields |= occurrences
    # `single` is one occurrence of a series, and also the whole of a meeting that has none.
    if what in _EXISTS and (_EXISTS[what] or not occurrences or event.payload.get("operation") == "all"):
        fields["exists"] = _EXISTS[what]
    kind = {"converted_to_webinar": "webinar", "converted_to_meeting": "meeting"}.get(what, family)
    return [Change(partition(meeting), DEFINITION, latest={**fields, "kind": kind})]


def _occurrences(event: ZoomEvent, what: str) -> dict[str, Any]:
    """Each occurrence is merged by itself: one of a series is deleted without its siblings."""
    listed = event.object.get("occurrences")
    found: dict[str, Any] = {}
    for occurrence in listed if isinstance(listed, list) and what in _EXISTS else []:
        name = identifier(occurrence.get("occurrence_id")) if isinstance(occurrence, dict) else None
        if name is None:
            continue
        said = {key: value for key, value in occurrence.items() if key in {"start_time", "duration", "status"}}
        if what in {"deleted", "permanently_deleted", "recovered"}:
            said["status"] = "available" if what == "recovered" else "deleted"
        found |= {f"occurrences.{name}.{key}": value for key, value in said.items()}
    return found


def instance_changes(event: ZoomEvent) -> list[Change]:
    """What an event says about the instance: every event while it runs tells since when, the end only one."""
    family, _, what = event.name.partition(".")
    meeting, uuid = meeting_of(event), event.instance
    if meeting is None or uuid is None:
        return []
    fields: dict[str, Any] = {name: event.object[name] for name in _INSTANCE_FIELDS if event.object.get(name)}
    started = epoch_ms(event.object.get("start_time")) or (event.occurred_at_ms if what == "started" else None)
    if started is not None:
        fields["started_ms"] = started
    ended = epoch_ms(event.object.get("end_time")) or event.occurred_at_ms if what == "ended" else None
    latest: dict[str, Any] = {} if ended is None else {"ended_ms": ended}
    if what == "started":
        latest["start_told"] = True  # others may have told of the instance first
    return [Change(partition(meeting), INSTANCE + uuid, latest=latest, earliest={**fields, "kind": family})]
