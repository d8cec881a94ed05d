"""Who has registered for a meeting or webinar, and what became of it.

https://developers.zoom.us/docs/api/meetings/events/#tag/meeting/POSTmeeting.registration_created
"""

from __future__ import annotations

from zoom_common.events.projections.meetings import meeting_of, partition
from zoom_common.events.projections.record import Change
from zoom_common.zoom.events import ZoomEvent, identifier

REGISTRANT = "registrant#"

_STATUS = {
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
    status = _STATUS.get(event.name.partition(".")[2])
    if status:
        fields["status"] = status
    return [Change(partition(meeting), REGISTRANT + name, latest=fields)]
