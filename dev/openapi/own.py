"""The gateway's own paths besides Zoom's, for programs.

Pages for browsers, and Zoom's own requests, are not part of it.
"""

from __future__ import annotations

from typing import Any

from dev.openapi.answers import response
from zoom_common.access.token_endpoint import GRANTS
from zoom_common.archive.policy import KINDS, STORAGE_CLASSES
from zoom_common.connections.labels import LONGEST

type Json = dict[str, Any]

_OBJECT: Json = {"content": {"application/json": {"schema": {"type": "object", "additionalProperties": True}}}}
_ERRORS: Json = {
    "400": response("BadRequest"),
    "401": response("Unauthorized"),
    "403": response("Forbidden"),
    "404": response("NotFound"),
    "405": response("MethodNotAllowed"),
    "409": response("Conflict"),
    "429": response("TooManyRequests"),
    "500": response("InternalError"),
    "502": response("BadGateway"),
    "503": response("Unavailable"),
}


def _in_path(name: str) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _in_query(name: str, description: str, **schema: str) -> Json:
    return {"name": name, "in": "query", "description": description, "schema": {"type": "string", **schema}}


_ID = _in_path("connectionId")


_LOG_PARAMETERS = {
    "type": "Zoom's names of events, separated by commas or repeated; a star at the end selects all that begin so.",
    "meeting": "The number of a meeting or webinar.",
    "uuid": "The UUID of an instance.",
    "connection": "The id of the connection that received the event.",
    "from": "The start of the period: by receipt, or with order=asc by when events became visible.",
    "to": "The end of the period, not included.",
    "order": "desc for newest first, or asc for the order in which events became visible.",
    "after": "The cursor from `after` of the answer before. It implies order=asc.",
    "page_size": "1 to 300; 30 when it is absent.",
    "next_page_token": "From the answer before.",
}


_ARCHIVE_PARAMETERS = {
    "from": "The earliest start of a recording.",
    "to": "The latest start of a recording.",
    "host": "The host's Zoom user id or e-mail address.",
    "meeting": "The number of a meeting or webinar.",
    "topic": "A part of the topic.",
    "state": "pending, moving, kept, doubtful or failed.",
    "uuid": "The UUID of an instance.",
    "page_size": "1 to 300; 30 when it is absent.",
    "next_page_token": "From the answer before.",
}


def _operation(name: str, summary: str, status: int, *, scope: str | None, **more: Any) -> Json:
    done: Json = {"description": "Done."} if status == 204 else {"description": "The answer.", **_OBJECT}  # noqa: PLR2004
    about: Json = {"operationId": name, "summary": summary, "tags": ["Gateway"], **more}
    about["responses"] = {str(status): done, **_ERRORS}
    access: Json = {"x-gateway-scope": scope} if scope else {"security": []}
    return about | access


def _with(operation: Json, status: str, answer: Json) -> Json:
    return {**operation, "responses": {status: answer, **operation["responses"]}}


def _body(*, required: bool, **properties: Json) -> Json:
    schema: Json = {"type": "object", "properties": properties, "additionalProperties": True}
    return {"required": required, "content": {"application/json": {"schema": schema}}}


_TOKEN_FORM: Json = {
    "type": "object",
    "required": ["grant_type"],
    "properties": {
        "grant_type": {"enum": sorted(GRANTS)},
        "account_id": {"type": "string", "description": "Any text, or the id of a connection to use."},
        "client_id": {"type": "string", "description": "The key's id, if it is not sent with HTTP Basic."},
        "client_secret": {"type": "string", "description": "The key's secret, or the whole key."},
    },
}

_LABEL: Json = {
    "type": "string",
    "maxLength": LONGEST,
    "description": "The display name of the connection, without whole e-mail addresses.",
}

_SUBSCRIPTION_FIELDS: Json = {
    "url": {"type": "string", "description": "The https URL, on port 443, to which events are sent. Or name a queue."},
    "queue": {
        "type": "string",
        "description": "The URL of a standard SQS queue to which this stack's role may send.",
    },
    "types": {
        "type": "array",
        "items": {"type": "string"},
        "description": "Zoom's names of events. A star at the end matches any rest.",
    },
    "filters": {
        "type": "object",
        "additionalProperties": True,
        "description": "meeting, host and connection: an id or a list of ids each. kind: meeting or webinar.",
    },
    "payload": {"enum": ["full", "thin"], "description": "thin: events have a dataref instead of data."},
    "rate": {"type": ["integer", "null"], "description": "The most deliveries per second."},
    "ordered": {"type": "boolean", "description": "Whether events of one instance of a meeting are sent in order."},
    "description": {"type": "string"},
}


