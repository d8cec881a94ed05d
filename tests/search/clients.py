"""The clients that code under search has: each request goes to a line. Writers are named, and nothing is logged."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from typing import Any
from unittest import mock

from tests.search.outside import Call, Outside, World
from tests.search.replay import Line
from zoom_common import observability
from zoom_common.aws import table


class DynamoDB:
    """DynamoDB's operations by boto3's names."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def __getattr__(self, operation: str) -> Any:
        """Return the operation of this name."""
        return lambda **request: self._line.ask("dynamodb", operation, request)


class Sqs:
    """A queue to send to."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def send_message(self, **request: Any) -> Any:
        """Send one message."""
        return self._line.ask("sqs", "send", (request["MessageBody"], request.get("DelaySeconds", 0)))


class Transport:
    """The way to Zoom."""

    def __init__(self, line: Line) -> None:
        self._line = line

    def send(self, request: Any, *, timeout: float) -> Any:
        """Return Zoom's response."""
        assert timeout > 0
        return self._line.ask("zoom", f"{request.method} {request.url.rpartition('/')[2]}", request)


class Direct(Line):
    """A line that carries every call out at once, on a world of its own."""

    def __init__(self, outside: Outside, world: World) -> None:
        super().__init__([], world.now)
        self.outside, self.world = outside, world

    def ask(self, service: str, operation: str = "", request: Any = None) -> Any:
        """Return or raise the answer."""
        self.world, answer = self.outside.carry_out(self.world, Call(service, operation, request), asked_at=self.now)
        self.now = answer.now
        if answer.error is not None:
            raise answer.error
        return answer.value


# Writers of conditional writes, the same ones each time a run is run again. Runs go one after the other.
_writers: list[Iterator[str]] = [iter(())]


def name_writers(name: str) -> None:
    """Let the writes that follow have the writers `name`-1, `name`-2, and so on."""
    _writers[0] = (f"{name}-{each}" for each in count(1))


def _next_writer() -> str:
    return next(_writers[0])


@contextmanager
def quiet() -> Iterator[None]:
    """Write no logs and metrics: a search makes millions."""
    silent = mock.MagicMock()
    with ExitStack() as stack:
        for name in ("count", "logger", "fault"):
            stack.enter_context(mock.patch.object(observability, name, silent))
        stack.enter_context(mock.patch.object(table, "_new_writer", _next_writer))
        yield
