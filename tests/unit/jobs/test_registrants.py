"""`registrants.sync`: who should be registered is, and nobody else, with few calls."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.fakes import tables
from tests.fakes.jobs import Crash, JobWorld, said
from zoom_common.aws.table import Table
from zoom_common.errors import FieldError
from zoom_common.events.bus import CloudEvent
from zoom_common.events.projections.record import Change, Record
from zoom_common.jobs.model import Job, State
from zoom_common.jobs.registrants import NAME, RegistrantSync, cancelled_in, check_options
from zoom_common.ratelimit.quotas import DailyStore
from zoom_common.transport import AnswerLost
from zoom_common.zoom.http import HttpRequest, HttpResponse
from zoom_common.zoom.operations.table import operations

NUMBER = "85123456789"


class Meeting:
    """A meeting with registrants at the small Zoom. `refuses` are addresses that a batch leaves out of its answer."""

    def __init__(self, world: JobWorld) -> None:
        self.people: dict[str, dict[str, str]] = {}
        self.refuses: set[str] = set()
        self.faults: deque[str] = deque()
        self.type = 2
        self.calls = 0
        self.batches: list[int] = []
        self.changes: dict[str, int] = {}
        self.published: list[CloudEvent] = []
        self.cancelled: set[str] = set()
        for beginning, answer in {
            f"GET /meetings/{NUMBER}/registrants": self.listed,
            f"GET /meetings/{NUMBER}": self.about,
            f"POST /meetings/{NUMBER}/batch_registrants": self.batch,
            f"POST /meetings/{NUMBER}/registrants": self.add,
            f"PUT /meetings/{NUMBER}/registrants/status": self.status,
        }.items():
            world.zoom.answers[beginning] = answer
        shared = Table(world.client(), tables.COORDINATION)
        world.works[NAME] = RegistrantSync(
            publish=self.published.extend,
            cancelled=lambda _job, _number: self.cancelled,
            changes=DailyStore(shared),
            operations={each.name: each for each in operations()},
        )

    def about(self, _: HttpRequest) -> HttpResponse:
        self.calls += 1
        settings = {"alternative_hosts": "alt@acme.example;other@acme.example"}
        return said(200, id=int(NUMBER), type=self.type, host_email="Host@acme.example", settings=settings)

    def listed(self, request: HttpRequest) -> HttpResponse:
        self.calls += 1
        query = parse_qs(urlsplit(request.url).query)
        status, at = query["status"][0], int(query.get("next_page_token", ["0"])[0])
        found = [{"email": each, **about} for each, about in self.people.items() if about["status"] == status]
        token = str(at + 300) if at + 300 < len(found) else ""
        return said(200, registrants=found[at : at + 300], next_page_token=token)

    def batch(self, request: HttpRequest) -> HttpResponse:
        self.calls += 1
        asked = json.loads(request.body or b"{}")["registrants"]
        assert 0 < len(asked) <= 30
        self.batches.append(len(asked))
        fault = self.faults.popleft() if self.faults else ""
        if fault == "crash_before":
            raise Crash
        made = [self.register(each["email"]) for each in asked if each["email"] not in self.refuses]
        if fault == "crash":
            raise Crash
        if fault == "lost":
            raise AnswerLost("lost")
        return said(201, registrants=made)

    def add(self, request: HttpRequest) -> HttpResponse:
        self.calls += 1
        return said(201, **self.register(json.loads(request.body or b"{}")["email"]))

    def status(self, request: HttpRequest) -> HttpResponse:
        self.calls += 1
        for each in json.loads(request.body or b"{}")["registrants"]:
            self.changes[each["id"]] = self.changes.get(each["id"], 0) + 1
            del self.people[each["email"]]
        return HttpResponse(204, {"content-length": "0"}, b"")

    def register(self, email: str, status: str = "approved") -> dict[str, Any]:
        about = {"id": f"r-{email}", "status": status, "join_url": f"https://zoom.us/w/{email}"}
        self.people[email.casefold()] = about
        return {"email": email, "registrant_id": about["id"], "join_url": about["join_url"]}


def people(*names: str) -> list[dict[str, Any]]:
    return [{"email": f"{name}@acme.example", "first_name": name} for name in names]


def sync(world: JobWorld, rows: Sequence[dict[str, Any]], **more: Any) -> Job:
    return world.make(list(rows), operation=NAME, meeting=NUMBER, **more)


def test_the_wanted_are_registered_and_others_go() -> None:
    """Who is there already is left as they are; hosts are left out; nobody is registered twice."""
    world = JobWorld()
    meeting = Meeting(world)
    for name in ("ada", "gone"):
        meeting.register(f"{name}@acme.example")
    job = sync(world, people("ada", "bob", "host", "alt", "BOB"))
    done = world.run_to_end(job)
    assert (done.state, done.seen.succeeded, done.seen.failed) == (State.DONE, 6, 0)
    assert set(meeting.people) == {"ada@acme.example", "bob@acme.example"}
    messages = [row.message for row in world.ledger(job)]
    assert messages == [
        "Registered already.",
        None,
        "Left out: hosts and alternative hosts cannot register.",
        "Left out: hosts and alternative hosts cannot register.",
        "Left out: row 2 has the same address.",
        "Cancelled.",
    ]


def test_join_links_come_as_events_and_results() -> None:
    """One for each person who was registered now."""
    world = JobWorld()
    meeting = Meeting(world)
    meeting.register("ada@acme.example")
    job = sync(world, people("ada", "bob"))
    world.run_to_end(job)
    (event,) = meeting.published
    assert (event.type, event.tenant, event.subject) == ("registrant.registered", "acme", f"meetings/{NUMBER}")
    assert event.data is not None
    assert event.data["join_url"] == "https://zoom.us/w/bob@acme.example"
    assert [row.ids["join_url"] for row in world.ledger(job)] == [
        "https://zoom.us/w/ada@acme.example",
        "https://zoom.us/w/bob@acme.example",
    ]


def test_who_cancelled_is_not_revived() -> None:
    """Nor who was denied; `revive` registers them again."""
    world = JobWorld()
    meeting = Meeting(world)
    meeting.cancelled = {"ada@acme.example"}
    meeting.register("bob@acme.example", status="denied")
    job = sync(world, people("ada", "bob", "eve"))
    world.run_to_end(job)
    assert {each for each, about in meeting.people.items() if about["status"] == "approved"} == {"eve@acme.example"}
    world.run_to_end(sync(world, people("ada", "bob", "eve"), revive=True))
    assert {about["status"] for about in meeting.people.values()} == {"approved"}
    assert len(meeting.people) == 3


def test_who_is_not_wanted_stays_when_asked() -> None:
    """With `remove` false the set is only added."""
    world = JobWorld()
    meeting = Meeting(world)
    meeting.register("ada@acme.example")
    world.run_to_end(sync(world, people("bob"), remove=False))
    assert set(meeting.people) == {"ada@acme.example", "bob@acme.example"}


def test_five_thousand_people_with_two_hundred_calls() -> None:
    """From nobody, and again when nothing is left to do."""
    world = JobWorld(slice_seconds=240.0)
    meeting = Meeting(world)
    wanted = people(*[f"p{at}" for at in range(5_000)])
    done = world.run_to_end(sync(world, wanted))
    assert (done.seen.succeeded, len(meeting.people)) == (5_000, 5_000)
    assert meeting.calls <= 200
    assert not world.zoom.refusals
    meeting.calls = 0
    world.run_to_end(sync(world, wanted))
    assert meeting.calls <= 25


def test_a_batch_that_succeeds_in_part_is_read_row_by_row() -> None:
    """Who is not in the answer has failed, and nobody else."""
    world = JobWorld()
    meeting = Meeting(world)
    meeting.refuses = {"bob@acme.example"}
    job = sync(world, people("ada", "bob", "eve"))
    done = world.run_to_end(job)
    assert (done.seen.succeeded, done.seen.errors) == (2, {"not_accepted": 1})
    assert world.ledger(job)[1].kind == "not_accepted"


@pytest.mark.parametrize("fault", ["crash", "crash_before", "lost"])
def test_after_a_fault_it_looks_before_it_sends_again(fault: str) -> None:
    """Nobody is sent to Zoom twice who is registered already."""
    world = JobWorld()
    meeting = Meeting(world)
    meeting.faults.append(fault)
    done = world.run_to_end(sync(world, people(*[f"p{at}" for at in range(40)])))
    assert (done.seen.succeeded, done.seen.failed, len(meeting.people)) == (40, 0, 40)
    assert sum(meeting.batches) == (70 if fault == "crash_before" else 40)
    assert len({each.id for each in meeting.published}) == 40


def test_a_registrants_status_changes_ten_times_a_day() -> None:
    """The eleventh cancellation waits for tomorrow."""
    world = JobWorld()
    meeting = Meeting(world)
    for _ in range(10):
        meeting.register("ada@acme.example")
        world.run_to_end(sync(world, people("bob")))
    meeting.register("ada@acme.example")
    today = world.time.now() // 86_400
    done = world.run_to_end(sync(world, people("bob")))
    assert (done.state, meeting.changes["r-ada@acme.example"]) == (State.DONE, 11)
    assert world.time.now() // 86_400 == today + 1


def test_a_series_takes_people_one_by_one() -> None:
    """Zoom has batches for scheduled meetings only, and none for people with answers to questions."""
    world = JobWorld()
    meeting = Meeting(world)
    meeting.type = 8
    world.run_to_end(sync(world, people("ada", "bob")))
    meeting.type = 2
    world.run_to_end(sync(world, [*people("ada", "bob"), {**people("eve")[0], "org": "Acme"}]))
    assert (meeting.batches, len(meeting.people)) == ([], 3)


def test_a_dry_run_says_what_would_happen() -> None:
    """And changes nobody."""
    world = JobWorld()
    meeting = Meeting(world)
    meeting.register("gone@acme.example")
    job = sync(world, people("ada"), dry_run=True)
    assert world.run_to_end(job).state is State.DONE
    assert [row.message for row in world.ledger(job)] == ["Would be registered.", "Would be cancelled."]
    assert set(meeting.people) == {"gone@acme.example"}


def test_a_page_that_fails_takes_nobody_for_missing() -> None:
    """The job waits and reads again."""
    world = JobWorld()
    meeting = Meeting(world)
    meeting.register("ada@acme.example")
    listed, failures = meeting.listed, deque([said(500), said(500), said(500), said(500)])
    world.zoom.answers[f"GET /meetings/{NUMBER}/registrants"] = lambda request: (
        failures.popleft() if failures else listed(request)
    )
    done = world.run_to_end(sync(world, people("ada")))
    assert (done.state, set(meeting.people)) == (State.DONE, {"ada@acme.example"})


def test_a_meeting_that_is_not_there_fails_the_job() -> None:
    """The job has Zoom's reason and text."""
    world = JobWorld()
    Meeting(world)
    world.zoom.answers[f"GET /meetings/{NUMBER}"] = lambda _: said(404, code=3001, message="Meeting does not exist.")
    failed = world.run_to_end(sync(world, people("ada")))
    assert (failed.state, failed.notes["failure"]) == (State.FAILED, "Meeting does not exist.")


