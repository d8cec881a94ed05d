"""`backfill`: what Zoom reports of a span, told once, within its part of the day's calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from tests.fakes.events import APP, Clock
from tests.fakes.gateway import NOW
from tests.fakes.jobs import JobWorld, said
from tests.fakes.reconciling import Lines, Room, Seen
from zoom_common.connections.model import Kind
from zoom_common.errors import FieldError
from zoom_common.events.reconciliation.settlement import SettledPublisher
from zoom_common.events.webhook.message import Delivery
from zoom_common.jobs import backfill
from zoom_common.jobs.backfill import NAME, Backfill, check_options, windows
from zoom_common.jobs.model import Job, RowState, State, forecast
from zoom_common.zoom.http import HttpRequest, HttpResponse

TODAY = datetime.fromtimestamp(NOW, UTC).date()
FIRST = TODAY - timedelta(days=90)


class Past:
    """An account in which each of `users` held one meeting on each of `days`, with a recording."""

    def __init__(self, world: JobWorld, users: Sequence[str], days: Sequence[date]) -> None:
        self.world, self.days = world, days
        self.held = {f"{user}-{at}": (user, day) for user in users for at, day in enumerate(days)}
        self.users, self.inactive = list(users), ["gone"]
        self.heavy: dict[int, int] = {}
        self.sent: list[Delivery] = []
        self.room = Room(Clock(NOW), Seen(zoom_user_id=None))
        world.connected(connection_id="con_a", client_id=APP, zoom_account_id="acc-1", scopes=frozenset())
        world.zoom.answers["GET /"] = self.answer
        world.works[NAME] = self.work(self.send)

    def work(self, send: Callable[[Sequence[Delivery]], None]) -> Backfill:
        room = self.room
        return Backfill(
            projections=room.projections,
            lines=Lines(),
            hosts=room.hosts,
            publisher=SettledPublisher(room.log, room.settled.publish, room.clock),
            send=send,
            rules=self.world.rules,
        )

    def send(self, deliveries: Sequence[Delivery]) -> None:
        self.sent += deliveries
        self.room.send(deliveries)

    def answer(self, request: HttpRequest) -> HttpResponse:
        parts = urlsplit(request.url)
        path, query = unquote(unquote(parts.path.removeprefix("/v2/"))), parse_qs(parts.query)
        if path.startswith("report/"):
            day = int(self.world.time.now() // 86_400)
            self.heavy[day] = self.heavy.get(day, 0) + 1
        found = self.found(path.split("/"), query)
        return said(404, code=3001, message="There is nothing.") if found is None else said(200, **found)

    def found(self, path: list[str], query: dict[str, list[str]]) -> dict[str, Any] | None:
        match path:
            case ["users"]:
                return {"users": [{"id": e} for e in (self.users if query["status"] == ["active"] else self.inactive)]}
            case ["report", "users", user, "meetings"]:
                past = self.of(user, query) if query["type"] == ["past"] else []
                return {"meetings": [self.about(uuid) for uuid in past]}
            case ["users", user, "recordings"]:
                return {"meetings": [self.recording(uuid) for uuid in self.of(user, query)]}
            case ["meetings", uuid, "recordings"]:
                return self.recording(uuid)
            case _:
                return self.past(path)

    def past(self, path: list[str]) -> dict[str, Any] | None:
        match path:
            case ["past_meetings", number, "instances"]:
                held = [each for each in self.held if self.number(each) == int(number)]
                return {"meetings": [{"uuid": each, "start_time": self.start(each)} for each in held]}
            case ["past_meetings", uuid]:
                return self.about(uuid)
            case [*_, uuid, "participants"]:
                row = {"user_id": "16778240", "id": "p", "name": "P", "user_email": "", "status": "in_meeting"}
                return {"participants": [{**row, "join_time": self.start(uuid), "leave_time": self.end(uuid)}]}
            case _:
                return None

    def of(self, user: str, query: dict[str, list[str]]) -> list[str]:
        first, last = date.fromisoformat(query["from"][0]), date.fromisoformat(query["to"][0])
        assert (last - first).days <= 31, "Zoom takes a month at most"
        return [uuid for uuid, (host, day) in self.held.items() if host == user and first <= day <= last]

    def number(self, uuid: str) -> int:
        return 85_000_000_000 + list(self.held).index(uuid)

    def start(self, uuid: str) -> str:
        return f"{self.held[uuid][1].isoformat()}T09:00:00Z"

    def end(self, uuid: str) -> str:
        return f"{self.held[uuid][1].isoformat()}T09:30:00Z"

    def about(self, uuid: str) -> dict[str, Any]:
        about = {"uuid": uuid, "id": self.number(uuid), "host_id": self.held[uuid][0], "topic": "T", "type": 2}
        return {**about, "start_time": self.start(uuid), "end_time": self.end(uuid)}

    def recording(self, uuid: str) -> dict[str, Any]:
        file = {"id": f"f-{uuid}", "recording_start": self.start(uuid), "recording_end": self.end(uuid)}
        return {**self.about(uuid), "recording_files": [{**file, "file_type": "MP4", "status": "completed"}]}


def make(world: JobWorld, **more: Any) -> Job:
    world.names += 1
    request = {"from": FIRST.isoformat(), "to": TODAY.isoformat(), "connection": "con_a", **more}
    job = world.make([], operation=NAME, **request)
    empty = world.store._table
    empty.update(f"acme#job#{job.job_id}", "job", "REMOVE #rows", condition="#rows = :zero", values={"zero": 0})
    return job


def account() -> JobWorld:
    return JobWorld(kind=Kind.ACCOUNT, slice_seconds=60.0, lease_seconds=100.0)


def test_what_nobody_has_told_is_told_once() -> None:
    """Of all users and the whole span, marked as reconciled; a second run sends nothing."""
    world = account()
    past = Past(world, ["ada", "bob"], [TODAY - timedelta(days=at) for at in (80, 40, 29, 28, 1)])
    done = world.run_to_end(make(world))
    assert (done.state, done.seen.failed, done.rows) == (State.DONE, 0, 2 * 4)
    told = [each.body.decode() for each in past.sent]
    for uuid in past.held:
        of_one = [each for each in told if f'"{uuid}"' in each]
        assert len(of_one) == len(set(of_one)) == 5, uuid  # started, joined, left, ended, recorded
    assert all(each.reconciled and each.received_at_ms >= NOW * 1000 for each in past.sent)
    past.sent.clear()
    again = world.run_to_end(make(world))
    assert (again.state, past.sent) == (State.DONE, [])


def test_some_users_and_those_who_are_deactivated() -> None:
    """A list is taken as it is; deactivated users are there on demand."""
    world = account()
    Past(world, ["ada", "bob"], [])
    listed = make(world, users=["ada"])
    world.run_to_end(listed)
    assert {row.values["user"] for row in world.ledger(listed) if row.values} == {"ada"}
    everybody = make(world, deactivated=True)
    world.run_to_end(everybody)
    assert {row.values["user"] for row in world.ledger(everybody) if row.values} == {"ada", "bob", "gone"}


def test_a_crash_tells_nothing_twice() -> None:
    """A row that was under way is compared again, and what it had sent has the same natural keys."""
    world = account()
    past = Past(world, ["ada"], [TODAY - timedelta(days=at) for at in (80, 40)])
    sent = 0

    def send(deliveries: Sequence[Delivery]) -> None:
        nonlocal sent
        past.send(deliveries)
        sent += 1
        if sent == 1:
            world.dynamodb.crash_in = 0

    world.works[NAME] = past.work(send)
    done = world.run_to_end(make(world))
    assert done.state is State.DONE
    told = [each.body for each in past.sent]
    assert len(set(told)) == 2 * 5
    assert len(past.room.bus.events) == 2 * 5


def test_a_backfill_takes_its_part_of_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left waits for 00:00 UTC, and the forecast knows the days. The part is a fifth; here it is 12 calls."""
    assert backfill.PART_OF_DAY == 0.2
    monkeypatch.setattr(backfill, "PART_OF_DAY", 12.5 / (30_000 * 0.9))
    world = account()
    past = Past(world, [f"u{at}" for at in range(5)], [TODAY - timedelta(days=40)])
    job = make(world)
    forecasts = []
    while world.job(job).state is not State.DONE:
        world.step()
        found = world.job(job)
        expected = forecast(found, None, now=world.time.now())
        if found.reason is not None and expected is not None and expected.done_at is not None:
            assert (found.state, found.reason) == (State.WAITING, "backfill_budget")
            forecasts.append(expected.done_at)
    done = world.job(job)
    assert max(past.heavy.values()) <= 12
    assert len(past.heavy) > 3
    assert done.finished_at is not None
    assert len(forecasts) >= 3
    for at in forecasts[1:]:
        assert abs(at - done.finished_at) <= 86_400


