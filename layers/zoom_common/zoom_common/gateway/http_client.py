"""The retrying HTTP client for Zoom's API: access token, rate budget, tries within one deadline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from zoom_common.connections.model import Connection
from zoom_common.deadline import Deadline
from zoom_common.errors import DependencyFailed, GatewayError, OutcomeUnknown, TooManyRequests, ZoomUnavailable
from zoom_common.gateway.context import CallStats, ZoomCall, base_url
from zoom_common.gateway.token_rejections import RejectedRequests, TokenEvidence, evidence, independent_read
from zoom_common.ratelimit.limiter import Cost, Reservation
from zoom_common.secret import Secret
from zoom_common.transport import AnswerLost, NotSent, Transport
from zoom_common.zoom import api, rate_limits
from zoom_common.zoom.api import is_answer
from zoom_common.zoom.http import HttpRequest, HttpResponse
from zoom_common.zoom.operations.model import Operation

# What sending once comes to: an answer, or the transport's word that there was none.
type Outcome = HttpResponse | NotSent | AnswerLost

MOST_TRIES = 4

LONGEST_WAIT = 10.0

_FIRST_BACKOFF = 0.5

# A second that Zoom counts may have just begun; waiting it out whole is never too early.
_ONE_SECOND = 1.0


def wait_before_retry(
    operation: Operation, outcome: Outcome, *, tries: int, now: float, random: Callable[[], float]
) -> float | None:
    """Seconds to wait before the next try, or None when `outcome` is final.

    `tries` are those made so far; `now` is in epoch seconds; `random` gives 0 up to 1. What never left may always be
    sent again, and so may what Zoom refused for its rate; anything else only where twice is as good as once.
    """
    if tries >= MOST_TRIES:
        return None
    if isinstance(outcome, HttpResponse) and outcome.status == 429:  # noqa: PLR2004 - HTTP's own number
        return _rate_wait(operation, outcome, now=now, random=random)
    if isinstance(outcome, NotSent) or (operation.safe_to_retry and is_failure(outcome)):
        return random() * _FIRST_BACKOFF * 2.0**tries  # full jitter
    return None


def is_failure(outcome: Outcome) -> bool:
    """Whether `outcome` says nothing about the request: no answer, not Zoom's answer, or a fault inside Zoom."""
    return not isinstance(outcome, HttpResponse) or outcome.status >= 500 or not is_answer(outcome)  # noqa: PLR2004


def _rate_wait(
    operation: Operation, response: HttpResponse, *, now: float, random: Callable[[], float]
) -> float | None:
    refusal = rate_limits.read(response, counts_for_user=operation.counts_for_user, now=now)
    if refusal.limit not in {rate_limits.Limit.PER_SECOND, rate_limits.Limit.CONCURRENT}:
        return None
    # Never earlier than Zoom says, and not all waiting callers at the same moment.
    wait = (_ONE_SECOND if refusal.retry_after is None else refusal.retry_after) + random() * _ONE_SECOND
    return wait if wait <= LONGEST_WAIT else None


# A read that hangs is given up early enough for another try.
READ_TIMEOUT = 12.0

_LEAST_TIME = 0.5

# Connecting comes before the wait for an answer and is not part of its timeout.
_SHARE_OF_THE_REST = 0.9

# In seconds. Nothing wakes more punctually, and the network is less so: pacing leaves thirty times as much in a second.
_SHORTEST_SLEEP = 0.001


class RateLimits(Protocol):
    """Who says when a request may be sent: `Budget`."""

    def turn(self, spend: Cost, deadline: Deadline) -> Reservation: ...  # noqa: D102

    def left(self, spend: Cost) -> int: ...  # noqa: D102

    def refused(self, spend: Cost, refusal: rate_limits.RateLimitResponse) -> None: ...  # noqa: D102

    def give_back(self, reservation: Reservation) -> None: ...  # noqa: D102

    def reopen(self, spend: Cost) -> None: ...  # noqa: D102