def test_a_refused_token_pauses_the_job() -> None:
    """A refused token pauses the job like any lost connection."""
    world = JobWorld()
    Meeting(world)
    world.zoom.revoked = True
    paused = world.run_to_end(sync(world, people("ada")))
    assert (paused.state, paused.reason) == (State.PAUSED, "connection_lost")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "meeting"),
        ({"meeting": "x"}, "meeting"),
        ({"meeting": NUMBER, "webinar": NUMBER}, "meeting"),
        ({"meeting": NUMBER, "remove": 1}, "remove"),
    ],
)
def test_its_options_are_checked(body: dict[str, Any], field: str) -> None:
    """One meeting or one webinar, and switches that are true or false."""
    wrong: list[FieldError] = []
    check_options(body, wrong)
    assert [each.field for each in wrong] == [field]


def test_cancelled_registrations_are_known_from_events() -> None:
    """The addresses are read from the projection of registrations."""
    reported = [
        {"status": "cancelled", "email": "Ada@acme.example"},
        {"status": "approved", "email": "bob@acme.example"},
        {"status": "cancelled"},
    ]
    records = {
        f"registrant#{at}": Record().merged(Change("meeting#1", f"registrant#{at}", latest=each), (1, ""))
        for at, each in enumerate(reported)
    }
    assert list(cancelled_in(records)) == ["ada@acme.example"]


