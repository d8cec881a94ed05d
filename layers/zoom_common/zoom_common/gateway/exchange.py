"""One request to Zoom, sent as often as is safe and as the deadline allows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from zoom_common.deadline import Deadline
from zoom_common.errors import OutcomeUnknown, ZoomUnavailable
from zoom_common.gateway.retries import Outcome, wait_before_retry
from zoom_common.transport import AnswerLost, NotSent, Transport
from zoom_common.zoom.api import is_answer
from zoom_common.zoom.operations import Operation
from zoom_common.zoom.wire import HttpRequest, HttpResponse

# A read that hangs is given up early enough for another try.
READ_TIMEOUT = 12.0
_LEAST_TIME = 0.5
# Connecting comes before the wait for an answer and is not part of its timeout.
_SHARE_OF_THE_REST = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """Sends requests. `clock` gives epoch seconds, `sleep` takes seconds, `random` gives 0 up to 1."""

    transport: Transport
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]

    def send(self, operation: Operation, request: HttpRequest, deadline: Deadline) -> HttpResponse:
        """Zoom's answer, whatever it says.

        Raises ZoomUnavailable when nothing can have happened, and OutcomeUnknown when something may have.
        """
        tries = 0
        while True:
            if not deadline.allows(_LEAST_TIME):
                raise ZoomUnavailable(reason="deadline_exceeded")
            outcome = self._try(operation, request, deadline)
            tries += 1
            wait = wait_before_retry(operation, outcome, tries=tries, now=self.clock(), random=self.random)
            if wait is None or not deadline.allows(wait + _LEAST_TIME):
                return settled(operation, outcome)
            self.sleep(wait)

    def _try(self, operation: Operation, request: HttpRequest, deadline: Deadline) -> Outcome:
        timeout = deadline.remaining() * _SHARE_OF_THE_REST
        if operation.safe_to_retry:
            timeout = min(timeout, READ_TIMEOUT)
        try:
            return self.transport.send(request, timeout=timeout)
        except (NotSent, AnswerLost) as lost:
            return lost


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