def _about_subscription(name: str, summary: str, status: int, scope: str = "subscriptions:write", **more: Any) -> Json:
    return _operation(f"subscriptions.{name}", summary, status, scope=scope, **more)


def _subscription_path(operations: Json) -> Json:
    return {"parameters": [_in_path("subscriptionId")], **operations}


SUBSCRIPTIONS: Json = {
    "/subscriptions": {
        "get": _about_subscription("list", "List subscriptions", 200, "subscriptions:read"),
        "post": _about_subscription(
            "create",
            "Subscribe a URL or queue to events",
            201,
            requestBody=_body(required=True, **_SUBSCRIPTION_FIELDS),
        ),
    },
    "/subscriptions/{subscriptionId}": _subscription_path(
        {
            "get": _about_subscription("get", "Get a subscription with its health", 200, "subscriptions:read"),
            "patch": _about_subscription(
                "update",
                "Change a subscription, pause or resume it",
                200,
                requestBody=_body(required=True, **_SUBSCRIPTION_FIELDS, state={"enum": ["active", "paused"]}),
            ),
            "delete": _about_subscription("delete", "Delete a subscription", 204),
        }
    ),
    "/subscriptions/{subscriptionId}/deliveries": _subscription_path(
        {
            "get": _about_subscription(
                "deliveries",
                "List deliveries with their attempts",
                200,
                "subscriptions:read",
                parameters=[
                    _in_query("status", "Only deliveries with this status: delivered, retrying or failed."),
                    _in_query("page_size", "1 to 300; 30 when it is absent."),
                    _in_query("next_page_token", "From the answer before."),
                ],
            )
        }
    ),
    "/subscriptions/{subscriptionId}/redeliver": _subscription_path(
        {
            "post": _about_subscription(
                "redeliver",
                "Send again: one event, all that failed, or those of a period",
                202,
                requestBody=_body(
                    required=True,
                    id={"type": "string", "description": "One event."},
                    failed={"type": "boolean", "description": "true for all that failed, page by page."},
                    **{name: {"type": "string"} for name in ("from", "to", "type", "meeting", "next_page_token")},
                ),
            )
        }
    ),
    **{
        f"/subscriptions/{{subscriptionId}}/{name}": _subscription_path(
            {"post": {**_about_subscription(name, summary, status), **more}}
        )
        for name, summary, status, more in (
            ("pause", "Pause a subscription", 200, {}),
            ("resume", "Resume a subscription, beginning with the events it missed", 200, {}),
            ("verify", "Challenge the target of a pending subscription again", 202, {}),
            ("test", "Send a test event", 202, {}),
            (
                "rotate",
                "Make a new secret; the former one stays valid for some hours",
                200,
                {"requestBody": _body(required=False, overlap_hours={"type": "integer"})},
            ),
        )
    },
}

_DAYS = _in_query("days", "1 to 31 days, today included; 7 when it is absent.")
_PAGES = [
    _in_query("page_size", "1 to 300; 30 when it is absent."),
    _in_query("next_page_token", "From the answer before."),
]
_MESSAGES: Json = {
    "ids": {"type": "array", "items": {"type": "string"}, "description": "Ids of messages from the list."},
    "all": {"type": "boolean", "description": "true for all messages, 200 at a time."},
}


def _looked_at(name: str, summary: str, *parameters: Json) -> Json:
    more = {"parameters": list(parameters)} if parameters else {}
    return {"get": _operation(f"operator.{name}", summary, 200, scope="operator:read", **more)}


def _done_by_operators(method: str, name: str, summary: str, parameter: str, **body: Json) -> Json:
    more = {"requestBody": _body(required=True, **body)} if body else {}
    done = _operation(f"operator.{name}", summary, 200, scope="operator:write", **more)
    return {"parameters": [_in_path(parameter)], method: done}


