"""Whether Zoom refuses one grant, or many at once: then Zoom or the app is at fault.

A refusal is judged by how many Zoom refuses lately, over all containers, and by what it answers for other grants now.
Zoom has refused every call of an app for a while and accepted the app again without a change of its code
(https://devforum.zoom.us/t/suddenly-getting-401s-after-s2s-oauth-worked-for-a-week/94662). Whether it has done so with
refresh tokens is not documented: a connection is held for at most about a day, and then Zoom is believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Protocol

from zoom_common.connections.model import ALIVE, Connection, Kind
from zoom_common.connections.refresh.effects import Verdict
from zoom_common.connections.refresh.policy import Policy
from zoom_common.connections.store import SHARDS, ConnectionStore
from zoom_common.errors import DependencyFailed

# A container stores its grants in batches of this size, and before it counts a refusal.
_BATCH: Final = 20


@dataclass(frozen=True, slots=True)
class AnswerCounts:
    """Zoom's answers to refreshes within one window: `granted` and `refused`."""

    granted: int = 0
    refused: int = 0

    def __add__(self, other: AnswerCounts) -> AnswerCounts:
        """Return both together."""
        return AnswerCounts(self.granted + other.granted, self.refused + other.refused)

    def are_widely_refused(self, policy: Policy) -> bool:
        """Return whether so many and so large a share are refused that no single grant is to blame."""
        share = self.refused / max(1, self.granted + self.refused)
        return self.refused >= policy.widely_refused_least and share > policy.widely_refused_share


class AnswerCounters(Protocol):
    """Counts of all containers by window; see `RefreshStore`. Both raise Unavailable."""

    def count_answers(self, window: int, counted: AnswerCounts, *, expires_at: float) -> AnswerCounts:
        """Add to a window and return what it holds then."""
        ...

    def answers(self, window: int) -> AnswerCounts:
        """Return what a window holds."""
        ...


@dataclass(slots=True, kw_only=True)
class RefusalRate:
    """Zoom's answers as one container counts them. `clock` gives epoch seconds."""

    counters: AnswerCounters
    clock: Callable[[], float]
    policy: Policy = field(default_factory=Policy)
    _window: int = 0
    _granted: int = 0

    def granted(self) -> None:
        """Count a refresh that worked. Never raises."""
        window = self._now()
        if window != self._window:
            self._store_granted()
            self._window = window
        self._granted += 1
        if self._granted >= _BATCH:
            self._store_granted()

    def refused(self) -> bool:
        """Count a grant that Zoom refused; return whether too many are, within this window and the one before.

        False when the counts cannot be reached: giving up one connection can be undone.
        """
        window = self._now()
        counted = AnswerCounts(self._granted if window == self._window else 0, 1)
        try:
            lately = self._add(window, counted) + self.counters.answers(window - 1)
        except DependencyFailed:
            return False
        if window == self._window:
            self._granted = 0
        return lately.are_widely_refused(self.policy)

    def _store_granted(self) -> None:
        if not self._granted:
            return
        with suppress(DependencyFailed):  # the share of refusals then looks larger, and fewer connections are given up
            self._add(self._window, AnswerCounts(self._granted))
        self._granted = 0

    def _add(self, window: int, counted: AnswerCounts) -> AnswerCounts:
        expires_at = (window + 2) * self.policy.widely_refused_window
        return self.counters.count_answers(window, counted, expires_at=expires_at)

    def _now(self) -> int:
        return int(self.clock() // self.policy.widely_refused_window)


class Probe(StrEnum):
    """What Zoom answered when another grant was tried."""

    GRANTED = "granted"
    REFUSED = "refused"
    SILENT = "silent"  # nothing about the grant: it was in use, or Zoom did not answer


def verdict(probes: Iterable[Probe], policy: Policy) -> Verdict:
    """Return what a refusal means beside `probes`, which are made one by one, and none after one that is granted."""
    refused = silent = 0
    for each in probes:
        if each is Probe.GRANTED:
            return Verdict.ALONE
        refused += each is Probe.REFUSED
        silent += each is Probe.SILENT
    if refused >= policy.probes_refused:
        return Verdict.WIDE
    return Verdict.UNKNOWN if refused + silent >= policy.probes_refused else Verdict.UNCOMPARED


class DueShards(Protocol):
    """Connections by due time; see `RefreshStore`."""

    def soonest(self, shard: str, *, limit: int) -> list[tuple[str, str]]:
        """Return up to `limit` (tenant, connection id) of a shard, those that are due first. Raises Unavailable."""
        ...


# Among so many the probes are chosen; of a small stack, that is all.
_LOOKED_AT: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherGrants:
    """Finds connections whose refresh shows whether Zoom refuses everybody. `chance` draws from [0, 1)."""

    index: DueShards
    connections: ConnectionStore
    clock: Callable[[], float]
    chance: Callable[[], float]
    policy: Policy = field(default_factory=Policy)

    def like(self, refused: Connection) -> list[Connection]:
        """Return some others of the same app, or other accounts. Raises Unavailable.

        First come those to which Zoom has given tokens last; behind all others, those that rest or are refreshed now.
        """
        first, found = int(self.chance() * SHARDS), list[Connection]()
        for number in range(SHARDS):
            shard = f"{(first + number) % SHARDS:02d}"
            seen = (self.connections.get(*each) for each in self.index.soonest(shard, limit=_LOOKED_AT))
            found += [each for each in seen if each is not None and _is_like(each, refused)]
            if len(found) >= _LOOKED_AT:
                break
        now = self.clock()
        found.sort(key=lambda each: (each.cool_until > now or each.lease_expires_at > now, -each.refresh_issued_at))
        return found[: self.policy.probes]


def _is_like(other: Connection, refused: Connection) -> bool:
    """Return whether Zoom's answer for `other` says something about a refusal of `refused`."""
    if (other.tenant, other.connection_id) == (refused.tenant, refused.connection_id) or other.state not in ALIVE:
        return False
    return other.kind is refused.kind and (other.kind is Kind.ACCOUNT or other.client_id == refused.client_id)
