"""Zoom's operations on the account's users.

https://developers.zoom.us/docs/api/users/#tag/users
"""

from __future__ import annotations

from zoom_common.zoom.operations.model import JSON, NEXT_PAGE_TOKEN, Family, Parameter, RateLabel, ZoomScopes

ALL = Family("zoom_api", "/v2/users", "users")
BY_ID = Family("zoom_api", "/v2/users/{proxy+}", "users")

_HANDS_OUT = "users:write"
_LOGIN_TYPE = Parameter(
    "login_type", "integer", values=("0", "1", "11", "21", "23", "24", "27", "97", "98", "99", "100", "101")
)
_OPTION = Parameter("option", values=("meeting_authentication", "recording_authentication", "meeting_security"))
_READ = ("user:read", "user:read:admin", "user:write", "user:write:admin")
_TRANSFERS = (
    *("transfer_meeting", "transfer_webinar", "transfer_recording", "transfer_whiteboard", "transfer_clipfiles"),
    *("transfer_notes", "transfer_visitors", "transfer_docs", "transfer_events"),
)

ROWS = (
    ALL.operation(
        "users.list",
        "GET",
        "/users",
        "List the account's users",
        query=(
            Parameter("status", values=("active", "inactive", "pending")),
            Parameter("page_size", "integer", minimum=1, maximum=2000),
            Parameter("role_id"),
            Parameter("page_number"),
            Parameter("include_fields", values=("custom_attributes", "host_key")),
            NEXT_PAGE_TOKEN,
            Parameter(
                "license",
                values=(
                    "zoom_workforce_management",
                    "zoom_compliance_management",
                    "zoom_compliance_manager_for_contact_center",
                ),
            ),
        ),
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of_administrators("user:read:list_users", *_READ),
        items="users",
        notes="Pending users have no id.",
    ),
    ALL.operation(
        "users.create",
        "POST",
        "/users",
        "Create a user",
        model="user.CreateUser",
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of_administrators("user:write:user", "user:write", "user:write:admin"),
        plan="Pro",
        notes="Zoom limits new users a day by plan. 409/1005: the e-mail address is in use.",
    ),
    BY_ID.operation(
        "users.zak",
        "GET",
        "/users/me/zak",
        "Get a token to start one's own meetings",
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("user:read:zak", only=("user_zak:read",)),
        gateway_scope=_HANDS_OUT,
        notes="Whoever holds the token is the host: the gateway asks for users:write.",
    ),
    BY_ID.operation(
        "users.get",
        "GET",
        "/users/{userId}",
        "Get a user",
        query=(_LOGIN_TYPE, Parameter("encrypted_email", "boolean"), Parameter("search_by_unique_id", "boolean")),
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("user:read:user", "user:read", "user:write", only=("user_profile", "user_info:read")),
    ),
    BY_ID.operation(
        "users.update",
        "PATCH",
        "/users/{userId}",
        "Update a user",
        query=(_LOGIN_TYPE, Parameter("remove_tsp_credentials", "boolean")),
        model="user.UpdateUser",
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("user:update:user", "user:write"),
    ),
    BY_ID.operation(
        "users.delete",
        "DELETE",
        "/users/{userId}",
        "Delete or disassociate a user",
        query=(
            Parameter("encrypted_email", "boolean"),
            Parameter("action", values=("disassociate", "delete")),
            Parameter("transfer_email"),
            *(Parameter(each, "boolean") for each in _TRANSFERS),
        ),
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("user:delete:user", "user:write"),
    ),
    BY_ID.operation(
        "users.status",
        "PUT",
        "/users/{userId}/status",
        "Activate or deactivate a user",
        model="user.UserStatus",
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("user:update:status", "user:write"),
    ),
    BY_ID.operation(
        "users.settings",
        "GET",
        "/users/{userId}/settings",
        "Get a user's settings",
        query=(_LOGIN_TYPE, _OPTION, Parameter("custom_query_fields")),
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("user:read:settings", "user:read", "user:write"),
    ),
    BY_ID.operation(
        "users.settings_update",
        "PATCH",
        "/users/{userId}/settings",
        "Update a user's settings",
        query=(_OPTION,),
        model="user.UserSettings",
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("user:update:settings", "user:write"),
    ),
    BY_ID.operation(
        "users.token",
        "GET",
        "/users/{userId}/token",
        "Get a token of a user: zak to start, onbehalf to join",
        query=(
            Parameter("type", values=("token", "zak", "onbehalf")),
            Parameter("ttl", "integer"),
            Parameter("meeting_id"),
        ),
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("user:read:token", "user:read", "user:write", only=("user_profile",)),
        gateway_scope=_HANDS_OUT,
        notes="Whoever holds the token acts as the user: the gateway asks for users:write.",
    ),
    BY_ID.operation(
        "users.email_check",
        "GET",
        "/users/email",
        "Say whether an e-mail address belongs to a Zoom user",
        query=(Parameter("email", required=True),),
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("user:read:email", "user:read", "user:write"),
    ),
    BY_ID.operation(
        "users.features",
        "POST",
        "/users/features",
        "Give a feature to several users or take it from them",
        media=JSON,
        required=("feature_type", "feature_value", "users"),
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of_administrators("user:write:feature", "user:write", "user:write:admin"),
    ),
    BY_ID.operation(
        "users.summary",
        "GET",
        "/users/summary",
        "Count the account's users by kind",
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of_administrators(
            "user:read:summary", "user:read", "user:read:admin", "user:write", "user:write:admin"
        ),
    ),
    BY_ID.operation(
        "users.vanity_name",
        "GET",
        "/users/vanity_name",
        "Say whether a personal link is in use",
        query=(Parameter("vanity_name", required=True),),
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("user:read:pm_room", "user:read", "user:write"),
    ),
    BY_ID.operation(
        "users.email_update",
        "PUT",
        "/users/{userId}/email",
        "Change a user's e-mail address",
        media=JSON,
        required=("email",),
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("user:update:email", "user:write"),
    ),
    BY_ID.operation(
        "users.password_update",
        "PUT",
        "/users/{userId}/password",
        "Set a user's password",
        media=JSON,
        required=("password",),
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("user:update:password", "user:write"),
    ),
    BY_ID.operation(
        "users.permissions",
        "GET",
        "/users/{userId}/permissions",
        "List what a user's role permits",
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("user:read:list_permissions", "user:read", "user:write", only=("user_profile",)),
    ),
    BY_ID.operation(
        "users.presence",
        "GET",
        "/users/{userId}/presence_status",
        "Get a user's presence",
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("user:read:presence_status", "user:read"),
    ),
    BY_ID.operation(
        "users.presence_update",
        "PUT",
        "/users/{userId}/presence_status",
        "Set a user's presence",
        media=JSON,
        required=("status",),
        label=RateLabel.MEDIUM,
        scopes=ZoomScopes.of("user:update:presence_status", "user:write"),
    ),
    BY_ID.operation(
        "users.token_delete",
        "DELETE",
        "/users/{userId}/token",
        "Sign a user out of single sign-on",
        label=RateLabel.LIGHT,
        scopes=ZoomScopes.of("user:delete:token", "user:write"),
    ),
)
