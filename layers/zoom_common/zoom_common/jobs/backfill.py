"""`backfill`: the meetings, attendance and recordings of a span of time, as the events that nobody has told.

The plan has a row for each user and each four weeks. A row compares what Zoom reports with what is known, as the hourly
reconciliation does, and sends what is missing the way of every delivery, marked as reconciled and with the natural keys
of the originals. So a row that is done twice, and a backfill that is done again, changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote

from zoom_common.access.principal import EVERY_SCOPE, Principal
from zoom_common.connections.model import Connection
from zoom_common.deadline import Deadline
from zoom_common.errors import FieldError, GatewayError
from zoom_common.events.projections.store import ProjectionStore
from zoom_common.events.reconciliation.reconciler import (
    SETTLED_SECONDS,
    Lines,
    Reconciled,
    Reconciler,
    SettledAttendance,
)
from zoom_common.events.reconciliation.zoom_reader import AccessDenied, Read, ZoomReader
from zoom_common.events.reconciliation.zoom_reader import Row as Listed
from zoom_common.events.routing import HostStore
from zoom_common.events.webhook.message import Delivery
from zoom_common.gateway.background_reads import reading
from zoom_common.jobs.files import ledger
from zoom_common.jobs.model import MOST_ROWS, Row, RowState, Tally
from zoom_common.jobs.rows import stop_of
from zoom_common.jobs.runner import Slice, Step
from zoom_common.ratelimit.limiter import RateLimitRules
from zoom_common.zoom import rate_limits
from zoom_common.zoom.operations.table import match
from zoom_common.zoom.rate_limits import until_midnight

NAME = "backfill"
OPTIONS = frozenset({"from", "to", "users", "deactivated"})
PART_OF_DAY = 0.2
# What the last row of a slice may take beyond it; the reconciliation begins nothing in its last 30 seconds.
_ROW_SECONDS = 32.0
_DAY = 86_400
_MOST_DAYS = 400
_MOST_USERS = 1_000
# Zoom's lists take a month at most. Windows overlap by what a meeting can last, so that none falls between two of them.
_WINDOW, _OVERLAP = timedelta(days=28), timedelta(days=2)
# Costly calls that a row is taken to need before any was counted: the reports of what was held, in two kinds.
_CALLS_OF_A_ROW = 2.0


def check_options(body: Mapping[str, Any], wrong: list[FieldError], *, today: date) -> None:
    """Note what is wrong with the members that only this operation has."""
    first, last = _day(body.get("from")), _day(body.get("to", today.isoformat()))
    if first is None:
        wrong.append(FieldError("from", "The first day as YYYY-MM-DD."))
    if last is None:
        wrong.append(FieldError("to", "The last day as YYYY-MM-DD."))
    if first is not None and last is not None and not timedelta() <= last - first <= timedelta(days=_MOST_DAYS):
        wrong.append(FieldError("to", f"From the first day on, and at most {_MOST_DAYS} days later."))
    users = body.get("users", [])
    known = isinstance(users, list) and all(isinstance(each, str) and each for each in users)
    if not known or len(users) > _MOST_USERS:
        wrong.append(FieldError("users", f"At most {_MOST_USERS} user ids or addresses; none means everybody."))
    if not isinstance(body.get("deactivated", False), bool):
        wrong.append(FieldError("deactivated", "true or false."))


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def windows(first: date, last: date) -> Iterator[tuple[date, date]]:
    """Yield the windows of a span: the first and the last day of each, both included."""
    begin = first
    while begin <= last:
        end = min(last, begin + _WINDOW - timedelta(days=1))
        yield begin, end
        begin = end + timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """The work of such a job. `send` takes deliveries that go the way of every delivery from then on."""

    projections: ProjectionStore
    lines: Lines
    hosts: HostStore
    publisher: SettledAttendance
    send: Callable[[Sequence[Delivery]], None]
    rules: RateLimitRules

    def __call__(self, slice_: Slice) -> Step:
        """Work until the slice is over. Raises Lost."""
        return _Run(self, slice_).run()


class _DaySpent(Exception):
    """The part of the day's calls that a backfill may make is made."""


