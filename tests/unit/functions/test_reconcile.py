"""The reconcile function: handing out, working through messages, and by hand."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.fakes.handlers import load
from zoom_common.errors import Unavailable, ZoomUnavailable
from zoom_common.events.reconciliation.reconciler import Reconciled
from zoom_common.events.webhook.secrets import UnusableSecrets

DONE = {
    "outcome": "reconciled",
    "compared": 2,
    "missing": 1,
    "settled": 1,
    "complete": True,
    "partial": {},
    "unseen": {},
}
HANDLER = Path(__file__).parents[3] / "functions" / "reconcile" / "handler.py"


class Context:
    """Five minutes left."""

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 300_000


class Reconciliation:
    """Remembers what it was asked; one connection cannot be reached."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, float, float | None]] = []
        self.apps: list[str] = []

    def hand_out(self) -> int:
        return 3

    def replay_unrouted(self, apps: list[str]) -> int:
        self.apps = apps
        return 0

    def reconcile(
        self, tenant: str, connection_id: str, deadline: object, *, settled: float, at: float | None
    ) -> Reconciled | None:
        assert deadline
        self.asked.append((tenant, connection_id, settled, at))
        if connection_id == "con_down":
            raise ZoomUnavailable
        if connection_id == "con_gone":
            return None
        if connection_id == "con_without_webinars":
            why = "no_plan_or_permission"
            return Reconciled(0, 0, 0, complete=True, unseen={"users/webinars": why}, partial={"webinars": why})
        return Reconciled(compared=2, missing=1, settled=1, complete=True)


class Health:
    """An hourly look at two apps, or one that fails."""

    def __init__(self) -> None:
        self.fault: Exception | None = None
        self.looks = 0

    def look(self) -> list[str]:
        self.looks += 1
        if self.fault:
            raise self.fault
        return ["A", "B"]


@pytest.fixture
def function(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = load("reconcile")
    fake = Reconciliation()
    monkeypatch.setattr(module, "reconciliation", lambda: fake)
    health = Health()
    monkeypatch.setattr(module, "webhook_health", lambda: health)
    return module


def message(name: str) -> dict[str, Any]:
    return {
        "messageId": name,
        "body": json.dumps({"action": "refresh", "tenant": "acme", "connection_id": f"con_{name}"}),
    }


def test_the_schedule_hands_out_every_connection(function: ModuleType) -> None:
    """The schedule queues every connection and checks Zoom's deliveries once."""
    assert function.handler({"action": "hand_out"}, Context()) == {"handed_out": 3, "looked_at_again": 0}
    assert function.reconciliation().asked == []
    assert function.webhook_health().looks == 1
    assert function.reconciliation().apps == ["A", "B"]


@pytest.mark.parametrize("fault", [Unavailable(reason="x"), UnusableSecrets("webhook_secrets_malformed")])
def test_a_look_that_fails_is_counted_and_keeps_nobody_waiting(
    function: ModuleType, capsys: pytest.CaptureFixture[str], fault: Exception
) -> None:
    """The round starts all the same."""
    function.webhook_health().fault = fault
    assert function.handler({"action": "hand_out"}, Context()) == {"handed_out": 3, "looked_at_again": 0}
    assert '"WebhookHealthUnknown":1' in capsys.readouterr().out


def test_a_look_by_hand(function: ModuleType) -> None:
    """It says how many apps it has looked at, and hands nothing out."""
    assert function.handler({"action": "webhook_health"}, Context()) == {"apps": 2}


def test_a_message_is_one_connection(function: ModuleType) -> None:
    """What failed comes back; a connection that is gone is done with."""
    records = [message("up"), message("down"), message("gone")]
    assert function.handler({"Records": records}, Context()) == {"batchItemFailures": [{"itemIdentifier": "down"}]}
    assert function.reconciliation().asked[0] == ("acme", "con_up", 7200.0, None)


def test_by_hand_it_says_what_came_of_it(function: ModuleType) -> None:
    """Also why it did not work."""
    work = {"action": "reconcile", "tenant": "acme", "connection_id": "con_up", "settled_seconds": 600, "at": 5.0}
    assert function.handler(work, Context()) == DONE
    assert function.reconciliation().asked == [("acme", "con_up", 600.0, 5.0)]
    assert function.handler({**work, "connection_id": "con_gone"}, Context()) == {"outcome": "not_in_use"}
    assert function.handler({**work, "connection_id": "con_down"}, Context())["outcome"] == "failed"


def test_what_zoom_does_not_show_is_said_and_counted(function: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """The connection is reconciled all the same; the metric says why."""
    work = {"action": "reconcile", "tenant": "acme", "connection_id": "con_without_webinars"}
    done = function.handler(work, Context())
    why = "no_plan_or_permission"
    said = (done["outcome"], done["partial"], done["unseen"])
    assert said == ("reconciled", {"webinars": why}, {"users/webinars": why})
    [line] = [json.loads(each) for each in capsys.readouterr().out.splitlines() if "ReconciledInPart" in each]
    assert (line["ReconciledInPart"], line["what"], line["reason"]) == (1, "webinars", why)


@pytest.mark.parametrize(
    ("sample", "answer"),
    [
        ("reconcile-round", {"handed_out": 3, "looked_at_again": 0}),
        ("reconcile-work", {"batchItemFailures": []}),
        ("reconcile-webhook-health", {"apps": 2}),
        ("reconcile-by-hand", DONE),
    ],
)
def test_the_samples_are_what_triggers_send(function: ModuleType, sample: str, answer: dict[str, Any]) -> None:
    """Each of them is understood."""
    event = json.loads((HANDLER.parents[2] / "events" / f"{sample}.json").read_text())
    assert function.handler(event, Context()) == answer
