"""A key's limit holds wherever it is used, and is counted in one table."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from benchmarks.scenario import settings
from tests.fakes.edge import LambdaContext, http_event
from zoom_common.access.principal import Principal
from zoom_common.errors import TooManyRequests
from zoom_common.wiring import throttle as wiring

HANDLERS = (Path(__file__).parents[3] / "functions").glob("*/handler.py")
ANSWERING = sorted(each.parent.name for each in HANDLERS if "zoom_common.edge.http import" in each.read_text())


class Spent:
    """A throttle whose minute is over."""

    def admit(self, caller: Principal) -> None:  # noqa: ARG002 - the seam's signature
        raise TooManyRequests(7, reason="key_rate_limit")


@pytest.mark.parametrize("name", ANSWERING)
def test_every_function_that_answers_counts_for_the_key(
    name: str, function: Callable[[str], ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every function counts the requests of a key with a limit, in the table that its settings name."""
    made: list[str] = []

    def throttle_in(table: str) -> Any:
        made.append(table)
        return Spent()

    monkeypatch.setattr(wiring, "throttle", cache(throttle_in))  # as the real one is
    module = function(name)
    for variable, value in settings(SimpleNamespace(url="https://aws.example")).items():  # type: ignore[arg-type]
        monkeypatch.setenv(variable, value)
    caller = Principal("acme", "key:abc", frozenset({"*"}), requests_per_minute=1)
    for _ in range(2):
        answer = module.handler(http_event(path="/nowhere", principal=caller), LambdaContext())
        assert (answer["statusCode"], json.loads(answer["body"])["reason"]) == (429, "key_rate_limit")
    assert made == ["coordination"]


def test_they_are_all_there() -> None:
    """All that the API leads to; the others have queues and schedules."""
    assert len(ANSWERING) == 14
