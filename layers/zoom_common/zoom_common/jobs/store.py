"""Jobs and their row ledger in the Events table.

A job is one item, and each of its rows is another. Two more items find it: by tenant and age, and among those under
way. Everything expires 30 days after the job was made. The ledger is authoritative for a row; a job's counts come from
it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from zoom_common.access.principal import Principal
from zoom_common.aws.table import ConditionFailed, Table
from zoom_common.jobs.model import ENDED, LIFE, Job, Row, RowState, State, Tally

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem

_JOB = "job"
_ROW = "row#"
_ACTIVE = "jobs.active"  # tenants' names have no dot
_DIGITS = 7
# Far later than any job. Places of younger jobs are smaller, so that a list begins with the youngest.
_LATEST_MS = 10**13
_ROW_PAGE = 500
_MOST_CLOSED_HOSTS = 2_000
# In seconds: the time in which a new execution has to give its first sign of life.
_FIRST_SIGN = 60.0


@dataclass(frozen=True, slots=True)
class Page:
    """Jobs of a tenant, youngest first, and the place where the next page begins."""

    jobs: Sequence[Job]
    after: str | None


class JobStore:
    """Every method raises Unavailable when DynamoDB fails."""

    OWNED_KEYS: ClassVar = {
        "jobs": (r"[^#.]+#job#.+", r"job"),
        "job_rows": (r"[^#.]+#job#.+", r"row#.+"),
        "job_places": (r"[^#.]+#jobs", r".+"),
        "jobs_active": (r"jobs\.active", r".+"),
    }

    def __init__(self, table: Table) -> None:
        self._table = table.with_reason("job_store_unavailable")

    def create(self, job: Job, rows: Iterable[Row] = ()) -> Job:
        """Store a job with its rows, and return it; or return the job that has its id already.

        The job is stored after all its rows. Rows that a crash leaves without a job expire.
        """
        existing = self.get(job.tenant, job.job_id)
        if existing is not None:
            return existing
        self.put_rows(job, rows)
        free, expires_at = "attribute_not_exists(#pk)", _expiry(job)
        place = {"pk": f"{job.tenant}#jobs", "sk": _place(job), "job": job.job_id, "expires_at": expires_at}
        puts = [
            self._table.to_put(_values(job), condition=free),
            self._table.to_put(place),
            self._table.to_put(_active(job)),
        ]
        try:
            self._table.transact([{"Put": each} for each in puts])
        except ConditionFailed:
            return self.get(job.tenant, job.job_id) or job
        return job

    def put_rows(self, job: Job, rows: Iterable[Row]) -> None:
        """Write rows that nobody works on yet. Repeating it does no harm."""
        self._table.put_all(_row_values(job, each) for each in rows)

    def get(self, tenant: str, job_id: str) -> Job | None:
        """Return the job as last written, or None."""
        item = self._table.get(_pk(tenant, job_id), _JOB)
        return _job(item) if item else None

    def page(self, tenant: str, *, limit: int, after: str | None = None) -> Page:
        """Return jobs of a tenant, youngest first."""
        pk = f"{tenant}#jobs"
        start = {"pk": pk, "sk": after} if after else None
        places, last = self._table.query("#pk = :pk", {"pk": pk}, limit=limit, after=start)
        found = [self.get(tenant, str(each["job"])) for each in places]
        return Page([each for each in found if each is not None], str(last["sk"]) if last else None)

    def rows(self, job: Job, *, start: int = 1, limit: int = _ROW_PAGE) -> list[Row]:
        """Return up to `limit` rows from number `start` on, in order. There are fewer only at the end."""
        found: list[Row] = []
        after: Mapping[str, object] | None = {"pk": _pk(job.tenant, job.job_id), "sk": _row_sk(start - 1)}
        while len(found) < limit:
            values = {"pk": _pk(job.tenant, job.job_id), "first": _ROW, "last": f"{_ROW}~"}
            condition = "#pk = :pk AND #sk BETWEEN :first AND :last"
            items, after = self._table.query(condition, values, limit=limit - len(found), after=after)
            found += [_row(item) for item in items]
            if after is None:
                break
        return found

    def claim(self, job: Job, row: Row, *, now: float) -> Row | None:
        """Store that `row` may be sent from now on. Return the stored row, or None when another slice was faster."""
        change = "SET #state = :sent, #tries = :tries, #first_sent = if_not_exists(#first_sent, :now)"
        condition = "#state IN (:waiting, :sent) AND #tries = :seen"
        values = {"sent": str(RowState.SENT), "waiting": str(RowState.WAITING), "now": now}
        values |= {"tries": row.tries + 1, "seen": row.tries}
        item = self._change_row(job, row, change, condition, values)
        return _row(item) if item else None

    def finish(self, job: Job, row: Row) -> bool:
        """Store the result of a row. Return False when another slice has claimed it meanwhile, or it was erased."""
        said: dict[str, object] = {"state": str(row.state), "status": row.status, "code": row.code}
        said |= {"kind": row.kind, "message": row.message, "ids": _json(row.ids) if row.ids else None}
        given = {name: value for name, value in said.items() if value is not None}
        change = "SET " + ", ".join(f"#{name} = :{name}" for name in given)
        condition = "#tries = :seen AND #state IN (:waiting, :sent)"
        values = {**given, "waiting": str(RowState.WAITING), "sent": str(RowState.SENT), "seen": row.tries}
        return self._change_row(job, row, change, condition, values) is not None

    def put_off(self, job: Job, row: Row, *, until: float, sent: bool) -> bool:
        """Leave a row for a later try. `sent` says that something may have been made for it."""
        change = "SET #state = :state, #due = :until" + ("" if sent else " REMOVE #first_sent")
        values = {"state": str(RowState.SENT if sent else RowState.WAITING), "until": until, "seen": row.tries}
        values |= {"sent": str(RowState.SENT)}
        return self._change_row(job, row, change, "#tries = :seen AND #state = :sent", values) is not None

    def begin_slice(self, job: Job, *, run: int, owner: str, now: float, until: float, wake_at: float) -> Job | None:
        """Lease the job for one slice. Return it, or None when it changed meanwhile and has to be read again."""
        change = "SET #state = :running, #lease_owner = :owner, #lease_until = :until, #wake_at = :wake_at, "
        change += "#started_at = if_not_exists(#started_at, :now), #slices = #slices + :one REMOVE #reason, #not_before"
        condition = "#run = :run AND #lease_until <= :now AND "
        condition += "(#state IN (:waiting, :running) OR (#state = :paused AND #not_before <= :now))"
        values = {"owner": owner, "until": until, "now": now, "wake_at": wake_at, "run": run, "one": 1}
        values |= {name: name for name in ("running", "waiting", "paused")}
        return self._change(job, change, condition, values)

    def checkpoint(self, job: Job, *, owner: str, until: float, wake_at: float) -> Job | None:
        """Write progress and keep the lease until `until`. Return the job, or None when another slice has it.

        The state is never written, so that the slice sees it when somebody pauses or cancels the job.
        """
        values = {**_progress(job), "owner": owner, "until": until, "wake_at": wake_at}
        change = f"SET {_sets(_progress(job))}, #lease_until = :until, #wake_at = :wake_at"
        return self._change(job, change, "#lease_owner = :owner", values)

    def end_slice(
        self,
        job: Job,
        *,
        owner: str,
        state: State,
        now: float,
        wake_at: float,
        reason: str | None = None,
        not_before: float | None = None,
    ) -> Job | None:
        """Write progress and the slice's final state, and end the lease.

        A job that was paused or cancelled meanwhile stays so. Return the job, or None when another slice has it.
        """
        sets: dict[str, object] = {**_progress(job), "state": str(state), "wake_at": wake_at, "reason": reason}
        sets |= {"not_before": not_before, "finished_at": now if state in ENDED else None}
        given = {name: value for name, value in sets.items() if value is not None}
        values = {**given, "owner": owner, "running": str(State.RUNNING), "zero": 0}
        change = f"SET {_sets(given)}, #lease_until = :zero"
        ended = self._change(job, change, "#lease_owner = :owner AND #state = :running", values)
        if ended is not None:
            return ended
        values = {**_progress(job), "owner": owner, "zero": 0}
        return self._change(job, f"SET {_sets(_progress(job))}, #lease_until = :zero", "#lease_owner = :owner", values)

    def change_state(
        self, job: Job, state: State, *, seen: Iterable[State], now: float, reason: str | None = None
    ) -> Job | None:
        """Pause, resume or cancel a job in one of the states `seen`. Return it, or None when it is in another state.

        Resuming (WAITING) starts a new run; the former run stops at its next step.
        """
        sets: dict[str, object] = {"state": str(state), "wake_at": now + _FIRST_SIGN}
        if reason is not None:
            sets["reason"] = reason
        if state in ENDED:
            sets["finished_at"] = now
        change = f"SET {_sets(sets)}"
        allowed = {f"seen{at}": str(each) for at, each in enumerate(seen)}
        values: dict[str, object] = {**sets, **allowed}
        condition = f"#state IN ({', '.join(f':{name}' for name in allowed)})"
        if state is State.WAITING:
            change += ", #run = #run + :one REMOVE #reason, #not_before"
            values["one"] = 1
        elif state is State.PAUSED:
            change += " REMOVE #not_before"
        changed = self._change(job, change, condition, values)
        if changed is not None and state is State.WAITING:
            self._table.put(_active(changed))
        return changed

    def begin_run(self, job: Job, *, wake_at: float) -> Job | None:
        """Give the job a new execution number. Return None when somebody else has done so."""
        change = "SET #run = :following, #slices = :zero, #wake_at = :wake_at"
        values = {"following": job.run + 1, "seen": job.run, "zero": 0, "wake_at": wake_at}
        return self._change(job, change, "#run = :seen", values)

    def counted(self, job: Job, *, rows: int, owner: str) -> Job | None:
        """Store how many rows the file has. Return the job, or None when another slice has it."""
        return self._change(job, "SET #rows = :rows", "#lease_owner = :owner", {"rows": rows, "owner": owner})

    def active(self) -> list[tuple[str, str]]:
        """Return tenant and id of all jobs that have not ended, and of some that have."""
        found: list[tuple[str, str]] = []
        after: Mapping[str, object] | None = None
        while True:
            items, after = self._table.query("#pk = :pk", {"pk": _ACTIVE}, after=after)
            found += [(str(each["tenant"]), str(each["job"])) for each in items]
            if after is None:
                return found

    def forget_active(self, tenant: str, job_id: str) -> None:
        """Remove an ended job from the list of active ones."""
        self._table.delete(_ACTIVE, f"{tenant}#{job_id}")

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether an erasure deletes an item: the tenant's, or each row and each job that names the person."""
        pk, sk = str(item["pk"]), str(item["sk"])
        if not target.owns(str(item.get("tenant")) if pk == _ACTIVE else pk.partition("#")[0]):
            return False
        if target.whole_tenant:
            return True
        if sk.startswith(_ROW):
            named = (item.get(name, b"") for name in ("values", "ids"))
            return any(target.is_named_in_json(bytes(each)) for each in named if each)
        return sk == _JOB and target.is_named_in_json(bytes(item.get("request", b"")))

    def _change(self, job: Job, change: str, condition: str, values: Mapping[str, object]) -> Job | None:
        pk = _pk(job.tenant, job.job_id)
        item = self._table.update_if(pk, _JOB, change, condition=condition, values=values)
        return _job(item) if item else None

    def _change_row(
        self, job: Job, row: Row, change: str, condition: str, values: Mapping[str, object]
    ) -> dict[str, Any] | None:
        pk = _pk(job.tenant, job.job_id)
        return self._table.update_if(pk, _row_sk(row.number), change, condition=condition, values=values)


