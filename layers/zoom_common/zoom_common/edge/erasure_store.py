"""A whole table, page by page, for an erasure: raw items in, deletions out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoom_common.aws.table import Table

type Item = Mapping[str, Any]

_PAGE = 200
_AWAY = "erasure_unavailable"


class WholeTable:
    """Every item of one table, as DynamoDB gives it. Every method raises Unavailable."""

    def __init__(self, table: Table) -> None:
        self._table = table.with_reason(_AWAY)

    def page(self, after: tuple[str, str] | None) -> tuple[list[Any], tuple[str, str] | None]:
        """The next items, read consistently, and the key to go on after (None: that was the last)."""
        request: dict[str, Any] = {"ConsistentRead": True, "Limit": _PAGE}
        if after is not None:
            request["ExclusiveStartKey"] = {"pk": {"S": after[0]}, "sk": {"S": after[1]}}
        answer = self._table.call("scan", **request)
        last = answer.get("LastEvaluatedKey")
        return answer["Items"], (last["pk"]["S"], last["sk"]["S"]) if last else None

    def get(self, key: Item) -> Item:
        """One item; an empty one when it is not there."""
        item: Item = self._table.call("get_item", Key=key, ConsistentRead=True).get("Item", {})
        return item

    def delete(self, key: Item) -> bool:
        """Delete an item; whether it was there."""
        return "Attributes" in self._table.call("delete_item", Key=key, ReturnValues="ALL_OLD")
