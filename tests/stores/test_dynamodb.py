"""DynamoDB in memory, and in moto by both of our clients: the same requests, the same answers and errors.

`LEFT_TO_AWS` names what moto accepts and AWS refuses: there the one in memory follows AWS's pages.
"""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from mypy_boto3_dynamodb import DynamoDBClient

from zoom_common.aws.table import Table

pytestmark = [
    pytest.mark.aws,
    pytest.mark.parametrize("dynamodb", ["memory", "moto", "boto3"], indirect=True),
]

KEY: dict[str, Any] = {"pk": {"S": "p"}, "sk": {"S": "s"}}
type Values = dict[str, Any]


@pytest.fixture
def table(connections_table: str) -> str:
    """A table with an index."""
    return connections_table


def put(dynamodb: DynamoDBClient, table: str, **attributes: Any) -> None:
    dynamodb.put_item(TableName=table, Item=KEY | attributes)


def found(dynamodb: DynamoDBClient, table: str) -> Values | None:
    item = dynamodb.get_item(TableName=table, Key=KEY, ConsistentRead=True).get("Item")
    return {name: value for name, value in item.items() if name not in KEY} if item is not None else None


def updated(dynamodb: DynamoDBClient, table: str, change: str, **more: Any) -> Values:
    request: Any = {"TableName": table, "Key": KEY, "UpdateExpression": change, "ReturnValues": "ALL_NEW", **more}
    item = dynamodb.update_item(**request)["Attributes"]
    return {name: value for name, value in item.items() if name not in KEY}


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


ADDED: Values = {"fresh": {"N": "2"}, "n": {"N": "7"}, "s": {"S": "x"}}
HELD: Values = {"n": {"N": "5"}, "s": {"S": "abc"}, "m": {"M": {"x": {"N": "1"}}}, "t": {"SS": ["a", "b"]}}


@pytest.mark.parametrize(
    ("condition", "values", "holds"),
    [
        ("attribute_exists(n)", {}, True),
        ("attribute_exists(gone)", {}, False),
        ("attribute_not_exists(gone)", {}, True),
        ("attribute_exists(m.x)", {}, True),
        ("attribute_exists(m.y)", {}, False),
        ("n = :v", {":v": {"N": "5.0"}}, True),
        ("n = :v", {":v": {"S": "5"}}, False),
        ("n <> :v", {":v": {"N": "6"}}, True),
        ("n < :v", {":v": {"N": "10"}}, True),
        ("n < :v", {":v": {"N": "5"}}, False),
        ("n <= :v", {":v": {"N": "5"}}, True),
        ("n > :v", {":v": {"N": "-6"}}, True),
        ("n >= :v", {":v": {"N": "5.001"}}, False),
        ("gone < :v", {":v": {"N": "5"}}, False),
        ("gone = :v", {":v": {"N": "5"}}, False),
        ("n BETWEEN :a AND :b", {":a": {"N": "5"}, ":b": {"N": "6"}}, True),
        ("n BETWEEN :a AND :b", {":a": {"N": "6"}, ":b": {"N": "9"}}, False),
        ("s IN (:a, :b)", {":a": {"S": "x"}, ":b": {"S": "abc"}}, True),
        ("s IN (:a)", {":a": {"S": "x"}}, False),
        ("begins_with(s, :v)", {":v": {"S": "ab"}}, True),
        ("begins_with(s, :v)", {":v": {"S": "bc"}}, False),
        ("NOT n = :v", {":v": {"N": "6"}}, True),
        ("n = :v AND attribute_exists(gone) OR attribute_exists(s)", {":v": {"N": "5"}}, True),
        ("n = :v AND (attribute_exists(gone) OR attribute_exists(s))", {":v": {"N": "4"}}, False),
    ],
)
def test_conditions_hold_or_do_not(
    dynamodb: DynamoDBClient, table: str, condition: str, values: Values, *, holds: bool
) -> None:
    """A write under a condition happens, or is refused and changes nothing."""
    put(dynamodb, table, **HELD)
    given: Any = {"ExpressionAttributeValues": values} if values else {}
    request: Any = {"TableName": table, "Key": KEY, "ConditionExpression": condition, **given}
    if holds:
        dynamodb.delete_item(**request)
        assert found(dynamodb, table) is None
        return
    with pytest.raises(ClientError) as refused:
        dynamodb.delete_item(**request)
    assert code(refused) == "ConditionalCheckFailedException"
    assert isinstance(refused.value, dynamodb.exceptions.ConditionalCheckFailedException)
    assert found(dynamodb, table) is not None


