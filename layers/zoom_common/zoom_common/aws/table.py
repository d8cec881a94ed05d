"""One DynamoDB table. Stores write expressions by hand; this class fills in the names and values.

`#word` in an expression stands for the attribute `word` unless `names` says otherwise, so that no attribute has to be
checked against 573 reserved words. `:word` takes its value from `values`.
"""

from __future__ import annotations

import random
import re
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from itertools import batched
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from zoom_common.aws.client import begin
from zoom_common.aws.errors import AwsError, code_of, failure
from zoom_common.aws.items import from_item, to_attribute, to_item
from zoom_common.aws.retries import RETRYABLE, pause
from zoom_common.errors import DependencyFailed, Unavailable

if TYPE_CHECKING:
    from typing import NotRequired, Protocol, TypedDict, Unpack

    from mypy_boto3_dynamodb import DynamoDBClient

    from zoom_common.aws.client import Later

    class Changed(Protocol):
        """A change that was sent."""

        def __call__(self, *, again: bool = True) -> None:
            """Wait until the change is made. Raises ConditionFailed and Unavailable; `again` as in `client.Later`."""
            ...

    class Change(TypedDict):
        """What a change needs besides its key and expression; see the module's docstring."""

        condition: str
        values: Values
        names: NotRequired[Mapping[str, str] | None]


type Values = Mapping[str, object]

# The reason in a 503 when a store on one of the three tables fails.
CONNECTIONS = "connections_store_unavailable"
EVENTS = "events_table"
COORDINATION = "coordination_store_unavailable"

_WORD = re.compile(r"#(\w+)")
_LARGEST_BATCH = 100
_LARGEST_WRITE = 25
_WRITE_TRIES = 8

# DynamoDB rejects a write when a transaction is using the same item, and changes nothing. AWS's SDKs do not retry it:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html#transaction-conflict-handling
_CONFLICT_TRIES = 4
_CANCELED = "TransactionCanceledException"
_CONFLICTS = frozenset({"TransactionConflictException", "TransactionConflict"})
# Reasons of a canceled transaction that may be transient:
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CancellationReason.html
_PASSING_REASONS = _CONFLICTS | {"ProvisionedThroughputExceeded", "ThrottlingError"} | RETRYABLE
_FAILED_CONDITIONS = frozenset({"ConditionalCheckFailedException", "ConditionalCheckFailed"})


