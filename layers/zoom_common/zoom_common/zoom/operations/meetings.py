"""Zoom's operations on meetings.

https://developers.zoom.us/docs/api/meetings/#tag/meetings
"""

from __future__ import annotations

from zoom_common.zoom.models.meeting import CreateMeeting, UpdateMeeting
from zoom_common.zoom.operations.model import Operation, RateLabel, ZoomScopes
from zoom_common.zoom.operations.parameters import (
    FROM,
    NEXT_PAGE_TOKEN,
    OCCURRENCE_ID,
    PAGE_NUMBER,
    PAGE_SIZE,
    SHOW_PREVIOUS_OCCURRENCES,
    TO,
    Parameter,
)

OF_USER = "/v2/users/{userId}/meetings"
BY_ID = "/v2/meetings/{proxy+}"

MEETINGS = (
    Operation(
        name="meetings.list",
        method="GET",
        path="/users/{userId}/meetings",
        function="meetings",
        route=OF_USER,
        query=(
            Parameter("type", values=("scheduled", "live", "upcoming", "upcoming_meetings", "previous_meetings")),
            PAGE_SIZE,
            NEXT_PAGE_TOKEN,
            PAGE_NUMBER,
            FROM,
            TO,
            Parameter("timezone"),
        ),
        success=200,
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("meeting:read:list_meetings", "meeting:read"),
        gateway_scope="meetings:read",
        safe_to_retry=True,
    ),
    Operation(
        name="meetings.create",
        method="POST",
        path="/users/{userId}/meetings",
        function="meetings",
        route=OF_USER,
        body=CreateMeeting,
        success=201,
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("meeting:write:meeting", "meeting:write"),
        gateway_scope="meetings:write",
        safe_to_retry=False,
        counts_for_user=True,
    ),
    Operation(
        name="meetings.get",
        method="GET",
        path="/meetings/{meetingId}",
        function="meetings",
        route=BY_ID,
        query=(OCCURRENCE_ID, SHOW_PREVIOUS_OCCURRENCES),
        success=200,
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("meeting:read:meeting", "meeting:read"),
        gateway_scope="meetings:read",
        safe_to_retry=True,
    ),
    Operation(
        name="meetings.update",
        method="PATCH",
        path="/meetings/{meetingId}",
        function="meetings",
        route=BY_ID,
        query=(OCCURRENCE_ID,),
        body=UpdateMeeting,
        success=204,
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("meeting:update:meeting", "meeting:write"),
        gateway_scope="meetings:write",
        safe_to_retry=False,
        counts_for_user=True,
    ),
    Operation(
        name="meetings.delete",
        method="DELETE",
        path="/meetings/{meetingId}",
        function="meetings",
        route=BY_ID,
        query=(
            OCCURRENCE_ID,
            Parameter("schedule_for_reminder", "boolean"),
            Parameter("cancel_meeting_reminder", "boolean"),
        ),
        success=204,
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("meeting:delete:meeting", "meeting:write"),
        gateway_scope="meetings:write",
        safe_to_retry=False,
    ),
)