@pytest.mark.parametrize(
    ("change", "values", "expected"),
    [
        ("SET n = :v", {":v": {"N": "7"}}, {"n": {"N": "7"}}),
        ("SET n = n + :v", {":v": {"N": "2"}}, {"n": {"N": "7"}}),
        ("SET n = n - :v", {":v": {"N": "7"}}, {"n": {"N": "-2"}}),
        ("SET n = if_not_exists(n, :v) + :v", {":v": {"N": "1"}}, {"n": {"N": "6"}}),
        ("SET fresh = if_not_exists(fresh, :v) + :v", {":v": {"N": "1"}}, {"fresh": {"N": "2"}}),
        ("SET m.y = :v", {":v": {"S": "y"}}, {"m": {"M": {"x": {"N": "1"}, "y": {"S": "y"}}}}),
        ("SET n = :v REMOVE m.x", {":v": {"N": "1"}}, {"n": {"N": "1"}, "m": {"M": {}}}),
        ("SET a = n, n = :v", {":v": {"N": "1"}}, {"a": {"N": "5"}, "n": {"N": "1"}}),
        ("REMOVE gone, s", {}, {"s": None}),
        ("ADD n :v", {":v": {"N": "2"}}, {"n": {"N": "7"}}),
        ("ADD fresh :v, n :v SET s = :w", {":v": {"N": "2"}, ":w": {"S": "x"}}, ADDED),
        ("ADD t :v", {":v": {"SS": ["c"]}}, {"t": {"SS": ["a", "b", "c"]}}),
        ("ADD fresh :v", {":v": {"SS": ["c"]}}, {"fresh": {"SS": ["c"]}}),
        ("SET b = :v", {":v": {"B": b""}}, {"b": {"B": b""}}),
    ],
)
def test_updates_change_what_they_name(
    dynamodb: DynamoDBClient, table: str, change: str, values: Values, expected: Values
) -> None:
    """Every clause reads the item as it was before."""
    put(dynamodb, table, **HELD)
    given: Any = {"ExpressionAttributeValues": values} if values else {}
    whole = {name: value for name, value in (HELD | expected).items() if value is not None}
    assert updated(dynamodb, table, change, **given) == whole
    assert found(dynamodb, table) == whole


def test_an_update_makes_the_item_that_is_not_there(dynamodb: DynamoDBClient, table: str) -> None:
    """An update creates a missing item with its keys, unless a condition requires one."""
    assert updated(dynamodb, table, "SET n = :v", ExpressionAttributeValues={":v": {"N": "1"}}) == {"n": {"N": "1"}}


def test_a_refusal_brings_the_item_that_was_there(dynamodb: DynamoDBClient, table: str) -> None:
    """If it is asked for, and if there was one."""
    request: Any = {
        "TableName": table,
        "Key": KEY,
        "UpdateExpression": "SET n = :v",
        "ConditionExpression": "n = :v",
        "ExpressionAttributeValues": {":v": {"N": "1"}},
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }
    with pytest.raises(ClientError) as nothing:
        dynamodb.update_item(**request)
    put(dynamodb, table, n={"N": "5"})
    with pytest.raises(ClientError) as refused:
        dynamodb.update_item(**request)
    answers: list[Any] = [nothing.value.response, refused.value.response]
    assert [answer.get("Item") or None for answer in answers] == [None, {**KEY, "n": {"N": "5"}}]


def test_a_deletion_gives_back_what_was_there(dynamodb: DynamoDBClient, table: str) -> None:
    """The first deletion returns the item, and the second one nothing."""
    put(dynamodb, table, n={"N": "5"})
    request: Any = {"TableName": table, "Key": KEY, "ReturnValues": "ALL_OLD"}
    assert dynamodb.delete_item(**request)["Attributes"] == {**KEY, "n": {"N": "5"}}
    assert "Attributes" not in dynamodb.delete_item(**request)


