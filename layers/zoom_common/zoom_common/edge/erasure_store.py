"""A whole table, page by page, for an erasure: raw items in, deletions out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from zoom_common.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

type Item = Mapping[str, Any]

_PAGE = 200


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
        with _translated():
            answer = self._dynamodb.scan(**request)
        last = answer.get("LastEvaluatedKey")
        return answer["Items"], (last["pk"]["S"], last["sk"]["S"]) if last else None

    def get(self, key: Item) -> Item:
        """One item; an empty one when it is not there."""
        with _translated():
            return self._dynamodb.get_item(TableName=self._name, Key=key, ConsistentRead=True).get("Item", {})

    def delete(self, key: Item) -> bool:
        """Delete an item; whether it was there."""
        with _translated():
            return "Attributes" in self._dynamodb.delete_item(TableName=self._name, Key=key, ReturnValues="ALL_OLD")


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError):
        raise Unavailable(reason="erasure_unavailable") from None
