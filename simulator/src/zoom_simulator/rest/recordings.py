"""Cloud recordings: list, get, trash, delete, recover, settings and transcripts."""

from __future__ import annotations

from zoom_simulator.check import Field, check
from zoom_simulator.clock import day, iso, milliseconds
from zoom_simulator.errors import ZoomError, no_recording
from zoom_simulator.live.recordings import AUTO_DELETE_DAYS
from zoom_simulator.model import Json, Recording, RecordingFile
from zoom_simulator.rest import scheduling
from zoom_simulator.rest.call import Call, Reply
from zoom_simulator.rest.operations import operation
from zoom_simulator.rest.paging import page
from zoom_simulator.webhooks import payloads

MONTH_DAYS = 31
TRASH_SECONDS = 30 * 86_400
LONGEST_TTL = 604_800
ACTIONS = ("trash", "delete")
RECOVER = {"action": Field("string", required=True, allowed=("recover",))}
WITHOUT_MOST = ("CC", "TIMELINE")
NOT_SHOWN = ("id", "status", "file_size", "recording_type", "play_url")
SETTINGS = {
    "share_recording": Field("string", allowed=("publicly", "internally", "none")),
    "recording_authentication": Field("boolean"),
    "authentication_option": Field("string"),
    "authentication_domains": Field("string"),
    "viewer_download": Field("boolean"),
    "password": Field("string", longest=10),
    "on_demand": Field("boolean"),
    "approval_type": Field("integer", allowed=(0, 1, 2)),
    "send_email_to_host": Field("boolean"),
    "show_social_share_buttons": Field("boolean"),
    "topic": Field("string"),
    "auto_delete": Field("boolean"),
}


@operation("recordings.list", "GET", "/users/{userId}/recordings", label="Medium",
           scope="cloud_recording:read:list_user_recordings", classic="recording:read")  # fmt: skip
def list_recordings(call: Call) -> Reply:
    """A user's recordings of at most a month (default: today), or all that are in the trash, whatever the dates."""
    user = call.target_user()
    trash = call.flag("trash")
    begin, end = scheduling.day_range(call, most_days=MONTH_DAYS)
    only = call.query.get("meeting_id", "")
    found = [
        (recording.start, recording)
        for recording in call.sim.state.recordings.values()
        if recording.host_id == user.id
        and recording.state == "completed"
        and (not only or only in (str(recording.meeting_id), str(recording.shown_id)))
        and _listed(call, recording, begin, end, trash=trash)
    ]
    chunk, about = page(call, scheduling.in_order(found)[::-1], numbered=False)
    meetings = [_shown(call, each, trashed=trash) for each in chunk]
    return Reply(200, {"from": day(begin), "to": day(end - 1), **about, "meetings": meetings})


@operation("recordings.get", "GET", "/meetings/{meetingId}/recordings", label="Light",
           scope="cloud_recording:read:list_recording_files", classic="recording:read")  # fmt: skip
def get_recordings(call: Call) -> Reply:
    """The files of one meeting, and a token to download them where it was asked for."""
    recording = the_recording(call, "meetingId")
    answer = _shown(call, recording) | {"password": recording.password, "participant_audio_files": []}
    if "download_access_token" in call.query.get("include_fields", ""):
        seconds = call.number("ttl", 86_400, 0, LONGEST_TTL)
        answer["download_access_token"] = call.sim.recorder.token(recording, seconds)
    return Reply(200, answer)


@operation("recordings.delete_all", "DELETE", "/meetings/{meetingId}/recordings", label="Light",
           scope="cloud_recording:delete:meeting_recording", classic="recording:write")  # fmt: skip
def delete_recordings(call: Call) -> Reply:
    """Move a meeting's recording to the trash, or delete it for good."""
    action = call.text("action", "trash", ACTIONS)
    recording = the_recording(call, "meetingId", trashed=action == "delete")
    operator = payloads.operator(call.caller)
    if action == "trash":
        recording.trashed_at = call.now
        call.sim.recorder.change(recording, "trashed", operator, _present(recording))
    else:
        call.sim.recorder.change(recording, "deleted", operator, recording.files)
        del call.sim.state.recordings[recording.uuid]
    return Reply(204)


