"""What a refresh may do to the outside, one value per effect, and the context of one refresh."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from zoom_common.connections.model import Connection, State
from zoom_common.connections.refresh.policy import REASON, Outcome, Policy
from zoom_common.secret import Secret
from zoom_common.zoom.oauth import TokenGrant

# For this long, in seconds, an attempt that nobody resolved may still turn up with the pair it got.
INTENT_WINDOW = 15 * 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedPair:
    """A pair from Zoom under its seals, with all that its write needs. Times are epoch seconds."""

    tenant: str
    connection_id: str
    grant_id: str
    seen_version: int
    attempt: str
    sealed_access: bytes = field(repr=False)
    sealed_refresh: bytes = field(repr=False)
    used_refresh: bytes = field(repr=False)  # the one it was exchanged for
    tried: tuple[str, ...]  # spares that this pair makes obsolete
    access_expires_at: float
    issued_at: float
    scopes: frozenset[str]
    api_url: str | None
    state_changed_at: float
    last_used_at: float | None  # None leaves it as it is
    due_at: float
    # What a revoke needs when no connection takes the pair. Pairs of older releases, and of accounts, have no user.
    client_id: str = ""
    zoom_user_id: str | None = None
    # Zoom refused the access tokens before this one: the connection stays given up until Zoom has accepted it.
    unproven: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FinalState:
    """How an attempt without a pair leaves the connection."""

    attempt: str
    state: State
    reason: str | None
    failures: int
    cool_until: float
    state_changed_at: float
    due_at: float | None
    outcome_known: bool  # False leaves the intent standing


@dataclass(frozen=True, slots=True)
class TakeLease:
    """-> the connection with our lease on it, or None. Raises Unavailable."""

    seen: Connection
    until: float


@dataclass(frozen=True, slots=True)
class Read:
    """-> the connection as last written, or None. Raises Unavailable."""


@dataclass(frozen=True, slots=True)
class FetchKeys:
    """-> Seals, fetched from KMS while nothing is at stake yet. Raises Unavailable."""


@dataclass(frozen=True, slots=True)
class RequestGrant:
    """-> TokenGrant, for one sealed refresh token. Raises TokenError; Unavailable when it could not even be opened."""

    sealed_refresh: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Write:
    """-> None when written, else the connection as it is. Raises LookupError when it is gone, and Unavailable."""

    pair: SealedPair
    release: bool


@dataclass(frozen=True, slots=True)
class KeepSpare:
    """-> whether the grant is still there to keep it for. Raises Unavailable."""

    pair: SealedPair


@dataclass(frozen=True, slots=True)
class Escrow:
    """-> None once a queue holds the pair. Raises Unavailable."""

    pair: SealedPair


@dataclass(frozen=True, slots=True)
class Revoke:
    """-> None once a queue holds the pair to be revoked. Raises Unavailable."""

    pair: SealedPair


@dataclass(frozen=True, slots=True)
class Finish:
    """-> whether the lease was still ours; nothing happens otherwise. Raises Unavailable."""

    seen: Connection
    settlement: FinalState


class Verdict(StrEnum):
    """What a refusal by Zoom means."""

    ALONE = "alone"  # Zoom grants others: this grant has ended
    UNCOMPARED = "uncompared"  # there are too few others to compare with
    WIDE = "wide"  # Zoom refuses others as well: Zoom or the app is at fault
    UNKNOWN = "unknown"  # there are others, and none of them could be tried now


@dataclass(frozen=True, slots=True)
class JudgeRefusal:
    """-> Verdict, by `until` (epoch seconds) at the latest. Other grants may be refreshed for it."""

    until: float


@dataclass(frozen=True, slots=True)
class CheckToken:
    """-> whether Zoom's API accepts an access token. Raises TokenUnavailable when it does not answer."""

    token: Secret


@dataclass(frozen=True, slots=True)
class Sleep:
    """-> None, `seconds` later."""

    seconds: float


type Effect = (
    TakeLease
    | Read
    | FetchKeys
    | RequestGrant
    | Write
    | KeepSpare
    | Escrow
    | Revoke
    | Finish
    | JudgeRefusal
    | CheckToken
    | Sleep
)


