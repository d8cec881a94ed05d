"""`/jobs`: makes jobs, shows, pauses, resumes and cancels them, and returns their results.

Another function, `job_slice`, works on them. Requests only change the ledger.
"""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from zoom_common import observability
from zoom_common.access.principal import Principal
from zoom_common.aws import clients
from zoom_common.aws.table import CONNECTIONS, EVENTS, Table
from zoom_common.connections.model import Connection
from zoom_common.connections.selection import select
from zoom_common.connections.store import ConnectionStore
from zoom_common.connections.views import iso
from zoom_common.edge.http import Router
from zoom_common.edge.job_requests import as_one_of, may_become, read_job, view
from zoom_common.edge.own_requests import body_of
from zoom_common.edge.request import Request
from zoom_common.edge.request_fields import Fields, PageTokens, connection_header
from zoom_common.edge.response import Response, json_response
from zoom_common.edge.zoom_api import budget_rules
from zoom_common.errors import Conflict, DependencyFailed, FieldError, IdempotencyKeyReused, InvalidRequest, NotFound
from zoom_common.jobs import files
from zoom_common.jobs.engine_client import UPLOAD_SECONDS, Executions, JobFiles
from zoom_common.jobs.model import Job, State, fastest
from zoom_common.jobs.store import JobStore
from zoom_common.ratelimit.limiter import RateLimitRules
from zoom_common.settings import optional, require
from zoom_common.wiring.throttle import key_limits
from zoom_common.zoom.operations.model import MULTIPART, Operation
from zoom_common.zoom.operations.table import operations

_JOB_ID = re.compile(r"job_[0-9a-f]{24}")
_PLACE = re.compile(r"[0-9]{13}#job_[0-9a-f]{24}")
_KEY = re.compile(r"[!-~]{1,255}")
# A function's answer has room for 6 MB: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
_LARGEST_ANSWER = 4 * 1024 * 1024
_FORMATS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}


@dataclass(frozen=True, slots=True)
class Settings:
    """Tables, the state machine, the bucket, and the rate limit rules."""

    connections_table: str
    events_table: str
    coordination_table: str
    state_machine: str
    bucket: str
    budget: RateLimitRules
    zoom_client_id: str

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings. Raises MissingSetting."""
        return cls(
            connections_table=require(environ, "CONNECTIONS_TABLE"),
            events_table=require(environ, "EVENTS_TABLE"),
            coordination_table=require(environ, "COORDINATION_TABLE"),
            state_machine=require(environ, "JOBS_STATE_MACHINE"),
            bucket=require(environ, "JOBS_BUCKET"),
            budget=budget_rules(environ),
            zoom_client_id=optional(environ, "ZOOM_CLIENT_ID"),
        )


@cache
def settings() -> Settings:
    """Return this container's settings."""
    return Settings.from_env(os.environ)


router = Router(key_limits(settings))


@cache
def by_name() -> Mapping[str, Operation]:
    """Return the operations that a job can repeat, by name. Uploads are excluded."""
    return {each.name: each for each in operations() if not each.own and each.media != MULTIPART}


@cache
def store() -> JobStore:
    """Return the store of jobs."""
    return JobStore(Table(clients.client("dynamodb"), settings().events_table, EVENTS))


@cache
def connections() -> ConnectionStore:
    """Return the store of connections."""
    return ConnectionStore(Table(clients.client("dynamodb"), settings().connections_table, CONNECTIONS))


@cache
def executions() -> Executions:
    """Return the client of the workflow engine."""
    return Executions(clients.boto3_client("stepfunctions"), settings().state_machine)


@cache
def job_files() -> JobFiles:
    """Return the bucket of jobs' files."""
    return JobFiles(clients.boto3_client("s3"), settings().bucket)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Answer a request."""
    return router.handle(event, context)


@router.route("POST", "/jobs", scope="jobs:write")
def create(request: Request, principal: Principal) -> Response:
    """Make a job and answer 202 with its id. The same `Idempotency-Key` always means the same job."""
    body, key = body_of(request), request.headers.get("idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        raise InvalidRequest([FieldError("Idempotency-Key", "Use 1 to 255 visible ASCII characters.")])
    secret = f"key\0{key}" if key is not None else secrets.token_hex(16)
    named = connection_header(request.headers)
    job, rows = read_job(body, principal, by_name(), now=time.time(), secret=secret, connection=named)
    job = _over_one_connection(job, principal)
    stored = store().create(job, rows)
    if stored.fingerprint != job.fingerprint:
        raise IdempotencyKeyReused
    _start(stored)
    observability.count("JobsCreated", operation=job.operation)
    upload: dict[str, Any] = {}
    if stored.from_file and stored.rows is None:
        until = iso(time.time() + UPLOAD_SECONDS)
        upload = {"upload": {"method": "PUT", "url": job_files().upload_url(stored), "expires_at": until}}
    return json_response(202, {**_shown(stored), **upload}, {"location": f"/jobs/{stored.job_id}"})


@router.route("GET", "/jobs", scope="jobs:read")
def show_all(request: Request, principal: Principal) -> Response:
    """Answer the tenant's jobs, youngest first."""
    tokens = PageTokens("jobs", principal.tenant, _PLACE)
    fields = Fields(request.query)
    size, after = fields.page_size(), fields.after(tokens)
    fields.check()
    page = store().page(principal.tenant, limit=size, after=after)
    found = [_shown(each) for each in page.jobs if _sees(principal, each)]
    return json_response(200, {"jobs": found, "page_size": size, "next_page_token": tokens.encode(page.after)})


