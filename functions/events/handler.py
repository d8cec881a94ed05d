"""`/events`: the log. `/meetings` and `/users`: the projections. `/webhooks`: whether Zoom's deliveries arrive."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from zoom_common.access.principal import CONNECTION_ID, Principal
from zoom_common.aws.clients import client
from zoom_common.aws.table import CONNECTIONS, COORDINATION, EVENTS, Table
from zoom_common.connections.selection import authorize_connection as the_connection
from zoom_common.connections.selection import owner_filter, visible_connections
from zoom_common.connections.store import ConnectionStore, Page
from zoom_common.edge import request_fields
from zoom_common.edge.http import Router
from zoom_common.edge.own_requests import (
    body_of,
    forward_tokens,
    log_fields,
    log_query_of,
    log_tokens,
    page_of,
    reads_forwards,
)
from zoom_common.edge.request import Request
from zoom_common.edge.request_fields import Fields, PageTokens
from zoom_common.edge.response import Response, json_response
from zoom_common.errors import FieldError, InvalidRequest
from zoom_common.events.bus import BusPublisher, CloudEvent, rfc3339
from zoom_common.events.log.index import LogIndex
from zoom_common.events.log.query import LogQuery
from zoom_common.events.log.reader import LogReader
from zoom_common.events.log.store import EventLog
from zoom_common.events.projections.reader import MeetingReader
from zoom_common.events.projections.store import ProjectionStore
from zoom_common.events.projections.tables import form_of, rows
from zoom_common.events.webhook.status import WebhookStatusStore, described
from zoom_common.settings import optional, require
from zoom_common.wiring.throttle import key_limits


@dataclass(frozen=True, slots=True)
class Settings:
    """`from_env` raises MissingSetting."""

    connections_table: str
    events_table: str
    event_bus: str
    coordination_table: str
    retention_days: int

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Return the settings in a function's environment."""
        return cls(
            connections_table=require(environ, "CONNECTIONS_TABLE"),
            events_table=require(environ, "EVENTS_TABLE"),
            event_bus=require(environ, "EVENT_BUS"),
            coordination_table=require(environ, "COORDINATION_TABLE"),
            retention_days=int(optional(environ, "EVENT_RETENTION_DAYS", "30")),
        )


_LOG_FIELDS = ("type", "meeting", "uuid", "connection", "from", "to", "page_size", "next_page_token")
_READ_FIELDS = (*_LOG_FIELDS, "order", "after")

# CSV and JSON lines have no place for the meeting, so headers have it. API Gateway accepts 10 KB of headers in all.
INSTANCES_HEADER = "x-gateway-instances"
_MOST_INSTANCES = 200


@cache
def settings() -> Settings:
    """Return this container's settings."""
    return Settings.from_env(os.environ)


router = Router(key_limits(settings))
handler = router.handle


@cache
def _events_table() -> Table:
    return Table(client("dynamodb"), settings().events_table, EVENTS)


@cache
def meetings() -> MeetingReader:
    """Return the reader of the projections, made once per container."""
    return MeetingReader(ProjectionStore(_events_table()), clock=time.time)


@cache
def archive() -> LogReader:
    """Return the reader of the event log, made once per container."""
    return LogReader(EventLog(_events_table(), clock=time.time), LogIndex(_events_table()))


@cache
def publisher() -> BusPublisher:
    """Return the publisher to the bus, made once per container."""
    return BusPublisher(settings().event_bus, client("events"))


@cache
def connections() -> ConnectionStore:
    """Return the connections, which decide what a caller may see."""
    return ConnectionStore(Table(client("dynamodb"), settings().connections_table, CONNECTIONS))


@cache
def webhook_status() -> WebhookStatusStore:
    """Return the status of Zoom's deliveries."""
    return WebhookStatusStore(Table(client("dynamodb"), settings().coordination_table, COORDINATION), time.time)


