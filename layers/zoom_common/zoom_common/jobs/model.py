"""A job, its rows, their counts, and the forecast of its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import ceil
from typing import Any

from zoom_common.access.principal import Principal
from zoom_common.zoom import rate_limits
from zoom_common.zoom.operations.model import Operation
from zoom_common.zoom.rate_limits import USER_DAILY, until_midnight

# How long a job, its rows and its results are kept, in seconds.
LIFE = 30 * 86_400
MOST_INLINE_ROWS = 1_000
MOST_ROWS = 100_000
# The number of kinds of errors that a job counts separately. All further kinds are counted as OTHER_ERRORS.
_MOST_KINDS = 30
OTHER_ERRORS = "other"
# The kind of a row that was erased.
ERASED = "erased"


class State(StrEnum):
    """The state of a job."""

    WAITING = "waiting"  # not begun, or waits for a file or for one of Zoom's limits
    RUNNING = "running"
    PAUSED = "paused"  # by a person, or for the reason in `reason`
    DONE = "done"  # every row succeeded or failed
    CANCELLED = "cancelled"
    FAILED = "failed"  # the job itself could not be carried out; `reason` says why


ENDED = frozenset({State.DONE, State.CANCELLED, State.FAILED})


class RowState(StrEnum):
    """The state of a row. From SENT on, something may have been made for it."""

    WAITING = "waiting"
    SENT = "sent"
    SUCCEEDED = "succeeded"
    FAILED = "failed"


FINISHED = frozenset({RowState.SUCCEEDED, RowState.FAILED})


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows succeeded and failed, and the kinds of errors."""

    succeeded: int = 0
    failed: int = 0
    errors: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Return how many rows are finished."""
        return self.succeeded + self.failed

    def counting(self, row: Row) -> Tally:
        """Return the tally with a finished row added. A row that is not finished changes nothing."""
        if row.state is RowState.SUCCEEDED:
            return replace(self, succeeded=self.succeeded + 1)
        if row.state is not RowState.FAILED:
            return self
        kind = row.kind or OTHER_ERRORS
        if kind not in self.errors and len(self.errors) >= _MOST_KINDS:
            kind = OTHER_ERRORS
        errors = {**self.errors, kind: self.errors.get(kind, 0) + 1}
        return replace(self, failed=self.failed + 1, errors=errors)

    def to_values(self) -> dict[str, Any]:
        """Return the tally as a stored value."""
        return {"succeeded": self.succeeded, "failed": self.failed, "errors": dict(self.errors)}

    @classmethod
    def of(cls, values: Mapping[str, Any] | None) -> Tally:
        """Return the tally in a stored value."""
        found = values or {}
        errors = {str(kind): int(count) for kind, count in dict(found.get("errors") or {}).items()}
        return cls(int(found.get("succeeded", 0)), int(found.get("failed", 0)), errors)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a job. `number` counts from 1 in the order of the input; times are epoch seconds.

    `line` is its row in the spreadsheet. `values` are the input, unchanged. `first_sent` is when something may have
    been made for it for the first time; it is not tried again before `due`. `status` and `code` are Zoom's; `ids` are
    those in Zoom's answer; `kind` and `message` say why it failed.
    """

    number: int
    values: Mapping[str, Any] | None = field(repr=False)
    line: int | None = None
    state: RowState = RowState.WAITING
    tries: int = 0
    first_sent: float | None = None
    due: float = 0.0
    status: int | None = None
    code: int | None = None
    ids: Mapping[str, str] = field(default_factory=dict, repr=False)
    kind: str | None = None
    message: str | None = field(default=None, repr=False)

    @property
    def finished(self) -> bool:
        """Whether nothing is left to do for the row."""
        return self.state in FINISHED