@router.route("GET", "/jobs/{job_id}", scope="jobs:read")
def show(request: Request, principal: Principal, job_id: str) -> Response:  # noqa: ARG001 - a route's signature
    """Answer one job: its state, progress, rate, errors and forecast."""
    return json_response(200, _shown(_found(principal, job_id)))


@router.route("POST", "/jobs/{job_id}/pause", scope="jobs:write")
def pause(request: Request, principal: Principal, job_id: str) -> Response:  # noqa: ARG001 - as above
    """Stop the job at its next row, until it is resumed."""
    return _changed(_found(principal, job_id), State.PAUSED, reason="by_request")


@router.route("POST", "/jobs/{job_id}/resume", scope="jobs:write")
def resume(request: Request, principal: Principal, job_id: str) -> Response:  # noqa: ARG001 - as above
    """Continue a paused job, with the rights of its own key."""
    return _changed(_found(principal, job_id), State.WAITING)


@router.route("POST", "/jobs/{job_id}/cancel", scope="jobs:write")
def cancel(request: Request, principal: Principal, job_id: str) -> Response:  # noqa: ARG001 - as above
    """End the job. What it has made stays; GET /jobs/{id}/undo lists it."""
    return _changed(_found(principal, job_id), State.CANCELLED)


@router.route("GET", "/jobs/{job_id}/results", scope="jobs:read")
def results(request: Request, principal: Principal, job_id: str) -> Response:
    """Answer the results so far as a file in the order of the input: CSV, or JSON lines with `format=jsonl`.

    A large file is a redirect to an address that is valid for five minutes.
    """
    fields = Fields(request.query)
    form = fields.matching("format", re.compile(r"csv|jsonl"), "csv or jsonl.") or "csv"
    fields.check()
    job = _found(principal, job_id)
    rows = files.ledger(store(), job)
    content = files.results_as_csv(rows) if form == "csv" else files.results_as_json_lines(rows)
    if len(content) > _LARGEST_ANSWER:
        return Response(303, headers={"location": job_files().results_url(job, content, _FORMATS[form])})
    named = f'attachment; filename="{job.job_id}.{form}"'
    return Response(200, content, {"content-type": _FORMATS[form], "content-disposition": named})


@router.route("GET", "/jobs/{job_id}/undo", scope="jobs:read")
def undo(request: Request, principal: Principal, job_id: str) -> Response:  # noqa: ARG001 - as above
    """Answer the operation and rows that undo what the job has made, in the form of `POST /jobs`."""
    job = _found(principal, job_id)
    listed = files.undo_list(job, files.ledger(store(), job))
    if listed is None:
        raise Conflict(f"Nothing undoes {job.operation}.", reason="not_undoable")
    return json_response(200, listed)


def _over_one_connection(job: Job, principal: Principal) -> Job:
    """Return the job with the connection it uses. Raises NotFound, and Conflict when the request has to name one."""
    rule = job.request.get("connection")
    if isinstance(rule, dict):
        for each in sorted(set(rule.get("values", {}).values())):
            _selected(principal, each)
        return job
    return as_one_of(job, _selected(principal, rule).connection_id)


def _selected(principal: Principal, requested: str | None) -> Connection:
    return select(principal, requested, connections(), app=settings().zoom_client_id)


def _found(principal: Principal, job_id: str) -> Job:
    job = store().get(principal.tenant, job_id) if _JOB_ID.fullmatch(job_id) else None
    if job is None or not _sees(principal, job):
        raise NotFound("There is no such job.", reason="job_unknown")
    return job


def _sees(principal: Principal, job: Job) -> bool:
    """Return whether a caller may see a job: people see their own, and a bound key those over its connection."""
    if principal.connection is not None and job.request.get("connection") != principal.connection:
        return False
    return principal.is_key or principal.may("connections:all") or job.principal.subject == principal.subject


def _changed(job: Job, state: State, *, reason: str | None = None) -> Response:
    changed = store().change_state(job, state, seen=may_become(state), now=time.time(), reason=reason)
    if changed is None:
        current = store().get(job.tenant, job.job_id) or job
        raise Conflict(
            f"The job is {current.state}.", reason="job_state", details={"state": str(current.state), "id": job.job_id}
        )
    if state is State.WAITING:
        _start(changed)
    return json_response(200, _shown(changed))


def _start(job: Job) -> None:
    """Start the job's execution. If that fails, the watch starts it some minutes later."""
    try:
        executions().start(job)
    except DependencyFailed as error:
        observability.logger().warning("execution not started", job=job.job_id, reason=error.reason)


def _shown(job: Job) -> dict[str, Any]:
    operation = by_name().get(job.operation)
    rate = None if operation is None else fastest(operation, settings().budget, "")
    return view(job, by_name(), now=time.time(), fastest=rate)
