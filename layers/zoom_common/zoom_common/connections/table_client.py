"""One DynamoDB table, with conditions: expressions are written by hand, names and values are filled in here.

`#word` in an expression stands for the attribute `word` (none of them has to be checked against 573 reserved words),
unless `names` says otherwise; `:word` takes its value from `values`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NotRequired, Protocol, TypedDict, Unpack

from zoom_common.aws_api.failures import translated
from zoom_common.aws_api.service_client import begin
from zoom_common.connections.attributes import from_item, to_attribute, to_item

if TYPE_CHECKING:
    from botocore.exceptions import ClientError
    from mypy_boto3_dynamodb import DynamoDBClient

    class Told(TypedDict):
        """What a change needs beside itself; see the head of this module."""

        condition: str
        values: Values
        names: NotRequired[Mapping[str, str] | None]


type Values = Mapping[str, object]

_WORD = re.compile(r"#(\w+)")


class ConditionFailed(Exception):
    """The item is not as the condition wants it. `item` is what it is, or None when it does not exist or was not told.

    `failed` are the positions of the conditions that failed, in a transaction.
    """

    def __init__(self, item: dict[str, Any] | None = None, *, failed: Sequence[int] = ()) -> None:
        super().__init__("condition failed")
        self.item = item
        self.failed = tuple(failed)


class Changed(Protocol):
    """A change under way."""

    def __call__(self, *, again: bool = True) -> None:
        """Return once it is made. Raises ConditionFailed and Unavailable; `again` as in `service_client.Later`."""
        ...


class Table:
    """A table with the keys `pk` and `sk`. Every method raises Unavailable when DynamoDB does not answer usefully."""

    def __init__(self, dynamodb: DynamoDBClient, name: str) -> None:
        self._dynamodb = dynamodb
        self.name = name

    def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        """The item as last written (a consistent read)."""
        with _translated:
            answer = self._dynamodb.get_item(
                TableName=self.name, Key=to_item({"pk": pk, "sk": sk}), ConsistentRead=True
            )
        return from_item(answer["Item"]) if "Item" in answer else None

    def put(self, values: Values) -> None:
        """Write a whole item, whatever was there."""
        with _translated:
            self._dynamodb.put_item(**self.to_put(values))

    def update(self, pk: str, sk: str, change: str, **told: Unpack[Told]) -> dict[str, Any]:
        """Change an item and return it as it is then; raises ConditionFailed with the item as it was."""
        request = self.to_update(pk, sk, change, **told)
        with _translated:
            answer = self._dynamodb.update_item(
                **request, ReturnValues="ALL_NEW", ReturnValuesOnConditionCheckFailure="ALL_OLD"
            )
        return from_item(answer["Attributes"])

    def update_if(self, pk: str, sk: str, change: str, **told: Unpack[Told]) -> dict[str, Any] | None:
        """Change an item as `update` does; None, and no change, when it is not as the condition wants it."""
        try:
            return self.update(pk, sk, change, **told)
        except ConditionFailed:
            return None

    def begin_update(self, pk: str, sk: str, change: str, *, condition: str, values: Values) -> Changed:
        """Send a change, and hear later what came of it. Clients of boto3's wait for that here."""
        request = self.to_update(pk, sk, change, condition=condition, values=values)
        with _translated:
            answer = begin(self._dynamodb, "update_item", **request)

        def changed(*, again: bool = True) -> None:
            with _translated:
                answer(again=again)

        return changed

    def delete(self, pk: str, sk: str, *, condition: str | None = None, values: Values | None = None) -> dict[str, Any]:
        """Delete an item and return what it was ({} when there was none); raises ConditionFailed."""
        with _translated:
            answer = self._dynamodb.delete_item(
                **self.to_delete(pk, sk, condition=condition, values=values), ReturnValues="ALL_OLD"
            )
        return from_item(answer.get("Attributes", {}))

    def query(
        self,
        condition: str,
        values: Values,
        *,
        index: str | None = None,
        limit: int | None = None,
        after: Mapping[str, object] | None = None,
    ) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
        """One page of a query, consistent unless it reads an index, and the key to go on after."""
        request: dict[str, Any] = {"TableName": self.name, **_expressions(KeyConditionExpression=condition)}
        request |= {"ExpressionAttributeValues": _values(values)}
        request |= {"IndexName": index} if index else {"ConsistentRead": True}
        if limit is not None:
            request["Limit"] = limit
        if after is not None:
            request["ExclusiveStartKey"] = to_item(after)
        with _translated:
            answer = self._dynamodb.query(**request)
        last = answer.get("LastEvaluatedKey")
        return [from_item(item) for item in answer["Items"]], from_item(last) if last else None

    def transact(self, operations: Sequence[Mapping[str, Any]]) -> None:
        """Carry out all of `operations` ({"Put": table.to_put(...)}, ...) or none; raises ConditionFailed."""
        with _translated:
            self._dynamodb.transact_write_items(TransactItems=operations)  # type: ignore[arg-type]

    def to_put(self, item: Values, *, condition: str | None = None, values: Values | None = None) -> dict[str, Any]:
        """A put as `put` sends it, for a transaction."""
        return {"TableName": self.name, "Item": to_item(item), **_condition(condition, values)}

    def to_update(
        self,
        pk: str,
        sk: str,
        change: str,
        *,
        condition: str,
        values: Values,
        names: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """An update as `update` sends it, for a transaction."""
        expressions = _expressions(names, UpdateExpression=change, ConditionExpression=condition)
        request = {"TableName": self.name, "Key": to_item({"pk": pk, "sk": sk}), **expressions}
        return request | {"ExpressionAttributeValues": _values(values)}

    def to_delete(
        self, pk: str, sk: str, *, condition: str | None = None, values: Values | None = None
    ) -> dict[str, Any]:
        """A delete as `delete` sends it, for a transaction."""
        return {"TableName": self.name, "Key": to_item({"pk": pk, "sk": sk}), **_condition(condition, values)}


def _expressions(names: Mapping[str, str] | None = None, /, **expressions: str) -> dict[str, Any]:
    places = _places(*expressions.values())
    if not places:
        return dict(expressions)
    if names:
        places = {place: names.get(word, word) for place, word in places.items()}
    return {**expressions, "ExpressionAttributeNames": places}


@lru_cache(maxsize=256)
def _places(*expressions: str) -> dict[str, str]:
    """What stands for names in expressions, which are few: a store has its own and says them again and again."""
    return {f"#{word}": word for expression in expressions for word in _WORD.findall(expression)}


def _condition(condition: str | None, values: Values | None) -> dict[str, Any]:
    request = _expressions(ConditionExpression=condition) if condition else {}
    return request | ({"ExpressionAttributeValues": _values(values)} if values else {})


def _values(values: Values) -> dict[str, Any]:
    return {f":{name}": to_attribute(value) for name, value in values.items()}


def _meaning(error: ClientError) -> ConditionFailed | None:
    response: Mapping[str, Any] = error.response
    code = response.get("Error", {}).get("Code")
    if code == "ConditionalCheckFailedException":
        return ConditionFailed(from_item(response["Item"]) if response.get("Item") else None)
    if code == "TransactionCanceledException":
        codes = [reason.get("Code") for reason in response.get("CancellationReasons", [])]
        failed = [at for at, each in enumerate(codes) if each == "ConditionalCheckFailed"]
        if failed:
            return ConditionFailed(failed=failed)
    return None


_translated = translated("connections_store_unavailable", _meaning)
