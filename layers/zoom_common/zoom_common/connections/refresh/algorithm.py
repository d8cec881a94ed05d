"""Refreshes a grant without losing it. This module only decides; every effect is a value that it yields."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from zoom_common.connections.model import ALIVE, Connection, State
from zoom_common.connections.refresh.effects import (
    CountRefusal,
    Effects,
    Escrow,
    FetchKeys,
    FinalState,
    Finish,
    KeepSpare,
    Moved,
    Outcome,
    Read,
    RefreshContext,
    RequestGrant,
    Result,
    Revoke,
    SealedPair,
    Seals,
    Sleep,
    TakeLease,
    Write,
)
from zoom_common.connections.refresh.policy import TRIED_AGAIN, is_tried_again
from zoom_common.errors import DependencyFailed, InternalError, Unavailable
from zoom_common.zoom.oauth import AppAtFault, GrantRejected, TokenError, TokenGrant, TokenUnavailable


class NotPersisted(Exception):
    """Neither table nor queue took the pair in time. It is lost, and Zoom may still accept the old token."""


class PersistedAs(StrEnum):
    """Where a pair was stored."""

    WRITTEN = "written"
    SPARE = "spare"  # another attempt has stored a pair too; this one is tried when Zoom refuses the other
    ESCROWED = "escrowed"
    DROPPED = "dropped"  # the person has reconnected or disconnected, so the grant does not exist any more


def persist(attempt: RefreshContext, pair: SealedPair) -> Effects[Result]:
    """Write `pair`; after some failures put it in escrow too; repeat until one of the two succeeds.

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
                    raise failed  # The pair is safe now, so the fault is reported.
                return _result(PersistedAs.ESCROWED, attempt.seen)
        yield Sleep(attempt.pause(attempt.policy.write_pause))


def write_or_keep(pair: SealedPair) -> Effects[PersistedAs]:
    """Write `pair` if grant id and version are still those its attempt read, else store a spare or drop it.

    A dropped pair is revoked from the queue, unless a connection or a link holds the Zoom user by then. Raises
    Unavailable.
    """
    persisted = yield from _write_or_keep(pair)
    if persisted is PersistedAs.DROPPED and pair.zoom_user_id:
        yield Revoke(pair)
    return persisted


def _write_or_keep(pair: SealedPair) -> Effects[PersistedAs]:
    try:
        found: Connection | None = yield Write(pair, release=True)
        if found is not None and (found.grant_id, found.version) == (pair.grant_id, pair.seen_version):
            # Only the lease has been taken over, because this attempt was slow: leave the lease alone.
            found = yield Write(pair, release=False)
    except LookupError:
        return PersistedAs.DROPPED
    if found is None or found.written_by == pair.attempt:
        return PersistedAs.WRITTEN
    if found.grant_id != pair.grant_id:
        return PersistedAs.DROPPED
    kept: bool = pair.attempt in found.spares or (yield KeepSpare(pair))
    return PersistedAs.SPARE if kept else PersistedAs.DROPPED


def pair_of(attempt: RefreshContext, grant: TokenGrant, used: bytes, seals: Seals) -> SealedPair:
    """Return the pair that Zoom gave for the sealed token `used`, sealed and ready to be written."""
    seen, now = attempt.seen, attempt.clock()
    due_at = attempt.policy.due_at(
        now=now,
        last_used_at=now if attempt.in_use else seen.last_used_at,
        expires_at=grant.expires_at,
        issued_at=now,
        chance=attempt.chance(),
    )
    return SealedPair(
        tenant=seen.tenant,
        connection_id=seen.connection_id,
        grant_id=seen.grant_id,
        seen_version=seen.version,
        attempt=attempt.attempt_id,
        sealed_access=seals.seal_access(grant.access_token),
        # Server-to-Server grants have no refresh token; the app's secret is stored in its place.
        sealed_refresh=seals.seal_refresh(grant.refresh_token) if grant.refresh_token else used,
        used_refresh=used,
        tried=tuple(seen.spares),
        access_expires_at=grant.expires_at,
        issued_at=now,
        scopes=grant.scopes,
        api_url=grant.api_url,
        state_changed_at=seen.state_changed_at if seen.state is State.CONNECTED else now,
        last_used_at=now if attempt.in_use else None,
        due_at=due_at,
        client_id=seen.client_id,
        zoom_user_id=seen.zoom_user_id,
    )


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


# Begins the reason of a result that is the app's fault, for the log. The fault is not the connection's.
APP_FAULT = "app:"


def finish(attempt: RefreshContext, end: Exception) -> Effects[Result]:
    """End the attempt: release the lease and store the connection's new state."""
    match end:
        case Moved(latest=latest):
            if latest is not None and latest.grant_id == attempt.seen.grant_id:
                yield from _release(latest, _unchanged(attempt, latest))
            return current(latest)
        case GrantRejected() if attempt.uncertain or attempt.others():
            # Another attempt may still store the live token. Ask the person only when none can any more.
            return (
                yield from _back_off(attempt, "rotation_unresolved", at_most=attempt.settled_by() - attempt.clock())
            )
        case GrantRejected(reason=reason):
            return (yield from _give_up_or_hold(attempt, reason))
        case TokenUnavailable(reason=reason, retry_after=retry_after):
            return (
                yield from _back_off(attempt, reason, at_least=min(retry_after or 0.0, attempt.policy.cool_for_zoom))
            )
        case AppAtFault(reason=reason):
            return replace((yield from _leave_alone(attempt, APP_FAULT + reason)), app_at_fault=True)
        case _:
            return (yield from _leave_alone(attempt, str(getattr(end, "reason", ""))))


