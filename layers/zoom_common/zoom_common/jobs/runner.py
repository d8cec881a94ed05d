"""Runs one slice of a job. Only the row ledger is authoritative: a slice may run twice, or not at all.

A slice leases its job, works on the open rows, and tells the state machine what to do next. It stores everything in the
ledger first. When it crashes, its lease expires, and the next slice continues from the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil
from typing import Protocol

from zoom_common import observability
from zoom_common.access.principal import Principal
from zoom_common.deadline import Deadline
from zoom_common.jobs.engine_client import UPLOAD_SECONDS
from zoom_common.jobs.files import Unusable, store_rows
from zoom_common.jobs.model import ENDED, Job, Row, State, erased, paced
from zoom_common.jobs.rows import RowCalls, Stop
from zoom_common.jobs.store import JobStore
from zoom_common.zoom.operations.model import Operation

END, AGAIN, WAIT = "end", "again", "wait"
# An execution ends after this many slices and another one continues, because Step Functions keeps 25,000 events of
# each. https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html
MOST_SLICES = 2_000
# In seconds: how late a sign of life may be.
GRACE = 120.0
_PAGE = 250
_KEY_CHECK_SECONDS = 60.0
# A job with a shorter wait is still shown as running.
_SHORT_WAIT = 90.0
_SOON = 5.0


@dataclass(frozen=True, slots=True)
class Step:
    """What the state machine does next: another slice at once, one after `seconds`, or nothing more."""

    next: str
    seconds: int = 0


class Lost(Exception):
    """Another slice has the job, or somebody paused or cancelled it. Nothing is left to do for this slice."""


class Work(Protocol):
    """An operation without a row in the operations table. It works in slices of its own over the same ledger."""

    def __call__(self, slice_: Slice) -> Step:
        """Work until the slice is over. Raises Lost."""
        ...


def one_by_one(tasks: Sequence[Callable[[], list[Row]]]) -> list[list[Row]]:
    """Carry out tasks one after another."""
    return [each() for each in tasks]


@dataclass(frozen=True, slots=True, kw_only=True)
class SliceRunner:
    """Runs slices. `key_refusal` returns why the key that started a job may not continue, or None.

    `start` starts an execution for a job's run. `read_file` returns an uploaded file, or None while there is none, and
    `delete_file` removes it. `slice_seconds` is how long a slice works, `lease_seconds` its longest life. `more_calls`
    are those of further lanes, for rows that are sent at once, and `at_once` carries out tasks together and returns
    when all have ended. `works` are the operations by name that work in slices of their own; `row_work` does the rest.
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
    row_work: Work
    more_calls: Sequence[RowCalls] = ()
    at_once: Callable[[Sequence[Callable[[], list[Row]]]], list[list[Row]]] = one_by_one
    works: Mapping[str, Work] = field(default_factory=dict)

    def run(self, tenant: str, job_id: str, run: int) -> Step:
        """Run one slice of a job. Raises Unavailable when the ledger cannot be reached; then the engine tries again."""
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
        """Start another execution that continues. If it does not start, the watch finds the job."""
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
            work = self.works.get(slice_.job.operation, self.row_work)
            waiting = read_rows(slice_) if slice_.job.rows is None and slice_.job.from_file else None
            if waiting is not None:
                return waiting
            return work(slice_)
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
        """Begin to measure the pace."""
        self.measured_at = self.checked_at = self.runner.clock()

    def page(self, number: int) -> list[Row]:
        """Return the next rows. A row that was erased is returned as a failed one."""
        last = min(self.job.rows or 0, number + _PAGE - 1)
        if number > last:
            return []
        found = {row.number: row for row in self.runner.store.rows(self.job, start=number, limit=_PAGE)}
        return [found.get(at) or erased(at) for at in range(number, last + 1)]

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
        """End the slice in the way that a failed call requires."""
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

    An execution that is only late then has an old run number, and stops. Raises Unavailable.
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
