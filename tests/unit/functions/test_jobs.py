"""The jobs function, from event to answer, and the slices' function from state to state."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest

from tests.fakes import tables
from tests.fakes.connections import connection
from tests.fakes.edge import LambdaContext, http_event
from tests.stores import factories
from zoom_common.access.keys import Credential, issue
from zoom_common.access.principal import Principal
from zoom_common.aws.table import Table
from zoom_common.connections.store import to_values
from zoom_common.errors import Unavailable
from zoom_common.jobs.model import Job, RowState
from zoom_common.jobs.runner import Step

CALLER = Principal("acme", "key:k1", frozenset({"jobs:read", "jobs:write", "meetings:write"}))
CREATE = {"operation": "meetings.create", "rows": [{"topic": "A"}, {"topic": "B"}]}


class Site:
    """The function over DynamoDB in memory, with an engine that notes what it is asked to start."""

    def __init__(self, module: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
        self.module = module
        self.dynamodb = tables.in_memory()
        self.jobs = factories.jobs(self.dynamodb.client())
        self.connections = factories.connections(self.dynamodb.client())
        self.started: list[tuple[str, int]] = []
        self.away = False
        self.uploaded: list[str] = []
        self.connect("con_1")
        monkeypatch.setattr(module, "store", lambda: self.jobs)
        monkeypatch.setattr(module, "connections", lambda: self.connections)
        monkeypatch.setattr(module, "executions", lambda: self)
        monkeypatch.setattr(module, "job_files", lambda: self)

    def connect(self, name: str) -> None:
        table = tables.CONNECTIONS
        made = replace(connection(connection_id=name), tenant="acme")
        Table(self.dynamodb.client(), table).put(to_values(made))

    def start(self, job: Job) -> None:
        if self.away:
            raise Unavailable(reason="job_engine_unavailable")
        self.started.append((job.job_id, job.run))

    def upload_url(self, job: Job) -> str:
        return f"https://bucket.example/{job.job_id}"

    def results_url(self, job: Job, content: bytes, content_type: str) -> str:
        self.uploaded.append(f"{content_type} {len(content)}")
        return f"https://bucket.example/results/{job.job_id}"

    def ask(
        self, method: str, path: str, body: Any = None, *, caller: Principal = CALLER, query: str = "", **headers: str
    ) -> Any:
        text = None if body is None else json.dumps(body)
        sent = {"content-type": "application/json", **{name.replace("_", "-"): each for name, each in headers.items()}}
        event = http_event(method, path, body=text, query=query, headers=sent, principal=caller)
        given = self.module.handler(event, LambdaContext())
        is_json = given["headers"].get("content-type") == "application/json"
        return given["statusCode"], json.loads(given["body"]) if is_json else given["body"], given["headers"]

    def make(self, **changes: Any) -> Job:
        _, reply, _ = self.ask("POST", "/jobs", CREATE | changes)
        found = self.jobs.get("acme", reply["id"])
        assert found is not None
        return found


@pytest.fixture
def site(function: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> Site:
    names = ("CONNECTIONS_TABLE", "EVENTS_TABLE", "COORDINATION_TABLE", "JOBS_STATE_MACHINE", "JOBS_BUCKET")
    for name in names:
        monkeypatch.setenv(name, name.lower())
    return Site(function("jobs"), monkeypatch)


def test_an_operation_and_rows_are_enough(site: Site) -> None:
    """202 with an id; the job waits, its connection is settled, a forecast is there, and its execution begins."""
    status, reply, headers = site.ask("POST", "/jobs", CREATE)
    assert (status, reply["state"], reply["connection"]) == (202, "waiting", "con_1")
    assert reply["progress"] == {"rows": 2, "succeeded": 0, "failed": 0, "left": 2}
    assert reply["forecast"]["seconds_left"] == 1
    assert headers["location"] == f"/jobs/{reply['id']}"
    assert site.started == [(reply["id"], 1)]
    assert [row.values for row in site.jobs.rows(site.make())] == CREATE["rows"]
    assert site.ask("GET", headers["location"])[1]["id"] == reply["id"]


def test_the_same_key_means_the_same_job(site: Site) -> None:
    """A lost answer makes no second job; the same key for another job is refused."""
    _, first, _ = site.ask("POST", "/jobs", CREATE, idempotency_key="k")
    assert site.ask("POST", "/jobs", CREATE, idempotency_key="k")[1]["id"] == first["id"]
    status, reply, _ = site.ask("POST", "/jobs", CREATE | {"dry_run": True}, idempotency_key="k")
    assert (status, reply["reason"]) == (422, "idempotency_key_reused")
    assert len(site.ask("GET", "/jobs")[1]["jobs"]) == 1
    other = replace(CALLER, tenant="other")
    assert site.ask("POST", "/jobs", CREATE, idempotency_key="k", caller=other)[1].get("id") != first["id"]


def test_a_job_waits_for_its_engine(site: Site) -> None:
    """When it cannot be started the job is there all the same, and the watch finds it."""
    site.away = True
    status, reply, _ = site.ask("POST", "/jobs", CREATE)
    assert status == 202
    assert site.jobs.active() == [("acme", reply["id"])]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "operation"),
        ({"operation": "meetings.made_up", "rows": [{}]}, "operation"),
        ({"operation": "meetings.create"}, "rows"),
        ({"operation": "meetings.create", "rows": []}, "rows"),
        ({"operation": "meetings.create", "rows": [{}] * 1001}, "rows"),
        ({"operation": "meetings.create", "rows": [{}], "file": {}}, "rows"),
        ({"operation": "meetings.create", "file": False}, "file"),
        ({"operation": "meetings.create", "rows": [{}, 5]}, "rows[1]"),
        ({**CREATE, "dry_run": "yes"}, "dry_run"),
        ({**CREATE, "dryrun": True}, "dryrun"),
        ({**CREATE, "duplicates": "maybe"}, "duplicates"),
        ({**CREATE, "connection": 5}, "connection"),
        ({**CREATE, "connection": {"column": ""}}, "connection"),
        ({**CREATE, "connection": {"column": "c", "values": {"a": "b"}}}, "connection.values"),
        ({**CREATE, "mapping": {"locale": 1}}, "mapping.locale"),
    ],
)
def test_what_is_wrong_with_a_job_is_named(site: Site, body: Any, field: str) -> None:
    """A 400 in Zoom's shape, and nothing is stored."""
    status, reply, _ = site.ask("POST", "/jobs", body)
    assert (status, reply["code"]) == (400, 300)
    assert field in {each["field"] for each in reply["errors"]}
    assert not site.jobs.active()


