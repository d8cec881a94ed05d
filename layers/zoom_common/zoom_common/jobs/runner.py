"""The engine's step: one slice of a job. The row ledger is the truth; a slice may run twice, or not at all.

A slice leases its job, works on the rows that are open, and says what the state machine does next. Whatever it learns
it writes to the ledger first. When it crashes, the lease ends, and the next slice begins where the ledger is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from itertools import batched
from math import ceil
from typing import Any, Protocol

from zoom_common import observability
from zoom_common.access.principal import Principal
from zoom_common.deadline import Deadline
from zoom_common.errors import FieldError
from zoom_common.jobs import rows as row_calls
from zoom_common.jobs.files import Unusable, store_rows
from zoom_common.jobs.mapping import UNKNOWN_HOST, ColumnMapping, RowRefused, host_of, request_of
from zoom_common.jobs.model import ENDED, Job, Row, RowState, State, Tally, erased, paced
from zoom_common.jobs.rows import RowCalls, Stop, Verdict
from zoom_common.jobs.store import JobStore
from zoom_common.zoom.operations.model import Operation

END, AGAIN, WAIT = "end", "again", "wait"
# An execution ends after so many slices and another one goes on: Step Functions keeps 25,000 events of each.
# https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
MOST_SLICES = 2_000
# In seconds: how long after its time a sign of life may still come.
GRACE = 120.0
UPLOAD_SECONDS = 3_600.0
_PAGE = 250
_CHUNK = 10
_KEY_CHECK_SECONDS = 60.0
# Shorter waits are no reason to call a job waiting.
_SHORT_WAIT = 90.0
_SOON = 5.0


@dataclass(frozen=True, slots=True)
class Step:
    """What the state machine does next: another slice at once, one after `seconds`, or nothing more."""

    next: str
    seconds: int = 0


class Lost(Exception):
    """Another slice has the job, or somebody paused or cancelled it: the ledger is right, and nothing is to do."""


class Work(Protocol):
    """An operation that is no row of the operations table: it does its own slices over the same ledger."""

    def __call__(self, slice_: Slice) -> Step:
        """Work until the slice is over. Raises Lost."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceRunner:
    """Runs slices. `key_refusal` says why the key that started a job may not go on, or None.

    `start` starts an execution for a job's run. `read_file` returns an uploaded file, or None while there is none, and
    `delete_file` removes it. `slice_seconds` is how long a slice works, `lease_seconds` how long it can live at most.
    `each` maps a function over rows. `works` are the operations that are no rows of the operations table.
    """

    store: JobStore
    calls: RowCalls
    operations: Mapping[str, Operation]
    key_refusal: Callable[[Principal], str | None]
    start: Callable[[Job], None]
    read_file: Callable[[Job], bytes | None]
    delete_file: Callable[[Job], None]
    clock: Callable[[], float]
    monotonic: Callable[[], float]
    new_owner: Callable[[], str]
    slice_seconds: float = 240.0
    lease_seconds: float = 300.0
    each: Callable[[Callable[[Row], Any], Sequence[Row]], Iterable[Any]] = map
    works: Mapping[str, Work] = field(default_factory=dict)

    def run(self, tenant: str, job_id: str, run: int) -> Step:
        """Run one slice of a job. Raises Unavailable when the ledger cannot be reached; the engine tries again."""
        for _ in range(3):
            job = self.store.get(tenant, job_id)
            step = self._not_now(job, run)
            if job is None or step is not None:
                return step or Step(END)
            owner, now = self.new_owner(), self.clock()
            until = now + self.lease_seconds
            begun = self.store.begin_slice(job, run=run, owner=owner, now=now, until=until, wake_at=until + GRACE)
            if begun is not None and begun.slices > MOST_SLICES:
                return self._hand_over(begun, owner)
            if begun is not None:
                return self._work(Slice(self, begun, owner, Deadline.after(self.slice_seconds, clock=self.monotonic)))
        return Step(WAIT, 5)

    def _not_now(self, job: Job | None, run: int) -> Step | None:
        """Return what to do instead of a slice, or None when it may begin."""
        if job is None or job.run != run or job.state in ENDED:
            return Step(END)
        if job.state is State.PAUSED and not job.resumes_by_itself:
            return Step(END)
        wait = max(job.lease_until, job.not_before) - self.clock()
        return Step(WAIT, max(1, ceil(wait))) if wait > 0 else None

    def _hand_over(self, job: Job, owner: str) -> Step:
        """Let another execution go on. Should it not start, the watch finds the job."""
        now = self.clock()
        following = self.store.begin_run(job, wake_at=now + GRACE)
        self.store.end_slice(job, owner=owner, state=State.RUNNING, now=now, wake_at=now + GRACE)
        if following is not None:
            self.start(following)
        return Step(END)

    def _work(self, slice_: Slice) -> Step:
        try:
            refusal = self.key_refusal(slice_.job.principal)
            if refusal is not None:
                return slice_.pause(refusal)
            work = self.works.get(slice_.job.operation)
            waiting = read_rows(slice_) if slice_.job.rows is None and slice_.job.from_file else None
            if waiting is not None:
                return waiting
            return work(slice_) if work is not None else RowWork(slice_).run()
        except Lost:
            return Step(END) if slice_.stopped else Step(WAIT, 5)


