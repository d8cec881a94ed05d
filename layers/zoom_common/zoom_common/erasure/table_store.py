"""One of the three tables, page by page, as an erasure reads it: items with plain values in, deletions out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from zoom_common.aws_api.failures import translated
from zoom_common.connections.attributes import from_item

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_dynamodb import DynamoDBClient

type Key = tuple[str, str]

# A page is also as much as may be repeated after a crash. DynamoDB ends it at one megabyte if that comes first.
_PAGE = 500
_AWAY = "erasure_unavailable"


class _Changed(Exception):
    """The item is another tenant's by now, or gone."""


def _meaning(error: ClientError) -> _Changed | None:
    code = error.response.get("Error", {}).get("Code")
    return _Changed() if code == "ConditionalCheckFailedException" else None


_translated = translated(_AWAY, _meaning)


class WholeTable:
    """Every item of one table. Every method raises Unavailable."""

    def __init__(self, dynamodb: DynamoDBClient, name: str) -> None:
        self._dynamodb = dynamodb
        self.name = name

    def page(self, after: Key | None) -> tuple[list[dict[str, Any]], Key | None]:
        """Return the next items, read consistently, and the key to go on after, or None when those were the last."""
        request: dict[str, Any] = {"TableName": self.name, "ConsistentRead": True, "Limit": _PAGE}
        if after is not None:
            request["ExclusiveStartKey"] = _key(after)
        with _translated:
            answer = self._dynamodb.scan(**request)
        last = answer.get("LastEvaluatedKey")
        return [from_item(item) for item in answer["Items"]], (last["pk"]["S"], last["sk"]["S"]) if last else None

    def get(self, key: Key) -> dict[str, Any] | None:
        """Return one item, or None."""
        with _translated:
            answer = self._dynamodb.get_item(TableName=self.name, Key=_key(key), ConsistentRead=True)
        return from_item(answer["Item"]) if "Item" in answer else None

    def sort_keys(self, pk: str) -> list[str]:
        """Return the sort keys of all items in one partition."""
        request: Any = {
            "TableName": self.name,
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}},
            "ProjectionExpression": "sk",
            "ConsistentRead": True,
        }
        with _translated:
            pages = self._dynamodb.get_paginator("query").paginate(**request)
            return [item["sk"]["S"] for page in pages for item in page["Items"]]

    def delete(self, key: Key, *, tenant: str | None = None) -> bool:
        """Delete an item, if it is still of `tenant` where that is given, and return whether it was deleted."""
        request: dict[str, Any] = {"TableName": self.name, "Key": _key(key), "ReturnValues": "ALL_OLD"}
        if tenant is not None:
            request["ConditionExpression"] = "tenant = :tenant"
            request["ExpressionAttributeValues"] = {":tenant": {"S": tenant}}
        try:
            with _translated:
                return "Attributes" in self._dynamodb.delete_item(**request)
        except _Changed:
            return False

    def delete_together(self, keys: Sequence[Key]) -> None:
        """Delete up to a hundred items, all or none."""
        deletes: Any = [{"Delete": {"TableName": self.name, "Key": _key(key)}} for key in keys]
        with _translated:
            self._dynamodb.transact_write_items(TransactItems=deletes)


def _key(key: Key) -> Any:
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}