@operation("recordings.delete", "DELETE", "/meetings/{meetingId}/recordings/{recordingId}", label="Light",
           scope="cloud_recording:delete:recording_file", classic="recording:write")  # fmt: skip
def delete_recording(call: Call) -> Reply:
    """Move one file to the trash, or delete it for good."""
    action = call.text("action", "trash", ACTIONS)
    recording = the_recording(call, "meetingId", unfinished=True)
    if recording.state != "completed":
        raise ZoomError(400, 3303, "You can not delete an uncompleted meeting.")
    each = _file(call, recording)
    operator = payloads.operator(call.caller)
    if action == "trash":
        each.deleted_at = call.now
        call.sim.recorder.change(recording, "trashed", operator, [each])
    else:
        recording.files.remove(each)
        call.sim.recorder.change(recording, "deleted", operator, [each])
    return Reply(204)


@operation("recordings.recover_all", "PUT", "/meetings/{meetingUUID}/recordings/status", label="Light",
           scope="cloud_recording:update:recover_meeting_recordings", classic="recording:write")  # fmt: skip
def recover_recordings(call: Call) -> Reply:
    """Take a meeting's recording out of the trash; the answer is a 200 without a body."""
    check(call.body, RECOVER)
    recording = the_recording(call, "meetingUUID", trashed=True)
    recording.trashed_at = None
    for each in recording.files:
        each.deleted_at = None
    call.sim.recorder.change(recording, "recovered", payloads.operator(call.caller), recording.files)
    return Reply(200)


@operation("recordings.recover", "PUT", "/meetings/{meetingId}/recordings/{recordingId}/status", label="Light",
           scope="cloud_recording:update:recover_single_recording", classic="recording:write")  # fmt: skip
def recover_recording(call: Call) -> Reply:
    """Take one file out of the trash."""
    check(call.body, RECOVER)
    recording = the_recording(call, "meetingId", trashed=True)
    each = _file(call, recording, trashed=True)
    each.deleted_at = None
    call.sim.recorder.change(recording, "recovered", payloads.operator(call.caller), [each])
    return Reply(204)


def the_recording(call: Call, parameter: str, *, trashed: bool = False, unfinished: bool = False) -> Recording:
    """The recording that the path means. ZoomError 3301 where there is none, or none to be seen."""
    reference = call.params[parameter]
    recording: Recording | None
    if reference.isdecimal():
        numbers = [
            each
            for each in call.sim.state.recordings.values()
            if reference in (str(each.meeting_id), str(each.shown_id))
        ]
        recording = numbers[-1] if numbers else None
    else:
        recording = call.sim.state.recordings.get(reference)
    if recording is None or not call.may_reach(recording.host_id):
        raise no_recording()
    if recording.state != "completed" and not unfinished:
        raise ZoomError(404, 3301, "The recording is still being processed.")  # the same code, another text
    if recording.trashed_at is not None:
        expired = call.now - recording.trashed_at > TRASH_SECONDS
        if not trashed or expired:
            raise no_recording()
    return recording


def _file(call: Call, recording: Recording, *, trashed: bool = False) -> RecordingFile:
    for each in recording.files:
        if each.id == call.params["recordingId"] and (each.deleted_at is not None) == trashed:
            return each
    raise no_recording()


def _present(recording: Recording) -> list[RecordingFile]:
    return [each for each in recording.files if each.deleted_at is None]


def _listed(call: Call, recording: Recording, begin: float, end: float, *, trash: bool) -> bool:
    if not trash:
        return recording.trashed_at is None and begin <= recording.start < end
    if call.query.get("trash_type") == "recording_file":
        return any(each.deleted_at is not None for each in recording.files)
    return recording.trashed_at is not None


def _shown(call: Call, recording: Recording, *, trashed: bool = False) -> Json:
    one_by_one = trashed and call.query.get("trash_type") == "recording_file"
    files = [each for each in recording.files if (each.deleted_at is not None) == one_by_one]
    return {
        "uuid": recording.uuid,
        "id": recording.shown_id,
        "account_id": recording.account_id,
        "host_id": recording.host_id,
        "topic": recording.topic,
        "type": str(recording.type),  # a string here, a number in events
        "start_time": iso(recording.start),
        "timezone": recording.timezone,
        "duration": recording.duration,
        "total_size": sum(each.size for each in files),
        "recording_count": len(files),
        "share_url": call.sim.recorder.views.share_url(recording),
        "recording_play_passcode": recording.play_passcode,
        "auto_delete": True,
        "auto_delete_date": day(recording.start + AUTO_DELETE_DAYS * 86_400),
        "recording_files": [_shown_file(call, recording, each) for each in files],
    }


