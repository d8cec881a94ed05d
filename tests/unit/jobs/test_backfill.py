"""`backfill`: what Zoom reports of a span, told once, within its part of the day's calls."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from tests.fakes import tables
from tests.fakes.events import APP, Clock
from tests.fakes.gateway import NOW
from tests.fakes.jobs import JobWorld, said
from tests.fakes.reconciling import Lines, Room, Seen
from tests.fakes.soak import SOAKING
from zoom_common.aws.table import Table
from zoom_common.connections.model import Connection, Kind
from zoom_common.errors import FieldError
from zoom_common.events.projections.reader import MeetingReader
from zoom_common.events.reconciliation.settlement import SettledPublisher
from zoom_common.events.reconciliation.zoom_reader import ZoomReader
from zoom_common.events.webhook.message import Delivery
from zoom_common.jobs import backfill
from zoom_common.jobs.backfill import NAME, Backfill, check_options, windows
from zoom_common.jobs.model import Job, RowState, State, forecast
from zoom_common.ratelimit.quotas import DailyStore
from zoom_common.zoom.http import HttpRequest, HttpResponse

TODAY = datetime.fromtimestamp(NOW, UTC).date()
FIRST = TODAY - timedelta(days=90)


class Past:
    """An account in which each of `users` held one meeting on each of `days`, with a recording."""

    def __init__(self, world: JobWorld, users: Sequence[str], days: Sequence[date]) -> None:
        self.world, self.days = world, days
        self.held = {f"{user}-{at}": (user, day) for user in users for at, day in enumerate(days)}
        self.numbers = {uuid: 85_000_000_000 + at for at, uuid in enumerate(self.held)}
        self.registered: dict[int, list[dict[str, Any]]] = {}
        self.trash: dict[str, list[str]] = {}
        self.archived: list[tuple[str, date, date]] = []
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
            days=DailyStore(Table(self.world.client(), tables.COORDINATION)),
            archive=self.archive,
        )

    def archive(self, _: Connection, reader: ZoomReader, user: str, since: date, until: date) -> int:
        assert reader.unseen == {}
        self.archived.append((user, since, until))
        return 1

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
            case ["users", user, "recordings"] if "trash" not in query:
                return {"meetings": [self.recording(uuid) for uuid in self.of(user, query)]}
            case ["meetings", uuid, "recordings"]:
                return self.recording(uuid)
            case _:
                return self.on_demand(path, query) or self.past(path)

    def on_demand(self, path: list[str], query: dict[str, list[str]]) -> dict[str, Any] | None:
        match path:
            case ["users", user, "recordings"]:
                return {"meetings": [self.recording(uuid) for uuid in self.trash.get(user, [])]}
            case ["users", user, "meetings"] if query["type"] == ["scheduled"]:
                planned = [uuid for uuid, (host, _) in self.held.items() if host == user]
                return {"meetings": [self.about(each) for each in planned if self.number(each) in self.registered]}
            case ["meetings", number] if int(number) in self.registered:
                about = {
                    "id": int(number),
                    "topic": "T",
                    "type": 2,
                    "host_id": "h",
                    "start_time": "2030-01-01T00:00:00Z",
                }
                return {**about, "settings": {"approval_type": 1}}
            case ["meetings", number, "registrants"]:
                listed = [each for each in self.registered[int(number)] if [each["status"]] == query["status"]]
                return {"registrants": listed}
            case _:
                return None

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
        return self.numbers[uuid]

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


def test_what_nobody_reported_is_reported_once() -> None:
    """Of all users and the whole span, marked as reconciled; a second run sends nothing."""
    world = account()
    past = Past(world, ["ada", "bob"], [TODAY - timedelta(days=at) for at in (80, 40, 29, 28, 1)])
    done = world.run_to_end(make(world))
    assert (done.state, done.seen.failed, done.rows) == (State.DONE, 0, 2 * (4 + 1))
    reported = [each.body.decode() for each in past.sent]
    for uuid in past.held:
        of_one = [each for each in reported if f'"{uuid}"' in each]
        assert len(of_one) == len(set(of_one)) == 5, uuid  # started, joined, left, ended, recorded
    assert all(each.reconciled and each.received_at_ms >= NOW * 1000 for each in past.sent)
    past.sent.clear()
    again = world.run_to_end(make(world))
    assert (again.state, past.sent) == (State.DONE, [])


def test_recordings_reach_the_archive_whatever_events_have_reported() -> None:
    """Each user's windows cover the span; a second backfill hands them over again, although no event is missing."""
    world = account()
    past = Past(world, ["ada"], [TODAY - timedelta(days=40)])
    spans = [("ada", first, last) for first, last in windows(FIRST, TODAY)]
    for _ in range(2):
        past.archived.clear()
        job = make(world)
        world.run_to_end(job)
        assert past.archived == spans
    assert "1 files are new in the archive" in str(world.ledger(job)[0].message)


