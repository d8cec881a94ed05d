"""The answers of the API: successes, and the errors that any operation can end in."""

from __future__ import annotations

from typing import Any

from dev.openapi.headers import of_error, of_success
from zoom_common.zoom.operations.model import Operation

type Json = dict[str, Any]

_ERROR = {"$ref": "#/components/schemas/Error"}
_NO_CONTENT = 204

SCHEMAS: Json = {
    "Error": {
        "type": "object",
        "description": "Zoom's error body with the gateway's additional members.",
        "required": ["message"],
        "properties": {
            "code": {"type": "integer", "description": "Zoom's error code, or one of the gateway's in the same style."},
            "message": {
                "type": "string",
                "description": "A text for people. Zoom's are localised: do not compare them.",
            },
            "errors": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
                },
            },
            "reason": {"type": "string", "description": "The gateway's fixed word for the error, for programs."},
            "request_id": {"type": "string", "description": "The id of the request in the log."},
            "hint": {"type": "string", "description": "What to do about it."},
            "missing_scopes": {
                "type": "array",
                "items": {"type": "string"},
                "description": "With code 4711: any one of these scopes is enough.",
            },
            "reconnect_url": {"type": "string", "description": "Where the person can consent again."},
            "connect_path": {
                "type": "string",
                "description": "With `no_connection`: POST to this path returns a link by which a person connects.",
            },
            "connections": {
                "type": "array",
                "items": {"type": "string"},
                "description": "With `connection_ambiguous`: the ids to choose from.",
            },
            "labels": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "description": "With `connection_ambiguous`: the labels of those that have one, by id.",
            },
            "zoom_client_id": {
                "type": "string",
                "description": "With `connection_of_another_app`: the Zoom app that the connection was made with.",
            },
        },
        "additionalProperties": True,
    },
    "ZoomAnswer": {
        "type": "object",
        "description": "Zoom's answer, byte for byte. https://developers.zoom.us/docs/api/",
        "additionalProperties": True,
    },
    "Participants": {
        "type": "object",
        "required": ["source", "settled", "participants", "next_page_token"],
        "properties": {
            "source": {
                "enum": ["live", "events", "report", "past_meetings"],
                "description": "Where the list is from: the events of a meeting that is on, those of one that was, or "
                "Zoom's report or list.",
            },
            "settled": {"type": "boolean", "description": "False: Zoom's own list is missing or not complete yet."},
            "meeting_id": {"type": "string"},
            "note": {"type": "string", "description": "What is not known about the participants, and why."},
            "instances_used": {"type": ["array", "null"], "items": {"type": "string"}},
            "participants": {"type": "array", "items": {"type": "object", "additionalProperties": True}},
            "page_size": {"type": "integer"},
            "total_records": {"type": "integer"},
            "next_page_token": {"type": "string"},
        },
        "additionalProperties": True,
    },
}

_MEANINGS = {
    "NotModified": "The answer has not changed (`If-None-Match`).",
    "BadRequest": "The gateway or Zoom refuses the request as invalid, or a Zoom scope is missing (4711).",
    "Unauthorized": "No usable credential (`reason` of the gateway), Zoom rejects the connection's token "
    "(`zoom_rejected_token`), or only this request with a token that works (`zoom_rejected_request`).",
    "Forbidden": "The key lacks a gateway scope, or Zoom does not permit it.",
    "NotFound": "It does not exist, or is not visible to this caller.",
    "MethodNotAllowed": "The path exists, the method does not.",
    "Conflict": "The caller has to decide first: which connection, a reconnect, an e-mail address that is in use.",
    "Unprocessable": "The `Idempotency-Key` was used for another request.",
    "TooManyRequests": "A rate limit, Zoom's or the gateway's. `Retry-After` is in seconds.",
    "InternalError": "A fault of the gateway's.",
    "BadGateway": "Zoom gave no answer. The change may have been made or not.",
    "Unavailable": "Zoom or a service of the gateway could not be reached. Nothing was changed.",
}
_STATUS = {
    "BadRequest": 400,
    "Unauthorized": 401,
    "Forbidden": 403,
    "NotFound": 404,
    "MethodNotAllowed": 405,
    "Conflict": 409,
    "TooManyRequests": 429,
    "InternalError": 500,
    "BadGateway": 502,
    "Unavailable": 503,
}

RESPONSES: Json = {
    name: {"description": meaning, "headers": of_error(_STATUS.get(name, 0))}
    | ({} if name == "NotModified" else {"content": {"application/json": {"schema": _ERROR}}})
    for name, meaning in _MEANINGS.items()
}


def success(operation: Operation) -> Json:
    """Return the answer to a request that Zoom carries out."""
    if operation.success == _NO_CONTENT:
        return {"description": "Done.", "headers": of_success(operation)}
    name = "Participants" if operation.own else "ZoomAnswer"
    return {
        "description": "Zoom's answer." if not operation.own else "The participants.",
        "headers": of_success(operation),
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}},
    }


def error_responses(operation: Operation) -> Json:
    """Return the other answers that an operation can have."""
    found = {str(status): response(name) for name, status in _STATUS.items()}
    if operation.method == "GET":
        found["304"] = response("NotModified")
    if operation.method == "POST":
        found["422"] = response("Unprocessable")
    return dict(sorted(found.items()))


def response(name: str) -> Json:
    """Return a reference to one of the shared answers."""
    return {"$ref": f"#/components/responses/{name}"}
