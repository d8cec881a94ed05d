"""What a refresh may ask of the world, one value per step, and what it hands over.

The decisions in `refresh` yield these and are sent the answers; `refresher` carries them out, and so does a simulation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from zoom_common.connections.model import Connection, State
from zoom_common.secret import Secret

# For this long, in seconds, an attempt that nobody resolved may still turn up with the pair it got.
INTENT_WINDOW = 15 * 60.0


class Outcome(StrEnum):
    """What came of an attempt, as the caller of `token_refresh` is told."""

    REFRESHED = "refreshed"
    CURRENT = "current"  # somebody else did it, or nothing was to do
    BUSY = "busy"  # somebody else is at it
    REFRESH_FAILING = "refresh_failing"  # it did not work; try again after the cool-down
    REAUTHORIZATION_REQUIRED = "reauthorization_required"
    UNAVAILABLE = "unavailable"  # nothing wrong with the connection: the app or we are at fault


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
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
class Ask:
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
class Settle:
    """-> whether the lease was still ours; nothing happens otherwise. Raises Unavailable."""

    seen: Connection
    settlement: Settlement


@dataclass(frozen=True, slots=True)
class Sleep:
    """-> None, `seconds` later."""

    seconds: float


type Step = TakeLease | Read | FetchKeys | Ask | Write | KeepSpare | Escrow | Settle | Sleep


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
