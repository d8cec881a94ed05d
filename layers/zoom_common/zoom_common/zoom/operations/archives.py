"""Zoom's operations on archived files of meetings and webinars.

https://developers.zoom.us/docs/api/meetings/#tag/archiving
"""

from __future__ import annotations

from zoom_common.zoom.operations.model import FROM, JSON, TO, TOKEN_PAGES, Family, Parameter, RateLabel, ZoomScopes

_PLAN = "Business, with archiving"
ALL = Family("zoom_api", "/v2/{proxy+}", "recordings", _PLAN)
OF_MEETING = Family("meetings", "/v2/past_meetings/{proxy+}", "recordings", _PLAN)

ROWS = (
    ALL.operation(
        "archives.list",
        "GET",
        "/archive_files",
        "List the account's archived files",
        query=(
            FROM,
            TO,
            Parameter("query_date_type", values=("meeting_start_time", "archive_complete_time")),
            Parameter("group_id"),
            Parameter("group_ids"),
            *TOKEN_PAGES,
        ),
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of_administrators("archiving:read:list_archived_files", "recording:read:admin"),
        items="meetings",
        weekly=True,
    ),
    ALL.operation(
        "archives.statistics",
        "GET",
        "/archive_files/statistics",
        "Count archived files by kind and state",
        query=(FROM, TO),
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of_administrators("archiving:read:archived_file_statistics", "recording:read:admin"),
        weekly=True,
        notes="Up to 60 weeks are added up.",
    ),
    ALL.operation(
        "archives.update",
        "PATCH",
        "/archive_files/{fileId}",
        "Keep an archived file, or let it be deleted by itself",
        media=JSON,
        required=("auto_delete",),
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("archiving:update:archived_file_auto_delete_status", "recording:write"),
    ),
    OF_MEETING.operation(
        "archives.of_meeting",
        "GET",
        "/past_meetings/{meetingUUID}/archive_files",
        "Get the archived files of a past meeting",
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("archiving:read:archived_files", only=("recording:read",)),
    ),
    OF_MEETING.operation(
        "archives.delete",
        "DELETE",
        "/past_meetings/{meetingUUID}/archive_files",
        "Delete the archived files of a past meeting",
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of_administrators("archiving:delete:archived_files", "recording:write:admin"),
    ),
)