@router.route("GET", "/events", scope="events:read")
def events(request: Request, principal: Principal) -> Response:
    """Answer a page of the log: newest first, or forwards with `order=asc` or a cursor in `after`."""
    fields = log_fields(request)
    fields.only(_READ_FIELDS)
    if reads_forwards(fields):
        return _forwards(fields, principal)
    query = _asked(fields, principal)
    found = archive().page(principal.tenant, query, visible_connections(principal, connections()))
    token = log_tokens(principal.tenant).encode(found.after)
    return json_response(200, {"events": found.events, "page_size": query.page_size, "next_page_token": token})


def _forwards(fields: Fields, principal: Principal) -> Response:
    """Answer a page in the order in which events became visible, with the next cursor and until when it is complete.

    `next_page_token` is the same cursor where more is ready, and empty where nothing is.
    """
    now, tokens = time.time(), forward_tokens(principal.tenant)
    query = log_query_of(fields, now=now, retention_days=settings().retention_days, tokens=tokens)
    reach = visible_connections(principal, connections())
    shown, page = archive().follow(principal.tenant, query, now=now, reach=reach)
    cursor = tokens.encode(page.after)
    answer = {
        "events": shown,
        "page_size": query.page_size,
        "next_page_token": cursor if page.more else "",
        "after": cursor,
        "complete_until": rfc3339(page.complete_until_ms),
    }
    return json_response(200, answer)


@router.route("GET", "/events/{event_id}", scope="events:read")
def event(request: Request, principal: Principal, event_id: str) -> Response:  # noqa: ARG001
    """Answer one event as it was published."""
    found = _event(principal, event_id)
    return json_response(200, json.loads(found.to_json()))


@router.route("POST", "/events/{event_id}/replay", scope="events:write")
def replay(request: Request, principal: Principal, event_id: str) -> Response:  # noqa: ARG001
    """Publish one event again, with its id."""
    publisher().publish([_event(principal, event_id)])
    return json_response(202, {"replayed": 1, "next_page_token": ""})


@router.route("POST", "/events/replay", scope="events:write")
def replay_range(request: Request, principal: Principal) -> Response:
    """Publish a page of the log again."""
    query = _asked(_replay_fields(request), principal)
    done = archive().replay(
        principal.tenant, query, publisher().publish, request.deadline, visible_connections(principal, connections())
    )
    token = log_tokens(principal.tenant).encode(done.after)
    return json_response(202, {"replayed": done.count, "next_page_token": token})


@router.route("GET", "/meetings/{number}/state", scope="events:read")
def state(request: Request, principal: Principal, number: str) -> Response:  # noqa: ARG001 - the router gives it
    """Answer the definition of a meeting or webinar, whether it is running, and who is present."""
    return json_response(200, meetings().state(principal.tenant, number, visible_connections(principal, connections())))


@router.route("GET", "/meetings/{number}/attendance", scope="events:read")
def attendance(request: Request, principal: Principal, number: str) -> Response:
    """Answer who was present and for how long, in one instance (`uuid`, else the last) or one planned occurrence."""
    fields = Fields(request.query)
    fields.only(("occurrence", "uuid", "present_from"))
    occurrence, present_from = fields.moment_ms("occurrence"), _share(fields)
    if occurrence is not None and request.query.get("uuid"):
        fields.wrong("occurrence", "Name an occurrence or a uuid, not both.")
    fields.check()
    found = meetings().attendance(
        principal.tenant,
        number,
        request.query.get("uuid"),
        visible_connections(principal, connections()),
        occurrence=occurrence,
        present_from=present_from,
    )
    return _people(request, found)


@router.route("GET", "/meetings/{number}/attendance/matrix", scope="events:read")
def matrix(request: Request, principal: Principal, number: str) -> Response:
    """Answer who was in which occurrence of a series, for those planned between `from` and `to`."""
    fields = Fields(request.query)
    fields.only(("from", "to", "present_from"))
    since, until, present_from = fields.moment_ms("from"), fields.moment_ms("to"), _share(fields)
    fields.check()
    reach = visible_connections(principal, connections())
    found = meetings().matrix(principal.tenant, number, reach, since=since, until=until, present_from=present_from)
    return _people(request, found)