@pytest.mark.parametrize("crash_in", range(1, 40, 3))
def test_a_crash_anywhere_cancels_nobody_twice(crash_in: int) -> None:
    """Also between writing the rows of those who go and saying that they are there."""
    world = JobWorld()
    meeting = Meeting(world)
    for at in range(5):
        meeting.register(f"gone{at}@acme.example")
    job = sync(world, people("ada", "bob"))
    world.dynamodb.crash_in = crash_in
    done = world.run_to_end(job)
    assert (done.state, done.rows, done.left, done.seen.failed) == (State.DONE, 7, 0, 0)
    assert set(meeting.people) == {"ada@acme.example", "bob@acme.example"}
    assert set(meeting.changes.values()) == {1}


def test_columns_have_names_of_their_own() -> None:
    """The mapping says which of them are whose; those who go are known by Zoom's names all the same."""
    world = JobWorld()
    meeting = Meeting(world)
    meeting.register("gone@acme.example")
    mapping = {"columns": {"Mail": "email", "Vorname": "first_name"}}
    job = sync(world, [{"Mail": "ada@acme.example", "Vorname": "Ada", "registrant_to_cancel": "x"}], mapping=mapping)
    done = world.run_to_end(job)
    assert (done.seen.succeeded, done.rows) == (2, 2)
    assert set(meeting.people) == {"ada@acme.example"}


