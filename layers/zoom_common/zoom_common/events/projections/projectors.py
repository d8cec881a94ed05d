"""What each event changes in the projections: meetings, instances, participants, registrations, recordings, users."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from zoom_common.events.projections.record import Change, Mark
from zoom_common.zoom.events import ZoomEvent, epoch_ms, identifier, recording_file_name

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
_SEPARATE_MEETING_FIELDS = frozenset(
    {"id", "uuid", "registrant", "participant", "occurrences", "settings", "host_email"}
)

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
        name: value
        for name, value in event.object.items()
        if name not in _SEPARATE_MEETING_FIELDS and not name.endswith("_url")
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


SESSION = "session#"

JOINED, LEFT = "joined", "left"

WAITING, WAITED = "waiting", "waited"

_MARKS = {
    "participant_joined": (JOINED, "join_time"),
    "participant_left": (LEFT, "leave_time"),
    "participant_joined_waiting_room": (WAITING, "date_time"),
    "participant_put_in_waiting_room": (WAITING, "date_time"),
    "participant_left_waiting_room": (WAITED, "date_time"),
    "participant_admitted": (WAITED, "date_time"),
}

# An empty text in one event only says that this event does not tell.
_SESSION_FIELDS = ("user_name", "email", "registrant_id", "customer_key", "phone_number", "participant_uuid")


def session_sort(uuid: str, session: str = "") -> str:
    """Where one session is, or what the sort keys of all sessions of an instance begin with."""
    return f"{SESSION}{uuid}#{session}"


def participant_changes(event: ZoomEvent) -> list[Change]:
    """What an event says about one session."""
    meeting, uuid = meeting_of(event), event.instance
    participant = event.object.get("participant")
    if meeting is None or uuid is None or not isinstance(participant, dict):
        return []
    session = identifier(participant.get("user_id")) or identifier(participant.get("participant_uuid"))
    what = event.name.partition(".")[2]
    if session is None or not (what in _MARKS or what.startswith("sharing_") or what == "participant_role_changed"):
        return []
    fields: dict[str, Any] = {name: participant[name] for name in _SESSION_FIELDS if participant.get(name)}
    person = identifier(participant.get("participant_user_id")) or identifier(participant.get("id"))
    if person:
        fields["zoom_user_id"] = person
    if what.startswith("sharing_"):
        fields["sharing"] = what == "sharing_started"
    if participant.get("new_role"):
        fields["role"] = participant["new_role"]
    return [Change(partition(meeting), session_sort(uuid, session), fields, marks=_marks(event, what, participant))]


def _marks(event: ZoomEvent, what: str, participant: dict[str, Any]) -> frozenset[Mark]:
    if what not in _MARKS:
        return frozenset()
    kind, field = _MARKS[what]
    moment = epoch_ms(participant.get(field)) or epoch_ms(participant.get("date_time")) or event.occurred_at_ms
    return frozenset() if moment is None else frozenset({(kind, moment)})


REGISTRANT = "registrant#"

_REGISTRATION_STATUS = {
    "registration_approved": "approved",
    "registration_denied": "denied",
    "registration_cancelled": "cancelled",
}


def registration_changes(event: ZoomEvent) -> list[Change]:
    """What an event says about one registrant. The link is left out: it lets its holder in as this person."""
    meeting, registrant = meeting_of(event), event.object.get("registrant")
    name = identifier(registrant.get("id")) if isinstance(registrant, dict) else None
    if meeting is None or name is None or not isinstance(registrant, dict):
        return []
    fields = {key: value for key, value in registrant.items() if key != "id" and not key.endswith("_url")}
    status = _REGISTRATION_STATUS.get(event.name.partition(".")[2])
    if status:
        fields["status"] = status
    return [Change(partition(meeting), REGISTRANT + name, latest=fields)]


RECORDING = "recording#"

FILE = "recording-file#"

_CAPTURE = {"started": "recording", "resumed": "recording", "paused": "paused", "stopped": "stopped"}

_AVAILABLE = {"completed": "available", "recovered": "available", "trashed": "trashed", "deleted": "deleted"}

_RECORDING_FIELDS = ("topic", "host_id", "host_email", "type", "start_time", "timezone", "duration", "auto_delete_date")

_LISTS = ("recording_files", "participant_audio_files")


def file_sort(uuid: str, file: str = "") -> str:
    """Where one file is, or what the sort keys of all files of an instance begin with."""
    return f"{FILE}{uuid}#{file}"


def recording_changes(event: ZoomEvent) -> list[Change]:
    """What an event says about the recording of one instance and its files."""
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
        fields["status"] = _AVAILABLE[what]  # it speaks of the whole recording
    place = partition(meeting)
    files = [Change(place, file_sort(uuid, name), said) for name, said in _files(event, what)]
    return [Change(place, RECORDING + uuid, latest=fields), *files]


def _files(event: ZoomEvent, what: str) -> Iterator[tuple[str, dict[str, Any]]]:
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
            status = _AVAILABLE.get(what, "available" if what == "transcript_completed" else None)
            yield name, {**said, "list": kind, **({"availability": status} if status else {})}


USERS = "users"

USER = "user#"

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
    """What an event says about one user; of settings and presence, nothing."""
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
