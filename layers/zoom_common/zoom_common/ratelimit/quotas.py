"""Quotas that containers lease in batches from shared counters: calls a day, and requests a minute of an API key."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from math import ceil
from typing import TYPE_CHECKING, ClassVar, Protocol

from zoom_common import observability
from zoom_common.access.principal import Principal
from zoom_common.aws.table import ConditionFailed, Table
from zoom_common.errors import TooManyRequests, Unavailable

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem

DAY = 86_400

# One call in so many seconds may ask Zoom although a user's day is spent by our count.
PROBE_EVERY = 60


@dataclass(frozen=True, slots=True)
class Batch:
    """`calls` that this container may make; `left` is what the counter then still holds for everybody."""

    calls: int
    left: int


class DailyStore:
    """Counters of all containers. Methods raise Unavailable when DynamoDB does not answer usefully."""

    OWNED_KEYS: ClassVar = {"coordination": (r"daily#.+", r"\d+")}

    def __init__(self, table: Table) -> None:
        self._table = table

    def take(self, counter: str, *, day: int, limit: int, most: int) -> Batch | None:
        """Take up to `most` calls of `limit` for the day that is `day` days after the epoch; None: none are left."""
        wanted = most
        while wanted > 0:
            values = {"calls": wanted, "highest": limit - wanted, "expires_at": (day + 2) * DAY}
            change = "SET #used = if_not_exists(#used, :zero) + :calls, #expires_at = :expires_at"
            fits = "attribute_not_exists(#used) OR #used <= :highest"
            try:
                item = self._table.update(*_key(counter, day), change, condition=fits, values=values | {"zero": 0})
            except ConditionFailed as failed:
                wanted = min(wanted - 1, limit - int((failed.item or {}).get("used", 0)))
            else:
                return Batch(wanted, max(0, limit - int(item["used"])))
        return None

    def give_back(self, counter: str, *, day: int, calls: int) -> None:
        """Return calls that were taken and not made."""
        change, enough = "SET #used = #used - :calls", "#used >= :calls"
        self._table.update_if(*_key(counter, day), change, condition=enough, values={"calls": calls})

    def probe(self, counter: str, *, day: int, now: float) -> bool:
        """Return whether this is the one call of the minute that may ask Zoom although the day is spent.

        The first one comes a minute after the day was first found spent.
        """
        key, values = _key(counter, day), {"now": int(now), "following": int(now) + PROBE_EVERY}
        change = "SET #probe_at = :following"
        if self._table.update_if(*key, change, condition="#probe_at <= :now", values=values) is not None:
            return True
        first, following = "attribute_not_exists(#probe_at) AND attribute_exists(#used)", values["following"]
        self._table.update_if(*key, change, condition=first, values={"following": following})
        return False

    def exhaust(self, counter: str, *, day: int, limit: int) -> None:
        """Count the day as spent: Zoom says so, whoever spent it."""
        values = {"limit": limit, "expires_at": (day + 2) * DAY}
        lower = "attribute_not_exists(#used) OR #used < :limit"
        change = "SET #used = :limit, #expires_at = :expires_at"
        self._table.update_if(*_key(counter, day), change, condition=lower, values=values)

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether a count goes: the person's own, by exact key, in accounts of the tenant's connections."""
        users = {*target.zoom_user_ids, *([target.email] if target.email else [])}
        return item["pk"] in {
            _key(user_counter(account, user), 0)[0] for account in target.account_ids for user in users
        }


def user_counter(account: str, user: str) -> str:
    """The counter of one user of an account: a digest, because a user may be named by e-mail address."""
    return f"{account}#user#{sha256(user.lower().encode()).hexdigest()[:32]}"


def _key(counter: str, day: int) -> tuple[str, str]:
    return f"daily#{counter}", str(day)


_LARGEST_BATCH = 50

_SHARE_OF_REST = 25


class DailyCounters(Protocol):
    """Where batches come from: `DailyStore`."""

    def take(self, counter: str, *, day: int, limit: int, most: int) -> Batch | None: ...  # noqa: D102

    def exhaust(self, counter: str, *, day: int, limit: int) -> None: ...  # noqa: D102

    def give_back(self, counter: str, *, day: int, calls: int) -> None: ...  # noqa: D102

    def probe(self, counter: str, *, day: int, now: float) -> bool: ...  # noqa: D102


@dataclass(slots=True)
class _DailyLease:
    day: int
    calls: int = 0
    left: int = 0
    size: int = 0  # of the batch that was taken last
    probe_at: float = 0.0  # no earlier is the shared counter asked for a probe


