"""What each event changes about people in a meeting: their sessions, and where they wait."""

from __future__ import annotations

import hashlib
from typing import Any

from zoom_common.events.projections.keys import LOBBY, name_at, partition, session_sort
from zoom_common.events.projections.presence import ADMITTED, JOINED, LEFT, WAITED, WAITING
from zoom_common.events.projections.record import Change, Mark
from zoom_common.zoom.events import ZoomEvent, epoch_ms, identifier


def meeting_of(event: ZoomEvent) -> str | None:
    """Return the number of the meeting or webinar that an event is about, or None."""
    return identifier(event.object.get("id")) or identifier(event.object.get("meeting_id"))


WAITING_FOR_HOST, WAITED_FOR_HOST = "waiting_for_host", "waited_for_host"

_MARKS = {
    "participant_joined": (JOINED, "join_time"),
    "participant_left": (LEFT, "leave_time"),
    "participant_joined_waiting_room": (WAITING, "date_time"),
    "participant_put_in_waiting_room": (WAITING, "date_time"),
    "participant_left_waiting_room": (WAITED, "date_time"),
    "participant_admitted": (ADMITTED, "date_time"),
    "participant_jbh_waiting": (WAITING_FOR_HOST, "date_time"),
    "participant_jbh_waiting_left": (WAITED_FOR_HOST, "date_time"),
    "participant_jbh_joined": (WAITED_FOR_HOST, "date_time"),
}

_WAITS = frozenset(what for what, (kind, _) in _MARKS.items() if kind in {WAITING, WAITING_FOR_HOST})

# Zoom's reason for a person who leaves without having been in the meeting.
_LEAVE_WAITING_ROOM = "leave waiting room"

# An empty text means that the event does not state the field.
_SESSION_FIELDS = (
    "user_name",
    "email",
    "registrant_id",
    "customer_key",
    "phone_number",
    "participant_uuid",
    "bind_participant_uuid",
)


def participant_changes(event: ZoomEvent) -> list[Change]:
    """Return what an event changes in one session."""
    meeting, uuid = meeting_of(event), event.instance
    participant = event.object.get("participant")
    if meeting is None or uuid is None or not isinstance(participant, dict):
        return []
    what = event.name.partition(".")[2]
    session = _session_name(what, participant)
    if session is None or not (what in _MARKS or what in _ABOUT_SESSION or what.startswith("sharing_")):
        return []
    fields: dict[str, Any] = {name: participant[name] for name in _SESSION_FIELDS if participant.get(name)}
    person = identifier(participant.get("participant_user_id")) or identifier(participant.get("id"))
    if person:
        fields["zoom_user_id"] = person
    for name in ("bind_user_id", "parent_user_id"):
        other = identifier(participant.get(name))
        if other:
            fields[name] = other
    marks = _marks(event, what, participant)
    if participant.get("user_name"):
        fields |= {name_at(kind, moment): participant["user_name"] for kind, moment in marks}
    if what.startswith("sharing_"):
        fields["sharing"] = what == "sharing_started"
    if participant.get("new_role"):
        fields["role"] = participant["new_role"]
    return [Change(partition(meeting), session_sort(uuid, session), fields, marks=marks)]


# Events of breakout rooms name the `user_id` in the main meeting beside the one in the room.
_ABOUT_SESSION = frozenset(
    {
        "participant_role_changed",
        "participant_bind",
        "participant_joined_breakout_room",
        "participant_left_breakout_room",
    }
)


def _session_name(what: str, participant: dict[str, Any]) -> str | None:
    """Return the session's `user_id`.

    People who wait for the host have none yet, so another of their fields is hashed.
    """
    named = identifier(participant.get("user_id")) or identifier(participant.get("participant_uuid"))
    if named is not None or not what.startswith("participant_jbh_"):
        return named
    names = ("id", "customer_key", "user_name")
    found = next((f"{name}={value}" for name in names if (value := identifier(participant.get(name)))), None)
    return None if found is None else f"jbh-{hashlib.sha256(found.encode()).hexdigest()[:20]}"


def left_waiting_room(event: ZoomEvent) -> bool:
    """Return whether a person who only waited leaves."""
    participant = event.object.get("participant")
    reason = participant.get("leave_reason") if isinstance(participant, dict) else None
    return event.name.endswith(".participant_left") and _LEAVE_WAITING_ROOM in str(reason).casefold()


def _marks(event: ZoomEvent, what: str, participant: dict[str, Any]) -> frozenset[Mark]:
    if what not in _MARKS:
        return frozenset()
    kind, field = _MARKS[what]
    moment = epoch_ms(participant.get(field)) or epoch_ms(participant.get("date_time")) or event.occurred_at_ms
    if moment is None:
        return frozenset()
    # Zoom says whole seconds; only `event_ts`, which stands in for a missing moment, has fractions of them.
    return frozenset({(WAITED if left_waiting_room(event) else kind, moment - moment % 1000)})


def lobby_changes(event: ZoomEvent) -> list[Change]:
    """Return that people wait, maybe before the instance runs, and under which uuid their sessions are stored."""
    meeting, uuid = meeting_of(event), event.instance
    if meeting is None or uuid is None or event.name.partition(".")[2] not in _WAITS:
        return []
    return [Change(partition(meeting), LOBBY + uuid, earliest={"since_ms": event.true_since_ms or 0})]