@dataclass(slots=True, eq=False)
class Slice:
    """One slice under way: its job as last written, and how it ends."""

    runner: SliceRunner
    job: Job
    owner: str
    deadline: Deadline
    stopped: bool = False
    measured_at: float = 0.0
    checked_at: float = 0.0

    def __post_init__(self) -> None:
        """Begin to measure."""
        self.measured_at = self.checked_at = self.runner.clock()

    def save(self, job: Job, *, finished: int = 0) -> None:
        """Write progress. Raises Lost when another slice has the job or somebody has stopped it."""
        now = self.runner.clock()
        if finished:
            observability.count("JobRows", finished)
            job = replace(job, pace=paced(job.pace, rows=finished, seconds=now - self.measured_at))
            self.measured_at = now
        until = self.job.lease_until
        kept = self.runner.store.checkpoint(job, owner=self.owner, until=until, wake_at=until + GRACE)
        if kept is None:
            raise Lost
        self.job = kept
        if kept.state is not State.RUNNING:
            self.leave(State.RUNNING)
            self.stopped = True
            raise Lost
        self._check_key(now)

    def _check_key(self, now: float) -> None:
        if now - self.checked_at < _KEY_CHECK_SECONDS:
            return
        self.checked_at = now
        refusal = self.runner.key_refusal(self.job.principal)
        if refusal is not None:
            self.pause(refusal)
            self.stopped = True
            raise Lost

    def leave(
        self, state: State, *, wake_at: float = 0.0, reason: str | None = None, not_before: float | None = None
    ) -> Job:
        """End the slice and leave the job in `state`, unless somebody stopped it. Raises Lost."""
        now = self.runner.clock()
        left = self.runner.store.end_slice(
            self.job,
            owner=self.owner,
            state=state,
            now=now,
            wake_at=wake_at or now + GRACE,
            reason=reason,
            not_before=not_before,
        )
        if left is None:
            raise Lost
        self.job = left
        return left

    def again(self) -> Step:
        """End the slice because its time is over."""
        return Step(AGAIN) if self.leave(State.RUNNING).state is State.RUNNING else Step(END)

    def wait(self, until: float, *, reason: str | None = None) -> Step:
        """End the slice and let the next one begin at `until`, in epoch seconds."""
        seconds = max(1, ceil(until - self.runner.clock()))
        state = State.WAITING if seconds > _SHORT_WAIT or reason else State.RUNNING
        left = self.leave(state, wake_at=self.runner.clock() + seconds + GRACE, reason=reason)
        return Step(WAIT, seconds) if left.state is state else Step(END)

    def pause(self, reason: str, *, until: float | None = None) -> Step:
        """End the slice and pause the job, until `until` if that is known."""
        observability.count("JobsPaused", reason=reason)
        observability.logger().warning("job paused", job=self.job.job_id, reason=reason)
        if until is None:
            self.leave(State.PAUSED, reason=reason)
            return Step(END)
        self.leave(State.PAUSED, wake_at=until + GRACE, reason=reason, not_before=until)
        return Step(WAIT, max(1, ceil(until - self.runner.clock())))

    def stop(self, stop: Stop) -> Step:
        """End the slice as a call that failed wants it."""
        if stop.failed:
            return self.fail(stop.reason, stop.message)
        if stop.pauses:
            return self.pause(stop.reason, until=stop.until)
        return self.wait(stop.until or self.runner.clock() + _SOON)

    def done(self) -> Step:
        """End the job: every row is finished."""
        left = self.leave(State.DONE)
        observability.count("JobsEnded", state=str(left.state))
        return Step(END)

    def fail(self, reason: str, message: str = "") -> Step:
        """End the job because it cannot be carried out."""
        self.job = replace(self.job, notes={**self.job.notes, "failure": message})
        self.leave(State.FAILED, reason=reason)
        observability.count("JobsEnded", state=str(State.FAILED))
        return Step(END)


