"""How an attempt ends that got no pair: what the connection is told, and the caller."""

from __future__ import annotations

from dataclasses import replace

from zoom_common.connections.attempt import Attempt, Moved, Steps
from zoom_common.connections.model import ALIVE, Connection, State
from zoom_common.connections.steps import Outcome, Result, Settle, Settlement
from zoom_common.errors import Unavailable
from zoom_common.zoom.token_errors import AppAtFault, GrantRejected, TokenUnavailable

# Begins the reason of a result that is the app's fault, for the log: no connection is to blame.
APP_FAULT = "app:"


def conclude(attempt: Attempt, end: Exception) -> Steps[Result]:
    """Release the lease with what `end` means for the connection."""
    match end:
        case Moved(latest=latest):
            if latest is not None and latest.grant_id == attempt.seen.grant_id:
                yield from _release(latest, _unchanged(attempt, latest))
            return current(latest)
        case GrantRejected() if attempt.uncertain or attempt.others():
            # The live token may still be on its way to us: ask the person only once nobody can bring it any more.
            return (yield from _rest(attempt, "rotation_unresolved", at_most=attempt.settled_by() - attempt.clock()))
        case GrantRejected(reason=reason):
            return (yield from _ask_the_person(attempt, reason))
        case TokenUnavailable(reason=reason, retry_after=retry_after):
            return (yield from _rest(attempt, reason, at_least=min(retry_after or 0.0, attempt.policy.cool_for_zoom)))
        case AppAtFault(reason=reason):
            return replace((yield from _leave_alone(attempt, APP_FAULT + reason)), app_at_fault=True)
        case _:
            return (yield from _leave_alone(attempt, str(getattr(end, "reason", ""))))


def current(latest: Connection | None) -> Result:
    """Somebody else has seen to it."""
    if latest is None:
        return Result(Outcome.CURRENT, 0, State.DISCONNECTED)
    return Result(Outcome.CURRENT, latest.version, latest.state, latest.reason)


def standing(connection: Connection) -> Outcome:
    """What a caller is told about a connection that nobody is refreshing and that is not current."""
    match connection.state:
        case State.CONNECTED:
            return Outcome.UNAVAILABLE
        case State.REFRESH_FAILING:
            return Outcome.REFRESH_FAILING
        case State.REAUTHORIZATION_REQUIRED:
            return Outcome.REAUTHORIZATION_REQUIRED
        case _:
            return Outcome.CURRENT


def _ask_the_person(attempt: Attempt, reason: str) -> Steps[Result]:
    """Every copy was refused and nobody else may hold one. The tokens stay where they are all the same."""
    settlement = replace(
        _unchanged(attempt, attempt.seen),
        state=State.REAUTHORIZATION_REQUIRED,
        reason=reason,
        state_changed_at=attempt.clock(),
        due_at=None,
    )
    return (yield from _settle(attempt, Outcome.REAUTHORIZATION_REQUIRED, settlement))


def _rest(attempt: Attempt, reason: str, *, at_least: float = 0.0, at_most: float = float("inf")) -> Steps[Result]:
    """Zoom gave nothing: cool down. The state says so when it keeps happening, or the access token has ended."""
    seen, now, policy = attempt.seen, attempt.clock(), attempt.policy
    failures = seen.failures + 1
    cool_until = now + min(max(policy.cool_down(failures, chance=attempt.chance()), at_least), at_most)
    settlement = replace(_unchanged(attempt, seen), failures=failures, cool_until=cool_until, due_at=cool_until)
    if failures >= policy.failing_after or seen.access_expires_at <= now:
        since = seen.state_changed_at if seen.state is State.REFRESH_FAILING else now
        settlement = replace(settlement, state=State.REFRESH_FAILING, reason=reason, state_changed_at=since)
    return (yield from _settle(attempt, Outcome.REFRESH_FAILING, settlement))


def _leave_alone(attempt: Attempt, reason: str) -> Steps[Result]:
    """The app or we are at fault: rest a little, change nothing about the connection."""
    cool_until = attempt.clock() + attempt.policy.cool_down(1, chance=attempt.chance())
    settlement = replace(_unchanged(attempt, attempt.seen), cool_until=cool_until, due_at=cool_until)
    result = yield from _settle(attempt, Outcome.UNAVAILABLE, settlement)
    return replace(result, reason=reason)


def _settle(attempt: Attempt, outcome: Outcome, settlement: Settlement) -> Steps[Result]:
    seen = attempt.seen
    settled = yield from _release(seen, settlement)
    known = settlement if settled else seen
    return Result(outcome, seen.version, known.state, known.reason)


def _release(seen: Connection, settlement: Settlement) -> Steps[bool]:
    try:
        settled: bool = yield Settle(seen, settlement)
    except Unavailable:
        return False  # the lease ends by itself, and the intent stands until somebody knows better
    return settled


def _unchanged(attempt: Attempt, latest: Connection) -> Settlement:
    return Settlement(
        attempt=attempt.attempt_id,
        state=latest.state,
        reason=latest.reason,
        failures=latest.failures,
        cool_until=latest.cool_until,
        state_changed_at=latest.state_changed_at,
        due_at=latest.due_at if latest.state in ALIVE else None,
        outcome_known=not attempt.uncertain,
    )
