"""Cloud recordings: started, paused, stopped, processed and completed, with files that can be downloaded."""

from __future__ import annotations

from functools import partial

from zoom_simulator.behaviour import Behaviour
from zoom_simulator.clock import Clock, Timetable, day, iso
from zoom_simulator.ids import Ids
from zoom_simulator.live.meetings import StateConflict
from zoom_simulator.model import DownloadToken, Instance, Json, Meeting, Recording, RecordingFile, State, User
from zoom_simulator.webhooks import payloads
from zoom_simulator.webhooks.publisher import Publisher

DOWNLOAD_SECONDS = 86_400
KINDS = (
    ("MP4", "MP4", "shared_screen_with_speaker_view", 1.0),
    ("M4A", "M4A", "audio_only", 0.25),
    ("TIMELINE", "JSON", "timeline", 0.01),
)
CHAT = ("CHAT", "TXT", "chat_file", 0.005)
TRANSCRIPT = ("TRANSCRIPT", "VTT", "audio_transcript", 0.02)
AUTO_DELETE_DAYS = 30
NOT_OF_CHANGE = ("password", "on_prem", "recording_play_passcode", "auto_delete", "auto_delete_date", "host_email")
WITHOUT_PLAYER = ("TIMELINE", "CHAT", "TRANSCRIPT")


def new_recording(instance: Instance, ids: Ids) -> Recording:
    """Return a new recording of `instance`."""
    return Recording(
        uuid=instance.uuid,
        meeting_id=instance.meeting_id,
        account_id=instance.account_id,
        host_id=instance.host_id,
        topic=instance.topic,
        type=instance.type,
        timezone=instance.timezone,
        duration=instance.duration,
        start=instance.started_at,
        play_passcode=ids.secret(),
        password=ids.secret()[:8],
        share_key=ids.secret(),
        shown_id=instance.shown_id,
    )


def new_file(kind: tuple[str, str, str, float], segment: list[float], ids: Ids, largest: int) -> RecordingFile:
    """A file of a recording, as large as its kind's share of `largest` bytes."""
    file_type, extension, recording_type, share = kind
    return RecordingFile(
        id=ids.file_id(),
        type=file_type,
        extension=extension,
        recording_type=recording_type,
        size=max(64, int(largest * share)),
        start=segment[0],
        end=segment[1],
        key=ids.secret(),
    )


