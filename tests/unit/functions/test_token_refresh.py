"""The function `token_refresh`: sweep, queues and direct calls over a vault in memory."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.fakes.aws_services import FakeSqs
from tests.fakes.connections import START, World
from tests.fakes.edge import LambdaContext
from tests.fakes.handlers import load
from zoom_common.connections.queues import RefreshQueue, to_message
from zoom_common.connections.refresh.effects import Write
from zoom_common.settings import MissingSetting
from zoom_common.wiring import vault
from zoom_common.wiring.vault import TokenRefreshSettings

HANDLER = Path(__file__).parents[3] / "functions" / "token_refresh" / "handler.py"
SAMPLES = HANDLER.parents[2] / "events"


class Function(World):
    """The function, and what invokes it."""

    def __init__(self, module: ModuleType) -> None:
        super().__init__()
        self.left = 60_000
        vars(module)["time"] = SimpleNamespace(time=self.clock)
        self.module, self.queue = module, FakeSqs()
        wired = vault.Refreshing(
            self.memory,
            self.store,
            RefreshQueue(self.queue.client(), "refresh"),
            self.refresher,
            self.revocation,
            self.disconnection,
            self.placement,
            self.outbox,
        )
        vars(module)["wiring"] = lambda: wired

    def invoke(self, event: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self.module.handler(event, LambdaContext(remaining_ms=self.left))
        return answer

    def batch(self, *bodies: Any) -> list[str]:
        records = [
            {"messageId": str(at), "body": body if isinstance(body, str) else json.dumps(body)}
            for at, body in enumerate(bodies)
        ]
        return [each["itemIdentifier"] for each in self.invoke({"Records": records})["batchItemFailures"]]


@pytest.fixture
def function() -> Function:
    return Function(load("token_refresh"))


DUE = {"action": "refresh", "tenant": "acme", "connection_id": "con_1"}


def test_the_sweep_hands_out_what_is_due(function: Function) -> None:
    """The schedule's event becomes messages."""
    assert function.invoke({"action": "sweep"}) == {"enqueued": 1}
    assert [json.loads(body) for body in function.queue.bodies] == [DUE]


def test_a_worker_refreshes(function: Function) -> None:
    """A message that comes twice does nothing the second time."""
    assert function.batch(DUE, DUE) == []
    assert (function.item.version, len(function.zoom.requests)) == (2, 1)


def test_only_the_message_that_failed_comes_back(function: Function) -> None:
    """And what nobody can read ends in the dead-letter queue."""
    assert function.batch("{", DUE, {"action": "dance"}, {"action": "restore"}, {"action": "refresh"}) == [
        "0",
        "2",
        "3",
        "4",
    ]


def test_what_no_longer_fits_comes_back(function: Function) -> None:
    """An attempt is not begun that the function's end could cut off."""
    function.left = 20_000
    assert function.batch(DUE) == ["0"]
    assert function.zoom.requests == []


def test_failures_of_zoom_do_not_come_back(function: Function) -> None:
    """They rest in the due index, with a cool-down; the queue would only hammer."""
    function.zoom.faults = ["never_sent"]
    assert function.batch(DUE) == []
    assert function.item.cool_until > START


def test_a_table_that_is_away_keeps_the_message(function: Function) -> None:
    """Nothing was even looked at."""
    function.memory.faults["get"] = 1
    assert function.batch(DUE) == ["0"]


def test_a_fault_of_ours_keeps_the_message_and_is_counted(
    function: Function, capsys: pytest.CaptureFixture[str]
) -> None:
    """DynamoDB will not take this request the next time either, so an alarm rings; other messages are looked at."""
    function.memory.refuses = {"get"}
    assert function.batch(DUE, "{") == ["0", "1"]
    assert '"UnexpectedErrors":1' in capsys.readouterr().out


def test_escrow_is_restored(function: Function) -> None:
    """The pair becomes the current one; while the table is away the queue keeps it."""
    worker = function.worker("w").until(Write)
    assert isinstance(worker.step, Write)
    message = to_message(worker.step.pair)
    function.memory.faults["write"] = 1
    assert function.batch(message) == ["0"]
    assert function.batch(message) == []
    assert function.current == "refresh-1"


def test_on_demand(function: Function) -> None:
    """The answer names outcome and version, and nothing else."""
    event = DUE | {"seen_version": 1, "wait": 5}
    assert function.invoke(event) == {"outcome": "refreshed", "version": 2}
    assert function.invoke(event) == {"outcome": "current", "version": 2}


def test_touch(function: Function) -> None:
    """An API function says that a connection is in use."""
    assert function.invoke({"action": "touch", "tenant": "acme", "connection_id": "con_1"}) == {"touched": True}


def test_a_new_token_that_zoom_refuses_is_noted(function: Function) -> None:
    """An API function says so; it may write nothing itself."""
    event = {"action": "refused", "tenant": "acme", "connection_id": "con_1", "version": 1}
    assert function.invoke(event) == {"ended": False}
    assert (function.item.refused_version, function.item.refusals) == (1, 1)


def test_a_token_that_zoom_accepts_ends_a_streak(function: Function) -> None:
    """An API function says so, once the refusals stand on the connection that it read."""
    function.change(refused_version=1, refusals=2)
    event = {"action": "accepted", "tenant": "acme", "connection_id": "con_1", "version": 1}
    assert [function.invoke(event) for _ in range(2)] == [{"cleared": True}, {"cleared": False}]
    assert function.item.refusals == 0


def test_an_unknown_event(function: Function) -> None:
    """Fails, so that whoever sent it notices."""
    with pytest.raises(ValueError, match="no known action"):
        function.invoke({})


def test_a_pair_that_nothing_takes_is_loud(function: Function) -> None:
    """The queue's message comes back, and a direct caller gets an error."""
    function.memory.faults["write"] = 10_000
    function.sqs.away = True
    assert function.batch(DUE) == ["0"]


def test_settings_name_what_is_missing() -> None:
    """The variable, never a value."""
    with pytest.raises(MissingSetting, match="CONNECTIONS_TABLE"):
        TokenRefreshSettings.from_env({})


@pytest.mark.parametrize("sample", sorted(SAMPLES.glob("token-refresh-*.json")), ids=lambda path: path.stem)
def test_the_sample_events_are_true(function: Function, sample: Path) -> None:
    """Each is understood; none of them is about a connection that exists."""
    answer = function.invoke(json.loads(sample.read_text()))
    assert answer in (
        {"batchItemFailures": []},
        {"enqueued": 1},
        {"outcome": "current", "version": 0},
        {"touched": False},
        {"ended": False},
    )


def test_a_revoke_is_tried_until_zoom_answers(function: Function) -> None:
    """While Zoom is silent the message stays; once it has answered, the message is done with."""
    function.change(access_expires_at=START + 3000)
    function.zoom.faults = ["never_sent", "never_sent"]
    assert function.disconnection.disconnect(function.item).queued
    [message] = function.sqs.bodies
    assert function.batch(message) == ["0"]
    assert function.batch(message) == []
    assert function.zoom.revoked == ["access-0"]
