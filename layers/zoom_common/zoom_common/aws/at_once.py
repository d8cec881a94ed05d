"""Requests to a table that are under way at once, and reads that a batch makes ahead of those who ask.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import batched
from typing import TYPE_CHECKING, Any

from zoom_common.aws.items import from_item
from zoom_common.aws.table import Outcome, Table, Values
from zoom_common.errors import DependencyFailed

if TYPE_CHECKING:
    from typing import TypedDict, Unpack

    class Selection(TypedDict, total=False):
        """Which part of a query's answer is wanted; see `Table.query`."""

        index: str | None
        limit: int | None
        after: Mapping[str, object] | None


type Item = Mapping[str, Any]
type Key = tuple[str, str]

_LARGEST_READ = 100
_LARGEST_WRITE = 25
_WHOLE = "#pk = :pk"
_OF_ONE = frozenset({"put_item", "update_item", "delete_item"})
_READS = frozenset({"get_item", "query", "scan", "batch_get_item"})


def at_once(table: Table, requests: Iterable[tuple[str, Mapping[str, Any]]]) -> list[Outcome]:
    """Send several operations without waiting for one another, each as `Table.call` sends it.

    Return for each what it answered or the error that `call` raises, in their order. They may be carried out in any
    order, and a crash leaves any of them undone: none may depend on another. boto3's clients wait for each.
    """
    begun = [table.begin(operation, **request, TableName=table.name) for operation, request in requests]
    return [outcome() for outcome in begun]


def begin_put_each(table: Table, items: Sequence[Item]) -> Callable[[], list[DependencyFailed | None]]:
    """Write whole items with different keys, without conditions, by the batch.

    Return at once what waits for the outcome and returns, for each item, why it is not written. Where a batch fails,
    its items are put one by one, so that none fails because of another.
    """
    begun = [(some, _begin_write(table, some)) for some in batched(items, _LARGEST_WRITE, strict=False)]
    return lambda: [failed for some, outcome in begun for failed in _put(table, some, outcome())]


def _begin_write(table: Table, items: Iterable[Item]) -> Callable[[], Outcome]:
    requests = [{"PutRequest": {"Item": item}} for item in items]
    return table.begin("batch_write_item", RequestItems={table.name: requests})


def _put(table: Table, items: Sequence[Item], outcome: Outcome) -> list[DependencyFailed | None]:
    if isinstance(outcome, dict) and not outcome.get("UnprocessedItems"):
        return [None] * len(items)
    alone = at_once(table, [("put_item", {"Item": item}) for item in items])
    return [each if isinstance(each, DependencyFailed) else None for each in alone]


class ReadAhead(Table):
    """A table that answers a read by key from what `begin_read` has read, until `forget`.

    An item that is written through this table is read anew after that.
    """

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._known: dict[Key, Item | None] = {}
        self._partitions: dict[str, list[dict[str, Any]]] = {}

    def begin_read(self, keys: Iterable[Key], *, consistent: bool = True) -> Callable[[], None]:
        """Read items in few requests; the result waits for them.

        A read that is not consistent costs half, and may show what an item was a moment ago. What could not be read is
        read again by whoever asks for it, and is their failure then.
        """
        asked = dict.fromkeys(key for key in keys if key not in self._known)
        begun = [
            (some, self._begin_get(some, consistent=consistent)) for some in batched(asked, _LARGEST_READ, strict=False)
        ]

        def wait() -> None:
            for some, outcome in begun:
                self._keep(some, outcome())

        return wait

    def begin_query(self, partitions: Iterable[str], *, consistent: bool = True) -> Callable[[], None]:
        """Read whole partitions, which are known to be small; the result waits for them. See `begin_read`."""
        begun = [
            (pk, self._begin_partition(pk, consistent=consistent))
            for pk in dict.fromkeys(partitions)
            if pk not in self._partitions
        ]

        def wait() -> None:
            for pk, outcome in begun:
                found = outcome()
                if isinstance(found, dict) and not found.get("LastEvaluatedKey"):
                    self._partitions[pk] = [from_item(item) for item in found["Items"]]

        return wait

    def partition(self, pk: str) -> list[dict[str, Any]]:
        """Return the items of a partition that was read ahead, with plain values; none where it was not."""
        return self._partitions.get(pk, [])

    def known(self, key: Key) -> dict[str, Any] | None:
        """Return an item that was read ahead, with plain values; None where there is none."""
        item = self._known.get(key)
        return None if item is None else from_item(item)

    def begin(self, operation: str, **request: Any) -> Callable[[], Outcome]:
        """Send one operation beside others that are under way."""
        self._forget_written(operation, request)
        return super().begin(operation, **request)

    def forget(self) -> None:
        """Read anew from now on."""
        self._known.clear()
        self._partitions.clear()

    def query(
        self, condition: str, values: Values, **more: Unpack[Selection]
    ) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
        """Return a page of a query, or the partition as it was read ahead."""
        if condition == _WHOLE and not any(more.values()) and values["pk"] in self._partitions:
            return self.partition(str(values["pk"])), None
        return super().query(condition, values, **more)

    def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        """Return the item as last written, or as it was read ahead."""
        return self.known((pk, sk)) if (pk, sk) in self._known else super().get(pk, sk)

    def batch_get(self, keys: Iterable[Mapping[str, Any]]) -> Iterator[Item]:
        """Yield the items that exist, as last written or as they were read ahead."""
        missing = []
        for key in keys:
            place = key["pk"]["S"], key["sk"]["S"]
            if place not in self._known:
                missing.append(key)
            elif (item := self._known[place]) is not None:
                yield item
        yield from super().batch_get(missing)

    def _send(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if operation == "get_item":
            place = request["Key"]["pk"]["S"], request["Key"]["sk"]["S"]
            if place in self._known:
                item = self._known[place]
                return {} if item is None else {"Item": item}
        self._forget_written(operation, request)
        return super()._send(operation, request)

    def _forget_written(self, operation: str, request: Mapping[str, Any]) -> None:
        if operation in _READS:
            return
        if operation == "batch_write_item":
            keys = [each["PutRequest"]["Item"] for each in request["RequestItems"].get(self.name, ())]
        elif operation in _OF_ONE:
            keys = [request.get("Key") or request["Item"]]
        else:
            self.forget()
            return
        for key in keys:
            self._known.pop((key["pk"]["S"], key["sk"]["S"]), None)
            self._partitions.pop(key["pk"]["S"], None)

    def _begin_get(self, keys: Iterable[Key], *, consistent: bool) -> Callable[[], Outcome]:
        asked = {"Keys": [{"pk": {"S": pk}, "sk": {"S": sk}} for pk, sk in keys], "ConsistentRead": consistent}
        return self.begin("batch_get_item", RequestItems={self.name: asked})

    def _begin_partition(self, pk: str, *, consistent: bool) -> Callable[[], Outcome]:
        names, values = {"#pk": "pk"}, {":pk": {"S": pk}}
        return self.begin(
            "query",
            TableName=self.name,
            KeyConditionExpression=_WHOLE,
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=values,
            ConsistentRead=consistent,
        )

    def _keep(self, keys: Sequence[Key], outcome: Outcome) -> None:
        if not isinstance(outcome, dict):
            return
        left = outcome.get("UnprocessedKeys", {}).get(self.name, {}).get("Keys", ())
        unread = {(key["pk"]["S"], key["sk"]["S"]) for key in left}
        self._known |= {key: None for key in keys if key not in unread}
        for item in outcome["Responses"].get(self.name, ()):
            self._known[item["pk"]["S"], item["sk"]["S"]] = item
