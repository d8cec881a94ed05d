"""The rows of a job over an operation of the table: several at once, each one once.

Rows are sent in lanes, each with a gateway of its own, so that one lane does not wait for another's answer. The rate
People who register for one meeting go out thirty at a time (`packing.py`).
limiter gives all lanes of all jobs their slots. All rows of one host use one lane, because Zoom's answer about a host's
daily limit applies to the next of its rows.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256
from itertools import batched
from threading import Lock
from typing import Any

from zoom_common.errors import FieldError
from zoom_common.jobs import rows as row_calls
from zoom_common.jobs.mapping import UNKNOWN_HOST, ColumnMapping, RowRefused, RowRequest, host_of, request_of
from zoom_common.jobs.model import Row, RowState, Tally, erased
from zoom_common.jobs.packing import BATCH, Batches, Parcel, parcels
from zoom_common.jobs.rows import RowCalls, Verdict
from zoom_common.jobs.runner import Slice, Step

# The rows of each lane between two checkpoints. A person who pauses a job waits for this many rows.
_CHUNK, _LANE_CHUNK, _BATCHES_AT_ONCE = 10, 4, 4
_SOON = 5.0


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
        self._lanes = (self._runner.calls, *self._runner.more_calls)
        self._lane_of: dict[str, int] = {}
        self._lane_rows = [0] * len(self._lanes)
        self._noting = Lock()
        self._batches = Batches.of(slice_.job, self._runner.operations)

    def run(self) -> Step:
        """Go through the open rows once, as far as the slice's time allows."""
        if self._operation.counts_for_user and not self._slice.job.dry_run:
            self._count_hosts()
        number, scanned, known, prefix = self._slice.job.cursor, self._slice.job.before, self._slice.job.seen, True
        while page := self._slice.page(number):
            for chunk in batched(page, self._chunk(), strict=False):
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

    def _chunk(self) -> int:
        """Return how many rows are tried between two checkpoints."""
        lanes = len(self._lanes)
        return max(_CHUNK, _LANE_CHUNK * lanes) if self._batches is None else BATCH * min(lanes, _BATCHES_AT_ONCE)

    def _ended(self) -> Step:
        if self._soonest is None:
            return self._slice.done()
        return self._slice.wait(self._soonest, reason="user_daily_limit" if self._by_limit else None)

    def _save(self, seen: Tally, finished: int) -> None:
        job = replace(self._slice.job, seen=seen)
        if self._open_by_host:
            host, busiest = max(self._open_by_host.items(), key=lambda each: each[1])
            left = 0 if self._closed_until(host) > self._runner.clock() else self._left_by_host.get(host, job.host_left)
            job = replace(job, busiest=busiest, host_left=left)
        self._slice.save(job, finished=finished)

    def _count_hosts(self) -> None:
        number = self._slice.job.cursor
        while page := self._slice.page(number):
            hosts = (self._host(row) for row in page if not row.finished)
            self._open_by_host.update(host for host in hosts if host is not None and not host.endswith(UNKNOWN_HOST))
            number = page[-1].number + 1

    def _host(self, row: Row) -> str | None:
        """Return the user whose daily limit of creates and updates a row counts against, or None for no user's."""
        host = host_of(self._operation, self._mapping, row.values or {})
        rule = self._slice.job.request.get("connection")
        account = str((row.values or {}).get(str(rule["column"]), "")) if isinstance(rule, dict) else str(rule or "")
        return f"{account}#{host}" if host is not None else None

    def _closed_until(self, host: str) -> float:
        return self._slice.job.closed.get(_digest(host), 0.0)

    def _try(self, chunk: Sequence[Row]) -> list[Row]:
        """Try the rows of a chunk that can be tried now. Return all of its rows as they are afterwards."""
        results = {row.number: self._put_off(row) for row in chunk}
        now = self._runner.clock()
        ready = [row for row in results.values() if not row.finished and row.due <= now]
        lanes: defaultdict[int, list[Parcel]] = defaultdict(list)
        for parcel in self._parcels(ready):
            lanes[self._lane(parcel.rows[0])].append(parcel)
        tasks = [partial(self._in_lane, self._lanes[at], parcels) for at, parcels in lanes.items()]
        for done in self._runner.at_once(tasks):
            results |= {row.number: row for row in done}
        due = [row.due for row in results.values() if not row.finished]
        self._soonest = min([*due, *([] if self._soonest is None else [self._soonest])], default=None)
        return list(results.values())

    def _put_off(self, row: Row) -> Row:
        """Return a row with its due time: not before its host accepts creates and updates again."""
        host = self._host(row) if self._slice.job.closed and not row.finished else None
        until = self._closed_until(host) if host is not None else 0.0
        if until <= self._runner.clock():
            return row
        self._by_limit = True
        return replace(row, due=max(row.due, until))

    def _lane(self, row: Row) -> int:
        """Return the lane of a row: that of its host if it has one, else the lane with the fewest rows."""
        host = self._host(row)
        at = self._lane_of.get(host) if host is not None else None
        if at is None:
            at = min(range(len(self._lanes)), key=self._lane_rows.__getitem__)
        if host is not None:
            self._lane_of[host] = at
        self._lane_rows[at] += 1
        return at

    def _parcels(self, rows: Sequence[Row]) -> list[Parcel]:
        """Return rows as they go out: alone, or with others where Zoom takes many at once."""
        if self._batches is None:
            return [Parcel([row]) for row in rows]
        alone, usable = [], []
        for row in rows:
            try:
                usable.append((row, *self._request(row)))
            except RowRefused:
                alone.append(Parcel([row]))
        return parcels(usable) + alone

    def _in_lane(self, calls: RowCalls, parcels: Sequence[Parcel]) -> list[Row]:
        """Try parcels one after another. Return their rows as they are then. Several lanes do so at the same time."""
        found = []
        for parcel in parcels:
            if self._batches is not None and parcel.requests:
                found += self._together(calls, self._batches, parcel)
                continue
            at, verdict = self._attempt(calls, parcel.rows[0])
            found.append(at if verdict is None else self._write(verdict))
        return found

    def _together(self, calls: RowCalls, batches: Batches, parcel: Parcel) -> list[Row]:
        """Try the rows of a parcel at once, and alone those that Zoom does not take so."""
        job, now = self._slice.job, self._runner.clock()
        if self._has_to_stop():
            return list(parcel.rows)
        tried = [(row, self._runner.store.claim(job, row, now=now)) for row in parcel.rows]
        found = [replace(row, due=now + _SOON) for row, claimed in tried if claimed is None]  # as in _attempt
        claimed = [row for _, row in tried if row is not None]
        if not claimed:
            return found
        again = {row.number for row in parcel.rows if row.state is RowState.SENT}
        verdicts, left = batches.attempt(calls, parcel, claimed, again)
        found += [self._write(each) for each in verdicts]
        for row in left:
            verdict = Verdict(replace(row, due=now), sent=row.number in again)
            if not self._has_to_stop():
                request, more = parcel.requests[row.number], row.number in again
                verdict = calls.attempt(job, row, self._operation, request, connection=parcel.connection, again=more)
            found.append(self._write(verdict))
        return found

    def _request(self, row: Row) -> tuple[RowRequest, str | None]:
        """Return what a row asks, and over which connection. Raises RowRefused."""
        job, values = self._slice.job, row.values or {}
        request = request_of(self._operation, self._mapping, values, as_text=job.from_file)
        return request, connection_of(job.request.get("connection"), values)

    def _has_to_stop(self) -> bool:
        return self._pause is not None or not self._slice.deadline.allows(0.0)

    def _attempt(self, calls: RowCalls, row: Row) -> tuple[Row, Verdict | None]:
        """Try a row. Return it with the result, or with its due time when it was not tried."""
        job, runner, now = self._slice.job, self._runner, self._runner.clock()
        row = self._put_off(row)
        if self._has_to_stop() or row.due > now:
            return row, None
        try:
            request, connection = self._request(row)
        except RowRefused as refusal:
            return row, Verdict(row_calls.refused(row, refusal.faults))
        if job.dry_run:
            return row, Verdict(replace(row, state=RowState.SUCCEEDED))
        claimed = runner.store.claim(job, row, now=now)
        if claimed is None:  # erased, or claimed by a slice that took over; the checkpoint finds out
            return replace(row, due=now + _SOON), None
        again = row.state is RowState.SENT
        return row, calls.attempt(job, claimed, self._operation, request, connection=connection, again=again)

    def _write(self, verdict: Verdict) -> Row:
        """Note what a result says about the row's host and the job, and store the row."""
        row, store, host = verdict.row, self._runner.store, self._host(verdict.row)
        with self._noting:
            self._note(verdict, host)
        if not row.finished:
            store.put_off(self._slice.job, row, until=row.due, sent=verdict.sent)
            return row
        return row if store.finish(self._slice.job, row) else erased(row.number)

    def _note(self, verdict: Verdict, host: str | None) -> None:
        if verdict.pause is not None:
            self._pause = (verdict.pause, verdict.until)
        if verdict.close is not None:
            self._by_limit = True
            if host is not None:
                closed = {**self._slice.job.closed, _digest(host): verdict.close}
                self._slice.job = replace(self._slice.job, closed=closed)
        if host is not None and verdict.left_today is not None:
            self._left_by_host[host] = verdict.left_today
        if verdict.row.finished and host is not None and host in self._open_by_host:
            self._open_by_host[host] -= 1


def connection_of(rule: Any, values: Mapping[str, Any]) -> str | None:
    """Return the connection for a row: the job's, or the one in the rule's column.

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
