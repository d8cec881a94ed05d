"""Zoom's operations on how a webinar looks: name tags, virtual backgrounds, wallpaper.

https://developers.zoom.us/docs/api/meetings/#tag/webinars
"""

from __future__ import annotations

from zoom_common.zoom.operations.model import JSON, MULTIPART, Family, Parameter, RateLabel, ZoomScopes

BY_ID = Family("webinars", "/v2/webinars/{proxy+}", "webinars", "Webinar")

ROWS = (
    BY_ID.operation(
        "webinars.branding",
        "GET",
        "/webinars/{webinarId}/branding",
        "Get how a webinar looks",
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("webinar:read:branding", "webinar:read"),
    ),
    BY_ID.operation(
        "webinars.name_tags.create",
        "POST",
        "/webinars/{webinarId}/branding/name_tags",
        "Create a name tag for a webinar",
        media=JSON,
        required=("accent_color", "background_color", "name", "text_color"),
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("webinar:write:branding_name_tag", "webinar:write"),
    ),
    BY_ID.operation(
        "webinars.name_tags.update",
        "PATCH",
        "/webinars/{webinarId}/branding/name_tags/{nameTagId}",
        "Update a name tag of a webinar",
        media=JSON,
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("webinar:update:branding_name_tag", "webinar:write"),
    ),
    BY_ID.operation(
        "webinars.name_tags.delete",
        "DELETE",
        "/webinars/{webinarId}/branding/name_tags",
        "Delete name tags of a webinar",
        query=(Parameter("name_tag_ids"),),
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("webinar:delete:branding_name_tag", "webinar:write"),
    ),
    BY_ID.operation(
        "webinars.virtual_backgrounds.upload",
        "POST",
        "/webinars/{webinarId}/branding/virtual_backgrounds",
        "Upload a virtual background for a webinar",
        media=MULTIPART,
        required=("file",),
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("webinar:write:branding_virtual_background", "webinar:write"),
    ),
    BY_ID.operation(
        "webinars.virtual_backgrounds.default",
        "PATCH",
        "/webinars/{webinarId}/branding/virtual_backgrounds",
        "Choose the panelists' virtual background",
        query=(Parameter("id"), Parameter("set_default_for_all_panelists", "boolean")),
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("webinar:update:branding_virtual_background", "webinar:write"),
    ),
    BY_ID.operation(
        "webinars.virtual_backgrounds.delete",
        "DELETE",
        "/webinars/{webinarId}/branding/virtual_backgrounds",
        "Delete virtual backgrounds of a webinar",
        query=(Parameter("ids"),),
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("webinar:delete:branding_virtual_background", "webinar:write"),
    ),
    BY_ID.operation(
        "webinars.wallpaper_upload",
        "POST",
        "/webinars/{webinarId}/branding/wallpaper",
        "Upload a webinar's wallpaper",
        media=MULTIPART,
        required=("file",),
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("webinar:write:branding_wallpaper", "webinar:write"),
    ),
    BY_ID.operation(
        "webinars.wallpaper_delete",
        "DELETE",
        "/webinars/{webinarId}/branding/wallpaper",
        "Delete a webinar's wallpaper",
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("webinar:delete:branding_wallpaper", "webinar:write"),
    ),
)