@dataclass(slots=True, kw_only=True)
class PendingRequest:
    """One request and all its tries. `before_sending` is called once a try is sure to be made, before it is."""

    operation: Operation
    request: HttpRequest
    spend: Cost
    deadline: Deadline
    record: CallStats = field(default_factory=CallStats)
    before_sending: Callable[[], None] = lambda: None
    refused_by: rate_limits.Limit | None = None  # the limit of Zoom's that the try before met


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryingHttpClient:
    """Sends requests. `clock` gives epoch seconds, `sleep` takes seconds, `random` gives 0 up to 1."""

    transport: Transport
    turns: RateLimits
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    random: Callable[[], float]

    def send(self, attempt: PendingRequest) -> HttpResponse:
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
                self.turns.give_back(turn)
                if outcome is not None:
                    return settled(attempt.operation, outcome)
                raise ZoomUnavailable(reason="deadline_exceeded")
            outcome = self._try(attempt)
            tries += 1
            self._settle(turn, attempt, outcome)
            wait = self._wait(attempt, outcome, tries, probe=turn.probe)
            if wait is None or not attempt.deadline.allows(wait + _LEAST_TIME):
                return settled(attempt.operation, outcome)
            attempt.record.waited += wait
            self.sleep(wait)

    def _await(self, turn: Reservation, attempt: PendingRequest) -> None:
        record = attempt.record
        record.budget_left, record.left_today = turn.left, turn.left_today
        record.local_budget = record.local_budget or turn.local
        due = self.clock() + turn.wait
        try:
            attempt.before_sending()
        except GatewayError:
            self.turns.give_back(turn)
            raise
        rest = due - self.clock()
        if rest > _SHORTEST_SLEEP:
            self.sleep(rest)
        record.waited += turn.wait

    def _try(self, attempt: PendingRequest) -> Outcome:
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

    def _settle(self, turn: Reservation, attempt: PendingRequest, outcome: Outcome) -> None:
        """Give back what was not sent or not counted, and open again what a probe found open."""
        if isinstance(outcome, NotSent):
            self.turns.give_back(turn)
        elif isinstance(outcome, HttpResponse):
            limited = outcome.status == 429  # noqa: PLR2004 - HTTP's own number
            if limited or api.token_rejected(outcome):
                self.turns.give_back(turn)
            elif turn.probe and evidence(outcome) is TokenEvidence.ACCEPTED:
                self.turns.reopen(attempt.spend)

    def _wait(self, attempt: PendingRequest, outcome: Outcome, tries: int, *, probe: bool) -> float | None:
        now, operation = self.clock(), attempt.operation
        if isinstance(outcome, HttpResponse) and outcome.status == 429:  # noqa: PLR2004 - HTTP's own number
            attempt.record.refused += 1
            refusal = rate_limits.read(outcome, counts_for_user=operation.counts_for_user, now=now)
            confirmed = probe or attempt.refused_by is refusal.limit
            attempt.refused_by = refusal.limit
            if refusal.lasts and not confirmed and tries < MOST_TRIES:
                return _ONE_SECOND * (1.0 + self.random())  # ask once more before a whole day is closed for everybody
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


class AccessTokens(Protocol):
    """Where access tokens come from. The first two raise ConnectionUnusable, ZoomUnavailable or Unavailable."""

    def token(self, connection: Connection, deadline: Deadline) -> Secret:
        """A token that is good now."""
        ...

    def after_rejection(self, connection: Connection, deadline: Deadline) -> Secret | None:
        """Another token than the one Zoom has just refused; None when another would be no better."""
        ...

    def rejected_again(self, connection: Connection) -> None:
        """Zoom has refused that one too, for an independent request as well."""
        ...

    def accepted(self, connection: Connection) -> None:
        """Zoom has accepted the token: a rejection streak of the connection ends."""
        ...


class Counting(Protocol):
    """Who counts a tenant's calls: `UsageCounter`. Neither raises."""

    def begin(self, tenant: str, record: CallStats) -> None:
        """A call is about to be sent, once or once more."""
        ...

    def settle(self, tenant: str, record: CallStats, deadline: Deadline) -> None:
        """A call is over, sent or not."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoomApiClient:
    """Sends calls. `api_base_url` is where Zoom is, for connections that know no better."""

    tokens: AccessTokens
    exchange: RetryingHttpClient
    usage: Counting
    rejected: RejectedRequests
    api_base_url: str

    def send(self, call: ZoomCall, *, before_sending: Callable[[], None] = lambda: None) -> HttpResponse:
        """Zoom's answer, whatever it says. Raises what `RetryingHttpClient.send` and `AccessTokens` raise.

        A 401 (code 124) brings one refresh and one more try. When that is refused too, or before it for a request that
        was at fault lately, an independent read decides whether the token is to blame or the request: `call.record`
        says which, and only a token that was refused twice counts against the connection.
        """
        token = self.tokens.token(call.connection, call.deadline)
        response = self._send(call, token, before_sending)
        if not api.token_rejected(response):
            return self._accepted(call, response)
        if self.rejected.suspects(call) and self._check(call, token) is TokenEvidence.ACCEPTED:
            return self._request_at_fault(call, response)
        fresh = self.tokens.after_rejection(call.connection, call.deadline)
        if fresh is None:
            return response
        response = self._send(call, fresh, before_sending)
        if not api.token_rejected(response):
            return self._accepted(call, response)
        match self._check(call, fresh):
            case TokenEvidence.ACCEPTED:
                return self._request_at_fault(call, response)
            case TokenEvidence.REJECTED:
                self.tokens.rejected_again(call.connection)
        return response

    def _accepted(self, call: ZoomCall, response: HttpResponse) -> HttpResponse:
        if call.connection.refusals and evidence(response) is TokenEvidence.ACCEPTED:
            self.tokens.accepted(call.connection)
        return response

    def _request_at_fault(self, call: ZoomCall, response: HttpResponse) -> HttpResponse:
        self.rejected.remember(call)
        call.record.request_at_fault = True
        if call.connection.refusals:
            self.tokens.accepted(call.connection)
        return response

    def _check(self, call: ZoomCall, token: Secret) -> TokenEvidence:
        """Ask Zoom for something else with `token`. No answer is no evidence, and the call's own answer stands."""
        try:
            return evidence(self._send(independent_read(call), token, lambda: None))
        except (ZoomUnavailable, TooManyRequests, DependencyFailed):
            return TokenEvidence.NONE

    def _send(self, call: ZoomCall, token: Secret, before_sending: Callable[[], None]) -> HttpResponse:
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
            self.usage.begin(call.connection.tenant, call.record)

        attempt = PendingRequest(
            operation=call.operation,
            request=request,
            spend=call.spend(),
            deadline=call.deadline,
            record=call.record,
            before_sending=ready,
        )
        return self.exchange.send(attempt)
