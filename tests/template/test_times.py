"""Relations between times of the template and times of the code: one without the other breaks a promise."""

from __future__ import annotations

from typing import Any

import pytest

from zoom_common.connections.refresh.policy import Policy
from zoom_common.events import processor
from zoom_common.events.log.store import CLAIM_SECONDS
from zoom_common.events.reconciliation import reconciler

type Template = dict[str, Any]


def timeout(template: Template, function: str) -> int:
    """Return a function's timeout in seconds."""
    properties = template["Resources"][function]["Properties"]
    return int(properties.get("Timeout", template["Globals"]["Function"]["Timeout"]))


def visibility(template: Template, queue: str) -> int:
    """Return how many seconds a queue hides a message that was received."""
    return int(template["Resources"][queue]["Properties"]["VisibilityTimeout"])


def test_a_claim_on_an_event_outlives_its_processor_and_no_message(template: Template) -> None:
    """Processor's timeout < claim: no second worker while the first runs. Claim < visibility: a retry finds it free."""
    assert timeout(template, "EventProcessorFunction") < CLAIM_SECONDS < visibility(template, "IngestQueue")


@pytest.mark.parametrize(
    ("function", "reserve"),
    [
        ("EventProcessorFunction", processor._RESERVE_SECONDS),
        ("ReconcileFunction", reconciler._RESERVE_SECONDS),
    ],
)
def test_what_is_kept_in_reserve_leaves_time_to_work(template: Template, function: str, reserve: float) -> None:
    """A reserve as long as the timeout would refuse every message."""
    assert 0 < reserve <= timeout(template, function) / 2


@pytest.mark.parametrize("function", ["TokenRefreshFunction", "MeetingsFunction", "OauthFunction"])
def test_a_lease_on_a_grant_outlives_the_function_that_holds_it(template: Template, function: str) -> None:
    """Else a second refresh could send the same refresh token while the first one still waits for Zoom."""
    assert timeout(template, function) < Policy().lease


@pytest.mark.parametrize("queue", ["RefreshQueue", "EscrowQueue"])
def test_a_lease_of_a_lost_worker_ends_before_its_message_comes_back(template: Template, queue: str) -> None:
    """Else the message would meet the lease of the worker that it replaces."""
    policy = Policy()
    assert policy.lease + policy.skew < visibility(template, queue)
