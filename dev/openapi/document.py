"""The OpenAPI 3.1 description of the API, one document for each family: Zoom's operations from the table, and ours.

`GET /openapi/{family}.json` serves one family, and `GET /openapi.json` all of them together.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pydantic.json_schema import models_json_schema

from dev.openapi.answers import RESPONSES, SCHEMAS, error_responses, success
from dev.openapi.bodies import member_schema
from dev.openapi.headers import HEADERS, PARAMETERS
from dev.openapi.own import PATHS
from zoom_common import __version__
from zoom_common.zoom.models.fields import ZoomModel
from zoom_common.zoom.operations.model import Operation, Parameter
from zoom_common.zoom.operations.table import operations

type Json = dict[str, Any]

_ABOUT = """A Zoom gateway in your own AWS account. Everything under `/v2` is Zoom's REST API v2 as Zoom documents
it: same paths, bodies, status codes and error codes. Errors carry `reason`, `request_id` and often `hint`
beside Zoom's `code` and `message`. Unknown members pass through in both directions.
"""
_REF = "#/components/schemas/{model}"
# A family is the part of a key's scope before the colon.
FAMILIES = {
    "users": "Users",
    "meetings": "Meetings",
    "webinars": "Webinars",
    "recordings": "Recordings",
    "reports": "Reports",
    "account": "Account",
}
GATEWAY = "gateway"
_ALL: Json = {
    "name": "all",
    "in": "query",
    "description": "Ours: walk all pages and answer one list, with a `next_page_token` to resume when time runs out.",
    "schema": {"type": "boolean"},
}


def family(operation: Operation) -> str:
    """Return the family of an operation."""
    return operation.gateway_scope.partition(":")[0]


def documents() -> dict[str, Json]:
    """Return the description of each family of Zoom's operations and of the gateway's own, by name."""
    rows: dict[str, list[Operation]] = {name: [] for name in FAMILIES}
    for each in operations():
        rows[family(each)].append(each)
    zooms = {name: _document(title, _zoom_paths(rows[name]), _bodies(rows[name])) for name, title in FAMILIES.items()}
    return {**zooms, GATEWAY: _document("Gateway", PATHS, {})}


def _document(tag: str, paths: Json, bodies: Json) -> Json:
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Integrato Zoom",
            "version": __version__,
            "summary": "Zoom's REST API through your own gateway.",
            "description": _ABOUT,
        },
        "servers": [{"url": "http://localhost:3000", "description": "make run"}],
        "security": [{"key": []}, {"signIn": []}],
        "tags": [{"name": tag}],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer", "description": "An API key, `zk_<id>_<secret>`."},
                "signIn": {
                    "type": "oauth2",
                    "description": "Key id and secret as client id and secret.",
                    "flows": {"clientCredentials": {"tokenUrl": "/oauth/token", "scopes": {}}},
                },
            },
            "parameters": PARAMETERS,
            "headers": HEADERS,
            "schemas": {**bodies, **SCHEMAS},
            "responses": RESPONSES,
        },
    }


def _zoom_paths(rows: Iterable[Operation]) -> Json:
    paths: Json = {}
    for each in rows:
        paths.setdefault(f"/v2{each.path}", {})[each.method.lower()] = _operation(each)
    return paths


def _operation(operation: Operation) -> Json:
    about: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [FAMILIES[family(operation)]],
        "description": _description(operation),
        "parameters": list(_parameters(operation)),
    }
    if operation.media:
        body = operation.body
        schema = member_schema(operation) if body is None else {"$ref": _REF.format(model=body.__name__)}
        about["requestBody"] = {"content": {operation.media: {"schema": schema}}}
    about["responses"] = {str(operation.success): success(operation), **error_responses(operation)}
    about |= {
        "x-gateway-scope": operation.gateway_scope,
        "x-rate-limit-label": str(operation.label),
        "x-zoom-scopes": list(operation.scopes.granular),
        "x-zoom-classic-scopes": list(operation.scopes.classic),
    }
    return about | ({"x-zoom-plan": operation.plan} if operation.plan else {})


def _description(operation: Operation) -> str:
    lines = [operation.notes] if operation.notes else []
    if operation.scopes.administrators_only:
        lines.append("For administrators of the Zoom account only.")
    if operation.monthly or operation.weekly:
        piece = "week" if operation.weekly else "month"
        lines.append(
            f"`from` and `to` may be further apart than the {piece} that Zoom accepts: the gateway splits the period."
        )
    kind = "scope" if operation.scopes.granular else "scope (classic apps only)"
    scopes = " or ".join(f"`{scope}`" for scope in operation.scopes.granular or operation.scopes.classic)
    lines.append(f"Zoom {kind}: {scopes}. Rate limit label: {operation.label}.")
    if operation.plan:
        lines.append(f"Plan: {operation.plan}.")
    return " ".join(lines)


def _parameters(operation: Operation) -> Iterable[Json]:
    for part in operation.path.split("/"):
        if part.startswith("{"):
            yield _path_parameter(part.strip("{}"))
    yield from (_query_parameter(each) for each in operation.query)
    if operation.items is not None:
        yield _ALL
    names = ["Connection", "Priority"]
    names += {"POST": ["IdempotencyKey"], "GET": ["IfNoneMatch"]}.get(operation.method, [])
    yield from ({"$ref": f"#/components/parameters/{each}"} for each in names)


def _path_parameter(name: str) -> Json:
    about = {
        "meetingId": "A meeting's id, or the UUID of one instance: plain, once or twice encoded.",
        "meetingUUID": "The UUID of one instance of a meeting, or its id for the last one.",
        "webinarId": "A webinar's id, or the UUID of one instance: plain, once or twice encoded.",
        "userId": "A user's id or e-mail address, or `me`.",
    }
    described = {"description": about[name]} if name in about else {}
    return {"name": name, "in": "path", "required": True, **described, "schema": {"type": "string", "minLength": 1}}


def _query_parameter(parameter: Parameter) -> Json:
    kind = "string" if parameter.kind == "date" else parameter.kind
    schema: Json = {"type": kind}
    if parameter.kind == "date":
        schema["format"] = "date"
    if parameter.values:
        schema["enum"] = [int(each) if kind == "integer" else each for each in parameter.values]
    if parameter.minimum is not None:
        schema["minimum"] = parameter.minimum
    if parameter.maximum is not None:
        schema["maximum"] = parameter.maximum
    required = {"required": True} if parameter.required else {}
    return {"name": parameter.name, "in": "query", **required, "schema": schema}


def _bodies(rows: Iterable[Operation]) -> Json:
    models: list[type[ZoomModel]] = list(dict.fromkeys(each.body for each in rows if each.body is not None))
    _, described = models_json_schema([(model, "validation") for model in models], ref_template=_REF)
    schemas: Json = described.get("$defs", {})
    return dict(sorted(schemas.items()))
