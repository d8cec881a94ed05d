"""Quotas per period: calls of a day and requests of an API key a minute, leased in batches from shared counters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from math import ceil
from typing import TYPE_CHECKING, ClassVar

from zoom_common import observability
from zoom_common.access.principal import Principal
from zoom_common.aws.items import from_item, to_item
from zoom_common.aws.table import ConditionFailed, Table
from zoom_common.errors import TooManyRequests, Unavailable

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem

DAY = 86_400

# One call in this many seconds may ask Zoom although a user's day is used up by our count.
PROBE_EVERY = 60

MINUTE = 60


@dataclass(frozen=True, slots=True)
class Batch:
    """`calls` that this container may make; `left` is what the counter then still holds for all containers."""

    calls: int
    left: int


class Counters:
    """Counters of all containers: one item for each counter and period. Methods raise Unavailable.

    `prefix` begins the item's key; a period is `seconds` long and numbered from the epoch.
    """

    prefix: ClassVar[str]
    seconds: ClassVar[int]

    def __init__(self, table: Table) -> None:
        self._table = table

    def take(self, counter: str, *, period: int, limit: int, most: int) -> Batch | None:
        """Take up to `most` calls of `limit` in a period. Return None when none are left."""
        wanted = min(most, limit)
        while wanted > 0:
            values = {"calls": wanted, "highest": limit - wanted, "expires_at": self._expiry(period)}
            change = "SET #used = if_not_exists(#used, :zero) + :calls, #expires_at = :expires_at"
            fits = "attribute_not_exists(#used) OR #used <= :highest"
            key = self.key(counter, period)
            try:
                item = self._table.update(*key, change, condition=fits, values=values | {"zero": 0})
            except ConditionFailed as failed:
                wanted = min(wanted - 1, limit - int((failed.item or {}).get("used", 0)))
            else:
                return Batch(wanted, max(0, limit - int(item["used"])))
        return None

    def give_back(self, counter: str, *, period: int, calls: int) -> None:
        """Return calls that were taken and not made."""
        change, enough = "SET #used = #used - :calls", "#used >= :calls"
        self._table.update_if(*self.key(counter, period), change, condition=enough, values={"calls": calls})

    def exhaust(self, counter: str, *, period: int, limit: int) -> None:
        """Count the whole limit of a period as used."""
        values = {"limit": limit, "expires_at": self._expiry(period)}
        lower = "attribute_not_exists(#used) OR #used < :limit"
        change = "SET #used = :limit, #expires_at = :expires_at"
        self._table.update_if(*self.key(counter, period), change, condition=lower, values=values)

    def used_of(self, counters: Sequence[str], *, period: int) -> dict[str, int]:
        """Return the used part of counters in a period, including what containers hold and have not used yet."""
        keys = {self.key(each, period)[0]: each for each in counters}
        items = map(from_item, self._table.batch_get(to_item({"pk": pk, "sk": str(period)}) for pk in keys))
        found = {keys[str(item["pk"])]: int(item.get("used", 0)) for item in items}
        return dict.fromkeys(counters, 0) | found

    @classmethod
    def key(cls, counter: str, period: int) -> tuple[str, str]:
        """Return the partition key and the sort key of a counter's item."""
        return f"{cls.prefix}{counter}", str(period)

    def _expiry(self, period: int) -> int:
        return (period + 2) * self.seconds


class DailyStore(Counters):
    """Calls of Zoom accounts and of their users, by UTC day."""

    OWNED_KEYS: ClassVar = {"coordination": (r"daily#.+", r"\d+")}
    prefix, seconds = "daily#", DAY

    def probe(self, counter: str, *, period: int, now: float) -> bool:
        """Return whether this is the one call of the minute that may ask Zoom although the day is used up.

        The first one comes a minute after the day was first found used up.
        """
        key, values = self.key(counter, period), {"now": int(now), "following": int(now) + PROBE_EVERY}
        change = "SET #probe_at = :following"
        if self._table.update_if(*key, change, condition="#probe_at <= :now", values=values) is not None:
            return True
        first, following = "attribute_not_exists(#probe_at) AND attribute_exists(#used)", values["following"]
        self._table.update_if(*key, change, condition=first, values={"following": following})
        return False

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether an erasure deletes a count: the person's own, by exact key, in the tenant's accounts."""
        users = {*target.zoom_user_ids, *([target.email] if target.email else [])}
        return item["pk"] in {
            DailyStore.key(user_counter(account, user), 0)[0] for account in target.account_ids for user in users
        }


class ThrottleStore(Counters):
    """Requests of API keys, by minute."""

    OWNED_KEYS: ClassVar = {"coordination": (r"throttle#.+", r"\d+")}
    prefix, seconds = "throttle#", MINUTE

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether an erasure deletes a counter: with its key."""
        return str(item["pk"]).removeprefix("throttle#key:") in target.key_ids


def user_counter(account: str, user: str) -> str:
    """Return the counter of one user of an account: a digest, because a user may be named by e-mail address."""
    return f"{account}#user#{sha256(user.lower().encode()).hexdigest()[:32]}"


_MOST_COUNTERS = 1000


