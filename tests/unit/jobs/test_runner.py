"""Jobs from first to last slice, over the real gateway, rate limiter and idempotency records."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from ops.cost import PRICES
from tests.fakes import tables
from tests.fakes.gateway import NOW
from tests.fakes.jobs import JobWorld, said
from zoom_common.access.principal import Principal
from zoom_common.aws.table import Table
from zoom_common.connections.model import Connection, Kind
from zoom_common.erasure_target import ErasureTarget
from zoom_common.errors import Conflict, ConnectionUnusable
from zoom_common.jobs import runner as engine
from zoom_common.jobs.model import LANES, RowState, State
from zoom_common.jobs.store import JobStore
from zoom_common.ratelimit.limiter import Cost, RateLimiter
from zoom_common.ratelimit.quotas import DailyCalls, DailyStore
from zoom_common.ratelimit.slots import SlotStore
from zoom_common.zoom.operations.model import RateLabel

MIDNIGHT = (int(NOW) // 86_400 + 1) * 86_400


def topics(count: int, hosts: int = 20) -> list[dict[str, Any]]:
    """Rows that make meetings of different names, of many hosts."""
    return [{"topic": f"Row {at}", "type": 2, "userId": f"host{at % hosts}@acme.example"} for at in range(count)]


def test_every_row_makes_one_meeting() -> None:
    """Its id and join link are in the ledger, and no link that makes somebody the host."""
    world = JobWorld()
    job = world.make(topics(40))
    done = world.run_to_end(job)
    assert (done.state, done.seen.succeeded, done.seen.failed, done.left) == (State.DONE, 40, 0, 0)
    assert len(world.zoom.meetings) == 40
    row = world.ledger(job)[0]
    assert (row.state, row.status, set(row.ids)) == (RowState.SUCCEEDED, 201, {"id", "uuid", "join_url"})


def test_a_row_without_a_user_is_the_connections_own() -> None:
    """A topic is enough for a user-level connection."""
    world = JobWorld()
    world.run_to_end(world.make([{"topic": "Standup"}]))
    (made,) = world.zoom.meetings.values()
    assert (made["topic"], made["host_id"]) == ("Standup", "me")


def test_a_row_that_zoom_would_refuse_fails_alone() -> None:
    """Its column and the fix are named, no call is made for it, and all other rows are done."""
    world = JobWorld()
    job = world.make([{"topic": "A", "duration": "long"}, {"topic": "B"}])
    done = world.run_to_end(job)
    assert (done.seen.succeeded, done.seen.failed, done.seen.errors) == (1, 1, {"invalid_row": 1})
    first = world.ledger(job)[0]
    assert first.message == "Row 1, column duration: Must be a whole number."
    assert len(world.zoom.meetings) == 1


def test_a_dry_run_checks_every_row_and_calls_nobody() -> None:
    """Rows succeed or fail as they would, and Zoom hears nothing."""
    world = JobWorld()
    done = world.run_to_end(world.make([{"topic": "A"}, {"topic": "B", "type": 17}], dry_run=True))
    assert (done.state, done.seen.succeeded, done.seen.failed) == (State.DONE, 1, 1)
    assert not world.zoom.requests


def test_what_zoom_refuses_is_in_the_ledger_with_zooms_code() -> None:
    """Status, code and message, and the job goes on."""
    world = JobWorld()
    world.zoom.answers["POST /users/gone/"] = lambda _: said(404, code=1001, message="User does not exist: gone.")
    job = world.make([{"topic": "A", "userId": "gone"}, {"topic": "B"}])
    done = world.run_to_end(job)
    row = world.ledger(job)[0]
    assert (row.state, row.status, row.code, row.message) == (RowState.FAILED, 404, 1001, "User does not exist: gone.")
    assert (done.seen.succeeded, done.seen.failed) == (1, 1)


@pytest.mark.parametrize("fault", ["lost", "never_sent", "crash_before", "crash_after"])
def test_a_fault_at_a_create_makes_nothing_twice(fault: str) -> None:
    """Whether the meeting was made or not: in the end there is one for each row."""
    world = JobWorld()
    world.zoom.faults.extend(["", fault])
    job = world.make(topics(5))
    done = world.run_to_end(job)
    assert (done.seen.succeeded, done.seen.failed) == (5, 0)
    assert sorted(each["topic"] for each in world.zoom.meetings.values()) == [f"Row {at}" for at in range(5)]


def test_after_a_day_the_ledger_looks_before_it_creates_again() -> None:
    """The record of the gateway is gone by then; the meeting is found at Zoom and taken over."""
    world = JobWorld()
    job = world.make(topics(3))
    world.engine_loses = 1.0  # and the state machine dies with the function
    world.zoom.faults.extend(["", "crash_after"])
    world.step()
    world.engine_loses = 0.0
    world.time.passed += 2 * 86_400
    for item in list(world.dynamodb.tables["coordination"].items()):
        world.dynamodb.client().delete_item(TableName="coordination", Key={name: item[name] for name in ("pk", "sk")})
    done = world.run_to_end(job)
    assert (done.seen.succeeded, done.seen.failed, len(world.zoom.meetings)) == (3, 0, 3)
    assert len({row.ids["id"] for row in world.ledger(job)}) == 3


def test_two_rows_alike_are_two_meetings_also_after_a_lost_answer() -> None:
    """A meeting that one row is known to have made is not taken over by its twin."""
    world = JobWorld()
    world.zoom.faults.extend(["", "lost", "lost"])
    job = world.make([{"topic": "Same", "userId": "a@acme.example"}] * 3)
    world.run_to_end(job)
    made = [row.ids.get("id") for row in world.ledger(job) if row.state is RowState.SUCCEEDED]
    assert len(made) == len(set(made))
    assert len(world.zoom.meetings) <= 3


def test_a_create_that_is_never_listed_is_not_sent_again() -> None:
    """An instant meeting whose answer was lost: the row fails, and its message says to look at Zoom."""
    world = JobWorld()
    world.zoom.faults.append("lost")
    job = world.make([{"topic": "Now", "type": 1}])
    done = world.run_to_end(job)
    assert done.seen.errors == {"outcome_unknown": 1}
    assert len(world.zoom.meetings) == 1


def test_a_delete_that_was_repeated_has_succeeded() -> None:
    """Zoom says 404 the second time, because the first one had arrived."""
    world = JobWorld()
    made = world.make(topics(1))
    world.run_to_end(made)
    number = world.ledger(made)[0].ids["id"]
    job = world.make([{"meetingId": number}], operation="meetings.delete")
    world.dynamodb.crash_in = 9
    done = world.run_to_end(job)
    assert (done.seen.succeeded, world.zoom.meetings) == (1, {})


def test_a_hundred_a_day_and_the_rest_after_midnight() -> None:
    """260 creates of one host: 100 today, 100 tomorrow, 60 the day after, and Zoom never has to refuse one."""
    world = JobWorld()
    world.time.passed = MIDNIGHT - NOW - 3 * 3600
    job = world.make([{"topic": f"Row {at}", "userId": "h@acme.example"} for at in range(260)])
    states = set()
    while world.job(job).state is not State.DONE:
        world.step()
        found = world.job(job)
        states.add((found.state, found.reason))
    days: dict[int, int] = {}
    for each in world.zoom.meetings.values():
        day = each["created_at"][:10]
        days[day] = days.get(day, 0) + 1
    assert list(days.values()) == [100, 100, 60]
    assert not world.zoom.refusals
    assert (State.WAITING, "user_daily_limit") in states
    assert world.job(job).seen.succeeded == 260


def test_hosts_with_room_do_not_wait_for_one_without() -> None:
    """The busy host's rows wait for tomorrow, and all other rows are done today."""
    world = JobWorld()
    rows = [{"topic": f"Row {at}", "userId": "busy@acme.example"} for at in range(130)]
    job = world.make(rows + topics(30))
    today = world.time.now() // 86_400
    while world.job(job).state not in {State.WAITING, State.DONE} or not world.zoom.meetings:
        world.step()
    assert world.job(job).seen.succeeded == 130
    assert world.time.now() // 86_400 == today
    assert world.run_to_end(job).seen.succeeded == 160
    assert not world.zoom.refusals