def current(latest: Connection | None) -> Result:
    """Return the result when another attempt has refreshed the connection."""
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
    """Give up the connection, because Zoom refused every token and no other attempt may have one."""
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
    if (yield from _is_widely_refused(attempt)):
        return (yield from _hold(attempt))
    return (yield from _ask_the_person(attempt, reason))


def _is_widely_refused(attempt: RefreshContext) -> Effects[bool]:
    """Count the refusal and return whether Zoom refuses too many grants at the moment.

    A refusal of a connection that was given up before is not counted, and after a day Zoom's refusal is accepted.
    """
    if attempt.seen.state not in ALIVE:
        return False
    widely: bool = yield CountRefusal()
    return widely and attempt.seen.failures < attempt.policy.held_at_most


def _hold(attempt: RefreshContext) -> Effects[Result]:
    """Back off without a change of state, because Zoom or the app is at fault."""
    failures = attempt.seen.failures + 1
    cool_until = attempt.clock() + attempt.policy.cool_down(failures, chance=attempt.chance())
    settlement = replace(_unchanged(attempt, attempt.seen), failures=failures, cool_until=cool_until, due_at=cool_until)
    result = yield from _finish(attempt, Outcome.UNAVAILABLE, settlement)
    return replace(result, reason="grants_widely_refused", widely_refused=True)


def _back_off(
    attempt: RefreshContext, reason: str, *, at_least: float = 0.0, at_most: float = float("inf")
) -> Effects[Result]:
    """Back off after Zoom gave no tokens. A repetition, or an expired access token, makes the state `failing`."""
    seen, now, policy = attempt.seen, attempt.clock(), attempt.policy
    failures = seen.failures + 1
    cool_until = now + min(max(policy.cool_down(failures, chance=attempt.chance()), at_least), at_most)
    settlement = replace(_unchanged(attempt, seen), failures=failures, cool_until=cool_until, due_at=cool_until)
    if seen.state in ALIVE and (failures >= policy.failing_after or seen.access_expires_at <= now):
        since = seen.state_changed_at if seen.state is State.REFRESH_FAILING else now
        settlement = replace(settlement, state=State.REFRESH_FAILING, reason=reason, state_changed_at=since)
    return (yield from _finish(attempt, Outcome.REFRESH_FAILING, settlement))


def _leave_alone(attempt: RefreshContext, reason: str) -> Effects[Result]:
    """Wait a little and change nothing else about the connection, because the app or the gateway is at fault."""
    cool_until = attempt.clock() + attempt.policy.cool_down(1, chance=attempt.chance())
    settlement = replace(_unchanged(attempt, attempt.seen), cool_until=cool_until, due_at=cool_until)
    result = yield from _finish(attempt, Outcome.UNAVAILABLE, settlement)
    return replace(result, reason=reason)


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
    return (yield from finish(attempt, Moved(latest)))  # an authorization has stored a newer pair


def _release(seen: Connection, settlement: FinalState) -> Effects[bool]:
    try:
        settled: bool = yield Finish(seen, settlement)
    except Unavailable:
        return False  # the lease expires by itself, and the intent stays until the outcome is known
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
    """Take the lease, ask Zoom for a new pair, and store the pair.

    Raises Unavailable when the lease could not be requested, InternalError when AWS refuses a request, and NotPersisted
    when neither table nor queue took the pair.
    """
    lease_ends = attempt.clock() + attempt.policy.lease
    attempt.until = min(lease_ends, attempt.ends)
    leased: Connection | None = yield TakeLease(attempt.seen, lease_ends)
    if leased is None:
        return (yield from wait_for_leader(attempt))
    attempt.seen = leased
    try:
        # Fetch all keys before Zoom is asked, so that after Zoom's answer only the write can fail.
        seals: Seals = yield FetchKeys()
        grant, used = yield from request_grant(attempt)
    except (Moved, TokenError, Unavailable) as end:
        return (yield from finish(attempt, end))
    except InternalError as fault:
        yield from finish(attempt, fault)
        raise
    return (yield from persist(attempt, pair_of(attempt, grant, used, seals)))


def wait_for_leader(attempt: RefreshContext) -> Effects[Result]:
    """Return at once while the old token is valid, else wait for the attempt that has the lease. Never asks Zoom."""
    give_up = attempt.clock() + attempt.wait
    while attempt.seen.access_expires_at <= attempt.clock() < give_up:
        yield Sleep(attempt.pause(attempt.policy.poll))
        latest: Connection | None = yield Read()
        if latest is None or attempt.moved(latest):
            return current(latest)
        if latest.lease_owner is None:  # The other attempt got no tokens.
            return Result(without_refresh(latest), latest.version, latest.state, latest.reason)
    return Result(Outcome.BUSY, attempt.seen.version, attempt.seen.state, attempt.seen.reason)


def request_grant(attempt: RefreshContext) -> Effects[tuple[TokenGrant, bytes]]:
    """Try the current token, then spares and the previous one. Return the grant and the sealed token it came for."""
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
    """Return why this connection is not to be refreshed now, or None. Without `seen_version`, it must be due."""
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
    """Ask Zoom, and once more with the same token if the outcome is unknown: Zoom may accept a used token again."""
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
    """Read again until no other attempt can be about to write, or the time is up. Raises Moved when one has written."""
    give_up = attempt.clock() + attempt.policy.patience
    while True:
        latest: Connection | None = yield Read()
        if latest is None or attempt.moved(latest):
            raise Moved(latest)
        attempt.seen = latest
        if not attempt.others() or attempt.clock() >= give_up:
            return latest
        yield Sleep(attempt.pause(attempt.policy.poll))