def test_a_page_that_failed_does_not_mean_that_something_is_gone() -> None:
    """The row waits and is compared again; nothing is finished on half an answer."""
    world = account()
    past = Past(world, ["ada"], [TODAY - timedelta(days=40)])
    failures = 6

    def answer(request: HttpRequest) -> HttpResponse:
        nonlocal failures
        if "recordings" in request.url and failures:
            failures -= 1
            return said(500, code=500, message="Later.")
        return past.answer(request)

    world.zoom.answers["GET /"] = answer
    job = make(world)
    done = world.run_to_end(job)
    assert (done.state, failures) == (State.DONE, 0)
    assert {row.state for row in world.ledger(job)} == {RowState.SUCCEEDED}
    assert len(past.sent) == 5


def test_a_dry_run_plans_and_compares_nothing() -> None:
    """The rows are there, and no meeting is asked for."""
    world = account()
    past = Past(world, ["ada"], [TODAY - timedelta(days=40)])
    done = world.run_to_end(make(world, dry_run=True))
    assert (done.seen.succeeded, past.sent, past.heavy) == (4, [], {})


def test_a_connection_that_may_not_see_the_users_fails_the_job() -> None:
    """It says what is missing."""
    world = account()
    Past(world, [], [])
    world.zoom.answers["GET /"] = lambda _: said(400, code=4711, message="Invalid access token.")
    failed = world.run_to_end(make(world))
    assert (failed.state, failed.reason) == (State.FAILED, "missing_scopes")