def erased(number: int) -> Row:
    """Return the row that stands for an erased one."""
    return Row(number=number, values=None, state=RowState.FAILED, kind=ERASED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job as last read. Times are epoch seconds, `pace` is in rows a second.

    `request` is the caller's request without the rows. `rows` is None until a file has been read. All rows before
    number `cursor` are finished, and `before` counts them; `seen` counts all that are known to be finished. `run`
    numbers the executions of the job: an execution with another number stops. `wake_at` is when the next sign of life
    is due. `closed` says until when a host accepts no more creates and updates, by the host's digest. `busiest` is the
    number of open rows of the host with the most of them, and `host_left` how many of these fit into today.
    """

    tenant: str
    job_id: str
    principal: Principal
    operation: str
    request: Mapping[str, Any] = field(repr=False)
    fingerprint: str
    created_at: float
    state: State = State.WAITING
    reason: str | None = None
    rows: int | None = None
    cursor: int = 1
    before: Tally = field(default_factory=Tally)
    seen: Tally = field(default_factory=Tally)
    run: int = 1
    slices: int = 0
    wake_at: float = 0.0
    not_before: float = 0.0
    lease_owner: str = ""
    lease_until: float = 0.0
    started_at: float | None = None
    finished_at: float | None = None
    pace: float | None = None
    busiest: int = 0
    host_left: int | None = None
    closed: Mapping[str, float] = field(default_factory=dict)
    notes: Mapping[str, Any] = field(default_factory=dict)

    @property
    def dry_run(self) -> bool:
        """Whether rows are only checked."""
        return bool(self.request.get("dry_run"))

    @property
    def from_file(self) -> bool:
        """Whether the rows come in a file."""
        return "file" in self.request

    @property
    def left(self) -> int:
        """The number of rows that are not finished, as far as known."""
        return max(0, (self.rows or 0) - self.seen.total)

    @property
    def resumes_by_itself(self) -> bool:
        """Whether it is paused until a known time."""
        return self.state is State.PAUSED and self.not_before > 0


# How many rows of a job are sent at once.
LANES = 8
# Rows a second in one lane before anything was measured: about as long as Zoom takes for a call.
USUAL_PACE = 3.0
_DAY = 86_400.0
# A pace is averaged over about this many seconds.
_MEMORY = 60.0


@dataclass(frozen=True, slots=True)
class Forecast:
    """When a job will be done, in epoch seconds, and what limits it: `pace`, `user_daily_limit` or a person."""

    done_at: float | None
    limited_by: str

    def view(self, now: float) -> dict[str, Any]:
        """Return the forecast as the API shows it."""
        left = None if self.done_at is None else max(0, round(self.done_at - now))
        return {"done_at": self.done_at, "seconds_left": left, "limited_by": self.limited_by}


def paced(former: float | None, *, rows: int, seconds: float) -> float | None:
    """Return the pace in rows a second after `rows` more took `seconds`. Older measurements count less and less."""
    if seconds <= 0:
        return former
    measured = rows / seconds
    if former is None:
        return measured if rows else None
    weight = min(1.0, seconds / _MEMORY)
    return former + (measured - former) * weight


def forecast(job: Job, operation: Operation | None, *, now: float, fastest: float | None = None) -> Forecast | None:
    """Return when `job` will be done, or None when it has ended or the number of its rows is not known yet.

    `fastest` is the most rows a second that Zoom's limit for the operation allows. For a job that waits for a person,
    no time is known.
    """
    if job.state in ENDED or job.rows is None:
        return None
    if job.state is State.PAUSED and not job.resumes_by_itself:
        return Forecast(None, job.reason or "paused")
    begins = max(now, job.not_before)
    usual = USUAL_PACE * _lanes_used(job, operation)
    pace = job.pace or min(usual, fastest or usual)
    at_pace = begins + job.left / pace
    by_day, limit = begins, "pace"
    if job.notes.get("rows_a_day"):
        today, a_day = float(job.notes.get("rows_today", 0)), float(job.notes["rows_a_day"])
        by_day, limit = _by_day(job.left, today, a_day, begins, pace), "backfill_budget"
    elif operation is not None and operation.counts_for_user and not job.dry_run:
        today = USER_DAILY if job.host_left is None else job.host_left
        by_day, limit = _by_day(job.busiest, today, USER_DAILY, begins, pace), "user_daily_limit"
    return Forecast(by_day, limit) if by_day > at_pace else Forecast(at_pace, "pace")


def _lanes_used(job: Job, operation: Operation | None) -> int:
    """Return how many lanes a job uses: one for all rows of a host, and one for operations without rows."""
    if operation is None:
        return 1
    if not operation.counts_for_user:
        return LANES
    return min(LANES, ceil((job.rows or 0) / job.busiest)) if job.busiest else 1


def _by_day(rows: int, today: float, a_day: float, begins: float, pace: float) -> float:
    """Return when `rows` are done if `today` fit into today and `a_day` into each day from 00:00 UTC."""
    if rows <= today:
        return begins + rows / pace
    days = max(0, ceil((rows - today) / a_day) - 1)
    return begins + until_midnight(begins) + days * _DAY + (rows - today - days * a_day) / pace


def fastest(operation: Operation, rules: Any, account: str) -> float:
    """Return how many calls of an operation a second the background part of an account's rate budget allows."""
    rate = rate_limits.rate(rules.of(account), operation.label)
    return float(rate.calls * rules.share * (1.0 - rules.reserve) * rules.pace / rate.seconds)
