"""What an erasure has come to: one record per person or tenant, which names neither.

pk <tenant>#erasures  sk era_<digest>  state, about, erased_at, deleted, finished_at; while it runs, what it has to look
for as well (ids of connections and keys), for a run that goes on after a crash finds these deleted already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from typing import Any

from zoom_common.aws.table import ConditionFailed, Table

_KINDS = (
    "connections",
    "revokes_queued",
    "api_keys",
    "events",
    "event_parts",
    "log_lines",
    "projections",
    "usage",
    "coordination",
    "others",
)


class State(StrEnum):
    """Where an erasure stands."""

    RUNNING = "running"
    DONE = "done"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One erasure. Times are epoch seconds; `erased_at` is the moment before which no event comes back."""

    tenant: str
    erasure_id: str
    about: str  # person or tenant
    state: State
    erased_at: float
    deleted: Mapping[str, int]
    finished_at: float | None = None
    connection_ids: frozenset[str] = frozenset()
    key_ids: frozenset[str] = frozenset()


def erasure_id(tenant: str, zoom_user_id: str | None) -> str:
    """The id of an erasure: the same for the same person or tenant, so that asking twice is asking once."""
    return "era_" + sha256(f"{tenant}\x00{zoom_user_id or '*'}".encode()).hexdigest()[:32]


class ErasureRecords:
    """Records in the Connections table. Every method raises Unavailable."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def begin(self, tenant: str, name: str, *, about: str, now: float) -> Record:
        """Start, or go on with what was started; one that is done begins anew, with nothing counted."""
        fresh = dict.fromkeys(_KINDS, 0)
        start = "SET #state = :running, #about = :about, #erased_at = :now, #deleted = :fresh REMOVE #finished_at"
        go_on = "SET #erased_at = :now"
        values = {"running": str(State.RUNNING), "now": now}
        key = _partition(tenant), name
        try:
            item = self._table.update(
                *key,
                start,
                condition="attribute_not_exists(#state) OR #state <> :running",
                values=values | {"about": about, "fresh": fresh},
            )
        except ConditionFailed:
            item = self._table.update(*key, go_on, condition="#state = :running", values=values)
        return _record(item)

    def found(self, record: Record, *, connection_ids: Iterable[str], key_ids: Iterable[str]) -> Record:
        """Note what is about to be deleted and still has to be looked for elsewhere."""
        sets = {
            "connection_ids": record.connection_ids | frozenset(connection_ids),
            "key_ids": record.key_ids | frozenset(key_ids),
        }
        noted = {name: ids for name, ids in sets.items() if ids}  # DynamoDB has no empty set
        if not noted:
            return record
        return self._change(record, "SET " + ", ".join(f"#{name} = :{name}" for name in noted), noted)

    def count(self, record: Record, done: Counter[str]) -> None:
        """Add to what was deleted."""
        names = [each for each in done if done[each]]
        if not names:
            return
        change = ", ".join(f"#deleted.#{each} = #deleted.#{each} + :{each}" for each in names)
        self._change(record, f"SET {change}", {each: done[each] for each in names})

    def finish(self, record: Record, *, now: float) -> Record:
        """It is done; what it had to look for is forgotten."""
        change = "SET #state = :done, #finished_at = :now REMOVE #connection_ids, #key_ids"
        return self._change(record, change, {"done": str(State.DONE), "now": now})

    def get(self, tenant: str, name: str) -> Record | None:
        """One record."""
        item = self._table.get(_partition(tenant), name)
        return _record(item) if item else None

    def list(self, tenant: str) -> Iterator[Record]:
        """All of a tenant's."""
        after: Mapping[str, object] | None = None
        while True:
            items, after = self._table.query("#pk = :pk", {"pk": _partition(tenant)}, after=after)
            yield from (_record(item) for item in items if "state" in item)
            if after is None:
                return

    def _change(self, record: Record, change: str, values: Mapping[str, object]) -> Record:
        key = _partition(record.tenant), record.erasure_id
        return _record(self._table.update(*key, change, condition="attribute_exists(#pk)", values=values))


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
        connection_ids=frozenset(item.get("connection_ids", ())),
        key_ids=frozenset(item.get("key_ids", ())),
    )
