"""`backfill`: sends the missing events of a period: meetings, attendance, recordings and registrants.

The plan has a row for each user and each four weeks, one for each user's registrants and, on demand, one for the trash.
A row compares Zoom's reports with the stored events, as the hourly reconciliation does, and sends missing events to the
processor, marked as reconciled and with the natural keys of the originals. Where the archive is on, it gets the
recordings from Zoom's list itself. So repeating a row, or a whole backfill, changes nothing.
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
from zoom_common.errors import FieldError, GatewayError, TooManyRequests
from zoom_common.events.projections.store import ProjectionStore
from zoom_common.events.reconciliation.on_demand import OnDemand
from zoom_common.events.reconciliation.reconciler import SETTLED_SECONDS, Lines, Reconciler, SettledAttendance
from zoom_common.events.reconciliation.zoom_reader import AccessDenied, Read, ZoomReader
from zoom_common.events.reconciliation.zoom_reader import Row as Listed
from zoom_common.events.routing import HostStore
from zoom_common.events.webhook.message import Delivery
from zoom_common.gateway.background_reads import reading
from zoom_common.jobs.model import MOST_ROWS, Row, RowState, Tally, erased
from zoom_common.jobs.rows import stop_of
from zoom_common.jobs.runner import Slice, Step
from zoom_common.ratelimit.limiter import RateLimitRules
from zoom_common.ratelimit.quotas import DAY, DailyStore
from zoom_common.zoom import rate_limits
from zoom_common.zoom.operations.model import RateLabel
from zoom_common.zoom.operations.table import match
from zoom_common.zoom.rate_limits import until_midnight

NAME = "backfill"
OPTIONS = frozenset({"from", "to", "users", "deactivated", "registrants", "trash"})
PART_OF_DAY = 0.2
# The time that the last row of a slice may take beyond it. The reconciliation begins nothing in its last 30 seconds.
_ROW_SECONDS = 32.0
_MOST_DAYS = 400
_MOST_USERS = 1_000
# Zoom's lists accept a month at most. Windows overlap by the longest duration of a meeting, so that none falls between
# two.
_WINDOW, _OVERLAP = timedelta(days=28), timedelta(days=2)
# The kinds of rows besides those of a window.
_REGISTRANTS, _TRASH = "registrants", "trash"
_MOST_TRIES = 20
_GIVEN_UP = "Zoom could not be read in many tries. Nothing was changed: repeat this period later."
# How far Zoom's reports go back, with some days more, because Zoom's months may be longer than ours.
_REPORTED = timedelta(days=190)
_REPORTS = "/v2/report/users/"
# How many costly calls a row is assumed to need before any was counted: the reports of what was held, in two kinds.
_CALLS_OF_A_ROW = 2.0


def check_options(body: Mapping[str, Any], wrong: list[FieldError], *, today: date) -> None:
    """Note the errors in the members that only this operation has."""
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
    switches = ("deactivated", "registrants", "trash")
    wrong += [FieldError(each, "true or false.") for each in switches if not isinstance(body.get(each, False), bool)]


def _day(text: Any) -> date | None:
    try:
        return date.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def windows(first: date, last: date) -> Iterator[tuple[date, date]]:
    """Yield the windows of a period: the first and the last day of each, both included."""
    begin = first
    while begin <= last:
        end = min(last, begin + _WINDOW - timedelta(days=1))
        yield begin, end
        begin = end + timedelta(days=1)


# The arguments are the connection, the user and the first and the last day.
type Archive = Callable[[Connection, ZoomReader, str, date, date], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Backfill:
    """Does the work of such a job. `send` queues deliveries for the processor.

    `days` counts the costly calls of all backfills of an account. `archive` archives a user's recordings within a
    window and returns how many files were new; it is None where the archive is off.
    """

    projections: ProjectionStore
    lines: Lines
    hosts: HostStore
    publisher: SettledAttendance
    send: Callable[[Sequence[Delivery]], None]
    rules: RateLimitRules
    days: DailyStore
    archive: Archive | None = None

    def __call__(self, slice_: Slice) -> Step:
        """Work until the slice is over. Raises Lost."""
        return _Run(self, slice_).run()


class _DaySpent(Exception):
    """The calls that a backfill may make today are used up."""


class _TooMany(Exception):
    """The plan has more rows than a job may have."""


class _Run:
    """One slice."""

    def __init__(self, backfill: Backfill, slice_: Slice) -> None:
        self._backfill, self._slice, self._runner = backfill, slice_, slice_.runner
        self._calls = 0  # since progress was last written
        self._left: int | None = None

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
        except _TooMany as many:
            message = f"{many} rows, and {MOST_ROWS} are the most. Name users, or a shorter span."
            return self._slice.fail("too_many_rows", message)
        except AccessDenied as denied:
            return self._slice.fail(denied.reason, "Zoom does not show this connection the users of the account.")
        except GatewayError as error:
            return self._slice.stop(stop_of(error, now=self._runner.clock()))

    def _plan(self, connection: Connection) -> None:
        """Write the rows. A plan that a crash has interrupted is written again. Raises _TooMany."""
        request = self._slice.job.request
        first, last = _day(request["from"]), _day(request.get("to")) or self._today()
        first = first or last
        users = list(request.get("users") or ([] if connection.zoom_user_id is None else ["me"]))
        users = users or list(self._everybody(connection, deactivated=bool(request.get("deactivated"))))
        further = [_REGISTRANTS] if request.get("registrants", True) else []
        further += [_TRASH] if request.get("trash") else []
        spans = [{"from": begin.isoformat(), "to": end.isoformat()} for begin, end in windows(first, last)]
        spans += [{"from": first.isoformat(), "to": last.isoformat(), "of": each} for each in further]
        count = len(users) * len(spans)
        if count > MOST_ROWS:
            raise _TooMany(count)
        planned = ({"user": user, **span} for user in users for span in spans)
        self._runner.store.put_rows(
            self._slice.job, (Row(number=at, values=values) for at, values in enumerate(planned, start=1))
        )
        counted = self._runner.store.counted(self._slice.job, rows=count, owner=self._slice.owner)
        self._slice.job = counted or self._slice.job
        self._note_most(connection, RateLabel.HEAVY)
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
        seen = self._slice.job.before
        while page := self._slice.page(self._slice.job.cursor):
            finished = 0
            for row in page:
                if not self._slice.deadline.allows(0.0):
                    return self._again(seen, finished)
                done = row if row.finished else self._work(connection, row)
                if done is None:
                    return self._again(seen, finished)
                seen = seen.counting(done)
                finished += not row.finished
                self._slice.job = replace(self._slice.job, cursor=row.number + 1, before=seen)
                if not self._slice.job.dry_run:
                    self._save(seen, finished)
                    finished = 0
            self._save(seen, finished)
        return self._slice.done()

    def _again(self, seen: Tally, finished: int) -> Step:
        self._save(seen, finished)
        return self._slice.again()

    def _work(self, connection: Connection, row: Row) -> Row | None:
        """Do a row and return it finished, or None when it needs another slice.

        A row that cannot succeed, or has failed too often, fails by itself. Raises GatewayError for anything else.
        """
        message: str | None = "Would be compared."
        try:
            if not self._slice.job.dry_run:
                work = {_REGISTRANTS: self._registrants, _TRASH: self._trash}.get(str((row.values or {}).get("of")))
                message = (work or self._window)(connection, row)
        except GatewayError as error:
            stop = stop_of(error, now=self._runner.clock())
            if stop.pauses or isinstance(error, TooManyRequests) or not (stop.failed or self._given_up(row)):
                raise
            finished = replace(row, state=RowState.FAILED, kind=stop.reason, message=stop.message or _GIVEN_UP)
        else:
            if message is None:
                return None
            finished = replace(row, state=RowState.SUCCEEDED, message=message)
        return finished if self._runner.store.finish(self._slice.job, finished) else erased(row.number)

    def _given_up(self, row: Row) -> bool:
        """Count a failure of a row, and return whether it has failed too often."""
        before = dict(self._slice.job.notes.get("trouble") or {})
        tries = int(before["tries"]) + 1 if before.get("row") == row.number else 1
        trouble = {"row": row.number, "tries": tries}
        self._slice.job = replace(self._slice.job, notes={**self._slice.job.notes, "trouble": trouble})
        self._save(self._slice.job.seen, 0)
        return tries >= _MOST_TRIES

    def _window(self, connection: Connection, row: Row) -> str | None:
        """Compare one user's window.

        Events are stored under the time they are sent at, not under that of the window.
        """
        user, begin, end = _values(row)
        read = self._reads(connection, user, reports=end >= self._today() - _REPORTED)
        about = _person(connection, user)
        done = self._reconciler(begin, end).reconcile(about, read, self._deadline)
        if not done.complete:
            return None
        said = f"{done.compared} compared, {done.missing} events were missing."
        if self._backfill.archive is not None:
            reader = ZoomReader(read)
            said += f" {self._backfill.archive(connection, reader, user, begin, end)} files are new in the archive."
        if end < self._today() - _REPORTED:
            said += " Zoom's reports do not go back so far: meetings are those that Zoom lists."
        return said + "".join(f" Not all of the {what}: {why}." for what, why in sorted(done.partial.items()))

    def _registrants(self, connection: Connection, row: Row) -> str | None:
        """Compare the registrants of one user's planned meetings in the period, meeting by meeting."""
        user, begin, end = _values(row)
        reader = ZoomReader(self._reads(connection, user))
        about = _person(connection, user)
        planned = self._reconciler(begin, end).planned(about, reader)
        on_demand = self._on_demand(connection, reader)
        place = dict(self._slice.job.notes.get("place") or {})
        place = place if place.get("row") == row.number else {"row": row.number, "after": "", "missing": 0}
        for family, number in planned:
            name = f"{family}/{number}"
            if name <= str(place["after"]):
                continue
            if not self._slice.deadline.allows(0.0):
                return None
            bodies = on_demand.registrations(family, number)
            self._send([Delivery(connection.client_id, body, 0) for body in bodies])
            place = {**place, "after": name, "missing": int(place["missing"]) + len(bodies)}
            self._slice.job = replace(self._slice.job, notes={**self._slice.job.notes, "place": place})
            self._save(self._slice.job.seen, 0)
        return f"Registrants of {len(planned)}: {place['missing']} events were missing.{_unseen(reader)}"

    def _trash(self, connection: Connection, row: Row) -> str:
        """Compare one user's trash."""
        user, begin, end = _values(row)
        reader = ZoomReader(self._reads(connection, user))
        since, until = int(_midnight(begin) * 1000), int((_midnight(end) + DAY) * 1000)
        found = list(self._on_demand(connection, reader).trashed(quote(user, safe=""), since, until))
        self._send([Delivery(connection.client_id, body, 0) for body in found])
        return f"The trash: {len(found)} events were missing.{_unseen(reader)}"

    def _on_demand(self, connection: Connection, reader: ZoomReader) -> OnDemand:
        return OnDemand(self._backfill.projections, connection.tenant, connection.zoom_account_id, reader)

    def _reconciler(self, begin: date, end: date) -> Reconciler:
        """Return the reconciler for a period of days."""
        last = min(self._runner.clock(), _midnight(end) + DAY + SETTLED_SECONDS)
        return Reconciler(
            projections=self._backfill.projections,
            lines=self._backfill.lines,
            hosts=self._backfill.hosts,
            publisher=self._backfill.publisher,
            send=self._send,
            clock=lambda: last,
            lookback=last - _midnight(begin) + _OVERLAP.total_seconds(),
        )

    def _send(self, found: Sequence[Delivery]) -> None:
        """Send deliveries as received now, because the log is ordered by that time and not by the window's."""
        now_ms = int(self._runner.clock() * 1000)
        self._backfill.send([Delivery(each.app, each.body, now_ms, reconciled=True) for each in found])

    @property
    def _deadline(self) -> Deadline:
        """Return when a row under way has to stop. It may take some time longer than the slice."""
        return Deadline(self._slice.deadline.at + _ROW_SECONDS, self._slice.deadline.clock)

    def _reads(self, connection: Connection, user: str | None, *, reports: bool = True) -> Read:
        """Return reads for one user, counted against the calls that a backfill may make in a day.

        Without `reports`, the reports of what the user held are not read, because Zoom would refuse them.
        """
        job = Principal(connection.tenant, "job:backfill", frozenset({EVERY_SCOPE}), connection.connection_id)
        read = reading(self._runner.calls.gateway, job, self._deadline)

        def counted(path: str) -> Listed | None:
            named = path if user in {None, "me"} else path.replace("/users/me/", f"/users/{quote(str(user), safe='')}/")
            if not reports and named.startswith(_REPORTS):
                return None
            self._count(connection, named)
            return read(named)

        return counted

    def _count(self, connection: Connection, path: str) -> None:
        operation, _ = match("GET", path.partition("?")[0])
        name, most = self._note_most(connection, operation.label)
        if name is None:
            return
        period = int(self._runner.clock() // DAY)
        counter = f"{connection.zoom_account_id}#backfill#{name}"
        taken = self._backfill.days.take(counter, period=period, limit=most, most=1)
        self._left = taken.left if taken is not None else 0
        if taken is None:
            self._save(self._slice.job.seen, 0)
            raise _DaySpent
        self._calls += 1

    def _note_most(self, connection: Connection, label: RateLabel) -> tuple[str | None, int]:
        """Return the daily limit that calls count against, and how many of them a backfill may make a day."""
        day, rules = rate_limits.daily(self._backfill.rules.of(connection.zoom_account_id), label), self._backfill.rules
        if day is None:
            return None, 0
        most = int(day.calls * rules.share * PART_OF_DAY)
        self._slice.job = replace(self._slice.job, notes={**self._slice.job.notes, "most_calls": most})
        return day.name, most

    def _save(self, seen: Tally, finished: int) -> None:
        """Write progress, and the number of rows that fit into a day and into the rest of today, for the forecast."""
        notes, today = dict(self._slice.job.notes), self._today().isoformat()
        total, self._calls = int(notes.get("all_calls", 0)) + self._calls, 0
        each = total / seen.total if seen.total and total else _CALLS_OF_A_ROW
        most = int(notes.get("most_calls", 0))
        known = int(notes.get("left", most)) if notes.get("day") == today else most
        left, self._left = known if self._left is None else self._left, None
        notes |= {"day": today, "left": left, "all_calls": total}
        if most:
            notes |= {"rows_a_day": round(most / each, 2), "rows_today": round(left / each, 2)}
        self._slice.save(replace(self._slice.job, seen=seen, notes=notes), finished=finished)

    def _today(self) -> date:
        return datetime.fromtimestamp(self._runner.clock(), UTC).date()


def _midnight(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def _values(row: Row) -> tuple[str, date, date]:
    """Return the user of a row, and the first and the last day."""
    values = row.values or {}
    return str(values.get("user", "me")), date.fromisoformat(str(values["from"])), date.fromisoformat(str(values["to"]))


def _person(connection: Connection, user: str) -> Connection:
    """Return the connection as if it were this user's own."""
    return connection if user == "me" else replace(connection, zoom_user_id=user)


def _unseen(reader: ZoomReader) -> str:
    return "".join(f" Not shown: {what}, {why}." for what, why in sorted(reader.unseen.items()))