def test_a_transaction_is_all_or_nothing(dynamodb: DynamoDBClient, table: str) -> None:
    """A refusal says which conditions failed, by position."""
    other = {"pk": {"S": "p"}, "sk": {"S": "other"}}
    new: Any = {"ConditionExpression": "attribute_not_exists(pk)"}
    writes: list[Any] = [{"Put": {"TableName": table, "Item": each, **new}} for each in (KEY, other)]
    put(dynamodb, table)
    with pytest.raises(ClientError) as refused:
        dynamodb.transact_write_items(TransactItems=writes)
    assert code(refused) == "TransactionCanceledException"
    response: Any = refused.value.response
    assert [each["Code"] for each in response["CancellationReasons"]] == ["ConditionalCheckFailed", "None"]
    assert "Item" not in dynamodb.get_item(TableName=table, Key=other)
    dynamodb.delete_item(TableName=table, Key=KEY)
    dynamodb.transact_write_items(TransactItems=writes)
    assert "Item" in dynamodb.get_item(TableName=table, Key=other)


def test_a_query_is_in_the_order_of_sort_keys(dynamodb: DynamoDBClient, table: str) -> None:
    """A query sorts by bytes in either direction, from a key on, by prefix and by range."""
    for sort in ("b", "B", "a#2", "a#10", "é"):
        dynamodb.put_item(TableName=table, Item={"pk": {"S": "p"}, "sk": {"S": sort}})
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "q"}, "sk": {"S": "a#3"}})

    def asked(condition: str, **more: Any) -> list[str]:
        values = {":pk": {"S": "p"}} | more.pop("values", {})
        request: Any = {"TableName": table, "KeyConditionExpression": condition, "ConsistentRead": True, **more}
        answer = dynamodb.query(**request, ExpressionAttributeValues=values)
        return [item["sk"]["S"] for item in answer["Items"]]

    assert asked("pk = :pk") == ["B", "a#10", "a#2", "b", "é"]
    assert asked("pk = :pk", ScanIndexForward=False) == ["é", "b", "a#2", "a#10", "B"]
    assert asked("pk = :pk AND begins_with(sk, :p)", values={":p": {"S": "a#"}}) == ["a#10", "a#2"]
    between = {":a": {"S": "a#2"}, ":b": {"S": "b"}}
    assert asked("pk = :pk AND sk BETWEEN :a AND :b", values=between) == ["a#2", "b"]
    gone = {"pk": {"S": "p"}, "sk": {"S": "a#11"}}
    assert asked("pk = :pk", ExclusiveStartKey=gone) == ["a#2", "b", "é"]
    assert asked("pk = :pk", ExclusiveStartKey=gone, ScanIndexForward=False) == ["a#10", "B"]


def test_pages_go_on_after_the_last_key(dynamodb: DynamoDBClient, table: str) -> None:
    """Until nothing is left, and say so then."""
    for number in range(5):
        dynamodb.put_item(TableName=table, Item={"pk": {"S": "p"}, "sk": {"S": str(number)}})
    request: Any = {
        "TableName": table,
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": {":pk": {"S": "p"}},
        "Limit": 2,
    }
    pages = []
    while True:
        answer = dynamodb.query(**request)
        pages.append([item["sk"]["S"] for item in answer["Items"]])
        if "LastEvaluatedKey" not in answer:
            break
        request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
    assert pages == [["0", "1"], ["2", "3"], ["4"]]


