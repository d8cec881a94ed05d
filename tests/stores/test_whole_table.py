"""A whole table, page by page."""

from __future__ import annotations

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.stores import factories
from zoom_common.aws.items import to_item
from zoom_common.erasure.removal import WholeTable
from zoom_common.errors import Unavailable

pytestmark = pytest.mark.aws


def key(number: int) -> tuple[str, str]:
    return f"p{number % 7}", str(number)


def item(number: int) -> dict[str, str]:
    pk, sk = key(number)
    return {"pk": pk, "sk": sk}


@pytest.fixture
def store(dynamodb: DynamoDBClient, events_table: str) -> WholeTable:
    for number in range(1100):
        dynamodb.put_item(TableName=events_table, Item=to_item(item(number)))
    return factories.whole_table(dynamodb, events_table)


def test_every_item_is_on_one_page(store: WholeTable) -> None:
    """None is missed and none comes twice."""
    found: list[str] = []
    after = None
    while True:
        items, after = store.page(after)
        found += [each["sk"] for each in items]
        assert len(items) <= 500
        if after is None:
            break
    assert sorted(found, key=int) == [str(number) for number in range(1100)]


def test_an_item_is_read_and_deleted_once(store: WholeTable) -> None:
    """Afterwards there is none, and deleting it says so."""
    assert store.get(key(3)) == item(3)
    assert store.delete(key(3))
    assert not store.delete(key(3))
    assert store.get(key(3)) is None


def test_a_table_that_does_not_answer_is_unavailable() -> None:
    """Whatever is asked of it."""
    missing = factories.whole_table(factories.away(), "any")
    for attempt in (lambda: missing.page(None), lambda: missing.get(key(1)), lambda: missing.delete(key(1))):
        with pytest.raises(Unavailable):
            attempt()
