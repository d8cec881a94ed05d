"""How a grant is refreshed without ever losing it. Decisions only: every effect is a step that is yielded.

Many functions may try at once, crash anywhere, or be slower than their lease. What holds all the same:
the lease lets one of them ask Zoom at a time; grant id and version, not the lease, decide who may write;
what cannot be written is kept as a spare or in escrow; and nobody declares a grant dead while an attempt
that may hold its successor is unaccounted for.
"""

from __future__ import annotations

from zoom_common.connections.attempt import Attempt, Moved, Steps
from zoom_common.connections.model import ALIVE, Connection
from zoom_common.connections.placing import pair_of, rest
from zoom_common.connections.settling import conclude, current, standing
from zoom_common.connections.steps import Ask, FetchKeys, Outcome, Read, Result, Seals, Sleep, TakeLease
from zoom_common.errors import InternalError, Unavailable
from zoom_common.zoom.oauth import TokenGrant
from zoom_common.zoom.token_errors import GrantRejected, TokenError, TokenUnavailable


def refresh(attempt: Attempt) -> Steps[Result]:
    """Take the lease, ask Zoom, bring the pair to rest.

    Raises Unavailable when the lease could not be asked for, InternalError when AWS refuses what we ask, Unplaced when
    nothing would take the pair.
    """
    lease_ends = attempt.clock() + attempt.policy.lease
    attempt.until = min(lease_ends, attempt.ends)
    leased: Connection | None = yield TakeLease(attempt.seen, lease_ends)
    if leased is None:
        return (yield from ride_along(attempt))
    attempt.seen = leased
    try:
        # Before anything is at stake: between Zoom's answer and the write, only the write can fail.
        seals: Seals = yield FetchKeys()
        grant, used = yield from obtain(attempt)
    except (Moved, TokenError, Unavailable) as end:
        return (yield from conclude(attempt, end))
    except InternalError as fault:
        yield from conclude(attempt, fault)
        raise
    return (yield from rest(attempt, pair_of(attempt, grant, used, seals)))


def ride_along(attempt: Attempt) -> Steps[Result]:
    """The race is lost: the old token serves while it lives, else wait for the winner's. Never asks Zoom."""
    give_up = attempt.clock() + attempt.wait
    while attempt.seen.access_expires_at <= attempt.clock() < give_up:
        yield Sleep(attempt.pause(attempt.policy.poll))
        latest: Connection | None = yield Read()
        if latest is None or attempt.moved(latest):
            return current(latest)
        if latest.lease_owner is None:  # the winner came back with nothing
            return Result(standing(latest), latest.version, latest.state, latest.reason)
    return Result(Outcome.BUSY, attempt.seen.version, attempt.seen.state, attempt.seen.reason)


def obtain(attempt: Attempt) -> Steps[tuple[TokenGrant, bytes]]:
    """A grant, and the sealed token it was given for: the current one, else spares and the previous one, once each."""
    sealed = attempt.seen.sealed_refresh
    try:
        return (yield from _ask_twice(attempt, sealed)), sealed
    except GrantRejected as refused:
        attempt.seen = yield from _wait_for_others(attempt)
        for fallback in attempt.seen.fallbacks():
            try:
                return (yield from _ask(attempt, fallback)), fallback
            except GrantRejected:
                continue
        raise refused from None


def why_not(connection: Connection, *, now: float, seen_version: int | None) -> Result | None:
    """Why this connection is not to be refreshed now, or None. Without a version, only what is due is."""
    if connection.state not in ALIVE:
        return Result(standing(connection), connection.version, connection.state, connection.reason)
    if seen_version is None:
        wanted = connection.due_at is not None and connection.due_at <= now
    else:
        wanted = connection.version == seen_version
    if not wanted:
        return current(connection)
    if connection.cool_until > now:
        return Result(standing(connection), connection.version, connection.state, connection.reason)
    return None


def _ask_twice(attempt: Attempt, sealed_refresh: bytes) -> Steps[TokenGrant]:
    """Ask again, once, with the same token when the outcome is unknown: Zoom's grace may let it pass."""
    try:
        return (yield from _ask(attempt, sealed_refresh))
    except TokenUnavailable as error:
        if error.outcome_known:
            raise
    yield Sleep(attempt.pause(attempt.policy.retry_pause))
    return (yield from _ask(attempt, sealed_refresh))


def _ask(attempt: Attempt, sealed_refresh: bytes) -> Steps[TokenGrant]:
    if not attempt.may_ask():
        raise Unavailable(reason="time_ran_out")
    try:
        grant: TokenGrant = yield Ask(sealed_refresh)
    except TokenUnavailable as error:
        attempt.uncertain = attempt.uncertain or not error.outcome_known
        raise
    return grant


def _wait_for_others(attempt: Attempt) -> Steps[Connection]:
    """Re-read until no other attempt may be about to write, or patience ends. Raises Moved when one has."""
    give_up = attempt.clock() + attempt.policy.patience
    while True:
        latest: Connection | None = yield Read()
        if latest is None or attempt.moved(latest):
            raise Moved(latest)
        attempt.seen = latest
        if not attempt.others() or attempt.clock() >= give_up:
            return latest
        yield Sleep(attempt.pause(attempt.policy.poll))
