"""The progress of erasures: one record per person or tenant. A finished record names neither.

pk <tenant>#erasures  sk era_<digest>  state, about, erased_at, deleted, finished_at, run; while it runs, also its
position and the ids that items name the person by. A run that continues after a crash needs these ids, because the
person's connections are deleted by then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Any, ClassVar

from zoom_common.aws.table import ConditionFailed, Table

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem

KINDS = (
    "connections",
    "revokes_queued",
    "api_keys",
    "events",
    "event_parts",
    "log_lines",
    "projections",
    "usage",
    "subscriptions",
    "deliveries",
    "waiting_deliveries",
    "jobs",
    "job_rows",
    "job_places",
    "jobs_active",
    "job_files",
    "archive_recordings",
    "archive_files",
    "archive_objects",
    "archive_list",
    "archive_agenda",
    "archive_policies",
    "coordination",
    "others",
)


# The ids of a person that are found while their erasure runs. They are removed when it is done.
_FOUND = ("connection_ids", "key_ids", "zoom_user_ids", "account_ids", "client_ids")


# A record of an earlier release has no run. A record that was erased meanwhile does not come back.
_MINE = "attribute_exists(#pk) AND #state <> :done AND (attribute_not_exists(#run) OR #run = :run)"


class Superseded(Exception):
    """The same erasure was requested again, and the newer run does all of it."""


class Stage(StrEnum):
    """The stages of an erasure, in this order. The last two run a second time some minutes later."""

    FIND = "find"  # read the Zoom ids that events name for an e-mail address
    CONNECTIONS = "connections"
    EVENTS = "events"
    COORDINATION = "coordination"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where an erasure resumes: after the key `after` of a stage's table, not before `not_before` (epoch seconds)."""

    stage: Stage = Stage.FIND
    after: tuple[str, str] | None = None
    second_look: bool = False
    not_before: float = 0.0


