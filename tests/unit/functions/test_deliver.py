"""The functions behind the queues of subscriptions: what is acknowledged, and what comes back."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.fakes.edge import LambdaContext
from tests.fakes.handlers import load
from zoom_common.errors import InternalError, Unavailable


def parts(**more: Any) -> SimpleNamespace:
    """Collaborators that answer as a test says."""
    return SimpleNamespace(tally=SimpleNamespace(write=lambda: None), **more)


def record(number: int, body: str = '{"tenant":"acme","subscription_id":"sub_1"}', receives: int = 1) -> dict[str, Any]:
    attributes = {"ApproximateReceiveCount": str(receives)}
    return {"messageId": f"m{number}", "receiptHandle": f"r{number}", "body": body, "attributes": attributes}


@pytest.fixture
def deliver(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = load("deliver")
    fan_out = SimpleNamespace(process=lambda records: [records[1]["messageId"]], sweep=lambda: 3)
    monkeypatch.setattr(module, "subscriptions", lambda: parts(fan_out=fan_out))
    return module


def test_a_message_that_could_not_be_delivered_comes_back(deliver: ModuleType) -> None:
    """Alone: the others of its batch are done."""
    answer = deliver.handler({"Records": [record(1), record(2)]}, LambdaContext())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m2"}]}


def test_the_schedule_wakes_what_is_due(deliver: ModuleType) -> None:
    """Its event has no messages."""
    assert deliver.handler({"action": "sweep"}, LambdaContext()) == {"woken": 3}


@pytest.mark.parametrize(
    ("came", "receives", "comes_back", "after"),
    [
        (None, 1, False, []),
        (0.0, 1, True, [("r1", 0.0)]),
        (4.5, 1, True, [("r1", 4.5)]),
        (0.0, 50, False, []),
        (Unavailable(reason="events_table"), 1, True, []),
        (InternalError(where="events_table", cause="AccessDenied"), 1, True, []),
    ],
)
def test_work_that_is_left_comes_back(
    monkeypatch: pytest.MonkeyPatch, came: Any, receives: int, *, comes_back: bool, after: list[tuple[str, float]]
) -> None:
    """At once where time ran out, when it is due where that is soon; after many slices the sweep goes on with it."""
    module, returned = load("redeliver"), list[Any]()

    def drain(*_: Any) -> Any:
        if isinstance(came, Exception):
            raise came
        return came

    wakes = SimpleNamespace(return_after=lambda *sent: returned.append(sent))
    monkeypatch.setattr(module, "subscriptions", lambda: parts(drain=SimpleNamespace(drain=drain), wakes=wakes))
    answer = module.handler({"Records": [record(1, receives=receives)]}, LambdaContext())
    assert (answer["batchItemFailures"] != []) is comes_back
    assert returned == after


def test_a_message_that_nobody_wrote_is_kept_as_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends as a dead letter."""
    module = load("redeliver")
    monkeypatch.setattr(module, "subscriptions", parts)
    answer = module.handler({"Records": [record(1, body="[]")]}, LambdaContext())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
