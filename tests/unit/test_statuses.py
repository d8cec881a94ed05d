"""Where a class of HTTP statuses begins and ends: 199, 200, 299, 300, 399, 400, 499 and 500, wherever one decides."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date

import pytest

from zoom_common.deadline import Deadline
from zoom_common.edge.call_log import write
from zoom_common.errors import ZoomRefused
from zoom_common.gateway.context import CallStats
from zoom_common.gateway.usage import Usage, UsageCounter
from zoom_common.zoom import api
from zoom_common.zoom.http import HttpResponse


def call(status: int) -> CallStats:
    """Return a call that Zoom answered at the first try."""
    return CallStats(operation="meetings.get", connection="con_1", tries=1, status=status)


@dataclass(slots=True)
class Counters:
    """Keep what was counted."""

    added: list[Usage] = field(default_factory=list)

    def begin(self, usage: Usage) -> Callable[..., None]:
        def finish(*, again: bool = True) -> None:
            del again
            self.added.append(usage)

        return finish

    def of(self, day: date, tenant: str | None = None) -> Iterator[Usage]:
        raise NotImplementedError


STATUSES = [(200, False), (299, False), (302, False), (399, False), (400, True), (401, True), (500, True)]


@pytest.mark.parametrize(("status", "refused"), STATUSES)
def test_from_400_on_a_call_counts_as_refused(status: int, *, refused: bool) -> None:
    """Neither 399 nor a redirect is a refusal, and 400 itself is one."""
    counters = Counters()
    UsageCounter(begin_write=counters.begin, clock=lambda: 86_400.0).settle("acme", call(status), Deadline.after(20))
    assert [each.refused for each in counters.added] == [int(refused)]


@pytest.mark.parametrize(("status", "refused"), STATUSES)
def test_from_400_on_a_call_is_logged_as_refused_by_zoom(status: int, *, refused: bool) -> None:
    """The outcome in the line, unless the gateway has a reason of its own."""
    lines: list[str] = []
    write(call(status), "request-1", out=lines.append, clock=lambda: 1.5)
    assert json.loads(lines[0])["outcome"] == ("zoom_refused" if refused else "ok")


@pytest.mark.parametrize(("status", "success"), [(199, False), (200, True), (299, True), (300, False), (400, False)])
def test_from_200_to_299_zoom_says_yes(status: int, *, success: bool) -> None:
    """What is no success raises, with its status."""
    response = HttpResponse(status, {}, b"{}")
    if success:
        api.decipher(response)
        return
    with pytest.raises(ZoomRefused) as refusal:
        api.decipher(response)
    assert refusal.value.status == status


@pytest.mark.parametrize(("status", "retryable"), [(428, False), (429, True), (430, False), (499, False), (500, True)])
def test_429_and_from_500_on_a_refusal_may_be_retried(status: int, *, retryable: bool) -> None:
    """Every other refusal stays what it is."""
    with pytest.raises(ZoomRefused) as refusal:
        api.decipher(HttpResponse(status, {}, b"{}"))
    assert refusal.value.retryable is retryable


@pytest.mark.parametrize(
    ("status", "is_one"),
    [(199, False), (200, False), (299, False), (300, False), (399, False), (400, True), (499, True), (500, False)],
)
def test_from_400_to_499_a_page_is_an_answer(status: int, *, is_one: bool) -> None:
    """A success that is no JSON, a redirect and a failure are somebody else's, unless they have Zoom's code."""
    assert api.is_answer(HttpResponse(status, {}, b"<html>")) is is_one


@pytest.mark.parametrize(
    ("status", "headers", "is_one"),
    [
        (200, {}, False),
        (200, {"date": "x"}, False),
        (200, {"content-length": "0"}, True),
        (200, {"transfer-encoding": "chunked"}, True),
        (203, {}, False),
        (204, {}, True),
        (205, {}, False),
    ],
)
def test_an_empty_success_says_that_it_is_empty(status: int, headers: dict[str, str], *, is_one: bool) -> None:
    """An answer that breaks off within its headers looks like an empty one, but names no length."""
    assert api.is_answer(HttpResponse(status, headers, b"")) is is_one


@pytest.mark.parametrize(
    ("status", "code", "rejected"),
    [(401, None, True), (401, 300, True), (400, 124, True), (400, 125, False), (403, 124, False), (200, 124, False)],
)
def test_a_token_is_rejected_by_401_or_by_400_with_its_code(status: int, code: int | None, *, rejected: bool) -> None:
    """Zoom says 124 for a token that it does not take."""
    assert api.token_rejected(HttpResponse(status, {}, json.dumps({"code": code}).encode())) is rejected
