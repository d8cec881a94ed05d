"""What makes two deliveries the same event. Only signed content counts: headers are not signed.

Events that can also be read back from Zoom's REST API have natural keys, made of what both sources say, so that a late
original and its reconstruction are one event. Every other event is its name, time and payload.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any

from zoom_common.zoom.events import DEAUTHORIZED, ZoomEvent, epoch_ms, identifier, recording_file_name


def dedupe_key(event: ZoomEvent) -> str:
    """A key that is equal for two deliveries of one event, and for no two events of one app."""
    natural = _NATURAL.get(event.name)
    parts = natural(event) if natural else None
    if parts and all(parts):
        return _digest("natural", [event.name, *parts])
    if event.payload:
        return _digest("content", [event.name, event.body.get("event_ts"), _lasting(event.payload)])
    return _digest("content", [event.name, _lasting(event.body)])


def _held(event: ZoomEvent) -> Sequence[str | None]:
    # An instance starts once and ends once; held again, a meeting gets another UUID.
    return [event.instance]


def _deauthorized(event: ZoomEvent) -> Sequence[str | None]:
    # Not a signature at all, in spite of its name: "a unique ID for each instance".
    return [identifier(event.payload.get("signature"))]


def _recorded(event: ZoomEvent) -> Sequence[str | None]:
    lists = (event.object.get("recording_files"), event.object.get("participant_audio_files"))
    files = [file for files in lists if isinstance(files, list) for file in files if isinstance(file, dict)]
    return [event.instance, ",".join(sorted(map(recording_file_name, files)))]


def _took_part(event: ZoomEvent) -> Sequence[str | None]:
    participant = event.object.get("participant")
    if not isinstance(participant, dict):
        return [None]
    moment = epoch_ms(participant.get("leave_time" if event.name.endswith("_left") else "join_time"))
    if moment is not None:
        moment -= moment % 1000  # events say whole seconds, and the lists of webinars' participants fractions of them
    # `user_id` names one session of one person in one meeting, guests included, and the reports have it too.
    return [event.instance, identifier(participant.get("user_id")), identifier(moment)]


_NATURAL: dict[str, Callable[[ZoomEvent], Sequence[str | None]]] = {
    DEAUTHORIZED: _deauthorized,
    "meeting.started": _held,
    "meeting.ended": _held,
    "webinar.started": _held,
    "webinar.ended": _held,
    "recording.completed": _recorded,
    "recording.transcript_completed": _recorded,
    "meeting.participant_joined": _took_part,
    "meeting.participant_left": _took_part,
    "webinar.participant_joined": _took_part,
    "webinar.participant_left": _took_part,
}


def _lasting(value: Any) -> Any:
    """`value` without what Zoom makes anew for each delivery: download tokens and links."""
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
