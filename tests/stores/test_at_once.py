"""Requests that are under way at once, and reads made ahead, over every DynamoDB."""

from __future__ import annotations

from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.fakes import tables
from zoom_common.aws.at_once import ReadAhead, at_once, begin_put_each
from zoom_common.aws.table import ConditionFailed, Table
from zoom_common.errors import InternalError

pytestmark = pytest.mark.aws

_LARGER_THAN_AN_ITEM = "x" * 400 * 1024


@pytest.fixture
def table(dynamodb: DynamoDBClient) -> Table:
    return Table(dynamodb, tables.EVENTS)


@pytest.fixture
def ahead(dynamodb: DynamoDBClient) -> ReadAhead:
    return ReadAhead(dynamodb, tables.EVENTS)


def item(sk: str, **more: str) -> dict[str, Any]:
    return {"pk": {"S": "p"}, "sk": {"S": sk}, **{name: {"S": value} for name, value in more.items()}}


def new(sk: str, **more: str) -> tuple[str, dict[str, Any]]:
    return "put_item", {"Item": item(sk, **more), "ConditionExpression": "attribute_not_exists(pk)"}


def test_each_request_has_its_own_outcome(table: Table) -> None:
    """A condition that fails says what is there, and the others are carried out."""
    table.put({"pk": "p", "sk": "2", "was": "there"})
    first, second, third = at_once(table, [new("1"), new("2"), new("3")])
    assert isinstance(first, dict)
    assert isinstance(second, ConditionFailed)
    assert second.item == {"pk": "p", "sk": "2", "was": "there"}
    assert isinstance(third, dict)
    assert {each for each in ("1", "2", "3") if table.get("p", each)} == {"1", "2", "3"}


def test_items_are_written_by_the_batch(table: Table) -> None:
    """More than one request may hold."""
    wait = begin_put_each(table, [item(f"{number:02}") for number in range(30)])
    assert wait() == [None] * 30
    found, _ = table.query("#pk = :pk", {"pk": "p"})
    assert [each["sk"] for each in found] == [f"{number:02}" for number in range(30)]


def test_an_item_that_is_refused_fails_alone(table: Table) -> None:
    """DynamoDB refuses a whole batch because of it."""
    wait = begin_put_each(table, [item("1"), item("2", much=_LARGER_THAN_AN_ITEM), item("3")])
    first, second, third = wait()
    assert (first, third) == (None, None)
    assert isinstance(second, InternalError)
    assert (table.get("p", "1"), table.get("p", "2"), table.get("p", "3")) == (
        {"pk": "p", "sk": "1"},
        None,
        {"pk": "p", "sk": "3"},
    )


def test_nothing_to_write_asks_nobody() -> None:
    """No client is needed for it."""
    nobody: Any = None
    table = Table(nobody, "none")
    assert begin_put_each(table, [])() == []
    assert at_once(table, []) == []


def test_what_was_read_ahead_is_not_read_again(ahead: ReadAhead, table: Table) -> None:
    """Reads by key and in a batch are answered from memory, also for a missing item. Other keys are read anew."""
    table.put({"pk": "p", "sk": "1", "state": "before"})
    ahead.begin_read([("p", "1"), ("p", "none"), ("p", "1")])()
    for sk in ("1", "none", "other"):
        table.put({"pk": "p", "sk": sk, "state": "after"})
    assert ahead.get("p", "1") == ahead.known(("p", "1")) == {"pk": "p", "sk": "1", "state": "before"}
    assert ahead.get("p", "none") is None
    assert ahead.call("get_item", Key=item("none"), ConsistentRead=True) == {}
    assert ahead.get("p", "other") == {"pk": "p", "sk": "other", "state": "after"}
    found = {each["sk"]["S"]: each["state"]["S"] for each in ahead.batch_get([item("1"), item("none"), item("other")])}
    assert found == {"1": "before", "other": "after"}
    ahead.forget()
    assert ahead.get("p", "1") == {"pk": "p", "sk": "1", "state": "after"}


def test_a_partition_that_was_read_ahead_is_not_read_again(ahead: ReadAhead, table: Table) -> None:
    """As a whole; any other question goes to the table."""
    ahead.begin_query(["p", "p"])()
    table.put({"pk": "p", "sk": "1"})
    assert ahead.query("#pk = :pk", {"pk": "p"}) == ([], None)
    assert ahead.partition("p") == []
    assert ahead.query("#pk = :pk", {"pk": "p"}, limit=5)[0] == [{"pk": "p", "sk": "1"}]
    assert ahead.query("#pk = :pk AND #sk = :sk", {"pk": "p", "sk": "1"})[0] == [{"pk": "p", "sk": "1"}]
    ahead.forget()
    assert ahead.query("#pk = :pk", {"pk": "p"})[0] == [{"pk": "p", "sk": "1"}]


@pytest.mark.parametrize("fails", [False, True])
def test_what_is_written_is_read_anew(ahead: ReadAhead, table: Table, *, fails: bool) -> None:
    """Also where the condition failed, because somebody else has changed the item then; the others stay known."""
    ahead.begin_read([("p", "1"), ("p", "2")])()
    ahead.begin_query(["p"])()
    if fails:
        table.put({"pk": "p", "sk": "1", "by": "another"})
    table.put({"pk": "p", "sk": "2"})
    (outcome,) = at_once(ahead, [new("1")])
    assert isinstance(outcome, ConditionFailed) is fails
    found = ahead.get("p", "1")
    assert found is not None
    assert found.get("by") == ("another" if fails else None)
    assert ahead.get("p", "2") is None
    assert len(ahead.query("#pk = :pk", {"pk": "p"})[0]) == 2


def test_a_batch_forgets_what_it_writes(ahead: ReadAhead, table: Table) -> None:
    """The others stay known."""
    ahead.begin_read([("p", "1"), ("p", "2")])()
    table.put({"pk": "p", "sk": "1"})
    assert begin_put_each(ahead, [item("2")])() == [None]
    assert ahead.get("p", "1") is None
    assert ahead.get("p", "2") == {"pk": "p", "sk": "2"}


def test_a_transaction_forgets_all(ahead: ReadAhead, table: Table) -> None:
    """Whatever it changes."""
    ahead.begin_read([("p", "1")])()
    table.put({"pk": "p", "sk": "1"})
    ahead.transact([{"Put": ahead.to_put({"pk": "p", "sk": "2"})}])
    assert ahead.get("p", "1") == {"pk": "p", "sk": "1"}
