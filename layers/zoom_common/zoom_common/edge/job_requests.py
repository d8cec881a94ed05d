"""Checks requests for jobs field by field, and shows a job to its caller."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

from zoom_common.access.principal import CONNECTION_ID, Principal
from zoom_common.connections.views import iso
from zoom_common.errors import FieldError, Forbidden, InvalidRequest
from zoom_common.jobs import backfill, registrants
from zoom_common.jobs.mapping import UNKNOWN_HOST, ColumnMapping, host_of
from zoom_common.jobs.model import LIFE, MOST_INLINE_ROWS, Job, Row, State, forecast
from zoom_common.zoom.operations.model import Operation

_FIELDS = frozenset({"operation", "rows", "file", "connection", "mapping", "dry_run", "duplicates"})
# Further members of a request for the operations that have no row in the operations table.
_OPTIONS = {registrants.NAME: registrants.OPTIONS, backfill.NAME: backfill.OPTIONS}
_LARGEST_ROW = 256 * 1024
_MOST_NAMED = 20
_ID_LENGTH = 24


def read_job(
    body: Mapping[str, Any],
    principal: Principal,
    operations: Mapping[str, Operation],
    *,
    now: float,
    secret: str,
    connection: str | None,
) -> tuple[Job, list[Row]]:
    """Return the job that a request asks for, with its rows. Raises InvalidRequest and Forbidden.

    The job's id is derived from tenant and `secret`, so a repeated request makes the same job. `connection` is used
    where the body names none.
    """
    options = _OPTIONS.get(str(body.get("operation")), frozenset())
    unknown = sorted(body.keys() - _FIELDS - options)[:_MOST_NAMED]
    wrong = [FieldError(name, "Unknown field.") for name in unknown]
    operation = _operation(body, operations)
    if operation is None:
        wrong.append(FieldError("operation", "The name of an operation, such as meetings.create."))
    planned = body.get("operation") == backfill.NAME
    if planned:
        backfill.check_options(body, wrong, today=datetime.fromtimestamp(now, UTC).date())
        given = sorted(body.keys() & {"rows", "file", "mapping", "duplicates"})
        wrong += [FieldError(name, "A backfill plans its rows itself.") for name in given]
    elif options:
        registrants.check_options(body, wrong)
    rows = None if planned else _rows(body, wrong)
    _check_choices(body, wrong)
    rule = _connection_rule(body.get("connection", connection), wrong)
    if options and isinstance(rule, dict):
        wrong.append(FieldError("connection", "The id of one connection."))
    if wrong or operation is None:
        raise InvalidRequest(wrong)
    if not principal.may(operation.gateway_scope):
        raise Forbidden([operation.gateway_scope])
    mapping = ColumnMapping.of(body.get("mapping"))
    kept = ("mapping", "dry_run", "duplicates", "file", *sorted(options))
    request: dict[str, Any] = {each: body[each] for each in kept if each in body}
    if rule is not None:
        request["connection"] = rule
    job = Job(
        tenant=principal.tenant,
        job_id=job_id(principal.tenant, secret),
        principal=principal,
        operation=operation.name,
        request=request,
        fingerprint=sha256(json.dumps(body, sort_keys=True).encode()).hexdigest(),
        created_at=now,
        rows=None if rows is None else len(rows),
        wake_at=now + 60.0,
        busiest=0 if rows is None else _busiest(operation, mapping, rows),
    )
    return job, rows or []


def _operation(body: Mapping[str, Any], operations: Mapping[str, Operation]) -> Operation | None:
    name = body.get("operation")
    if name == registrants.NAME:
        kind = "webinars" if "webinar" in body else "meetings"
        return replace(operations[f"{kind}.registrants.batch"], name=registrants.NAME)
    if name == backfill.NAME:  # A backfill only reads; what it finds becomes events.
        return replace(operations["reports.users"], name=name, gateway_scope="events:write")
    return operations.get(name) if isinstance(name, str) else None


def job_id(tenant: str, secret: str) -> str:
    """Return the id of a job, which is always the same for one tenant and secret."""
    return "job_" + sha256(f"{tenant}\0{secret}".encode()).hexdigest()[:_ID_LENGTH]


def _rows(body: Mapping[str, Any], wrong: list[FieldError]) -> list[Row] | None:
    given = body.get("rows")
    if ("file" in body) == (given is not None):
        wrong.append(FieldError("rows", "Send either rows, or file to get an address for one."))
        return None
    if given is None:
        if not isinstance(body["file"], dict | bool | str) or body["file"] is False:
            wrong.append(FieldError("file", "An object, which may be empty."))
        return None
    if not isinstance(given, list) or not 0 < len(given) <= MOST_INLINE_ROWS:
        wrong.append(FieldError("rows", f"A list of 1 to {MOST_INLINE_ROWS} objects. Send more rows as a file."))
        return None
    for at, each in enumerate(given):
        if not isinstance(each, dict):
            wrong.append(FieldError(f"rows[{at}]", "Must be an object."))
        elif len(json.dumps(each)) > _LARGEST_ROW:
            wrong.append(FieldError(f"rows[{at}]", "The row is too large."))
        if len(wrong) >= _MOST_NAMED:
            break
    return None if wrong else [Row(number=at, values=each) for at, each in enumerate(given, start=1)]


def _check_choices(body: Mapping[str, Any], wrong: list[FieldError]) -> None:
    if not isinstance(body.get("dry_run", False), bool):
        # A value that is neither true nor false must not change anything.
        wrong.append(FieldError("dry_run", "true or false."))
    if body.get("duplicates", "refuse") not in ("refuse", "keep"):
        wrong.append(FieldError("duplicates", "refuse or keep."))
    try:
        ColumnMapping.of(body.get("mapping"))
    except InvalidRequest as invalid:
        wrong.extend(invalid.fields)


def _connection_rule(rule: Any, wrong: list[FieldError]) -> Any:
    """Return the id of one connection, or the rule by which each row names one."""
    if rule is None or (isinstance(rule, str) and CONNECTION_ID.fullmatch(rule)):
        return rule
    given = rule if isinstance(rule, dict) else {}
    column, values = given.get("column"), given.get("values", {})
    known = not given.keys() - {"column", "values"}
    if known and isinstance(column, str) and column and isinstance(values, dict):
        if all(isinstance(each, str) and CONNECTION_ID.fullmatch(each) for each in values.values()):
            return rule
        wrong.append(FieldError("connection.values", "An object from values of the column to ids of connections."))
    else:
        wrong.append(FieldError("connection", 'The id of a connection, or {"column": ...} for one in each row.'))
    return None


def _busiest(operation: Operation, mapping: ColumnMapping, rows: Sequence[Row]) -> int:
    hosts = Counter(host_of(operation, mapping, row.values or {}) for row in rows)
    return max((count for host, count in hosts.items() if host not in {None, UNKNOWN_HOST}), default=0)


def view(job: Job, operations: Mapping[str, Operation], *, now: float, fastest: float | None = None) -> dict[str, Any]:
    """Return a job as the API shows it."""
    errors = [{"kind": kind, "rows": count} for kind, count in sorted(job.seen.errors.items())]
    found = forecast(job, operations.get(job.operation), now=now, fastest=fastest)
    shown: dict[str, Any] = {
        "id": job.job_id,
        "operation": job.operation,
        "state": str(job.state),
        "reason": job.reason,
        "dry_run": job.dry_run,
        "connection": job.request.get("connection"),
        "created_at": iso(job.created_at),
        "started_at": _when(job.started_at),
        "finished_at": _when(job.finished_at),
        "resumes_at": _when(job.not_before) if job.resumes_by_itself else None,
        "expires_at": iso(job.created_at + LIFE),
        "progress": {
            "rows": job.rows,
            "succeeded": job.seen.succeeded,
            "failed": job.seen.failed,
            "left": None if job.rows is None else job.left,
        },
        "rate": {"rows_per_second": None if job.pace is None else round(job.pace, 2)},
        "errors": errors,
        "forecast": None
        if found is None
        else {
            **found.view(now),
            "done_at": None if found.done_at is None else iso(found.done_at),
            "before_expiry": None if found.done_at is None else found.done_at < job.created_at + LIFE,
        },
    }
    if job.notes:
        shown["notes"] = dict(job.notes)
    return shown


def as_one_of(job: Job, connection: str) -> Job:
    """Return the job with this connection fixed, so that one linked later makes no difference."""
    return replace(job, request={**job.request, "connection": connection})


def may_become(state: State) -> Sequence[State]:
    """Return the states from which a caller may bring a job into `state`."""
    running = [State.WAITING, State.RUNNING]
    return {State.PAUSED: running, State.WAITING: [State.PAUSED]}.get(state, [*running, State.PAUSED])


def _when(at: float | None) -> str | None:
    return None if not at else iso(at)