def test_a_lost_connection_pauses_the_job_and_says_so() -> None:
    """Nothing is sent any more; after it is connected again and resumed, the job goes on where it was."""
    world = JobWorld()
    job = world.make(topics(30))
    world.slices["slice_seconds"] = 1.0
    world.step()
    usable = world.connection
    world.connection = ConnectionUnusable("reauthorization_required", reason="reauthorization_required")
    paused = world.run_to_end(job)
    assert (paused.state, paused.reason) == (State.PAUSED, "connection_lost")
    assert 0 < paused.seen.succeeded < 30
    world.connection = usable
    resumed = world.store.change_state(paused, State.WAITING, seen=[State.PAUSED], now=world.time.now())
    assert resumed is not None
    world.start(resumed)
    assert world.run_to_end(job).seen.succeeded == 30
    assert len(world.zoom.meetings) == 30


def test_a_token_that_zoom_refuses_pauses_the_job() -> None:
    """A refused token pauses the job like a lost connection."""
    world = JobWorld()
    world.zoom.revoked = True
    paused = world.run_to_end(world.make(topics(3)))
    assert (paused.state, paused.reason, paused.left) == (State.PAUSED, "connection_lost", 3)


def test_no_connection_at_all_pauses_the_job() -> None:
    """So does one that is ambiguous: a person has to decide."""
    world = JobWorld()
    world.connection = Conflict("No Zoom account is connected.", reason="no_connection")
    paused = world.run_to_end(world.make(topics(3)))
    assert (paused.state, paused.reason) == (State.PAUSED, "connection_lost")


