"""Zoom's operations on webinars.

https://developers.zoom.us/docs/api/meetings/#tag/webinars
"""

from __future__ import annotations

from zoom_common.zoom.models.webinar import CreateWebinar, UpdateWebinar
from zoom_common.zoom.operations.model import Operation, RateLabel, ZoomScopes
from zoom_common.zoom.operations.parameters import (
    OCCURRENCE_ID,
    PAGE_NUMBER,
    PAGE_SIZE,
    SHOW_PREVIOUS_OCCURRENCES,
    Parameter,
)

OF_USER = "/v2/users/{userId}/webinars"
BY_ID = "/v2/webinars/{proxy+}"

WEBINARS = (
    Operation(
        name="webinars.list",
        method="GET",
        path="/users/{userId}/webinars",
        function="webinars",
        route=OF_USER,
        query=(
            Parameter("type", values=("scheduled", "upcoming")),
            PAGE_SIZE,
            PAGE_NUMBER,
            Parameter("include_events_webinar", "boolean"),
        ),
        success=200,
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("webinar:read:list_webinars", "webinar:read"),
        gateway_scope="webinars:read",
        safe_to_retry=True,
    ),
    Operation(
        name="webinars.create",
        method="POST",
        path="/users/{userId}/webinars",
        function="webinars",
        route=OF_USER,
        body=CreateWebinar,
        success=201,
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("webinar:write:webinar", "webinar:write"),
        gateway_scope="webinars:write",
        safe_to_retry=False,
        counts_for_user=True,
    ),
    Operation(
        name="webinars.get",
        method="GET",
        path="/webinars/{webinarId}",
        function="webinars",
        route=BY_ID,
        query=(OCCURRENCE_ID, SHOW_PREVIOUS_OCCURRENCES),
        success=200,
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("webinar:read:webinar", "webinar:read"),
        gateway_scope="webinars:read",
        safe_to_retry=True,
    ),
    Operation(
        name="webinars.update",
        method="PATCH",
        path="/webinars/{webinarId}",
        function="webinars",
        route=BY_ID,
        query=(OCCURRENCE_ID,),
        body=UpdateWebinar,
        success=204,
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("webinar:update:webinar", "webinar:write"),
        gateway_scope="webinars:write",
        safe_to_retry=False,
        counts_for_user=True,
    ),
    Operation(
        name="webinars.delete",
        method="DELETE",
        path="/webinars/{webinarId}",
        function="webinars",
        route=BY_ID,
        query=(OCCURRENCE_ID, Parameter("cancel_webinar_reminder", "boolean")),
        success=204,
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("webinar:delete:webinar", "webinar:write"),
        gateway_scope="webinars:write",
        safe_to_retry=False,
    ),
)
