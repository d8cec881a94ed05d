"""One row of a job: its call through the gateway, and what the outcome means for the row, its host and the job.

A row is sent again only if that cannot make anything twice. The gateway's idempotency record decides for a day. After
that, the ledger knows since when something may have been made, and the gateway looks for it before it sends anything.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from zoom_common import observability
from zoom_common.deadline import Deadline
from zoom_common.errors import (
    Conflict,
    ConnectionUnusable,
    Forbidden,
    GatewayError,
    InvalidRequest,
    NotFound,
    OutcomeUnknown,
    TooManyRequests,
    ZoomRefused,
)
from zoom_common.gateway.context import Call, addressed
from zoom_common.gateway.create_lookup import LISTED_AT, LookupInconclusive, can_be_found, candidates
from zoom_common.gateway.service import Answer, Gateway
from zoom_common.jobs.mapping import RowRequest
from zoom_common.jobs.model import Job, Row, RowState
from zoom_common.zoom.http import HttpResponse
from zoom_common.zoom.operations.model import Operation
from zoom_common.zoom.rate_limits import Limit, until_midnight

CONNECTION_LOST, ACCOUNT_CLOSED, KEY_REVOKED = "connection_lost", "account_closed_for_the_day", "key_revoked"
OUTCOME_UNKNOWN, INVALID_ROW = "outcome_unknown", "invalid_row"
# The gateway's own records of creates live for 24 hours. From this age on, the ledger looks itself. In seconds.
_RECORD_MAY_BE_GONE = 23 * 3600
_MOST_TRIES = 20
INTERNAL_ERROR = "internal_error"
_BROKEN = "Something went wrong inside the gateway. The log has an entry about the row, for operators."
# The longest time of one try, in seconds.
CALL_SECONDS = 28.0
_FIRST_WAIT, _LONGEST_WAIT = 5.0, 900.0
# Zoom asks to wait longer than this only when a day's limit is used up. In seconds.
_LONG = 900
_NAMES = ("id", "uuid", "registrant_id", "join_url", "email")
_DELETED = 404


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of one try.

    `row` is finished, or to be tried again at `row.due`. `pause` is why the whole job stops, until `until` if that is
    known. `close` is until when the row's host accepts no more creates and updates. `left_today` is how many the host
    had left after this one, if counted.
    """

    row: Row
    sent: bool = True
    pause: str | None = None
    until: float | None = None
    close: float | None = None
    left_today: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RowCalls:
    """Makes the calls of rows. `send` is the gateway's call with a log line; `clock` gives epoch seconds.

    `ids_of_job` returns the ids of what a job is known to have made.
    """

    gateway: Gateway
    send: Callable[[Call], Answer]
    clock: Callable[[], float]
    monotonic: Callable[[], float]
    ids_of_job: Callable[[Job], Collection[str]]

    def attempt(
        self,
        job: Job,
        row: Row,
        operation: Operation,
        request: RowRequest,
        *,
        connection: str | None,
        again: bool,
    ) -> Verdict:
        """Try a claimed row once and return the result. Never raises for an answer of Zoom's or the gateway's.

        `again` says that an earlier try may have been carried out.
        """
        deadline = Deadline.after(CALL_SECONDS, clock=self.monotonic)
        call = call_of(job, row, operation, request, connection=connection, deadline=deadline)
        try:
            if again and self._record_may_be_gone(row, operation):
                found = self._made_before(job, row, call, connection)
                if found is not None:
                    return Verdict(_succeeded(row, found.status, found.body))
            answer = self.send(call)
        except GatewayError as error:
            return self.meaning(job, row, call, error, again=again)
        except Exception as error:  # noqa: BLE001 - a fault with one row must not stop all others
            return self.broken(job, row, call, error)
        return Verdict(_succeeded(row, answer.status, answer.body), left_today=call.stats.left_today)

    def _record_may_be_gone(self, row: Row, operation: Operation) -> bool:
        first = row.first_sent
        old = first is not None and self.clock() - first > _RECORD_MAY_BE_GONE
        return old and operation.method == "POST"

    def _made_before(self, job: Job, row: Row, call: Call, connection: str | None) -> HttpResponse | None:
        """Return what an earlier try made, or None when it made nothing. Raises OutcomeUnknown when it is not clear."""
        call.bind(self.gateway.select(job.principal, connection))
        call.ids = addressed(call.connection, call.operation, call.ids)
        try:
            found = candidates(self.gateway.client, call, since=row.first_sent or 0.0)
        except LookupInconclusive:
            raise OutcomeUnknown from None
        known = self.ids_of_job(job) if found and call.operation.name in LISTED_AT else ()
        free = [response for made, response in found if made is None or made not in known]
        if len(free) > 1:
            raise OutcomeUnknown
        return HttpResponse(call.operation.success, free[0].headers, free[0].body) if free else None

    def broken(self, job: Job, row: Row, call: Call, error: Exception) -> Verdict:
        """Return the failure of a row whose call broke our own code."""
        observability.logger().error("row failed", job=job.job_id, row=row.number, error=type(error).__qualname__)
        observability.count("UnexpectedErrors")
        return Verdict(_failed(row, OUTCOME_UNKNOWN if call.stats.tries else INTERNAL_ERROR, _BROKEN))

    def meaning(self, job: Job, row: Row, call: Call, error: GatewayError, *, again: bool) -> Verdict:
        """Return what the failure of a call means for a row that it was made for."""
        operation, row_names_connection = call.operation, isinstance(job.request.get("connection"), dict)
        sent = call.stats.tries > 0 or again
        if isinstance(error, OutcomeUnknown):
            return self._unknown(row, operation, call)
        if isinstance(error, ZoomRefused):
            return self._zoom_refused(row, operation, call, error, again=again)
        if isinstance(error, TooManyRequests):
            return self._limited(row, error.reason, float(error.retry_after), sent=sent)
        # Where each row names its connection, a missing connection is that row's fault.
        stops = None if isinstance(error, NotFound) and row_names_connection else _stops_the_job(error)
        if stops is not None:
            return self._paused(row, stops, sent=sent)
        if error.retryable or "retry-after" in error.headers:
            wait = error.headers.get("retry-after")
            return self._later(row, sent=sent, wait=None if wait is None else float(wait))
        kind, message = (
            (INVALID_ROW, _named(error)) if isinstance(error, InvalidRequest) else (error.reason, str(error))
        )
        return Verdict(_failed(row, kind, message, status=error.status))

    def _unknown(self, row: Row, operation: Operation, call: Call) -> Verdict:
        """Return the result after a lost answer. What can be repeated or looked for is tried again."""
        again = operation.method != "POST" or can_be_found(call)
        if again and row.tries < _MOST_TRIES:
            return self._later(row, sent=True, wait=60.0 if operation.method == "POST" else None)
        message = "Zoom gave no answer. The row may have been carried out: check at Zoom before you send it again."
        return Verdict(_failed(row, OUTCOME_UNKNOWN, message))

    def _zoom_refused(self, row: Row, operation: Operation, call: Call, error: ZoomRefused, *, again: bool) -> Verdict:
        if error.status == 429:  # noqa: PLR2004 - HTTP's own number
            limit, wait = error.headers.get("x-zoom-limit"), float(error.headers.get("retry-after") or 1)
            reason = {Limit.PER_USER: "user_daily_limit", Limit.DAILY: "daily_limit"}.get(limit or "", "")  # type: ignore[call-overload]
            return self._limited(row, reason, wait, sent=again)
        if error.status == _DELETED and operation.method == "DELETE" and again:
            return Verdict(_succeeded(row, error.status, error.body))  # an earlier try had deleted it
        if error.status == 401 and not call.stats.request_at_fault:  # noqa: PLR2004 - HTTP's own number
            return self._paused(row, CONNECTION_LOST, sent=again)
        if error.missing_scopes:
            return self._paused(row, "missing_zoom_scopes", sent=again)
        if error.retryable and row.tries < _MOST_TRIES and (operation.method != "POST" or can_be_found(call)):
            return self._later(row, sent=True, wait=60.0)
        unclear = error.status >= 500 and operation.method == "POST"  # noqa: PLR2004 - Zoom says it failed, no more
        kind = OUTCOME_UNKNOWN if unclear else error.reason
        failed = _failed(row, kind, zoom_message(error.body), status=error.status)
        return Verdict(replace(failed, code=error.zoom_code))

    def _limited(self, row: Row, reason: str, wait: float, *, sent: bool) -> Verdict:
        now = self.clock()
        if reason == "user_daily_limit":
            midnight = now + until_midnight(now)
            return Verdict(replace(row, due=midnight), sent=sent, close=midnight, left_today=0)
        if reason == "daily_limit" or wait > _LONG:
            return Verdict(replace(row, due=now), sent=sent, pause=ACCOUNT_CLOSED, until=now + wait)
        return Verdict(replace(row, due=now + min(wait, _LONGEST_WAIT)), sent=sent)

    def _later(self, row: Row, *, sent: bool, wait: float | None = None) -> Verdict:
        if row.tries >= _MOST_TRIES:
            message = "Zoom could not be reached in many tries. As far as is known, nothing was made."
            kind = OUTCOME_UNKNOWN if sent else "zoom_unavailable"
            return Verdict(_failed(row, kind, message))
        usual = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0 ** (row.tries - 1))
        return Verdict(replace(row, due=self.clock() + (usual if wait is None else wait)), sent=sent)

    def _paused(self, row: Row, reason: str, *, sent: bool) -> Verdict:
        return Verdict(replace(row, due=self.clock()), sent=sent, pause=reason)


