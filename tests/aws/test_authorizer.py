"""The authorizer as Lambda runs it, wired to its table."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from mypy_boto3_dynamodb import DynamoDBClient

from tests.fakes.dynamodb_outage import throttled
from tests.fakes.edge import LambdaContext
from tests.fakes.handlers import load
from zoom_common.access.key_store import ApiKeyStore
from zoom_common.access.keys import Credential, issue
from zoom_common.access.principal import Principal
from zoom_common.aws import clients
from zoom_common.aws.table import Table

pytestmark = pytest.mark.aws

ROOT = Path(__file__).parents[2]
EVENT: dict[str, Any] = json.loads((ROOT / "events" / "authorizer-api-key.json").read_text())


@pytest.fixture
def authorizer() -> ModuleType:
    """The handler's module, fresh, as in a new container."""
    return load("authorizer")


def test_the_sample_events_key_is_found(
    authorizer: ModuleType, dynamodb: DynamoDBClient, connections_table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Environment, client, table and key, end to end."""
    monkeypatch.setenv("CONNECTIONS_TABLE", connections_table)
    credential = Credential.parse(EVENT["headers"]["authorization"].removeprefix("Bearer "))
    assert credential is not None
    key = issue(credential, tenant="acme", name="sample", scopes=["*"], now=0)
    ApiKeyStore(Table(dynamodb, connections_table)).add(key)
    answer = authorizer.handler(EVENT, LambdaContext())
    assert answer["isAuthorized"] is True
    assert Principal.from_context(answer["context"]) == key.principal()


@pytest.mark.parametrize(
    ("usual", "own", "limit"), [("", None, None), ("0", None, None), ("600", None, 600), ("600", 5, 5)]
)
def test_a_key_without_a_limit_has_the_usual_one(
    authorizer: ModuleType,
    dynamodb: DynamoDBClient,
    connections_table: str,
    monkeypatch: pytest.MonkeyPatch,
    *,
    usual: str,
    own: int | None,
    limit: int | None,
) -> None:
    """Where the stack has one; a key's own goes before it."""
    monkeypatch.setenv("CONNECTIONS_TABLE", connections_table)
    monkeypatch.setenv("KEY_REQUESTS_PER_MINUTE", usual)
    credential = Credential.parse(EVENT["headers"]["authorization"].removeprefix("Bearer "))
    assert credential is not None
    key = issue(credential, tenant="acme", name="sample", scopes=["*"], now=0, requests_per_minute=own)
    ApiKeyStore(Table(dynamodb, connections_table)).add(key)
    principal = Principal.from_context(authorizer.handler(EVENT, LambdaContext())["context"])
    assert principal is not None
    assert principal.requests_per_minute == limit


def test_a_table_that_is_not_there_is_no_answer(authorizer: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is said about the key that the API could keep."""
    monkeypatch.setenv("CONNECTIONS_TABLE", "no-such-table")
    with pytest.raises(Exception, match=r"^internal_error$"):
        authorizer.handler(EVENT, LambdaContext())


def test_a_table_that_throttles_is_no_answer(authorizer: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next request of the same key may find it awake."""
    monkeypatch.setenv("CONNECTIONS_TABLE", "connections")
    monkeypatch.setattr(clients, "impatient_dynamodb", cache(throttled))
    with pytest.raises(Exception, match=r"^unavailable$"):
        authorizer.handler(EVENT, LambdaContext())
