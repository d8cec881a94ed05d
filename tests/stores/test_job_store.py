"""Jobs, their row ledger, and who may change them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.stores import factories
from zoom_common.access.principal import Principal
from zoom_common.errors import Unavailable
from zoom_common.jobs.model import Job, Row, RowState, State, Tally
from zoom_common.jobs.store import JobStore

pytestmark = pytest.mark.aws

NOW = 1_900_000_000.5
CALLER = Principal("acme", "key:k1", frozenset({"meetings:write", "jobs:write"}), "con_1")


def job(number: int = 1, **changes: Any) -> Job:
    """A job of two rows that nobody has begun."""
    usual: dict[str, Any] = {
        "tenant": "acme",
        "job_id": f"job_{number}",
        "principal": CALLER,
        "operation": "meetings.create",
        "request": {"connection": "con_1", "mapping": {"defaults": {"type": 2}}},
        "fingerprint": "f",
        "created_at": NOW + number,
        "rows": 2,
        "wake_at": NOW,
    }
    return Job(**(usual | changes))


ROWS = [Row(number=1, values={"topic": "A"}), Row(number=2, values={"topic": "Ä"}, line=3)]


@pytest.fixture
def store(dynamodb: DynamoDBClient) -> JobStore:
    return factories.jobs(dynamodb)


def begun(store: JobStore, made: Job, owner: str = "a") -> Job:
    found = store.begin_slice(made, run=made.run, owner=owner, now=NOW, until=NOW + 90, wake_at=NOW + 100)
    assert found is not None
    return found


def test_a_job_is_kept_with_its_rows(store: JobStore) -> None:
    """As it was made; a tenant has its own."""
    made = store.create(job(), ROWS)
    assert store.get("acme", "job_1") == made == job()
    assert store.rows(made) == ROWS
    assert store.rows(made, start=2) == ROWS[1:]
    assert store.rows(made, limit=1) == ROWS[:1]
    assert store.get("other", "job_1") is None


def test_a_job_is_made_once(store: JobStore) -> None:
    """A second create returns the first job, and its rows stay as they are."""
    store.create(job(), ROWS)
    again = store.create(job(fingerprint="g", rows=1), [Row(number=1, values={"topic": "other"})])
    assert (again.fingerprint, again.rows) == ("f", 2)
    assert store.rows(again) == ROWS


def test_jobs_are_listed_from_the_youngest(store: JobStore) -> None:
    """Page by page, for one tenant."""
    for number in range(1, 6):
        store.create(job(number))
    store.create(job(9, tenant="other"))
    first = store.page("acme", limit=3)
    assert [each.job_id for each in first.jobs] == ["job_5", "job_4", "job_3"]
    second = store.page("acme", limit=3, after=first.after)
    assert [each.job_id for each in second.jobs] == ["job_2", "job_1"]
    assert store.page("acme", limit=5).jobs[0].job_id == "job_5"


def test_a_slice_takes_a_job_alone(store: JobStore) -> None:
    """Until its lease ends, and only for the run that the job has."""
    made = store.create(job(), ROWS)
    assert store.begin_slice(made, run=2, owner="x", now=NOW, until=NOW + 90, wake_at=0.0) is None
    taken = begun(store, made)
    assert (taken.state, taken.started_at, taken.slices) == (State.RUNNING, NOW, 1)
    assert store.begin_slice(made, run=1, owner="b", now=NOW + 89, until=NOW + 180, wake_at=0.0) is None
    later = store.begin_slice(made, run=1, owner="b", now=NOW + 91, until=NOW + 180, wake_at=0.0)
    assert later is not None
    assert later.started_at == NOW
    assert store.checkpoint(taken, owner="a", until=NOW + 99, wake_at=0.0) is None
    assert store.end_slice(taken, owner="a", state=State.DONE, now=NOW, wake_at=0.0) is None


def test_progress_is_kept(store: JobStore) -> None:
    """Counts, place, pace, hosts and notes."""
    taken = begun(store, store.create(job(), ROWS))
    tally = Tally(3, 2, {"invalid_row": 2})
    more = replace(taken, cursor=4, before=Tally(2, 1), seen=tally, pace=2.5, busiest=7, host_left=3)
    more = replace(more, closed={"h": NOW + 60}, notes={"pages": 3})
    kept = store.checkpoint(more, owner="a", until=NOW + 90, wake_at=NOW + 100)
    assert kept == store.get("acme", "job_1") == more


def test_who_pauses_a_job_is_obeyed(store: JobStore) -> None:
    """The slice sees it when it saves, and cannot write another state over it."""
    taken = begun(store, store.create(job(), ROWS))
    paused = store.change_state(taken, State.PAUSED, seen=[State.RUNNING, State.WAITING], now=NOW, reason="by_request")
    assert paused is not None
    kept = store.checkpoint(replace(taken, cursor=2), owner="a", until=NOW + 90, wake_at=NOW)
    assert kept is not None
    assert (kept.state, kept.reason, kept.cursor) == (State.PAUSED, "by_request", 2)
    left = store.end_slice(kept, owner="a", state=State.DONE, now=NOW, wake_at=NOW)
    assert left is not None
    assert (left.state, left.lease_until, left.finished_at) == (State.PAUSED, 0, None)
    resumed = store.change_state(left, State.WAITING, seen=[State.PAUSED], now=NOW)
    assert resumed is not None
    assert (resumed.state, resumed.reason, resumed.run) == (State.WAITING, None, 2)
    assert store.change_state(resumed, State.WAITING, seen=[State.PAUSED], now=NOW) is None


def test_a_job_ends_once(store: JobStore) -> None:
    """With the moment; an ended one is cancelled no more."""
    taken = begun(store, store.create(job(), ROWS))
    done = store.end_slice(taken, owner="a", state=State.DONE, now=NOW + 5, wake_at=NOW)
    assert done is not None
    assert (done.state, done.finished_at) == (State.DONE, NOW + 5)
    assert store.change_state(done, State.CANCELLED, seen=[State.RUNNING], now=NOW) is None
    assert store.begin_slice(done, run=1, owner="b", now=NOW + 91, until=NOW + 99, wake_at=0.0) is None


def test_a_paused_job_begins_again_at_its_time(store: JobStore) -> None:
    """If it has one."""
    taken = begun(store, store.create(job(), ROWS))
    store.end_slice(taken, owner="a", state=State.PAUSED, now=NOW, wake_at=NOW, reason="r", not_before=NOW + 60)
    paused = store.get("acme", "job_1")
    assert paused is not None
    assert paused.resumes_by_itself
    assert store.begin_slice(paused, run=1, owner="b", now=NOW + 59, until=NOW + 99, wake_at=0.0) is None
    on = store.begin_slice(paused, run=1, owner="b", now=NOW + 60, until=NOW + 99, wake_at=0.0)
    assert on is not None
    assert (on.state, on.reason, on.not_before) == (State.RUNNING, None, 0)


def test_a_row_is_claimed_by_one(store: JobStore) -> None:
    """Who read it before somebody else claimed it gets nothing, and cannot finish it."""
    made = store.create(job(), ROWS)
    row = ROWS[0]
    first = store.claim(made, row, now=NOW)
    assert first is not None
    assert (first.state, first.tries, first.first_sent) == (RowState.SENT, 1, NOW)
    assert store.claim(made, row, now=NOW) is None
    second = store.claim(made, first, now=NOW + 100)
    assert second is not None
    assert (second.tries, second.first_sent) == (2, NOW)
    assert not store.finish(made, replace(first, state=RowState.SUCCEEDED))
    finished = replace(second, state=RowState.SUCCEEDED, status=201, ids={"id": "1"})
    assert store.finish(made, finished)
    assert not store.finish(made, replace(finished, state=RowState.FAILED))
    assert store.claim(made, finished, now=NOW) is None
    assert store.rows(made)[0] == finished


def test_a_row_that_failed_says_why(store: JobStore) -> None:
    """Status, Zoom's code, kind and message."""
    made = store.create(job(), ROWS)
    failed = replace(
        ROWS[1], state=RowState.FAILED, status=404, code=1001, kind="user_unknown", message="No such user."
    )
    assert store.finish(made, failed)
    assert store.rows(made)[1] == failed


