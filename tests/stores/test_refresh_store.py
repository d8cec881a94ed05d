"""A refresh's conditional writes: lease, pair, spare, settlement; and the index of what is due."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.fakes.connections import START, connection
from tests.stores import factories
from tests.stores.connection_items import pair, settlement, stored
from zoom_common.aws.table import Table
from zoom_common.connections.link_store import AuthorizationStore
from zoom_common.connections.model import Spare, State
from zoom_common.connections.refresh.policy import NO_STREAK, RejectionStreak
from zoom_common.connections.refresh.refusal_rate import AnswerCounts
from zoom_common.connections.refresh.store import RefreshStore
from zoom_common.connections.store import SHARDS, ConnectionStore, due_shard, from_values, to_values

pytestmark = pytest.mark.aws


@pytest.fixture
def table(dynamodb: DynamoDBClient, connections_table: str) -> Table:
    return Table(dynamodb, connections_table)


@pytest.fixture
def store(dynamodb: DynamoDBClient) -> ConnectionStore:
    return factories.connections(dynamodb)


@pytest.fixture
def refreshes(dynamodb: DynamoDBClient) -> RefreshStore:
    return factories.refreshes(dynamodb)


@pytest.fixture
def links(dynamodb: DynamoDBClient) -> AuthorizationStore:
    return factories.authorizations(dynamodb)


def test_the_lease_is_taken_once(table: Table, store: ConnectionStore, refreshes: RefreshStore) -> None:
    """The winner gets the connection with its lease and intent on it, the others get nothing."""
    seen = stored(table, intents={"old": START - 1000, "young": START - 10})
    won = refreshes.take_lease(seen, "a1", now=START, until=START + 60, skew=10)
    assert won is not None
    assert (won.lease_owner, won.lease_expires_at) == ("a1", START + 60)
    assert dict(won.intents) == {"young": START - 10, "a1": START}
    assert refreshes.take_lease(seen, "a2", now=START + 65, until=START + 125, skew=10) is None
    assert refreshes.take_lease(seen, "a1", now=START, until=START + 60, skew=10) is not None
    assert refreshes.take_lease(seen, "a2", now=START + 71, until=START + 131, skew=10) is not None
    assert store.get("acme", "con_1") != won


@pytest.mark.parametrize("change", [{"version": 2}, {"grant_id": "g2"}, {"state": State.REAUTHORIZATION_REQUIRED}])
def test_no_lease_on_what_has_moved(table: Table, refreshes: RefreshStore, change: dict[str, Any]) -> None:
    """The lease is for the version and grant that were seen."""
    seen = connection(sealed_access=b"a", sealed_refresh=b"r")
    stored(table, **change)
    assert refreshes.take_lease(seen, "a1", now=START, until=START + 60, skew=10) is None


def test_a_write_moves_everything_together(table: Table, store: ConnectionStore, refreshes: RefreshStore) -> None:
    """New pair, version, state and due time, and the lease, intent and tried spares are gone."""
    seen = stored(
        table,
        state=State.REFRESH_FAILING,
        reason="x",
        failures=4,
        spares={"s1": Spare(b"s1", START), "s2": Spare(b"s2", START)},
    )
    refreshes.take_lease(seen, "a1", now=START, until=START + 60, skew=10)
    assert refreshes.write(pair(tried=("s1",), api_url="https://api-eu.zoom.us"), release=True) is None
    now = store.get("acme", "con_1")
    assert now is not None
    assert (now.version, now.state, now.reason, now.failures) == (2, State.CONNECTED, None, 0)
    assert (now.sealed_refresh, now.previous_refresh, now.written_by) == (b"new refresh", b"refresh", "a1")
    assert (now.lease_owner, dict(now.intents), list(now.spares)) == (None, {}, ["s2"])
    assert (now.due_at, now.api_url, now.last_used_at) == (START + 2700, "https://api-eu.zoom.us", START - 60)


def test_an_unproven_pair_is_kept_in_the_state_that_was_seen(
    table: Table, store: ConnectionStore, refreshes: RefreshStore
) -> None:
    """State, reason and lease stay; settled as connected, the row of refusals is forgotten with them."""
    given_up = {
        "state": State.REAUTHORIZATION_REQUIRED,
        "reason": "tokens_refused",
        "refusals": 3,
        "refused_version": 1,
    }
    seen = stored(table, **given_up, lease_owner="a1", lease_expires_at=START + 60)
    assert refreshes.write(pair(unproven=True), release=True, state=seen.state) is None
    found = store.get("acme", "con_1")
    assert found is not None
    assert (found.state, found.reason, found.version) == (State.REAUTHORIZATION_REQUIRED, "tokens_refused", 2)
    assert (found.lease_owner, found.sealed_refresh, found.refusals) == ("a1", b"new refresh", 3)
    assert refreshes.settle(found, settlement(state=State.CONNECTED, reason=None))
    found = store.get("acme", "con_1")
    assert found is not None
    assert (found.state, found.reason, found.lease_owner) == (State.CONNECTED, None, None)
    assert (found.refusals, found.refused_version) == (0, 0)


def test_a_write_says_what_it_found(table: Table, refreshes: RefreshStore) -> None:
    """The result distinguishes a changed version, another's lease and a missing connection."""
    with pytest.raises(LookupError):
        refreshes.write(pair(), release=True)
    seen = stored(table, lease_owner="a2", lease_expires_at=START + 60)
    assert refreshes.write(pair(), release=True) == seen
    assert refreshes.write(pair(), release=False) is None
    found = refreshes.write(pair(), release=False)
    assert found is not None
    assert (found.version, found.written_by, found.lease_owner) == (2, "a1", "a2")


