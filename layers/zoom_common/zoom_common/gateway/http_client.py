"""The retrying HTTP client for Zoom's API: access token, rate budget, tries within one deadline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from zoom_common.connections.model import Connection
from zoom_common.deadline import Deadline
from zoom_common.errors import OutcomeUnknown, TooManyRequests, ZoomUnavailable
from zoom_common.gateway.context import Call, CallStats, base_url
from zoom_common.secret import Secret
from zoom_common.transport import AnswerLost, NotSent, Transport
from zoom_common.zoom import api, rate_limits
from zoom_common.zoom.api import is_answer
from zoom_common.zoom.http import HttpRequest, HttpResponse
from zoom_common.zoom.operations.model import Operation

if TYPE_CHECKING:
    from zoom_common.gateway.usage import UsageCounter
    from zoom_common.ratelimit.limiter import Cost, RateLimiter, Reservation

# The result of one try: an answer, or the transport's exception for none.
type Outcome = HttpResponse | NotSent | AnswerLost

MOST_TRIES = 4

LONGEST_WAIT = 10.0

_FIRST_BACKOFF = 0.5

# The second that Zoom counts may have just begun: a whole second is never too early.
_ONE_SECOND = 1.0


def wait_before_retry(
    operation: Operation, outcome: Outcome, *, tries: int, now: float, random: Callable[[], float]
) -> float | None:
    """Return the seconds to wait before the next try, or None when `outcome` is final.

    `tries` were made so far; `now` is in epoch seconds; `random` gives 0 up to 1. A request that never left is sent
    again, and one that Zoom refused for its rate. After any other failure only idempotent operations are sent again.
    """
    if tries >= MOST_TRIES:
        return None
    if isinstance(outcome, HttpResponse) and outcome.status == 429:  # noqa: PLR2004 - HTTP's own number
        return _rate_wait(operation, outcome, now=now, random=random)
    if isinstance(outcome, NotSent) or (operation.safe_to_retry and is_failure(outcome)):
        return random() * _FIRST_BACKOFF * 2.0**tries  # full jitter
    return None


def is_failure(outcome: Outcome) -> bool:
    """Return whether `outcome` leaves open what became of the request: no answer of Zoom's, or a fault inside Zoom."""
    return not isinstance(outcome, HttpResponse) or outcome.status >= 500 or not is_answer(outcome)  # noqa: PLR2004


def _rate_wait(
    operation: Operation, response: HttpResponse, *, now: float, random: Callable[[], float]
) -> float | None:
    refusal = rate_limits.read(response, counts_for_user=operation.counts_for_user, now=now)
    if refusal.limit not in {rate_limits.Limit.PER_SECOND, rate_limits.Limit.CONCURRENT}:
        return None
    # Never earlier than Zoom says, with jitter so that callers do not all retry at the same moment.
    wait = (_ONE_SECOND if refusal.retry_after is None else refusal.retry_after) + random() * _ONE_SECOND
    return wait if wait <= LONGEST_WAIT else None


# A read that hangs is given up early enough for another try.
READ_TIMEOUT = 12.0

_LEAST_TIME = 0.5

# Connecting comes before the wait for an answer and is not part of its timeout.
_SHARE_OF_THE_REST = 0.9

