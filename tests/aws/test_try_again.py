"""The operator's command that has tokens of given-up connections tried, against moto."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from ops import try_again
from tests.stores.connection_items import stored
from zoom_common.aws.table import CONNECTIONS, Table
from zoom_common.connections.model import State

pytestmark = pytest.mark.aws

GIVEN_UP = {"state": State.REAUTHORIZATION_REQUIRED, "due_at": None}


class Stack:
    """A stack whose refresh function answers as `answers` says, and remembers what it was asked."""

    def __init__(self, dynamodb: DynamoDBClient, table: str) -> None:
        self.dynamodb, self.table = dynamodb, table
        self.asked: list[dict[str, Any]] = []
        self.answer: dict[str, Any] = {"outcome": "refreshed", "state": "connected", "reason": None}

    def client(self, service: str) -> Any:
        return self.dynamodb if service == "dynamodb" else self

    def resource(self, logical_id: str) -> str:
        return self.table if logical_id == "ConnectionsTable" else logical_id

    def invoke(self, FunctionName: str, Payload: bytes) -> dict[str, Any]:  # noqa: N803 - AWS's names
        assert FunctionName == "TokenRefreshFunction:live"
        self.asked.append(json.loads(Payload))
        return {"Payload": io.BytesIO(json.dumps(self.answer).encode())}


@pytest.fixture
def stack(dynamodb: DynamoDBClient, connections_table: str, monkeypatch: pytest.MonkeyPatch) -> Stack:
    """Two tenants with connections of every kind."""
    made, table = Stack(dynamodb, connections_table), Table(dynamodb, connections_table, CONNECTIONS)
    stored(table, connection_id="con_1")
    stored(table, connection_id="con_2", reason="invalid_grant", **GIVEN_UP)
    stored(table, connection_id="con_3", reason="superseded", **GIVEN_UP)
    stored(table, connection_id="con_4", reason="app_deauthorized", sealed_refresh=b"", **GIVEN_UP)
    stored(table, tenant="globex", connection_id="con_5", reason="revoked", **GIVEN_UP)
    monkeypatch.setattr(try_again, "deployed", lambda _: made)
    return made


def test_without_yes_nothing_is_tried(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """It lists what would be, and why and since when it was given up."""
    assert try_again.main(["--all"]) == 0
    *listed, last = capsys.readouterr().out.splitlines()
    assert [(each["connection"], each["reason"]) for each in map(json.loads, listed)] == [
        ("con_2", "invalid_grant"),
        ("con_5", "revoked"),
    ]
    assert "2 would be tried" in last
    assert stack.asked == []


@pytest.mark.parametrize(
    ("line", "tried"),
    [
        ("--all --yes", ["con_2", "con_5"]),
        ("acme --yes", ["con_2"]),
        ("globex --connection con_5 --yes", ["con_5"]),
    ],
)
def test_one_a_tenants_or_all_are_tried(stack: Stack, line: str, tried: list[str]) -> None:
    """Never what another tenant holds by now, or what has no tokens."""
    assert try_again.main(line.split()) == 0
    assert [each["connection_id"] for each in stack.asked] == tried
    assert {each["action"] for each in stack.asked} == {"try_again"}


def test_what_zoom_still_refuses_shows(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    """In the exit status, and in what is printed."""
    stack.answer = {"outcome": "reauthorization_required", "state": "reauthorization_required", "reason": "x"}
    assert try_again.main(["acme", "--yes"]) == 1
    assert json.loads(capsys.readouterr().out.splitlines()[0])["outcome"] == "reauthorization_required"


@pytest.mark.parametrize("connection", ["con_1", "con_3", "con_4", "con_5", "con_9"])
def test_what_may_not_be_tried_is_refused(stack: Stack, connection: str) -> None:
    """A connection that works, another tenant's, one that is superseded, without tokens, or unknown."""
    assert try_again.main(["acme", "--connection", connection, "--yes"]) == 1
    assert stack.asked == []


@pytest.mark.parametrize("line", ["", "acme --all", "--all --connection con_1"])
def test_a_command_that_does_not_say_which_is_refused(line: str) -> None:
    """Before a stack is looked for."""
    with pytest.raises(SystemExit):
        try_again.main(line.split())
