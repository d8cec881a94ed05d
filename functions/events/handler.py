"""What the events add up to: `/meetings/{id}/...` and `/users/{id}`."""

from __future__ import annotations

import os
from functools import cache

from zoom_common.access.principal import Principal
from zoom_common.aws import client
from zoom_common.connections.store import ConnectionStore
from zoom_common.connections.table_client import Table
from zoom_common.edge.http import Request, Response, Router, json_response
from zoom_common.edge.settings.events import Settings
from zoom_common.events.meeting_reader import MeetingReader
from zoom_common.events.projection_store import ProjectionStore
from zoom_common.events.reach import reach

router = Router()
handler = router.handle


@cache
def settings() -> Settings:
    """What this container was told."""
    return Settings.from_env(os.environ)


@cache
def meetings() -> MeetingReader:
    """The projections, once per container."""
    return MeetingReader(ProjectionStore(settings().events_table, client("dynamodb")))


@cache
def connections() -> ConnectionStore:
    """Who reaches what."""
    return ConnectionStore(Table(client("dynamodb"), settings().connections_table))


@router.route("GET", "/meetings/{number}/state", scope="events:read")
def state(request: Request, principal: Principal, number: str) -> Response:  # noqa: ARG001 - the router gives it
    """What a meeting or webinar is, whether it is on, and who is there."""
    return json_response(200, meetings().state(principal.tenant, number, reach(principal, connections())))


@router.route("GET", "/meetings/{number}/attendance", scope="events:read")
def attendance(request: Request, principal: Principal, number: str) -> Response:
    """Who was there in one instance, `uuid` or the last one, and for how long."""
    uuid = request.query.get("uuid")
    return json_response(200, meetings().attendance(principal.tenant, number, uuid, reach(principal, connections())))


@router.route("GET", "/meetings/{number}/registrations", scope="events:read")
def registrations(request: Request, principal: Principal, number: str) -> Response:  # noqa: ARG001
    """Who registered."""
    found = meetings().registrations(principal.tenant, number, reach(principal, connections()))
    return json_response(200, {"registrants": found})


@router.route("GET", "/meetings/{number}/recordings", scope="events:read")
def recordings(request: Request, principal: Principal, number: str) -> Response:  # noqa: ARG001
    """What was recorded."""
    found = meetings().recordings(principal.tenant, number, reach(principal, connections()))
    return json_response(200, {"meetings": found})


@router.route("GET", "/users/{user}", scope="events:read")
def user(request: Request, principal: Principal, user: str) -> Response:  # noqa: ARG001
    """One user of the Zoom account."""
    return json_response(200, meetings().user(principal.tenant, user, reach(principal, connections())))
