"""The projections' records in DynamoDB."""

from __future__ import annotations

from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.stores import factories
from zoom_common.errors import Unavailable
from zoom_common.events.projections.record import Change, Record
from zoom_common.events.projections.store import EventChanges, ProjectionStore

pytestmark = pytest.mark.aws

AT = 1_790_000_000_000
PLACE = "meeting#1"


@pytest.fixture
def store(dynamodb: DynamoDBClient) -> ProjectionStore:
    return factories.projections(dynamodb)


def said(sort: str = "definition", **latest: Any) -> Change:
    return Change(PLACE, sort, latest=latest, earliest={"kind": "meeting"}, marks=frozenset({("joined", AT)}))


def test_events_merge_into_one_record(store: ProjectionStore) -> None:
    """By field, newest first or last; repeating one changes nothing."""
    store.apply("acme", [said(topic="new", agenda="x")], (AT + 2, "b"), "con_1")
    store.apply("acme", [said(topic="old", duration=30)], (AT + 1, "a"), "con_2")
    store.apply("acme", [said(topic="old", duration=30)], (AT + 1, "a"), "con_2")
    (record,) = store.read("acme", PLACE).values()
    assert record.values == {"kind": "meeting", "topic": "new", "agenda": "x", "duration": 30}
    assert record.connections == {"con_1", "con_2"}
    assert record.marks == {("joined", AT)}


def test_a_tenant_has_its_own(store: ProjectionStore) -> None:
    """The same meeting seen by two tenants is two records."""
    store.apply("acme", [said(topic="a")], (AT, "a"))
    assert store.read("globex", PLACE) == {}


def test_records_are_read_by_prefix_and_page(store: ProjectionStore) -> None:
    """Records are returned in the order of their sort keys."""
    store.apply("acme", [said(f"session#{number}") for number in range(5)] + [said()], (AT, "a"))
    assert list(store.read("acme", PLACE, "session#")) == [f"session#{number}" for number in range(5)]
    first, cursor = store.page("acme", PLACE, "session#", limit=3)
    second, end = store.page("acme", PLACE, "session#", limit=3, after=cursor)
    assert [*first, *second] == [f"session#{number}" for number in range(5)]
    assert end is None


def test_records_expire_after_the_last_event_about_them(
    store: ProjectionStore, dynamodb: DynamoDBClient, events_table: str
) -> None:
    """The expiry counts from when the last event happened, so a late delivery does not extend it."""
    store.apply("acme", [said(topic="a")], (AT + 1000, "a"))
    store.apply("acme", [said(topic="b")], (AT, "b"))
    (item,) = dynamodb.scan(TableName=events_table)["Items"]
    assert int(item["expires_at"]["N"]) == AT // 1000 + 1 + 400 * 86_400


def test_two_workers_take_turns(dynamodb: DynamoDBClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second writer reads again, and no change is lost."""
    store, other = (factories.projections(dynamodb) for _ in range(2))
    put = ProjectionStore._to_put
    raced: list[bool] = []

    def put_after_another(self: ProjectionStore, key: Any, record: Record, seen: int) -> dict[str, Any]:
        if self is store and not raced:
            raced.append(True)
            other.apply("acme", [said(agenda="theirs")], (AT, "b"))
        return put(self, key, record, seen)

    monkeypatch.setattr(ProjectionStore, "_to_put", put_after_another)
    store.apply("acme", [said(topic="mine")], (AT, "a"))
    assert store.read("acme", PLACE)["definition"].values == {"kind": "meeting", "topic": "mine", "agenda": "theirs"}


def test_endless_contention_brings_the_event_back(store: ProjectionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than dropping what it says."""
    put = ProjectionStore._to_put
    monkeypatch.setattr(ProjectionStore, "_to_put", lambda self, key, record, _: put(self, key, record, 99))
    with pytest.raises(Unavailable, match="not available"):
        store.apply("acme", [said()], (AT, "a"))


def test_events_of_one_record_are_merged_into_one_write(
    store: ProjectionStore, dynamodb: DynamoDBClient, events_table: str
) -> None:
    """Two events of a batch make one version of the record, which holds what both of them say."""
    events = [
        EventChanges("acme", [said(topic="first")], (AT, "a"), "con_1"),
        EventChanges("acme", [said(agenda="second"), said("session#1")], (AT + 1, "b"), "con_2"),
        EventChanges("acme", [], (AT, "c")),
    ]
    assert store.apply_all(events) == [None, None, None]
    found = {item["sk"]["S"]: item["version"] for item in dynamodb.scan(TableName=events_table)["Items"]}
    assert found == {"definition": {"N": "1"}, "session#1": {"N": "1"}}
    record = store.read("acme", PLACE)["definition"]
    assert record.values == {"kind": "meeting", "topic": "first", "agenda": "second"}
    assert record.connections == {"con_1", "con_2"}


def test_a_record_that_cannot_be_read_fails_its_own_events_only(
    store: ProjectionStore, dynamodb: DynamoDBClient, events_table: str
) -> None:
    """Its neighbours in the batch are applied."""
    broken: Any = {
        "pk": {"S": f"acme#{PLACE}"},
        "sk": {"S": "session#1"},
        "record": {"B": b"none"},
        "version": {"N": "1"},
    }
    dynamodb.put_item(TableName=events_table, Item=broken)
    one, other = (EventChanges("acme", [said(sort)], (AT, sort)) for sort in ("session#1", "session#2"))
    failed, done = store.apply_all([one, other])
    assert failed is not None
    assert done is None
    assert list(store.read("acme", PLACE, "session#2")) == ["session#2"]


def test_what_says_nothing_new_writes_nothing(
    store: ProjectionStore, dynamodb: DynamoDBClient, events_table: str
) -> None:
    """The version stands still, and grows by one with every change."""
    for stamp, topic in (((AT, "a"), "one"), ((AT, "a"), "one"), ((AT - 9, "z"), "older"), ((AT + 1, "b"), "two")):
        store.apply("acme", [said(topic=topic)], stamp)
    (item,) = dynamodb.scan(TableName=events_table)["Items"]
    assert (item["version"], store.read("acme", PLACE)["definition"].values["topic"]) == ({"N": "3"}, "two")


def test_a_page_of_what_is_not_there_is_empty(store: ProjectionStore) -> None:
    """And goes nowhere; an exact page is followed by none with anything on it."""
    assert store.page("acme", PLACE, "session#", limit=3) == ({}, None)
    store.apply("acme", [said(f"session#{number}") for number in range(3)], (AT, "a"))
    found, after = store.page("acme", PLACE, "session#", limit=3)
    assert list(found) == ["session#0", "session#1", "session#2"]
    assert after is None or store.page("acme", PLACE, "session#", limit=3, after=after) == ({}, None)


def test_a_table_that_does_not_answer_is_unavailable() -> None:
    """A table that does not answer raises Unavailable and is not taken for an empty record."""
    missing = factories.projections(factories.away())
    for attempt in (
        lambda: missing.apply("acme", [said()], (AT, "a")),
        lambda: missing.read("acme", PLACE),
        lambda: missing.page("acme", PLACE, "", limit=1),
    ):
        with pytest.raises(Unavailable):
            attempt()