class Seals(Protocol):
    """Seals a pair without asking anybody; see `cipher`."""

    def seal_access(self, token: Secret) -> bytes:
        """The access token, sealed."""
        ...

    def seal_refresh(self, token: Secret) -> bytes:
        """The refresh token, sealed."""
        ...


@dataclass(frozen=True, slots=True)
class Result:
    """The end of an attempt: what came of it, the version to read, and the state it leaves."""

    outcome: Outcome
    version: int
    state: State
    reason: str | None = None
    unread: bool = False  # the connection could not even be read or leased: try again
    app_at_fault: bool = False  # Zoom refuses the app itself
    widely_refused: bool = False  # Zoom refuses many grants at once: this one was not given up


_A_MOMENT = 1.0  # stored times are rounded

# Yields effects, is sent their answers, and returns a T.
type Effects[T] = Generator[Effect, Any, T]


class Moved(Exception):
    """Another writer has brought a newer version or grant (`latest`), or the connection is gone (None)."""

    def __init__(self, latest: Connection | None) -> None:
        super().__init__("moved")
        self.latest = latest


@dataclass(slots=True)
class RefreshContext:
    """`seen` is the connection as last read, `chance` draws from [0, 1), times are in seconds."""

    attempt_id: str
    seen: Connection
    clock: Callable[[], float]
    chance: Callable[[], float]
    policy: Policy
    in_use: bool = False  # somebody needs the token now
    probe: bool = False  # only to see whether Zoom grants anybody: without a pair, the connection stays as it is
    wait: float = 0.0  # for how long a loser may wait for the winner's result
    ends: float = float("inf")  # when this process is stopped
    until: float = 0.0  # the end of our lease, or of this process
    uncertain: bool = False  # a request left and its outcome is unknown: Zoom may have rotated

    def may_ask(self) -> bool:
        """Whether a request, and the writes after it, still fit into the lease."""
        return self.clock() + self.policy.request + self.policy.reserve <= self.until

    @property
    def proves(self) -> bool:
        """Whether the connection was given up because Zoom refused new access tokens: a new one has to be accepted."""
        return self.seen.state is State.REAUTHORIZATION_REQUIRED and self.seen.reason == REASON

    def pair(self, grant: TokenGrant, used: bytes, seals: Seals) -> SealedPair:
        """Return what Zoom gave for the sealed token `used`, sealed and ready to be written."""
        seen, now = self.seen, self.clock()
        due_at = self.policy.due_at(
            now=now,
            last_used_at=now if self.in_use else seen.last_used_at,
            expires_at=grant.expires_at,
            issued_at=now,
            chance=self.chance(),
        )
        return SealedPair(
            tenant=seen.tenant,
            connection_id=seen.connection_id,
            grant_id=seen.grant_id,
            seen_version=seen.version,
            attempt=self.attempt_id,
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
            last_used_at=now if self.in_use else None,
            due_at=due_at,
            client_id=seen.client_id,
            zoom_user_id=seen.zoom_user_id,
            unproven=self.proves,
        )

    def pause(self, seconds: float) -> float:
        """About `seconds`, spread by half either way, so that those who wait do not wake together."""
        return seconds * (0.5 + self.chance())

    def others(self) -> list[str]:
        """Other attempts that may hold a pair and have not ended."""
        return self.seen.unresolved(since=self.clock() - INTENT_WINDOW, but=self.attempt_id)

    def settled_by(self) -> float:
        """From when on no attempt that has not ended may hold a pair: the verdict need not wait longer."""
        open_since = [at for each, at in self.seen.intents.items() if self.uncertain or each != self.attempt_id]
        return max(open_since, default=self.clock()) + INTENT_WINDOW + _A_MOMENT

    def moved(self, latest: Connection | None) -> bool:
        """Whether `latest` is another version or grant than the one seen, or gone."""
        return latest is None or (latest.grant_id, latest.version) != (self.seen.grant_id, self.seen.version)
