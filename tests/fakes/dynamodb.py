"""DynamoDB in memory: the client under the real stores, so that tests run the stores' own conditions.

It takes boto3's requests, gives boto3's answers and raises boto3's errors. What moto leaves to AWS is refused here:
the sizes of keys and items, one write of an item in a transaction, strong reads of an index, placeholders that nothing
uses. `tests/stores` holds it to moto, call by call.
https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html

An item is never changed in place: answers share its values, and nobody changes those.
TTL deletes within days (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html): here, never.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Any, cast

from botocore.exceptions import ClientError
from mypy_boto3_dynamodb import DynamoDBClient
from mypy_boto3_dynamodb.type_defs import CreateTableInputTypeDef

from tests.fakes.dynamodb_expressions import InvalidExpression, Item, Names, condition, number, update

LARGEST_HASH_KEY, LARGEST_RANGE_KEY = 2048, 1024  # bytes
LARGEST_ITEM = 400 * 1024
LARGEST_PAGE = 1024 * 1024
MOST_OPERATIONS = 100  # in a transaction
MOST_KEYS = 100  # in a batch
MOST_WRITES = 25  # in a batch
_MOST_DIGITS = 38

_EQUALS = re.compile(r"([#\w]+) = (:\w+)")

type Request = dict[str, Any]


class Errors:
    """Error classes by AWS's name for them, as `client.exceptions` has them."""

    def __init__(self) -> None:
        self._known: dict[str, type[ClientError]] = {}

    def __getattr__(self, name: str) -> type[ClientError]:
        return self._known.setdefault(name, type(name, (ClientError,), {}))


@dataclass(slots=True)
class StoredTable:
    """One table: items by partition and sort key, and the key attributes of its indexes with their types."""

    keys: tuple[str, str]
    indexes: dict[str, tuple[str, str]]
    types: dict[str, str]
    partitions: dict[str, dict[str, Item]] = field(default_factory=dict)

    def key(self, item: Item) -> tuple[str, str]:
        pk, sk = self.keys
        return item[pk]["S"], item[sk]["S"]

    def find(self, key: tuple[str, str]) -> Item | None:
        return self.partitions.get(key[0], {}).get(key[1])

    def store(self, key: tuple[str, str], item: Item | None) -> None:
        """Put the item under its key, or delete what is there."""
        partition = self.partitions.setdefault(key[0], {})
        if item is not None:
            partition[key[1]] = item
        else:
            partition.pop(key[1], None)

    def items(self) -> Iterator[Item]:
        return (item for partition in self.partitions.values() for item in partition.values())


@dataclass(frozen=True, slots=True)
class Write:
    """One write that is valid and whose condition has been tried; `after` is None for a deletion."""

    table: StoredTable
    key: tuple[str, str]
    before: Item | None
    after: Item | None
    holds: bool

    def carry_out(self) -> None:
        self.table.store(self.key, self.after)


