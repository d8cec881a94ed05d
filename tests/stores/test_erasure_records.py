"""What erasures have come to."""

from __future__ import annotations

from collections import Counter

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.stores import factories
from zoom_common.erasure.records import ErasureRecords, State, Superseded, erasure_id

pytestmark = pytest.mark.aws

NOW = 1_900_000_000.5
ADA = erasure_id("acme", "ada")


@pytest.fixture
def store(dynamodb: DynamoDBClient) -> ErasureRecords:
    return factories.erasure_records(dynamodb)


def test_an_erasure_begins_with_nothing_deleted(store: ErasureRecords) -> None:
    """Running, of a person or a tenant, from a moment on."""
    made = store.begin("acme", ADA, about="person", now=NOW)
    assert (made.tenant, made.erasure_id, made.about, made.state) == ("acme", ADA, "person", State.RUNNING)
    assert (made.erased_at, made.finished_at, set(made.deleted.values())) == (NOW, None, {0})
    assert store.get("acme", ADA) == made


def test_begun_again_while_it_runs_it_goes_on(store: ErasureRecords) -> None:
    """Its counts and what it has to look for stay; the moment moves, so that nothing of between comes in."""
    record = store.begin("acme", ADA, about="person", now=NOW)
    store.found(record, connection_ids={"con_1"}, key_ids=())
    store.count(record, Counter(events=3))
    again = store.begin("acme", ADA, about="tenant", now=NOW + 60)
    assert (again.about, again.erased_at, again.deleted["events"]) == ("person", NOW + 60, 3)
    assert again.connection_ids == {"con_1"}


def test_counts_add_up(store: ErasureRecords) -> None:
    """Zeros are not written, and nothing at all is no write."""
    record = store.begin("acme", ADA, about="person", now=NOW)
    for done in (Counter(events=3, usage=0), Counter(events=2, usage=1), Counter(usage=0), Counter[str]()):
        store.count(record, done)
    now = store.get("acme", ADA)
    assert now is not None
    assert {name: number for name, number in now.deleted.items() if number} == {"events": 5, "usage": 1}


def test_what_has_to_be_looked_for_is_noted_until_the_end(store: ErasureRecords) -> None:
    """Ids of connections and keys add up; none of them is left when it is done."""
    record = store.begin("acme", ADA, about="person", now=NOW)
    assert store.found(record, connection_ids=(), key_ids=()) == record
    noted = store.found(record, connection_ids={"con_1"}, key_ids={"k1"})
    noted = store.found(noted, connection_ids={"con_2"}, key_ids=())
    assert (noted.connection_ids, noted.key_ids) == (frozenset({"con_1", "con_2"}), frozenset({"k1"}))
    done = store.finish(noted, now=NOW + 9)
    assert (done.state, done.finished_at) == (State.DONE, NOW + 9)
    assert (done.connection_ids, done.key_ids) == (frozenset(), frozenset())
    assert store.get("acme", ADA) == done


def test_begun_again_when_it_is_done_it_begins_anew(store: ErasureRecords) -> None:
    """With nothing counted and no end."""
    record = store.begin("acme", ADA, about="person", now=NOW)
    store.count(record, Counter(events=3))
    store.finish(record, now=NOW + 9)
    anew = store.begin("acme", ADA, about="person", now=NOW + 60)
    assert (anew.state, anew.finished_at, anew.deleted["events"]) == (State.RUNNING, None, 0)


def test_a_tenant_lists_its_own(store: ErasureRecords) -> None:
    """A tenant's list is sorted by id and has no other tenant's erasures."""
    names = sorted(erasure_id("acme", user) for user in ("ada", "bob", None))
    for name in reversed(names):
        store.begin("acme", name, about="person", now=NOW)
    store.begin("acme-2", ADA, about="person", now=NOW)
    assert [each.erasure_id for each in store.list("acme")] == names
    assert list(store.list("nobody")) == []
    assert store.get("nobody", ADA) is None


def test_what_is_gone_is_not_made_by_a_count(
    store: ErasureRecords, dynamodb: DynamoDBClient, connections_table: str
) -> None:
    """A record that an erasure of its tenant deleted stays deleted."""
    record = store.begin("acme", ADA, about="person", now=NOW)
    dynamodb.delete_item(TableName=connections_table, Key={"pk": {"S": "acme#erasures"}, "sk": {"S": ADA}})
    with pytest.raises(Superseded):
        store.count(record, Counter(events=3))
    with pytest.raises(Superseded):
        store.finish(record, now=NOW)
    assert store.get("acme", ADA) is None