def test_a_spare_is_kept_for_its_grant_only(table: Table, store: ConnectionStore, refreshes: RefreshStore) -> None:
    """Beside the current pair, under its attempt, without touching anybody's lease."""
    stored(table, version=2, intents={"a1": START, "a2": START})
    assert refreshes.keep_spare(pair())
    assert not refreshes.keep_spare(pair(grant_id="former"))
    now = store.get("acme", "con_1")
    assert now is not None
    assert dict(now.spares) == {"a1": Spare(b"new refresh", START)}
    assert list(now.intents) == ["a2"]


def test_settling_needs_the_lease(table: Table, store: ConnectionStore, refreshes: RefreshStore) -> None:
    """An attempt that has lost the lease changes nothing."""
    seen = stored(table)
    assert not refreshes.settle(seen, settlement())
    assert store.get("acme", "con_1") == seen


@pytest.mark.parametrize(("known", "intents"), [(True, []), (False, ["a1"])])
def test_settling(
    table: Table, store: ConnectionStore, refreshes: RefreshStore, *, known: bool, intents: list[str]
) -> None:
    """State, reason and back-off are stored, the lease ends, and the intent stays if the outcome is unknown."""
    seen = stored(table)
    refreshes.take_lease(seen, "a1", now=START, until=START + 60, skew=10)
    assert refreshes.settle(seen, settlement(outcome_known=known))
    now = store.get("acme", "con_1")
    assert now is not None
    assert (now.state, now.reason, now.failures, now.due_at) == (State.REFRESH_FAILING, "zoom_error", 3, START + 30)
    assert (now.lease_owner, list(now.intents)) == (None, intents)


def test_a_refusal_is_noted_on_the_version_it_is_about(
    table: Table, store: ConnectionStore, refreshes: RefreshStore
) -> None:
    """A connection that nothing was noted about reads as never refused; one that has moved is left alone."""
    table.put(to_values(connection()))
    seen = store.get("acme", "con_1")
    assert seen is not None
    assert refreshes.note_refusal(seen, RejectionStreak(2, START))
    noted = store.get("acme", "con_1")
    assert noted is not None
    assert (noted.refused_version, noted.refusals, noted.refused_since) == (1, 2, START)
    assert not refreshes.note_refusal(replace(seen, version=7), RejectionStreak(3, START))
    assert not refreshes.note_refusal(replace(seen, grant_id="another"), RejectionStreak(3, START))
    older = {name: value for name, value in to_values(connection()).items() if not name.startswith("refus")}
    assert from_values(older).refusals == 0


def test_what_needs_the_person_is_due_no_more(table: Table, refreshes: RefreshStore) -> None:
    """Re-authorization takes the connection out of the index, and a new pair puts it back."""
    seen = stored(table)
    refreshes.take_lease(seen, "a1", now=START, until=START + 60, skew=10)
    refreshes.settle(seen, settlement(state=State.REAUTHORIZATION_REQUIRED, due_at=None))
    assert refreshes.due(due_shard("con_1"), now=START + 9e6) == ([], None)
    refreshes.write(pair(), release=False)
    assert refreshes.due(due_shard("con_1"), now=START + 2700) == ([("acme", "con_1")], None)


def test_the_index_names_only_what_is_due(table: Table, refreshes: RefreshStore) -> None:
    """A sweep reads what is due, longest due first, and nothing else."""
    ids = [f"con_{number}" for number in range(200)]
    for number, each in enumerate(ids):
        stored(table, connection_id=each, due_at=START - number if number < 20 else START + 1)
    found = [each for shard in range(SHARDS) for each in refreshes.due(f"{shard:02d}", now=START)[0]]
    assert sorted(found) == sorted(("acme", each) for each in ids[:20])
    assert len({due_shard(each) for each in ids}) == SHARDS


