"""`/archive`: policies, and the archived recordings. It also finds recordings from events, and sweeps by schedule."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from functools import cache
from typing import Any

from zoom_common import observability
from zoom_common.access.principal import CONNECTION_ID, Principal
from zoom_common.archive.catalogue import PLACE, STATES, RecordingQuery
from zoom_common.archive.ledger import LAST_MS, Duty
from zoom_common.archive.model import FileState
from zoom_common.archive.policy import Policy
from zoom_common.archive.retention import Outcome
from zoom_common.connections.selection import authorize_connection, owner_filter, visible_connections
from zoom_common.deadline import Deadline
from zoom_common.edge.http import Router
from zoom_common.edge.own_requests import body_of
from zoom_common.edge.request import Request
from zoom_common.edge.request_fields import Fields, PageTokens
from zoom_common.edge.response import Response, json_response
from zoom_common.errors import FieldError, Forbidden, GatewayError, InternalError, InvalidRequest
from zoom_common.events.bus import CloudEvent
from zoom_common.events.projections.reader import decoded_uuid
from zoom_common.events.reconciliation.zoom_reader import Read
from zoom_common.wiring.archive import Archive, ArchiveSettings
from zoom_common.wiring.throttle import key_limits

_FILTERS = ("from", "to", "host", "meeting", "topic", "state", "uuid", "page_size", "next_page_token")
_STATE = re.compile("|".join(STATES))
_MEETING = re.compile(r"[0-9]{1,20}")
_TEXT = re.compile(r"[^\x00-\x1f\x7f]{1,200}")
_FORM = re.compile(r"text|vtt|json")
_FORMS = {"text/plain": "text", "text/vtt": "vtt"}
_CONTENT_TYPES = {form: f"{kind}; charset=utf-8" for kind, form in _FORMS.items()}
# The time for one step of the sweep, with up to two requests to Zoom and some to S3.
_TIME_FOR_A_STEP = 60.0


@cache
def settings() -> ArchiveSettings:
    """Return this container's settings."""
    return ArchiveSettings.from_env(os.environ)


router = Router(key_limits(settings))


@cache
def archive() -> Archive:
    """Return this container's archive."""
    return Archive(settings())


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Answer a request, register recordings from events of the queue, or run the schedule's `{"action": "sweep"}`."""
    if "Records" not in event and "action" not in event:
        return router.handle(event, context)
    observability.begin_correlation(getattr(context, "aws_request_id", ""))
    deadline = Deadline.after(context.get_remaining_time_in_millis() / 1000)
    if "Records" in event:
        returned = [record["messageId"] for record in event["Records"] if not _is_noted(record, deadline)]
        return {"batchItemFailures": [{"itemIdentifier": each} for each in returned]}
    return _sweep(deadline)


@router.route("GET", "/archive/policy", scope="archive:read")
def policy(request: Request, principal: Principal) -> Response:
    """Answer the policy that applies to the tenant, or to the connection in `connection`."""
    connection = _connection(request, principal)
    return _policy(principal, connection)


@router.route("PUT", "/archive/policy", scope="archive:write")
def put_policy(request: Request, principal: Principal) -> Response:
    """Set the policy of the tenant, or of the connection in `connection`. An empty body turns the archive on."""
    connection = _connection(request, principal)
    _may_set(principal, connection)
    chosen = Policy.of_request(body_of(request))
    archive().policies.put(principal.tenant, chosen, connection=connection, now=time.time())
    archive().ledger.plan_walk(principal.tenant, at=time.time())
    return _policy(principal, connection)


@router.route("DELETE", "/archive/policy", scope="archive:write")
def delete_policy(request: Request, principal: Principal) -> Response:
    """Make the connection in `connection` follow the tenant's policy again."""
    connection = _connection(request, principal)
    if connection is None:
        raise InvalidRequest([FieldError("connection", "Required: whose own policy ends.")])
    archive().policies.delete(principal.tenant, connection)
    archive().ledger.plan_walk(principal.tenant, at=time.time())
    return Response(204)


@router.route("GET", "/archive/recordings", scope="archive:read")
def recordings(request: Request, principal: Principal) -> Response:
    """Answer a page of the archive, newest first."""
    tokens = PageTokens("archive", principal.tenant, PLACE)
    query = _query(Fields(request.query), tokens)
    found, after = archive().catalogue().page(principal.tenant, query, _reach(principal))
    return json_response(
        200, {"recordings": found, "page_size": query.page_size, "next_page_token": tokens.encode(after)}
    )


@router.route("GET", "/archive/recordings/{recording_id}", scope="archive:read")
def recording(request: Request, principal: Principal, recording_id: str) -> Response:  # noqa: ARG001 - a route's form
    """Answer one recording with its files and their links."""
    return json_response(200, archive().catalogue().one(principal.tenant, recording_id, _reach(principal)))


@router.route("DELETE", "/archive/recordings/{recording_id}", scope="archive:write")
def delete_recording(request: Request, principal: Principal, recording_id: str) -> Response:  # noqa: ARG001
    """Delete the copy in the archive, every version of it. The recording at Zoom stays as it is."""
    archive().catalogue().find(principal.tenant, recording_id, _reach(principal))
    archive().retention().remove(principal.tenant, recording_id)
    observability.count("ArchiveDeleted")
    return Response(204)