@pytest.mark.parametrize("sent", [True, False])
def test_a_row_is_put_off(store: JobStore, sent: bool) -> None:  # noqa: FBT001 - a parameter of a test
    """Whether something may have been made for it stays known."""
    made = store.create(job(), ROWS)
    claimed = store.claim(made, ROWS[0], now=NOW)
    assert claimed is not None
    assert store.put_off(made, claimed, until=NOW + 60, sent=sent)
    row = store.rows(made)[0]
    assert (row.due, row.tries, row.first_sent) == (NOW + 60, 1, NOW if sent else None)
    assert row.state is (RowState.SENT if sent else RowState.WAITING)
    assert not store.put_off(made, replace(claimed, tries=5), until=NOW, sent=sent)


def test_runs_are_numbered_by_one(store: JobStore) -> None:
    """Two watches that see the same job start one execution."""
    made = store.create(job(), ROWS)
    following = store.begin_run(made, wake_at=NOW + 9)
    assert following is not None
    assert (following.run, following.wake_at) == (2, NOW + 9)
    assert store.begin_run(made, wake_at=NOW + 9) is None


def test_the_rows_of_a_file_are_counted_by_its_slice(store: JobStore) -> None:
    """Only the slice that has the lease can store the number of rows."""
    made = store.create(job(rows=None, request={"file": {}}))
    taken = begun(store, made)
    store.put_rows(taken, ROWS)
    assert store.counted(taken, rows=2, owner="b") is None
    counted = store.counted(taken, rows=2, owner="a")
    assert counted is not None
    assert counted.rows == 2


def test_active_jobs_are_found(store: JobStore) -> None:
    """Of all tenants, until they are forgotten; a resumed one is found again."""
    made = store.create(job(), ROWS)
    store.create(job(2, tenant="other"))
    assert set(store.active()) == {("acme", "job_1"), ("other", "job_2")}
    store.forget_active("acme", "job_1")
    assert store.active() == [("other", "job_2")]
    paused = store.change_state(made, State.PAUSED, seen=[State.WAITING], now=NOW)
    assert paused is not None
    store.change_state(paused, State.WAITING, seen=[State.PAUSED], now=NOW)
    assert ("acme", "job_1") in store.active()


def test_without_dynamodb_nothing_is_known() -> None:
    """Every method raises Unavailable with the reason of jobs."""
    with pytest.raises(Unavailable) as away:
        factories.jobs(factories.away()).get("acme", "job_1")
    assert away.value.reason == "job_store_unavailable"
