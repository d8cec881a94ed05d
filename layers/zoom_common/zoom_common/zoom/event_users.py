"""Where each family of events names Zoom users: one table of paths in the payload.

An event is routed to the connections of the users it names. https://developers.zoom.us/docs/api/webhooks/ lists the
events of every family. A path is a chain of members below `payload`; `[]` means every entry of a list. The table has
ids of Zoom users that the event concerns, the owner first. It does not have other ids (member, room, extension and
connection ids, JIDs), nor the participants of somebody's meeting, because a meeting's events belong to its host.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

# Every event may name these. The operator comes last, because an event concerns the owner more than the operator.
HOST_PATHS = ("object.host_id", "object.meeting_host_id", "recording_file.host_id")
OPERATOR_PATH = "operator_id"

_MEETING = (
    "old_object.host_id",
    "object.chat_message_file.file_owner_id",
    "object.summary_last_modified_user_id",
)
_CHATBOT = ("userId", "user_id")
_CHAT = (
    "object.contact_id",
    "object.sender_id",
    "object.members[].id",
    "object.members[].user_id",
    "object.invitee.user_id",
    "object.inviters[].user_id",
    "object.inviters[].id",
    "object.requester.user_id",
    "object.at_items[].at_contact_user_id",
    "object.items[].contact_id",
    "object.file.file_owner_id",
)

USER_PATHS: dict[str, tuple[str, ...]] = {
    "account": ("object.owner_id",),
    "app_deauthorized": ("user_id",),
    "bot_installed": _CHATBOT,
    "bot_notification": _CHATBOT,
    "bot_uninstalled": _CHATBOT,
    "chat_channel": _CHAT,
    "chat_message": _CHAT,
    "clinical_notes": ("object.note_owner_user_id",),
    "contact_center": (
        "object.user_id",
        "object.assigned_user_id",
        "object.agent_user_id",
        "object.owner_id",
        "object.users[].user_id",
        "object.agents[].user_id",
    ),
    "group": ("object.members[].id", "object.admins[].id"),
    "interactive_message_actions": _CHATBOT,
    "interactive_message_editable": _CHATBOT,
    "interactive_message_fields_editable": _CHATBOT,
    "interactive_message_select": _CHATBOT,
    "meeting": _MEETING,
    "phone": (
        "object.user_id",
        "object.owner.id",
        "object.owner.sms_sender_user_id",
        "object.callee.user_id",
        "object.caller.user_id",
        "object.caller.id",
        "object.callee_user_id",
        "object.caller_user_id",
        "object.callee_id",
        "object.access_member_id",
        "object.sender.id",
        "object.to_members[].id",
        "object.call_logs[].user_id",
        "object.call_logs[].callee_user_id",
        "object.call_logs[].caller_user_id",
        "object.call_qos[].user_id",
        "object.recordings[].user_id",
        "object.recordings[].owner.id",
        "object.voice_mails[].user_id",
    ),
    "quality_management": (
        "object.agent_user_id",
        "object.agent_info.agent_user_id",
        "object.evaluator_user_id",
        "object.evaluators_info[].evaluator_user_id",
    ),
    "recording": ("old_object.host_id",),
    "scheduler": ("user_id", "object.user_id", "object.organizer_id"),
    "task": ("object.assignees[].user_id", "object.collaborators[].user_id"),
    "team_chat": _CHAT,
    "user": ("object.id",),
    "video_management": ("object.owner_id",),
    "webinar": _MEETING,
    "whiteboard": ("object.collaborators[].user_id",),
    "workspace": ("object.user_id",),
    # The `user_id` in these is not a Zoom user's: the author of the program chooses it.
    "cobrowse": (),
    "session": (),
}

# A new family of events will most likely name its people like this.
_OTHER = ("object.user_id", "object.owner_id", "object.owner.id", "user_id")

# Events in which Zoom writes the ids of users in lower case. Measured in two independent captures; the account ids in
# the same events keep their capitals.
CASE_FOLDED = frozenset({"user.presence_status_updated"})


def user_paths(event_name: str) -> tuple[str, ...]:
    """Return the paths where an event of this name may have users, besides its host and its operator."""
    return USER_PATHS.get(event_name.partition(".")[0], _OTHER)


def values_at(value: Any, path: str) -> Iterator[Any]:
    """Yield the values at a path, or nothing where a member is missing or has another form."""
    name, _, rest = path.partition(".")
    found = value.get(name.removesuffix("[]")) if isinstance(value, dict) else None
    listed = found if isinstance(found, list) else ()
    for entry in listed if name.endswith("[]") else (found,):
        if rest:
            yield from values_at(entry, rest)
        else:
            yield entry