@router.route("POST", "/archive/recordings/{recording_id}/retry", scope="archive:write")
def retry(request: Request, principal: Principal, recording_id: str) -> Response:  # noqa: ARG001
    """Queue the failed files of a recording for another try."""
    _, files = archive().catalogue().find(principal.tenant, recording_id, _reach(principal))
    retried = sum(archive().discovery.retry(file) for file in files if file.state is FileState.FAILED)
    archive().settling.settle(principal.tenant, recording_id)
    return json_response(202, {"retried": retried})


@router.route("GET", "/archive/recordings/{recording_id}/transcript", scope="archive:read")
def transcript(request: Request, principal: Principal, recording_id: str) -> Response:
    """Answer the transcript as JSON turns, or, by `format` or the Accept header, as text or WebVTT."""
    fields = Fields(request.query)
    fields.only(("format", "file"))
    file_id = fields.matching("file", _TEXT)
    accepted = request.headers.get("accept", "").partition(",")[0].partition(";")[0].strip().lower()
    form = fields.matching("format", _FORM, "text, vtt or json.") or _FORMS.get(accepted, "json")
    fields.check()
    found = (
        archive().catalogue().transcript(principal.tenant, recording_id, _reach(principal), file_id=file_id, form=form)
    )
    if form == "json":
        return json_response(200, found, {"vary": "accept"})
    return Response(200, found.encode(), {"content-type": _CONTENT_TYPES[form], "vary": "accept"})


@router.route("GET", "/archive/recordings/{recording_id}/chat", scope="archive:read")
def chat(request: Request, principal: Principal, recording_id: str) -> Response:  # noqa: ARG001
    """Answer the messages of the meeting's chat."""
    return json_response(200, archive().catalogue().chat(principal.tenant, recording_id, _reach(principal)))


def _policy(principal: Principal, connection: str | None) -> Response:
    own = archive().policies.get(principal.tenant, connection)
    counts = own or archive().policies.effective(principal.tenant, connection)
    source = "connection" if own and connection else "tenant" if own or counts.enabled else "default"
    about = {} if connection is None else {"connection": connection}
    return json_response(200, {**counts.shown(), **about, "source": source})


def _connection(request: Request, principal: Principal) -> str | None:
    """Return the connection of a request for a policy.

    Raises InvalidRequest, and NotFound for one the caller may not use.
    """
    fields = Fields(request.query)
    fields.only(("connection",))
    asked = fields.matching("connection", CONNECTION_ID, "The id of a connection.") or principal.connection
    fields.check()
    return None if asked is None else authorize_connection(principal, asked, archive().connections).connection_id


def _may_set(principal: Principal, connection: str | None) -> None:
    """Raise Forbidden unless the caller may set the policy. People may set those of their own connections only."""
    if connection is None and owner_filter(principal) is not None:
        raise Forbidden(["connections:all"])


def _reach(principal: Principal) -> frozenset[str] | None:
    return visible_connections(principal, archive().connections)


def _query(fields: Fields, tokens: PageTokens) -> RecordingQuery:
    fields.only(_FILTERS)
    since, until = fields.moment_ms("from"), fields.moment_ms("to")
    uuid = fields.matching("uuid", _TEXT)
    query = RecordingQuery(
        since_ms=max(0, since or 0),
        until_ms=min(LAST_MS, LAST_MS if until is None else max(0, until)),
        host=fields.matching("host", _TEXT),
        meeting=fields.matching("meeting", _MEETING, "A meeting's number."),
        topic=fields.matching("topic", _TEXT),
        state=fields.matching("state", _STATE, f"One of: {', '.join(STATES)}."),
        uuid=None if uuid is None else decoded_uuid(uuid),
        page_size=fields.page_size(),
        after=fields.after(tokens),
    )
    if query.since_ms > query.until_ms:
        fields.wrong("from", "Not after `to`.")
    fields.check()
    return query


def _is_noted(record: Mapping[str, Any], deadline: Deadline) -> bool:
    """Return whether an event of the queue is done. An unreadable one goes to the dead-letter queue."""
    try:
        event = CloudEvent.from_json(record["body"])
    except (KeyError, TypeError, ValueError):
        observability.logger().error("message unreadable", message_id=record["messageId"])
        return False
    try:
        found = archive().discovery.event(event, archive().content, _reader(event, deadline))
    except GatewayError as error:
        if isinstance(error, InternalError):
            observability.fault(error, event_id=event.id)
        observability.logger().warning("message kept", reason=error.reason, event_id=event.id)
        return False
    if found is not None and found.new:
        observability.count("ArchiveFilesFound", found.new)
    return True


def _reader(event: CloudEvent, deadline: Deadline) -> Read:
    """Return a reader that looks up the event's connection at its first use."""

    def read(path: str) -> Mapping[str, Any] | None:
        connection = archive().connections.get(event.tenant, event.connection_id or "")
        return None if connection is None else archive().read(connection, deadline)(path)

    return read


def _sweep(deadline: Deadline) -> dict[str, Any]:
    retention = archive().retention()

    def should_stop() -> bool:
        return not deadline.allows(_TIME_FOR_A_STEP)

    done = retention.sweep(should_stop, _note)
    ended = retention.end_strays(should_stop)
    observability.logger().info("archive swept", duties=done, uploads_ended=ended)
    return {"duties": done, "uploads_ended": ended}


def _note(outcome: Outcome, duty: Duty) -> None:
    observability.count("ArchiveDuties", outcome=str(outcome))
    if outcome is Outcome.STUCK:
        observability.count("ArchiveStuck")
    if outcome in {Outcome.STUCK, Outcome.NOT_PROVED}:
        observability.logger().warning("archive duty", outcome=str(outcome), recording=duty.recording_id)