def test_a_revoked_key_pauses_the_job() -> None:
    """Before the next slice, and within a minute in one that is under way."""
    world = JobWorld()
    world.key_refusal = "key_revoked"
    paused = world.run_to_end(world.make(topics(3)))
    assert (paused.state, paused.reason, dict(world.zoom.requests)) == (State.PAUSED, "key_revoked", {})


def test_an_account_that_is_closed_for_the_day_pauses_the_job_until_it_opens() -> None:
    """The job says why and until when, and goes on by itself."""
    world = JobWorld(kind=Kind.ACCOUNT)
    world.zoom.closed_until = world.time.now() + 20_000
    job = world.make(topics(5))
    while world.job(job).state is not State.PAUSED:
        world.step()
    paused = world.job(job)
    assert paused.reason == "account_closed_for_the_day"
    assert paused.not_before == pytest.approx(world.zoom.closed_until, abs=2)
    assert world.zoom.refusals["daily"] <= 2
    assert world.run_to_end(job).seen.succeeded == 5


def test_who_pauses_a_job_stops_it_within_a_chunk() -> None:
    """The slice sees it at its next checkpoint, gives the job back, and no row is lost."""
    world = JobWorld()
    job = world.make(topics(50))
    sent = 0

    def pause(_: Any) -> None:
        nonlocal sent
        sent += 1
        if sent == 15:
            world.store.change_state(world.job(job), State.PAUSED, seen=[State.RUNNING], now=0.0, reason="by_request")

    world.zoom.answers["POST /users"] = pause
    paused = world.run_to_end(job)
    assert (paused.state, paused.reason, paused.lease_until) == (State.PAUSED, "by_request", 0)
    assert paused.seen.succeeded == len(world.zoom.meetings) == 20


def test_a_cancelled_job_stays_cancelled() -> None:
    """What was made stays made, and nothing more is sent."""
    world = JobWorld()
    job = world.make(topics(5))
    world.store.change_state(world.job(job), State.CANCELLED, seen=[State.WAITING], now=world.time.now())
    world.step()
    assert (world.job(job).state, dict(world.zoom.requests)) == (State.CANCELLED, {})


def test_a_second_slice_at_the_same_time_waits() -> None:
    """The first one has the job; a repetition of it comes back when its lease ends."""
    world = JobWorld()
    job = world.make(topics(12))
    steps = []
    world.zoom.answers["POST /users"] = lambda _: steps.append(world.runner().run("acme", job.job_id, 1))
    world.run_to_end(job)
    assert {each.next for each in steps} == {engine.WAIT}
    assert len(world.zoom.meetings) == 12


def test_an_execution_of_an_older_run_stops() -> None:
    """So there is never more than one execution that works."""
    world = JobWorld()
    job = world.make(topics(3))
    world.store.begin_run(world.job(job), wake_at=0.0)
    assert world.runner().run("acme", job.job_id, 1) == engine.Step(engine.END)
    assert world.runner().run("acme", job.job_id, 2) == engine.Step(engine.END)  # it has done all three rows
    assert len(world.zoom.meetings) == 3


def test_a_dead_execution_is_noticed_and_another_one_goes_on() -> None:
    """The watch looks for jobs whose sign of life is overdue."""
    world = JobWorld()
    job = world.make(topics(3))
    world.waiting.clear()
    assert engine.revive(world.store, world.start, now=world.time.now() - 1) == 0
    assert world.run_to_end(job).run == 2
    assert world.started == [(job.job_id, 1), (job.job_id, 2)]