class State(StrEnum):
    """The state of an erasure."""

    RUNNING = "running"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One erasure. Times are epoch seconds. No event from before `erased_at` is stored again."""

    tenant: str
    erasure_id: str
    about: str  # person or tenant
    state: State
    erased_at: float
    deleted: Mapping[str, int]
    finished_at: float | None = None
    run: int = 0
    """The number of the request. Messages of an earlier request have nothing left to do."""
    position: Position = Position()
    connection_ids: frozenset[str] = frozenset()
    key_ids: frozenset[str] = frozenset()
    zoom_user_ids: frozenset[str] = field(default=frozenset(), repr=False)
    account_ids: frozenset[str] = frozenset()
    client_ids: frozenset[str] = frozenset()


def erasure_id(tenant: str, person: str | None) -> str:
    """Return the id of an erasure. The same person or tenant has the same id, so a repeated request is one erasure."""
    return "era_" + sha256(f"{tenant}\x00{person or '*'}".encode()).hexdigest()[:32]


class ErasureRecords:
    """Records in the Connections table. Every method raises Unavailable."""

    OWNED_KEYS: ClassVar = {"erasures": (r"[^#]+#erasures", r"era_.+")}

    def __init__(self, table: Table) -> None:
        self._table = table

    def begin(self, tenant: str, name: str, *, about: str, now: float) -> Record:
        """Start an erasure, or a new run of one under way. A finished one starts again with all counts at zero."""
        fresh = dict.fromkeys(KINDS, 0)
        next_run = "#run = if_not_exists(#run, :zero) + :one"
        start = f"SET #state = :running, #about = :about, #erased_at = :now, #deleted = :fresh, {next_run}"
        again = f"SET #erased_at = :now, {next_run} REMOVE #position"
        values = {"running": str(State.RUNNING), "now": now, "zero": 0, "one": 1}
        key = _partition(tenant), name
        try:
            item = self._table.update(
                *key,
                f"{start} REMOVE #finished_at, #position",
                condition="attribute_not_exists(#state) OR #state <> :running",
                values=values | {"about": about, "fresh": fresh},
            )
        except ConditionFailed:
            item = self._table.update(*key, again, condition="#state = :running", values=values)
        return _record(item)

    def found(self, record: Record, **ids: Iterable[str]) -> Record:
        """Store ids of the person before the items that hold them are deleted. The keywords are fields of `Record`."""
        noted = {name: frozenset(each) - getattr(record, name) for name, each in ids.items()}
        noted = {name: each for name, each in noted.items() if each}  # DynamoDB has no empty set
        if not noted:
            return record
        return self._change(record, "ADD " + ", ".join(f"#{name} :{name}" for name in noted), noted)

    def move(self, record: Record, position: Position) -> Record:
        """Store where to resume. Raises Superseded when the erasure was requested again, or is done."""
        after = dict(zip(("pk", "sk"), position.after, strict=True)) if position.after is not None else {}
        stored = {"stage": str(position.stage), "after": after, "second_look": position.second_look}
        values = {
            "position": stored | {"not_before": position.not_before},
            "run": record.run,
            "done": str(State.DONE),
        }
        return self._change(record, "SET #position = :position", values, condition=_MINE)

    def count(self, record: Record, done: Counter[str]) -> None:
        """Add to the counts of deleted items that a receipt shows."""
        names = [each for each in done if done[each] and each in KINDS]
        if not names:
            return
        # An erasure that an older release began has no counts of the kinds that only later releases know.
        change = ", ".join(f"#deleted.#{each} = if_not_exists(#deleted.#{each}, :zero) + :{each}" for each in names)
        self._change(record, f"SET {change}", {"zero": 0, **{each: done[each] for each in names}})

    def finish(self, record: Record, *, now: float) -> Record:
        """Finish a run, and remove the ids that it looked for. Raises Superseded as `move` does."""
        forgotten = ", ".join(f"#{name}" for name in ("position", *_FOUND))
        change = f"SET #state = :done, #finished_at = :now REMOVE {forgotten}"
        return self._change(record, change, {"done": str(State.DONE), "now": now, "run": record.run}, condition=_MINE)

    def get(self, tenant: str, name: str) -> Record | None:
        """Return one record, or None."""
        item = self._table.get(_partition(tenant), name)
        return _record(item) if item else None

    def list(self, tenant: str) -> Iterator[Record]:
        """Return all records of a tenant."""
        after: Mapping[str, object] | None = None
        while True:
            items, after = self._table.query("#pk = :pk", {"pk": _partition(tenant)}, after=after)
            yield from (_record(item) for item in items if "state" in item)
            if after is None:
                return

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:  # noqa: ARG004 - every store's signature
        """Return False: receipts are kept, and name no person."""
        return False

    def _change(
        self, record: Record, change: str, values: Mapping[str, object], *, condition: str = "attribute_exists(#pk)"
    ) -> Record:
        key = _partition(record.tenant), record.erasure_id
        try:
            return _record(self._table.update(*key, change, condition=condition, values=values))
        except ConditionFailed:
            raise Superseded from None


def _partition(tenant: str) -> str:
    return f"{tenant}#erasures"


def _record(item: Mapping[str, Any]) -> Record:
    return Record(
        tenant=str(item["pk"]).removesuffix("#erasures"),
        erasure_id=str(item["sk"]),
        about=str(item["about"]),
        state=State(item["state"]),
        erased_at=float(item["erased_at"]),
        deleted={name: int(number) for name, number in item["deleted"].items()},
        finished_at=float(item["finished_at"]) if "finished_at" in item else None,
        run=int(item.get("run", 0)),
        position=_position(item.get("position") or {}),
        **{name: frozenset(item.get(name, ())) for name in _FOUND},
    )


def _position(stored: Mapping[str, Any]) -> Position:
    if not stored:
        return Position()
    after = stored["after"]
    return Position(
        stage=Stage(stored["stage"]),
        after=(str(after["pk"]), str(after["sk"])) if after else None,
        second_look=bool(stored["second_look"]),
        not_before=float(stored["not_before"]),
    )
