"""The erasures function, from event to answer, and from message to message."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from tests.fakes.edge import LambdaContext, http_event
from zoom_common.access.principal import Principal
from zoom_common.erasure.queue import Job, id_of, to_message
from zoom_common.erasure.records import Record, State, erasure_id
from zoom_common.erasure.runner import Progress, preview
from zoom_common.erasure_target import ErasureTarget
from zoom_common.errors import Unavailable

OPERATOR = Principal("acme", "key:k1", frozenset({"erasures:write", "erasures:read"}))
ADA_ID = "adaAdaAdaAdaAdaA0"
ADA = Job(target=ErasureTarget.person("acme", zoom_user_id=ADA_ID, email="Ada@example.com"), run=1)


class Work:
    """Erasures that are begun, and what `resume` says about them; what was sent, and what returned to the queue."""

    def __init__(self) -> None:
        self.begun: list[ErasureTarget] = []
        self.kept: dict[tuple[str, str], Record] = {}
        self.sent: list[Job] = []
        self.returned: list[tuple[str, float]] = []
        self.progress: list[Progress] = []
        self.dry_runs: list[ErasureTarget] = []
        self.away = False

    @property
    def records(self) -> Work:
        return self

    def begin(self, target: ErasureTarget) -> Record:
        self.begun.append(target)
        about = "tenant" if target.whole_tenant else "person"
        record = Record(
            tenant=target.tenant,
            erasure_id=id_of(target),
            about=about,
            state=State.RUNNING,
            erased_at=1.0,
            deleted={},
            run=1,
        )
        self.kept[record.tenant, record.erasure_id] = record
        return record

    def resume(self, job: Job, *, should_stop: Callable[[], bool]) -> Progress:  # noqa: ARG002 - the seam's signature
        if self.away:
            raise Unavailable(reason="erasure_unavailable")
        return self.progress.pop(0)

    def dry_run(self, target: ErasureTarget, *, should_stop: Callable[[], bool], keep_key: str | None) -> Any:
        self.dry_runs.append(target)
        return preview(target, {"events": 2, "api_keys": int(keep_key is None)}, complete=not should_stop())

    def get(self, tenant: str, name: str) -> Record | None:
        return self.kept.get((tenant, name))

    def list(self, tenant: str) -> list[Record]:
        return [each for (whose, _), each in self.kept.items() if whose == tenant]

    def send(self, job: Job) -> None:
        self.sent.append(job)

    def return_after(self, receipt_handle: str, seconds: float) -> None:
        self.returned.append((receipt_handle, seconds))


@pytest.fixture
def work() -> Work:
    return Work()


@pytest.fixture
def erasures(function: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch, work: Work) -> ModuleType:
    for name in ("CONNECTIONS_TABLE", "EVENTS_TABLE", "COORDINATION_TABLE", "ESCROW_QUEUE_URL", "ERASURE_QUEUE_URL"):
        monkeypatch.setenv(name, name.lower())
    module = function("erasures")
    monkeypatch.setattr(module, "erasure", lambda: work)
    monkeypatch.setattr(module, "queue", lambda: work)
    return module


def ask(module: ModuleType, method: str, path: str, body: Any = None, principal: Principal = OPERATOR) -> Any:
    text = None if body is None else json.dumps(body)
    headers = {"content-type": "application/json"}
    given = module.handler(http_event(method, path, body=text, headers=headers, principal=principal), LambdaContext())
    return given["statusCode"], json.loads(given["body"]), given["headers"]


def test_a_person_is_erased_by_id_and_address(erasures: ModuleType, work: Work) -> None:
    """202 with a receipt that names nobody and says where to look; the work waits in the queue."""
    body = {"zoom_user_id": ADA_ID, "email": "Ada@example.com"}
    status, reply, headers = ask(erasures, "POST", "/erasures", body)
    assert (status, reply["state"], reply["about"]) == (202, "running", "person")
    assert headers["location"] == f"/erasures/{erasure_id('acme', ADA_ID)}"
    assert "ada" not in json.dumps(reply).lower()
    assert work.sent == [ADA]
    assert ask(erasures, "GET", headers["location"])[1] == reply
    assert ask(erasures, "GET", "/erasures")[1] == {"erasures": [reply]}


def test_a_whole_tenant_is_erased_by_its_own_name(erasures: ModuleType, work: Work) -> None:
    """The key that asked stays until the receipt has been read."""
    assert ask(erasures, "POST", "/erasures", {"tenant": "acme"})[1]["about"] == "tenant"
    assert work.sent == [Job(target=ErasureTarget.tenant_as_a_whole("acme"), keep_key="k1", run=1)]


def test_an_address_alone_will_do(erasures: ModuleType, work: Work) -> None:
    """Whoever knows no Zoom id names the address, in any case of letters."""
    assert ask(erasures, "POST", "/erasures", {"email": "Ada@Example.com"})[0] == 202
    [job] = work.sent
    assert job.target == ErasureTarget(tenant="acme", email="ada@example.com")


def test_a_dry_run_counts_and_changes_nothing(erasures: ModuleType, work: Work) -> None:
    """200, what would be deleted, and nothing begun or sent."""
    status, reply, headers = ask(erasures, "POST", "/erasures", {"zoom_user_id": ADA_ID, "dry_run": True})
    assert (status, reply["dry_run"], reply["complete"], reply["deleted"]["events"]) == (200, True, True, 2)
    assert reply["id"] == erasure_id("acme", ADA_ID)
    assert "location" not in headers
    assert (work.begun, work.sent, len(work.dry_runs)) == ([], [], 1)


def test_a_dry_run_of_a_tenant_spares_the_key_that_asks(erasures: ModuleType) -> None:
    """As the erasure itself would."""
    _, reply, _ = ask(erasures, "POST", "/erasures", {"tenant": "acme", "dry_run": True})
    assert (reply["about"], reply["deleted"]["api_keys"]) == ("tenant", 0)


def test_a_dry_run_ends_before_the_caller_gives_up(erasures: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that there is more than it could read."""
    monkeypatch.setattr(erasures, "_DRY_RUN_SECONDS", -1.0)
    body = {"zoom_user_id": ADA_ID, "dry_run": True}
    assert ask(erasures, "POST", "/erasures", body)[1]["complete"] is False


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "zoom_user_id"),
        ({"tenant": "beta"}, "tenant"),
        ({"tenant": "acme", "zoom_user_id": ADA_ID}, "tenant"),
        ({"zoom_user_id": ""}, "zoom_user_id"),
        ({"zoom_user_id": 7}, "zoom_user_id"),
        ({"zoom_user_id": "e"}, "zoom_user_id"),
        ({"zoom_user_id": "me"}, "zoom_user_id"),
        ({"zoom_user_id": "a" * 15}, "zoom_user_id"),
        ({"zoom_user_id": "a" * 65}, "zoom_user_id"),
        ({"zoom_user_id": "ada@example.com.invalid"}, "zoom_user_id"),
        ({"zoom_user_id": f"{ADA_ID}#x"}, "zoom_user_id"),
        ({"email": "ada"}, "email"),
        ({"email": "ada @example.com"}, "email"),
        ({"zoom_user_id": ADA_ID, "email": "@"}, "email"),
        ({"zoom_user_id": ADA_ID, "emial": "ada@example.com"}, "emial"),
        ({"zoom_user_id": ADA_ID, "dry_run": "true"}, "dry_run"),
        ({"zoom_user_id": ADA_ID, "dry_run": None}, "dry_run"),
    ],
)
def test_what_is_not_clear_erases_nothing(erasures: ModuleType, work: Work, body: Any, field: str) -> None:
    """A slip of the pen is a 400 in Zoom's shape, which names the field."""
    status, reply, _ = ask(erasures, "POST", "/erasures", body)
    assert (status, reply["code"], work.begun, work.dry_runs) == (400, 300, [], [])
    assert [each["field"] for each in reply["errors"]] == [field]


