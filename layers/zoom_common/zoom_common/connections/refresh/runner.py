"""Finds due connections, carries out the effects of a refresh, and publishes changes of state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from zoom_common.connections.cipher import Cipher, PairSealer, SealBroken, SealContext, SealKind
from zoom_common.connections.disconnecting import EndedGrant
from zoom_common.connections.model import ALIVE, Connection, Kind, State, changes_at, state_changed
from zoom_common.connections.oauth_client import ZoomOAuth
from zoom_common.connections.outbox import Outbox
from zoom_common.connections.queues import EscrowQueue, RevokeQueue
from zoom_common.connections.refresh.algorithm import (
    PROBE_REFUSED,
    PersistedAs,
    current,
    refresh,
    skip_reason,
    write_or_keep,
)
from zoom_common.connections.refresh.effects import (
    CheckToken,
    Effect,
    Effects,
    Escrow,
    FetchKeys,
    FinalState,
    Finish,
    JudgeRefusal,
    KeepSpare,
    Read,
    RefreshContext,
    RequestGrant,
    Result,
    Revoke,
    SealedPair,
    Sleep,
    TakeLease,
    Verdict,
    Write,
)
from zoom_common.connections.refresh.policy import NO_STREAK, REASON, Outcome, Policy, may_be_tried_again, streak_after
from zoom_common.connections.refresh.refusal_rate import OtherGrants, Probe, RefusalRate, verdict
from zoom_common.connections.refresh.store import RefreshStore
from zoom_common.connections.store import SHARDS, ConnectionStore
from zoom_common.deadline import Deadline
from zoom_common.errors import DependencyFailed, Unavailable
from zoom_common.secret import Secret
from zoom_common.zoom.oauth import App, AppAtFault, GrantRejected, TokenError, TokenGrant

# The time for one page of the index and its messages, with a reserve.
_ONE_PAGE = 10.0


class DueIndex(Protocol):
    """Connections by due time; see `store`."""

    def due(self, shard: str, *, now: float, after: dict[str, Any] | None = None) -> tuple[list[tuple[str, str]], Any]:
        """Return one page of a shard's due connections, longest due first, and where the next page begins."""
        ...


class Workers(Protocol):
    """Takes connections to refresh; see `queues`."""

    def enqueue(self, connections: list[tuple[str, str]], *, delay: int = 0) -> int:
        """Enqueue connections, spread over `delay` seconds. Return how many were enqueued."""
        ...


def sweep(
    index: DueIndex, workers: Workers, *, clock: Callable[[], float], deadline: Deadline, spread: int = 60
) -> int:
    """Queue every connection that is due now, and return how many. A second sweep at the same time does no harm.

    It stops when the deadline is near; the next sweep starts with what has been due longest. Raises Unavailable.
    """
    now, handed_out = clock(), 0
    for shard in range(SHARDS):
        after: dict[str, Any] | None = None
        while deadline.allows(_ONE_PAGE):
            page, after = index.due(f"{shard:02d}", now=now, after=after)
            handed_out += workers.enqueue(page, delay=spread)
            if after is None:
                break
    return handed_out


@dataclass(slots=True)
class KmsAhead:
    """Asks KMS while the lease is taken, so that one wait is for both. A lost lease throws away what it answers.

    Neither the data keys nor the opened token change anything at Zoom or in the table, so the lease still comes before
    all that does.
    """

    cipher: Cipher
    _seals: Callable[[], PairSealer] | None = None
    _tokens: dict[bytes, Callable[[], Secret]] = field(default_factory=dict)

    def begin(self, seen: Connection) -> None:
        """Ask for the data keys of the next pair, and for the one of the refresh token that is tried first."""
        self._seals = self.cipher.begin_pair_sealer(seen.tenant, seen.connection_id)
        self._tokens[seen.sealed_refresh] = self.cipher.begin_open(seen.sealed_refresh, _context(seen))

    def seals(self, connection: Connection) -> PairSealer:
        """Return the data keys for the next pair. Raises Unavailable."""
        begun, self._seals = self._seals, None
        return begun() if begun else self.cipher.pair_sealer(connection.tenant, connection.connection_id)

    def token(self, connection: Connection, sealed: bytes) -> Secret:
        """Return the refresh token in a seal. Raises SealBroken and Unavailable."""
        begun = self._tokens.pop(sealed, None)
        return begun() if begun else self.cipher.open(sealed, _context(connection))


