"""One request to Zoom, sent as often as is safe and as the deadline and the budget allow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from zoom_common.deadline import Deadline
from zoom_common.errors import OutcomeUnknown, TooManyRequests, ZoomUnavailable
from zoom_common.gateway.budget import Spend, Turn
from zoom_common.gateway.record import CallRecord
from zoom_common.gateway.retries import Outcome, wait_before_retry
from zoom_common.transport import AnswerLost, NotSent, Transport
from zoom_common.zoom import limits
from zoom_common.zoom.api import is_answer
from zoom_common.zoom.operations import Operation
from zoom_common.zoom.wire import HttpRequest, HttpResponse

# A read that hangs is given up early enough for another try.
READ_TIMEOUT = 12.0
_LEAST_TIME = 0.5
# Connecting comes before the wait for an answer and is not part of its timeout.
_SHARE_OF_THE_REST = 0.9
# In seconds. Nothing wakes more punctually, and the network is less so: pacing leaves thirty times as much in a second.
_SHORTEST_SLEEP = 0.001


class Turns(Protocol):
    """Who says when a request may be sent: `Budget`."""

    def turn(self, spend: Spend, deadline: Deadline) -> Turn: ...  # noqa: D102

    def left(self, spend: Spend) -> int: ...  # noqa: D102

    def refused(self, spend: Spend, refusal: limits.Refusal) -> None: ...  # noqa: D102


@dataclass(slots=True, kw_only=True)
class Attempt:
    """One request and all its tries. `before_sending` is called once a try is sure to be made, before it is."""

    operation: Operation
    request: HttpRequest
    spend: Spend
    deadline: Deadline
    record: CallRecord = field(default_factory=CallRecord)
    before_sending: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Sends requests. `clock` gives epoch seconds, `sleep` takes seconds, `random` gives 0 up to 1."""

    transport: Transport
    turns: Turns
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]

    def send(self, attempt: Attempt) -> HttpResponse:
        """Zoom's answer, whatever it says.

        Raises ZoomUnavailable when nothing can have happened, OutcomeUnknown when something may have, and
        TooManyRequests when the budget has no room for the first try.
        """
        tries = 0
        outcome: Outcome | None = None
        while True:
            if not attempt.deadline.allows(_LEAST_TIME):
                raise ZoomUnavailable(reason="deadline_exceeded")
            try:
                turn = self.turns.turn(attempt.spend, attempt.deadline)
            except TooManyRequests:
                attempt.record.budget_left = 0
                if outcome is None:
                    raise
                return settled(attempt.operation, outcome)
            self._await(turn, attempt)
            if not attempt.deadline.allows(_LEAST_TIME):  # a store that was slow has taken it
                if outcome is not None:
                    return settled(attempt.operation, outcome)
                raise ZoomUnavailable(reason="deadline_exceeded")
            outcome = self._try(attempt)
            tries += 1
            wait = self._wait(attempt, outcome, tries)
            if wait is None or not attempt.deadline.allows(wait + _LEAST_TIME):
                return settled(attempt.operation, outcome)
            attempt.record.waited += wait
            self.sleep(wait)

    def _await(self, turn: Turn, attempt: Attempt) -> None:
        record = attempt.record
        record.budget_left, record.left_today = turn.left, turn.left_today
        record.local_budget = record.local_budget or turn.local
        due = self.clock() + turn.wait
        attempt.before_sending()
        rest = due - self.clock()
        if rest > _SHORTEST_SLEEP:
            self.sleep(rest)
        record.waited += turn.wait

    def _try(self, attempt: Attempt) -> Outcome:
        timeout = attempt.deadline.remaining() * _SHARE_OF_THE_REST
        if attempt.operation.safe_to_retry:
            timeout = min(timeout, READ_TIMEOUT)
        attempt.record.tries += 1
        attempt.record.status = None
        began = self.clock()
        try:
            response = self.transport.send(attempt.request, timeout=timeout)
        except (NotSent, AnswerLost) as lost:
            return lost
        finally:
            attempt.record.latency += self.clock() - began
        attempt.record.status = response.status
        return response

    def _wait(self, attempt: Attempt, outcome: Outcome, tries: int) -> float | None:
        now, operation = self.clock(), attempt.operation
        if isinstance(outcome, HttpResponse) and outcome.status == 429:  # noqa: PLR2004 - HTTP's own number
            attempt.record.refused += 1
            refusal = limits.read(outcome, counts_for_user=operation.counts_for_user, now=now)
            self.turns.refused(attempt.spend, refusal)
        return wait_before_retry(operation, outcome, tries=tries, now=now, random=self.random)


def settled(operation: Operation, outcome: Outcome) -> HttpResponse:
    """The answer in a final outcome. Raises what the lack of one means."""
    if isinstance(outcome, NotSent):
        raise ZoomUnavailable from None
    if isinstance(outcome, HttpResponse) and is_answer(outcome):
        return outcome
    if operation.method == "GET":
        raise ZoomUnavailable(reason="zoom_gave_no_answer") from None
    raise OutcomeUnknown(hint=_how_to_check(operation)) from None


def _how_to_check(operation: Operation) -> str:
    if operation.method == "POST":
        return "List what exists before sending it again. Instant meetings are never listed."
    return "Read it again to see whether the change arrived."
