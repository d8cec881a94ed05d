"""How a grant is refreshed without losing it. Decisions only: every effect is a value that is yielded."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from zoom_common.connections.model import ALIVE, Connection, State
from zoom_common.connections.refresh.effects import (
    CheckToken,
    Effects,
    Escrow,
    FetchKeys,
    FinalState,
    Finish,
    JudgeRefusal,
    KeepSpare,
    Moved,
    Read,
    RefreshContext,
    RequestGrant,
    Result,
    Revoke,
    SealedPair,
    Seals,
    Sleep,
    TakeLease,
    Verdict,
    Write,
)
from zoom_common.connections.refresh.policy import REASON, TRIED_AGAIN, Outcome, is_tried_again
from zoom_common.errors import DependencyFailed, InternalError, Unavailable
from zoom_common.secret import Secret
from zoom_common.zoom.oauth import AppAtFault, GrantRejected, TokenError, TokenGrant, TokenUnavailable


class NotPersisted(Exception):
    """Neither table nor queue took the pair in time: it ends with this process. The old token may yet pass."""


class PersistedAs(StrEnum):
    """Where a pair came to rest."""

    WRITTEN = "written"
    SPARE = "spare"  # another writer holds a pair too: ours is tried when theirs is refused
    ESCROWED = "escrowed"
    DROPPED = "dropped"  # the person has reconnected or disconnected: the grant is no more


def persist(attempt: RefreshContext, pair: SealedPair) -> Effects[Result]:
    """Write `pair`; after some failures put it in escrow; go on until one works.

    Raises NotPersisted when time is up, and InternalError when the pair is in escrow because the write was refused.
    """
    tries = 0
    while True:
        try:
            return _result((yield from write_or_keep(pair)), attempt.seen)
        except DependencyFailed as error:
            failed = error
            tries += 1
        if tries >= attempt.policy.write_tries:
            try:
                yield Escrow(pair)
            except DependencyFailed:
                if attempt.clock() >= attempt.until:
                    raise NotPersisted from None
            else:
                if isinstance(failed, InternalError):
                    raise failed  # the pair is safe: now the fault is reported
                return _result(PersistedAs.ESCROWED, attempt.seen)
        yield Sleep(attempt.pause(attempt.policy.write_pause))


def write_or_keep(pair: SealedPair) -> Effects[PersistedAs]:
    """Write `pair` if grant id and version are as its attempt saw them; else keep or drop it. Raises Unavailable.

    A dropped pair is revoked from the queue, unless a connection or a link holds the Zoom user by then.
    """
    persisted = yield from _write_or_keep(pair)
    if persisted is PersistedAs.DROPPED and pair.zoom_user_id:
        yield Revoke(pair)
    return persisted


def _write_or_keep(pair: SealedPair) -> Effects[PersistedAs]:
    try:
        found: Connection | None = yield Write(pair, release=True)
        if found is not None and (found.grant_id, found.version) == (pair.grant_id, pair.seen_version):
            # Only the lease is another's, because we were slow: the pair counts, the lease is not ours to end.
            found = yield Write(pair, release=False)
    except LookupError:
        return PersistedAs.DROPPED
    if found is None or found.written_by == pair.attempt:
        return PersistedAs.WRITTEN
    if found.grant_id != pair.grant_id:
        return PersistedAs.DROPPED
    kept: bool = pair.attempt in found.spares or (yield KeepSpare(pair))
    return PersistedAs.SPARE if kept else PersistedAs.DROPPED


def _result(rested: PersistedAs, seen: Connection) -> Result:
    match rested:
        case PersistedAs.WRITTEN:
            return Result(Outcome.REFRESHED, seen.version + 1, State.CONNECTED)
        case PersistedAs.SPARE:
            return Result(Outcome.CURRENT, seen.version + 1, seen.state, seen.reason)
        case PersistedAs.ESCROWED:
            return Result(Outcome.UNAVAILABLE, seen.version, seen.state, "escrowed")
        case PersistedAs.DROPPED:
            return Result(Outcome.CURRENT, seen.version, seen.state, seen.reason)


# Begins the reason of a result that is the app's fault, for the log: no connection is to blame.
APP_FAULT = "app:"

# The reason of a probe that Zoom has refused.
PROBE_REFUSED = "probe_refused"


def finish(attempt: RefreshContext, end: Exception) -> Effects[Result]:
    """Release the lease with what `end` means for the connection."""
    match end:
        case Moved(latest=latest):
            if latest is not None and latest.grant_id == attempt.seen.grant_id:
                yield from _release(latest, _unchanged(attempt, latest))
            return current(latest)
        case _ if attempt.probe:
            return (yield from _leave_untouched(attempt, end))
        case GrantRejected() if attempt.uncertain or attempt.others():
            # The live token may still be on its way to us: ask the person only once nobody can bring it any more.
            return (
                yield from _back_off(attempt, "rotation_unresolved", at_most=attempt.settled_by() - attempt.clock())
            )
        case GrantRejected(reason=reason):
            return (yield from _give_up_or_hold(attempt, reason))
        case TokenUnavailable(reason=reason, retry_after=retry_after):
            return (
                yield from _back_off(attempt, reason, at_least=min(retry_after or 0.0, attempt.policy.cool_for_zoom))
            )
        case _:
            return (yield from _leave_alone(attempt, end))


def current(latest: Connection | None) -> Result:
    """Somebody else has seen to it."""
    if latest is None:
        return Result(Outcome.CURRENT, 0, State.DISCONNECTED)
    return Result(Outcome.CURRENT, latest.version, latest.state, latest.reason)


def without_refresh(connection: Connection) -> Outcome:
    """Return the result for a connection that is not current and that no attempt refreshes."""
    match connection.state:
        case State.CONNECTED:
            return Outcome.UNAVAILABLE
        case State.REFRESH_FAILING:
            return Outcome.REFRESH_FAILING
        case State.REAUTHORIZATION_REQUIRED:
            return Outcome.REAUTHORIZATION_REQUIRED
        case _:
            return Outcome.CURRENT


def _ask_the_person(attempt: RefreshContext, reason: str) -> Effects[Result]:
    """Every copy was refused and nobody else may hold one. The tokens stay, and are tried again some times."""
    seen, now = attempt.seen, attempt.clock()
    known = seen.state is State.REAUTHORIZATION_REQUIRED
    since, reason = (seen.state_changed_at, str(seen.reason)) if known else (now, reason)
    again = attempt.policy.again_at(since, now=now, chance=attempt.chance()) if reason in TRIED_AGAIN else None
    settlement = replace(
        _unchanged(attempt, seen),
        state=State.REAUTHORIZATION_REQUIRED,
        reason=reason,
        state_changed_at=since,
        due_at=again,
    )
    return (yield from _finish(attempt, Outcome.REAUTHORIZATION_REQUIRED, settlement))


def _give_up_or_hold(attempt: RefreshContext, reason: str) -> Effects[Result]:
    """Ask the person where the refusal is about this grant alone; hold the connection where it may not be.

    Without others to compare with, a connection is held while its access token lives and nobody waits. One that was
    given up is asked nothing more of, and after about a day of refusals Zoom is believed.
    """
    seen, verdict = attempt.seen, Verdict.ALONE
    if seen.state in ALIVE and seen.failures < attempt.policy.held_at_most:
        verdict = yield JudgeRefusal(attempt.until)
    waits = attempt.in_use or seen.access_expires_at <= attempt.clock()
    if verdict is Verdict.ALONE or (verdict is Verdict.UNCOMPARED and waits):
        return (yield from _ask_the_person(attempt, reason))
    return (yield from _hold(attempt, verdict))


def _hold(attempt: RefreshContext, verdict: Verdict) -> Effects[Result]:
    """Zoom or the app may be at fault: back off, and leave the state as it is. Without a comparison, only briefly."""
    failures, widely = attempt.seen.failures + 1, verdict is Verdict.WIDE
    in_a_row = 1 if verdict is Verdict.UNCOMPARED else failures
    cool_until = attempt.clock() + attempt.policy.cool_down(in_a_row, chance=attempt.chance())
    settlement = replace(_unchanged(attempt, attempt.seen), failures=failures, cool_until=cool_until, due_at=cool_until)
    result = yield from _finish(attempt, Outcome.UNAVAILABLE, settlement)
    return replace(result, reason="grants_widely_refused" if widely else "refusal_unconfirmed", widely_refused=widely)


def _back_off(
    attempt: RefreshContext, reason: str, *, at_least: float = 0.0, at_most: float = float("inf")
) -> Effects[Result]:
    """Zoom gave nothing: cool down. The state says so when it keeps happening, or the access token has ended."""
    seen, now, policy = attempt.seen, attempt.clock(), attempt.policy
    failures = seen.failures + 1
    cool_until = now + min(max(policy.cool_down(failures, chance=attempt.chance()), at_least), at_most)
    settlement = replace(_unchanged(attempt, seen), failures=failures, cool_until=cool_until, due_at=cool_until)
    if seen.state in ALIVE and (failures >= policy.failing_after or seen.access_expires_at <= now):
        since = seen.state_changed_at if seen.state is State.REFRESH_FAILING else now
        settlement = replace(settlement, state=State.REFRESH_FAILING, reason=reason, state_changed_at=since)
    return (yield from _finish(attempt, Outcome.REFRESH_FAILING, settlement))


def _leave_alone(attempt: RefreshContext, end: Exception) -> Effects[Result]:
    """The app or we are at fault: rest a little, change nothing about the connection."""
    cool_until = attempt.clock() + attempt.policy.cool_down(1, chance=attempt.chance())
    settlement = replace(_unchanged(attempt, attempt.seen), cool_until=cool_until, due_at=cool_until)
    result = yield from _finish(attempt, Outcome.UNAVAILABLE, settlement)
    of_app, reason = isinstance(end, AppAtFault), str(getattr(end, "reason", ""))
    return replace(result, reason=APP_FAULT + reason if of_app else reason, app_at_fault=of_app)


def _leave_untouched(attempt: RefreshContext, end: Exception) -> Effects[Result]:
    """A probe has brought no pair. When it is due, the connection is judged by itself."""
    result = yield from _finish(attempt, Outcome.UNAVAILABLE, _unchanged(attempt, attempt.seen))
    return replace(result, reason=PROBE_REFUSED if isinstance(end, GrantRejected) else "probe_silent")


def _finish(attempt: RefreshContext, outcome: Outcome, settlement: FinalState) -> Effects[Result]:
    seen = attempt.seen
    if (yield from _release(seen, settlement)):
        return Result(outcome, seen.version, settlement.state, settlement.reason)
    try:
        latest: Connection | None = yield Read()
    except Unavailable:
        return Result(outcome, seen.version, seen.state, seen.reason)
    if not attempt.moved(latest):
        return Result(outcome, seen.version, seen.state, seen.reason)
    return (yield from finish(attempt, Moved(latest)))  # an authorisation has placed a newer pair


def _release(seen: Connection, settlement: FinalState) -> Effects[bool]:
    try:
        settled: bool = yield Finish(seen, settlement)
    except Unavailable:
        return False  # the lease ends by itself, and the intent stands until somebody knows better
    return settled


def _unchanged(attempt: RefreshContext, latest: Connection) -> FinalState:
    return FinalState(
        attempt=attempt.attempt_id,
        state=latest.state,
        reason=latest.reason,
        failures=latest.failures,
        cool_until=latest.cool_until,
        state_changed_at=latest.state_changed_at,
        due_at=latest.due_at,
        outcome_known=not attempt.uncertain,
    )


def refresh(attempt: RefreshContext) -> Effects[Result]:
    """Take the lease, ask Zoom, bring the pair to rest.

    Raises Unavailable when the lease could not be asked for, InternalError when AWS refuses what we ask, and
    NotPersisted when nothing would take the pair.
    """
    lease_ends = attempt.clock() + attempt.policy.lease
    attempt.until = min(lease_ends, attempt.ends)
    leased: Connection | None = yield TakeLease(attempt.seen, lease_ends)
    if leased is None:
        return (yield from wait_for_leader(attempt))
    attempt.seen = leased
    try:
        # Before anything is at stake: between Zoom's answer and the write, only the write can fail.
        seals: Seals = yield FetchKeys()
        grant, used = yield from request_grant(attempt)
    except (Moved, TokenError, Unavailable) as end:
        return (yield from finish(attempt, end))
    except InternalError as fault:
        yield from finish(attempt, fault)
        raise
    pair = attempt.pair(grant, used, seals)
    result = yield from persist(attempt, pair)
    if not pair.unproven or result.outcome is not Outcome.REFRESHED:
        return result
    return (yield from _prove(attempt, pair, grant.access_token))


def _prove(attempt: RefreshContext, pair: SealedPair, token: Secret) -> Effects[Result]:
    """The pair is stored, and the lease still ours: make the connection work again if Zoom accepts the token."""
    attempt.seen = replace(attempt.seen, version=pair.seen_version + 1)
    try:
        accepted: bool = yield CheckToken(token)
    except TokenUnavailable as silent:
        return (yield from finish(attempt, silent))
    if not accepted:
        return (yield from _ask_the_person(attempt, REASON))
    settlement = replace(
        _unchanged(attempt, attempt.seen),
        state=State.CONNECTED,
        reason=None,
        failures=0,
        cool_until=0.0,
        state_changed_at=pair.state_changed_at,
        due_at=pair.due_at,
    )
    return (yield from _finish(attempt, Outcome.REFRESHED, settlement))


def wait_for_leader(attempt: RefreshContext) -> Effects[Result]:
    """The race is lost: the old token serves while it lives, else wait for the winner's. Never asks Zoom."""
    give_up = attempt.clock() + attempt.wait
    while attempt.seen.access_expires_at <= attempt.clock() < give_up:
        yield Sleep(attempt.pause(attempt.policy.poll))
        latest: Connection | None = yield Read()
        if latest is None or attempt.moved(latest):
            return current(latest)
        if latest.lease_owner is None:  # the winner came back with nothing
            return Result(without_refresh(latest), latest.version, latest.state, latest.reason)
    return Result(Outcome.BUSY, attempt.seen.version, attempt.seen.state, attempt.seen.reason)


