"""Decides which deliveries are the same event. Only signed content counts, and headers are not signed.

Zoom sends some events twice with another `event_ts` (twins). A key leaves `event_ts` out where the event itself states
when it happened:

* Events that can also be read back from Zoom's REST API have natural keys, made of what both sources state, so that a
  late original and its reconstruction are one event.
* Events with a time of their own in the payload, and events that happen only once, have name and payload as their
  key. `_MOMENTS` lists the members that the event pages at https://developers.zoom.us/docs/api/ describe as the time
  of the event itself. A planned time (`start_time`) does not count.
* Every other event has name, `event_ts` and payload as its key, because the same thing may happen twice.

Entries of the event log are stored under their keys for 30 days. `former_keys` has the keys under which an older
release stored the same event; whoever looks an event up tries those too.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from zoom_common.zoom.event_users import values_at
from zoom_common.zoom.events import DEAUTHORIZED, ZoomEvent, epoch_ms, identifier, is_unfinished, recording_file_name

_MOMENTS = (
    "time_stamp",
    "timestamp",
    "object.date_time",
    "object.date-time",
    "object.timestamp",
    "object.participant.date_time",
    "object.participant.qos[].date_time",
    "object.participant.sharing_details.date_time",
    "object.chat_message.date_time",
    "object.chat_message_file.date_time",
    "object.live_streaming.date_time",
    "object.alert_time",
    "object.complete_time",
    "object.cancellation.cancel_at",
    "object.create_time",
    "object.delete_time",
)
# Members that are the time of the event only in events with these endings. In others they are older.
_MOMENTS_BY_ENDING = {
    "_joined_breakout_room": "object.participant.join_time",
    "_left_breakout_room": "object.participant.leave_time",
    "_ringing": "object.ringing_start_time",
    "_answered": "object.answer_start_time",
    "_ended": "object.call_end_time",
    "_missed": "object.call_end_time",
    "_rejected": "object.call_end_time",
    "registration_created": "object.registrant.create_time",
    "recording.started": "object.recording_file.recording_start",
    "recording.paused": "object.recording_file.recording_end",
    "recording.stopped": "object.recording_file.recording_end",
    "summary_completed": "object.summary_created_time",
    "summary_updated": "object.summary_last_modified_time",
}
# In these events, `date_time` and `timestamp` are those of the message or recording, which can change more than once.
_TIMED_BY_THEIR_SUBJECT = frozenset(
    {
        "team_chat.channel_message_updated",
        "team_chat.dm_message_updated",
        "team_chat.file_downloaded",
        "phone.recording_started",
        "phone.recording_paused",
        "phone.recording_resumed",
        "phone.recording_stopped",
    }
)

# These happen once to what their payload names: a number is given once, and nothing comes back from them.
_ONCE = frozenset({"meeting.created", "webinar.created", "meeting.permanently_deleted", "webinar.permanently_deleted"})


def dedupe_key(event: ZoomEvent) -> str:
    """Return a key that is equal for two deliveries of one event, and for no two events of one app."""
    natural = _NATURAL.get(event.name)
    parts = natural(event) if natural else None
    if parts and all(parts):
        return _digest("natural", [event.name, *parts])
    if _says_when(event):
        return _digest("moment", [event.name, event.body.get("time_stamp"), _lasting(event.payload)])
    return _by_content(event)


def former_keys(event: ZoomEvent) -> Sequence[str]:
    """Return the keys under which an older release stored this event, where they differ from `dedupe_key`.

    Several events may have had the same key: compare the `dedupe_key` of the stored event.
    """
    natural = _NATURAL.get(event.name)
    parts = natural(event) if natural else None
    if (event.name == "webinar.started" or event.object.get("practice_session")) and event.instance:
        return [_digest("natural", [event.name, event.instance])]
    if event.name in _RECORDED and parts and all(parts):
        former = _digest("natural", [event.name, event.instance, _file_names(event)])
        return [former] if former != dedupe_key(event) else []
    if parts and all(parts):
        return []
    return [_by_content(event)] if _says_when(event) else []


def second_key(event: ZoomEvent) -> str | None:
    """Return this event's key where an older release has stored another event under its `dedupe_key`, or None.

    An older release did not look at the status of a recording's files. It stored a recording that was still processing
    under the key that the completed recording has today.
    """
    if event.name not in _RECORDED or not event.instance:
        return None
    return _digest("natural", [event.name, event.instance, f"{_file_names(event)}!completed"])


def _by_content(event: ZoomEvent) -> str:
    if event.payload:
        return _digest("content", [event.name, event.body.get("event_ts"), _lasting(event.payload)])
    return _digest("content", [event.name, _lasting(event.body)])


def _says_when(event: ZoomEvent) -> bool:
    """Return whether the event has a moment of its own, or happens only once."""
    if event.name in _ONCE and event.meeting_names:
        return True
    if event.name in _TIMED_BY_THEIR_SUBJECT or not event.payload:
        return False
    ending = (path for end, path in _MOMENTS_BY_ENDING.items() if event.name.endswith(end))
    found = (value for path in chain(_MOMENTS, ending) for value in values_at(event.payload, path))
    return any(epoch_ms(value) is not None for value in (*found, event.body.get("time_stamp")))


def _held(event: ZoomEvent) -> Sequence[str | None]:
    # An instance of a meeting starts and ends once; held again, it gets another UUID.
    return [event.instance]


def _started(event: ZoomEvent) -> Sequence[str | None]:
    # A webinar that had a practice session starts a second time under the same UUID.
    return [event.instance, identifier(_second(event.object.get("start_time")))]


def _ended(event: ZoomEvent) -> Sequence[str | None]:
    # A practice session has an end of its own, and the webinar after it may have the same UUID.
    return [event.instance, "practice"] if event.object.get("practice_session") else [event.instance]


def _deauthorized(event: ZoomEvent) -> Sequence[str | None]:
    # In spite of its name this is not a signature, but "a unique ID for each instance".
    return [identifier(event.payload.get("signature"))]


def _recorded(event: ZoomEvent) -> Sequence[str | None]:
    return [event.instance, ",".join(sorted(map(_version, _files(event))))]


def _file_names(event: ZoomEvent) -> str:
    return ",".join(sorted(map(recording_file_name, _files(event))))


def _files(event: ZoomEvent) -> Sequence[dict[str, Any]]:
    lists = (event.object.get("recording_files"), event.object.get("participant_audio_files"))
    return [file for files in lists if isinstance(files, list) for file in files if isinstance(file, dict)]


def _version(file: dict[str, Any]) -> str:
    """Return a file's name, with its status while it is not completed."""
    name = recording_file_name(file)
    return f"{name}!{file['status']}" if is_unfinished(file) else name


