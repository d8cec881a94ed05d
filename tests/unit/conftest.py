"""Unit tests know no network: whatever opens a socket fails, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import pytest
from pytest_socket import disable_socket, enable_socket

from tests.fakes.handlers import load
from zoom_common import observability


@pytest.fixture(autouse=True)
def no_network() -> Iterator[None]:
    """Refuse every socket but Unix ones (event loops need those) while a unit test runs."""
    disable_socket(allow_unix_socket=True)
    yield
    enable_socket()


@pytest.fixture(autouse=True)
def no_correlation() -> None:
    """Start each test without the correlation id of another."""
    observability.begin_correlation()


@dataclass(slots=True)
class Observed:
    """What the code under test told its operators."""

    lines: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    counted: list[tuple[str, int, dict[str, str]]] = field(default_factory=list)

    def __getattr__(self, level: str) -> Callable[..., None]:
        """Stand in for a logger: `observed.warning("refused", reason=...)` becomes a line."""
        return lambda message, **fields: self.lines.append((level, message, fields))

    def count(self, name: str, value: int = 1, **dimensions: str) -> None:
        """Stand in for `observability.count`."""
        self.counted.append((name, value, dimensions))

    def text(self) -> str:
        """All of it, to look for what must not be there."""
        return repr((self.lines, self.counted))


@pytest.fixture
def observed(monkeypatch: pytest.MonkeyPatch) -> Observed:
    """Collect log lines and counts instead of printing them."""
    found = Observed()
    monkeypatch.setattr(observability, "logger", lambda: found)
    monkeypatch.setattr(observability, "count", found.count)
    return found


@pytest.fixture(scope="session")
def function() -> Callable[[str], ModuleType]:
    """Load a Lambda function's handler module as Lambda does: `function("health").handler(event, context)`."""
    return load
