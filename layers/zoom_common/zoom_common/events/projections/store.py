"""The projections' records in the Events table."""

from __future__ import annotations

import random
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from zoom_common.aws.at_once import at_once
from zoom_common.aws.table import ConditionFailed, Table
from zoom_common.errors import DependencyFailed, Unavailable
from zoom_common.events.projections.record import Change, Record, Stamp

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem

# Zoom's own reports reach a year back, so projections are kept as long.
RETENTION_DAYS = 400

_TRIES = 8

_LONGEST_PAUSE = 0.2


type _Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class EventChanges:
    """What one event of a tenant changes, when it happened, and the connection that it came by."""

    tenant: str
    changes: Sequence[Change]
    stamp: Stamp
    connection: str | None = None

    def key(self, change: Change) -> tuple[str, str]:
        """Return the keys of the record that one of its changes is about."""
        return record_key(self.tenant, change)


def record_key(tenant: str, change: Change) -> tuple[str, str]:
    """Return the keys of the tenant's record that a change is about."""
    return f"{tenant}#{change.partition}", change.sort


class ProjectionStore:
    """Records by tenant, partition and sort key. Every method raises Unavailable when the table cannot be used."""

    OWNED_KEYS: ClassVar = {"projections": (r"[^#]+#(users|(meeting|connection)#.+)", r".+")}

    def __init__(
        self,
        events: Table,
        *,
        retention_days: int = RETENTION_DAYS,
        pause: Callable[[float], object] = time.sleep,
    ) -> None:
        self._table = events
        self._retention = retention_days * 86_400
        self._pause = pause

    def apply(self, tenant: str, changes: Iterable[Change], stamp: Stamp, connection: str | None = None) -> None:
        """Merge the changes of one event. Repeating it, or applying it after newer events, is safe."""
        [failed] = self.apply_all([EventChanges(tenant, tuple(changes), stamp, connection)])
        if failed is not None:
            raise failed

    def apply_all(self, events: Sequence[EventChanges]) -> list[Exception | None]:
        """Merge the changes of several events, and write each record once. Return for each event None or the error.

        A record is written in one piece: where that fails, none of its events is applied.
        """
        said: dict[_Key, list[int]] = {}
        for at, event in enumerate(events):
            for change in event.changes:
                said.setdefault(event.key(change), []).append(at)
        failed: dict[int, Exception] = {}
        try:
            known = self._read_all(said)
        except DependencyFailed as error:
            return [error if event.changes else None for event in events]
        for key, why in self._merge_all(events, said, known).items():
            failed |= dict.fromkeys(said[key], why)
        return [failed.get(at) for at in range(len(events))]

    def read(self, tenant: str, partition: str, prefix: str = "") -> dict[str, Record]:
        """Return the records of a partition with sort keys that begin with `prefix`, by sort key, read consistently."""
        return {item["sk"]["S"]: _record(item) for item in self._items(f"{tenant}#{partition}", prefix)}

    def page(
        self, tenant: str, partition: str, prefix: str, *, limit: int, after: str | None = None
    ) -> tuple[dict[str, Record], str | None]:
        """Return up to `limit` records after the sort key `after`, and the sort key where the next page begins."""
        key = f"{tenant}#{partition}"
        start = {"ExclusiveStartKey": {"pk": {"S": key}, "sk": {"S": after}}} if after else {}
        answer = self._table.call("query", **_query(key, prefix), **start, Limit=limit)
        last = answer.get("LastEvaluatedKey")
        return {item["sk"]["S"]: _record(item) for item in answer["Items"]}, last["sk"]["S"] if last else None

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether an erasure deletes a record: the tenant's, or one whose key or content names the person."""
        tenant, _, partition = str(item["pk"]).partition("#")
        if not target.owns(tenant):
            return False
        named = target.names([*partition.split("#"), *str(item["sk"]).split("#")])
        return target.whole_tenant or named or target.is_named_in_json(zlib.decompress(item["record"]))

    def _read_all(self, keys: Iterable[_Key]) -> dict[_Key, Mapping[str, Any]]:
        asked = [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in keys]
        return {(item["pk"]["S"], item["sk"]["S"]): item for item in self._table.batch_get(asked)}

    def _merge_all(
        self,
        events: Sequence[EventChanges],
        said: Mapping[_Key, Sequence[int]],
        known: dict[_Key, Mapping[str, Any]],
    ) -> dict[_Key, Exception]:
        """Write the next version of each record that changes. Where another worker has written one, merge into that.

        Return the errors by key.
        """
        failed: dict[_Key, Exception] = {}
        left = list(said)
        for attempt in range(_TRIES):
            if attempt:
                self._pause(random.uniform(0, min(_LONGEST_PAUSE, 0.01 * 2**attempt)))  # noqa: S311 - jitter
            puts: dict[_Key, tuple[str, dict[str, Any]]] = {}
            for key in left:
                try:
                    put = self._next_version(key, [events[at] for at in dict.fromkeys(said[key])], known.get(key))
                except Exception as error:  # noqa: BLE001 - a record that cannot be read must not stop the others
                    failed[key] = error
                else:
                    puts |= {key: put} if put else {}
            left = []
            for key, outcome in zip(puts, at_once(self._table, puts.values()), strict=True):
                if isinstance(outcome, ConditionFailed):
                    left.append(key)
                    known.pop(key, None)
                    known |= {key: outcome.raw} if outcome.raw else {}
                elif isinstance(outcome, DependencyFailed):
                    failed[key] = outcome
            if not left:
                return failed
        return failed | dict.fromkeys(left, Unavailable(reason="projection_contended"))

    def _next_version(
        self, key: _Key, events: Sequence[EventChanges], item: Mapping[str, Any] | None
    ) -> tuple[str, dict[str, Any]] | None:
        """Return the operation that writes the next version, or None where the events add nothing."""
        known = _record(item) if item else Record()
        merged = known
        for event in events:
            for change in event.changes:
                if event.key(change) == key:
                    merged = merged.merged(change, event.stamp, event.connection)
        if item and merged == known:
            return None
        return "put_item", self._to_put(key, merged, int(item["version"]["N"]) if item else 0)

    def _to_put(self, key: _Key, record: Record, seen: int) -> dict[str, Any]:
        """Return the operation that writes the next version, unless another worker has written one."""
        pk, sk = key
        item = {
            "pk": {"S": pk},
            "sk": {"S": sk},
            "record": {"B": zlib.compress(record.to_json().encode())},
            "version": {"N": str(seen + 1)},
            "expires_at": {"N": str(record.newest_ms // 1000 + self._retention)},
        }
        if not seen:
            return {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"}
        values = {":seen": {"N": str(seen)}}
        return {"Item": item, "ConditionExpression": "version = :seen", "ExpressionAttributeValues": values}

    def _items(self, key: str, prefix: str) -> Iterator[Mapping[str, Any]]:
        for page in self._table.pages("query", **_query(key, prefix)):
            yield from page["Items"]


def _query(key: str, prefix: str) -> dict[str, Any]:
    condition, values = "pk = :pk", {":pk": {"S": key}}
    if prefix:
        condition, values = f"{condition} AND begins_with(sk, :prefix)", {**values, ":prefix": {"S": prefix}}
    return {"KeyConditionExpression": condition, "ExpressionAttributeValues": values, "ConsistentRead": True}


def _record(item: Mapping[str, Any]) -> Record:
    return Record.from_json(zlib.decompress(item["record"]["B"]))