class ConditionFailed(Exception):
    """A condition does not hold. `item` is the item as it is, or None when it does not exist or is unknown.

    `raw` is the same item in attribute values. For a transaction, `failed` holds the positions of the conditions that
    failed.
    """

    def __init__(
        self, item: dict[str, Any] | None = None, *, failed: Sequence[int] = (), raw: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__("condition failed")
        self.item = item
        self.raw = raw
        self.failed = tuple(failed)


# The answer of an operation, or its error.
type Outcome = dict[str, Any] | ConditionFailed | DependencyFailed


class Table:
    """A table with the keys `pk` and `sk`.

    A conditional write stores a random id in the attribute `writer`. When an answer is lost and the client sends the
    write again, the condition fails because the first write was applied. The id then shows that it was our own, and the
    write counts as a success. (https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html)

    Every method raises Unavailable with the table's `reason` when DynamoDB cannot be reached, throttles, or keeps
    reporting a conflicting transaction; and InternalError when it refuses the request.
    """

    def __init__(
        self,
        dynamodb: DynamoDBClient,
        name: str,
        reason: str = "table_unavailable",
        *,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._dynamodb = dynamodb
        self.name = name
        self.reason = reason
        self._sleep = sleep

    def with_reason(self, reason: str) -> Table:
        """Return the same table for a store that reports another `reason`."""
        return Table(self._dynamodb, self.name, reason, sleep=self._sleep)

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        """Send one operation, by boto3's name for it, in attribute values. Raises ConditionFailed."""
        request["TableName"] = self.name
        return self._send(operation, request)

    def begin(self, operation: str, **request: Any) -> Callable[[], Outcome]:
        """Send one operation as it is, while others are under way.

        Return a function that waits for it and returns its answer, or the error that `call` would raise. It raises
        nothing.
        """
        writer = _sign(operation, request)
        try:
            answer = begin(self._dynamodb, operation, beside=True, **request)
        except (BotoCoreError, ClientError) as error:
            failed: Exception = error
        except DependencyFailed as error:
            failed = error
        else:
            return partial(self._outcome, answer, operation, request, writer)

        def unsent(*, again: bool = True) -> dict[str, Any]:  # noqa: ARG001 - the seam's signature
            raise failed

        return partial(self._outcome, unsent, operation, request, writer)

    def pages(self, operation: str, **request: Any) -> Iterator[dict[str, Any]]:
        """Yield the pages of a query or scan. Each is read when it is needed."""
        while True:
            page = self.call(operation, **request)
            yield page
            if not page.get("LastEvaluatedKey"):
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def batch_get(self, keys: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
        """Yield the items with these keys that exist, in any order, read consistently, in attribute values."""
        for some in batched(keys, _LARGEST_BATCH, strict=False):
            asked: Any = {self.name: {"Keys": list(some), "ConsistentRead": True}}
            while asked:
                answer = self._send("batch_get_item", {"RequestItems": asked})
                yield from answer["Responses"].get(self.name, [])
                asked = answer.get("UnprocessedKeys")

    def get(self, pk: str, sk: str) -> dict[str, Any] | None:
        """Return the item as last written (a consistent read)."""
        request = {"TableName": self.name, "Key": to_item({"pk": pk, "sk": sk}), "ConsistentRead": True}
        answer = self._send("get_item", request)
        return from_item(answer["Item"]) if "Item" in answer else None

    def put(self, values: Values) -> None:
        """Write a whole item, and replace any item with the same key."""
        self._send("put_item", self.to_put(values))

    def put_all(self, items: Iterable[Values]) -> None:
        """Write whole items in batches, without conditions. After a failure some of them may be written.

        DynamoDB returns what it did not write. That is sent again after growing pauses, and at last Unavailable is
        raised. https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html
        """
        for some in batched(items, _LARGEST_WRITE, strict=False):
            asked: Any = {self.name: [{"PutRequest": {"Item": to_item(each)}} for each in some]}
            for tried in range(_WRITE_TRIES):
                if tried:
                    self._sleep(pause(tried, random.random()))  # noqa: S311 - jitter
                asked = self._send("batch_write_item", {"RequestItems": asked}).get("UnprocessedItems")
                if not asked:
                    break
            else:
                raise Unavailable(reason=self.reason, cause="UnprocessedItems")

    def update(self, pk: str, sk: str, change: str, **more: Unpack[Change]) -> dict[str, Any]:
        """Change an item and return it as changed. Raises ConditionFailed with the item as it was."""
        request = self.to_update(pk, sk, change, **more) | {"ReturnValues": "ALL_NEW"}
        answer = self._send("update_item", request)
        return from_item(answer["Attributes"])

    def update_if(self, pk: str, sk: str, change: str, **more: Unpack[Change]) -> dict[str, Any] | None:
        """Change an item as `update` does. Return None, without a change, when the condition does not hold."""
        try:
            return self.update(pk, sk, change, **more)
        except ConditionFailed:
            return None

    def begin_update(self, pk: str, sk: str, change: str, *, condition: str, values: Values) -> Changed:
        """Send a change, and return a function that waits for its outcome. boto3's clients wait here."""
        request = self.to_update(pk, sk, change, condition=condition, values=values)
        writer = _sign("update_item", request)
        try:
            answer = begin(self._dynamodb, "update_item", **request)
        except (BotoCoreError, ClientError) as error:
            failed = error
        else:
            return partial(self._changed, answer, request, writer)
        self._after_own(failed, "update_item", request, writer)
        return _made

    def delete(self, pk: str, sk: str, *, condition: str | None = None, values: Values | None = None) -> dict[str, Any]:
        """Delete an item and return it as it was, {} when there was none. Raises ConditionFailed.

        A deletion has no writer id. When the condition fails because the item is gone, our own deletion may have been
        repeated.
        """
        request = self.to_delete(pk, sk, condition=condition, values=values) | {"ReturnValues": "ALL_OLD"}
        if condition:
            request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        answer = self._send("delete_item", request)
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
        """Return one page of a query and the key where the next page begins.

        It is consistent unless it reads an index.
        """
        request: dict[str, Any] = {"TableName": self.name, **_expressions(KeyConditionExpression=condition)}
        request |= {"ExpressionAttributeValues": _values(values)}
        request |= {"IndexName": index} if index else {"ConsistentRead": True}
        if limit is not None:
            request["Limit"] = limit
        if after is not None:
            request["ExclusiveStartKey"] = to_item(after)
        answer = self._send("query", request)
        last = answer.get("LastEvaluatedKey")
        return [from_item(item) for item in answer["Items"]], from_item(last) if last else None

    def transact(self, operations: Sequence[Mapping[str, Any]]) -> None:
        """Carry out all of `operations` ({"Put": table.to_put(...)}, ...) or none. Raises ConditionFailed.

        All tries carry one token, by which DynamoDB recognises a repetition:
        https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
        """
        request = {"TransactItems": operations, "ClientRequestToken": str(uuid.uuid4())}
        self._send("transact_write_items", request)

    def to_put(self, item: Values, *, condition: str | None = None, values: Values | None = None) -> dict[str, Any]:
        """Return a put for a transaction, as `put` sends it."""
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
        """Return an update for a transaction, as `update` sends it."""
        expressions = _expressions(names, UpdateExpression=change, ConditionExpression=condition)
        request = {"TableName": self.name, "Key": to_item({"pk": pk, "sk": sk}), **expressions}
        return request | {"ExpressionAttributeValues": _values(values)}

    def to_delete(
        self, pk: str, sk: str, *, condition: str | None = None, values: Values | None = None
    ) -> dict[str, Any]:
        """Return a delete for a transaction, as `delete` sends it."""
        return {"TableName": self.name, "Key": to_item({"pk": pk, "sk": sk}), **_condition(condition, values)}

    def _changed(self, answer: Later, request: dict[str, Any], writer: str | None, *, again: bool = True) -> None:
        try:
            answer(again=again)
        except (BotoCoreError, ClientError) as error:
            failed = error
        else:
            return
        self._after_own(failed, "update_item", request, writer, tries=_CONFLICT_TRIES if again else 1)

    def _outcome(self, answer: Later, operation: str, request: dict[str, Any], writer: str | None) -> Outcome:
        try:
            try:
                return answer()
            except (BotoCoreError, ClientError) as error:
                return self._after_own(error, operation, request, writer)
        except (ConditionFailed, DependencyFailed) as error:
            return error

    def _send(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        writer = _sign(operation, request)
        try:
            answer: dict[str, Any] = getattr(self._dynamodb, operation)(**request)
        except (BotoCoreError, ClientError) as error:
            failed: AwsError = error
        else:
            return answer
        return self._after_own(failed, operation, request, writer)

    def _after_own(
        self,
        failed: AwsError,
        operation: str,
        request: dict[str, Any],
        writer: str | None,
        *,
        tries: int = _CONFLICT_TRIES,
    ) -> dict[str, Any]:
        """Do as `_after`, and count a condition that fails because of our own earlier write as a success."""
        try:
            return self._after(failed, operation, request, tries=tries)
        except ConditionFailed as refused:
            if writer is None or refused.raw is None or refused.raw.get(_WRITER) != {"S": writer}:
                raise
            return {"Attributes": dict(refused.raw)}

    def _after(
        self, failed: AwsError, operation: str, request: dict[str, Any], *, tries: int = _CONFLICT_TRIES
    ) -> dict[str, Any]:
        """Send it again while it conflicts with other transactions, else raise the gateway's error."""
        for tried in range(tries - 1):
            if _CONFLICTS.isdisjoint(_codes(failed)) or not _FAILED_CONDITIONS.isdisjoint(_codes(failed)):
                break
            self._sleep(pause(tried, random.random()))  # noqa: S311 - jitter
            try:
                answer: dict[str, Any] = getattr(self._dynamodb, operation)(**request)
            except (BotoCoreError, ClientError) as error:
                failed = error
            else:
                return answer
        raise self._meant(failed)

    def _meant(self, error: AwsError) -> Exception:
        codes = _codes(error)
        failed = [at for at, code in enumerate(codes) if code in _FAILED_CONDITIONS]
        if isinstance(error, ClientError) and failed:
            response: Mapping[str, Any] = error.response
            if code_of(error) == _CANCELED:
                return ConditionFailed(failed=failed)
            raw = response.get("Item") or None
            return ConditionFailed(from_item(raw) if raw else None, raw=raw)
        refusals = [code for code in codes if code not in {"None", None}]
        if refusals and _PASSING_REASONS.issuperset(refusals):
            return Unavailable(reason=self.reason, cause=str(refusals[0]))
        return failure(error, self.reason)


_WRITER = "writer"


def _new_writer() -> str:
    return f"{random.getrandbits(64):x}"


def _sign(operation: str, request: dict[str, Any]) -> str | None:
    """Add a writer id to a conditional put or update and return it. Return None for every other request."""
    if "ConditionExpression" not in request or operation not in {"put_item", "update_item"}:
        return None
    writer = _new_writer()
    request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
    if operation == "put_item":
        request["Item"] = {**request["Item"], _WRITER: {"S": writer}}
    else:
        change = request["UpdateExpression"]
        rest = f", {change.removeprefix('SET ')}" if change.startswith("SET ") else f" {change}"
        request["UpdateExpression"] = f"SET #{_WRITER} = :{_WRITER}{rest}"
    request["ConditionExpression"] = f"({request['ConditionExpression']}) AND (NOT #{_WRITER} = :{_WRITER})"
    request["ExpressionAttributeNames"] = {**request.get("ExpressionAttributeNames", {}), f"#{_WRITER}": _WRITER}
    request["ExpressionAttributeValues"] = {
        **request.get("ExpressionAttributeValues", {}),
        f":{_WRITER}": {"S": writer},
    }
    return writer


def _made(*, again: bool = True) -> None:
    """Return at once, because the change is made already."""


def _expressions(names: Mapping[str, str] | None = None, /, **expressions: str) -> dict[str, Any]:
    places = _places(*expressions.values())
    if not places:
        return dict(expressions)
    if names:
        places = {place: names.get(word, word) for place, word in places.items()}
    return {**expressions, "ExpressionAttributeNames": places}


@lru_cache(maxsize=256)
def _places(*expressions: str) -> dict[str, str]:
    """Return the names that `#word` stands for in an expression.

    Results are cached, because a store repeats few expressions.
    """
    return {f"#{word}": word for expression in expressions for word in _WORD.findall(expression)}


def _condition(condition: str | None, values: Values | None) -> dict[str, Any]:
    request = _expressions(ConditionExpression=condition) if condition else {}
    return request | ({"ExpressionAttributeValues": _values(values)} if values else {})


def _values(values: Values) -> dict[str, Any]:
    return {f":{name}": to_attribute(value) for name, value in values.items()}


def _codes(error: AwsError) -> list[Any]:
    """Return the error's code, or the code of each operation of a canceled transaction."""
    if isinstance(error, ClientError) and code_of(error) == _CANCELED:
        about: Mapping[str, Any] = error.response
        return [reason.get("Code") for reason in about.get("CancellationReasons", [])]
    return [code_of(error)]