def test_a_long_job_changes_its_execution(monkeypatch: pytest.MonkeyPatch) -> None:
    """Step Functions keeps a limited history of each."""
    monkeypatch.setattr(engine, "MOST_SLICES", 3)
    world = JobWorld(slice_seconds=0.3)
    job = world.make(topics(60))
    done = world.run_to_end(job)
    assert done.seen.succeeded == len(world.zoom.meetings) == 60
    assert done.run > 1


def test_a_row_that_is_erased_meanwhile_is_left_out() -> None:
    """It counts as failed, so that the job's numbers add up."""
    world = JobWorld()
    job = world.make([{"topic": "A"}, {"topic": "B", "schedule_for": "ada@acme.example"}])
    target = ErasureTarget.person("acme", email="ada@acme.example")
    table = world.dynamodb.tables["events"]
    for item in list(table.items()):
        plain = {name: next(iter(value.values())) for name, value in item.items()}
        if JobStore.erases(plain, target):
            table.store((plain["pk"], plain["sk"]), None)
    done = world.run_to_end(job)
    assert (done.seen.succeeded, done.seen.errors, done.left) == (1, {"erased": 1}, 0)


def test_a_connection_for_each_row() -> None:
    """A rule names the column, and what each of its values means."""
    world = JobWorld()
    asked: list[str | None] = []
    select = world._select

    def noting(principal: Principal, requested: str | None) -> Connection:
        asked.append(requested)
        return select(principal, requested)

    world._select = noting  # type: ignore[method-assign]
    rule = {"column": "team", "values": {"Sales": "con_1", "HR": "con_2"}}
    mapping = {"columns": {"title": "topic"}}
    rows = [{"title": "A", "team": "Sales"}, {"title": "B", "team": "HR"}, {"title": "C", "team": "?"}]
    done = world.run_to_end(world.make(rows, connection=rule, mapping=mapping))
    assert asked == ["con_1", "con_2"]
    assert done.seen.errors == {"invalid_row": 1}


def test_a_row_that_breaks_our_code_fails_alone() -> None:
    """Before it was sent it is a fault of ours; after that nobody knows what became of it."""
    world = JobWorld()

    def break_down(_: Any) -> None:
        raise RuntimeError

    world.zoom.answers["POST /users/bad/"] = break_down
    job = world.make([{"topic": "A", "userId": "bad"}, {"topic": "B"}])
    done = world.run_to_end(job)
    assert (done.seen.succeeded, done.seen.errors) == (1, {"outcome_unknown": 1})

    def broken_select(*_: object) -> Connection:
        raise RuntimeError

    world._select = broken_select  # type: ignore[assignment,method-assign]
    broken = world.run_to_end(world.make([{"topic": "A"}], connection="con_1"))
    assert broken.seen.errors == {"internal_error": 1}


def test_a_file_becomes_rows_and_goes() -> None:
    """The job waits for it; rows that cannot be read fail with what is wrong."""
    world = JobWorld()
    job = world.make(None, mapping={"columns": {"Thema": "topic"}})
    world.step()
    assert (world.job(job).state, world.job(job).reason) == (State.WAITING, "waiting_for_file")
    world.files[job.job_id] = b"Thema;x\nA;1\nA;1\nB;2;3\n"
    done = world.run_to_end(job)
    assert (done.rows, done.seen.succeeded) == (3, 1)
    assert done.seen.errors == {"duplicate_row": 1, "too_many_cells": 1}
    assert world.files == {}


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "file_missing"), (b"topic\n", "file_empty"), (b"PK\x03\x04" + bytes(99), "file_unreadable")],
)
def test_a_file_that_is_no_use_fails_the_job(content: bytes | None, reason: str) -> None:
    """One that does not come within an hour too; the job says what to do."""
    world = JobWorld()
    job = world.make(None)
    if content is not None:
        world.files[job.job_id] = content
    failed = world.run_to_end(job)
    assert (failed.state, failed.reason) == (State.FAILED, reason)
    assert failed.notes["failure"]


def test_a_file_that_a_crash_interrupts_is_read_again() -> None:
    """From its start, because no row has been worked on."""
    world = JobWorld()
    job = world.make(None)
    world.files[job.job_id] = b"topic\n" + b"".join(b"Row %d\n" % at for at in range(90))
    world.dynamodb.crash_in = 4
    done = world.run_to_end(job)
    assert (done.rows, done.seen.succeeded, len(world.zoom.meetings)) == (90, 90, 90)


