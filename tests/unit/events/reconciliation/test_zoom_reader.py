"""How the reconciler reads Zoom through the gateway: what exists, what does not, and what it may not see."""

from __future__ import annotations

from typing import Any, cast

import pytest

from tests.fakes.events import plenty
from tests.fakes.handlers import load
from zoom_common.connections.model import Connection
from zoom_common.errors import Forbidden, GatewayError, ZoomRefused, ZoomScopesMissing, ZoomUnavailable
from zoom_common.events.reconciliation.zoom_reader import MISSING_SCOPES, NO_PERMISSION, AccessDenied
from zoom_common.gateway.context import Call
from zoom_common.gateway.service import Answer, Gateway
from zoom_common.zoom.operations.table import filled


class Calls:
    """A gateway with one answer, or one refusal."""

    def __init__(self, answer: Answer | GatewayError) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str, str, str]] = []

    def call(self, asked: Call) -> Answer:
        path = "/v2" + filled(asked.operation.path, asked.ids)
        self.asked.append((str(asked.principal.connection), asked.operation.method, path, asked.query_string))
        if isinstance(self.answer, GatewayError):
            raise self.answer
        return self.answer


class Seen:
    tenant, connection_id = "acme", "con_a"


def read(answer: Answer | GatewayError, path: str = "/v2/users/me/webinars?type=scheduled&page_size=300") -> Any:
    calls = Calls(answer)
    found = load("reconcile").reading(cast("Gateway", calls), cast("Connection", Seen()), plenty())(path)
    place, _, query = path.partition("?")
    assert calls.asked == [("con_a", "GET", place, query)]
    return found


def refused(status: int, code: int | None, *, retryable: bool = False) -> ZoomRefused:
    return ZoomRefused(status, b"{}", zoom_code=code, reason="zoom", retryable=retryable)


def test_what_zoom_answers_is_read() -> None:
    """A body that is no object is nothing."""
    assert read(Answer(200, {}, b'{"webinars":[]}')) == {"webinars": []}
    assert read(Answer(200, {}, b"[]")) is None


@pytest.mark.parametrize("code", [3001, 3000, 300, 12702, None])
def test_what_is_not_there_is_nothing(code: int | None) -> None:
    """Of this one: others of its kind may be there."""
    assert read(refused(404, code)) is None


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (ZoomScopesMissing(["webinar:read:list_webinars"]), MISSING_SCOPES),
        (Forbidden(["webinars:read"]), MISSING_SCOPES),
        (refused(400, 4711), MISSING_SCOPES),
        (refused(400, 200), NO_PERMISSION),
        (Answer(200, {}, b'{"code":200,"message":"Webinar plan is missing."}'), NO_PERMISSION),
    ],
)
def test_what_is_not_shown_says_why(answer: Answer | GatewayError, reason: str) -> None:
    """Scopes by the gateway's word or by Zoom's; plan and permission share Zoom's code, and may come with a 200."""
    with pytest.raises(AccessDenied, match=reason):
        read(answer)


@pytest.mark.parametrize("answer", [refused(429, 429, retryable=True), ZoomUnavailable()])
def test_what_passes_is_raised(answer: GatewayError) -> None:
    """A later round asks again: nothing may count as compared."""
    with pytest.raises(type(answer)):
        read(answer)