OPERATOR: Json = {
    "/operator/connections": _looked_at(
        "connections",
        "List the stack's connections by state, with what to do",
        _in_query("state", "Only those in this state."),
        *_PAGES,
    ),
    "/operator/calls": _looked_at("calls", "Get calls by day and outcome, and what is left of daily limits", _DAYS),
    "/operator/events": _looked_at("events", "Get events by type, duplicates, and deliveries by outcome", _DAYS),
    "/operator/refreshes": _looked_at("refreshes", "Get refreshes by day and outcome, and what fails now", _DAYS),
    "/operator/webhooks": _looked_at("webhooks", "Get the state of Zoom's deliveries by Zoom app"),
    "/operator/keys": _looked_at("keys", "List the API keys of all tenants, and counts by day", _DAYS, *_PAGES),
    "/operator/keys/{keyId}": _done_by_operators(
        "patch",
        "limit_key",
        "Set the rate limit of a key; null means the gateway's default",
        "keyId",
        requests_per_minute={"type": ["integer", "null"], "minimum": 1},
    ),
    "/operator/keys/{keyId}/revoke": _done_by_operators("post", "revoke_key", "Revoke a key", "keyId"),
    "/operator/dead-letters": _looked_at("dead_letter_queues", "List dead-letter queues with their number of messages"),
    "/operator/dead-letters/{queue}": {
        "parameters": [_in_path("queue")],
        **_looked_at("dead_letters", "List messages of a dead-letter queue: ids, types and times"),
    },
    "/operator/dead-letters/{queue}/redrive": _done_by_operators(
        "post", "redrive", "Move messages back to the queue they came from", "queue", **_MESSAGES
    ),
    "/operator/dead-letters/{queue}/discard": _done_by_operators(
        "post",
        "discard",
        "Delete messages of a dead-letter queue",
        "queue",
        **_MESSAGES,
        reason={"type": "string", "maxLength": 200, "description": "The reason, which is logged."},
    ),
}

