"""Zoom's operations on what a user has scheduled and recorded, and on their templates.

https://developers.zoom.us/docs/api/meetings/#tag/meetings
https://developers.zoom.us/docs/api/meetings/#tag/templates
"""

from __future__ import annotations

from zoom_common.zoom.operations.model import (
    EVERY_PAGE,
    FROM,
    JSON,
    PAGE_NUMBER,
    PAGE_SIZE,
    TO,
    TOKEN_PAGES,
    Family,
    Parameter,
    RateLabel,
    ZoomScopes,
)

MEETINGS = Family("meetings", "/v2/users/{userId}/meetings", "meetings")
WEBINARS = Family("webinars", "/v2/users/{userId}/webinars", "webinars", "Webinar")
RECORDINGS = Family("zoom_api", "/v2/users/{userId}/recordings", "recordings", "Pro, with cloud recording")
OF_USER = Family("zoom_api", "/v2/users/{proxy+}", "meetings")
TEMPLATES = Family("zoom_api", "/v2/users/{proxy+}", "webinars", "Webinar")

ROWS = (
    MEETINGS.operation(
        "meetings.list",
        "GET",
        "/users/{userId}/meetings",
        "List a user's meetings",
        query=(
            Parameter(
                "type",
                values=("scheduled", "live", "upcoming", "upcoming_meetings", "previous_meetings"),
                also=("past",),
            ),
            *EVERY_PAGE,
            FROM,
            TO,
            Parameter("timezone"),
        ),
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("meeting:read:list_meetings", "meeting:read"),
        items="meetings",
        notes="Instant meetings are never listed.",
    ),
    MEETINGS.operation(
        "meetings.create",
        "POST",
        "/users/{userId}/meetings",
        "Create a meeting",
        model="meeting.CreateMeeting",
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("meeting:write:meeting", "meeting:write"),
        counts_for_user=True,
        notes="Counts against the 100 creates and updates that Zoom accepts from one user a day.",
    ),
    WEBINARS.operation(
        "webinars.list",
        "GET",
        "/users/{userId}/webinars",
        "List a user's webinars",
        query=(
            Parameter("type", values=("scheduled", "upcoming")),
            PAGE_SIZE,
            PAGE_NUMBER,
            Parameter("include_events_webinar", "boolean"),
        ),
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("webinar:read:list_webinars", "webinar:read"),
        items="webinars",
    ),
    WEBINARS.operation(
        "webinars.create",
        "POST",
        "/users/{userId}/webinars",
        "Create a webinar",
        model="webinar.CreateWebinar",
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("webinar:write:webinar", "webinar:write"),
        counts_for_user=True,
        notes="Counts against the 100 creates and updates that Zoom accepts from one user a day.",
    ),
    RECORDINGS.operation(
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
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("cloud_recording:read:list_user_recordings", "recording:read"),
        items="meetings",
        monthly=True,
        notes="Without from and to, Zoom lists today.",
    ),
    OF_USER.operation(
        "meetings.upcoming",
        "GET",
        "/users/{userId}/upcoming_meetings",
        "List the meetings that a user hosts or attends next",
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("meeting:read:list_upcoming_meetings", "meeting:read"),
    ),
    OF_USER.operation(
        "meetings.templates.list",
        "GET",
        "/users/{userId}/meeting_templates",
        "List a user's meeting templates",
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("meeting:read:list_templates", "meeting:read"),
    ),
    OF_USER.operation(
        "meetings.templates.create",
        "POST",
        "/users/{userId}/meeting_templates",
        "Make a template of a meeting",
        media=JSON,
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("meeting:write:template", "meeting:write"),
    ),
    OF_USER.operation(
        "meetings.templates.get",
        "GET",
        "/users/{userId}/meeting_templates/{meetingTemplateId}",
        "Get a user's meeting template",
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of_classic("user:read", "user:read:admin"),
    ),
    OF_USER.operation(
        "meetings.summary_templates",
        "GET",
        "/users/{userId}/meeting_summary_templates",
        "List a user's templates of meeting summaries",
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("user:read:settings", "user:read"),
    ),
    TEMPLATES.operation(
        "webinars.templates.list",
        "GET",
        "/users/{userId}/webinar_templates",
        "List a user's webinar templates",
        label=RateLabel.HEAVY,
        scopes=ZoomScopes.of("webinar:read:list_templates", "webinar:read"),
        notes="Zoom prints no rate label.",
    ),
    TEMPLATES.operation(
        "webinars.templates.create",
        "POST",
        "/users/{userId}/webinar_templates",
        "Make a template of a webinar",
        media=JSON,
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("webinar:write:template", "webinar:write"),
    ),
)
