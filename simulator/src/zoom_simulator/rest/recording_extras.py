"""Cloud recordings: how they are shared, and their transcripts."""

from __future__ import annotations

from zoom_simulator.check import Field, check
from zoom_simulator.clock import day, iso, milliseconds
from zoom_simulator.failures import ZoomError
from zoom_simulator.hooks import bodies
from zoom_simulator.model import Json
from zoom_simulator.recording_views import AUTO_DELETE_DAYS
from zoom_simulator.rest.call import Call, Reply
from zoom_simulator.rest.operations import operation
from zoom_simulator.rest.recordings import the_recording

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
    """Share it otherwise, or rename it."""
    recording = the_recording(call, "meetingId")
    check(call.body, SETTINGS)
    old_topic = recording.topic
    recording.settings |= {name: call.body[name] for name in SETTINGS if name in call.body}
    if "password" in call.body:
        recording.password = call.body["password"]
    if call.body.get("topic", old_topic) != old_topic:
        recording.topic = call.body["topic"]
        call.sim.studio.renamed(recording, old_topic, bodies.operator(call.caller), milliseconds(call.now))
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