@dataclass(frozen=True, slots=True)
class Stop:
    """What a failed call means for a job that makes it for many rows.

    `failed`: the call will never succeed. `pauses`: a person has to help, or Zoom's limit has to pass at `until`.
    `unknown`: it may have been carried out. Otherwise the call is made again at `until`.
    """

    reason: str
    message: str = field(default="", repr=False)
    failed: bool = False
    pauses: bool = False
    unknown: bool = False
    until: float | None = None
    status: int | None = None
    code: int | None = None


def stop_of(error: GatewayError, *, now: float) -> Stop:
    """Return what the failure of a call means for the whole job. `now` and `until` are in epoch seconds."""
    stops = _stops_the_job(error)
    if stops is not None or (isinstance(error, ZoomRefused) and (error.status == 401 or error.missing_scopes)):  # noqa: PLR2004
        return Stop(stops or CONNECTION_LOST, pauses=True)
    if isinstance(error, ZoomRefused) and error.status != 429 and not error.retryable:  # noqa: PLR2004
        return Stop(error.reason, zoom_message(error.body), failed=True, status=error.status, code=error.zoom_code)
    wait = float(error.headers.get("retry-after") or getattr(error, "retry_after", 0) or 30.0)
    if wait > _LONG:
        return Stop(ACCOUNT_CLOSED, pauses=True, until=now + wait)
    if error.retryable or isinstance(error, TooManyRequests):
        return Stop(error.reason, until=now + wait)
    return Stop(error.reason, str(error), failed=True, status=error.status)