def revive(store: JobStore, start: Callable[[Job], None], *, now: float) -> int:
    """Start an execution for each job whose next sign of life is overdue, and return how many there were.

    An execution that is only late has an old run number then, and stops. Raises Unavailable.
    """
    revived = 0
    for tenant, job_id in store.active():
        job = store.get(tenant, job_id)
        if job is None or job.state in ENDED:
            store.forget_active(tenant, job_id)
            continue
        waits = job.state is State.PAUSED and not job.resumes_by_itself
        following = None if waits or job.wake_at > now else store.begin_run(job, wake_at=now + GRACE)
        if following is not None:
            start(following)
            observability.count("JobsRevived")
            revived += 1
    return revived


def read_rows(slice_: Slice) -> Step | None:
    """Turn the job's file into rows. Return None when they are there, else what to do instead."""
    runner, job, now = slice_.runner, slice_.job, slice_.runner.clock()
    content = runner.read_file(job)
    if content is None:
        age = now - job.created_at
        if age > UPLOAD_SECONDS:
            return slice_.fail("file_missing", "No file was sent to the upload address within an hour.")
        return slice_.wait(now + min(30.0, max(2.0, age / 10)), reason="waiting_for_file")
    try:
        rows = store_rows(runner.store, job, content)
    except Unusable as unusable:
        return slice_.fail(unusable.reason, str(unusable))
    counted = runner.store.counted(job, rows=rows, owner=slice_.owner)
    if counted is None:
        raise Lost
    slice_.job = counted
    runner.delete_file(counted)
    return None


