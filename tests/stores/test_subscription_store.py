"""Subscriptions: what owners and workers change, the lease, the wakes, and the index of due times."""

from __future__ import annotations

from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.stores import factories
from zoom_common.connections.store import SHARDS
from zoom_common.events.subscriptions.model import Filters, Payload, State, Subscription
from zoom_common.events.subscriptions.store import SubscriptionStore

pytestmark = pytest.mark.aws
NOW = 1_790_000_000.0
NAME = f"sub_{1:032x}"


def made(**more: Any) -> Subscription:
    """A subscription with every attribute that an owner sets."""
    return Subscription(
        **{
            "tenant": "acme",
            "subscription_id": NAME,
            "state": State.ACTIVE,
            "types": ("meeting.*", "recording.completed"),
            "created_at": NOW,
            "state_changed_at": NOW,
            "secret": b"sealed",
            "url": "https://hooks.example.com/",
            "filters": Filters(meeting=("85012345678",), host=("ada", "ben"), kind="meeting"),
            "payload": Payload.THIN,
            "rate": 20,
            "ordered": True,
            "description": "A test.",
            "challenge": "challenge",
            **more,
        }
    )


@pytest.fixture
def store(dynamodb: DynamoDBClient) -> SubscriptionStore:
    found = factories.subscriptions(dynamodb)
    found.create(made())
    return found


def due(store: SubscriptionStore, now: float) -> list[tuple[str, str]]:
    return [each for shard in range(SHARDS) for each in store.due(shard, now=now)[0]]


def test_what_is_created_is_read(store: SubscriptionStore) -> None:
    """One by its id, all of a tenant; nothing of another tenant."""
    assert store.get("acme", NAME) == made()
    assert store.list("acme") == [made()]
    assert store.list("other") == []
    assert store.get("other", NAME) is None


def test_a_change_holds_for_the_state_and_target_that_were_seen(store: SubscriptionStore) -> None:
    """A verification that ends after the URL was changed activates nothing."""
    changed = store.change(made(), description="", rate=None, url="https://other.example.com/", challenge="second")
    assert changed is not None
    assert (changed.description, changed.rate, changed.url) == ("", None, "https://other.example.com/")
    assert store.change(made(), state=State.PAUSED) is None
    assert store.change(changed, state=State.PAUSED) is not None
    assert store.change(changed, state=State.ACTIVE) is None
    with pytest.raises(TypeError):
        store.change(changed, colour="red")


def test_what_is_deleted_is_deleted_once(store: SubscriptionStore) -> None:
    """The answer says whether there was a subscription."""
    assert store.delete("acme", NAME)
    assert not store.delete("acme", NAME)


def test_what_is_deleted_stays_deleted(store: SubscriptionStore) -> None:
    """Nothing that a worker finds out afterwards brings it back."""
    store.delete("acme", NAME)
    store.wake(made(), at=NOW)
    assert store.note(made(), slow_at=NOW) is None
    assert store.failed(made(), now=NOW) is None
    assert store.lease("acme", NAME, "w1", now=NOW, until=NOW + 60) is None
    assert store.get("acme", NAME) is None


def test_the_sooner_of_two_wakes_counts(store: SubscriptionStore) -> None:
    """And both are reasons to look again."""
    store.wake(made(), at=NOW + 60)
    assert due(store, NOW) == []
    store.wake(made(), at=NOW)
    store.wake(made(), at=NOW + 300)
    assert due(store, NOW) == [("acme", NAME)]
    found = store.get("acme", NAME)
    assert found is not None
    assert (found.due_at, found.wakes) == (NOW, 3)


def test_one_worker_at_a_time(store: SubscriptionStore) -> None:
    """It renews its lease; another takes it when it is over."""
    assert store.lease("acme", NAME, "w1", now=NOW, until=NOW + 60) is not None
    assert store.lease("acme", NAME, "w2", now=NOW + 30, until=NOW + 90) is None
    assert store.lease("acme", NAME, "w1", now=NOW + 30, until=NOW + 90) is not None
    assert store.lease("acme", NAME, "w2", now=NOW + 91, until=NOW + 150) is not None


def test_a_worker_rests_only_when_nothing_has_come(store: SubscriptionStore) -> None:
    """A wake since it looked keeps it at work."""
    leased = store.lease("acme", NAME, "w1", now=NOW, until=NOW + 60)
    assert leased is not None
    store.wake(leased, at=NOW)
    assert not store.rest(leased, due_at=None)
    leased = store.lease("acme", NAME, "w1", now=NOW, until=NOW + 60)
    assert leased is not None
    assert store.rest(leased, due_at=None)
    assert due(store, NOW + 1e6) == []
    assert not store.pass_on(leased, due_at=NOW)


def test_work_that_is_left_is_passed_on(store: SubscriptionStore) -> None:
    """With a time at which it is due."""
    leased = store.lease("acme", NAME, "w1", now=NOW, until=NOW + 60)
    assert leased is not None
    assert store.pass_on(leased, due_at=NOW + 5)
    assert due(store, NOW + 4) == []
    assert due(store, NOW + 5) == [("acme", NAME)]
    assert store.lease("acme", NAME, "w2", now=NOW + 5, until=NOW + 65) is not None


def test_failures_are_counted_until_it_backs_off(store: SubscriptionStore) -> None:
    """Failures of one moment make one round; a success forgets them."""
    first = store.failed(made(), now=NOW)
    assert first is not None
    assert (first.failures, first.failing_since) == (1, NOW)
    second = store.failed(made(), now=NOW + 1)
    assert second is not None
    assert (second.failures, second.failing_since) == (2, NOW)
    store.note(made(), retry_at=NOW + 5)
    assert store.failed(made(), now=NOW + 2) is None
    healthy = store.succeeded(made())
    assert healthy is not None
    assert (healthy.failures, healthy.failing_since, healthy.retry_at) == (0, None, None)


def test_a_due_time_that_is_removed_leaves_the_index(store: SubscriptionStore) -> None:
    """Also by a change."""
    changed = store.change(made(), due_at=NOW)
    assert changed is not None
    assert due(store, NOW) == [("acme", NAME)]
    assert store.change(changed, due_at=None) is not None
    assert due(store, NOW) == []
