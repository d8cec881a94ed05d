"""How everything behind the gateway is."""

from __future__ import annotations

from datetime import UTC, datetime
from math import inf
from types import SimpleNamespace

import pytest

from zoom_common.edge.health import DEGRADED, FAILING, OK, Finding, age, examine, key_age, zoom
from zoom_common.errors import InternalError, Unavailable
from zoom_common.transport import NotSent
from zoom_common.zoom.http import HttpRequest, HttpResponse


class Zoom:
    def __init__(self, outcome: HttpResponse | NotSent) -> None:
        self.outcome = outcome

    def send(self, request: HttpRequest, *, timeout: float) -> HttpResponse:
        assert timeout <= 5
        assert not request.headers  # a token has no business in a health check
        if isinstance(self.outcome, NotSent):
            raise self.outcome
        return self.outcome


@pytest.mark.parametrize(
    ("statuses", "worst"), [((OK, OK), OK), ((OK, DEGRADED), DEGRADED), ((DEGRADED, FAILING, OK), FAILING)]
)
def test_the_whole_is_as_well_as_its_worst_part(statuses: tuple[str, ...], worst: str) -> None:
    """And each part is named."""
    found = examine({f"part-{n}": lambda status=status: Finding(status) for n, status in enumerate(statuses)})  # type: ignore[misc]
    assert found["status"] == worst
    assert [each["status"] for each in found["checks"].values()] == list(statuses)


def test_a_check_that_fails_is_a_finding() -> None:
    """A failed check is reported by its reason or kind, never with a message."""

    def away() -> Finding:
        raise Unavailable(reason="connections_store_unavailable")

    def forbidden() -> Finding:
        raise InternalError(where="events_table", cause="AccessDeniedException")

    def broken() -> Finding:
        raise ValueError("a token, perhaps")

    found = examine({"table": away, "events": forbidden, "other": broken})
    assert found["status"] == FAILING
    reasons = [each["reason"] for each in found["checks"].values()]
    assert reasons == ["connections_store_unavailable", "events_table", "ValueError"]
    assert "token" not in repr(found)


@pytest.mark.parametrize(
    ("seconds", "at_most", "status"),
    [(10.0, 60.0, OK), (61.0, 60.0, DEGRADED), (None, 60.0, DEGRADED), (None, None, OK), (9e9, None, OK)],
)
def test_a_job_may_be_late_and_zoom_may_be_silent(seconds: float | None, at_most: float | None, status: str) -> None:
    """What runs by schedule has a longest pause; webhooks come when people meet."""
    assert age(seconds, at_most=at_most).status == status


@pytest.mark.parametrize(("running", "status"), [(59.0, OK), (61.0, DEGRADED)])
def test_a_fresh_stack_is_well(running: float, status: str) -> None:
    """What has never run is late only when the stack is older than the longest pause."""
    assert age(None, at_most=60.0, running=lambda: running).status == status


def test_the_stack_is_as_old_as_its_key() -> None:
    """KMS knows when the key was made. A key without a date counts as old."""
    made = datetime.fromtimestamp(1000, UTC)
    described = {"KeyMetadata": {"KeyState": "Enabled", "CreationDate": made}}
    assert key_age(SimpleNamespace(describe_key=lambda **_: described), "data-key", now=1060.0) == 60.0  # type: ignore[arg-type] # what it asks
    assert key_age(SimpleNamespace(describe_key=lambda **_: {"KeyMetadata": {}}), "data-key", now=1060.0) == inf  # type: ignore[arg-type] # as above


@pytest.mark.parametrize(
    ("outcome", "status"), [(HttpResponse(401), OK), (HttpResponse(503), DEGRADED), (NotSent(), DEGRADED)]
)
def test_zoom_is_well_when_it_answers(outcome: HttpResponse | NotSent, status: str) -> None:
    """401 is an answer. Zoom's absence is not a fault of ours, so that it fails nothing."""
    assert zoom(Zoom(outcome), "https://api.zoom.us/v2").status == status