def test_a_body_that_is_no_object_erases_nothing(erasures: ModuleType, work: Work) -> None:
    """400."""
    assert (ask(erasures, "POST", "/erasures", [])[0], work.begun) == (400, [])


@pytest.mark.parametrize("scope", ["connections:write", "connections:all", "erasures:read"])
def test_it_takes_a_scope_of_its_own(erasures: ModuleType, work: Work, scope: str) -> None:
    """No other scope erases, and a key bound to one connection never does."""
    other = Principal("acme", "key:k2", frozenset({scope}))
    bound = Principal("acme", "key:k3", frozenset({"erasures:write"}), "con_1")
    assert ask(erasures, "POST", "/erasures", {"zoom_user_id": ADA_ID}, other)[0] == 403
    assert ask(erasures, "POST", "/erasures", {"zoom_user_id": ADA_ID}, bound)[0] == 409
    assert work.begun == []


def test_another_tenants_receipt_is_unknown(erasures: ModuleType) -> None:
    """404, whether it exists or not."""
    _, _, headers = ask(erasures, "POST", "/erasures", {"zoom_user_id": ADA_ID})
    rival = Principal("beta", "key:k", frozenset({"*"}))
    assert ask(erasures, "GET", headers["location"], None, rival)[0] == 404
    assert ask(erasures, "GET", "/erasures", None, rival)[1] == {"erasures": []}


def work_on(module: ModuleType, *bodies: Any) -> list[str]:
    records = [
        {"messageId": str(at), "receiptHandle": f"handle-{at}", "body": json.dumps(body)}
        for at, body in enumerate(bodies)
    ]
    failed = module.handler({"Records": records}, LambdaContext())["batchItemFailures"]
    return [each["itemIdentifier"] for each in failed]


def test_work_goes_on_in_the_same_message(erasures: ModuleType, work: Work) -> None:
    """At once where time ran out, after a while for the second look, and never again once it is done."""
    record = work.begin(ADA.target)
    work.progress = [Progress(wait=0.0), Progress(wait=300.0), Progress(finished=record), Progress()]
    assert work_on(erasures, *[to_message(ADA)] * 4) == ["0", "1"]
    assert work.returned == [("handle-0", 0.0), ("handle-1", 300.0)]
    assert work.sent == []


def test_a_message_is_kept_until_it_is_done(erasures: ModuleType, work: Work) -> None:
    """A table that is away, and what nobody can read, come back soon; the latter ends in the dead-letter queue."""
    work.away = True
    assert work_on(erasures, to_message(ADA), {"action": "else"}, {"no": "job"}) == ["0", "1", "2"]
    assert [seconds for _, seconds in work.returned] == [30, 30, 30]


def test_a_queue_that_is_away_keeps_its_message(
    erasures: ModuleType, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message returns when the queue's own time has passed."""

    def away(*_: object) -> None:
        raise Unavailable(reason="erasure_queue_unavailable")

    monkeypatch.setattr(work, "return_after", away)
    work.progress = [Progress(wait=0.0)]
    assert work_on(erasures, to_message(ADA)) == ["0"]