def test_nobody_goes_for_a_row_that_is_refused() -> None:
    """Somebody who is registered stays, although the row that wants them lacks something."""
    world = JobWorld()
    meeting = Meeting(world)
    meeting.register("ada@acme.example")
    done = world.run_to_end(sync(world, [{"email": "Ada@acme.example"}]))
    assert done.seen.errors == {"invalid_row": 1}
    assert set(meeting.people) == {"ada@acme.example"}


def add(world: JobWorld, rows: Sequence[dict[str, Any]]) -> Job:
    return world.make([{"meetingId": NUMBER, **each} for each in rows], operation="meetings.registrants.add")


def test_rows_of_one_meeting_are_registered_thirty_at_a_time() -> None:
    """Rows that say more of a person than a batch takes, or repeat an address, go alone; each has its ids."""
    world = JobWorld(lanes=2)
    meeting = Meeting(world)
    rows = people(*(f"p{at}" for at in range(64)))
    rows[3]["job_title"] = "Poet"
    rows[9]["email"] = rows[8]["email"].upper()
    job = add(world, rows)
    done = world.run_to_end(job)
    assert (done.seen.succeeded, done.seen.failed) == (64, 0)
    assert sorted(meeting.batches) == [4, 28, 30]
    assert meeting.calls == len(meeting.batches) + 2
    found = world.ledger(job)[8].ids
    assert found == {
        "id": NUMBER,
        "registrant_id": "r-p8@acme.example",
        "join_url": "https://zoom.us/w/p8@acme.example",
    }


def test_who_is_not_in_the_answer_is_registered_alone() -> None:
    """A batch succeeds in part; each row has Zoom's own answer."""
    world = JobWorld()
    meeting = Meeting(world)
    meeting.refuses = {"p2@acme.example"}
    job = add(world, people("p1", "p2", "p3"))
    assert world.run_to_end(job).seen.succeeded == 3
    assert (meeting.batches, meeting.calls) == ([3], 2)
    assert {row.ids["registrant_id"] for row in world.ledger(job)} == {f"r-p{at}@acme.example" for at in (1, 2, 3)}


@pytest.mark.parametrize("refusal", [(400, {"code": 303}), (400, {"code": 4711})])
def test_where_zoom_takes_no_batch_rows_go_alone(refusal: tuple[int, dict[str, Any]]) -> None:
    """A recurring meeting, and a grant without the scope: Zoom is asked once for each slice."""
    world = JobWorld()
    meeting = Meeting(world)
    status, body = refusal
    asked: list[HttpRequest] = []

    def refuse(request: HttpRequest) -> HttpResponse:
        asked.append(request)
        return said(status, **body, message="Not for this meeting.")

    world.zoom.answers[f"POST /meetings/{NUMBER}/batch_registrants"] = refuse
    job = add(world, people(*(f"p{at}" for at in range(70))))
    done = world.run_to_end(job)
    assert (done.seen.succeeded, done.seen.failed, len(asked)) == (70, 0, 1)
    assert len(meeting.people) == 70


@pytest.mark.parametrize("fault", ["lost", "crash", "crash_before"])
def test_a_batch_whose_outcome_is_not_known_is_looked_for_first(fault: str) -> None:
    """Nobody is registered twice, and nobody is left out."""
    world = JobWorld()
    meeting = Meeting(world)
    meeting.faults.append(fault)
    registered: list[str] = []
    register = meeting.register

    def counting(email: str, status: str = "approved") -> dict[str, Any]:
        registered.append(email)
        return register(email, status)

    meeting.register = counting  # type: ignore[method-assign]
    job = add(world, people(*(f"p{at}" for at in range(20))))
    done = world.run_to_end(job)
    assert (done.seen.succeeded, done.seen.failed) == (20, 0)
    assert sorted(registered) == sorted(f"p{at}@acme.example" for at in range(20))


def test_a_batch_waits_as_a_row_does() -> None:
    """An account that is closed for the day pauses the job, and every row goes on afterwards."""
    world = JobWorld()
    meeting = Meeting(world)
    world.zoom.closed_until = world.time.now() + 3_600
    job = add(world, people("p1", "p2"))
    world.step()
    assert (world.job(job).state, world.job(job).reason) == (State.PAUSED, "account_closed_for_the_day")
    assert world.run_to_end(job).seen.succeeded == 2
    assert meeting.batches == [2]