PATHS: Json = {
    "/oauth/token": {
        "post": {
            **_operation("token", "Exchange key id and secret for a bearer of an hour, as at Zoom", 200, scope=None),
            "requestBody": {
                "required": True,
                "content": {"application/x-www-form-urlencoded": {"schema": _TOKEN_FORM}},
            },
        }
    },
    "/connections": {
        "get": _operation("connections.list", "List the connected Zoom accounts", 200, scope="connections:read"),
        "post": _with(
            _operation(
                "connections.create",
                "Connect a whole Zoom account with its Server-to-Server app",
                201,
                scope="connections:write",
                requestBody=_body(
                    required=True,
                    account_id={"type": "string"},
                    client_id={"type": "string"},
                    client_secret={"type": "string"},
                    label=_LABEL,
                ),
            ),
            "200",
            {"description": "The credentials of an existing connection are replaced.", **_OBJECT},
        ),
    },
    "/connections/{connectionId}": {
        "parameters": [_ID],
        "get": _operation("connections.get", "Get one connection", 200, scope="connections:read"),
        "patch": _operation(
            "connections.rename",
            "Set the label of a connection; null removes it",
            200,
            scope="connections:write",
            requestBody=_body(required=True, label={**_LABEL, "type": ["string", "null"]}),
        ),
        "delete": _operation(
            "connections.delete", "Revoke a grant at Zoom and delete the connection", 200, scope="connections:write"
        ),
    },
    "/connections/{connectionId}/reconnect": {
        "parameters": [_ID],
        "post": _operation(
            "connections.reconnect",
            "Get a link by which a person consents again",
            201,
            scope="connections:write",
            requestBody=_body(required=False, return_url={"type": "string"}, label=_LABEL),
        ),
    },
    **SUBSCRIPTIONS,
    "/archive/policy": {
        "parameters": [_in_query("connection", "A connection with its own policy. Without it, the tenant's.")],
        "get": _operation("archive.policy", "Get the archive's policy", 200, scope="archive:read"),
        "put": _operation(
            "archive.set_policy",
            "Set the archive's policy; an empty object turns the archive on",
            200,
            scope="archive:write",
            requestBody=_body(
                required=False,
                enabled={"type": "boolean"},
                kinds={"type": "array", "items": {"enum": list(KINDS)}},
                key_template={"type": "string"},
                storage_class={"enum": list(STORAGE_CLASSES)},
                lifecycle={"type": ["object", "null"]},
                retention_days={"type": ["integer", "null"], "minimum": 1},
                at_zoom={"type": "object"},
            ),
        ),
        "delete": _operation(
            "archive.end_policy", "Delete a connection's own policy: the tenant's applies", 204, scope="archive:write"
        ),
    },
    "/archive/recordings": {
        "get": _operation(
            "archive.recordings",
            "List the recordings in the archive, newest first",
            200,
            scope="archive:read",
            parameters=[_in_query(name, text) for name, text in _ARCHIVE_PARAMETERS.items()],
        )
    },
    "/archive/recordings/{recordingId}": {
        "parameters": [_in_path("recordingId")],
        "get": _operation(
            "archive.recording", "Get one recording, with links that expire in five minutes", 200, scope="archive:read"
        ),
        "delete": _operation("archive.delete", "Delete the copy in the archive", 204, scope="archive:write"),
    },
    "/archive/recordings/{recordingId}/retry": {
        "parameters": [_in_path("recordingId")],
        "post": _operation("archive.retry", "Retry the failed files of a recording", 202, scope="archive:write"),
    },
    "/archive/recordings/{recordingId}/transcript": {
        "parameters": [
            _in_path("recordingId"),
            _in_query("format", "text, vtt or json. Without it, the header Accept decides."),
            _in_query("file", "The id of a transcript, if there are several."),
        ],
        "get": _operation("archive.transcript", "Get the transcript, with speakers", 200, scope="archive:read"),
    },
    "/archive/recordings/{recordingId}/chat": {
        "parameters": [_in_path("recordingId")],
        "get": _operation("archive.chat", "Get the messages of the chat", 200, scope="archive:read"),
    },
    "/jobs": {
        "get": _operation(
            "jobs.list",
            "List jobs, newest first",
            200,
            scope="jobs:read",
            parameters=[
                _in_query("page_size", "1 to 300; 30 when it is absent."),
                _in_query("next_page_token", "From the answer before."),
            ],
        ),
        "post": _operation(
            "jobs.create",
            "Run an operation over many rows",
            202,
            scope="jobs:write",
            requestBody=_body(
                required=True,
                operation={"type": "string", "description": "Such as meetings.create, or registrants.sync."},
                rows={"type": "array", "items": {"type": "object"}, "minItems": 1, "maxItems": 1000},
                file={"type": "object", "description": "Instead of rows: the answer has an upload address."},
                connection={"description": "The id of a connection, or the column with the id for each row."},
                mapping={"type": "object", "description": "columns, defaults and locale."},
                dry_run={"type": "boolean", "description": "true to check every row and change nothing."},
                duplicates={"enum": ["refuse", "keep"]},
            ),
        ),
    },
    "/jobs/{jobId}": {
        "parameters": [_in_path("jobId")],
        "get": _operation("jobs.get", "Get a job's state, progress and forecast", 200, scope="jobs:read"),
    },
    "/jobs/{jobId}/pause": {
        "parameters": [_in_path("jobId")],
        "post": _operation("jobs.pause", "Stop a job until it is resumed", 200, scope="jobs:write"),
    },
    "/jobs/{jobId}/resume": {
        "parameters": [_in_path("jobId")],
        "post": _operation("jobs.resume", "Resume a paused job", 200, scope="jobs:write"),
    },
    "/jobs/{jobId}/cancel": {
        "parameters": [_in_path("jobId")],
        "post": _operation("jobs.cancel", "Cancel a job; what it has made stays", 200, scope="jobs:write"),
    },
    "/jobs/{jobId}/results": {
        "parameters": [_in_path("jobId")],
        "get": _with(
            _operation(
                "jobs.results",
                "Get the results so far, in the order of the input",
                303,
                scope="jobs:read",
                parameters=[_in_query("format", "csv, or jsonl for JSON lines.")],
            ),
            "200",
            {"description": "The file.", "content": {"text/csv": {}, "application/x-ndjson": {}}},
        ),
    },
    "/jobs/{jobId}/undo": {
        "parameters": [_in_path("jobId")],
        "get": _operation("jobs.undo", "Get the job that undoes this one", 200, scope="jobs:read"),
    },
    "/erasures": {
        "get": _operation("erasures.list", "List the receipts of erasures", 200, scope="erasures:read"),
        "post": _with(
            _operation(
                "erasures.create",
                "Erase everything that is stored about a person or the whole tenant",
                202,
                scope="erasures:write",
                requestBody=_body(
                    required=True,
                    zoom_user_id={
                        "type": "string",
                        "pattern": "^[A-Za-z0-9_-]{16,64}$",
                        "description": "The person, by Zoom user id.",
                    },
                    email={
                        "type": "string",
                        "description": "The person's whole e-mail address. With an id, both are looked for.",
                    },
                    tenant={"type": "string", "description": "Your own tenant, to erase all of it. No other field."},
                    dry_run={
                        "type": "boolean",
                        "description": "true to count what would be deleted and change nothing.",
                    },
                ),
            ),
            "200",
            {"description": "What would be deleted, with `dry_run: true`.", **_OBJECT},
        ),
    },
    "/erasures/{erasureId}": {
        "parameters": [_in_path("erasureId")],
        "get": _operation("erasures.get", "Get the receipt of one erasure", 200, scope="erasures:read"),
    },
    "/auth/zoom/authorize": {
        "post": _operation(
            "connections.authorize",
            "Get a link for a person to connect Zoom",
            201,
            scope="connections:write",
            requestBody=_body(required=False, return_url={"type": "string"}, owner={"type": "string"}, label=_LABEL),
        )
    },
    "/auth/zoom/redeem": {
        "post": _operation(
            "connections.redeem",
            "Redeem a one-time code: the new connection starts to work",
            200,
            scope="connections:write",
            requestBody=_body(required=True, code={"type": "string"}, owner={"type": "string"}),
        )
    },
    "/events": {
        "get": _operation(
            "events.list",
            "Read the log of events, newest first or forwards from a cursor",
            200,
            scope="events:read",
            parameters=[_in_query(name, about) for name, about in _LOG_PARAMETERS.items()],
        ),
    },
    "/events/{eventId}": {
        "parameters": [_in_path("eventId")],
        "get": _operation("events.get", "Get one event as it was published", 200, scope="events:read"),
    },
    "/events/{eventId}/replay": {
        "parameters": [_in_path("eventId")],
        "post": _operation("events.replay", "Publish one event again", 202, scope="events:write"),
    },
    "/events/replay": {
        "post": _operation(
            "events.replay_range",
            "Publish a period of the log again",
            202,
            scope="events:write",
            requestBody=_body(required=True, **{"from": {"type": "string", "format": "date-time"}}),
        )
    },
    "/meetings/{number}/state": {
        "parameters": [_in_path("number")],
        "get": _operation(
            "state.meeting", "Get a meeting, whether it runs, and who is present", 200, scope="events:read"
        ),
    },
    "/meetings/{number}/attendance": {
        "parameters": [_in_path("number")],
        "get": _operation(
            "state.attendance",
            "Get who was present and for how long",
            200,
            scope="events:read",
            parameters=[
                _in_query("occurrence", "The planned start of the occurrence.", format="date-time"),
                _in_query("uuid", "One instance. Without it, the last one."),
                _in_query("present_from", "The share of the held time that counts as present, 0 to 1.", type="number"),
            ],
        ),
    },
    "/meetings/{number}/attendance/matrix": {
        "parameters": [_in_path("number")],
        "get": _operation(
            "state.matrix",
            "Get who was in which occurrence of a series",
            200,
            scope="events:read",
            parameters=[
                _in_query("from", "The start of the period of planned occurrences.", format="date-time"),
                _in_query("to", "The end of the period, not included. Without it, now.", format="date-time"),
                _in_query("present_from", "The share of the held time that counts as present, 0 to 1.", type="number"),
            ],
        ),
    },
    "/meetings/{number}/registrations": {
        "parameters": [_in_path("number")],
        "get": _operation("state.registrations", "List the registrants of a meeting", 200, scope="events:read"),
    },
    "/meetings/{number}/recordings": {
        "parameters": [_in_path("number")],
        "get": _operation("state.recordings", "List the recordings of a meeting", 200, scope="events:read"),
    },
    "/users/{user}": {
        "parameters": [_in_path("user")],
        "get": _operation("state.user", "Get a user as events reported them", 200, scope="events:read"),
    },
    "/webhooks": {
        "get": _operation(
            "webhooks.list", "Get whether Zoom's deliveries arrive, by connection", 200, scope="connections:read"
        ),
    },
    "/meetings/{meetingId}/sdk-signature": {
        "parameters": [_in_path("meetingId")],
        "post": _operation("sdk.signature", "Get what a browser needs to join", 200, scope="meetings:read"),
    },
    "/health": {"get": _operation("health", "Check that the function runs", 200, scope=None)},
    "/health/deep": {
        "get": _operation("health.deep", "Check everything that the gateway depends on", 200, scope="health:read"),
    },
    **OPERATOR,
    "/usage": {"get": _operation("usage", "Get calls and quota by day", 200, scope="usage:read")},
    "/openapi.json": {"get": _operation("openapi", "Get the whole API as OpenAPI", 200, scope=None)},
    "/openapi/{document}": {
        "parameters": [_in_path("document")],
        "get": _operation("openapi.family", "Get one family as OpenAPI, such as users.json", 200, scope=None),
    },
}