def _shown_file(call: Call, recording: Recording, each: RecordingFile) -> Json:
    shown = call.sim.recorder.views.of_file(recording, each)
    if each.type in WITHOUT_MOST:
        return {name: value for name, value in shown.items() if name not in NOT_SHOWN}
    return shown


@operation("recordings.settings", "GET", "/meetings/{meetingId}/recordings/settings", label="Light",
           scope="cloud_recording:read:recording_settings", classic="recording:read")  # fmt: skip
def get_settings(call: Call) -> Reply:
    """How a recording is shared."""
    recording = the_recording(call, "meetingId")
    answer: Json = {
        "share_recording": "publicly",
        "recording_authentication": False,
        "viewer_download": True,
        "password": recording.password,
        "on_demand": False,
        "approval_type": 2,
        "send_email_to_host": False,
        "show_social_share_buttons": False,
        "topic": recording.topic,
        "auto_delete": True,
        "auto_delete_date": day(recording.start + AUTO_DELETE_DAYS * 86_400),
        **recording.settings,
    }
    return Reply(200, answer)


@operation("recordings.change_settings", "PATCH", "/meetings/{meetingId}/recordings/settings", label="Light",
           scope="cloud_recording:update:recording_settings", classic="recording:write")  # fmt: skip
def change_settings(call: Call) -> Reply:
    """Change how a recording is shared, or rename it."""
    recording = the_recording(call, "meetingId")
    check(call.body, SETTINGS)
    old_topic = recording.topic
    recording.settings |= {name: call.body[name] for name in SETTINGS if name in call.body}
    if "password" in call.body:
        recording.password = call.body["password"]
    if call.body.get("topic", old_topic) != old_topic:
        recording.topic = call.body["topic"]
        call.sim.recorder.renamed(recording, old_topic, payloads.operator(call.caller), milliseconds(call.now))
    return Reply(204)


@operation("recordings.transcript", "GET", "/meetings/{meetingId}/transcript", label="Medium",
           scope="cloud_recording:read:meeting_transcript", classic="recording:read recording:write")  # fmt: skip
def get_transcript(call: Call) -> Reply:
    """Where the transcript is. ZoomError 3322 as long as there is none."""
    try:
        recording = the_recording(call, "meetingId")
    except ZoomError:
        raise _no_transcript() from None
    found = [each for each in recording.files if each.type == "TRANSCRIPT"]
    if not found:
        raise _no_transcript()
    gone = found[0].deleted_at is not None
    answer: Json = {
        "meeting_id": recording.uuid,
        "account_id": recording.account_id,
        "meeting_topic": recording.topic,
        "host_id": recording.host_id,
        "transcript_created_time": iso(recording.transcript_at or recording.ready_at),
        "can_download": not gone,
        "auto_delete": True,
        "auto_delete_date": day(recording.start + AUTO_DELETE_DAYS * 86_400),
        "download_url": None if gone else f"{call.sim.base_url}/rec/download/{found[0].key}",
        "download_restriction_reason": "DELETED_OR_TRASHED" if gone else None,
    }
    return Reply(200, answer)


@operation("recordings.delete_transcript", "DELETE", "/meetings/{meetingId}/transcript", label="Medium",
           scope="cloud_recording:delete:meeting_transcript", classic="recording:write")  # fmt: skip
def delete_transcript(call: Call) -> Reply:
    """Delete the transcript for good."""
    recording = the_recording(call, "meetingId")
    found = [each for each in recording.files if each.type == "TRANSCRIPT"]
    if not found:
        raise _no_transcript()
    recording.files.remove(found[0])
    return Reply(204)


def _no_transcript() -> ZoomError:
    return ZoomError(404, 3322, "This meeting transcript does not exist.")
