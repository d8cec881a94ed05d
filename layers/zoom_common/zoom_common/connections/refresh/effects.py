"""What a refresh may do to the outside, one value per effect, and the context of one refresh."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from typing import Any, Protocol

from zoom_common.connections.model import Connection, State
from zoom_common.connections.refresh.policy import Outcome, Policy
from zoom_common.secret import Secret

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


@dataclass(frozen=True, slots=True)
class CountRefusal:
    """-> whether Zoom refuses so many grants lately that Zoom or the app is at fault."""


@dataclass(frozen=True, slots=True)
class Sleep:
    """-> None, `seconds` later."""

    seconds: float


type Effect = (
    TakeLease | Read | FetchKeys | RequestGrant | Write | KeepSpare | Escrow | Revoke | Finish | CountRefusal | Sleep
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
    wait: float = 0.0  # for how long a loser may wait for the winner's result
    ends: float = float("inf")  # when this process is stopped
    until: float = 0.0  # the end of our lease, or of this process
    uncertain: bool = False  # a request left and its outcome is unknown: Zoom may have rotated

    def may_ask(self) -> bool:
        """Whether a request, and the writes after it, still fit into the lease."""
        return self.clock() + self.policy.request + self.policy.reserve <= self.until

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