class MemoryDynamoDB:
    """`client()` is what stores are given. `largest_page` is how many bytes a page of a query or scan holds.

    `fails` is raised by every operation from then on.
    """

    def __init__(self) -> None:
        self.exceptions = Errors()
        self.tables: dict[str, StoredTable] = {}
        self.largest_page = LARGEST_PAGE
        self.fails: Exception | None = None

    def client(self) -> DynamoDBClient:
        return cast("DynamoDBClient", self)

    def create_table(self, **table: Any) -> Request:
        schema = cast("CreateTableInputTypeDef", table)
        self.tables[schema["TableName"]] = StoredTable(
            keys=_key_names(schema["KeySchema"]),
            indexes={
                each["IndexName"]: _key_names(each["KeySchema"]) for each in schema.get("GlobalSecondaryIndexes", [])
            },
            types={each["AttributeName"]: each["AttributeType"] for each in schema["AttributeDefinitions"]},
        )
        return {}

    def update_time_to_live(self, **_request: Any) -> Request:
        return {}

    def get_item(self, **request: Any) -> Request:
        table = self._table(request, "GetItem")
        found = table.find(self._key(table, request["Key"], "GetItem"))
        return {"Item": dict(found)} if found is not None else {}

    def put_item(self, **request: Any) -> Request:
        return self._written("PutItem", self._put(request, "PutItem"), request)

    def update_item(self, **request: Any) -> Request:
        return self._written("UpdateItem", self._update(request, "UpdateItem"), request)

    def delete_item(self, **request: Any) -> Request:
        return self._written("DeleteItem", self._delete(request, "DeleteItem"), request)

    def batch_get_item(self, **request: Any) -> Request:
        found: dict[str, list[Item]] = {}
        for name, asked in request["RequestItems"].items():
            table = self._table({"TableName": name}, "BatchGetItem")
            keys = [self._key(table, key, "BatchGetItem") for key in asked["Keys"]]
            if len(keys) > MOST_KEYS or len(set(keys)) < len(keys):
                raise self._invalid("BatchGetItem", "Too many items requested, or provided list contains duplicates")
            found[name] = [dict(item) for key in keys if (item := table.find(key)) is not None]
        return {"Responses": found, "UnprocessedKeys": {}}

    def batch_write_item(self, **request: Any) -> Request:
        operation = "BatchWriteItem"
        writes = [
            self._put({"TableName": name, **each["PutRequest"]}, operation)
            for name, asked in request["RequestItems"].items()
            for each in asked
        ]
        if not 1 <= len(writes) <= MOST_WRITES or len({(id(each.table), each.key) for each in writes}) < len(writes):
            raise self._invalid(operation, "Too many items requested, or provided list contains duplicates")
        for write in writes:
            write.carry_out()
        return {"UnprocessedItems": {}}

    def transact_write_items(self, **request: Any) -> Request:
        operation = "TransactWriteItems"
        makers: Mapping[str, Callable[[Request, str], Write]] = {
            "Put": self._put,
            "Update": self._update,
            "Delete": self._delete,
            "ConditionCheck": self._check,
        }
        asked: Sequence[Mapping[str, Request]] = request["TransactItems"]
        if not 1 <= len(asked) <= MOST_OPERATIONS:
            raise self._invalid(operation, f"A transaction has 1 to {MOST_OPERATIONS} operations")
        writes = [makers[kind](inner, operation) for each in asked for kind, inner in each.items()]
        if len({(id(write.table), write.key) for write in writes}) < len(writes):
            raise self._invalid(operation, "Transaction request cannot include multiple operations on one item")
        if not all(write.holds for write in writes):
            codes = ["None" if write.holds else "ConditionalCheckFailed" for write in writes]
            reasons = [{"Code": code} for code in codes]
            message = f"Transaction cancelled, please refer cancellation reasons for specific reasons {codes}"
            raise self._error(operation, "TransactionCanceledException", message, CancellationReasons=reasons)
        for write in writes:
            write.carry_out()
        return {}

    def query(self, **request: Any) -> Request:
        table = self._table(request, "Query")
        index = request.get("IndexName")
        if index is not None and request.get("ConsistentRead"):
            raise self._invalid("Query", "Consistent reads are not supported on global secondary indexes")
        keys = table.indexes[index] if index is not None else table.keys
        names = self._names(request, "Query", "KeyConditionExpression", "FilterExpression", "ProjectionExpression")
        fits = self._condition(request.get("KeyConditionExpression"), "Query")
        read = table.items() if index is not None else self._partition(table, request, names)
        most = None
        start = request.get("ExclusiveStartKey", {}).get(keys[1], {}).get("S")
        if index is None and start is not None and request.get("ScanIndexForward", True):
            # Of a large partition, only what may be on this page is looked at.
            read = sorted((each for each in read if each[keys[1]]["S"] > start), key=lambda each: each[keys[1]]["S"])
            most = None if "Limit" not in request else int(request["Limit"]) + 1
        found = (each for each in read if all(name in each for name in keys) and fits(each, names))
        candidates = list(islice(found, most))
        order = sorted(candidates, key=lambda each: _place(each, (keys[1], *table.keys)))
        if not request.get("ScanIndexForward", True):
            order.reverse()
        return self._page(table, order, request, names, None if index is None else keys)

    def _partition(self, table: StoredTable, request: Request, names: Names) -> Iterable[Item]:
        """The items of the one partition that a key condition has to name first or last."""
        found = _EQUALS.search(request["KeyConditionExpression"])
        if found is None or names.path((found.group(1),)) != table.keys[:1]:
            raise self._invalid("Query", "Query condition missed key schema element")
        return table.partitions.get(names.values[found.group(2)].get("S", ""), {}).values()

    def scan(self, **request: Any) -> Request:
        table = self._table(request, "Scan")
        names = self._names(request, "Scan", "FilterExpression", "ProjectionExpression")
        return self._page(table, list(table.items()), request, names, None)

    def get_paginator(self, name: str) -> Pages:
        return Pages(getattr(self, name))

    def _page(
        self, table: StoredTable, order: list[Item], request: Request, names: Names, index: tuple[str, str] | None
    ) -> Request:
        start = request.get("ExclusiveStartKey")
        if start is not None:
            after = [at for at, each in enumerate(order, 1) if table.key(each) == table.key(start)]
            order = order[after[0] if after else _place_after(table, order, start, request) :]
        limit, size, read = request.get("Limit"), 0, []
        for item in islice(order, limit):
            read.append(item)
            size += size_of(item)
            if size > self.largest_page:
                break
        shown = [each for each in read if self._condition(request.get("FilterExpression"), "Query")(each, names)]
        answer: Request = {"Items": [self._projected(each, table, request, names, index) for each in shown]}
        if len(read) < len(order) or (limit is not None and len(read) == limit):
            answer["LastEvaluatedKey"] = {name: dict(read[-1][name]) for name in {*table.keys, *(index or ())}}
        return answer | {"Count": len(shown), "ScannedCount": len(read)}

    def _projected(
        self, item: Item, table: StoredTable, request: Request, names: Names, index: tuple[str, str] | None
    ) -> Item:
        if index is not None:  # our only index keeps keys alone
            return {name: item[name] for name in (*table.keys, *index)}
        wanted = request.get("ProjectionExpression")
        if wanted is None:
            return dict(item)
        shown = {names.path((each.strip(),))[0] for each in wanted.split(",")}
        return {name: value for name, value in item.items() if name in shown}

    def _put(self, request: Request, operation: str) -> Write:
        table = self._table(request, operation)
        item = self._normal(request["Item"], operation)
        key = self._key(table, {name: item[name] for name in table.keys if name in item}, operation)
        self._check_item(table, item, operation)
        return self._write(table, key, item, request, operation)

    def _update(self, request: Request, operation: str) -> Write:
        table = self._table(request, operation)
        key = self._key(table, request["Key"], operation)
        names = self._names(request, operation, "UpdateExpression", "ConditionExpression")
        write = self._write(table, key, None, request, operation, names=names)
        before = write.before if write.before is not None else dict(request["Key"])
        if not write.holds:
            return write
        try:
            after = update(request["UpdateExpression"]).apply(before, names, keys=table.keys)
        except InvalidExpression as error:
            raise self._invalid(operation, str(error)) from None
        self._check_item(table, after, operation)
        return Write(table, key, write.before, after, holds=True)

    def _delete(self, request: Request, operation: str) -> Write:
        table = self._table(request, operation)
        return self._write(table, self._key(table, request["Key"], operation), None, request, operation)

    def _check(self, request: Request, operation: str) -> Write:
        table = self._table(request, operation)
        key = self._key(table, request["Key"], operation)
        return self._write(table, key, table.find(key), request, operation)

    def _write(
        self,
        table: StoredTable,
        key: tuple[str, str],
        after: Item | None,
        request: Request,
        operation: str,
        *,
        names: Names | None = None,
    ) -> Write:
        names = names or self._names(request, operation, "ConditionExpression")
        before = table.find(key)
        holds = self._condition(request.get("ConditionExpression"), operation)(before or {}, names)
        return Write(table, key, before, after, holds)

    def _written(self, operation: str, write: Write, request: Request) -> Request:
        if not write.holds:
            old = request.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and write.before is not None
            more = {"Item": dict(write.before or {})} if old else {}
            message = "The conditional request failed"
            raise self._error(operation, "ConditionalCheckFailedException", message, **more)
        write.carry_out()
        shown = {"ALL_OLD": write.before, "ALL_NEW": write.after}.get(request.get("ReturnValues", "NONE"))
        return {"Attributes": dict(shown)} if shown is not None else {}

    def _condition(self, text: str | None, operation: str) -> Callable[[Item, Names], bool]:
        try:
            return condition(text) if text is not None else lambda _item, _names: True
        except InvalidExpression as error:
            raise self._invalid(operation, str(error)) from None

    def _names(self, request: Request, operation: str, *expressions: str) -> Names:
        values = request.get("ExpressionAttributeValues")
        if values == {} or request.get("ExpressionAttributeNames") == {}:
            raise self._invalid(operation, "ExpressionAttributeValues and ExpressionAttributeNames must not be empty")
        names = Names(request.get("ExpressionAttributeNames", {}), self._normal(values or {}, operation))
        try:
            names.check(*(request[each] for each in expressions if each in request))
        except InvalidExpression as error:
            raise self._invalid(operation, str(error)) from None
        return names

    def _table(self, request: Request, operation: str) -> StoredTable:
        if self.fails is not None:
            raise self.fails
        found = self.tables.get(request["TableName"])
        if found is None:
            raise self._error(operation, "ResourceNotFoundException", "Requested resource not found")
        return found

    def _key(self, table: StoredTable, key: Item, operation: str) -> tuple[str, str]:
        if set(key) != set(table.keys) or any("S" not in each for each in key.values()):
            raise self._invalid(operation, "The provided key element does not match the schema")
        self._check_keys(key, table.keys, operation)
        return table.key(key)

    def _check_keys(self, item: Item, keys: tuple[str, str], operation: str) -> None:
        for name, most in zip(keys, (LARGEST_HASH_KEY, LARGEST_RANGE_KEY), strict=True):
            ((kind, value),) = item[name].items() if name in item else (("", ""),)
            if kind == "S" and not 1 <= len(value.encode()) <= most:
                raise self._invalid(operation, f"A key is empty or longer than {most} bytes. Key: {name}")

    def _check_item(self, table: StoredTable, item: Item, operation: str) -> None:
        for keys in table.indexes.values():
            for name in keys:
                if name in item and table.types[name] not in item[name]:
                    raise self._invalid(operation, f"Type mismatch for Index Key {name}")
            self._check_keys(item, keys, operation)
        if size_of(item) > LARGEST_ITEM:
            raise self._invalid(operation, "Item size has exceeded the maximum allowed size")

    def _normal(self, item: Item, operation: str) -> Item:
        """The attributes as DynamoDB keeps them. Raises for empty sets and for what is no number of its."""
        return {name: self._normal_value(value, operation) for name, value in item.items()}

    def _normal_value(self, value: Request, operation: str) -> Request:
        ((kind, inner),) = value.items()
        if kind == "N":
            return self._number(inner, operation)
        if kind in {"SS", "BS", "NS"} and (not inner or len(set(inner)) < len(inner)):
            raise self._invalid(operation, "A set may not be empty or contain duplicates")
        if kind == "M":
            return {"M": self._normal(inner, operation)}
        if kind == "L":
            return {"L": [self._normal_value(each, operation) for each in inner]}
        return {kind: bytes(inner) if kind == "B" else list(inner) if kind in {"SS", "BS", "NS"} else inner}

    def _number(self, text: str, operation: str) -> Request:
        if text.isascii() and text.isdigit() and text[0] != "0" and len(text) <= _MOST_DIGITS:
            return {"N": text}
        try:
            value = Decimal(text)
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite() or len(value.normalize().as_tuple().digits) > _MOST_DIGITS:
            raise self._invalid(operation, "The parameter cannot be converted to a numeric value")
        return number(value)

    def _invalid(self, operation: str, message: str) -> ClientError:
        return self._error(operation, "ValidationException", message)

    def _error(self, operation: str, code: str, message: str, **more: Any) -> ClientError:
        response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": 400}, **more}
        kind: type[ClientError] = getattr(self.exceptions, code)
        return kind(cast("Any", response), operation)