@dataclass(slots=True)
class Lease:
    """One container's part of a counter in a period.

    `calls` are unused; `left` is what the counter held after the last batch of `size`; `spent` says that it was empty.
    That batch had `taken` calls. Before `probe_at` the shared counter is not asked for a probe.
    """

    period: int
    calls: int = 0
    left: int = 0
    size: int = 0
    spent: bool = False
    taken: int = 0
    probe_at: float = 0.0


@dataclass(slots=True)
class LeasedCounter:
    """Counts calls up to a limit per period, over all containers, with one write to DynamoDB for a batch of calls.

    A subclass decides the size of a batch, whether a spent counter is asked again, and what happens in an outage.
    """

    store: Counters
    _leases: dict[str, Lease] = field(default_factory=dict)

    def take(self, counter: str, *, limit: int, now: float) -> int | None:
        """Count one call. Return how many are left, or None when the limit is reached.

        `now` is in epoch seconds.
        """
        lease = self._lease(counter, now)
        if lease.calls == 0 and self._may_ask(lease):
            lease.size = self._batch_size(lease, limit)
            batch = self._batch(counter, lease, limit)
            lease.spent = batch is None
            lease.calls, lease.left = (batch.calls, batch.left) if batch is not None else (0, 0)
            lease.taken = lease.calls or lease.taken
        if lease.calls == 0:
            return None
        lease.calls -= 1
        return lease.left + lease.calls

    def give_back(self, counter: str, *, now: float) -> None:
        """Return a call that was not made to this container's batch."""
        self._lease(counter, now).calls += 1

    def return_unused(self, counter: str, *, now: float) -> None:
        """Return the batch to all containers when no call of it was made. Raises Unavailable; then it stays here."""
        lease = self._lease(counter, now)
        if lease.calls and lease.calls >= lease.taken:
            self.store.give_back(counter, period=lease.period, calls=lease.calls)
            lease.calls = 0

    def exhaust(self, counter: str, *, limit: int, now: float) -> None:
        """Count the whole limit as used, in all containers."""
        lease = self._lease(counter, now)
        lease.calls = lease.left = 0
        self.store.exhaust(counter, period=lease.period, limit=limit)

    def _batch(self, counter: str, lease: Lease, limit: int) -> Batch | None:
        return self.store.take(counter, period=lease.period, limit=limit, most=lease.size)

    def _batch_size(self, lease: Lease, limit: int) -> int:
        raise NotImplementedError

    def _may_ask(self, lease: Lease) -> bool:
        raise NotImplementedError

    def _lease(self, counter: str, now: float) -> Lease:
        period = int(now // self.store.seconds)
        lease = self._leases.get(counter)
        if lease is None or lease.period != period:
            if len(self._leases) >= _MOST_COUNTERS:
                self._leases = {name: each for name, each in self._leases.items() if each.period == period}
            lease = self._leases[counter] = Lease(period)
        return lease


_LARGEST_BATCH = 50

_SHARE_OF_REST = 25


@dataclass(slots=True)
class DailyCalls(LeasedCounter):
    """Calls of a day. Batches get smaller towards the limit. `take` and `probe` raise Unavailable."""

    store: DailyStore

    def probe(self, counter: str, *, now: float) -> bool:
        """Return whether this call may ask Zoom although the day is used up: one a minute, of all containers."""
        lease = self._lease(counter, now)
        if now < lease.probe_at:
            return False
        lease.probe_at = now + PROBE_EVERY
        return self.store.probe(counter, period=lease.period, now=now)

    def _batch_size(self, lease: Lease, limit: int) -> int:
        return min(_LARGEST_BATCH, 1 + (lease.left or limit) // _SHARE_OF_REST)

    def _may_ask(self, lease: Lease) -> bool:  # noqa: ARG002 - the same for every lease
        return True


# The largest batch, as a part of the limit. Ten busy containers together leave less than half of the limit unused.
_LARGEST_PART = 20


@dataclass(slots=True)
class Throttle(LeasedCounter):
    """Requests of API keys, by minute. Batches grow while a key is busy. `clock` gives epoch seconds.

    The limit is only for fairness, so requests are accepted when DynamoDB does not answer.
    """

    clock: Callable[[], float] = field(kw_only=True)

    def admit(self, caller: Principal) -> None:
        """Count one request of `caller`. Raises TooManyRequests until the next minute when the limit is reached."""
        limit = caller.requests_per_minute
        if limit is None:
            return
        now = self.clock()
        if self.take(caller.subject, limit=limit, now=now) is None:
            observability.count("KeyThrottled")
            wait = max(1, ceil((now // MINUTE + 1) * MINUTE - now))
            raise TooManyRequests(wait, reason="key_rate_limit", hint=f"This API key may ask {limit} times a minute.")

    def _batch_size(self, lease: Lease, limit: int) -> int:
        return min(max(1, 2 * lease.size), max(1, limit // _LARGEST_PART))

    def _may_ask(self, lease: Lease) -> bool:
        return not lease.spent

    def _batch(self, counter: str, lease: Lease, limit: int) -> Batch | None:
        try:
            return self.store.take(counter, period=lease.period, limit=limit, most=lease.size)
        except Unavailable:
            observability.count("KeyUncounted")
            return Batch(lease.size, 0)
