"""`GET /health` and the OpenAPI documents without a key, `GET /health/deep` with one, and a 404 for other paths."""

from __future__ import annotations

import os
import time
from functools import cache, partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from zoom_common.access.principal import Principal
from zoom_common.edge import api_document
from zoom_common.edge.http import Router, authorize, guarded, typed_path
from zoom_common.edge.request import Request
from zoom_common.edge.response import Response, json_response
from zoom_common.wiring.throttle import key_limits

if TYPE_CHECKING:
    from zoom_common.edge.health import Check
from collections.abc import Mapping
from dataclasses import dataclass, field

from zoom_common import __version__
from zoom_common.settings import optional, require


@dataclass(frozen=True, slots=True)
class HealthSettings:
    """Stage and version, the gateway's address, and the table that counts the requests of keys with a limit."""

    stage: str
    version: str = __version__
    coordination_table: str = ""
    public_base_url: str = ""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> HealthSettings:
        """Read the settings. None is required."""
        return cls(
            stage=optional(environ, "STAGE", "local"),
            coordination_table=optional(environ, "COORDINATION_TABLE"),
            public_base_url=optional(environ, "PUBLIC_BASE_URL").rstrip("/"),
        )


@dataclass(frozen=True, slots=True)
class DeepHealthSettings:
    """The settings of the deep health.

    `queues` are URLs by name; names of dead-letter queues end in `_dead_letters`.
    """

    connections_table: str
    events_table: str
    coordination_table: str
    data_key_id: str
    zoom_api_base_url: str
    queues: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> DeepHealthSettings:
        """Read the settings. Raises MissingSetting."""
        pairs = (pair.partition("=") for pair in require(environ, "HEALTH_QUEUES").split(","))
        return cls(
            connections_table=require(environ, "CONNECTIONS_TABLE"),
            events_table=require(environ, "EVENTS_TABLE"),
            coordination_table=require(environ, "COORDINATION_TABLE"),
            data_key_id=require(environ, "DATA_KEY_ID"),
            zoom_api_base_url=require(environ, "ZOOM_API_BASE_URL").rstrip("/"),
            queues={name.strip(): url.strip() for name, _, url in pairs},
        )


_UNAVAILABLE = 503
_LONGEST_BETWEEN_SWEEPS = 3600.0
_LONGEST_BETWEEN_ROLLUPS = 26 * 3600.0


@cache
def _settings() -> HealthSettings:
    return HealthSettings.from_env(os.environ)


limits = key_limits(_settings)
router = Router(limits)


@router.route("GET", "/health", scope=None)
def health(request: Request) -> Response:  # noqa: ARG001 - a route's signature
    """Answer that the function runs. No dependency is checked."""
    about = _settings()
    return json_response(200, {"status": "ok", "version": about.version, "stage": about.stage})


@router.route("GET", "/openapi.json", scope=None)
def openapi(request: Request) -> Response:
    """Answer the API's OpenAPI description. It needs no key, because the documents are public."""
    return _described(request)


@router.route("GET", "/openapi/{document}", scope=None)
def openapi_of_family(request: Request, document: str) -> Response:
    """Answer the description of one family of operations, such as `users.json`."""
    return _described(request, document)


def _described(request: Request, document: str = "") -> Response:
    accepted = request.headers.get("accept-encoding", "")
    return api_document.described(_settings().public_base_url, name=document, accept_encoding=accepted)


@router.route("GET", "/health/deep", scope="health:read")
def deep(request: Request, principal: Principal) -> Response:  # noqa: ARG001 - a route's signature
    """Check tables, key, queues, Zoom, and when jobs and deliveries were last seen.

    Answer 503 if the gateway cannot work.
    """
    from zoom_common.edge.health import FAILING, examine  # noqa: PLC0415 - the shallow answer starts without

    found = examine(_checks())
    about = {"version": _settings().version, "stage": _settings().stage}
    return json_response(_UNAVAILABLE if found["status"] == FAILING else 200, {**found, **about})


@cache
def _checks() -> dict[str, Check]:
    # Imported here: most requests for health are shallow ones, and boto3 takes most of a start's time.
    from zoom_common.aws import clients  # noqa: PLC0415
    from zoom_common.aws.table import CONNECTIONS, COORDINATION, EVENTS, Table  # noqa: PLC0415
    from zoom_common.edge import health as ask  # noqa: PLC0415
    from zoom_common.edge.health import Finding, age  # noqa: PLC0415
    from zoom_common.heartbeats import ROLLUP, SWEEP, WEBHOOK, Heartbeats  # noqa: PLC0415
    from zoom_common.transport import RequestsTransport  # noqa: PLC0415

    about, dynamodb = DeepHealthSettings.from_env(os.environ), clients.impatient_dynamodb()

    def table(name: str, reason: str) -> Finding:
        Table(dynamodb, name, reason).get("heartbeat#none", "heartbeat")
        return Finding()

    def running() -> float:
        return ask.key_age(clients.boto3_client("kms"), about.data_key_id, now=time.time())

    beats = Heartbeats(table=Table(dynamodb, about.coordination_table, COORDINATION), clock=time.time)
    checks: dict[str, Check] = {
        "connections_table": partial(table, about.connections_table, CONNECTIONS),
        "events_table": partial(table, about.events_table, EVENTS),
        "coordination_table": partial(table, about.coordination_table, COORDINATION),
        "data_key": partial(ask.key, clients.boto3_client("kms"), about.data_key_id),
        "zoom": partial(ask.zoom, RequestsTransport(), about.zoom_api_base_url),
        "webhook": lambda: age(beats.age(WEBHOOK)),
        "sweep": lambda: age(beats.age(SWEEP), at_most=_LONGEST_BETWEEN_SWEEPS, running=running),
        "rollup": lambda: age(beats.age(ROLLUP), at_most=_LONGEST_BETWEEN_ROLLUPS, running=running),
    }
    for name, url in about.queues.items():
        dead = name.endswith("_dead_letters")
        checks[f"queue_{name}"] = partial(ask.queue, clients.boto3_client("sqs"), url, dead_letters=dead)
    return checks


# What may stand in a path as it is. A backslash may not: browsers read it as a slash, and two as the start of a host.
_PATH = "/:@!$&'()*+,;=-._~"


def answer(request: Request) -> Response:
    """Answer one of the routes above, or any address for which the API has no route.

    An address with extra slashes is redirected to the right one, with 308, so that method and body stay. Raises what
    `Router.answer` raises, so 404 in Zoom's shape for callers with a key.
    """
    path = typed_path(request.path)
    if path == request.path or router.knows(path):
        return router.answer(request)
    authorize(request, None)
    query = f"?{request.query_string}" if request.query_string else ""
    return Response(308, headers={"location": quote(path, safe=_PATH) + query})


handler = guarded(answer, limits)