def request_grant(attempt: RefreshContext) -> Effects[tuple[TokenGrant, bytes]]:
    """A grant, and the sealed token it was given for: the current one, else spares and the previous one, once each."""
    sealed = attempt.seen.sealed_refresh
    try:
        return (yield from _request_twice(attempt, sealed)), sealed
    except GrantRejected as refused:
        attempt.seen = yield from _wait_for_others(attempt)
        for fallback in attempt.seen.fallbacks():
            try:
                return (yield from _request(attempt, fallback)), fallback
            except GrantRejected:
                continue
        raise refused from None


def skip_reason(connection: Connection, *, now: float, seen_version: int | None) -> Result | None:
    """Why this connection is not to be refreshed now, or None. Without a version, only what is due is."""
    if connection.state not in ALIVE and not (seen_version is None and is_tried_again(connection)):
        return Result(without_refresh(connection), connection.version, connection.state, connection.reason)
    if seen_version is None:
        wanted = connection.due_at is not None and connection.due_at <= now
    else:
        wanted = connection.version == seen_version
    if not wanted:
        return current(connection)
    if connection.cool_until > now:
        return Result(without_refresh(connection), connection.version, connection.state, connection.reason)
    return None


def _request_twice(attempt: RefreshContext, sealed_refresh: bytes) -> Effects[TokenGrant]:
    """Ask again, once, with the same token when the outcome is unknown: Zoom's grace may let it pass."""
    try:
        return (yield from _request(attempt, sealed_refresh))
    except TokenUnavailable as error:
        if error.outcome_known:
            raise
    yield Sleep(attempt.pause(attempt.policy.retry_pause))
    return (yield from _request(attempt, sealed_refresh))


def _request(attempt: RefreshContext, sealed_refresh: bytes) -> Effects[TokenGrant]:
    if not attempt.may_ask():
        raise Unavailable(reason="time_ran_out")
    try:
        grant: TokenGrant = yield RequestGrant(sealed_refresh)
    except TokenUnavailable as error:
        attempt.uncertain = attempt.uncertain or not error.outcome_known
        raise
    return grant


def _wait_for_others(attempt: RefreshContext) -> Effects[Connection]:
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
