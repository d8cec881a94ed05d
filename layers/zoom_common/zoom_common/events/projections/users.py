"""The users of a Zoom account, as far as events tell.

https://developers.zoom.us/docs/api/users/events/
"""

from __future__ import annotations

from typing import Any

from zoom_common.events.projections.record import Change
from zoom_common.zoom.events import ZoomEvent, identifier

PARTITION = "users"
USER = "user#"

_STATUS = {
    "created": "active",
    "activated": "active",
    "invitation_accepted": "active",
    "deactivated": "inactive",
    "deleted": "deleted",
    "disassociated": "disassociated",
}
_SEEN = {"signed_in": "signed_in_at", "signed_out": "signed_out_at"}
_APART = frozenset({"id", "settings", "custom_attributes", "pic_url"})


def user_changes(event: ZoomEvent) -> list[Change]:
    """What an event says about one user; of settings and presence, nothing."""
    name, what = identifier(event.object.get("id")), event.name.partition(".")[2]
    if name is None or what not in {*_STATUS, *_SEEN, "updated"}:
        return []
    if what in _SEEN:
        fields: dict[str, Any] = {_SEEN[what]: event.object.get("date_time")}
    else:
        fields = {key: value for key, value in event.object.items() if key not in _APART}
    if what in _STATUS:
        fields["status"] = _STATUS[what]
    return [Change(PARTITION, USER + name, latest=fields)]
