"""The made-up work of `make console-data` shows in every part of the console."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dev import console_data
from tests.fakes.edge import LambdaContext, http_event
from tests.fakes.own_site import MODULES, fill, own_site
from zoom_common.access.principal import Principal
from zoom_common.aws import clients

pytestmark = pytest.mark.aws


class Stack:
    """The stack of the test: its tables, and one dead-letter queue for all."""

    def client(self, service: Any) -> Any:
        return clients.boto3_client(service)

    def resource(self, name: str) -> str:
        if name.endswith("Table"):
            return name.removesuffix("Table").lower()
        return clients.boto3_client("sqs").get_queue_url(QueueName="escrow-dead")["QueueUrl"]


@pytest.fixture(autouse=True)
def site(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """A stack that was just filled."""
    file = tmp_path / "stack.json"
    file.write_text(json.dumps({"zoom_client_id": "app"}))
    monkeypatch.setattr(console_data, "STACK_FILE", file)
    monkeypatch.setattr(console_data, "deployed", lambda _: Stack())
    with own_site():
        fill()
        assert console_data.main() == 0
        yield


def shown(path: str) -> dict[str, Any]:
    operator = Principal("t", "key:k", frozenset({"operator:read"}))
    answer = MODULES["operator"].handler(http_event("GET", f"/operator/{path}", principal=operator), LambdaContext())
    assert answer["statusCode"] == 200
    body: dict[str, Any] = json.loads(answer["body"])
    return body


def test_every_part_has_something_to_show() -> None:
    """Connections in several states, calls of every outcome, events of many types, keys made and revoked."""
    states = shown("connections")["states"]
    assert all(states[each] for each in ("connected", "refresh_failing", "reauthorization_required", "pending"))
    calls = shown("calls")
    assert all(sum(day[kind] for day in calls["days"]) for kind in ("ok", "refused", "limited", "failed"))
    assert calls["budgets"]["daily"][0]["zoom_account_id"].startswith("seed-account-")
    events = shown("events")
    assert len(events["types"]) >= 5
    assert all(sum(day[kind] for day in events["days"]) for kind in ("published", "unrouted", "duplicates"))
    assert sum(day["refreshed"] for day in shown("refreshes")["days"])
    keys = shown("keys")
    assert (keys["limited"], keys["states"]["revoked"]) == (3, 3)
    assert shown("dead-letters")["queues"][0]["dead_letters"] == 2
