"""The API's headers: those that a caller may send with a request, and those of every answer."""

from __future__ import annotations

from typing import Any

from zoom_common.access.principal import CONNECTION_ID
from zoom_common.zoom.operations.model import Operation

type Json = dict[str, Any]

PARAMETERS: dict[str, Json] = {
    "Connection": {
        "name": "X-Zoom-Connection",
        "in": "header",
        "description": "The connection to use, for a caller with several.",
        "schema": {"type": "string", "pattern": f"^{CONNECTION_ID.pattern}$"},
    },
    "Priority": {
        "name": "X-Zoom-Priority",
        "in": "header",
        "description": "`interactive` when a person waits. Such calls may use the reserved part of the rate budget.",
        "schema": {"type": "string", "enum": ["interactive"]},
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "A repetition with the same key gets the first answer, and makes nothing twice.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "description": "The `ETag` of a stored answer. The answer is 304 while nothing has changed.",
        "schema": {"type": "string", "pattern": "^[!-~]+$"},
    },
}

_NUMBER: Json = {"type": "integer", "minimum": 0}
_TEXT: Json = {"type": "string"}
_EVERY: dict[str, tuple[str, Json]] = {
    "X-Request-Id": ("The gateway's id of the request, which is also in the log.", _TEXT),
    "X-Zoom-RateLimit-Category": ("The rate label that the call counts for.", _TEXT),
    "X-Zoom-Budget-Left": ("Calls of this label that could begin within the next second (or minute).", _NUMBER),
    "X-Zoom-Budget-Left-Today": ("What is left of the daily limit, if there is one.", _NUMBER),
    "X-Zoom-Budget": ("`local` while the shared budget cannot be reached.", {"const": "local"}),
    "X-Zoom-Waited-Ms": ("How long the gateway waited for send slots and before retries.", _NUMBER),
    "X-Zoom-Tries": ("The number of requests to Zoom, if more than one.", _NUMBER),
}
_OF_READS: dict[str, tuple[str, Json]] = {
    "ETag": ("For `If-None-Match`.", _TEXT),
    "X-Zoom-Cache": ("`hit` or `miss`, if reads are cached.", {"enum": ["hit", "miss"]}),
}
_OF_CREATES: dict[str, tuple[str, Json]] = {
    "Idempotency-Status": ("With an `Idempotency-Key`.", {"enum": ["made", "replayed", "adopted"]}),
}
_OF_PLANS: dict[str, tuple[str, Json]] = {
    "X-Gateway-Not-Applied": ("Members of the request that Zoom did not apply, separated by commas.", _TEXT),
}
_OF_NEW_PLANS: dict[str, tuple[str, Json]] = {
    "X-Gateway-Overlaps": ("Numbers of the host's meetings and webinars at the same time, separated by commas.", _TEXT),
}
_OF_REFUSALS: dict[str, tuple[str, Json]] = {
    "Retry-After": ("Seconds to wait.", _NUMBER),
    "X-Zoom-Limit": (
        "Which of Zoom's limits was reached.",
        {"enum": ["per_second", "concurrent", "daily", "per_user"]},
    ),
}

_NEW_PLANS = {"meetings.create", "webinars.create"}
_PLANS = {*_NEW_PLANS, "meetings.update", "webinars.update"}

HEADERS: Json = {
    name: {"description": meaning, "schema": schema}
    for name, (meaning, schema) in (_EVERY | _OF_READS | _OF_CREATES | _OF_PLANS | _OF_NEW_PLANS | _OF_REFUSALS).items()
}


def of_success(operation: Operation) -> Json:
    """Return the headers of a success."""
    names = [*_EVERY]
    names += _OF_READS if operation.method == "GET" else ()
    names += _OF_CREATES if operation.method == "POST" else ()
    names += _OF_PLANS if operation.name in _PLANS else ()
    names += _OF_NEW_PLANS if operation.name in _NEW_PLANS else ()
    return _referred(names)


def of_error(status: int) -> Json:
    """Return the headers of an error. Without a connection the rate budget is not known yet."""
    return _referred([*_EVERY, *(_OF_REFUSALS if status == 429 else ())])  # noqa: PLR2004 - HTTP's own number


def _referred(names: list[str]) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
