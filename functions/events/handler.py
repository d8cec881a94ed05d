"""What was received, `/events...`; what that adds up to, `/meetings/...`, `/users/...`; how it comes, `/webhooks`."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from functools import cache

from zoom_common.access.principal import Principal
from zoom_common.aws.clients import client
from zoom_common.aws.table import CONNECTIONS, COORDINATION, EVENTS, Table
from zoom_common.connections.selection import owner_filter
from zoom_common.connections.selection import reach as the_connection
from zoom_common.connections.store import ConnectionStore, Page
from zoom_common.edge.http import Request, Response, Router, json_response
from zoom_common.edge.link_requests import page_of
from zoom_common.edge.settings.events import Settings
from zoom_common.edge.webhook_health import described
from zoom_common.edge.webhook_signs_store import WebhookSigns
from zoom_common.errors import InvalidRequest
from zoom_common.events.archive import Archive
from zoom_common.events.bus import BusPublisher
from zoom_common.events.log_index_store import LogIndex
from zoom_common.events.log_query import LogQuery
from zoom_common.events.log_store import EventLog
from zoom_common.events.meeting_reader import MeetingReader
from zoom_common.events.projection_store import ProjectionStore
from zoom_common.events.reach import reach


@cache
def settings() -> Settings:
    """What this container was told."""
    return Settings.from_env(os.environ)


router = Router(settings)
handler = router.handle


@cache
def _events_table() -> Table:
    return Table(client("dynamodb"), settings().events_table, EVENTS)


@cache
def meetings() -> MeetingReader:
    """The projections, once per container."""
    return MeetingReader(ProjectionStore(_events_table()))


@cache
def archive() -> Archive:
    """The event log, once per container."""
    return Archive(EventLog(_events_table(), clock=time.time), LogIndex(_events_table()))


@cache
def publisher() -> BusPublisher:
    """The bus, once per container."""
    return BusPublisher(settings().event_bus, client("events"))


@cache
def connections() -> ConnectionStore:
    """Who reaches what."""
    return ConnectionStore(Table(client("dynamodb"), settings().connections_table, CONNECTIONS))


@cache
def signs() -> WebhookSigns:
    """What is known of Zoom's deliveries."""
    return WebhookSigns(Table(client("dynamodb"), settings().coordination_table, COORDINATION), time.time)


@router.route("GET", "/events", scope="events:read")
def events(request: Request, principal: Principal) -> Response:
    """A page of the log, newest first."""
    found = archive().page(principal.tenant, _asked(request.query), reach(principal, connections()))
    return json_response(200, found)


@router.route("GET", "/events/{event_id}", scope="events:read")
def event(request: Request, principal: Principal, event_id: str) -> Response:  # noqa: ARG001
    """One event as it was published."""
    found = archive().event(principal.tenant, event_id, reach(principal, connections()))
    return json_response(200, json.loads(found.to_json()))


@router.route("POST", "/events/{event_id}/replay", scope="events:write")
def replay(request: Request, principal: Principal, event_id: str) -> Response:  # noqa: ARG001
    """Publish one event again, with the id it has."""
    publisher().publish([archive().event(principal.tenant, event_id, reach(principal, connections()))])
    return json_response(202, {"replayed": 1, "next_page_token": ""})


@router.route("POST", "/events/replay", scope="events:write")
def replay_range(request: Request, principal: Principal) -> Response:
    """Publish a page of the log again."""
    body = request.json()
    if not isinstance(body, dict) or not body.get("from"):
        raise InvalidRequest(message="Say from when on, in the field `from`.")
    asked = _asked({name: str(value) for name, value in body.items()})
    done = archive().replay(principal.tenant, asked, publisher(), request.deadline, reach(principal, connections()))
    return json_response(202, done)


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


@router.route("GET", "/webhooks", scope="connections:read")
def webhooks(request: Request, principal: Principal) -> Response:
    """Whether Zoom's deliveries arrive, for each connection the caller reaches."""
    page = _connections(request, principal)
    apps = {app: signs().of_app(app) for app in {each.client_id for each in page.connections}}
    found = described(page.connections, apps, signs().rejections(), now=time.time())
    return json_response(200, {**found, "next_page_token": page.cursor or ""})


def _connections(request: Request, principal: Principal) -> Page:
    if principal.connection is not None:
        return Page([the_connection(principal, principal.connection, connections())], None)
    limit, cursor = page_of(request)
    return connections().list(principal.tenant, owner=owner_filter(principal), limit=limit, cursor=cursor)


def _asked(query: Mapping[str, str]) -> LogQuery:
    return LogQuery.from_mapping(query, now=time.time(), retention_days=settings().retention_days)
