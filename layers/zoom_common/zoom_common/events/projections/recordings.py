"""Cloud recordings: one record for each instance, and one for each of its files.

Several `recording.completed` for one meeting are normal; their files add up. Links are left out, because Zoom makes
them anew: `GET /v2/meetings/{id}/recordings` has them.
https://developers.zoom.us/docs/api/meetings/events/#tag/recording/POSTrecording.completed
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from zoom_common.events.projections.meetings import meeting_of, partition
from zoom_common.events.projections.record import Change
from zoom_common.zoom.events import ZoomEvent, recording_file_name

RECORDING = "recording#"
FILE = "recording-file#"

_CAPTURE = {"started": "recording", "resumed": "recording", "paused": "paused", "stopped": "stopped"}
_AVAILABLE = {"completed": "available", "recovered": "available", "trashed": "trashed", "deleted": "deleted"}
_FIELDS = ("topic", "host_id", "host_email", "type", "start_time", "timezone", "duration", "auto_delete_date")
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
    fields: dict[str, Any] = {name: event.object[name] for name in _FIELDS if event.object.get(name) is not None}
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
