"""`registrants.sync`: registers the wanted people and cancels the others, in batches.

A slice first reads who is registered. After a crash or a lost answer, the next one reads that again before it sends
anything. Hosts and alternative hosts cannot register and are left out, and so are people whose registration was
cancelled or denied.
https://developers.zoom.us/docs/api/meetings/#tag/meetings/POST/meetings/{meetingId}/batch_registrants
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import batched
from typing import Any

from zoom_common.deadline import Deadline
from zoom_common.errors import FieldError, GatewayError, OutcomeUnknown
from zoom_common.events.bus import CloudEvent, event_id, rfc3339
from zoom_common.gateway.context import Call
from zoom_common.jobs.files import ledger
from zoom_common.jobs.mapping import ColumnMapping, RowRefused, request_of
from zoom_common.jobs.model import Job, Row, RowState, Tally
from zoom_common.jobs.packing import BATCH, IN_BATCHES, Registered, fold, people_in, who_is_registered
from zoom_common.jobs.rows import CALL_SECONDS, Stop, refused, stop_of
from zoom_common.jobs.runner import Slice, Step
from zoom_common.ratelimit.quotas import DAY, DailyStore
from zoom_common.zoom.operations.model import Operation
from zoom_common.zoom.rate_limits import until_midnight

NAME = "registrants.sync"
OPTIONS = frozenset({"meeting", "webinar", "remove", "revive", "auto_approve"})
_SOURCE = "/gateway/jobs"
# Zoom accepts this many changes of one registrant's status a day: https://developers.zoom.us/docs/api/rate-limits/
_CHANGES_A_DAY = 10
_SCHEDULED, _WEBINAR = 2, 5
# In seconds. For this long after a lost answer, Zoom may still carry the request out.
_SETTLES = 60.0
_CANCEL = "registrant_to_cancel"
_NUMBER = re.compile(r"[0-9]{9,12}")


def check_options(body: Mapping[str, Any], wrong: list[FieldError]) -> None:
    """Note the errors in the members that only this operation has."""
    named = [name for name in ("meeting", "webinar") if name in body]
    if len(named) != 1 or not _NUMBER.fullmatch(str(body[named[0]])):
        wrong.append(FieldError("meeting", "The number of one meeting, or in webinar of one webinar."))
    switches = sorted(OPTIONS - {"meeting", "webinar"})
    wrong.extend(FieldError(each, "true or false.") for each in switches if not isinstance(body.get(each, False), bool))


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrantSync:
    """Does the work of such a job.

    `publish` sends join links as events; `cancelled` returns the addresses in events.
    """

    publish: Callable[[Sequence[CloudEvent]], object]
    cancelled: Callable[[Job, str], Collection[str]]
    changes: DailyStore
    operations: Mapping[str, Operation]

    def __call__(self, slice_: Slice) -> Step:
        """Work until the slice is over. Raises Lost."""
        return _Sync(self, slice_).run()


class _Stopped(Exception):
    """A call has ended the slice with this step."""

    def __init__(self, step: Step) -> None:
        super().__init__("stopped")
        self.step = step


class _Sync:
    """One slice."""

    def __init__(self, sync: RegistrantSync, slice_: Slice) -> None:
        self._sync, self._slice, self._runner = sync, slice_, slice_.runner
        request = slice_.job.request
        self._kind = "webinars" if "webinar" in request else "meetings"
        self._number = str(request.get("webinar", request.get("meeting")))
        self._ids = {"webinarId" if self._kind == "webinars" else "meetingId": self._number}
        self._mapping = ColumnMapping.of(request.get("mapping"))
        self._rows: dict[int, Row] = {}
        self._seen = Tally()
        self._finished = 0

    def run(self) -> Step:
        try:
            return self._run()
        except _Stopped as stopped:
            return stopped.step
        except GatewayError as error:
            return self._slice.stop(stop_of(error, now=self._runner.clock()))

    def _run(self) -> Step:
        self._read_ledger()
        now, open_rows = self._runner.clock(), [row for row in self._rows.values() if not row.finished]
        unsettled = [row.due for row in open_rows if row.state is RowState.SENT and row.due > now]
        if unsettled:
            return self._slice.wait(max(unsettled))
        if "phase" not in self._slice.job.notes or any(row.state is RowState.SENT for row in open_rows):
            self._look()
        if self._slice.job.dry_run:
            for row in [each for each in self._rows.values() if not each.finished]:
                self._done(row, "Would be cancelled." if self._is_cancel(row) else "Would be registered.")
            self._save()
        return self._apply()

    def _read_ledger(self) -> None:
        self._rows = {row.number: row for row in ledger(self._runner.store, self._slice.job)}
        self._seen = Tally()
        for row in self._rows.values():
            self._seen = self._seen.counting(row)

    def _look(self) -> None:
        """Decide about each row by who is registered now, and add a row for each person to be cancelled."""
        if "people" not in self._slice.job.notes:  # the number of the caller's rows, whatever a crash left after them
            notes = {**self._slice.job.notes, "people": self._slice.job.rows}
            self._slice.job = replace(self._slice.job, notes=notes)
            self._save()
        about = self._read(f"{self._kind}.get")
        hosts, registered = _hosts(about), self._registered()
        gone = set() if self._slice.job.request.get("revive") else self._gone(registered)
        wanted: dict[str, int] = {}
        for row in list(self._rows.values()):
            if self._is_cancel(row):
                self._decide_cancel(row, registered)
                continue
            if row.finished:
                wanted.setdefault(self._address(row), row.number)
                continue
            self._decide(row, hosts, registered, gone, wanted)
        if "phase" not in self._slice.job.notes:
            self._add_cancels(registered, wanted, hosts)
        notes = {**self._slice.job.notes, "phase": "apply", "type": about.get("type")}
        self._slice.job = replace(self._slice.job, notes=notes)
        self._save()

    def _gone(self, registered: Mapping[str, Registered]) -> set[str]:
        """Return the addresses of registrations that were cancelled or denied, and not registered again."""
        gone = set(self._sync.cancelled(self._slice.job, self._number))
        gone |= {address for address, each in registered.items() if not each.takes_part}
        return gone - {address for address, each in registered.items() if each.takes_part}

    def _decide(
        self,
        row: Row,
        hosts: Collection[str],
        registered: Mapping[str, Registered],
        gone: Collection[str],
        wanted: dict[str, int],
    ) -> None:
        address = self._address(row)
        first = wanted.setdefault(address, row.number)  # also of a refused row, so that a typing error cancels nobody
        there = registered.get(address)
        try:
            request_of(self._operation("registrants.add"), self._with_number(), self._said(row), as_text=False)
        except RowRefused as refusal:
            self._write(refused(row, refusal.faults))
            return
        if first != row.number:
            self._done(row, f"Left out: row {first} has the same address.")
        elif address in hosts:
            self._done(row, "Left out: hosts and alternative hosts cannot register.")
        elif there is not None and there.takes_part:
            if row.state is RowState.SENT:  # by us, and the answer was lost
                self._sync.publish([self._event(row, there.registrant_id, there.join_url)])
            message = None if row.state is RowState.SENT else "Registered already."
            self._registered_row(row, there.registrant_id, there.join_url, message)
        elif address in gone:
            self._done(row, "Left out: this registration was cancelled or denied. Send revive to register again.")
        elif row.state is RowState.SENT:
            self._runner.store.put_off(self._slice.job, row, until=0.0, sent=False)
            self._rows[row.number] = replace(row, state=RowState.WAITING, first_sent=None, due=0.0)

    def _decide_cancel(self, row: Row, registered: Mapping[str, Registered]) -> None:
        if row.finished:
            return
        there = registered.get(self._address(row))
        if there is None or not there.takes_part:
            self._done(row, "Cancelled.")
        elif row.state is RowState.SENT:
            self._runner.store.put_off(self._slice.job, row, until=0.0, sent=False)
            self._rows[row.number] = replace(row, state=RowState.WAITING, first_sent=None, due=0.0)

    def _add_cancels(
        self, registered: Mapping[str, Registered], wanted: Collection[str], hosts: Collection[str]
    ) -> None:
        """Add a row for each person who is registered and not wanted, after those of the input."""
        if self._slice.job.request.get("remove", True) is False:
            return
        leaving = sorted(each for each in registered if each not in wanted and registered[each].takes_part)
        first = int(self._slice.job.notes["people"]) + 1
        rows = [
            Row(number=at, values={"email": address, _CANCEL: registered[address].registrant_id})
            for at, address in enumerate((each for each in leaving if each not in hosts), start=first)
        ]
        self._runner.store.put_rows(self._slice.job, rows)
        counted = self._runner.store.counted(self._slice.job, rows=first - 1 + len(rows), owner=self._slice.owner)
        if counted is not None:
            self._slice.job = replace(self._slice.job, rows=counted.rows)
        self._rows |= {row.number: row for row in rows}

    def _apply(self) -> Step:
        batches = self._slice.job.notes.get("type") in {None, _SCHEDULED, _WEBINAR}
        now = self._runner.clock()
        ready = [row for row in self._rows.values() if not row.finished and row.due <= now]
        cancels = [row for row in ready if self._is_cancel(row)]
        adds = [row for row in ready if not self._is_cancel(row)]
        packed = [row for row in adds if batches and self._said(row).keys() <= IN_BATCHES]
        singles = [row for row in adds if row not in packed] if len(packed) < len(adds) else []
        work: list[tuple[Callable[[Sequence[Row]], None], Sequence[Row]]] = []
        work += [(self._cancel, each) for each in batched(cancels, BATCH, strict=False)]
        work += [(self._add_batch, each) for each in batched(packed, BATCH, strict=False)]
        work += [(self._add_one, [each]) for each in singles]
        for send, rows in work:
            if not self._slice.deadline.allows(0.0):
                return self._slice.again()
            send(rows)
            self._save()
        due = [row.due for row in self._rows.values() if not row.finished]
        return self._slice.wait(min(due)) if due else self._slice.done()

    def _cancel(self, rows: Sequence[Row]) -> None:
        now, account = self._runner.clock(), self._account()
        midnight, changing = now + until_midnight(now), []
        for row in rows:
            counter = f"{account}#registrant#{(row.values or {})[_CANCEL]}"
            if self._sync.changes.take(counter, period=int(now // DAY), limit=_CHANGES_A_DAY, most=1) is None:
                self._rows[row.number] = replace(row, due=midnight)
            else:
                changing.append(row)
        people = [{"id": row.values[_CANCEL], "email": row.values["email"]} for row in changing if row.values]
        if people:
            claimed = self._claim(changing)
            self._call("registrants.status", {"action": "cancel", "registrants": people}, claimed)
            for row in claimed:
                self._done(row, "Cancelled.")

    def _add_batch(self, rows: Sequence[Row]) -> None:
        claimed = self._claim(rows)
        body: dict[str, Any] = {"registrants": [self._said(row) for row in claimed]}
        body |= {"auto_approve": True} if self._slice.job.request.get("auto_approve") else {}
        answer = self._call("registrants.batch", body, claimed)
        if answer is None:
            return
        self._accept(claimed, people_in(answer))  # a person who is missing in the answer was not registered

    def _add_one(self, rows: Sequence[Row]) -> None:
        claimed = self._claim(rows)
        for row in claimed:
            answer = self._call("registrants.add", self._said(row), [row])
            if answer is not None:
                self._accept([row], {self._address(row): answer})

    def _accept(self, rows: Iterable[Row], made: Mapping[str, Mapping[str, Any]]) -> None:
        events, accepted = [], []
        for row in rows:
            found = made.get(self._address(row))
            if found is None:
                message = "Zoom left this person out of its answer. Register them alone to see why."
                self._write(replace(row, state=RowState.FAILED, kind="not_accepted", message=message))
                continue
            registrant, link = str(found.get("registrant_id") or found.get("id") or ""), found.get("join_url")
            events.append(self._event(row, registrant, link))
            accepted.append((row, registrant, link))
        if events:
            self._sync.publish(events)  # before the ledger has it, so that a repetition has the same id
        for row, registrant, link in accepted:
            self._registered_row(row, registrant, link, None)

    def _event(self, row: Row, registrant: str, link: str | None) -> CloudEvent:
        job, place = self._slice.job, f"{self._kind}/{self._number}"
        return CloudEvent(
            id=event_id(_SOURCE, job.tenant, f"{job.job_id}/{row.number}"),
            source=_SOURCE,
            type="registrant.registered",
            time=rfc3339(int(self._runner.clock() * 1000)),
            tenant=job.tenant,
            subject=place,
            data={
                "job": job.job_id,
                "row": row.number,
                self._kind.removesuffix("s"): self._number,
                "email": self._said(row).get("email"),
                "registrant_id": registrant,
                "join_url": link,
            },
        )

    def _registered(self) -> dict[str, Registered]:
        """Return who is registered. A page that fails raises _Stopped: nobody is taken for missing."""
        return who_is_registered(lambda query: self._read(f"{self._kind}.registrants.list", query))

    def _read(self, name: str, query_string: str = "") -> dict[str, Any]:
        """Return Zoom's answer to a read. Raises _Stopped."""
        found = self._send(self._sync.operations[name], query_string, b"")
        if isinstance(found, Stop):
            raise _Stopped(self._slice.stop(found))
        return found

    def _call(self, name: str, body: Mapping[str, Any], rows: Sequence[Row]) -> dict[str, Any] | None:
        """Make a change for claimed rows. Return the answer, or None when Zoom refused it and the rows failed."""
        operation = self._operation(name)
        sent = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
        found = self._send(operation, "", sent)
        if not isinstance(found, Stop):
            return found
        if found.failed:
            for row in rows:
                failed = replace(row, state=RowState.FAILED, kind=found.reason, message=found.message)
                self._write(replace(failed, status=found.status, code=found.code))
            return None
        until = self._runner.clock() + (_SETTLES if found.unknown else 0.0)
        for row in rows:
            self._runner.store.put_off(self._slice.job, row, until=until, sent=found.unknown)
        self._save()
        raise _Stopped(self._slice.wait(until) if found.unknown else self._slice.stop(found))

    def _send(self, operation: Operation, query_string: str, body: bytes) -> dict[str, Any] | Stop:
        job = self._slice.job
        connection = job.request.get("connection")
        call = Call(
            principal=job.principal,
            operation=operation,
            ids=self._ids,
            query_string=query_string,
            headers={"x-zoom-connection": str(connection)} if connection else {},
            body=body,
            deadline=Deadline.after(CALL_SECONDS, clock=self._runner.monotonic),
        )
        try:
            answer = self._runner.calls.send(call)
        except OutcomeUnknown:
            return Stop("outcome_unknown", unknown=True)
        except GatewayError as error:
            return stop_of(error, now=self._runner.clock())
        found = json.loads(answer.body) if answer.body.strip() else {}
        return found if isinstance(found, dict) else {}

    def _operation(self, name: str) -> Operation:
        return self._sync.operations[f"{self._kind}.{name}"]

    def _account(self) -> str:
        connection = self._slice.job.request.get("connection")
        selected = self._runner.calls.gateway.select(self._slice.job.principal, connection)
        return selected.zoom_account_id

    def _said(self, row: Row) -> dict[str, Any]:
        """Return the members of the person in the row."""
        columns, values = self._mapping.columns, row.values or {}
        named = {columns[name]: each for name, each in values.items() if name in columns} if columns else dict(values)
        return {**self._mapping.defaults, **{name: each for name, each in named.items() if each not in ("", None)}}

    def _with_number(self) -> ColumnMapping:
        return ColumnMapping(defaults=self._ids)

    def _address(self, row: Row) -> str:
        # A row that we added, for a person to be cancelled, has the address under Zoom's name whatever the mapping is.
        return fold((row.values or {}).get("email") if self._is_cancel(row) else self._said(row).get("email"))

    def _is_cancel(self, row: Row) -> bool:
        return row.number > int(self._slice.job.notes.get("people", self._slice.job.rows or 0))

    def _claim(self, rows: Iterable[Row]) -> list[Row]:
        now = self._runner.clock()
        claimed = [self._runner.store.claim(self._slice.job, row, now=now) for row in rows]
        return [row for row in claimed if row is not None]

    def _done(self, row: Row, message: str) -> None:
        self._write(replace(row, state=RowState.SUCCEEDED, message=message))

    def _registered_row(self, row: Row, registrant: str, link: str | None, message: str | None) -> None:
        ids = {"registrant_id": registrant, **({"join_url": link} if link else {})}
        self._write(replace(row, state=RowState.SUCCEEDED, ids=ids, message=message))

    def _write(self, row: Row) -> None:
        self._runner.store.finish(self._slice.job, row)
        self._rows[row.number] = row
        self._seen = self._seen.counting(row)
        self._finished += 1

    def _save(self) -> None:
        finished, self._finished = self._finished, 0
        self._slice.save(replace(self._slice.job, seen=self._seen), finished=finished)


def _hosts(about: Mapping[str, Any]) -> set[str]:
    settings = about.get("settings")
    others = str(settings.get("alternative_hosts") or "") if isinstance(settings, dict) else ""
    return {fold(about.get("host_email")), *map(fold, re.split(r"[;,]", others))} - {""}


def cancelled_in(records: Mapping[str, Any]) -> Iterator[str]:
    """Yield the addresses of registrations that events reported as cancelled, from the projection's records."""
    for record in records.values():
        if record.values.get("status") == "cancelled" and record.values.get("email"):
            yield fold(record.values["email"])
