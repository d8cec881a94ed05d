"""Zoom's operations on cloud recordings and transcripts.

Most lie below `/v2/meetings`. A UUID with a slash in it arrives there decoded and fits no route of recordings: the
meetings function gets it, and serves the same table.

https://developers.zoom.us/docs/api/meetings/#tag/cloud-recording
"""

from __future__ import annotations

from zoom_common.zoom.operations.model import FROM, TO, TOKEN_PAGES, Family, Parameter, RateLabel, ZoomScopes

_PLAN = "Pro, with cloud recording"
OF_USER = Family("zoom_api", "/v2/users/{userId}/recordings", "recordings", _PLAN)
OF_MEETING = Family("zoom_api", "/v2/meetings/{meetingId}/recordings", "recordings", _PLAN)
BELOW = Family("zoom_api", "/v2/meetings/{meetingId}/recordings/{proxy+}", "recordings", _PLAN)
TRANSCRIPT = Family("zoom_api", "/v2/meetings/{meetingId}/transcript", "recordings", _PLAN)

_ACTION = Parameter("action", values=("trash", "delete"))

RECORDINGS = (
    OF_USER.operation(
        "recordings.list",
        "GET",
        "/users/{userId}/recordings",
        "List a user's recordings",
        query=(
            *TOKEN_PAGES,
            Parameter("mc"),
            Parameter("trash", "boolean"),
            FROM,
            TO,
            Parameter("trash_type"),
            Parameter("meeting_id", "integer"),
        ),
        success=200,
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("cloud_recording:read:list_user_recordings", "recording:read"),
        items="meetings",
        monthly=True,
        notes="Zoom lists today unless told from and to.",
    ),
    OF_MEETING.operation(
        "recordings.get",
        "GET",
        "/meetings/{meetingId}/recordings",
        "Get a meeting's recordings",
        query=(Parameter("include_fields"), Parameter("ttl", "integer", minimum=0, maximum=604_800)),
        success=200,
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of(
            "cloud_recording:read:list_recording_files", "recording:read", only=("phone_recording:read:admin",)
        ),
        notes="404/3301 means none, or not ready yet.",
    ),
    OF_MEETING.operation(
        "recordings.delete_all",
        "DELETE",
        "/meetings/{meetingId}/recordings",
        "Delete a meeting's recordings",
        query=(_ACTION,),
        success=204,
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("cloud_recording:delete:meeting_recording", "recording:write"),
        notes="Into the trash for 30 days, unless action=delete.",
    ),
    BELOW.operation(
        "recordings.recover_all",
        "PUT",
        "/meetings/{meetingUUID}/recordings/status",
        "Recover a meeting's recordings from the trash",
        model="settings.RecoverRecording",
        success=200,
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("cloud_recording:update:recover_meeting_recordings", "recording:write"),
    ),
    BELOW.operation(
        "recordings.settings",
        "GET",
        "/meetings/{meetingId}/recordings/settings",
        "Get how recordings are shared",
        success=200,
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("cloud_recording:read:recording_settings", "recording:read"),
    ),
    BELOW.operation(
        "recordings.settings_update",
        "PATCH",
        "/meetings/{meetingId}/recordings/settings",
        "Set how recordings are shared",
        model="settings.RecordingSettings",
        success=204,
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("cloud_recording:update:recording_settings", "recording:write"),
    ),
    BELOW.operation(
        "recordings.delete",
        "DELETE",
        "/meetings/{meetingId}/recordings/{recordingId}",
        "Delete one recording file",
        query=(_ACTION,),
        success=204,
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("cloud_recording:delete:recording_file", "recording:write"),
        notes="Into the trash for 30 days, unless action=delete.",
    ),
    BELOW.operation(
        "recordings.recover",
        "PUT",
        "/meetings/{meetingId}/recordings/{recordingId}/status",
        "Recover one recording file from the trash",
        model="settings.RecoverRecording",
        success=204,
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("cloud_recording:update:recover_single_recording", "recording:write"),
    ),
    TRANSCRIPT.operation(
        "recordings.transcript",
        "GET",
        "/meetings/{meetingId}/transcript",
        "Get a meeting's transcript",
        success=200,
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("cloud_recording:read:meeting_transcript", "recording:read", "recording:write"),
    ),
    TRANSCRIPT.operation(
        "recordings.delete_transcript",
        "DELETE",
        "/meetings/{meetingId}/transcript",
        "Delete a meeting's transcript",
        success=204,
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("cloud_recording:delete:meeting_transcript", "recording:write"),
    ),
)
