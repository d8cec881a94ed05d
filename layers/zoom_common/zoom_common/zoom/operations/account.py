"""Zoom's operations on the account as a whole: divisions, tracking fields, its telephone provider.

https://developers.zoom.us/docs/api/users/#tag/divisions
https://developers.zoom.us/docs/api/meetings/#tag/tracking-field
https://developers.zoom.us/docs/api/meetings/#tag/tsp
"""

from __future__ import annotations

from zoom_common.zoom.operations.model import JSON, TOKEN_PAGES, Family, RateLabel, ZoomScopes

ALL = Family("zoom_api", "/v2/{proxy+}", "account")
TRACKING_FIELDS = Family("zoom_api", "/v2/{proxy+}", "account", "Business or Education")
TSP = Family("zoom_api", "/v2/{proxy+}", "account", "Pro")

ROWS = (
    ALL.operation(
        "divisions.list",
        "GET",
        "/divisions",
        "List the account's divisions",
        query=TOKEN_PAGES,
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of_administrators("division:read:list_divisions", "division:read:admin"),
        items="divisions",
    ),
    ALL.operation(
        "divisions.create",
        "POST",
        "/divisions",
        "Create a division",
        media=JSON,
        required=("division_name",),
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of_administrators("division:write:division", "division:wirte:admin", "division:write:admin"),
    ),
    ALL.operation(
        "divisions.get",
        "GET",
        "/divisions/{divisionId}",
        "Get a division",
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of_administrators(
            "division:read:division", "division:read:admin", "division:wirte:admin", "division:write:admin"
        ),
    ),
    ALL.operation(
        "divisions.update",
        "PATCH",
        "/divisions/{divisionId}",
        "Update a division",
        media=JSON,
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of_administrators("division:update:division", "division:wirte:admin", "division:write:admin"),
    ),
    ALL.operation(
        "divisions.delete",
        "DELETE",
        "/divisions/{divisionId}",
        "Delete a division",
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of_administrators("division:delete:division", "division:wirte:admin", "division:write:admin"),
    ),
    ALL.operation(
        "divisions.members.list",
        "GET",
        "/divisions/{divisionId}/users",
        "List a division's users",
        query=TOKEN_PAGES,
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of_administrators("division:read:member", "division:read:admin"),
        items="users",
    ),
    ALL.operation(
        "divisions.members.add",
        "POST",
        "/divisions/{divisionId}/users",
        "Put users into a division",
        media=JSON,
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of_administrators("division:write:member", "division:wirte:admin", "division:write:admin"),
    ),
    TRACKING_FIELDS.operation(
        "tracking_fields.list",
        "GET",
        "/tracking_fields",
        "List the account's tracking fields",
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of_administrators("tracking_field:read:list_tracking_fields", "tracking_fields:read:admin"),
    ),
    TRACKING_FIELDS.operation(
        "tracking_fields.create",
        "POST",
        "/tracking_fields",
        "Create a tracking field",
        media=JSON,
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of_administrators("tracking_field:write:tracking_field", "tracking_fields:write:admin"),
    ),
    TRACKING_FIELDS.operation(
        "tracking_fields.get",
        "GET",
        "/tracking_fields/{fieldId}",
        "Get a tracking field",
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of_administrators("tracking_field:read:tracking_field", "tracking_fields:read:admin"),
    ),
    TRACKING_FIELDS.operation(
        "tracking_fields.update",
        "PATCH",
        "/tracking_fields/{fieldId}",
        "Update a tracking field",
        media=JSON,
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of_administrators("tracking_field:update:tracking_field", "tracking_fields:write:admin"),
    ),
    TRACKING_FIELDS.operation(
        "tracking_fields.delete",
        "DELETE",
        "/tracking_fields/{fieldId}",
        "Delete a tracking field",
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of_administrators("tracking_field:delete:tracking_field", "tracking_fields:write:admin"),
    ),
    TSP.operation(
        "tsp.get",
        "GET",
        "/tsp",
        "Get the account's telephone provider",
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of_administrators("tsp:read:tsp", "tsp:read:admin"),
    ),
    TSP.operation(
        "tsp.update",
        "PATCH",
        "/tsp",
        "Update the account's telephone provider",
        media=JSON,
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of_administrators("tsp:update:tsp", "tsp:write:admin"),
    ),
)
