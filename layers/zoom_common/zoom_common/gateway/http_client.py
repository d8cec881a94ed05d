"""The retrying HTTP client for Zoom's API: access token, rate budget, tries within one deadline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from zoom_common.connections.model import Connection
from zoom_common.deadline import Deadline
from zoom_common.errors import DependencyFailed, GatewayError, OutcomeUnknown, TooManyRequests, ZoomUnavailable
from zoom_common.gateway.context import Call, CallStats, base_url
from zoom_common.gateway.token_rejections import RejectedRequests, TokenEvidence, evidence, independent_read
from zoom_common.secret import Secret
from zoom_common.transport import AnswerLost, NotSent, Transport
from zoom_common.zoom import api, rate_limits
from zoom_common.zoom.api import is_answer
from zoom_common.zoom.http import HttpRequest, HttpResponse
from zoom_common.zoom.operations.model import Operation

if TYPE_CHECKING:
    from zoom_common.gateway.usage import UsageCounter
    from zoom_common.ratelimit.limiter import Cost, RateLimiter, Reservation

# The result of one try: an answer, or the exception of the transport.
type Outcome = HttpResponse | NotSent | AnswerLost

MOST_TRIES = 4

LONGEST_WAIT = 10.0

_FIRST_BACKOFF = 0.5

# Zoom's second may have just begun, so wait a whole second.
_ONE_SECOND = 1.0


def wait_before_retry(
    operation: Operation, outcome: Outcome, *, tries: int, now: float, random: Callable[[], float]
) -> float | None:
    """Return the seconds to wait before the next try, or None when `outcome` is final.

    `tries` were made so far; `now` is in epoch seconds; `random` gives 0 up to 1. A request that was not sent is sent
    again, and so is one that Zoom refused for its rate. After any other failure only idempotent operations are sent
    again. Changes of the pass-through are sent once, whatever the outcome.
    """
    if tries >= MOST_TRIES or is_sent_once(operation):
        return None
    if isinstance(outcome, HttpResponse) and outcome.status == 429:  # noqa: PLR2004 - HTTP's own number
        return _rate_wait(operation, outcome, now=now, random=random)
    if isinstance(outcome, NotSent) or (operation.safe_to_retry and is_failure(outcome, anything=operation.passed)):
        return random() * _FIRST_BACKOFF * 2.0**tries  # full jitter
    return None


def is_sent_once(operation: Operation) -> bool:
    """Return whether an operation must not be repeated: a change in the pass-through has unknown effects."""
    return operation.passed and not operation.safe_to_retry


def is_failure(outcome: Outcome, *, anything: bool = False) -> bool:
    """Return whether `outcome` leaves open whether the request was carried out: no answer from Zoom, or a fault there.

    `anything` is as for `is_answer`.
    """
    if not isinstance(outcome, HttpResponse) or outcome.status >= 500:  # noqa: PLR2004 - HTTP's own number
        return True
    return not is_answer(outcome, anything=anything)


def _rate_wait(
    operation: Operation, response: HttpResponse, *, now: float, random: Callable[[], float]
) -> float | None:
    refusal = rate_limits.read(response, counts_for_user=operation.counts_for_user, now=now)
    if refusal.limit not in {rate_limits.Limit.PER_SECOND, rate_limits.Limit.CONCURRENT}:
        return None
    # Never earlier than Zoom says, and with jitter, so that callers do not all retry at the same time.
    wait = (_ONE_SECOND if refusal.retry_after is None else refusal.retry_after) + random() * _ONE_SECOND
    return wait if wait <= LONGEST_WAIT else None


# A read without an answer is given up early enough for another try.
READ_TIMEOUT = 12.0

_LEAST_TIME = 0.5

# Connecting happens before the wait for an answer and is not part of its timeout.
_SHARE_OF_THE_REST = 0.9

# In seconds. Shorter sleeps are not exact, and the send slots leave thirty times as much room in a second.
_SHORTEST_SLEEP = 0.001


@dataclass(slots=True)
class _Tries:
    """The tries of one request: how many were `made`, and the limit that the last 429 named."""

    made: int = 0
    refused_by: rate_limits.Limit | None = None


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
        tries = _Tries()
        outcome: Outcome | None = None
        while True:
            if not deadline.allows(_LEAST_TIME):
                raise ZoomUnavailable(reason="deadline_exceeded")
            try:
                reservation = self.limiter.reserve(cost, deadline, call.early)
            except TooManyRequests:
                call.stats.budget_left = 0
                if outcome is None:
                    raise
                return settled(operation, outcome)
            self._wait_for_slot(reservation, call.stats, before_sending)
            if not deadline.allows(_LEAST_TIME):  # `before_sending` took the time
                self.limiter.give_back(reservation)
                if outcome is not None:
                    return settled(operation, outcome)
                raise ZoomUnavailable(reason="deadline_exceeded")
            outcome = self._try(call, request)
            tries.made += 1
            self._correct_counts(reservation, cost, outcome)
            wait = self._wait_after(call, cost, outcome, tries, probe=reservation.probe)
            if wait is None or not deadline.allows(wait + _LEAST_TIME):
                return settled(operation, outcome)
            call.stats.waited += wait
            self.sleep(wait)

    def _wait_for_slot(self, slot: Reservation, stats: CallStats, before_sending: Callable[[], None]) -> None:
        stats.budget_left, stats.left_today = slot.left, slot.left_today
        stats.local_budget = stats.local_budget or slot.local
        due = self.clock() + slot.wait
        try:
            before_sending()
        except GatewayError:
            self.limiter.give_back(slot)
            raise
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

    def _correct_counts(self, reservation: Reservation, cost: Cost, outcome: Outcome) -> None:
        """Give back what was not sent or not counted by Zoom, and reopen a limit that a probe found open."""
        if isinstance(outcome, NotSent):
            self.limiter.give_back(reservation)
        elif isinstance(outcome, HttpResponse):
            limited = outcome.status == 429  # noqa: PLR2004 - HTTP's own number
            if limited or api.token_rejected(outcome):
                self.limiter.give_back(reservation)
            elif reservation.probe and evidence(outcome) is TokenEvidence.ACCEPTED:
                self.limiter.reopen(cost)

    def _wait_after(self, call: Call, cost: Cost, outcome: Outcome, tries: _Tries, *, probe: bool) -> float | None:
        now, operation = self.clock(), call.operation
        if isinstance(outcome, HttpResponse) and outcome.status == 429:  # noqa: PLR2004 - HTTP's own number
            call.stats.refused += 1
            refusal = rate_limits.read(outcome, counts_for_user=operation.counts_for_user, now=now)
            confirmed = probe or tries.refused_by is refusal.limit
            tries.refused_by = refusal.limit
            if refusal.lasts and not confirmed and is_sent_once(operation):
                return None
            if refusal.lasts and not confirmed and tries.made < MOST_TRIES:
                return _ONE_SECOND * (1.0 + self.random())  # ask once more before a whole day is closed for everybody
            self.limiter.rate_limited(cost, refusal)
        return wait_before_retry(operation, outcome, tries=tries.made, now=now, random=self.random)


def settled(operation: Operation, outcome: Outcome) -> HttpResponse:
    """Return the answer of a final outcome. Raises ZoomUnavailable or OutcomeUnknown when there is none."""
    if isinstance(outcome, NotSent):
        raise ZoomUnavailable from None
    if isinstance(outcome, HttpResponse) and is_answer(outcome, anything=operation.passed):
        return outcome
    if operation.method == "GET":
        raise ZoomUnavailable(reason="zoom_gave_no_answer") from None
    raise OutcomeUnknown(hint=_how_to_check(operation)) from None


def _how_to_check(operation: Operation) -> str:
    if operation.method == "POST":
        return "List what exists before sending it again. Instant meetings are never listed."
    return "Read it again to see whether the change arrived."


class AccessTokens(Protocol):
    """The vault's access tokens. Tests and the load generator use tokens without a vault.

    `token` and `after_rejection` raise ConnectionUnusable, ZoomUnavailable or Unavailable.
    """

    def token(self, connection: Connection, deadline: Deadline) -> Secret:
        """Return a token that is valid now."""
        ...

    def after_rejection(self, connection: Connection, deadline: Deadline) -> Secret | None:
        """Return a token after Zoom refused the last one, or None when a new one would be refused too."""
        ...

    def rejected_again(self, connection: Connection, token: Secret) -> None:
        """Report that Zoom refused the new `token` too, also for an independent request."""
        ...

    def accepted(self, connection: Connection) -> None:
        """Report that Zoom accepted the token, which ends a rejection streak of the connection."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoomApiClient:
    """Sends calls to Zoom. `api_base_url` serves the connections that have no URL of their own."""

    tokens: AccessTokens
    http: RetryingHttpClient
    usage: UsageCounter
    rejected: RejectedRequests
    api_base_url: str

    def send(self, call: Call, *, before_sending: Callable[[], None] = lambda: None) -> HttpResponse:
        """Return Zoom's answer. Raises what `RetryingHttpClient.send` and `AccessTokens` raise.

        After a 401 (code 124) the token is refreshed once and the call tried once more. An independent read decides
        whether the token or the request is at fault, when the second try is refused too, and before the refresh for a
        request that was at fault lately. `call.stats` says which. Only a token that was refused twice counts against
        the connection. A 401 without a code of Zoom's is always checked by a read.
        """
        token = self.tokens.token(call.connection, call.deadline)
        response = self._send(call, token, before_sending)
        if not api.token_rejected(response):
            return self._accepted(call, response)
        if not self._is_token_to_be_replaced(call, token, response):
            return response
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
                self.tokens.rejected_again(call.connection, fresh)
        return response

    def _is_token_to_be_replaced(self, call: Call, token: Secret, response: HttpResponse) -> bool:
        """Return whether a 401 calls for another token. Where that is not clear, an independent read decides."""
        is_unclear = evidence(response) is TokenEvidence.NONE
        if not is_unclear and not self.rejected.suspects(call):
            return True
        checked = self._check(call, token)
        if checked is TokenEvidence.ACCEPTED:
            self._request_at_fault(call, response)
        # Without a code of Zoom's, a proxy may have refused.
        return checked is TokenEvidence.REJECTED or (checked is TokenEvidence.NONE and not is_unclear)

    def _accepted(self, call: Call, response: HttpResponse) -> HttpResponse:
        if call.connection.refusals and evidence(response) is TokenEvidence.ACCEPTED:
            self.tokens.accepted(call.connection)
        return response

    def _request_at_fault(self, call: Call, response: HttpResponse) -> HttpResponse:
        self.rejected.remember(call)
        call.stats.request_at_fault = True
        if call.connection.refusals:
            self.tokens.accepted(call.connection)
        return response

    def _check(self, call: Call, token: Secret) -> TokenEvidence:
        """Read something else at Zoom with `token`.

        No answer is no evidence; then the call's own answer is returned.
        """
        try:
            return evidence(self._send(independent_read(call), token, lambda: None))
        except (ZoomUnavailable, TooManyRequests, DependencyFailed):
            return TokenEvidence.NONE

    def _send(self, call: Call, token: Secret, before_sending: Callable[[], None]) -> HttpResponse:
        base = base_url(call.connection.api_url, self.api_base_url)
        if call.operation.passed:
            request = _passed(call, base, token)
        else:
            request = api.build(
                call.operation,
                call.ids,
                query_string=call.query_string,
                body=call.body,
                base_url=base,
                token=token,
                content_type=call.content_type,
            )

        def ready() -> None:
            before_sending()
            self.usage.begin(call.connection.tenant, call.stats)

        return self.http.send(call, request, ready)


def _passed(call: Call, base: str, token: Secret) -> HttpRequest:
    from zoom_common.zoom.pass_through import PassedOperation, build  # noqa: PLC0415 - only its own calls need it

    operation = call.operation
    if not isinstance(operation, PassedOperation):
        raise TypeError(operation.name)
    return build(
        replace(operation, path=call.ids.get("path", operation.path)),
        query_string=call.query_string,
        headers=call.headers,
        body=call.body,
        base_url=base,
        token=token,
    )