@dataclass(frozen=True, slots=True)
class _User:
    """A user of a connection, as the reconciliation wants to know them."""

    connection: Connection
    zoom_user_id: str | None

    @property
    def tenant(self) -> str:
        return self.connection.tenant

    @property
    def connection_id(self) -> str:
        return self.connection.connection_id

    @property
    def client_id(self) -> str:
        return self.connection.client_id

    @property
    def zoom_account_id(self) -> str:
        return self.connection.zoom_account_id


class _Run:
    """One slice."""

    def __init__(self, backfill: Backfill, slice_: Slice) -> None:
        self._backfill, self._slice, self._runner = backfill, slice_, slice_.runner
        self._calls: dict[str, int] = {}
        self._rows_today = 0

    def run(self) -> Step:
        job = self._slice.job
        try:
            connection = self._runner.calls.gateway.select(job.principal, job.request.get("connection"))
            if job.rows is None:
                self._plan(connection)
            return self._go_on(connection)
        except _DaySpent:
            now = self._runner.clock()
            return self._slice.wait(now + until_midnight(now), reason="backfill_budget")
        except AccessDenied as denied:
            return self._slice.fail(denied.reason, "Zoom does not show this connection the users of the account.")
        except GatewayError as error:
            stop = stop_of(error, now=self._runner.clock())
            if stop.failed:
                return self._slice.fail(stop.reason, stop.message)
            if stop.pauses:
                return self._slice.pause(stop.reason, until=stop.until)
            return self._slice.wait(stop.until or self._runner.clock() + 30.0)

    def _plan(self, connection: Connection) -> None:
        """Write a row for each user and window. A plan that a crash has left is written again."""
        request = self._slice.job.request
        first, last = _day(request["from"]), _day(request.get("to")) or self._today()
        users = list(request.get("users") or ([] if connection.zoom_user_id is None else ["me"]))
        users = users or list(self._everybody(connection, deactivated=bool(request.get("deactivated"))))
        spans = [(begin.isoformat(), end.isoformat()) for begin, end in windows(first or last, last)]
        planned = [(user, begin, end) for user in users for begin, end in spans][:MOST_ROWS]
        rows = (
            Row(number=at, values={"user": user, "from": begin, "to": end})
            for at, (user, begin, end) in enumerate(planned, start=1)
        )
        self._runner.store.put_rows(self._slice.job, rows)
        counted = self._runner.store.counted(self._slice.job, rows=len(planned), owner=self._slice.owner)
        self._slice.job = counted or self._slice.job
        self._save(self._slice.job.seen, 0)

    def _everybody(self, connection: Connection, *, deactivated: bool) -> Iterator[str]:
        reader = ZoomReader(self._reads(connection, None))
        for status in ("active", "inactive") if deactivated else ("active",):
            for row in reader.rows(f"/v2/users?status={status}", "users"):
                if row.get("id"):
                    yield str(row["id"])
        for reason in reader.unseen.values():
            raise AccessDenied(reason)

    def _go_on(self, connection: Connection) -> Step:
        seen = Tally()
        rows = list(ledger(self._runner.store, self._slice.job))
        for row in rows:
            seen = seen.counting(row)
        for row in rows:
            if row.finished:
                continue
            if not self._slice.deadline.allows(0.0):
                return self._slice.again()
            if not self._slice.job.dry_run:
                done = self._reconcile(connection, row)
                if not done.complete:
                    return self._slice.again()
                finished = replace(row, state=RowState.SUCCEEDED, message=_said(done))
            else:
                finished = replace(row, state=RowState.SUCCEEDED, message="Would be compared.")
            self._runner.store.finish(self._slice.job, finished)
            seen = seen.counting(finished)
            self._rows_today += 1
            self._save(seen, 1)
        return self._slice.done()

    def _reconcile(self, connection: Connection, row: Row) -> Reconciled:
        """Compare one user's window. Events come with the moment at which they are sent, and not the window's."""
        values = row.values or {}
        user = str(values.get("user", "me"))
        begin, end = date.fromisoformat(str(values["from"])), date.fromisoformat(str(values["to"]))
        now = self._runner.clock()
        last = min(now, _midnight(end) + _DAY + SETTLED_SECONDS)
        about = _User(connection, connection.zoom_user_id if user == "me" else user)
        reconciler = Reconciler(
            projections=self._backfill.projections,
            lines=self._backfill.lines,
            hosts=self._backfill.hosts,
            publisher=self._backfill.publisher,
            send=self._send,
            clock=lambda: last,
            lookback=last - _midnight(begin) + _OVERLAP.total_seconds(),
        )
        return reconciler.reconcile(about, self._reads(connection, user), self._deadline)

    def _send(self, found: Sequence[Delivery]) -> None:
        """Send deliveries as received now: the log keeps events by that moment, and not by the window's."""
        now_ms = int(self._runner.clock() * 1000)
        self._backfill.send([Delivery(each.app, each.body, now_ms, reconciled=True) for each in found])

    @property
    def _deadline(self) -> Deadline:
        """Return when a row that is under way has to stop: it may take some time longer than the slice."""
        return Deadline(self._slice.deadline.at + _ROW_SECONDS, self._slice.deadline.clock)

    def _reads(self, connection: Connection, user: str | None) -> Read:
        """Return reads for one user, counted against the part of the day that a backfill may take."""
        job = Principal(connection.tenant, "job:backfill", frozenset({EVERY_SCOPE}), connection.connection_id)
        read = reading(self._runner.calls.gateway, job, self._deadline)

        def counted(path: str) -> Listed | None:
            named = path if user in {None, "me"} else path.replace("/users/me/", f"/users/{quote(str(user), safe='')}/")
            self._count(connection, named)
            return read(named)

        return counted

    def _count(self, connection: Connection, path: str) -> None:
        plan, rules = self._backfill.rules.of(connection.zoom_account_id), self._backfill.rules
        operation, _ = match("GET", path.partition("?")[0])
        day = rate_limits.daily(plan, operation.label)
        if day is None:
            return
        used = self._used()
        most = int(day.calls * rules.share * PART_OF_DAY)
        if used.get(day.name, 0) >= most:
            self._save(self._slice.job.seen, 0)
            raise _DaySpent
        self._calls = {**used, day.name: used.get(day.name, 0) + 1}
        self._slice.job = replace(self._slice.job, notes={**self._slice.job.notes, "most_calls": most})

    def _used(self) -> dict[str, int]:
        """Return the calls of today by the limit that they count for."""
        notes, today = self._slice.job.notes, self._today().isoformat()
        if not self._calls and notes.get("day") == today:
            self._calls = {str(name): int(count) for name, count in dict(notes.get("calls", {})).items()}
        if notes.get("day") not in {None, today}:
            self._calls = {}
            self._slice.job = replace(self._slice.job, notes={**notes, "day": today, "calls": {}})
        return self._calls

    def _save(self, seen: Tally, finished: int) -> None:
        """Write progress with the day's calls, and how many rows fit into a day and into today, for the forecast."""
        calls, notes = sum(self._calls.values()), dict(self._slice.job.notes)
        total = int(notes.get("all_calls", 0)) + calls - sum(dict(notes.get("calls", {})).values())
        each = total / seen.total if seen.total and total else _CALLS_OF_A_ROW
        most = int(notes.get("most_calls", 0))
        notes |= {"day": self._today().isoformat(), "calls": self._calls, "all_calls": total}
        notes |= {"rows_a_day": int(most / each), "rows_today": max(0, int((most - calls) / each))} if most else {}
        self._slice.save(replace(self._slice.job, seen=seen, notes=notes), finished=finished)

    def _today(self) -> date:
        return datetime.fromtimestamp(self._runner.clock(), UTC).date()


def _midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def _said(done: Reconciled) -> str:
    partial = "".join(f" Not all of the {what}: {why}." for what, why in sorted(done.partial.items()))
    return f"{done.compared} compared, {done.missing} events were missing.{partial}"