def test_the_soonest_of_a_shard_are_named_whenever_they_are_due(table: Table, refreshes: RefreshStore) -> None:
    """In order, and no more than asked for."""
    ids = [each for each in (f"con_{number}" for number in range(200)) if due_shard(each) == "07"]
    for number, each in enumerate(ids):
        stored(table, connection_id=each, due_at=START + 9e6 - number)
    assert refreshes.soonest("07", limit=3) == [("acme", each) for each in ids[:-4:-1]]


def due(refreshes: RefreshStore, *, now: float = START + 9e6) -> list[tuple[str, str]]:
    """What the index of due connections names in the shard of `con_1`."""
    return refreshes.due(due_shard("con_1"), now=now)[0]


def test_after_a_failed_refresh_a_connection_stays_in_the_index(table: Table, refreshes: RefreshStore) -> None:
    """From the lease on and after the settlement, at the time it is to be tried again."""
    seen = stored(table)
    refreshes.take_lease(seen, "a1", now=START, until=START + 60, skew=10)
    assert due(refreshes, now=START) == [("acme", "con_1")]
    assert refreshes.settle(seen, settlement(due_at=START + 30))
    assert due(refreshes, now=START + 29) == []
    assert due(refreshes, now=START + 30) == [("acme", "con_1")]
    again = stored(table, state=State.REFRESH_FAILING, lease_owner="a2", lease_expires_at=START + 60)
    assert refreshes.settle(again, settlement(attempt="a2", due_at=START + 99))
    assert due(refreshes, now=START + 99) == [("acme", "con_1")]


def test_no_lease_on_what_is_gone(store: ConnectionStore, refreshes: RefreshStore) -> None:
    """Asking for one makes nothing."""
    assert refreshes.take_lease(connection(), "a1", now=START, until=START + 60, skew=10) is None
    assert not refreshes.keep_spare(pair())
    assert not refreshes.note_refusal(connection(), RejectionStreak(1, START))
    assert not refreshes.settle(connection(), settlement())
    with pytest.raises(LookupError):
        refreshes.write(pair(), release=False)
    assert store.get("acme", "con_1") is None


def test_a_lease_is_over_when_the_skew_after_its_end_has_passed(table: Table, refreshes: RefreshStore) -> None:
    """Another attempt gets the lease only after its end plus the skew."""
    seen = stored(table, lease_owner="a2", lease_expires_at=START)
    assert refreshes.take_lease(seen, "a1", now=START + 10, until=START + 60, skew=10) is None
    assert refreshes.take_lease(seen, "a1", now=START + 10.001, until=START + 60, skew=10) is not None


@pytest.mark.parametrize("change", [{"grant_id": "another"}, {"state": State.DISCONNECTED}, {"lease_owner": "a2"}])
def test_nothing_is_settled_on_what_has_moved(
    table: Table, store: ConnectionStore, refreshes: RefreshStore, change: dict[str, Any]
) -> None:
    """The grant was replaced, the state was changed by somebody else, or the lease was lost."""
    seen = stored(table, lease_owner="a1", lease_expires_at=START + 60)
    now = stored(table, **({"lease_owner": "a1", "lease_expires_at": START + 60} | change))
    assert not refreshes.settle(seen, settlement())
    assert store.get("acme", "con_1") == now


def test_a_settlement_without_a_reason_removes_it(
    table: Table, store: ConnectionStore, refreshes: RefreshStore
) -> None:
    """Absence says None."""
    seen = stored(table, reason="zoom_error", lease_owner="a1", lease_expires_at=START + 60)
    assert refreshes.settle(seen, settlement(reason=None))
    now = store.get("acme", "con_1")
    assert now is not None
    assert now.reason is None


def test_what_zoom_did_not_say_stays_as_it_is(table: Table, store: ConnectionStore, refreshes: RefreshStore) -> None:
    """Scopes, address and last use; the rest is the pair's, and the connection is due when the pair says."""
    stored(table, api_url="https://api-eu.zoom.us", last_used_at=START - 7)
    assert refreshes.write(pair(scopes=frozenset(), last_used_at=None), release=False) is None
    now = store.get("acme", "con_1")
    assert now is not None
    assert (now.scopes, now.api_url, now.last_used_at) == (
        frozenset({"meeting:read:meeting"}),
        "https://api-eu.zoom.us",
        START - 7,
    )
    assert refreshes.write(pair(seen_version=2, last_used_at=START + 1), release=False) is None
    assert due(refreshes, now=START + 2699) == []
    assert due(refreshes, now=START + 2700) == [("acme", "con_1")]


