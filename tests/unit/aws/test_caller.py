"""A line that clients share: whatever happens on it and in whatever order, nobody gets another's answer."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, precondition, rule

from zoom_common.aws.caller import ConnectionPool, Pending, SharedConnection
from zoom_common.aws.https import Answer


class Interrupted(BaseException):
    """What comes from outside, at any moment."""


# What may go wrong: of the connection, of what it reads, of this process, and from outside.
FAULTS = (TimeoutError, ValueError, MemoryError, Interrupted)


@dataclass
class Wire:
    """A connection on which answers come in the order of their requests, read or not, until it is closed."""

    coming: deque[bytes] = field(default_factory=deque)
    connected: bool = False
    connects: int = 0
    waits: list[float | None] = field(default_factory=list)
    fault_before: type[BaseException] | None = None
    fault_after: type[BaseException] | None = None
    fault_reading: type[BaseException] | None = None

    def close(self) -> None:
        self.coming.clear()
        self.connected = False

    def send(
        self,
        headers: Mapping[str, str],  # noqa: ARG002 - the seam's signature
        body: bytes,
        seconds: float,  # noqa: ARG002 - as above
        *,
        path: str = "/",  # noqa: ARG002 - as above
        connect: bool = True,
    ) -> None:
        if not self.connected:
            if not connect:
                raise ConnectionError
            self.connects += 1
        self.connected = True
        self._fail("fault_before")
        self.coming.append(body)
        self._fail("fault_after")

    def answer(self, seconds: float | None = None) -> Answer:
        self.waits.append(seconds)
        self._fail("fault_reading")  # the answer is late, and comes after all
        if not self.coming:
            raise ConnectionError
        return 200, {}, self.coming.popleft()

    def _fail(self, when: str) -> None:
        fault: type[BaseException] | None = getattr(self, when)
        setattr(self, when, None)
        if fault is not None:
            raise fault


class Sharing(RuleBasedStateMachine):
    """Several owners begin, wait and ask on one line, and anything may fail in between."""

    begun: Bundle[tuple[bytes, Pending]] = Bundle("begun")

    def __init__(self) -> None:
        super().__init__()
        self.wire = Wire()
        self.line = SharedConnection(self.wire)
        self.asked = 0

    def _next(self) -> bytes:
        self.asked += 1
        return b"%d" % self.asked

    @rule(target=begun)
    def begin(self) -> tuple[bytes, Pending]:
        name = self._next()
        try:
            return name, self.line.send({}, name, 2.0)
        except FAULTS:
            return name, Pending(self.line)

    @rule()
    def post(self) -> None:
        name = self._next()
        with contextlib.suppress(*FAULTS):
            assert self.line.post({}, name, 5.0)[2] == name

    @rule(one=begun, seconds=st.sampled_from([None, 0.1]))
    def collect(self, one: tuple[bytes, Pending], seconds: float | None) -> None:
        name, sent = one
        with contextlib.suppress(OSError, *FAULTS):
            assert sent.answer(seconds)[2] == name

    @rule(
        when=st.sampled_from(["fault_before", "fault_after", "fault_reading"]),
        fault=st.sampled_from(FAULTS),
    )
    def fail(self, when: str, fault: type[BaseException]) -> None:
        setattr(self.wire, when, fault)

    @precondition(lambda self: self.wire.connected)
    @rule()
    def hang_up(self) -> None:
        self.wire.close()


TestSharing = Sharing.TestCase


def test_nobody_waits_for_a_connection_that_he_does_not_need_yet() -> None:
    """A request is sent if the connection is open. If not, it is not sent, and its answer raises."""
    wire = Wire()
    line = SharedConnection(wire)
    sent = line.send({}, b"1", 2.0)
    assert wire.connects == 0
    with pytest.raises(ConnectionError):
        sent.answer()
    assert line.post({}, b"2", 2.0)[2] == b"2"
    assert line.send({}, b"3", 2.0).answer()[2] == b"3"
    assert wire.connects == 1


def test_an_answer_may_be_given_up_early() -> None:
    """The owner of an answer may set a shorter wait; another request waits for the usual time."""
    wire = Wire(connected=True)
    line = SharedConnection(wire)
    line.send({}, b"1", 2.0).answer(0.1)
    line.send({}, b"2", 2.0)
    line.post({}, b"3", 5.0)
    assert wire.waits == [0.1, None, None]


def test_requests_at_once_have_a_connection_each() -> None:
    """Free ones are used first, so that there are no more than were ever needed at once."""
    wires: list[Wire] = []
    pool = ConnectionPool(lambda: _line(wires), most=3)
    sent = [pool.line().send({}, b"%d" % number, 2.0, connect=True) for number in range(3)]
    assert [wire.connects for wire in wires] == [1, 1, 1]
    assert [each.answer()[2] for each in sent] == [b"0", b"1", b"2"]
    pool.line().send({}, b"3", 2.0, connect=True)
    assert [len(wire.coming) for wire in wires] == [1, 0, 0]


def test_where_all_connections_are_busy_the_oldest_answer_is_read_first() -> None:
    """It is kept for its owner."""
    wires: list[Wire] = []
    pool = ConnectionPool(lambda: _line(wires), most=2)
    sent = [pool.line().send({}, b"%d" % number, 2.0, connect=True) for number in range(5)]
    assert len(wires) == 2
    assert [each.answer()[2] for each in reversed(sent)] == [b"4", b"3", b"2", b"1", b"0"]


def _line(wires: list[Wire]) -> SharedConnection:
    wires.append(Wire())
    return SharedConnection(wires[-1])


def test_threads_that_share_a_line_get_their_own_answers() -> None:
    """One begins and asks, two others post, each a hundred times."""
    line = SharedConnection(Wire(connected=True))
    found: dict[str, list[bytes]] = {"begun": [], "one": [], "other": []}

    def ask(who: str) -> None:
        for each in range(100):
            name = f"{who}{each}".encode()
            answer = line.send({}, name, 2.0).answer() if who == "begun" else line.post({}, name, 2.0)
            found[who].append(answer[2])

    threads = [threading.Thread(target=ask, args=(who,)) for who in found]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found == {who: [f"{who}{each}".encode() for each in range(100)] for who in found}
