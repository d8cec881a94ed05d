"""What an endpoint's answer makes of an attempt."""

from __future__ import annotations

import pytest

from zoom_common.events.subscriptions.model import Attempt, Outcome

NOW = 1_796_040_000.0  # 2026-11-30T12:00:00Z
DAY = 86_400.0


@pytest.mark.parametrize(
    ("asked", "seconds"),
    [
        ("30", 30.0),
        ("Mon, 30 Nov 2026 12:01:00 GMT", 60.0),
        ("Mon, 30 Nov 2026 11:00:00 GMT", 0.0),
        ("999999999999", DAY),
        ("Fri, 31 Dec 9999 23:59:59 GMT", DAY),
        ("Mon, 01 Jan 99999999999 00:00:00 GMT", None),
        ("soon", None),
        ("", None),
    ],
)
def test_an_endpoint_is_left_alone_as_long_as_it_asks(asked: str, seconds: float | None) -> None:
    """At most a day; whatever an endpoint writes there, the attempt ends and the worker goes on."""
    attempt = Attempt.answered(503, {"retry-after": asked}, b"", at=NOW, duration_ms=1)
    assert attempt.retry_after == seconds
    assert attempt.outcome is (Outcome.ANSWERED if seconds is None else Outcome.UNREACHED)


def test_only_answers_that_mean_later_are_asked_for_how_long() -> None:
    """The header of any other failure changes nothing."""
    assert Attempt.answered(500, {"retry-after": "30"}, b"", at=NOW, duration_ms=1).retry_after is None