def _pk(tenant: str, job_id: str) -> str:
    return f"{tenant}#job#{job_id}"


def _row_sk(number: int) -> str:
    return f"{_ROW}{number:0{_DIGITS}d}"


def _place(job: Job) -> str:
    return f"{_LATEST_MS - int(job.created_at * 1000):013d}#{job.job_id}"


def _expiry(job: Job) -> int:
    return int(job.created_at) + LIFE


def _active(job: Job) -> dict[str, object]:
    sk = f"{job.tenant}#{job.job_id}"
    return {"pk": _ACTIVE, "sk": sk, "tenant": job.tenant, "job": job.job_id, "expires_at": _expiry(job)}


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")


def _sets(values: Mapping[str, object]) -> str:
    return ", ".join(f"#{name} = :{name}" for name in values)


def _progress(job: Job) -> dict[str, object]:
    """Return the attributes that only a slice writes."""
    open_hosts = dict(list(job.closed.items())[-_MOST_CLOSED_HOSTS:])
    values: dict[str, object] = {"cursor": job.cursor, "before": job.before.to_values(), "seen": job.seen.to_values()}
    values |= {"busiest": job.busiest, "closed": open_hosts, "notes": _json(job.notes)}
    optional = {"pace": job.pace, "host_left": job.host_left}
    return values | {name: value for name, value in optional.items() if value is not None}