class Pages:
    """The pages of a query or scan."""

    def __init__(self, call: Callable[..., Request]) -> None:
        self._call = call

    def paginate(self, **request: Any) -> Iterator[Request]:
        while True:
            page = self._call(**request)
            yield page
            if "LastEvaluatedKey" not in page:
                return
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def size_of(item: Item) -> int:
    """The bytes that an item counts as: names and values in UTF-8, numbers by their digits.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + _size(value) for name, value in item.items())


def _size(value: Mapping[str, Any]) -> int:
    ((kind, inner),) = value.items()
    if kind == "S":
        return len(inner) if inner.isascii() else len(inner.encode())
    if kind == "N":
        return (len(inner.lstrip("-").replace(".", "")) + 1) // 2 + 1
    if kind in {"BOOL", "NULL"}:
        return 1
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + _size(each) for name, each in inner.items())
    if kind == "L":
        return 3 + sum(1 + _size(each) for each in inner)
    parts: Iterable[str | bytes] = inner if kind in {"SS", "BS", "NS"} else [inner]
    return sum(len(each.encode() if isinstance(each, str) else each) for each in parts)


def _key_names(schema: Iterable[Mapping[str, Any]]) -> tuple[str, str]:
    by_kind = {each["KeyType"]: str(each["AttributeName"]) for each in schema}
    return by_kind["HASH"], by_kind["RANGE"]


def _place(item: Item, keys: Sequence[str]) -> list[Any]:
    return [Decimal(value) if kind == "N" else value for name in keys for kind, value in item[name].items()]


def _place_after(table: StoredTable, order: list[Item], start: Item, request: Request) -> int:
    """Where to go on after an item that is gone. A scan's order is nobody's business: it begins again."""
    if "KeyConditionExpression" not in request:
        return 0
    keys = (table.indexes[request["IndexName"]][1], *table.keys) if "IndexName" in request else table.keys
    forward = request.get("ScanIndexForward", True)
    place = _place(start, keys)
    return sum((_place(each, keys) <= place) is forward or _place(each, keys) == place for each in order)
