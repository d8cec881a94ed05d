"""What each event changes in the projections: meetings, instances, participants, registrations, recordings, users."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from zoom_common.events.projections.keys import (
    DEFINITION,
    INSTANCE,
    LISTED,
    NUMBER,
    PLAN,
    RECORDING,
    REGISTRANT,
    USER,
    USERS,
    file_sort,
    partition,
)
from zoom_common.events.projections.record import Change
from zoom_common.events.projections.session_projectors import (
    left_waiting_room,
    lobby_changes,
    meeting_of,
    participant_changes,
)
from zoom_common.zoom.events import ZoomEvent, epoch_ms, identifier, is_unfinished, recording_file_name

# For events about the whole object: whether it then exists or is gone.
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

# Fields of the object. Everything else in it is an object of its own, or a link.
_SEPARATE_MEETING_FIELDS = frozenset(
    {"id", "uuid", "registrant", "participant", "occurrences", "settings", "host_email"}
)

_INSTANCE_FIELDS = ("host_id", "host_email", "topic", "type", "timezone", "duration")


def definition_changes(event: ZoomEvent) -> list[Change]:
    """Return what an event changes in the definition."""
    family, _, what = event.name.partition(".")
    meeting = meeting_of(event)
    if meeting is None or what not in _ABOUT_DEFINITION:
        return []
    fields: dict[str, Any] = {
        name: value
        for name, value in event.object.items()
        if name not in _SEPARATE_MEETING_FIELDS and not name.endswith("_url")
    }
    settings = event.object.get("settings")
    if isinstance(settings, dict):
        fields |= {f"settings.{name}": value for name, value in settings.items()}
    occurrences = _occurrences(event, what)
    fields |= occurrences
    if _EXISTS.get(what):
        fields |= _plans(event.object)
    # `single` is one occurrence of a series, and also the whole of a meeting without occurrences.
    if what in _EXISTS and (_EXISTS[what] or not occurrences or event.payload.get("operation") == "all"):
        fields["exists"] = _EXISTS[what]
    kind = {"converted_to_webinar": "webinar", "converted_to_meeting": "meeting"}.get(what, family)
    return [Change(partition(meeting), DEFINITION, latest={**fields, "kind": kind})]


def _occurrences(event: ZoomEvent, what: str) -> dict[str, Any]:
    """Return the fields of each occurrence by itself, because one may be deleted without the others."""
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


def _plans(about: Mapping[str, Any]) -> dict[str, Any]:
    """Return the starts that a definition plans. A new recurrence replaces all occurrences and lists all of them."""
    planned = epoch_ms(about.get("start_time"))
    fields: dict[str, Any] = {} if planned is None else {f"{PLAN}{planned}": True}
    listed = about.get("occurrences")
    named = [
        (name, each)
        for each in (listed if isinstance(listed, list) else [])
        if isinstance(each, dict) and (name := identifier(each.get("occurrence_id"))) is not None
    ]
    for name, each in named:
        start = epoch_ms(each.get("start_time"))
        if start is not None:
            fields[f"{PLAN}{start}"] = name
    if named and isinstance(about.get("recurrence"), dict):
        fields[LISTED] = sorted(name for name, _ in named)
    return fields


# Only these events prove that an instance runs or ran. A person who waits or registers proves nothing, because the
# `start_time` of such an event is the planned one.
PROVES_INSTANCE = frozenset(
    {
        "started",
        "ended",
        "participant_joined",
        "participant_left",
        "participant_role_changed",
        "participant_joined_breakout_room",
        "participant_left_breakout_room",
        "sharing_started",
        "sharing_ended",
    }
)


def instance_changes(event: ZoomEvent) -> list[Change]:
    """Return what an event changes in the instance.

    `started` states when it began; others only repeat an assumption.
    """
    family, _, what = event.name.partition(".")
    meeting, uuid = meeting_of(event), event.instance
    if meeting is None or uuid is None or what not in PROVES_INSTANCE or left_waiting_room(event):
        return []
    fields: dict[str, Any] = {name: event.object[name] for name in _INSTANCE_FIELDS if event.object.get(name)}
    believed = epoch_ms(event.object.get("start_time"))
    started = believed or (event.occurred_at_ms if what == "started" else None)
    if started is not None:
        fields["started_ms"] = started
        if what == "started":
            fields["start_event_ms"] = started
    latest = _started(believed) if what == "started" else _ended(event) if what == "ended" else {}
    return [Change(partition(meeting), INSTANCE + uuid, latest=latest, earliest={**fields, "kind": family})]


def _started(believed: int | None) -> dict[str, Any]:
    """Return the start that an event states.

    Other events may arrive first, and a webinar starts again after practice.
    """
    return {"start_told": True, **({} if believed is None else {"last_start_ms": believed})}


def _ended(event: ZoomEvent) -> dict[str, Any]:
    """Return the end. Without an end of its own, it is the time at which Zoom sent the event, and marked as such."""
    ended = epoch_ms(event.object.get("end_time"))
    if ended is not None:
        return {"end_told": True, "ended_ms": ended}
    written = event.occurred_at_ms
    return {"end_told": True, **({} if written is None else {"end_event_ms": written})}


def number_changes(event: ZoomEvent) -> list[Change]:
    """Return the meeting of the instance, so that it is found by the uuid alone.

    It names the host, to be erased with them.
    """
    meeting, uuid = meeting_of(event), event.instance
    if meeting is None or uuid is None or event.name.partition(".")[2] not in {"started", "ended"}:
        return []
    host = {"host_id": event.host} if event.host else {}
    return [Change(partition(uuid), NUMBER, earliest={"number": meeting, **host})]


_REGISTRATION_STATUS = {
    "registration_approved": "approved",
    "registration_denied": "denied",
    "registration_cancelled": "cancelled",
}


def registration_changes(event: ZoomEvent) -> list[Change]:
    """Return what an event changes in one registrant. The join link is left out, because anybody could join with it."""
    meeting, registrant = meeting_of(event), event.object.get("registrant")
    name = identifier(registrant.get("id")) if isinstance(registrant, dict) else None
    if meeting is None or name is None or not isinstance(registrant, dict):
        return []
    fields = {key: value for key, value in registrant.items() if key != "id" and not key.endswith("_url")}
    status = _REGISTRATION_STATUS.get(event.name.partition(".")[2])
    if status:
        fields["status"] = status
    return [Change(partition(meeting), REGISTRANT + name, latest=fields)]


_CAPTURE = {"started": "recording", "resumed": "recording", "paused": "paused", "stopped": "stopped"}

_AVAILABLE = {"completed": "available", "recovered": "available", "trashed": "trashed", "deleted": "deleted"}

_COMPLETED = frozenset({"completed", "transcript_completed"})

_RECORDING_FIELDS = ("topic", "host_id", "host_email", "type", "start_time", "timezone", "duration", "auto_delete_date")

_LISTS = ("recording_files", "participant_audio_files")


def recording_changes(event: ZoomEvent) -> list[Change]:
    """Return what an event changes in the recording of one instance and its files."""
    meeting, uuid = meeting_of(event), event.instance
    what = event.name.partition(".")[2]
    if meeting is None or uuid is None or what not in {*_CAPTURE, *_AVAILABLE, "transcript_completed", "renamed"}:
        return []
    fields: dict[str, Any] = {
        name: event.object[name] for name in _RECORDING_FIELDS if event.object.get(name) is not None
    }
    if what in _CAPTURE:
        fields["capture"] = _CAPTURE[what]
    if what in _AVAILABLE and not any(event.object.get(name) for name in _LISTS):
        fields["status"] = _AVAILABLE[what]  # it is about the whole recording
    place = partition(meeting)
    files = [
        Change(place, file_sort(uuid, name), latest=latest, earliest=earliest)
        for name, latest, earliest in _files(event, what)
    ]
    return [Change(place, RECORDING + uuid, latest=fields), *files]


def _files(event: ZoomEvent, what: str) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Yield the name of each file and the `latest` and `earliest` fields of its change.

    What is said of a file in processing holds until the file is completed, whichever of both events comes first: both
    say when the recording ended, and so have one time.
    """
    seen = set()
    for kind in _LISTS:
        listed = event.object.get(kind)
        for file in listed if isinstance(listed, list) else []:
            if not isinstance(file, dict):
                continue
            name = recording_file_name(file)
            if name in seen:
                continue
            seen.add(name)
            said = {key: value for key, value in file.items() if key != "id" and not key.endswith("_url")}
            there = _AVAILABLE.get(what, "available" if what in _COMPLETED else None)
            availability = {"availability": there} if there else {}
            said["list"] = kind
            if what in _COMPLETED:
                said["status"] = file.get("status") or "completed"
            yield (name, availability, said) if is_unfinished(file) else (name, said | availability, {})


