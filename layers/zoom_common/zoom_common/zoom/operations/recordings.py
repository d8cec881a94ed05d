"""Zoom's operations on cloud recordings and transcripts.

Most are below `/v2/meetings`. API Gateway decodes a UUID with a slash in it, so that it matches no route of recordings.
The meetings function then receives it, and serves the same table.

https://developers.zoom.us/docs/api/meetings/#tag/cloud-recording
"""

from __future__ import annotations

from zoom_common.zoom.operations.model import (
    EVERY_PAGE,
    FROM,
    JSON,
    TO,
    TOKEN_PAGES,
    Family,
    Parameter,
    RateLabel,
    ZoomScopes,
)

_PLAN = "Pro, with cloud recording"
OF_MEETING = Family("zoom_api", "/v2/meetings/{meetingId}/recordings", "recordings", _PLAN)
BELOW = Family("zoom_api", "/v2/meetings/{meetingId}/recordings/{proxy+}", "recordings", _PLAN)
TRANSCRIPT = Family("zoom_api", "/v2/meetings/{meetingId}/transcript", "recordings", _PLAN)

_ACTION = Parameter("action", values=("trash", "delete"))

ROWS = (
    OF_MEETING.operation(
        "recordings.get",
        "GET",
        "/meetings/{meetingId}/recordings",
        "Get a meeting's recordings",
        query=(Parameter("include_fields"), Parameter("ttl", "integer", minimum=0, maximum=604_800)),
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
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("cloud_recording:read:recording_settings", "recording:read"),
    ),
    BELOW.operation(
        "recordings.settings_update",
        "PATCH",
        "/meetings/{meetingId}/recordings/settings",
        "Set how recordings are shared",
        model="settings.RecordingSettings",
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("cloud_recording:update:recording_settings", "recording:write"),
    ),
    BELOW.operation(
        "recordings.delete",
        "DELETE",
        "/meetings/{meetingId}/recordings/{recordingId}",
        "Delete one recording file",
        query=(_ACTION,),
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
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("cloud_recording:update:recover_single_recording", "recording:write"),
    ),
    TRANSCRIPT.operation(
        "recordings.transcript",
        "GET",
        "/meetings/{meetingId}/transcript",
        "Get a meeting's transcript",
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("cloud_recording:read:meeting_transcript", "recording:read", "recording:write"),
    ),
    TRANSCRIPT.operation(
        "recordings.delete_transcript",
        "DELETE",
        "/meetings/{meetingId}/transcript",
        "Delete a meeting's transcript",
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("cloud_recording:delete:meeting_transcript", "recording:write"),
    ),
    BELOW.operation(
        "recordings.analytics",
        "GET",
        "/meetings/{meetingId}/recordings/analytics_details",
        "List who viewed and downloaded a recording",
        query=(FROM, TO, Parameter("type", values=("by_view", "by_download")), *TOKEN_PAGES),
        label=RateLabel.HEAVY,
        scopes=ZoomScopes.of("cloud_recording:read:recording_analytics_details"),
        items="analytics_details",
        monthly=True,
        notes="Zoom prints no rate label.",
    ),
    BELOW.operation(
        "recordings.analytics_summary",
        "GET",
        "/meetings/{meetingId}/recordings/analytics_summary",
        "Count views and downloads of a recording by day",
        query=(FROM, TO),
        label=RateLabel.HEAVY,
        scopes=ZoomScopes.of("cloud_recording:read:recording_analytics_summary"),
        items="analytics_summary",
        monthly=True,
        notes="Zoom prints no rate label.",
    ),
    BELOW.operation(
        "recordings.registrants.list",
        "GET",
        "/meetings/{meetingId}/recordings/registrants",
        "List who registered to view a recording",
        query=(Parameter("status", values=("pending", "approved", "denied")), *EVERY_PAGE),
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("cloud_recording:read:list_recording_registrants", "recording:read"),
        items="registrants",
    ),
    BELOW.operation(
        "recordings.registrants.add",
        "POST",
        "/meetings/{meetingId}/recordings/registrants",
        "Register someone to view a recording",
        media=JSON,
        required=("email", "first_name"),
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("cloud_recording:write:recording_registrant", "recording:write"),
    ),
    BELOW.operation(
        "recordings.registrants.status",
        "PUT",
        "/meetings/{meetingId}/recordings/registrants/status",
        "Approve or deny who registered to view a recording",
        media=JSON,
        required=("action",),
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("cloud_recording:update:registrant_status", "recording:write"),
    ),
    BELOW.operation(
        "recordings.registrants.questions",
        "GET",
        "/meetings/{meetingId}/recordings/registrants/questions",
        "List the questions to those who want to view a recording",
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("cloud_recording:read:registration_questions", "recording:read"),
    ),
    BELOW.operation(
        "recordings.registrants.questions_update",
        "PATCH",
        "/meetings/{meetingId}/recordings/registrants/questions",
        "Set the questions to those who want to view a recording",
        media=JSON,
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("cloud_recording:update:registration_questions", "recording:write"),
    ),
)
