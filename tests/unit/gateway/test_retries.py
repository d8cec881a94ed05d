"""Whether to send again: a table of outcomes."""

from __future__ import annotations

import pytest

from tests.fakes.gateway import NOW, answer
from zoom_common.gateway.http_client import MOST_TRIES, Outcome, is_failure, wait_before_retry
from zoom_common.transport import AnswerLost, NotSent
from zoom_common.zoom.operations.table import operations

BY_NAME = {each.name: each for each in operations()}


def wait(name: str, outcome: Outcome, *, tries: int = 1, jitter: float = 0.5) -> float | None:
    """The decision about an operation's outcome."""
    return wait_before_retry(BY_NAME[name], outcome, tries=tries, now=NOW, random=lambda: jitter)


@pytest.mark.parametrize("name", ["meetings.create", "meetings.update", "meetings.delete", "meetings.get"])
def test_what_never_left_is_sent_again(name: str) -> None:
    """A request that was not sent is tried again after a pause with jitter."""
    assert wait(name, NotSent()) == 0.5


@pytest.mark.parametrize(
    "outcome", [AnswerLost(), answer(500, b'{"code":500}'), answer(502, b"<html>"), answer(200, b"{")]
)
def test_only_reads_are_repeated_after_they_may_have_arrived(outcome: Outcome) -> None:
    """No answer, Zoom's own fault, a proxy's page, broken JSON: a create is never sent twice."""
    assert is_failure(outcome)
    assert wait("meetings.get", outcome) is not None
    assert wait("meetings.create", outcome) is None
    assert wait("meetings.update", outcome) is None
    assert wait("meetings.delete", outcome) is None


@pytest.mark.parametrize("outcome", [answer(200, b"{}"), answer(204), answer(400, b'{"code":300}'), answer(404, b"")])
def test_an_answer_is_final(outcome: Outcome) -> None:
    """A refusal does not get better by asking again."""
    assert not is_failure(outcome)
    assert wait("meetings.get", outcome) is None


def test_pauses_grow_and_are_jittered_from_zero() -> None:
    """Full jitter: anything between nothing and the whole pause."""
    assert [wait("meetings.get", NotSent(), tries=tries, jitter=1.0) for tries in (1, 2, 3)] == [1.0, 2.0, 4.0]
    assert wait("meetings.get", NotSent(), jitter=0.0) == 0.0


def test_tries_end() -> None:
    """The number of tries is bounded for every sequence of outcomes."""
    for outcome in (NotSent(), AnswerLost(), answer(429)):
        assert wait("meetings.get", outcome, tries=MOST_TRIES) is None


def test_a_rate_per_second_is_waited_out_even_by_creates() -> None:
    """Zoom did nothing yet. Never earlier than it says, spread over a second after that."""
    assert wait("meetings.create", answer(429, b'{"code":429}')) == 1.5
    assert wait("meetings.create", answer(429, retry_after="3")) == 3.5
    assert wait("meetings.create", answer(429, retry_after="3"), jitter=0.0) == 3.0


def test_long_daily_and_per_user_limits_are_final() -> None:
    """Waiting inside a call is pointless."""
    assert wait("meetings.get", answer(429, retry_after="60")) is None
    assert wait("meetings.get", answer(429, x_ratelimit_type="Daily-limit")) is None
    assert wait("meetings.create", answer(429, x_ratelimit_remaining="5893")) is None