class Recorder:
    """Records live meetings and processes what was recorded."""

    def __init__(
        self,
        state: State,
        *,
        publisher: Publisher,
        clock: Clock,
        ids: Ids,
        behaviour: Behaviour,
        timetable: Timetable,
        base_url: str,
    ) -> None:
        self._state = state
        self._publisher = publisher
        self._clock = clock
        self._ids = ids
        self._behaviour = behaviour
        self._timetable = timetable
        self.views = RecordingViews(state, base_url, behaviour)

    def when_started(self, meeting: Meeting, instance: Instance) -> None:
        """Record from the beginning where the meeting says so."""
        paid = self._state.accounts[instance.account_id].plan != "free"
        if paid and meeting.settings.get("auto_recording") == "cloud":
            self.start(instance)

    def start(self, instance: Instance) -> Recording:
        """Start recording, or a further segment after a stop. StateConflict while it records, and on a free plan."""
        if self._state.accounts[instance.account_id].plan == "free":
            raise StateConflict("cloud recording needs a paid plan")
        now = self._clock.now()
        recording = self._state.recordings.get(instance.uuid)
        if recording is None:
            recording = new_recording(instance, self._ids)
            self._state.recordings[recording.uuid] = recording
        elif recording.state != "stopped":
            raise StateConflict(f"the recording is {recording.state}")
        recording.state = "recording"
        recording.segments.append([now, now])
        self._progress(recording, instance, "started", ended=self._open_end())
        return recording

    def pause(self, instance: Instance) -> None:
        """Pause. StateConflict when it is not recording."""
        recording = self._in(instance, "recording")
        recording.state = "paused"
        recording.segments[-1][1] = self._clock.now()
        self._progress(recording, instance, "paused", ended=iso(self._clock.now()))

    def resume_recording(self, instance: Instance) -> None:
        """Continue after a pause. StateConflict when it is not paused."""
        recording = self._in(instance, "paused")
        recording.state = "recording"
        self._progress(recording, instance, "resumed", ended=self._open_end())

    def stop(self, instance: Instance) -> None:
        """Stop. The files appear after the end of the meeting. StateConflict when nothing is recorded."""
        recording = self._state.recordings.get(instance.uuid)
        if recording is None or recording.state not in ("recording", "paused"):
            raise StateConflict("nothing is being recorded")
        recording.state = "stopped"
        recording.segments[-1][1] = self._clock.now()
        self._progress(recording, instance, "stopped", ended=iso(self._clock.now()))

    def when_ended(self, instance: Instance) -> None:
        """Stop a running recording, and process what was recorded."""
        recording = self._state.recordings.get(instance.uuid)
        if recording is None or recording.state in ("processing", "completed"):
            return
        if recording.state != "stopped":
            self.stop(instance)
        recording.state = "processing"
        recording.ready_at = self._clock.now() + self._behaviour.processing_seconds
        self._timetable.at(recording.ready_at, partial(self.complete, recording.uuid))

    def complete(self, uuid: str) -> None:
        """Create the files and publish `recording.completed`, twice where `twin_recordings` is on."""
        recording = self._state.recordings.get(uuid)
        if recording is None or recording.state != "processing":
            return
        instance = self._state.instances.get(uuid)
        recording.state = "completed"
        kinds = [*KINDS, CHAT] if instance is not None and instance.chatted else KINDS
        parts = [[self._file(kind, segment) for kind in kinds] for segment in recording.segments]
        recording.files += [each for part in parts for each in part]
        for part in parts if self._behaviour.split_recordings else [recording.files]:
            for _ in range(2 if self._behaviour.twin_recordings else 1):
                self.announce_completed(recording, part)
        if self._behaviour.transcripts:
            recording.transcript_at = self._clock.now() + self._behaviour.transcript_seconds
            self._timetable.at(recording.transcript_at, partial(self.transcribe, uuid))

    def announce_completed(self, recording: Recording, files: list[RecordingFile]) -> None:
        """Deliver `recording.completed` with a fresh download token."""
        self._publish(recording, "completed", self.views.of_event(recording, files), token=True)

    def transcribe(self, uuid: str) -> None:
        """Create the transcript and publish `recording.transcript_completed`."""
        recording = self._state.recordings.get(uuid)
        if recording is None or any(each.type == "TRANSCRIPT" for each in recording.files):
            return
        transcript = self._file(TRANSCRIPT, recording.segments[0])
        recording.files.append(transcript)
        self._publish(recording, "transcript_completed", self.views.of_event(recording, [transcript]), token=True)

    def resume(self) -> None:
        """Continue the processing that was unfinished when the state was saved."""
        for recording in self._state.recordings.values():
            if recording.state == "processing":
                self._timetable.at(recording.ready_at, partial(self.complete, recording.uuid))
            elif recording.transcript_at:
                self._timetable.at(recording.transcript_at, partial(self.transcribe, recording.uuid))

    def change(self, recording: Recording, what: str, operator: Json, files: list[RecordingFile]) -> None:
        """Deliver `recording.trashed`, `deleted` or `recovered`."""
        self._publish(recording, what, self.views.of_change(recording, files), extra=operator, token=what != "deleted")

    def renamed(self, recording: Recording, old_topic: str, operator: Json, moment_ms: int) -> None:
        """Deliver `recording.renamed`."""
        whole = self.views.of_event(recording, [])
        shown = {name: whole[name] for name in payloads.OF_RENAMED}
        extra = {**operator, "time_stamp": moment_ms, "old_object": {**shown, "topic": old_topic}}
        self._publish(recording, "renamed", shown, extra=extra)

    def token(self, recording: Recording, seconds: float = DOWNLOAD_SECONDS) -> str:
        """A fresh token that opens this recording's files."""
        token = DownloadToken(self._ids.token(), recording.uuid, self._clock.now() + seconds)
        self._state.download_tokens[token.value] = token
        return token.value

    def _file(self, kind: tuple[str, str, str, float], segment: list[float]) -> RecordingFile:
        return new_file(kind, segment, self._ids, self._behaviour.recording_bytes)

    def _in(self, instance: Instance, state: str) -> Recording:
        recording = self._state.recordings.get(instance.uuid)
        if recording is None or recording.state != state:
            raise StateConflict(f"the recording is not in the state {state}")
        return recording

    def _open_end(self) -> str | None:
        return "" if self._behaviour.unfinished_recording_end == "empty" else None

    def _progress(self, recording: Recording, instance: Instance, what: str, *, ended: str | None) -> None:
        span = {"recording_start": iso(recording.segments[-1][0]), "recording_end": ended}
        shown = {**payloads.recorded(recording, instance), "recording_file": span}
        self._publish(recording, what, shown)

    def _publish(
        self, recording: Recording, what: str, shown: Json, *, extra: Json | None = None, token: bool = False
    ) -> None:
        payload = {"account_id": recording.account_id, **(extra or {}), "object": shown}
        maker = partial(self.token, recording) if token else None
        self._publisher.publish(f"recording.{what}", payload, user_id=recording.host_id, download_token=maker)


class RecordingViews:
    """Shows recordings, with links to this server."""

    def __init__(self, state: State, base_url: str, behaviour: Behaviour) -> None:
        self._state = state
        self._base_url = base_url
        self._behaviour = behaviour

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
        """Return the link under which people watch a recording."""
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
            "file_size": each.size * self._behaviour.declared_bytes_percent // 100,
            "download_url": f"{self._base_url}/rec/download/{each.key}",
            "status": each.status,
            "recording_type": each.recording_type,
        }
        if each.type not in WITHOUT_PLAYER:
            shown["play_url"] = f"{self._base_url}/rec/play/{each.key}"
        if each.deleted_at is not None:
            shown["deleted_time"] = iso(each.deleted_at)
        return shown