def key_of(job: Job, row: Row) -> str:
    """Return the Idempotency-Key of a row: the same for every try, and different from other rows' keys."""
    return f"{job.job_id}:{row.number}"


def call_of(
    job: Job, row: Row, operation: Operation, request: RowRequest, *, connection: str | None, deadline: Deadline
) -> Call:
    """Return the call of a row, with the principal of the caller who made the job."""
    headers = {"idempotency-key": key_of(job, row)} if operation.method == "POST" else {}
    if connection is not None:
        headers["x-zoom-connection"] = connection
    return Call(
        principal=job.principal,
        operation=operation,
        ids=request.ids,
        query_string=request.query_string,
        headers=headers,
        body=request.body,
        deadline=deadline,
    )


def _stops_the_job(error: GatewayError) -> str | None:
    """Return why the whole job has to stop, or None. Without a connection or a scope, every other row fails too."""
    if isinstance(error, Forbidden):
        return error.reason
    waits = isinstance(error, Conflict) and "retry-after" not in error.headers
    return CONNECTION_LOST if waits or isinstance(error, NotFound | ConnectionUnusable) else None


def _succeeded(row: Row, status: int, body: bytes) -> Row:
    return replace(row, state=RowState.SUCCEEDED, status=status, ids=ids_in(body))


def _failed(row: Row, kind: str, message: str, *, status: int | None = None) -> Row:
    return replace(row, state=RowState.FAILED, kind=kind, message=message, status=status)


def refused(row: Row, faults: Collection[Any]) -> Row:
    """Return a row that cannot become a request as failed, with the column and the fix of each fault."""
    place = f"Row {row.line or row.number}"
    return _failed(row, INVALID_ROW, " ".join(f"{place}, column {each.field}: {each.message}" for each in faults))


def ids_in(body: bytes) -> dict[str, str]:
    """Return the ids and the join link in an answer, without any link that makes its reader the host."""
    try:
        found = json.loads(body) if body.strip() else {}
    except (ValueError, RecursionError):
        return {}
    members: Mapping[str, Any] = found if isinstance(found, dict) else {}
    kept = {name: members.get(name) for name in _NAMES}
    return {name: str(value) for name, value in kept.items() if isinstance(value, str | int) and value != ""}


def _named(error: InvalidRequest) -> str:
    return " ".join(f"{each.field}: {each.message}" for each in error.fields) or str(error)


def zoom_message(body: bytes) -> str:
    """Return the text of Zoom's error, with the fields it names."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(found, dict):
        return ""
    errors = found.get("errors")
    listed = [each for each in errors if isinstance(each, dict)] if isinstance(errors, list) else []
    more = " ".join(f"{each.get('field')}: {each.get('message')}" for each in listed)
    return f"{found.get('message', '')} {more}".strip()[:1000]