def _context(connection: Connection) -> SealContext:
    return SealContext(connection.tenant, connection.connection_id, SealKind.REFRESH)


def _nothing() -> None:
    """Do nothing when Zoom grants."""


# After this many conflicting changes of state, leave it to the next refresh.
_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresher:
    """Refreshes connections. `new_id` names attempts; `sleep` and `clock` are in seconds."""

    connections: ConnectionStore
    store: RefreshStore
    cipher: Cipher
    zoom: ZoomOAuth
    escrow: EscrowQueue
    revokes: RevokeQueue
    outbox: Outbox
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    chance: Callable[[], float]
    new_id: Callable[[], str]
    rate: RefusalRate
    others: OtherGrants
    policy: Policy = field(default_factory=Policy)

    def on_demand(
        self,
        tenant: str,
        connection_id: str,
        *,
        seen_version: int,
        wait: float,
        ends: float = float("inf"),
        on_grant: Callable[[], None] = _nothing,
    ) -> Result:
        """Refresh unless another attempt has since `seen_version`; wait up to `wait` seconds for the result of another.

        `ends` is the epoch second in which this process is stopped. A request is sent only if there is time to store
        its answer.
        `on_grant` is called when Zoom has given a pair, before the pair is written: it must neither wait nor raise.
        """
        return self._refresh(tenant, connection_id, seen_version=seen_version, wait=wait, ends=ends, on_grant=on_grant)

    def when_due(self, tenant: str, connection_id: str, *, ends: float = float("inf")) -> Result:
        """Refresh if it is due. A message that comes twice or late does nothing the second time."""
        return self._refresh(tenant, connection_id, seen_version=None, wait=0.0, ends=ends)

    def try_again(self, tenant: str, connection_id: str, *, ends: float = float("inf")) -> Result:
        """Try the tokens of a connection that was given up, at once, because an operator asks for it.

        A connection in another state, superseded, or without tokens stays as it is, and the result says why.
        """
        return self._refresh(tenant, connection_id, seen_version=None, wait=0.0, ends=ends, again=True)

    def touch(self, tenant: str, connection_id: str) -> bool:
        """Store that a connection is in use, which keeps it warm. Return whether it exists. Raises Unavailable."""
        seen, now = self.connections.get(tenant, connection_id), self.clock()
        if seen is None or seen.state not in ALIVE:
            return False
        due_at = self.policy.due_at(
            now=now,
            last_used_at=now,
            expires_at=seen.access_expires_at,
            issued_at=seen.refresh_issued_at,
            chance=self.chance(),
        )
        self.connections.touch(seen, now=now, due_at=max(due_at, seen.cool_until))
        return True

    def refused(self, tenant: str, connection_id: str, *, version: int) -> bool:
        """Count that Zoom refuses a new token. Return whether the connection was given up because of it.

        Raises Unavailable.
        """
        seen, now = self.connections.get(tenant, connection_id), self.clock()
        if seen is None or seen.state not in ALIVE:
            return False
        row = streak_after(seen, version=version, now=now)
        if row is None or not self.store.note_refusal(seen, row) or not row.ends(self.policy, now=now):
            return False
        at = changes_at(seen, now)
        change = state_changed(seen, State.REAUTHORIZATION_REQUIRED, REASON, at=at)
        again_at = self.policy.again_at(at, now=now, chance=self.chance())
        ended = self.connections.end(seen, reason=REASON, now=at, again_at=again_at, also=[self.outbox.entry(change)])
        if ended:
            self.outbox.publish(change)
        return ended

    def accepted(self, tenant: str, connection_id: str, *, version: int) -> bool:
        """End the rejection streak, because Zoom has accepted a token of `version`. Return whether there was one.

        A refusal of a newer version than the accepted one is not cleared. Raises Unavailable.
        """
        seen = self.connections.get(tenant, connection_id)
        if seen is None or seen.state not in ALIVE or not seen.refusals or version < seen.refused_version:
            return False
        return self.store.note_refusal(seen, NO_STREAK, version=0)

    def restore(self, pair: SealedPair) -> PersistedAs:
        """Store a pair from escrow. Raises Unavailable; then the queue keeps it and brings it again."""
        before = self.connections.get(pair.tenant, pair.connection_id)
        ahead = KmsAhead(self.cipher)
        return run(write_or_keep(pair), lambda step: self._perform(step, before, pair.attempt, ahead))

    def _refresh(
        self,
        tenant: str,
        connection_id: str,
        *,
        seen_version: int | None,
        wait: float,
        ends: float,
        again: bool = False,
        on_grant: Callable[[], None] = _nothing,
    ) -> Result:
        try:
            connection = self.connections.get(tenant, connection_id)
            if connection is None:
                return current(None)
            refusal = skip_reason(connection, now=self.clock(), seen_version=seen_version)
            if refusal is not None and not (again and may_be_tried_again(connection)):
                return refusal
            if self._is_of_another_app(connection):
                return self._left(connection, was_due=seen_version is None)
            attempt = RefreshContext(
                self.new_id(),
                connection,
                self.clock,
                self.chance,
                self.policy,
                in_use=seen_version is not None,
                wait=wait,
                ends=ends,
            )
            ahead = KmsAhead(self.cipher)

            def perform(step: Effect) -> Any:
                answer = self._perform(step, connection, attempt.attempt_id, ahead)
                if isinstance(step, RequestGrant):
                    on_grant()
                return answer

            result = run(refresh(attempt), perform)
        except Unavailable as ours:
            return Result(Outcome.UNAVAILABLE, seen_version or 0, State.CONNECTED, ours.reason, unread=True)
        if result.outcome is Outcome.REFRESHED:
            self.rate.granted()
        return result

    def _judge(self, refused: Connection, *, until: float) -> Verdict:
        """Say what Zoom's refusal means: by its answers of the last minutes, else by refreshing other grants now."""
        are_many = self.rate.refused()
        try:
            others = self.others.like(refused)
            if are_many and len(others) >= self.policy.probes_refused:
                return Verdict.WIDE
            return verdict((self._probe(each, until=until) for each in others), self.policy)
        except Unavailable:
            return Verdict.UNKNOWN

    def _probe(self, other: Connection, *, until: float) -> Probe:
        """Refresh another connection, which gets its new pair or stays as it is. Answers to probes are not counted."""
        attempt = RefreshContext(self.new_id(), other, self.clock, self.chance, self.policy, probe=True, ends=until)
        ahead = KmsAhead(self.cipher)
        try:
            result = run(refresh(attempt), lambda step: self._perform(step, other, attempt.attempt_id, ahead))
        except Unavailable:
            return Probe.SILENT
        if result.outcome is Outcome.REFRESHED:
            return Probe.GRANTED
        return Probe.REFUSED if result.reason == PROBE_REFUSED else Probe.SILENT

    def _is_of_another_app(self, connection: Connection) -> bool:
        """Return whether a connection was made with another Zoom app. False where the configured one is unknown.

        In that case the request for a grant reads the credentials again, and sends nothing for another app.
        """
        try:
            return connection.kind is Kind.USER and not self.zoom.is_configured(connection.client_id)
        except Unavailable:
            return False

    def _left(self, connection: Connection, *, was_due: bool) -> Result:
        """Leave a connection of another app as it is, and let the sweep look at it again a day later.

        Raises Unavailable.
        """
        if was_due:
            self.store.postpone(connection, due_at=self.clock() + self.policy.other_app)
        return Result(Outcome.UNAVAILABLE, connection.version, connection.state, "connection_of_another_app")

    def _write(self, pair: SealedPair, seen: Connection | None, *, release: bool) -> Connection | None:
        """Write `pair` if the connection's state is that of `seen`, else read the state and try again."""
        found = seen
        for _ in range(_TRIES):
            state = found.state if found else State.CONNECTED
            changes = []
            if found is not None and state is not State.CONNECTED and not pair.unproven:
                at = changes_at(found, self.clock())
                changes.append(state_changed(found, State.CONNECTED, None, at=at))
                pair = replace(pair, state_changed_at=at)
            also = [self.outbox.entry(change) for change in changes]
            latest = self.store.write(pair, release=release, state=state, also=also)
            if latest is None:
                self.outbox.publish(*changes)
                return None
            found = latest
            if latest.state is state or (latest.grant_id, latest.version) != (pair.grant_id, pair.seen_version):
                break
        return found

    def _finish(self, seen: Connection, settlement: FinalState) -> bool:
        changes = []
        if settlement.state is not seen.state:
            at = changes_at(seen, settlement.state_changed_at)
            settlement = replace(settlement, state_changed_at=at)
            changes.append(state_changed(seen, settlement.state, settlement.reason, at=at))
        settled = self.store.settle(seen, settlement, also=[self.outbox.entry(change) for change in changes])
        if settled:
            self.outbox.publish(*changes)
        return settled

    def _perform(self, step: Effect, connection: Connection | None, attempt: str, ahead: KmsAhead) -> Any:  # noqa: C901, PLR0911 - one per step
        match step:
            case TakeLease(seen, until):
                ahead.begin(seen)
                return self.store.take_lease(seen, attempt, now=self.clock(), until=until, skew=self.policy.skew)
            case Read() if connection is not None:
                return self.connections.get(connection.tenant, connection.connection_id)
            case FetchKeys() if connection is not None:
                return ahead.seals(connection)
            case RequestGrant(sealed_refresh) if connection is not None:
                return self._ask(connection, sealed_refresh, ahead)
            case Write(pair, release):
                return self._write(pair, connection, release=release)
            case KeepSpare(pair):
                return self.store.keep_spare(pair)
            case Escrow(pair):
                return self.escrow.hold(pair)
            case Revoke(pair) if (grant := EndedGrant.of_pair(pair)) is not None:
                return self.revokes.enqueue(grant.to_message())
            case Finish(seen, settlement):
                return self._finish(seen, settlement)
            case JudgeRefusal(until) if connection is not None:
                return self._judge(connection, until=until)
            case CheckToken(token) if connection is not None:
                return self.zoom.accepts(token, of_account=connection.kind is Kind.ACCOUNT)
            case Sleep(seconds):
                return self.sleep(seconds)
        raise TypeError(type(step).__name__)

    def _ask(self, connection: Connection, sealed_refresh: bytes, ahead: KmsAhead) -> TokenGrant:
        try:
            token = ahead.token(connection, sealed_refresh)
        except SealBroken:
            raise Unavailable(reason="seal_broken") from None
        if connection.kind is Kind.ACCOUNT:
            return self._ask_for_account(App(connection.client_id, token), connection.zoom_account_id)
        return self.zoom.refresh(token, client_id=connection.client_id)

    def _ask_for_account(self, app: App, account_id: str) -> TokenGrant:
        try:
            return self.zoom.account_token(app, account_id)
        except AppAtFault as fault:
            # The app is the connection's own, so whoever gave its secret has to give a new one.
            raise GrantRejected(fault.reason) from None


def run[T](steps: Effects[T], perform: Callable[[Effect], Any]) -> T:
    """Carry out `steps` one after the other. What `perform` raises is raised inside them."""
    try:
        step = next(steps)
        while True:
            try:
                answer = perform(step)
            except (TokenError, DependencyFailed, LookupError) as error:
                step = steps.throw(error)
            else:
                step = steps.send(answer)
    except StopIteration as end:
        result: T = end.value
        return result