class RowWork:
    """The rows of a job over an operation of the table."""

    def __init__(self, slice_: Slice) -> None:
        self._slice = slice_
        self._runner = slice_.runner
        self._operation = self._runner.operations[slice_.job.operation]
        self._mapping = ColumnMapping.of(slice_.job.request.get("mapping"))
        self._open_by_host: Counter[str] = Counter()
        self._left_by_host: dict[str, int] = {}
        self._pause: tuple[str, float | None] | None = None
        self._soonest: float | None = None
        self._by_limit = False

    def run(self) -> Step:
        """Go through the open rows once, as far as the slice's time allows."""
        if self._operation.counts_for_user and not self._slice.job.dry_run:
            self._count_hosts()
        number, scanned, known, prefix = self._slice.job.cursor, self._slice.job.before, self._slice.job.seen, True
        while page := self._page(number):
            for chunk in batched(page, _CHUNK, strict=False):
                tried, finished = self._try(chunk), 0
                for before, row in zip(chunk, tried, strict=True):
                    scanned = scanned.counting(row)
                    if row.finished and not before.finished:
                        known, finished = known.counting(row), finished + 1
                    prefix = prefix and row.finished
                    if prefix:
                        self._slice.job = replace(self._slice.job, cursor=row.number + 1, before=scanned)
                whole = chunk[-1].number >= (self._slice.job.rows or 0)
                self._save(scanned if whole or scanned.total > known.total else known, finished)
                if self._pause is not None:
                    reason, until = self._pause
                    return self._slice.pause(reason, until=until)
                if not self._slice.deadline.allows(0.0):
                    return self._slice.again()
            number = page[-1].number + 1
        return self._ended()

    def _ended(self) -> Step:
        if self._soonest is None:
            return self._slice.done()
        return self._slice.wait(self._soonest, reason="user_daily_limit" if self._by_limit else None)

    def _page(self, number: int) -> list[Row]:
        """Return the next rows; a row that was erased is there as a failed one."""
        last = min(self._slice.job.rows or 0, number + _PAGE - 1)
        if number > last:
            return []
        found = {row.number: row for row in self._runner.store.rows(self._slice.job, start=number, limit=_PAGE)}
        return [found.get(at) or erased(at) for at in range(number, last + 1)]

    def _save(self, seen: Tally, finished: int) -> None:
        job = replace(self._slice.job, seen=seen)
        if self._open_by_host:
            host, busiest = max(self._open_by_host.items(), key=lambda each: each[1])
            left = 0 if self._closed_until(host) > self._runner.clock() else self._left_by_host.get(host, job.host_left)
            job = replace(job, busiest=busiest, host_left=left)
        self._slice.save(job, finished=finished)

    def _count_hosts(self) -> None:
        number = self._slice.job.cursor
        while page := self._page(number):
            hosts = (self._host(row) for row in page if not row.finished)
            self._open_by_host.update(host for host in hosts if host is not None and not host.endswith(UNKNOWN_HOST))
            number = page[-1].number + 1

    def _host(self, row: Row) -> str | None:
        """Return whose creates and updates of the day a row counts for, or None when it counts for nobody's."""
        host = host_of(self._operation, self._mapping, row.values or {})
        rule = self._slice.job.request.get("connection")
        account = str((row.values or {}).get(str(rule["column"]), "")) if isinstance(rule, dict) else str(rule or "")
        return f"{account}#{host}" if host is not None else None

    def _closed_until(self, host: str) -> float:
        return self._slice.job.closed.get(_digest(host), 0.0)

    def _try(self, chunk: Sequence[Row]) -> list[Row]:
        """Try the rows of a chunk that can be tried now. Return all of them as they are then."""
        results = {row.number: self._put_off(row) for row in chunk}
        now = self._runner.clock()
        ready = [row for row in results.values() if not row.finished and row.due <= now]
        for row, verdict in self._runner.each(self._attempt, ready):
            results[row.number] = row if verdict is None else self._write(verdict)
        due = [row.due for row in results.values() if not row.finished]
        self._soonest = min([*due, *([] if self._soonest is None else [self._soonest])], default=None)
        return list(results.values())

    def _put_off(self, row: Row) -> Row:
        """Return a row as it is due: not before its host is open again."""
        host = self._host(row) if self._slice.job.closed and not row.finished else None
        until = self._closed_until(host) if host is not None else 0.0
        if until <= self._runner.clock():
            return row
        self._by_limit = True
        return replace(row, due=max(row.due, until))

    def _attempt(self, row: Row) -> tuple[Row, Verdict | None]:
        """Try a row. Return it with what came of it, or as it is due when it was not tried."""
        job, runner, now = self._slice.job, self._runner, self._runner.clock()
        row = self._put_off(row)
        if self._pause is not None or not self._slice.deadline.allows(0.0) or row.due > now:
            return row, None
        try:
            request = request_of(self._operation, self._mapping, row.values or {}, as_text=job.from_file)
            connection = connection_of(job.request.get("connection"), row.values or {})
        except RowRefused as refusal:
            return row, Verdict(row_calls.refused(row, refusal.faults))
        if job.dry_run:
            return row, Verdict(replace(row, state=RowState.SUCCEEDED))
        claimed = runner.store.claim(job, row, now=now)
        if claimed is None:  # erased, or claimed by a slice that took over: the checkpoint finds out
            return replace(row, due=now + _SOON), None
        again = row.state is RowState.SENT
        return row, runner.calls.attempt(job, claimed, self._operation, request, connection=connection, again=again)

    def _write(self, verdict: Verdict) -> Row:
        """Write what came of a row to the ledger, and note what it says about its host and the job."""
        row, store, host = verdict.row, self._runner.store, self._host(verdict.row)
        if verdict.pause is not None:
            self._pause = (verdict.pause, verdict.until)
        if verdict.close is not None:
            self._by_limit = True
            if host is not None:
                closed = {**self._slice.job.closed, _digest(host): verdict.close}
                self._slice.job = replace(self._slice.job, closed=closed)
        if host is not None and verdict.left_today is not None:
            self._left_by_host[host] = verdict.left_today
        if not row.finished:
            store.put_off(self._slice.job, row, until=row.due, sent=verdict.sent)
            return row
        if host is not None and host in self._open_by_host:
            self._open_by_host[host] -= 1
        written = store.finish(self._slice.job, row)
        return row if written else erased(row.number)


def connection_of(rule: Any, values: Mapping[str, Any]) -> str | None:
    """Return the connection that serves a row: the job's one, or the one that the rule's column names.

    Raises RowRefused when the column names none.
    """
    if not isinstance(rule, dict):
        return None if rule is None else str(rule)
    column, names = str(rule["column"]), rule.get("values") or {}
    value = str(values.get(column) or "").strip()
    found = names.get(value, value if not names else None)
    if not found:
        raise RowRefused([FieldError(column, "This column has to name a connection.")])
    return str(found)


def _digest(host: str) -> str:
    """Return a name for a host in the job's item that identifies no person."""
    return sha256(host.encode()).hexdigest()[:16]
