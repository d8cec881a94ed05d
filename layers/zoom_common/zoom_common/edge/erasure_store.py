"""A whole table, page by page, for an erasure: raw items in, deletions out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from zoom_common.aws_api.failures import translated

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

type Item = Mapping[str, Any]

_PAGE = 200
_AWAY = "erasure_unavailable"


class WholeTable:
    """Every item of one table, as DynamoDB gives it. Every method raises Unavailable."""

    def __init__(self, dynamodb: DynamoDBClient, name: str) -> None:
        self._dynamodb = dynamodb
        self._name = name

    def page(self, after: tuple[str, str] | None) -> tuple[list[Any], tuple[str, str] | None]:
        """The next items, read consistently, and the key to go on after (None: that was the last)."""
        request: dict[str, Any] = {"TableName": self._name, "ConsistentRead": True, "Limit": _PAGE}
        if after is not None:
            request["ExclusiveStartKey"] = {"pk": {"S": after[0]}, "sk": {"S": after[1]}}
        with translated(_AWAY):
            answer = self._dynamodb.scan(**request)
        last = answer.get("LastEvaluatedKey")
        return answer["Items"], (last["pk"]["S"], last["sk"]["S"]) if last else None

    def get(self, key: Item) -> Item:
        """One item; an empty one when it is not there."""
        with translated(_AWAY):
            return self._dynamodb.get_item(TableName=self._name, Key=key, ConsistentRead=True).get("Item", {})

    def delete(self, key: Item) -> bool:
        """Delete an item; whether it was there."""
        with translated(_AWAY):
            return "Attributes" in self._dynamodb.delete_item(TableName=self._name, Key=key, ReturnValues="ALL_OLD")