def test_a_caller_needs_the_operations_own_scope(site: Site) -> None:
    """Whoever may not make a meeting may not make a hundred."""
    caller = replace(CALLER, scopes=frozenset({"jobs:write"}))
    status, reply, _ = site.ask("POST", "/jobs", CREATE, caller=caller)
    assert (status, reply["missing_scopes"]) == (403, ["meetings:write"])


def test_a_connection_has_to_be_clear(site: Site) -> None:
    """Of several one is named, in the body or the header, or by a rule; one that is not there is a 404."""
    site.connect("con_2")
    assert site.ask("POST", "/jobs", CREATE)[0] == 409
    assert site.ask("POST", "/jobs", CREATE, x_zoom_connection="con_2")[1]["connection"] == "con_2"
    assert site.make(connection="con_1").request["connection"] == "con_1"
    rule = {"column": "team", "values": {"Sales": "con_1"}}
    assert site.make(connection=rule).request["connection"] == rule
    assert site.ask("POST", "/jobs", CREATE | {"connection": "con_9"})[0] == 404
    assert site.ask("POST", "/jobs", CREATE | {"connection": {**rule, "values": {"S": "con_9"}}})[0] == 404


def test_a_file_gets_an_address(site: Site) -> None:
    """The job waits for it; its rows are not known yet."""
    status, reply, _ = site.ask("POST", "/jobs", {"operation": "meetings.create", "file": {"name": "x.csv"}})
    assert (status, reply["state"], reply["progress"]["rows"], reply["forecast"]) == (202, "waiting", None, None)
    assert reply["upload"]["method"] == "PUT"
    assert reply["upload"]["url"] == f"https://bucket.example/{reply['id']}"