_USER_STATUS = {
    "created": "active",
    "activated": "active",
    "invitation_accepted": "active",
    "deactivated": "inactive",
    "deleted": "deleted",
    "disassociated": "disassociated",
}

_SEEN = {"signed_in": "signed_in_at", "signed_out": "signed_out_at"}

_SEPARATE_USER_FIELDS = frozenset({"id", "settings", "custom_attributes", "pic_url"})


def user_changes(event: ZoomEvent) -> list[Change]:
    """Return what an event changes in one user. Events of settings and presence change nothing."""
    name, what = identifier(event.object.get("id")), event.name.partition(".")[2]
    if name is None or what not in {*_USER_STATUS, *_SEEN, "updated"}:
        return []
    if what in _SEEN:
        fields: dict[str, Any] = {_SEEN[what]: event.object.get("date_time")}
    else:
        fields = {key: value for key, value in event.object.items() if key not in _SEPARATE_USER_FIELDS}
    if what in _USER_STATUS:
        fields["status"] = _USER_STATUS[what]
    return [Change(USERS, USER + name, latest=fields)]


type Projector = Callable[[ZoomEvent], list[Change]]

# DynamoDB's keys may have 2,048 and 1,024 bytes. Zoom's ids have some thirty letters; a longer one is no id.
_LONGEST_NAME = 200


def changes(event: ZoomEvent) -> list[Change]:
    """Return the changes of one event, at most one for each record."""
    family, _, rest = event.name.partition(".")
    found = (change for projector in _projectors(family, rest) for change in projector(event))
    return [each for each in found if len(each.partition) <= _LONGEST_NAME and len(each.sort) <= _LONGEST_NAME]


def _projectors(family: str, rest: str) -> tuple[Projector, ...]:
    if family not in {"meeting", "webinar"}:
        return _FAMILIES.get(family, ())
    if rest in {"started", "ended"}:
        return (instance_changes, number_changes)
    if rest.startswith(("participant_", "sharing_")):
        return (instance_changes, lobby_changes, participant_changes)
    if rest.startswith("registration_"):
        return (definition_changes, registration_changes)
    return (definition_changes,)


_FAMILIES: dict[str, tuple[Projector, ...]] = {"user": (user_changes,), "recording": (recording_changes,)}
