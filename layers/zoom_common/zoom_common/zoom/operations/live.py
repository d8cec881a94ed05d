"""Zoom's operations on meetings and webinars while they run.

https://developers.zoom.us/docs/api/meetings/#tag/in-meeting-features
"""

from __future__ import annotations

from zoom_common.zoom.operations.model import JSON, Family, Parameter, RateLabel, ZoomScopes

MEETINGS = Family("zoom_api", "/v2/{proxy+}", "meetings")
WEBINARS = Family("zoom_api", "/v2/{proxy+}", "webinars", "Webinar")

ROWS = (
    MEETINGS.operation(
        "live_meetings.chat_delete",
        "DELETE",
        "/live_meetings/{meetingId}/chat/messages/{messageId}",
        "Delete a chat message of a running meeting",
        query=(Parameter("file_ids"),),
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("meeting:delete:live_meeting_chat_message", "meeting:write"),
    ),
    MEETINGS.operation(
        "live_meetings.chat_update",
        "PATCH",
        "/live_meetings/{meetingId}/chat/messages/{messageId}",
        "Change a chat message of a running meeting",
        media=JSON,
        required=("message_content",),
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("meeting:update:live_meeting_chat_message", "meeting:write"),
    ),
    MEETINGS.operation(
        "live_meetings.events",
        "PATCH",
        "/live_meetings/{meetingId}/events",
        "Invite people, record or do else in a running meeting",
        media=JSON,
        success=202,
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("meeting:update:in_meeting_controls", "meeting:write"),
    ),
    MEETINGS.operation(
        "live_meetings.rtms_status",
        "PATCH",
        "/live_meetings/{meetingId}/rtms_app/status",
        "Start or stop media streams of an app",
        media=JSON,
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("meeting:update:participant_rtms_app_status", "meeting:write"),
    ),
    WEBINARS.operation(
        "live_webinars.chat_delete",
        "DELETE",
        "/live_webinars/{webinarId}/chat/messages/{messageId}",
        "Delete a chat message of a running webinar",
        query=(Parameter("file_ids"),),
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("webinar:delete:live_webinar_chat_message", "webinar:write"),
    ),
)
