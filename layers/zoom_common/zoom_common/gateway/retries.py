"""Whether to send again, and after how long. Decisions only: nothing here sends or waits."""

from __future__ import annotations

from collections.abc import Callable

from zoom_common.transport import AnswerLost, NotSent
from zoom_common.zoom import limits
from zoom_common.zoom.api import is_answer
from zoom_common.zoom.operations import Operation
from zoom_common.zoom.wire import HttpResponse

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
    refusal = limits.read(response, counts_for_user=operation.counts_for_user, now=now)
    if refusal.limit not in {limits.Limit.PER_SECOND, limits.Limit.CONCURRENT}:
        return None
    # Never earlier than Zoom says, and not all waiting callers at the same moment.
    wait = (_ONE_SECOND if refusal.retry_after is None else refusal.retry_after) + random() * _ONE_SECOND
    return wait if wait <= LONGEST_WAIT else None
