"""Zoom's 429: which limit, and until when."""

from __future__ import annotations

import pytest

from tests.fakes.gateway import answer
from zoom_common.zoom.http import HttpResponse, retry_after
from zoom_common.zoom.rate_limits import Limit, RateLimitResponse, read, until_midnight

NOW = 1_590_883_190.0  # 2020-05-30T23:59:50Z


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("3", 3.0),
        (" 0 ", 0.0),
        ("2020-05-31T00:00:00Z", 10.0),
        ("2020-05-31T00:00:00", 10.0),
        ("2020-05-31T02:00:00+02:00", 10.0),
        ("Sun, 31 May 2020 00:00:00 GMT", 10.0),
        ("Fri, 29 May 2020 00:00:00 GMT", 0.0),
        ("", None),
        (None, None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("\N{ARABIC-INDIC DIGIT THREE}", None),
    ],
)
def test_retry_after_is_read_in_every_form(value: str | None, seconds: float | None) -> None:
    """Seconds, HTTP dates and ISO times; a time that has passed is now."""
    assert retry_after(value, now=NOW) == seconds


def refusal(*, counts_for_user: bool = False, **headers: str) -> RateLimitResponse:
    """Read a 429 with these headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read(HttpResponse(429, named, b'{"code":429}'), counts_for_user=counts_for_user, now=NOW)


def test_a_bare_429_is_the_limit_per_second() -> None:
    """Nothing says when: the next second will do."""
    assert refusal() == RateLimitResponse(Limit.PER_SECOND, None)
    assert refusal(counts_for_user=True) == RateLimitResponse(Limit.PER_SECOND, None)
    assert refusal(x_ratelimit_type="QPS", retry_after="2") == RateLimitResponse(Limit.PER_SECOND, 2.0)


def test_a_daily_limit_is_known_by_its_header_or_its_long_wait() -> None:
    """With the time Zoom names, else until midnight UTC."""
    assert refusal(x_ratelimit_type="Daily-limit", retry_after="2020-05-31T00:00:00Z") == RateLimitResponse(
        Limit.DAILY, 10.0
    )
    assert refusal(x_ratelimit_type="Daily-limit") == RateLimitResponse(Limit.DAILY, 10.0)
    assert refusal(retry_after="86400").limit is Limit.DAILY


def test_a_users_limit_is_known_by_the_quota_that_is_left() -> None:
    """As Zoom was seen to answer the hundred-and-first create of a user: plenty left, no word on when."""
    seen = {"x_ratelimit_category": "Light", "x_ratelimit_limit": "6000", "x_ratelimit_remaining": "5893"}
    assert refusal(counts_for_user=True, **seen) == RateLimitResponse(Limit.PER_USER, 10.0)
    assert refusal(counts_for_user=False, **seen).limit is Limit.PER_SECOND


def test_midnight_is_never_now() -> None:
    """At exactly midnight the result is a whole day."""
    assert until_midnight(NOW + 10) == 86400.0


def test_too_much_at_once_is_recognized() -> None:
    """By a header where there is one, else by the one message that nothing else tells from the limit per second."""
    body = b'{"code":429,"message":"Too many concurrent requests. A request to disassociate this user ..."}'
    assert read(HttpResponse(429, {}, body), counts_for_user=False, now=NOW) == RateLimitResponse(
        Limit.CONCURRENT, None
    )
    assert refusal(x_ratelimit_type="Concurrent-limit", retry_after="1") == RateLimitResponse(Limit.CONCURRENT, 1.0)
    qps = HttpResponse(429, {"x-ratelimit-type": "QPS"}, body)
    assert read(qps, counts_for_user=False, now=NOW).limit is Limit.PER_SECOND


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"message":null}', b"\xff"])
def test_a_body_that_says_nothing_is_no_obstacle(body: bytes) -> None:
    """It is the limit per second then."""
    assert read(HttpResponse(429, {}, body), counts_for_user=True, now=NOW).limit is Limit.PER_SECOND


def test_zooms_code_for_the_limit_per_second_decides() -> None:
    """Even where the account's quota that is left looks like a user's limit."""
    seen = {"x-ratelimit-remaining": "5893"}
    response = HttpResponse(429, seen, b'{"code":4001,"message":"..."}')
    assert read(response, counts_for_user=True, now=NOW).limit is Limit.PER_SECOND


@pytest.mark.parametrize(
    ("response", "from_zoom"),
    [
        (answer(429, b'{"code":429,"message":"x"}'), True),
        (answer(429, b'{"code":4001}', retry_after="3600"), True),
        (answer(429, b"", x_ratelimit_type="QPS"), True),
        (answer(429, b"<html>Too Many Requests</html>", retry_after="3600"), False),
        (answer(429, b'{"message":"Too Many Requests"}', retry_after="3600"), False),
        (answer(429, b'["code"]'), False),
        (answer(429), False),
    ],
)
def test_zooms_own_429_has_its_code_or_its_headers(response: HttpResponse, *, from_zoom: bool) -> None:
    """Anything else is some proxy's, and never says that a day is over."""
    refusal = read(response, counts_for_user=True, now=NOW)
    assert refusal.from_zoom == from_zoom
    assert from_zoom or not refusal.lasts
