"""The projections' records in the Events table."""

from __future__ import annotations

import random
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from zoom_common.aws.table import ConditionFailed, Table
from zoom_common.errors import Unavailable
from zoom_common.events.projections.record import Change, Record, Stamp

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem

# Zoom's own reports reach a year back; what it adds up to should not be forgotten sooner.
RETENTION_DAYS = 400

_TRIES = 8

_LONGEST_PAUSE = 0.2


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
        """Merge the changes of one event. Doing it again, or after newer events, is safe."""
        for change in changes:
            self._apply(tenant, change, stamp, connection)

    def read(self, tenant: str, partition: str, prefix: str = "") -> dict[str, Record]:
        """The records of a partition whose sort keys begin with `prefix`, by sort key, read consistently."""
        return {item["sk"]["S"]: _record(item) for item in self._items(f"{tenant}#{partition}", prefix)}

    def page(
        self, tenant: str, partition: str, prefix: str, *, limit: int, after: str | None = None
    ) -> tuple[dict[str, Record], str | None]:
        """Up to `limit` records after the sort key `after`, and the sort key to go on after."""
        key = f"{tenant}#{partition}"
        start = {"ExclusiveStartKey": {"pk": {"S": key}, "sk": {"S": after}}} if after else {}
        answer = self._table.call("query", **_query(key, prefix), **start, Limit=limit)
        last = answer.get("LastEvaluatedKey")
        return {item["sk"]["S"]: _record(item) for item in answer["Items"]}, last["sk"]["S"] if last else None

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether a record goes: the tenant's, for a person those whose key or content names them."""
        tenant, _, partition = str(item["pk"]).partition("#")
        if not target.owns(tenant):
            return False
        named = target.names([*partition.split("#"), *str(item["sk"]).split("#")])
        return target.whole_tenant or named or target.is_named_in_json(zlib.decompress(item["record"]))

    def _apply(self, tenant: str, change: Change, stamp: Stamp, connection: str | None) -> None:
        key = {"pk": {"S": f"{tenant}#{change.partition}"}, "sk": {"S": change.sort}}
        for attempt in range(_TRIES):
            item = self._table.call("get_item", Key=key, ConsistentRead=True).get("Item")
            known = _record(item) if item else Record()
            merged = known.merged(change, stamp, connection)
            if item and merged == known:
                return
            if self._put(key, merged, int(item["version"]["N"]) if item else 0):
                return
            self._pause(random.uniform(0, min(_LONGEST_PAUSE, 0.01 * 2**attempt)))  # noqa: S311 - jitter
        raise Unavailable(reason="projection_contended")

    def _put(self, key: Mapping[str, Any], record: Record, seen: int) -> bool:
        """Write the next version; False when another worker did."""
        item = {
            **key,
            "record": {"B": zlib.compress(record.to_json().encode())},
            "version": {"N": str(seen + 1)},
            "expires_at": {"N": str(record.newest_ms // 1000 + self._retention)},
        }
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if seen:
            condition = {
                "ConditionExpression": "version = :seen",
                "ExpressionAttributeValues": {":seen": {"N": str(seen)}},
            }
        try:
            self._table.call("put_item", Item=item, **condition)
        except ConditionFailed:
            return False
        return True

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