def _people(request: Request, found: Mapping[str, Any]) -> Response:
    """Return an answer about people in the form that `Accept` names."""
    form = form_of(request.headers.get("accept", ""))
    if form is None:
        return json_response(200, found, {"vary": "accept"})
    headers = {"content-type": f"{form}; charset=utf-8", "vary": "accept", INSTANCES_HEADER: _listed(found)}
    return Response(200, rows(found, form), headers)


def _listed(found: Mapping[str, Any]) -> str:
    """Return the uuids of the instances that the rows come from, as many as a header has room for."""
    return ", ".join(found["instances_used"][:_MOST_INSTANCES])


@router.route("GET", "/meetings/{number}/registrations", scope="events:read")
def registrations(request: Request, principal: Principal, number: str) -> Response:  # noqa: ARG001
    """Answer the registrants."""
    found = meetings().registrations(principal.tenant, number, visible_connections(principal, connections()))
    return json_response(200, {"registrants": found, "instances_used": []})  # people do not register for these


@router.route("GET", "/meetings/{number}/recordings", scope="events:read")
def recordings(request: Request, principal: Principal, number: str) -> Response:  # noqa: ARG001
    """Answer the recordings."""
    found = meetings().recordings(principal.tenant, number, visible_connections(principal, connections()))
    return json_response(200, {"meetings": found, "instances_used": [each["uuid"] for each in found]})


@router.route("GET", "/users/{user}", scope="events:read")
def user(request: Request, principal: Principal, user: str) -> Response:  # noqa: ARG001
    """Answer one user of the Zoom account."""
    return json_response(200, meetings().user(principal.tenant, user, visible_connections(principal, connections())))


@router.route("GET", "/webhooks", scope="connections:read")
def webhooks(request: Request, principal: Principal) -> Response:
    """Answer whether Zoom's deliveries arrive, for each connection that the caller may use."""
    tokens = PageTokens("webhooks", principal.tenant, CONNECTION_ID)
    page = _connections(request, principal, tokens)
    apps = {app: webhook_status().of_app(app) for app in {each.client_id for each in page.connections}}
    found = described(page.connections, apps, webhook_status().rejections(), now=time.time())
    return json_response(200, {**found, "next_page_token": tokens.encode(page.cursor)})


_SHARE = re.compile(r"0(\.[0-9]{1,6})?|1(\.0{1,6})?")


def _share(fields: Fields) -> float | None:
    text = fields.matching("present_from", _SHARE, "A part of the time held, from 0 to 1.")
    return None if text is None else float(text)


def _event(principal: Principal, event_id: str) -> CloudEvent:
    known_as = request_fields.event_id(event_id)
    return archive().event(principal.tenant, known_as, visible_connections(principal, connections()))


def _connections(request: Request, principal: Principal, tokens: PageTokens) -> Page:
    if principal.connection is not None:
        return Page([the_connection(principal, principal.connection, connections())], None)
    limit, cursor = page_of(request, tokens)
    return connections().list(principal.tenant, owner=owner_filter(principal), limit=limit, cursor=cursor)


def _asked(fields: Fields, principal: Principal) -> LogQuery:
    tokens = log_tokens(principal.tenant)
    return log_query_of(fields, now=time.time(), retention_days=settings().retention_days, tokens=tokens)


def _replay_fields(request: Request) -> Fields:
    """Return the fields of a body. A number is read like its digits. Raises InvalidRequest."""
    body = body_of(request)
    given = {name: value for name in _LOG_FIELDS if (value := body.get(name)) is not None}
    wrong = [FieldError(name, "Invalid field.") for name, value in given.items() if not _is_text(value)]
    if wrong:
        raise InvalidRequest(wrong)
    if not given.get("from"):
        raise InvalidRequest([FieldError("from", "Required: the moment from which on events are published again.")])
    return Fields({name: str(value) for name, value in given.items()})


def _is_text(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)
