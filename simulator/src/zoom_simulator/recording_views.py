"""Recordings as events and REST answers show them."""

from __future__ import annotations

from zoom_simulator.clock import day, iso
from zoom_simulator.model import Json, Recording, RecordingFile, State, User

AUTO_DELETE_DAYS = 30
NOT_OF_CHANGE = ("password", "on_prem", "recording_play_passcode", "auto_delete", "auto_delete_date", "host_email")
WITHOUT_PLAYER = ("TIMELINE", "CHAT", "TRANSCRIPT")


class RecordingViews:
    """Shows recordings, with links to this server."""

    def __init__(self, state: State, base_url: str) -> None:
        self._state = state
        self._base_url = base_url

    def of_event(self, recording: Recording, files: list[RecordingFile]) -> Json:
        """The object of `recording.completed`; others leave some of it out."""
        host: User | None = self._state.users.get(recording.host_id)
        return {
            "uuid": recording.uuid,
            "id": recording.shown_id,
            "account_id": recording.account_id,
            "host_id": recording.host_id,
            "topic": recording.topic,
            "type": recording.type,
            "start_time": iso(recording.start),
            "password": recording.password,
            "timezone": recording.timezone,
            "host_email": host.email if host else "",
            "duration": recording.duration,
            "share_url": self.share_url(recording),
            "total_size": sum(each.size for each in files),
            "recording_count": len(files),
            "on_prem": False,
            "recording_play_passcode": recording.play_passcode,
            "auto_delete": True,
            "auto_delete_date": day(recording.start + AUTO_DELETE_DAYS * 86_400),
            "recording_files": [self.of_file(recording, each) for each in files],
        }

    def of_change(self, recording: Recording, files: list[RecordingFile]) -> Json:
        """The object of `recording.trashed`, `deleted` and `recovered`, which say less."""
        return {name: value for name, value in self.of_event(recording, files).items() if name not in NOT_OF_CHANGE}

    def share_url(self, recording: Recording) -> str:
        """Where people watch it."""
        return f"{self._base_url}/rec/share/{recording.share_key}"

    def of_file(self, recording: Recording, each: RecordingFile) -> Json:
        """A file in events and in REST answers."""
        shown: Json = {
            "id": each.id,
            "meeting_id": recording.uuid,
            "recording_start": iso(each.start),
            "recording_end": iso(each.end),
            "file_type": each.type,
            "file_extension": each.extension,
            "file_size": each.size,
            "download_url": f"{self._base_url}/rec/download/{each.key}",
            "status": each.status,
            "recording_type": each.recording_type,
        }
        if each.type not in WITHOUT_PLAYER:
            shown["play_url"] = f"{self._base_url}/rec/play/{each.key}"
        if each.deleted_at is not None:
            shown["deleted_time"] = iso(each.deleted_at)
        return shown
