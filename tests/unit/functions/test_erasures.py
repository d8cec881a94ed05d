"""The erasures function, from event to answer, and from message to message."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from tests.fakes.edge import LambdaContext, http_event
from zoom_common.access.principal import Principal
from zoom_common.edge.erasure import Job, Stage
from zoom_common.edge.erasure_match import Wanted
from zoom_common.edge.erasure_queue import to_message
from zoom_common.edge.erasure_records import Record, State, erasure_id
from zoom_common.errors import Unavailable

OPERATOR = Principal("acme", "key:k1", frozenset({"erasures:write", "erasures:read"}))
ADA = Job(wanted=Wanted(tenant="acme", zoom_user_id="ada", email="ada@example.com"))


class Work:
    """Erasures that are begun, and done after as many goes as `goes`; what waits in the queue."""

    def __init__(self) -> None:
        self.begun: list[Job] = []
        self.kept: dict[tuple[str, str], Record] = {}
        self.sent: list[tuple[Job, int]] = []
        self.goes: list[Job | None] = []
        self.away = False

    @property
    def records(self) -> Work:
        return self

    def begin(self, job: Job) -> Record:
        self.begun.append(job)
        about = "tenant" if job.wanted.everything else "person"
        record = Record(
            tenant=job.wanted.tenant, erasure_id=job.name, about=about, state=State.RUNNING, erased_at=1.0, deleted={}
        )
        self.kept[record.tenant, record.erasure_id] = record
        return record

    def go_on(self, job: Job, *, enough: Callable[[], bool]) -> Job | None:  # noqa: ARG002 - the seam's signature
        if self.away:
            raise Unavailable(reason="erasure_unavailable")
        return self.goes.pop(0)

    def finish(self, job: Job) -> Record:
        return self.kept[job.wanted.tenant, job.name]

    def get(self, tenant: str, name: str) -> Record | None:
        return self.kept.get((tenant, name))

    def list(self, tenant: str) -> list[Record]:
        return [each for (whose, _), each in self.kept.items() if whose == tenant]

    def send(self, job: Job, *, delay: int = 0) -> None:
        self.sent.append((job, delay))


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
    body = {"zoom_user_id": "ada", "email": "ada@example.com"}
    status, told, headers = ask(erasures, "POST", "/erasures", body)
    assert (status, told["state"], told["about"]) == (202, "running", "person")
    assert headers["location"] == f"/erasures/{erasure_id('acme', 'ada')}"
    assert "ada" not in json.dumps(told)
    assert work.sent == [(ADA, 0)]
    assert ask(erasures, "GET", headers["location"])[1] == told
    assert ask(erasures, "GET", "/erasures")[1] == {"erasures": [told]}


def test_a_whole_tenant_is_erased_by_its_own_name(erasures: ModuleType, work: Work) -> None:
    """The key that asked stays until the receipt has been read."""
    assert ask(erasures, "POST", "/erasures", {"tenant": "acme"})[1]["about"] == "tenant"
    [job] = work.begun
    assert (job.wanted, job.keep_key) == (Wanted(tenant="acme"), "k1")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"tenant": "beta"},
        {"tenant": "acme", "zoom_user_id": "ada"},
        {"email": "ada@example.com"},
        {"zoom_user_id": ""},
        {"zoom_user_id": 7},
        {"zoom_user_id": "ada", "emial": "ada@example.com"},
        [],
    ],
)
def test_what_is_not_clear_erases_nothing(erasures: ModuleType, work: Work, body: Any) -> None:
    """A slip of the pen is a 400 in Zoom's shape."""
    status, told, _ = ask(erasures, "POST", "/erasures", body)
    assert (status, told["code"], work.begun) == (400, 300, [])


@pytest.mark.parametrize("scope", ["connections:write", "connections:all", "erasures:read"])
def test_it_takes_a_scope_of_its_own(erasures: ModuleType, work: Work, scope: str) -> None:
    """No other scope erases, and a key bound to one connection never does."""
    other = Principal("acme", "key:k2", frozenset({scope}))
    bound = Principal("acme", "key:k3", frozenset({"erasures:write"}), "con_1")
    assert ask(erasures, "POST", "/erasures", {"zoom_user_id": "ada"}, other)[0] == 403
    assert ask(erasures, "POST", "/erasures", {"zoom_user_id": "ada"}, bound)[0] == 409
    assert work.begun == []


def test_another_tenants_receipt_is_unknown(erasures: ModuleType) -> None:
    """404, whether it exists or not."""
    _, _, headers = ask(erasures, "POST", "/erasures", {"zoom_user_id": "ada"})
    rival = Principal("beta", "key:k", frozenset({"*"}))
    assert ask(erasures, "GET", headers["location"], None, rival)[0] == 404
    assert ask(erasures, "GET", "/erasures", None, rival)[1] == {"erasures": []}


def go(module: ModuleType, *bodies: Any) -> list[str]:
    records = [{"messageId": str(at), "body": json.dumps(body)} for at, body in enumerate(bodies)]
    failed = module.handler({"Records": records}, LambdaContext())["batchItemFailures"]
    return [each["itemIdentifier"] for each in failed]


def test_work_goes_on_in_another_message(erasures: ModuleType, work: Work) -> None:
    """At once where time ran out, after a while for the second look, and never again once it is done."""
    cut = Job(wanted=ADA.wanted, stage=Stage.EVENTS, after=("acme#event#1", "event"))
    second = Job(wanted=ADA.wanted, stage=Stage.EVENTS, again=False)
    work.begin(ADA)
    work.goes = [cut, second, None]
    assert go(erasures, to_message(ADA), to_message(cut), to_message(second)) == []
    assert work.sent == [(cut, 0), (second, 300)]


def test_a_message_is_kept_until_it_is_done(erasures: ModuleType, work: Work) -> None:
    """A table that is away, and what nobody can read, come back; the latter ends in the dead-letter queue."""
    work.away = True
    assert go(erasures, to_message(ADA), {"action": "else"}, {"no": "job"}) == ["0", "1", "2"]
