"""What a refresh that lost its race leaves behind: no lease and no intent of its own, and the winner's values."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.connections import START, connection
from zoom_common.connections.model import Connection, State
from zoom_common.connections.refresh.algorithm import finish
from zoom_common.connections.refresh.effects import Finish, Moved, RefreshContext, Result
from zoom_common.connections.refresh.policy import Outcome, Policy
from zoom_common.errors import Unavailable


def context(**changes: Any) -> RefreshContext:
    """Return an attempt that saw version 1 of the connection at START."""
    values: dict[str, Any] = {"attempt_id": "a1", "seen": connection(), "clock": lambda: START, "chance": lambda: 0.5}
    return RefreshContext(**{**values, "policy": Policy(), **changes})


def finished(attempt: RefreshContext, latest: Connection | None, *, away: bool = False) -> tuple[list[Finish], Result]:
    """Run the end of a lost race: return what was written and what the caller is told. `away`: no write works."""
    effects, written, released = finish(attempt, Moved(latest)), list[Finish](), True
    try:
        step = next(effects)
        while True:
            assert isinstance(step, Finish)
            written.append(step)
            step = effects.throw(Unavailable(reason="away")) if away else effects.send(released)
    except StopIteration as end:
        result: Result = end.value
        return written, result


def test_the_loser_of_a_race_gives_its_lease_back_and_changes_nothing_else() -> None:
    """Every value is the winner's; the intent goes with the lease, because this attempt holds no tokens."""
    attempt = context()
    latest = connection(version=attempt.seen.version + 1, failures=2, cool_until=START + 5, due_at=START + 9)
    (release,), result = finished(attempt, latest)
    assert (release.seen, release.settlement.attempt) == (latest, "a1")
    assert (release.settlement.state, release.settlement.reason) == (latest.state, latest.reason)
    assert (release.settlement.failures, release.settlement.cool_until) == (2, START + 5)
    assert (release.settlement.due_at, release.settlement.state_changed_at) == (START + 9, latest.state_changed_at)
    assert release.settlement.outcome_known
    assert (result.outcome, result.version, result.state) == (Outcome.CURRENT, latest.version, latest.state)


def test_an_attempt_that_may_hold_tokens_keeps_its_intent() -> None:
    """Zoom may have rotated: others have to wait for this attempt's pair."""
    (release,), _ = finished(context(uncertain=True), connection(version=7))
    assert not release.settlement.outcome_known


@pytest.mark.parametrize("latest", [None, connection(grant_id="another")])
def test_nothing_is_released_on_another_grant(latest: Connection | None) -> None:
    """A connection that is gone, or was linked again, has no lease of this attempt."""
    written, result = finished(context(), latest)
    assert written == []
    assert result.outcome is Outcome.CURRENT
    assert result.state is (State.DISCONNECTED if latest is None else State.CONNECTED)


@pytest.mark.parametrize("due_at", [None, START])
def test_what_was_given_up_keeps_the_time_of_its_next_try(due_at: float | None) -> None:
    """Giving back a lease makes nothing due that is not, and takes no try away."""
    latest = connection(version=7, state=State.REAUTHORIZATION_REQUIRED, due_at=due_at)
    (release,), _ = finished(context(), latest)
    assert release.settlement.due_at == due_at


def test_a_lease_that_cannot_be_given_back_ends_by_itself() -> None:
    """The caller gets the winner's result all the same."""
    latest = connection(version=7)
    written, result = finished(context(), latest, away=True)
    assert len(written) == 1
    assert (result.outcome, result.version) == (Outcome.CURRENT, 7)