def test_a_job_is_paused_resumed_and_cancelled(site: Site) -> None:
    """Each where it can be; else 409 says where the job stands. A resumed one has a new execution."""
    job = site.make()
    path = f"/jobs/{job.job_id}"
    assert site.ask("POST", f"{path}/resume")[0] == 409
    reply = site.ask("POST", f"{path}/pause")[1]
    assert (reply["state"], reply["reason"]) == ("paused", "by_request")
    assert reply["forecast"] == {
        "done_at": None,
        "seconds_left": None,
        "limited_by": "by_request",
        "before_expiry": None,
    }
    assert site.ask("POST", f"{path}/resume")[1]["state"] == "waiting"
    assert site.started[-1] == (job.job_id, 2)
    assert site.ask("POST", f"{path}/cancel")[1]["state"] == "cancelled"
    status, reply, _ = site.ask("POST", f"{path}/cancel")
    assert (status, reply["reason"], reply["state"]) == (409, "job_state", "cancelled")


def test_jobs_are_listed_page_by_page(site: Site) -> None:
    """The tenant's own, from the youngest on."""
    made = [site.make().job_id for _ in range(3)]
    _, first, _ = site.ask("GET", "/jobs", query="page_size=2")
    _, second, _ = site.ask("GET", "/jobs", query=f"page_size=2&next_page_token={first['next_page_token']}")
    found = [each["id"] for each in first["jobs"] + second["jobs"]]
    assert sorted(found) == sorted(made)
    assert second["next_page_token"] == ""
    assert site.ask("GET", "/jobs", caller=replace(CALLER, tenant="other"))[1]["jobs"] == []


def test_who_may_know_of_a_job(site: Site) -> None:
    """The tenant's keys; a key that is bound to another connection, another person and another tenant see a 404."""
    path = f"/jobs/{site.make().job_id}"
    person = replace(CALLER, subject="ada")
    for caller in (replace(CALLER, tenant="other"), replace(CALLER, connection="con_2"), person):
        assert site.ask("GET", path, caller=caller)[0] == 404
    assert site.ask("GET", path, caller=replace(CALLER, connection="con_1"))[0] == 200
    assert site.ask("GET", path, caller=replace(person, scopes=person.scopes | {"connections:all"}))[0] == 200
    assert site.ask("GET", "/jobs/job_nonsense")[0] == 404


def finished(site: Site, rows: int = 2) -> Job:
    """A job whose first row made a meeting, and whose others failed."""
    job = site.make(rows=[{"topic": f"T{at}"} for at in range(rows)])
    for row in site.jobs.rows(job, limit=rows):
        good = row.number == 1
        state = RowState.SUCCEEDED if good else RowState.FAILED
        ids = {"id": "85", "join_url": "https://zoom.us/j/85"} if good else {}
        site.jobs.finish(job, replace(row, state=state, ids=ids, status=201 if good else 400))
    return job


def test_results_are_a_file(site: Site) -> None:
    """The file has the order of the rows, as CSV or JSON lines."""
    job = finished(site)
    status, text, headers = site.ask("GET", f"/jobs/{job.job_id}/results")
    assert (status, headers["content-type"]) == (200, "text/csv; charset=utf-8")
    assert headers["content-disposition"] == f'attachment; filename="{job.job_id}.csv"'
    assert text.splitlines()[1].startswith("1,,succeeded,201,,,,85,")
    _, lines, _ = site.ask("GET", f"/jobs/{job.job_id}/results", query="format=jsonl")
    assert [json.loads(line)["row"] for line in lines.splitlines()] == [1, 2]
    assert site.ask("GET", f"/jobs/{job.job_id}/results", query="format=xls")[0] == 400