def _took_part(event: ZoomEvent) -> Sequence[str | None]:
    participant = event.object.get("participant")
    if not isinstance(participant, dict):
        return [None]
    moment = _second(participant.get("leave_time" if event.name.endswith("_left") else "join_time"))
    # `user_id` names one session of one person in one meeting, guests included, and the reports have it too.
    return [event.instance, identifier(participant.get("user_id")), identifier(moment)]


def _second(value: object) -> int | None:
    """Return the start of a time's second. Events have whole seconds, lists of webinars' participants fractions."""
    moment = epoch_ms(value)
    return None if moment is None else moment - moment % 1000


_RECORDED = frozenset({"recording.completed", "recording.transcript_completed"})

_NATURAL: dict[str, Callable[[ZoomEvent], Sequence[str | None]]] = {
    DEAUTHORIZED: _deauthorized,
    "meeting.started": _held,
    "meeting.ended": _held,
    "webinar.started": _started,
    "webinar.ended": _ended,
    "recording.completed": _recorded,
    "recording.transcript_completed": _recorded,
    "meeting.participant_joined": _took_part,
    "meeting.participant_left": _took_part,
    "webinar.participant_joined": _took_part,
    "webinar.participant_left": _took_part,
}


def _lasting(value: Any) -> Any:
    """Return `value` without the parts that Zoom makes anew for each delivery: download tokens and links."""
    if isinstance(value, dict):
        return {name: _lasting(item) for name, item in value.items() if not _volatile(name)}
    if isinstance(value, list):
        return [_lasting(item) for item in value]
    return value


def _volatile(name: str) -> bool:
    return name in {"download_token", "download_access_token"} or name.endswith(("_url", "_urls"))


def _digest(kind: str, parts: Sequence[Any]) -> str:
    canonical = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return f"{kind}:{hashlib.sha256(canonical.encode()).hexdigest()}"