def person(name: str, status: str) -> dict[str, Any]:
    created = f"{(TODAY - timedelta(days=60)).isoformat()}T08:00:00Z"
    return {"id": name, "email": f"{name}@example.com", "first_name": name, "status": status, "create_time": created}


def test_registrants_are_reported_once_and_nobody_as_gone() -> None:
    """Whoever is listed in whatever status; a changed status is told, and who left Zoom's list is not cancelled."""
    world = account()
    past = Past(world, ["ada"], [TODAY - timedelta(days=40)])
    number = past.number("ada-0")
    past.registered[number] = [person("r1", "approved"), person("r2", "pending"), person("r3", "denied")]
    job = make(world)
    world.run_to_end(job)
    assert names(past) == ["meeting.registration_created"] * 3
    assert "Registrants of 1: 3 events were missing." in str(world.ledger(job)[-1].message)
    assert statuses(past, number) == {"r1": "approved", "r2": "pending", "r3": "denied"}
    past.registered[number] = [person("r1", "approved"), person("r2", "approved")]
    world.run_to_end(make(world))
    assert names(past) == ["meeting.registration_approved"]
    assert statuses(past, number) == {"r1": "approved", "r2": "approved", "r3": "denied"}
    world.run_to_end(make(world))
    assert names(past) == []
    world.run_to_end(make(world, registrants=False))


def names(past: Past) -> list[str]:
    """What was sent about registrations and the trash since the last call."""
    found = [json.loads(each.body)["event"] for each in past.sent if each.reconciled]
    past.sent.clear()
    return [each for each in found if "registration" in each or "trashed" in each]


def statuses(past: Past, number: int) -> dict[str, str]:
    reader = MeetingReader(past.room.projections)
    return {each["id"]: each["status"] for each in reader.registrations("acme", str(number))}


def test_registrants_go_on_where_a_slice_has_ended() -> None:
    """Meetings that were compared before are not asked for again."""
    world = account()
    past = Past(world, ["ada"], [TODAY - timedelta(days=at) for at in range(20, 40)])
    past.registered = {number: [person(f"r{number}", "approved")] for number in past.numbers.values()}
    asked: Counter[str] = Counter()

    def answer(request: HttpRequest) -> HttpResponse:
        path = urlsplit(request.url).path
        if path.endswith("/registrants"):
            asked[path] += 1
            world.time.passed += 10
        return past.answer(request)

    world.zoom.answers["GET /"] = answer
    done = world.run_to_end(make(world))
    assert done.slices > 3
    assert set(asked.values()) == {3}  # one for each status
    assert names(past).count("meeting.registration_created") == 20


def test_the_trash_is_compared_on_demand() -> None:
    """A recording in it is known as trashed; the span counts, although Zoom lists the whole trash."""
    world = account()
    past = Past(world, ["ada"], [TODAY - timedelta(days=40), FIRST - timedelta(days=5)])
    past.trash["ada"] = ["ada-0", "ada-1"]
    world.run_to_end(make(world))
    assert names(past) == []
    world.run_to_end(make(world, trash=True))
    assert names(past) == ["recording.trashed"]
    recordings = MeetingReader(past.room.projections).recordings("acme", str(past.number("ada-0")))
    assert [each["status"] for each in recordings] == ["trashed"]
    world.run_to_end(make(world, trash=True))
    assert names(past) == []


def test_a_plan_that_is_too_long_fails() -> None:
    """Nothing is left out unsaid."""
    world = account()
    Past(world, [f"u{at}" for at in range(20_001)], [])
    failed = world.run_to_end(make(world))
    assert (failed.state, failed.reason) == (State.FAILED, "too_many_rows")
    assert "100005" in str(failed.notes["failure"])


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


def test_a_crash_says_nothing_twice() -> None:
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
    reported = [each.body for each in past.sent]
    assert len(set(reported)) == 2 * 5
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


