"""Zoom's reports, for administrators only.

https://developers.zoom.us/docs/api/meetings/#tag/reports
"""

from __future__ import annotations

from zoom_common.zoom.operations.model import EVERY_PAGE, SPAN, TOKEN_PAGES, Family, Parameter, RateLabel, ZoomScopes

REPORT = Family("zoom_api", "/v2/report/{proxy+}", "reports", "Pro")
_CLASSIC = "report:read:admin"
_GROUP = Parameter("group_id")
_REGISTRANT = Parameter("include_fields", values=("registrant_id",))

REPORTS = (
    REPORT.operation(
        "reports.daily",
        "GET",
        "/report/daily",
        "Usage by day of one month",
        query=(Parameter("year", "integer"), Parameter("month", "integer"), _GROUP),
        success=200,
        label=RateLabel.HEAVY,
        scopes=ZoomScopes.of_administrators("report:read:daily_usage", _CLASSIC),
        notes="The last six months. Zoom's pages do not print the granular scope.",
    ),
    REPORT.operation(
        "reports.users",
        "GET",
        "/report/users",
        "Active or inactive hosts",
        query=(Parameter("type", values=("active", "inactive")), *SPAN, *EVERY_PAGE, _GROUP),
        success=200,
        label=RateLabel.HEAVY,
        scopes=ZoomScopes.of_administrators("report:read:list_users", _CLASSIC),
        items="users",
        monthly=True,
        notes="Over more than a month the counts of a host are added up.",
    ),
    REPORT.operation(
        "reports.user_meetings",
        "GET",
        "/report/users/{userId}/meetings",
        "A user's past meetings",
        query=(*SPAN, *TOKEN_PAGES, Parameter("type", values=("past", "pastOne", "pastJoined"))),
        success=200,
        label=RateLabel.HEAVY,
        scopes=ZoomScopes.of_administrators("report:read:user", _CLASSIC),
        items="meetings",
        monthly=True,
    ),
    REPORT.operation(
        "reports.meeting",
        "GET",
        "/report/meetings/{meetingId}",
        "One past meeting",
        success=200,
        label=RateLabel.HEAVY,
        scopes=ZoomScopes.of_administrators("report:read:meeting", _CLASSIC),
    ),
    REPORT.operation(
        "reports.meeting_participants",
        "GET",
        "/report/meetings/{meetingId}/participants",
        "Who was in a meeting",
        query=(*TOKEN_PAGES, _REGISTRANT),
        success=200,
        label=RateLabel.HEAVY,
        scopes=ZoomScopes.of_administrators("report:read:list_meeting_participants", _CLASSIC),
        items="participants",
        notes="Meetings of two people and more, a year back.",
    ),
    REPORT.operation(
        "reports.webinar",
        "GET",
        "/report/webinars/{webinarId}",
        "One past webinar",
        success=200,
        label=RateLabel.HEAVY,
        scopes=ZoomScopes.of_administrators("report:read:webinar", _CLASSIC),
        plan="Pro, with Webinar",
    ),
    REPORT.operation(
        "reports.webinar_participants",
        "GET",
        "/report/webinars/{webinarId}/participants",
        "Who was in a webinar",
        query=(*TOKEN_PAGES, _REGISTRANT),
        success=200,
        label=RateLabel.HEAVY,
        scopes=ZoomScopes.of_administrators("report:read:list_webinar_participants", _CLASSIC),
        items="participants",
        plan="Pro, with Webinar",
    ),
    REPORT.operation(
        "reports.cloud_recording",
        "GET",
        "/report/cloud_recording",
        "Use of cloud storage by day",
        query=(*SPAN, _GROUP),
        success=200,
        label=RateLabel.HEAVY,
        scopes=ZoomScopes.of_administrators("report:read:cloud_recording", _CLASSIC),
        items="cloud_recording_storage",
        monthly=True,
        notes="Zoom's pages do not print the granular scope.",
    ),
)
