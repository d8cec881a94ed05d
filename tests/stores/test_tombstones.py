"""What was erased, by digest."""

from __future__ import annotations

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.stores import factories
from zoom_common.connections.tombstones import Tombstones, of_account, of_person, of_tenant, of_user
from zoom_common.errors import Unavailable

pytestmark = pytest.mark.aws

NOW = 1_900_000_000.5


@pytest.fixture
def store(dynamodb: DynamoDBClient) -> Tombstones:
    return factories.tombstones(dynamodb)


def test_names_are_remembered_with_their_moment(store: Tombstones) -> None:
    """Each by itself; doing it again moves the moment; what was not erased has none."""
    person, account = of_person("acme", "ada"), of_account("app", "acc")
    assert store.erased_at(person) is None
    store.put([person, account], now=NOW)
    assert (store.erased_at(person), store.erased_at(account)) == (NOW, NOW)
    store.put([person], now=NOW + 60)
    assert (store.erased_at(person), store.erased_at(account)) == (NOW + 60, NOW)
    store.put([], now=NOW + 99)


def test_nobody_is_named_and_all_names_differ(
    store: Tombstones, dynamodb: DynamoDBClient, connections_table: str
) -> None:
    """A person, a user, a tenant and an account of one spelling are four; none can be read in the table."""
    names = [of_person("acme", "ada"), of_user("acme", "ada"), of_tenant("acme"), of_account("acme", "ada")]
    store.put(names, now=NOW)
    items = dynamodb.scan(TableName=connections_table)["Items"]
    assert len(items) == 4
    assert not any(word in repr(items) for word in ("acme", "ada"))


def test_they_leave_after_every_queue_has_let_go(
    store: Tombstones, dynamodb: DynamoDBClient, connections_table: str
) -> None:
    """Tombstones expire by TTL after 45 days, in whole seconds."""
    store.put([of_tenant("acme")], now=NOW)
    (item,) = dynamodb.scan(TableName=connections_table)["Items"]
    assert item["expires_at"] == {"N": str(int(NOW) + 45 * 86_400)}


def test_a_table_that_does_not_answer_is_unavailable() -> None:
    """Not "never erased": an erased person's event would come in."""
    missing = factories.tombstones(factories.away())
    with pytest.raises(Unavailable):
        missing.erased_at("x")
    with pytest.raises(Unavailable):
        missing.put(["x"], now=NOW)