# In seconds. Shorter sleeps are not punctual, and pacing leaves thirty times as much room in a second.
_SHORTEST_SLEEP = 0.001


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryingHttpClient:
    """Sends HTTP requests. `clock` gives epoch seconds, `sleep` takes seconds, `random` gives 0 up to 1."""

    transport: Transport
    limiter: RateLimiter
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]

    def send(self, call: Call, request: HttpRequest, before_sending: Callable[[], None] = lambda: None) -> HttpResponse:
        """Return Zoom's answer to `request`, after as many tries as the operation and the deadline allow.

        `before_sending` runs before each try, as soon as it has a send slot. Raises ZoomUnavailable when Zoom cannot
        have acted, OutcomeUnknown when it may have, and TooManyRequests when there is no slot for the first try.
        """
        operation, deadline, cost = call.operation, call.deadline, call.cost()
        tries = 0
        outcome: Outcome | None = None
        while True:
            if not deadline.allows(_LEAST_TIME):
                raise ZoomUnavailable(reason="deadline_exceeded")
            try:
                reservation = self.limiter.reserve(cost, deadline)
            except TooManyRequests:
                call.stats.budget_left = 0
                if outcome is None:
                    raise
                return settled(operation, outcome)
            self._wait_for_slot(reservation, call.stats, before_sending)
            if not deadline.allows(_LEAST_TIME):  # `before_sending` took the time
                if outcome is not None:
                    return settled(operation, outcome)
                raise ZoomUnavailable(reason="deadline_exceeded")
            outcome = self._try(call, request)
            tries += 1
            wait = self._wait_after(call, cost, outcome, tries)
            if wait is None or not deadline.allows(wait + _LEAST_TIME):
                return settled(operation, outcome)
            call.stats.waited += wait
            self.sleep(wait)

    def _wait_for_slot(self, slot: Reservation, stats: CallStats, before_sending: Callable[[], None]) -> None:
        stats.budget_left, stats.left_today = slot.left, slot.left_today
        stats.local_budget = stats.local_budget or slot.local
        due = self.clock() + slot.wait
        before_sending()
        remaining = due - self.clock()
        if remaining > _SHORTEST_SLEEP:
            self.sleep(remaining)
        stats.waited += slot.wait

    def _try(self, call: Call, request: HttpRequest) -> Outcome:
        stats, timeout = call.stats, call.deadline.remaining() * _SHARE_OF_THE_REST
        if call.operation.safe_to_retry:
            timeout = min(timeout, READ_TIMEOUT)
        stats.tries += 1
        stats.status = None
        began = self.clock()
        try:
            response = self.transport.send(request, timeout=timeout)
        except (NotSent, AnswerLost) as lost:
            return lost
        finally:
            stats.latency += self.clock() - began
        stats.status = response.status
        return response

    def _wait_after(self, call: Call, cost: Cost, outcome: Outcome, tries: int) -> float | None:
        now, operation = self.clock(), call.operation
        if isinstance(outcome, HttpResponse) and outcome.status == 429:  # noqa: PLR2004 - HTTP's own number
            call.stats.refused += 1
            self.limiter.rate_limited(
                cost, rate_limits.read(outcome, counts_for_user=operation.counts_for_user, now=now)
            )
        return wait_before_retry(operation, outcome, tries=tries, now=now, random=self.random)


def settled(operation: Operation, outcome: Outcome) -> HttpResponse:
    """Return the answer of a final outcome. Raises ZoomUnavailable or OutcomeUnknown when there is none."""
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


class AccessTokens(Protocol):
    """The vault's access tokens, as a seam: tests and the load generator have tokens without a vault.

    `token` and `after_rejection` raise ConnectionUnusable, ZoomUnavailable or Unavailable.
    """

    def token(self, connection: Connection, deadline: Deadline) -> Secret:
        """Return a token that is valid now."""
        ...

    def after_rejection(self, connection: Connection, deadline: Deadline) -> Secret | None:
        """Return a token after Zoom refused the last one; None when a new one would be refused too."""
        ...

    def rejected_again(self, connection: Connection) -> None:
        """Report that Zoom refused the new token too."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoomApiClient:
    """Sends calls to Zoom. `api_base_url` serves the connections that have no URL of their own."""

    tokens: AccessTokens
    http: RetryingHttpClient
    usage: UsageCounter
    api_base_url: str

    def send(self, call: Call, *, before_sending: Callable[[], None] = lambda: None) -> HttpResponse:
        """Return Zoom's answer. Raises what `RetryingHttpClient.send` and `AccessTokens` raise."""
        response = self._send(call, self.tokens.token(call.connection, call.deadline), before_sending)
        if api.token_rejected(response):
            fresh = self.tokens.after_rejection(call.connection, call.deadline)
            if fresh is None:
                return response
            response = self._send(call, fresh, before_sending)
            if api.token_rejected(response):
                self.tokens.rejected_again(call.connection)
        return response

    def _send(self, call: Call, token: Secret, before_sending: Callable[[], None]) -> HttpResponse:
        request = api.build(
            call.operation,
            call.ids,
            query_string=call.query_string,
            body=call.body,
            base_url=base_url(call.connection.api_url, self.api_base_url),
            token=token,
        )

        def ready() -> None:
            before_sending()
            self.usage.begin(call.connection.tenant, call.stats)

        return self.http.send(call, request, ready)