def test_two_backfills_share_their_part_of_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one has taken the other one cannot have."""
    monkeypatch.setattr(backfill, "PART_OF_DAY", 12.5 / (30_000 * 0.9))
    world = account()
    past = Past(world, ["ada", "bob"], [TODAY - timedelta(days=40)])
    jobs = [make(world), make(world)]
    while any(world.job(job).state is not State.DONE for job in jobs):
        world.step()
    assert max(past.heavy.values()) <= 12


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


def test_a_row_that_zoom_never_answers_fails_alone() -> None:
    """After twenty tries, and says so; the others go on."""
    world = account()
    past = Past(world, ["ada", "bob"], [TODAY - timedelta(days=40)])

    def answer(request: HttpRequest) -> HttpResponse:
        if "users/ada/recordings" in request.url:
            return said(500, code=500, message="Later.")
        return past.answer(request)

    world.zoom.answers["GET /"] = answer
    job = make(world)
    done = world.run_to_end(job)
    failed = [row for row in world.ledger(job) if row.state is RowState.FAILED]
    assert (done.state, done.seen.succeeded, len(failed)) == (State.DONE, 6, 4)
    assert {row.values["user"] for row in failed if row.values} == {"ada"}
    assert "in many tries" in str(failed[0].message)
    assert len(past.sent) == 5


def test_a_dry_run_plans_and_compares_nothing() -> None:
    """The rows are there, and no meeting is asked for."""
    world = account()
    past = Past(world, ["ada"], [TODAY - timedelta(days=40)])
    done = world.run_to_end(make(world, dry_run=True))
    assert (done.seen.succeeded, past.sent, past.heavy) == (4 + 1, [], {})
    assert past.archived == []


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
        ({"from": "2026-01-01", "to": "2026-02-01", "registrants": "no"}, "registrants"),
        ({"from": "2026-01-01", "to": "2026-02-01", "trash": None}, "trash"),
    ],
)
def test_its_options_are_checked(body: dict[str, Any], field: str) -> None:
    """A span of at most 400 days, and users by id."""
    wrong: list[FieldError] = []
    check_options(body, wrong, today=date(2026, 11, 30))
    assert [each.field for each in wrong] == [field]


# A year of so many people; the part of the day is as much smaller as they are fewer than 5,000.
PEOPLE = 5_000 if SOAKING else 20
YEAR = TODAY - timedelta(days=364)


class Year(Past):
    """Everybody held a recorded meeting every four weeks; answers are computed, and a read costs time only.

    What is missing is counted and goes nowhere: that it arrives once is for the tests above.
    """

    def __init__(self, world: JobWorld, monkeypatch: pytest.MonkeyPatch) -> None:
        days = [first + timedelta(days=3) for first, _ in windows(YEAR, TODAY)]
        super().__init__(world, [f"u{at:04}" for at in range(PEOPLE)], days)
        monkeypatch.setattr(backfill, "PART_OF_DAY", 0.2 * PEOPLE / 5_000)
        monkeypatch.setattr(backfill, "reading", lambda *_: self.read)
        self.uuids = list(self.held)
        self.missing = 0

    def send(self, deliveries: Sequence[Delivery]) -> None:
        self.missing += len(deliveries)

    def read(self, path: str) -> dict[str, Any] | None:
        self.world.time.passed += 0.1
        found: dict[str, Any] = json.loads(self.answer(HttpRequest("GET", f"https://zoom.example{path}", {})).body)
        return found

    def of(self, user: str, query: dict[str, list[str]]) -> list[str]:
        first, last = query["from"][0], query["to"][0]
        return [f"{user}-{at}" for at, day in enumerate(self.days) if first <= day.isoformat() <= last]

    def past(self, path: list[str]) -> dict[str, Any] | None:
        if path[0] == "past_meetings" and path[-1] == "instances":
            uuid = self.uuids[int(path[1]) - 85_000_000_000]
            return {"meetings": [{"uuid": uuid, "start_time": self.start(uuid)}]}
        return super().past(path)

    def on_demand(self, path: list[str], query: dict[str, list[str]]) -> dict[str, Any] | None:
        return {"meetings": []} if path[0] == "users" and query.get("type") == ["scheduled"] else None


@pytest.mark.timeout(3600)  # of 5,000 people; of few it takes seconds
def test_a_year_of_five_thousand_people_is_planned_and_forecast(monkeypatch: pytest.MonkeyPatch) -> None:
    """At every tenth of the rows the end is foretold to a tenth of the time left, or to a day.

    In make soak all 5,000; in make test fewer, with as much smaller a part of the day.
    """
    world = account()
    past = Year(world, monkeypatch)
    job = make(world, **{"from": YEAR.isoformat()})
    tenths: dict[int, tuple[float, float]] = {}
    while world.job(job).state is not State.DONE:
        world.step()
        found = world.job(job)
        expected = forecast(found, None, now=world.time.now())
        if expected is not None and expected.done_at is not None:
            tenths.setdefault(found.seen.total * 10 // (found.rows or 1), (world.time.now(), expected.done_at))
    done = world.job(job)
    assert done.finished_at is not None
    assert (done.rows, done.seen.failed) == (PEOPLE * (14 + 1), 0)
    assert max(past.heavy.values()) <= 30_000 * 0.2
    for at, reported in tenths.values():
        assert abs(reported - done.finished_at) <= max(86_400, 0.1 * (done.finished_at - at)), tenths
