"""Zoom's operations on meetings and webinars that are over.

https://developers.zoom.us/docs/api/meetings/#tag/meetings
https://developers.zoom.us/docs/api/meetings/#tag/webinars
"""

from __future__ import annotations

from zoom_common.zoom.operations.model import FROM, OCCURRENCE_ID, TO, TOKEN_PAGES, Family, RateLabel, ZoomScopes

MEETINGS = Family("meetings", "/v2/past_meetings/{proxy+}", "meetings", "Pro")
WEBINARS = Family("webinars", "/v2/past_webinars/{proxy+}", "webinars", "Webinar")

ROWS = (
    MEETINGS.operation(
        "past_meetings.get",
        "GET",
        "/past_meetings/{meetingId}",
        "Get a past meeting",
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("meeting:read:past_meeting", "meeting:read"),
        notes="An id means its latest instance; a UUID one certain instance.",
    ),
    MEETINGS.operation(
        "past_meetings.instances",
        "GET",
        "/past_meetings/{meetingId}/instances",
        "List a meeting's past instances",
        query=(FROM, TO),
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("meeting:read:list_past_instances", "meeting:read"),
        plan="",
    ),
    MEETINGS.operation(
        "past_meetings.participants",
        "GET",
        "/past_meetings/{meetingId}/participants",
        "List who was in a past meeting",
        query=TOKEN_PAGES,
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("meeting:read:list_past_participants", "meeting:read"),
        items="participants",
        notes="Zoom leaves out meetings of one person unless the account shows them.",
    ),
    WEBINARS.operation(
        "past_webinars.instances",
        "GET",
        "/past_webinars/{webinarId}/instances",
        "List a webinar's past instances",
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("webinar:read:list_past_instances", "webinar:read"),
    ),
    WEBINARS.operation(
        "past_webinars.participants",
        "GET",
        "/past_webinars/{webinarId}/participants",
        "List who was in a past webinar",
        query=TOKEN_PAGES,
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("webinar:read:list_past_participants", "webinar:read"),
        items="participants",
    ),
    WEBINARS.operation(
        "past_webinars.absentees",
        "GET",
        "/past_webinars/{webinarId}/absentees",
        "List who registered and stayed away",
        query=(OCCURRENCE_ID, *TOKEN_PAGES),
        label=RateLabel.HEAVY,
        scopes=ZoomScopes.of("webinar:read:list_absentees", "webinar:read"),
        items="registrants",
    ),
    MEETINGS.operation(
        "past_meetings.polls",
        "GET",
        "/past_meetings/{meetingId}/polls",
        "Get the answers to a past meeting's polls",
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("meeting:read:list_poll_results", "meeting:read"),
    ),
    MEETINGS.operation(
        "past_meetings.qa",
        "GET",
        "/past_meetings/{meetingId}/qa",
        "Get the questions and answers of a past meeting",
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("meeting:read:past_qa", "meeting:read"),
    ),
    WEBINARS.operation(
        "past_webinars.polls",
        "GET",
        "/past_webinars/{webinarId}/polls",
        "Get the answers to a past webinar's polls",
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("webinar:read:list_past_polls", "webinar:read"),
    ),
    WEBINARS.operation(
        "past_webinars.qa",
        "GET",
        "/past_webinars/{webinarId}/qa",
        "Get the questions and answers of a past webinar",
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("webinar:read:past_qa", "webinar:read"),
    ),
)
