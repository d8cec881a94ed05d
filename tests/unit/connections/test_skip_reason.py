"""When a connection is not refreshed, and what its caller is told: state, version, due time and back-off."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.connections import START, connection
from zoom_common.connections.model import State
from zoom_common.connections.refresh.algorithm import skip_reason
from zoom_common.connections.refresh.policy import Outcome

SEEN = connection().version


@pytest.mark.parametrize(
    ("changes", "seen", "outcome"),
    [
        ({"state": State.REAUTHORIZATION_REQUIRED}, SEEN, Outcome.REAUTHORIZATION_REQUIRED),
        ({"state": State.DISCONNECTED}, SEEN, Outcome.CURRENT),
        ({"state": State.PENDING}, None, Outcome.CURRENT),
        ({}, SEEN + 1, Outcome.CURRENT),
        ({"due_at": None}, None, Outcome.CURRENT),
        ({"due_at": START + 1}, None, Outcome.CURRENT),
        ({"cool_until": START + 1}, SEEN, Outcome.UNAVAILABLE),
        ({"cool_until": START + 1, "state": State.REFRESH_FAILING}, SEEN, Outcome.REFRESH_FAILING),
        ({"cool_until": START + 1, "due_at": START}, None, Outcome.UNAVAILABLE),
    ],
)
def test_a_connection_is_left_alone(changes: dict[str, Any], seen: int | None, outcome: Outcome) -> None:
    """The caller learns the outcome with the connection's version, state and reason."""
    found = connection(reason="why", **changes)
    skipped = skip_reason(found, now=START, seen_version=seen)
    assert skipped is not None
    assert (skipped.outcome, skipped.version, skipped.state, skipped.reason) == (
        outcome,
        found.version,
        found.state,
        "why",
    )


@pytest.mark.parametrize(
    ("changes", "seen"),
    [
        ({"due_at": None}, SEEN),
        ({"due_at": START}, None),
        ({"due_at": START - 1}, None),
        ({"cool_until": START}, SEEN),
        ({"state": State.REFRESH_FAILING}, SEEN),
    ],
)
def test_a_connection_is_refreshed(changes: dict[str, Any], seen: int | None) -> None:
    """For a caller that saw its version, or from the second in which it is due; back-off ends on the second."""
    assert skip_reason(connection(**changes), now=START, seen_version=seen) is None
