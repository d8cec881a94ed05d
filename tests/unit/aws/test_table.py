"""A table's failures, its tries when a transaction is in the way, and its pages. Stores run against moto elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from zoom_common.aws.table import CONNECTIONS, COORDINATION, EVENTS, ConditionFailed, Table
from zoom_common.errors import InternalError, Unavailable

type Step = dict[str, Any] | Exception

_KEY = {"pk": "a", "sk": "b"}


def refused(code: str, reasons: list[str] | None = None, **more: Any) -> ClientError:
    """A refusal of DynamoDB's; `reasons` are those of a canceled transaction."""
    response: Any = {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {"HTTPStatusCode": 400}, **more}
    if reasons is not None:
        response["CancellationReasons"] = [{"Code": each} for each in reasons]
    return ClientError(response, "UpdateItem")


def canceled(*reasons: str) -> ClientError:
    """A transaction that was canceled for these reasons, one per operation."""
    return refused("TransactionCanceledException", list(reasons))


CONFLICT = refused("TransactionConflictException")


@dataclass
class DynamoDB:
    """Answers by a script, and remembers what it was asked."""

    script: list[Step]
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        def answer(**request: Any) -> Any:
            self.asked.append((operation, dict(request)))
            step = self.script.pop(0)
            if isinstance(step, Exception):
                raise step
            return step

        return answer


@dataclass
class World:
    dynamodb: DynamoDB
    table: Table
    slept: list[float]


def world(*script: Step, reason: str = CONNECTIONS) -> World:
    dynamodb, slept = DynamoDB(list(script)), list[float]()
    return World(dynamodb, Table(dynamodb, "t", reason, sleep=slept.append), slept)  # type: ignore[arg-type]


def _begun(table: Table) -> None:
    """A change that is begun, and waited for."""
    table.begin_update("a", "b", "SET #state = :state", condition="#state = :state", values={"state": "s"})()


def writes(table: Table) -> list[Callable[[], object]]:
    """Every way to write."""
    values = {"state": "s"}
    return [
        lambda: table.put({**_KEY}),
        lambda: table.update("a", "b", "SET #state = :state", condition="attribute_exists(#pk)", values=values),
        lambda: table.delete("a", "b"),
        lambda: table.call("put_item", Item={}),
        lambda: table.transact([{"Put": table.to_put(_KEY)}]),
        partial(_begun, table),
    ]


_WRITES = range(len(writes(world().table)))


@pytest.mark.parametrize("reason", [CONNECTIONS, EVENTS, COORDINATION])
def test_a_table_names_itself(reason: str) -> None:
    """The reason of a 503 is that of the table that could not be asked, and of no other."""
    made = world(EndpointConnectionError(endpoint_url="https://x"), reason=reason)
    with pytest.raises(Unavailable) as caught:
        made.table.get("a", "b")
    assert (caught.value.reason, caught.value.cause) == (reason, "EndpointConnectionError")


def test_a_store_may_have_a_reason_of_its_own() -> None:
    """The same table under another reason; the first one keeps its own."""
    made = world(refused("ThrottlingException"), refused("ThrottlingException"))
    for table, reason in (
        (made.table.with_reason("key_store_unavailable"), "key_store_unavailable"),
        (made.table, CONNECTIONS),
    ):
        with pytest.raises(Unavailable) as caught:
            table.get("a", "b")
        assert caught.value.reason == reason


@pytest.mark.parametrize("code", ["ValidationException", "ResourceNotFoundException", "AccessDeniedException"])
@pytest.mark.parametrize("which", _WRITES)
def test_what_dynamodb_refuses_is_a_fault_of_ours(which: int, code: str) -> None:
    """It is asked once, and called neither an outage nor a failed condition."""
    made = world(refused(code))
    with pytest.raises(InternalError) as caught:
        writes(made.table)[which]()
    assert (caught.value.where, caught.value.cause) == (CONNECTIONS, code)
    assert len(made.dynamodb.asked) == 1
    assert made.slept == []


@pytest.mark.parametrize("which", _WRITES)
def test_a_write_that_meets_a_transaction_is_tried_again(which: int) -> None:
    """After a pause of at most 50 ms, with the same request; boto3's clients do not do that by themselves."""
    made = world(CONFLICT, {"Attributes": {}})
    writes(made.table)[which]()
    (first, second), (pause,) = made.dynamodb.asked, made.slept
    assert first == second
    assert 0 <= pause <= 0.05


