"""Bringing a pair from Zoom to rest: as the current one, as a spare, or in escrow. It never exists only in memory."""

from __future__ import annotations

from enum import StrEnum

from zoom_common.connections.attempt import Attempt, Steps
from zoom_common.connections.model import Connection, State
from zoom_common.connections.steps import (
    Escrow,
    KeepSpare,
    Outcome,
    Result,
    SealedPair,
    Seals,
    Sleep,
    Write,
)
from zoom_common.errors import DependencyFailed, InternalError
from zoom_common.zoom.oauth import TokenGrant


class Unplaced(Exception):
    """Neither table nor queue took the pair in time: it ends with this process. The old token may yet pass."""


class Rest(StrEnum):
    """Where a pair came to rest."""

    WRITTEN = "written"
    SPARE = "spare"  # another writer holds a pair too: ours is tried when theirs is refused
    ESCROWED = "escrowed"
    DROPPED = "dropped"  # the person has reconnected or disconnected: the grant is no more


def rest(attempt: Attempt, pair: SealedPair) -> Steps[Result]:
    """Write `pair`; after some failures put it in escrow; go on until one works.

    Raises Unplaced when time is up, and InternalError when the pair is in escrow because the write was refused.
    """
    tries = 0
    while True:
        try:
            return _result((yield from place(pair)), attempt.seen)
        except DependencyFailed as error:
            failed = error
            tries += 1
        if tries >= attempt.policy.write_tries:
            try:
                yield Escrow(pair)
            except DependencyFailed:
                if attempt.clock() >= attempt.until:
                    raise Unplaced from None
            else:
                if isinstance(failed, InternalError):
                    raise failed  # the pair is safe: now somebody has to hear of the fault
                return _result(Rest.ESCROWED, attempt.seen)
        yield Sleep(attempt.pause(attempt.policy.write_pause))


def place(pair: SealedPair) -> Steps[Rest]:
    """Write `pair` if grant id and version are as its attempt saw them; else keep or drop it. Raises Unavailable."""
    try:
        found: Connection | None = yield Write(pair, release=True)
        if found is not None and (found.grant_id, found.version) == (pair.grant_id, pair.seen_version):
            # Only the lease is another's, because we were slow: the pair counts, the lease is not ours to end.
            found = yield Write(pair, release=False)
    except LookupError:
        return Rest.DROPPED
    if found is None or found.written_by == pair.attempt:
        return Rest.WRITTEN
    if found.grant_id != pair.grant_id:
        return Rest.DROPPED
    kept: bool = pair.attempt in found.spares or (yield KeepSpare(pair))
    return Rest.SPARE if kept else Rest.DROPPED


def pair_of(attempt: Attempt, grant: TokenGrant, used: bytes, seals: Seals) -> SealedPair:
    """What Zoom gave for the sealed token `used`, sealed and ready to be written."""
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
        # Server-to-Server grants have none: the app's secret goes on in its place.
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
    )


def _result(rested: Rest, seen: Connection) -> Result:
    match rested:
        case Rest.WRITTEN:
            return Result(Outcome.REFRESHED, seen.version + 1, State.CONNECTED)
        case Rest.SPARE:
            return Result(Outcome.CURRENT, seen.version + 1, seen.state, seen.reason)
        case Rest.ESCROWED:
            return Result(Outcome.UNAVAILABLE, seen.version, seen.state, "escrowed")
        case Rest.DROPPED:
            return Result(Outcome.CURRENT, seen.version, seen.state, seen.reason)