def test_a_page_ends_at_a_megabyte(dynamodb: DynamoDBClient, table: str) -> None:
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.Pagination.html ."""
    for number in range(4):
        item: Any = {"pk": {"S": "p"}, "sk": {"S": str(number)}, "body": {"B": bytes(390_000)}}
        dynamodb.put_item(TableName=table, Item=item)
    request: Any = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": "p"}}}
    pages = Table(dynamodb, table).pages("query", **request)
    sizes = [len(page["Items"]) for page in pages]
    assert sum(sizes) == 4
    assert len([size for size in sizes if size]) == 2


def test_the_index_holds_what_has_both_of_its_keys(dynamodb: DynamoDBClient, table: str) -> None:
    """The index is sorted by its numbers and has keys only."""
    for sort, due in (("a", "10"), ("b", "9.5"), ("c", "11")):
        due_keys = {"due_shard": {"S": "00"}, "due_at": {"N": due}, "more": {"S": "x"}}
        dynamodb.put_item(TableName=table, Item={"pk": {"S": "p"}, "sk": {"S": sort}, **due_keys})
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "p"}, "sk": {"S": "d"}, "due_shard": {"S": "00"}})
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "p"}, "sk": {"S": "e"}, "due_at": {"N": "1"}})
    values = {":shard": {"S": "00"}, ":now": {"N": "10"}}
    answer = dynamodb.query(
        TableName=table,
        IndexName="due",
        KeyConditionExpression="due_shard = :shard AND due_at <= :now",
        ExpressionAttributeValues=values,
    )
    assert [item["sk"]["S"] for item in answer["Items"]] == ["b", "a"]
    assert set(answer["Items"][0]) == {"pk", "sk", "due_shard", "due_at"}


WRONG: dict[str, tuple[str, Values]] = {
    "an empty partition key": ("put_item", {"Item": {"pk": {"S": ""}, "sk": {"S": "s"}}}),
    "an empty sort key": ("put_item", {"Item": {"pk": {"S": "p"}, "sk": {"S": ""}}}),
    "an empty sort key that is read": ("get_item", {"Key": {"pk": {"S": "p"}, "sk": {"S": ""}}}),
    "a partition key of 2,049 bytes": ("put_item", {"Item": {"pk": {"S": "é" * 1024 + "x"}, "sk": {"S": "s"}}}),
    "a sort key of 1,025 bytes": ("put_item", {"Item": {"pk": {"S": "p"}, "sk": {"S": "x" * 1025}}}),
    "a sort key of 1,025 bytes that is read": ("get_item", {"Key": {"pk": {"S": "p"}, "sk": {"S": "x" * 1025}}}),
    "an item without its sort key": ("put_item", {"Item": {"pk": {"S": "p"}}}),
    "an item of more than 400 KB": ("put_item", {"Item": KEY | {"body": {"B": bytes(400 * 1024)}}}),
    "a key of the index that is empty": ("put_item", {"Item": KEY | {"due_shard": {"S": ""}}}),
    "a key of the index of another type": ("put_item", {"Item": KEY | {"due_at": {"S": "1"}}}),
    "an empty set": ("put_item", {"Item": KEY | {"t": {"SS": []}}}),
    "a number that is none": ("put_item", {"Item": KEY | {"n": {"N": "nan"}}}),
    "a value that nothing uses": (
        "update_item",
        {"Key": KEY, "UpdateExpression": "REMOVE a", "ExpressionAttributeValues": {":v": {"N": "1"}}},
    ),
    "a value that is not given": ("update_item", {"Key": KEY, "UpdateExpression": "SET a = :v"}),
    "no values at all": (
        "update_item",
        {"Key": KEY, "UpdateExpression": "REMOVE a", "ExpressionAttributeValues": {}},
    ),
    "a name that nothing uses": (
        "update_item",
        {"Key": KEY, "UpdateExpression": "REMOVE a", "ExpressionAttributeNames": {"#b": "b"}},
    ),
    "a change of the key": (
        "update_item",
        {"Key": KEY, "UpdateExpression": "SET sk = :v", "ExpressionAttributeValues": {":v": {"S": "x"}}},
    ),
    "two changes of one attribute": (
        "update_item",
        {"Key": KEY, "UpdateExpression": "SET a = :v, a = :v", "ExpressionAttributeValues": {":v": {"S": "x"}}},
    ),
    "a change inside what is changed": (
        "update_item",
        {"Key": KEY, "UpdateExpression": "SET m = :v REMOVE m.x", "ExpressionAttributeValues": {":v": {"M": {}}}},
    ),
    "a member of a map that is not there": (
        "update_item",
        {"Key": KEY, "UpdateExpression": "SET gone.x = :v", "ExpressionAttributeValues": {":v": {"S": "x"}}},
    ),
    "a sum with what is not there": (
        "update_item",
        {"Key": KEY, "UpdateExpression": "SET gone = gone + :v", "ExpressionAttributeValues": {":v": {"N": "1"}}},
    ),
    "an expression that is none": (
        "update_item",
        {"Key": KEY, "UpdateExpression": "SET a :v", "ExpressionAttributeValues": {":v": {"S": "x"}}},
    ),
    "a strong read of the index": (
        "query",
        {
            "IndexName": "due",
            "KeyConditionExpression": "due_shard = :s",
            "ExpressionAttributeValues": {":s": {"S": "00"}},
            "ConsistentRead": True,
        },
    ),
    "a query without a partition": (
        "query",
        {"KeyConditionExpression": "sk = :s", "ExpressionAttributeValues": {":s": {"S": "00"}}},
    ),
    "two writes of one item in a transaction": (
        "transact_write_items",
        {"TransactItems": [{"Put": {"Item": KEY}}, {"Delete": {"Key": KEY}}]},
    ),
    "a transaction of 101": (
        "transact_write_items",
        {"TransactItems": [{"Delete": {"Key": {"pk": {"S": "p"}, "sk": {"S": str(at)}}}} for at in range(101)]},
    ),
}
# As of moto 5.2.5. It draws the line for items at 405,000 bytes as well, and AWS at 409,600.
LEFT_TO_AWS = frozenset({"a sort key of 1,025 bytes that is read", "a key of the index of another type"})
MOTOS_LARGEST_ITEM, LARGEST_ITEM = 405_000, 400 * 1024


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_request_is_refused(
    dynamodb: DynamoDBClient, table: str, case: str, request: pytest.FixtureRequest
) -> None:
    """ValidationException, and nothing is written.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
    """
    operation, wrong = WRONG[case]
    if operation == "transact_write_items":
        inner = [{kind: {"TableName": table, **each[kind]} for kind in each} for each in wrong["TransactItems"]]
        asked: Values = {"TransactItems": inner}
    else:
        asked = {"TableName": table, **wrong}
    if case in LEFT_TO_AWS and request.node.callspec.params["dynamodb"] != "memory":
        getattr(dynamodb, operation)(**asked)  # the day moto refuses it, it leaves the list
        return
    with pytest.raises(ClientError) as refused:
        getattr(dynamodb, operation)(**asked)
    assert code(refused) == "ValidationException"
    assert dynamodb.scan(TableName=table)["Items"] == []


def test_what_is_as_large_as_it_may_be_is_kept(
    dynamodb: DynamoDBClient, table: str, request: pytest.FixtureRequest
) -> None:
    """A byte less than what is refused."""
    largest = {"pk": {"S": "é" * 1024}, "sk": {"S": "x" * 1024}}
    dynamodb.put_item(TableName=table, Item=largest)
    limit = LARGEST_ITEM if request.node.callspec.params["dynamodb"] == "memory" else MOTOS_LARGEST_ITEM
    room = limit - len("pk" + "p" + "sk" + "s" + "body")
    dynamodb.put_item(TableName=table, Item={**KEY, "body": {"B": bytes(room)}})
    assert len(dynamodb.scan(TableName=table)["Items"]) == 2


def test_a_table_that_is_not_there(dynamodb: DynamoDBClient) -> None:
    """Whatever is asked of it."""
    for attempt in (
        lambda: dynamodb.get_item(TableName="nowhere", Key=KEY),
        lambda: dynamodb.put_item(TableName="nowhere", Item=KEY),
        lambda: dynamodb.scan(TableName="nowhere"),
    ):
        with pytest.raises(ClientError) as refused:
            attempt()
        assert code(refused) == "ResourceNotFoundException"


def test_a_batch_writes_whole_items(dynamodb: DynamoDBClient, table: str) -> None:
    """Each takes the place of what was there; two of one key are refused."""
    put(dynamodb, table, n={"N": "1"})
    items = [{**KEY, "m": {"N": "2"}}, {"pk": {"S": "p"}, "sk": {"S": "other"}}]
    answer = dynamodb.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": each}} for each in items]})
    assert not answer.get("UnprocessedItems")
    assert dynamodb.get_item(TableName=table, Key=KEY)["Item"] == items[0]
    with pytest.raises(ClientError) as refused:
        dynamodb.batch_write_item(RequestItems={table: [{"PutRequest": {"Item": items[0]}}] * 2})
    assert code(refused) == "ValidationException"


def test_a_batch_brings_what_is_there(dynamodb: DynamoDBClient, table: str) -> None:
    """And says nothing about what is not."""
    put(dynamodb, table, n={"N": "1"})
    keys = [KEY, {"pk": {"S": "p"}, "sk": {"S": "gone"}}]
    answer = dynamodb.batch_get_item(RequestItems={table: {"Keys": keys, "ConsistentRead": True}})
    assert answer["Responses"][table] == [{**KEY, "n": {"N": "1"}}]
    assert not answer.get("UnprocessedKeys")
