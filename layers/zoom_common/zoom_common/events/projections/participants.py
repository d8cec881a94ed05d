"""Who is in a meeting or webinar, and was: one record for each session, which is one `user_id` of one instance.

Zoom gives a person who comes back another `user_id`. Each join and each leave is a mark of its own, set once, so that
it does not matter which of them arrives first, twice or late.
https://developers.zoom.us/docs/api/meetings/events/#tag/meeting/POSTmeeting.participant_joined
"""

from __future__ import annotations

from typing import Any

from zoom_common.events.projections.meetings import meeting_of, partition
from zoom_common.events.projections.record import Change, Mark
from zoom_common.zoom.events import ZoomEvent, epoch_ms, identifier

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
_FIELDS = ("user_name", "email", "registrant_id", "customer_key", "phone_number", "participant_uuid")


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
    fields: dict[str, Any] = {name: participant[name] for name in _FIELDS if participant.get(name)}
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