def test_a_pair_that_was_written_is_found_when_it_is_written_again(table: Table, refreshes: RefreshStore) -> None:
    """A repeated write whose first answer was lost finds its own version."""
    stored(table)
    assert refreshes.write(pair(), release=False) is None
    found = refreshes.write(pair(), release=False)
    assert found is not None
    assert (found.version, found.written_by) == (2, "a1")


def test_a_spare_of_one_attempt_is_one_spare(table: Table, store: ConnectionStore, refreshes: RefreshStore) -> None:
    """However often it is kept; the later one counts."""
    stored(table)
    assert refreshes.keep_spare(pair())
    assert refreshes.keep_spare(pair(sealed_refresh=b"later"))
    now = store.get("acme", "con_1")
    assert now is not None
    assert dict(now.spares) == {"a1": Spare(b"later", START)}


def test_a_refusal_of_what_has_ended_is_not_noted(
    table: Table, store: ConnectionStore, refreshes: RefreshStore
) -> None:
    """It would be about nothing that is refreshed."""
    seen = stored(table, state=State.REAUTHORIZATION_REQUIRED, due_at=None)
    assert not refreshes.note_refusal(seen, RejectionStreak(1, START))
    assert store.get("acme", "con_1") == seen


def test_a_connection_that_was_given_up_is_leased_for_the_reason_seen(table: Table, refreshes: RefreshStore) -> None:
    """What was superseded or reconnected since it was read is not tried again."""
    given_up: dict[str, Any] = {"state": State.REAUTHORIZATION_REQUIRED, "due_at": None}
    seen = stored(table, reason="invalid_grant", **given_up)
    lease: Any = {"now": START, "until": START + 60, "skew": 10}
    assert refreshes.take_lease(replace(seen, reason="superseded"), "a1", **lease) is None
    assert refreshes.take_lease(replace(seen, grant_id="another"), "a1", **lease) is None
    assert refreshes.take_lease(seen, "a1", **lease) is not None
    assert refreshes.take_lease(seen, "a2", **lease) is None
    alive = stored(table, connection_id="con_2")
    assert refreshes.take_lease(replace(alive, reason="invalid_grant", **given_up), "a1", **lease) is None


def test_a_try_of_what_was_given_up_puts_it_into_the_index(table: Table, refreshes: RefreshStore) -> None:
    """Also where an older release has taken it out."""
    seen = stored(table, state=State.REAUTHORIZATION_REQUIRED, reason="invalid_grant", due_at=None)
    refreshes.take_lease(seen, "a1", now=START, until=START + 60, skew=10)
    again = settlement(state=State.REAUTHORIZATION_REQUIRED, reason="invalid_grant", due_at=START + 900)
    assert refreshes.settle(seen, again)
    assert due(refreshes, now=START + 899) == []
    assert due(refreshes, now=START + 900) == [("acme", "con_1")]


def test_answers_of_a_window_add_up(refreshes: RefreshStore) -> None:
    """Each window by itself; what was never counted is nothing."""
    assert refreshes.answers(7) == AnswerCounts()
    assert refreshes.count_answers(7, AnswerCounts(3, 1), expires_at=START) == AnswerCounts(3, 1)
    assert refreshes.count_answers(7, AnswerCounts(0, 1), expires_at=START) == AnswerCounts(3, 2)
    assert refreshes.count_answers(8, AnswerCounts(1, 0), expires_at=START) == AnswerCounts(1, 0)
    assert refreshes.answers(7) == AnswerCounts(3, 2)


def test_a_streak_that_ends_is_stored_as_none(table: Table, store: ConnectionStore, refreshes: RefreshStore) -> None:
    """As if nothing had been refused."""
    seen = stored(table, refused_version=1, refusals=2, refused_since=START)
    assert refreshes.note_refusal(seen, NO_STREAK, version=0)
    now = store.get("acme", "con_1")
    assert now is not None
    assert (now.refused_version, now.refusals, now.refused_since) == (0, 0, 0)


def test_what_is_due_is_postponed(table: Table, store: ConnectionStore, refreshes: RefreshStore) -> None:
    """Only the version that was seen gets a new time. A connection that changed or is not due keeps its own."""
    seen = stored(table)
    refreshes.postpone(replace(seen, version=seen.version + 1), due_at=START + 500)
    assert store.get("acme", "con_1") == seen
    refreshes.postpone(seen, due_at=START + 500)
    assert store.get("acme", "con_1") == replace(seen, due_at=START + 500)
    store.end(seen, reason="invalid_grant", now=START)
    refreshes.postpone(seen, due_at=START + 900)
    ended = store.get("acme", "con_1")
    assert ended is not None
    assert ended.due_at is None