def _values(job: Job) -> dict[str, object]:
    return {
        "pk": _pk(job.tenant, job.job_id),
        "sk": _JOB,
        "tenant": job.tenant,
        "job": job.job_id,
        "principal": job.principal.to_context()["principal"],
        "operation": job.operation,
        "request": _json(job.request),
        "fingerprint": job.fingerprint,
        "created_at": job.created_at,
        "state": str(job.state),
        "reason": job.reason,
        "rows": job.rows,
        "run": job.run,
        "slices": job.slices,
        "wake_at": job.wake_at,
        "lease_owner": job.lease_owner,
        "lease_until": job.lease_until,
        "started_at": job.started_at,
        "finished_at": job.finished_at,
        "not_before": job.not_before or None,
        "expires_at": _expiry(job),
        **_progress(job),
    }


def _job(item: Mapping[str, Any]) -> Job:
    def time(name: str) -> float | None:
        return None if item.get(name) is None else float(item[name])

    principal = Principal.from_context({"principal": item["principal"]})
    if principal is None:
        raise ValueError("a job without a principal")
    return Job(
        tenant=str(item["tenant"]),
        job_id=str(item["job"]),
        principal=principal,
        operation=str(item["operation"]),
        request=json.loads(bytes(item["request"])),
        fingerprint=str(item.get("fingerprint", "")),
        created_at=float(item["created_at"]),
        state=State(item["state"]),
        reason=item.get("reason"),
        rows=None if item.get("rows") is None else int(item["rows"]),
        cursor=int(item.get("cursor", 1)),
        before=Tally.of(item.get("before")),
        seen=Tally.of(item.get("seen")),
        run=int(item["run"]),
        slices=int(item.get("slices", 0)),
        wake_at=float(item.get("wake_at", 0)),
        not_before=float(item.get("not_before", 0)),
        lease_owner=str(item.get("lease_owner", "")),
        lease_until=float(item.get("lease_until", 0)),
        started_at=time("started_at"),
        finished_at=time("finished_at"),
        pace=time("pace"),
        busiest=int(item.get("busiest", 0)),
        host_left=None if item.get("host_left") is None else int(item["host_left"]),
        closed={str(host): float(until) for host, until in dict(item.get("closed") or {}).items()},
        notes=json.loads(bytes(item.get("notes") or b"{}")),
    )


def _row_values(job: Job, row: Row) -> dict[str, object]:
    return {
        "pk": _pk(job.tenant, job.job_id),
        "sk": _row_sk(row.number),
        "values": None if row.values is None else _json(row.values),
        "line": row.line,
        "state": str(row.state),
        "tries": row.tries,
        "kind": row.kind,
        "message": row.message,
        "expires_at": _expiry(job),
    }


def _row(item: Mapping[str, Any]) -> Row:
    return Row(
        number=int(str(item["sk"]).removeprefix(_ROW)),
        values=json.loads(bytes(item["values"])) if item.get("values") else None,
        line=None if item.get("line") is None else int(item["line"]),
        state=RowState(item["state"]),
        tries=int(item.get("tries", 0)),
        first_sent=None if item.get("first_sent") is None else float(item["first_sent"]),
        due=float(item.get("due", 0)),
        status=None if item.get("status") is None else int(item["status"]),
        code=None if item.get("code") is None else int(item["code"]),
        ids=json.loads(bytes(item["ids"])) if item.get("ids") else {},
        kind=item.get("kind"),
        message=item.get("message"),
    )
