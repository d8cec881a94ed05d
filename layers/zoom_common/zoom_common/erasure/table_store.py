"""One of the three tables, page by page, as an erasure reads it: items with plain values in, deletions out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoom_common.aws.items import from_item
from zoom_common.aws.table import ConditionFailed, Table

type Key = tuple[str, str]

# A page is also as much as may be repeated after a crash. DynamoDB ends it at one megabyte if that comes first.
_PAGE = 500
_AWAY = "erasure_unavailable"


class WholeTable:
    """Every item of one table. Every method raises Unavailable."""

    def __init__(self, table: Table) -> None:
        self._table = table.with_reason(_AWAY)
        self.name = table.name

    def page(self, after: Key | None) -> tuple[list[dict[str, Any]], Key | None]:
        """Return the next items, read consistently, and the key to go on after, or None when those were the last."""
        request: dict[str, Any] = {"ConsistentRead": True, "Limit": _PAGE}
        if after is not None:
            request["ExclusiveStartKey"] = _key(after)
        answer = self._table.call("scan", **request)
        last = answer.get("LastEvaluatedKey")
        return [from_item(item) for item in answer["Items"]], (last["pk"]["S"], last["sk"]["S"]) if last else None

    def get(self, key: Key) -> dict[str, Any] | None:
        """Return one item, or None."""
        answer = self._table.call("get_item", Key=_key(key), ConsistentRead=True)
        return from_item(answer["Item"]) if "Item" in answer else None

    def sort_keys(self, pk: str) -> list[str]:
        """Return the sort keys of all items in one partition."""
        request: Any = {
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}},
            "ProjectionExpression": "sk",
            "ConsistentRead": True,
        }
        pages = self._table.pages("query", **request)
        return [item["sk"]["S"] for page in pages for item in page["Items"]]

    def delete(self, key: Key, *, tenant: str | None = None) -> bool:
        """Delete an item, if it is still of `tenant` where that is given, and return whether it was deleted."""
        request: dict[str, Any] = {"Key": _key(key), "ReturnValues": "ALL_OLD"}
        if tenant is not None:
            request["ConditionExpression"] = "tenant = :tenant"
            request["ExpressionAttributeValues"] = {":tenant": {"S": tenant}}
        try:
            return "Attributes" in self._table.call("delete_item", **request)
        except ConditionFailed:
            return False

    def delete_together(self, keys: Sequence[Key]) -> None:
        """Delete up to a hundred items, all or none."""
        self._table.transact([{"Delete": self._table.to_delete(*key)} for key in keys])


def _key(key: Key) -> Any:
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}