def test_large_results_are_somewhere_else(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A redirect to an address in the bucket."""
    monkeypatch.setattr(site.module, "_LARGEST_ANSWER", 10)
    job = finished(site)
    status, _, headers = site.ask("GET", f"/jobs/{job.job_id}/results")
    assert (status, headers["location"]) == (303, f"https://bucket.example/results/{job.job_id}")
    assert len(site.uploaded) == 1


def test_what_was_made_can_be_undone(site: Site) -> None:
    """The list is a job by itself; what nothing undoes is a 409."""
    job = finished(site)
    status, reply, _ = site.ask("GET", f"/jobs/{job.job_id}/undo")
    assert (status, reply) == (
        200,
        {"operation": "meetings.delete", "connection": "con_1", "rows": [{"meetingId": "85"}]},
    )
    assert site.ask("POST", "/jobs", reply)[0] == 202
    deletes = site.make(operation="meetings.delete", rows=[{"meetingId": 1}])
    assert site.ask("GET", f"/jobs/{deletes.job_id}/undo")[0] == 409


def test_registrations_are_undone_by_meeting_and_registrant(site: Site) -> None:
    """The meeting is the row's own, by the mapping's column or default."""
    mapping = {"columns": {"Mail": "email"}, "defaults": {"meetingId": "77"}}
    job = site.make(operation="meetings.registrants.add", rows=[{"Mail": "a@x.example"}], mapping=mapping)
    (row,) = site.jobs.rows(job)
    site.jobs.finish(job, replace(row, state=RowState.SUCCEEDED, ids={"registrant_id": "r1"}))
    reply = site.ask("GET", f"/jobs/{job.job_id}/undo")[1]
    assert reply["operation"] == "meetings.registrants.delete"
    assert reply["rows"] == [{"meetingId": "77", "registrantId": "r1"}]


def test_a_slice_answers_with_the_state_of_its_execution(
    function: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ids, and what comes next; nothing of any row."""
    module = function("job_slice")

    class Runner:
        def run(self, tenant: str, job_id: str, run: int) -> Step:
            assert (tenant, job_id, run) == ("acme", "job_1", 2)
            return Step("wait", 30)

    monkeypatch.setattr(module, "runner", Runner)
    event = {"tenant": "acme", "job": "job_1", "run": 2, "next": "again", "seconds": 0}
    assert module.handler(event, LambdaContext()) == event | {"next": "wait", "seconds": 30}


def test_the_watch_starts_what_has_died(
    function: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch, site: Site
) -> None:
    """And tells how many."""
    module = function("job_slice")
    monkeypatch.setattr(module, "store", lambda: site.jobs)
    monkeypatch.setattr(module, "executions", lambda: site)
    job = site.make()
    site.jobs.begin_run(job, wake_at=0.0)
    assert module.handler({"action": "watch"}, LambdaContext()) == {"revived": 1}
    assert site.started[-1] == (job.job_id, 3)


@pytest.mark.parametrize(("revoked", "refusal"), [(False, None), (True, "key_revoked")])
def test_a_job_ends_with_its_key(
    function: Callable[[str], ModuleType],
    monkeypatch: pytest.MonkeyPatch,
    site: Site,
    revoked: bool,  # noqa: FBT001 - a parameter of a test
    refusal: str | None,
) -> None:
    """A key that is revoked, expired or gone stops it; a person who signed in has none."""
    module = function("job_slice")
    keys = factories.api_keys(site.dynamodb.client())
    credential = Credential.generate()
    keys.add(issue(credential, tenant="acme", name="k", scopes=["*"], now=1.0))
    if revoked:
        keys.revoke(credential.key_id, now=2.0)
    monkeypatch.setattr(module, "key_store", lambda: keys)
    caller = replace(CALLER, subject=f"key:{credential.key_id}")
    assert module._key_refusal(caller) == refusal
    assert module._key_refusal(replace(CALLER, subject="key:gone")) == "key_revoked"
    assert module._key_refusal(replace(CALLER, subject="ada")) is None


def test_registrants_are_synchronised_by_a_job(site: Site) -> None:
    """The meeting is checked, the rows are people, and the job keeps its options."""
    body = {"operation": "registrants.sync", "meeting": 85123456789, "remove": False}
    job = site.make(**body, rows=[{"email": "a@x.example", "first_name": "A"}])
    assert (job.operation, job.request["meeting"], job.request["remove"]) == ("registrants.sync", 85123456789, False)
    status, reply, _ = site.ask("POST", "/jobs", {"operation": "registrants.sync", "rows": [{}]})
    assert (status, reply["errors"][0]["field"]) == (400, "meeting")


def test_a_backfill_needs_a_span_and_no_rows(site: Site) -> None:
    """Its rows are planned by its first slice; whoever may not write events may not make one."""
    body = {"operation": "backfill", "from": "2026-01-01", "to": "2026-01-31"}
    caller = replace(CALLER, scopes=CALLER.scopes | {"events:write"})
    status, reply, _ = site.ask("POST", "/jobs", body, caller=caller)
    assert (status, reply["operation"], reply["progress"]["rows"]) == (202, "backfill", None)
    assert "upload" not in reply
    assert site.ask("POST", "/jobs", body)[0] == 403
    status, reply, _ = site.ask("POST", "/jobs", {**body, "to": "soon", "rows": []}, caller=caller)
    assert (status, {each["field"] for each in reply["errors"]}) == (400, {"to", "rows"})