@pytest.mark.parametrize("which", _WRITES)
def test_tries_at_a_contended_item_end(which: int) -> None:
    """After four tries it is unavailable, under DynamoDB's word for it."""
    made = world(*[CONFLICT] * 4)
    with pytest.raises(Unavailable) as caught:
        writes(made.table)[which]()
    assert (caught.value.reason, caught.value.cause) == (CONNECTIONS, "TransactionConflictException")
    assert all(0 <= pause <= 0.05 * 2**tried for tried, pause in enumerate(made.slept))
    assert len(made.slept) == 3


def test_all_tries_of_a_transaction_carry_one_token() -> None:
    """Repetitions of one transaction have the same token, and another transaction has another."""
    made = world(canceled("None", "TransactionConflict"), {}, {})
    operations = [{"Put": made.table.to_put(_KEY)}]
    made.table.transact(operations)
    made.table.transact(operations)
    tokens = [request["ClientRequestToken"] for _, request in made.dynamodb.asked]
    assert tokens[0] == tokens[1] != tokens[2]


def test_a_failed_condition_goes_before_a_conflict() -> None:
    """A transaction with both is not tried again: the condition would fail once more."""
    made = world(canceled("TransactionConflict", "ConditionalCheckFailed"))
    with pytest.raises(ConditionFailed) as caught:
        made.table.transact([])
    assert caught.value.failed == (1,)
    assert made.slept == []


@pytest.mark.parametrize(
    ("reasons", "error"),
    [
        (("ThrottlingError", "None"), Unavailable),
        (("ProvisionedThroughputExceeded",), Unavailable),
        (("None", "ValidationError"), InternalError),
        (("ItemCollectionSizeLimitExceeded", "ThrottlingError"), InternalError),
    ],
)
def test_a_transaction_is_judged_by_its_reasons(reasons: tuple[str, ...], error: type[Exception]) -> None:
    """Throttling may pass; one reason that does not makes it a fault of ours."""
    with pytest.raises(error):
        world(canceled(*reasons)).table.transact([])


def test_a_failed_condition_brings_the_item_both_ways() -> None:
    """As plain values, and as DynamoDB has it."""
    item = {"n": {"N": "5"}}
    made = world(refused("ConditionalCheckFailedException", Item=item))
    with pytest.raises(ConditionFailed) as caught:
        made.table.call("update_item")
    assert (caught.value.item, caught.value.raw) == ({"n": 5}, item)


def test_pages_follow_one_another() -> None:
    """The next page is asked for where the last one stopped, once it is wanted."""
    key = {"pk": {"S": "a"}}
    made = world({"Items": [1], "LastEvaluatedKey": key}, {"Items": [2]})
    pages = made.table.pages("query", Limit=1)
    assert next(pages)["Items"] == [1]
    assert len(made.dynamodb.asked) == 1
    assert [page["Items"] for page in pages] == [[2]]
    assert made.dynamodb.asked[1] == ("query", {"TableName": "t", "Limit": 1, "ExclusiveStartKey": key})


def test_many_items_are_written_by_twenty_five() -> None:
    """What DynamoDB did not get to is sent again, later."""
    left = {"t": [{"PutRequest": {"Item": {"pk": {"S": "x"}}}}]}
    made = world({"UnprocessedItems": left}, {"UnprocessedItems": {}}, {})
    made.table.put_all({"pk": str(at)} for at in range(26))
    sizes = [len(request["RequestItems"]["t"]) for _, request in made.dynamodb.asked]
    assert sizes == [25, 1, 1]


def test_what_is_never_written_is_no_success() -> None:
    """After eight tries `put_all` raises Unavailable."""
    left = {"t": [{"PutRequest": {"Item": {"pk": {"S": "x"}}}}]}
    made = world(*[{"UnprocessedItems": left}] * 8)
    with pytest.raises(Unavailable):
        made.table.put_all([{"pk": "x"}])


def test_many_items_are_read_by_the_hundred() -> None:
    """What DynamoDB did not get to is asked for again."""
    left = {"t": {"Keys": [{"pk": {"S": "x"}}]}}
    made = world(
        {"Responses": {"t": [1]}, "UnprocessedKeys": left}, {"Responses": {"t": [2]}}, {"Responses": {"t": [3]}}
    )
    found: list[Any] = list(made.table.batch_get({"pk": {"S": str(at)}} for at in range(101)))
    assert found == [1, 2, 3]
    sizes = [len(request["RequestItems"]["t"]["Keys"]) for _, request in made.dynamodb.asked]
    assert sizes == [100, 1, 1]