def test_windows_are_four_weeks_without_a_gap() -> None:
    """Both ends included."""
    found = list(windows(date(2026, 1, 1), date(2026, 3, 1)))
    assert found == [
        (date(2026, 1, 1), date(2026, 1, 28)),
        (date(2026, 1, 29), date(2026, 2, 25)),
        (date(2026, 2, 26), date(2026, 3, 1)),
    ]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "from"),
        ({"from": "2026-13-01"}, "from"),
        ({"from": "2026-01-01", "to": "yesterday"}, "to"),
        ({"from": "2026-02-01", "to": "2026-01-01"}, "to"),
        ({"from": "2020-01-01", "to": "2026-01-01"}, "to"),
        ({"from": "2026-01-01", "to": "2026-02-01", "users": "ada"}, "users"),
        ({"from": "2026-01-01", "to": "2026-02-01", "users": [""]}, "users"),
        ({"from": "2026-01-01", "to": "2026-02-01", "deactivated": 1}, "deactivated"),
    ],
)
def test_its_options_are_checked(body: dict[str, Any], field: str) -> None:
    """A span of at most 400 days, and users by id."""
    wrong: list[FieldError] = []
    check_options(body, wrong, today=date(2026, 11, 30))
    assert [each.field for each in wrong] == [field]
