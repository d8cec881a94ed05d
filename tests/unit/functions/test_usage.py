"""The usage function, from event to answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.fakes.edge import LambdaContext, http_event
from zoom_common.access.principal import Principal
from zoom_common.gateway.usage import Usage

OPERATOR = Principal("acme", "key:k", frozenset({"usage:read"}))


class Store:
    """Every day has one call of each of two connections."""

    def between(self, tenant: str, first: date, last: date) -> Iterator[Usage]:
        yield Usage(first, tenant, "con_1", "meetings.get", 1, 1, 0)
        yield Usage(last, tenant, "con_2", "meetings.create", 2, 3, 1)

    def of(self, day: date, tenant: str | None = None) -> Iterator[Usage]:  # noqa: ARG002 - the seam's signature
        return iter(())


@pytest.fixture
def ask(function: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Status and body of the answer to `GET /usage`."""
    module = function("usage")
    monkeypatch.setattr(module, "live", Store)
    monkeypatch.setattr(module, "kept", Store)
    monkeypatch.setattr(module, "connections", SimpleNamespace)

    def answer(query: str = "", principal: Principal = OPERATOR) -> tuple[int, dict[str, Any]]:
        given = module.handler(http_event("GET", "/usage", query=query, principal=principal), LambdaContext())
        return given["statusCode"], json.loads(given["body"])

    return answer


def test_usage_is_listed_with_its_sums(ask: Callable[..., Any]) -> None:
    """By day, connection and operation, for the days that were asked for."""
    status, body = ask("from=2026-11-01&to=2026-11-02")
    assert (status, body["from"], body["to"]) == (200, "2026-11-01", "2026-11-02")
    assert body["totals"] == {"calls": 3, "requests": 4, "refused": 1}
    assert body["usage"][0] == {
        "date": "2026-11-01",
        "connection": "con_1",
        "operation": "meetings.get",
        "calls": 1,
        "requests": 1,
        "refused": 0,
    }


def test_without_days_it_is_the_last_month(ask: Callable[..., Any]) -> None:
    """31 days, today included."""
    _, body = ask()
    assert (date.fromisoformat(body["to"]) - date.fromisoformat(body["from"])).days == 30


@pytest.mark.parametrize(("query", "left"), [("connection=con_2", "con_2"), ("operation=meetings.get", "con_1")])
def test_one_connection_or_operation_can_be_asked_for(ask: Callable[..., Any], query: str, left: str) -> None:
    """The sums are of what is listed."""
    _, body = ask(query)
    assert [each["connection"] for each in body["usage"]] == [left]


def test_a_bound_key_sees_its_connection_only(ask: Callable[..., Any]) -> None:
    """What it can not reach, it does not learn about."""
    _, body = ask(principal=Principal("acme", "key:k", frozenset({"usage:read"}), connection="con_1"))
    assert {each["connection"] for each in body["usage"]} == {"con_1"}


@pytest.mark.parametrize("query", ["from=yesterday", "from=2026-01-01&to=2026-12-31", "from=2026-02-01&to=2026-01-01"])
def test_days_are_checked(ask: Callable[..., Any], query: str) -> None:
    """Wrong days are refused in Zoom's shape."""
    status, body = ask(query)
    assert (status, body["code"]) == (400, 300)


def test_the_scope_is_its_own(ask: Callable[..., Any]) -> None:
    """Who may call Zoom need not see what others call."""
    status, _ = ask(principal=Principal("acme", "key:k", frozenset({"meetings:read"})))
    assert status in {400, 401, 403}