@dataclass(slots=True)
class DailyCalls:
    """The leases of one container."""

    store: DailyCounters
    _leases: dict[str, _DailyLease] = field(default_factory=dict)

    def spend(self, counter: str, *, limit: int, now: float) -> int | None:
        """Spend one of `limit` calls a day and say how many are left for us; None when none are."""
        lease = self._of_today(counter, now)
        if lease.calls == 0:
            most = min(_LARGEST_BATCH, 1 + (lease.left or limit) // _SHARE_OF_REST)
            batch = self.store.take(counter, day=lease.day, limit=limit, most=most)
            if batch is None:
                return None
            lease.calls, lease.left, lease.size = batch.calls, batch.left, batch.calls
        lease.calls -= 1
        return lease.left + lease.calls

    def give_back(self, counter: str, *, now: float) -> None:
        """Return a call that was not made, to this container's batch."""
        self._of_today(counter, now).calls += 1

    def return_unused(self, counter: str, *, now: float) -> None:
        """Return the batch to all containers when no call of it was made. Raises Unavailable; then it stays here."""
        lease = self._of_today(counter, now)
        if lease.calls and lease.calls >= lease.size:
            self.store.give_back(counter, day=lease.day, calls=lease.calls)
            lease.calls = 0

    def probe(self, counter: str, *, now: float) -> bool:
        """Return whether this call may ask Zoom although the day is spent: one a minute, of all containers."""
        lease = self._of_today(counter, now)
        if now < lease.probe_at:
            return False
        lease.probe_at = now + PROBE_EVERY
        return self.store.probe(counter, day=lease.day, now=now)

    def exhaust(self, counter: str, *, limit: int, now: float) -> None:
        """Zoom says that the day is spent."""
        lease = self._of_today(counter, now)
        lease.calls = lease.left = 0
        self.store.exhaust(counter, day=lease.day, limit=limit)

    def _of_today(self, counter: str, now: float) -> _DailyLease:
        day = int(now // DAY)
        lease = self._leases.get(counter)
        if lease is None or lease.day != day:
            lease = self._leases[counter] = _DailyLease(day)
        return lease


_MINUTE = 60


class ThrottleStore:
    """Counters of all containers. `take` raises Unavailable when DynamoDB does not answer usefully."""

    OWNED_KEYS: ClassVar = {"coordination": (r"throttle#.+", r"\d+")}

    def __init__(self, table: Table) -> None:
        self._table = table

    def take(self, subject: str, *, minute: int, limit: int, most: int) -> int:
        """Take up to `most` of the `limit` requests of a minute, in one write; 0: none are left."""
        values = {"zero": 0, "asked": most, "limit": limit, "expires_at": (minute + 2) * _MINUTE}
        change = "SET #used = if_not_exists(#used, :zero) + :asked, #expires_at = :expires_at"
        any_left = "attribute_not_exists(#used) OR #used < :limit"
        item = self._table.update_if(f"throttle#{subject}", str(minute), change, condition=any_left, values=values)
        if item is None:
            return 0
        # The last one may count beyond the limit, and gets what was below it.
        return min(most, limit - (int(item["used"]) - most))

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether a counter goes: with its key."""
        return str(item["pk"]).removeprefix("throttle#key:") in target.key_ids


MINUTE = 60

# The largest lease, as a part of the limit: ten busy containers together strand less than half a minute's requests.
_LARGEST_PART = 20

_MOST_KEYS = 1000


class MinuteCounters(Protocol):
    """Where leases come from: `ThrottleStore`."""

    def take(self, subject: str, *, minute: int, limit: int, most: int) -> int: ...  # noqa: D102


@dataclass(slots=True)
class _MinuteLease:
    minute: int
    left: int = 0
    size: int = 0
    spent: bool = False


@dataclass(slots=True, kw_only=True)
class Throttle:
    """The leases of one container. `clock` gives epoch seconds."""

    store: MinuteCounters
    clock: Callable[[], float]
    _leases: dict[str, _MinuteLease] = field(default_factory=dict)

    def admit(self, caller: Principal) -> None:
        """Count one request of `caller`. Raises TooManyRequests, until the next minute, when it has had its share.

        A table that does not answer lets everybody pass: the limit is for fairness, and no lock.
        """
        limit = caller.requests_per_minute
        if limit is None:
            return
        now = self.clock()
        lease = self._of(caller.subject, int(now // MINUTE))
        if lease.left == 0 and not lease.spent:
            self._renew(lease, caller.subject, limit)
        if lease.spent:
            observability.count("KeyThrottled")
            wait = max(1, ceil((lease.minute + 1) * MINUTE - now))
            raise TooManyRequests(wait, reason="key_rate_limit", hint=f"This API key may ask {limit} times a minute.")
        lease.left -= 1

    def _renew(self, lease: _MinuteLease, subject: str, limit: int) -> None:
        lease.size = min(max(1, 2 * lease.size), max(1, limit // _LARGEST_PART))
        try:
            lease.left = self.store.take(subject, minute=lease.minute, limit=limit, most=lease.size)
        except Unavailable:
            observability.count("KeyUncounted")
            lease.left = lease.size
        lease.spent = lease.left == 0

    def _of(self, subject: str, minute: int) -> _MinuteLease:
        lease = self._leases.get(subject)
        if lease is None or lease.minute != minute:
            if len(self._leases) >= _MOST_KEYS:
                self._leases = {name: each for name, each in self._leases.items() if each.minute == minute}
            lease = self._leases[subject] = _MinuteLease(minute)
        return lease


def throttle(coordination_table: str) -> Throttle:
    """A container's throttle, in the Coordination table."""
    from zoom_common.aws import clients  # noqa: PLC0415 - only for keys with a limit
    from zoom_common.aws.table import COORDINATION, Table  # noqa: PLC0415
    from zoom_common.ratelimit.quotas import ThrottleStore  # noqa: PLC0415

    table = Table(clients.impatient_dynamodb(), coordination_table, COORDINATION)
    return Throttle(store=ThrottleStore(table), clock=time.time)