def test_a_delete_of_what_was_never_there_has_failed() -> None:
    """Also when it had to wait for a slot before: nothing of it had been sent."""
    world = JobWorld()
    job = world.make([{"meetingId": 81234567890}], operation="meetings.delete")
    (row,) = world.ledger(job)
    claimed = world.store.claim(job, row, now=world.time.now())
    assert claimed is not None
    world.store.put_off(job, claimed, until=0.0, sent=False)
    done = world.run_to_end(job)
    assert (done.seen.succeeded, done.seen.failed) == (0, 1)
    assert world.ledger(job)[0].code == 3001


@pytest.mark.parametrize("lanes", [1, LANES])
def test_interactive_calls_do_not_wait_for_a_job(lanes: int) -> None:
    """Meanwhile each of them has a slot at once, from the part of the budget that is reserved for them."""
    world = JobWorld(lanes=lanes)
    world.zoom.latency = 0.0  # so that the job takes every slot it can get
    waits: list[float] = []
    shared = Table(world.client(), tables.COORDINATION)
    limiter = RateLimiter(
        slots=SlotStore(shared), daily=DailyCalls(DailyStore(shared)), rules=world.rules, clock=world.time.now
    )
    person = Cost(account="zoom-account-1", label=RateLabel.LIGHT, interactive=True)
    asked_at = 0.0

    def ask(_: Any) -> None:
        nonlocal asked_at
        if world.time.now() - asked_at >= 1.0:
            asked_at = world.time.now()
            waits.append(limiter.reserve(person, world.time.deadline()).wait)

    world.zoom.answers["POST /users"] = ask
    world.run_to_end(world.make(topics(200, hosts=40)))
    assert len(waits) > 3
    assert max(waits) <= 0.020


def test_rows_go_out_at_once() -> None:
    """Zoom takes 0.3 s for each: eight lanes are almost eight times as fast, and keep to the background's budget."""
    took = {}
    for lanes in (1, LANES):
        world = JobWorld(lanes=lanes)
        world.zoom.latency = 0.3
        began = world.time.now()
        done = world.run_to_end(world.make(topics(200, hosts=40)))
        assert (done.seen.succeeded, world.zoom.refusals) == (200, Counter())
        took[lanes] = world.time.now() - began
    assert took[LANES] < took[1] / 5


def test_a_host_keeps_to_one_lane() -> None:
    """Its 101st create is not sent, although seven other lanes are free."""
    world = JobWorld(lanes=LANES)
    world.time.passed = 7_200 - NOW % 86_400
    job = world.make(topics(130, hosts=1))
    while world.job(job).reason is None:
        world.step()
    assert world.job(job).reason == "user_daily_limit"
    assert (len(world.zoom.meetings), world.zoom.refusals) == (100, Counter())
    assert world.run_to_end(job).seen.succeeded == 130


def test_a_pause_stops_every_lane() -> None:
    """What one lane learns keeps the others from sending more: each has at most one row under way."""
    world = JobWorld(lanes=LANES)
    world.zoom.revoked = True
    paused = world.run_to_end(world.make(topics(100, hosts=40)))
    assert (paused.state, paused.reason) == (State.PAUSED, "connection_lost")
    assert sum(row.tries for row in world.ledger(paused)) <= LANES


def test_ten_thousand_rows_cost_five_cents_at_most() -> None:
    """By the requests of the ledger, the slices' time at 0.3 s a call, and the state machine's steps."""
    world = JobWorld(slice_seconds=240.0, lease_seconds=300.0)
    world.zoom.latency = 0.3
    asked: Counter[str] = Counter()
    found = world.dynamodb._table

    def count(request: dict[str, Any], operation: str) -> Any:
        asked[f"{request['TableName']} {operation}"] += 1
        return found(request, operation)

    world.dynamodb._table = count  # type: ignore[method-assign]
    rows, slices = 400, 0
    job = world.make(topics(rows, hosts=40))
    began = world.time.now()
    while world.job(job).state is not State.DONE:
        asked.subtract({"events GetItem": 1})  # the look of this test
        slices += 1
        world.step()
    writes = asked["events PutItem"] + asked["events UpdateItem"] + asked["events BatchWriteItem"]
    reads = asked["events GetItem"] + 10 * asked["events Query"]
    gigabyte_seconds = 0.5 * (world.time.now() - began)
    each = (
        writes * PRICES["dynamodb_write_million"] / 1e6
        + reads * PRICES["dynamodb_read_million"] / 1e6
        + gigabyte_seconds * PRICES["lambda_gb_second_arm64"]
        + 3
        * slices
        * 0.025
        / 1_000  # Step Functions Standard, a thousand steps: https://aws.amazon.com/step-functions/pricing/
    ) / rows
    assert each * 10_000 <= 0.05
