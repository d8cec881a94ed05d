"""A line that breaks while a request is on its way: it is closed, and only errors of the line itself are kept back."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from zoom_common.aws.caller import SharedConnection
from zoom_common.aws.https import Answer


class Line:
    """A connection that fails when it sends or when it is read, as told."""

    def __init__(self, *, sending: BaseException | None = None, reading: BaseException | None = None) -> None:
        self.closed = 0
        self._sending = sending
        self._reading = reading

    def close(self) -> None:
        self.closed += 1

    def open(self, seconds: float) -> None:
        raise NotImplementedError

    def send(
        self, headers: Mapping[str, str], body: bytes, seconds: float, *, path: str = "/", connect: bool = True
    ) -> None:
        del headers, body, seconds, path, connect
        if self._sending is not None:
            raise self._sending

    def answer(self, seconds: float | None = None) -> Answer:
        del seconds
        if self._reading is not None:
            raise self._reading
        return 200, {}, b"{}"


def test_an_error_of_the_line_is_the_owners_of_the_answer() -> None:
    """Sending raises nothing; reading the answer raises the error."""
    for line in (Line(sending=ConnectionError()), Line(reading=TimeoutError())):
        pending = SharedConnection(line).send({}, b"", 1.0)
        with pytest.raises(OSError, match="no answer"):
            pending.answer()
        assert line.closed == 1


@pytest.mark.parametrize("fault", [MemoryError(), ValueError(), KeyboardInterrupt()])
def test_any_other_fault_is_raised_at_once_and_closes_the_line(fault: BaseException) -> None:
    """What might still come would be the answer to somebody else's next request."""
    line = Line(sending=fault)
    with pytest.raises(type(fault)):
        SharedConnection(line).send({}, b"", 1.0)
    assert line.closed == 1
    line = Line(reading=fault)
    pending = SharedConnection(line).send({}, b"", 1.0)
    with pytest.raises(type(fault)):
        pending.answer()
    assert line.closed == 1
