"""Send slots: buckets (GCRA) with slots at a fixed interval, and their items in DynamoDB."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

from zoom_common.aws.items import from_item
from zoom_common.aws.table import ConditionFailed, Outcome, Table
from zoom_common.errors import Unavailable
from zoom_common.zoom.rate_limits import Rate

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem

# Slots are a little further apart than the rate requires, because requests do not all travel equally long. At 0.97 of
# the rate, a one-second window has 30 ms of reserve: Zoom refuses nothing unless two travel times differ by more than
# that. Measured under load (docs/load.md): 0.96 was refused as little and used less, 0.975 was refused where windows
# slide.
PACE = 0.97

MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class Bucket:
    """A sequence of slots. `name` is part of a key in DynamoDB; slots are `interval` microseconds apart."""

    name: str
    interval: int


@dataclass(frozen=True, slots=True)
class Buckets:
    """The buckets of one label. `reserve` is None when nothing is reserved for interactive calls."""

    everybody: Bucket
    reserve: Bucket | None


@lru_cache(maxsize=64)  # called twice per call, with few rates
def buckets(rate: Rate, *, share: float, reserve: float, pace: float = PACE) -> Buckets:
    """Split the fraction `share` of `rate` into buckets; the fraction `reserve` of it is for interactive calls only.

    The reserve is a whole number of calls: a tenth of four calls a second is none.
    """
    ours = rate.calls * share
    reserved = int(ours * reserve)
    if reserved == 0:
        return Buckets(_bucket("all", ours, rate.seconds, pace), None)
    return Buckets(
        _bucket("all", ours - reserved, rate.seconds, pace), _bucket("interactive", reserved, rate.seconds, pace)
    )


def _bucket(name: str, calls: float, seconds: int, pace: float) -> Bucket:
    return Bucket(name, max(1, round(seconds * MICROSECONDS / (calls * pace))))


_LIFE = 3600

# One call in this many microseconds may ask Zoom in a closed bucket, because the closure may have been wrong, or be
# over.
PROBE_EVERY = 60 * MICROSECONDS

# In microseconds. No call reserves further ahead than this; a slot beyond it comes from a wrong clock.
_FURTHEST = 10 * 60 * MICROSECONDS

_MOST_GUESSES = 6

# In microseconds. A container that was refused a slot this far ahead does not ask again for this long. The bucket loses
# nothing by it, because later requests take the same slots. DynamoDB accepts a thousand writes a second of one item,
# and refused ones count: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html
_FAR_AHEAD, _REFUSED_FOR = MICROSECONDS, MICROSECONDS // 4

_JOIN = "SET #next = #next + :interval, #expires_at = :expires_at"

_IF_BACKED_UP = "#next > :now AND #next <= :latest AND (attribute_not_exists(#closed) OR #closed <= :now)"

_BEGIN = "SET #next = :first, #expires_at = :expires_at"

_IF_FREE = "(attribute_not_exists(#next) OR #next <= :now) AND (attribute_not_exists(#closed) OR #closed <= :now)"


@dataclass(frozen=True, slots=True)
class Slot:
    """A taken slot. `at` is when to send, `ahead` how far the bucket is then reserved, in microseconds."""

    at: int
    ahead: int
    probe: bool = False  # the bucket is closed, and this is the one call of the minute that asks Zoom all the same


@dataclass(frozen=True, slots=True)
class NoSlot:
    """There is no slot in time.

    The first free one is `at`; `closed` is the reason when the bucket is closed until then.
    """

    at: int
    closed: str | None = None


@dataclass(frozen=True, slots=True)
class Closure:
    """Calls of a label wait until `until` (epoch microseconds), for this reason."""

    label: str
    until: int
    reason: str


@dataclass(slots=True)
class EarlySlot:
    """A slot that was requested at epoch second `began`, before it is certain that a call needs it.

    `used` is set once a call has it or it was given back.
    """

    key: tuple[str, str]
    bucket: Bucket
    now: int
    outcome: Callable[[], Outcome]
    used: bool = False
    began: float = 0.0


class SlotStore:
    """The buckets of all containers. Methods raise Unavailable when DynamoDB fails."""

    OWNED_KEYS: ClassVar = {"coordination": (r"budget#.+", r"[^#]+#.+")}

    def __init__(self, table: Table) -> None:
        self._table = table
        self._seen: dict[tuple[str, str], int] = {}
        self._refused: dict[tuple[str, str], int] = {}  # when, in epoch microseconds

    def begin(self, account: str, label: str, bucket: Bucket, *, now: int, latest: int) -> EarlySlot:
        """Request the bucket's next slot as `take` does first. `take` or `give_back` waits for the answer."""
        key = _key(account, label, bucket.name)
        if self._seen.get(key, 0) > now:
            change = self._table.to_update(*key, _JOIN, condition=_IF_BACKED_UP, values=_joining(bucket, now, latest))
        else:
            change = self._table.to_update(*key, _BEGIN, condition=_IF_FREE, values=_beginning(bucket, now))
        return EarlySlot(key, bucket, now, self._table.begin("update_item", **change, ReturnValues="ALL_NEW"))

    def give_back(self, early: EarlySlot) -> None:
        """Give an early slot back that no call needs. If another slot was taken since, it stays unused."""
        early.used = True
        outcome = early.outcome()
        if isinstance(outcome, Exception):
            return
        taken = int(outcome["Attributes"]["next"]["N"])
        values = {"before": taken - early.bucket.interval, "taken": taken}
        with suppress(Unavailable):
            self._table.update_if(*early.key, "SET #next = :before", condition="#next = :taken", values=values)

    def take(
        self,
        account: str,
        label: str,
        bucket: Bucket,
        *,
        now: int,
        latest: int,
        early: EarlySlot | None = None,
    ) -> Slot | NoSlot:
        """Take the bucket's next slot if it is not later than `latest`. Times are in epoch microseconds.

        An `early` slot of the bucket is used if there is one.
        """
        key = _key(account, label, bucket.name)
        if (early is None or early.used) and self.is_spent(account, label, bucket, now=now, latest=latest):
            return NoSlot(self._seen[key])
        backed_up = self._seen.get(key, 0) > now
        for _ in range(_MOST_GUESSES):
            try:
                if early is not None and early.key == key and not early.used:
                    return self._use(early)
                return self._join(key, bucket, now, latest) if backed_up else self._begin(key, bucket, now)
            except ConditionFailed as failed:
                found = self._look(key, failed.item or {}, now, latest)
            if found is not None:
                return found
            backed_up = self._seen[key] > now
        return NoSlot(max(now, self._seen[key]))

    def _look(self, key: tuple[str, str], item: dict[str, Any], now: int, latest: int) -> Slot | NoSlot | None:
        """Return the slot that the bucket's item allows, or None where another guess may find one."""
        first = int(item.get("next", 0))
        self._seen[key] = first
        closed = int(item.get("closed", 0))
        if closed > now:
            if now >= int(item.get("probe_at", closed)) and self._probe(key, now):
                return Slot(now, 0, probe=True)
            return NoSlot(max(first, closed), str(item.get("closed_by", "zoom")))
        if first > now + _FURTHEST:
            self._mend(key, first, now)
        elif first > latest:
            if first > now + _FAR_AHEAD:
                self._refused[key] = now
            return NoSlot(first)
        return None

    def is_spent(self, account: str, label: str, bucket: Bucket, *, now: int, latest: int) -> bool:
        """Return whether this container was just refused a slot that is not much earlier than `latest`."""
        key = _key(account, label, bucket.name)
        lately = now - self._refused.get(key, 0) < _REFUSED_FOR
        return lately and latest < self._seen.get(key, 0) + _REFUSED_FOR

    def backlog(self, account: str, label: str, bucket: Bucket, *, now: int) -> int:
        """Return how far the bucket was reserved when this container last saw it, in microseconds."""
        return max(0, self._seen.get(_key(account, label, bucket.name), 0) - now)

    def close(
        self, account: str, label: str, bucket: Bucket, *, until: int, reason: str, probe_at: int | None = None
    ) -> None:
        """Close the bucket for all containers until `until`, except for one call a minute from `probe_at` on, if given.

        A longer closure stays.
        """
        values: dict[str, object] = {"until": until, "reason": reason, "expires_at": until // MICROSECONDS + _LIFE}
        change = "SET #closed = :until, #closed_by = :reason, #expires_at = :expires_at"
        if probe_at is not None:
            values["probe"] = probe_at
            change += ", #probe_at = :probe"
        shorter = "attribute_not_exists(#closed) OR #closed < :until"
        self._table.update_if(*_key(account, label, bucket.name), change, condition=shorter, values=values)

    def reopen(self, account: str, label: str, bucket: Bucket) -> None:
        """Open a closed bucket again, because Zoom has answered a call in it."""
        change = "REMOVE #closed, #closed_by, #probe_at"
        self._table.update_if(
            *_key(account, label, bucket.name), change, condition="#closed > :zero", values={"zero": 0}
        )

    def closures(self, account: str, *, now: int) -> list[Closure]:
        """Return the closures of an account. `now` is in epoch microseconds."""
        items, _ = self._table.query("#pk = :pk", {"pk": f"budget#{account}"})
        closed = [item for item in items if int(item.get("closed", 0)) > now]
        return [
            Closure(str(each["sk"]).partition("#")[0], int(each["closed"]), str(each.get("closed_by", "zoom")))
            for each in closed
        ]

    def _probe(self, key: tuple[str, str], now: int) -> bool:
        values = {"now": now, "following": now + PROBE_EVERY}
        fits = "#closed > :now AND #probe_at <= :now"
        return self._table.update_if(*key, "SET #probe_at = :following", condition=fits, values=values) is not None

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:  # noqa: ARG004 - every store's signature
        """Return False: a bucket belongs to a Zoom account, which tenants may share, and expires within an hour."""
        return False

    def _join(self, key: tuple[str, str], bucket: Bucket, now: int, latest: int) -> Slot:
        item = self._table.update(*key, _JOIN, condition=_IF_BACKED_UP, values=_joining(bucket, now, latest))
        return self._taken(key, item, bucket, now)

    def _begin(self, key: tuple[str, str], bucket: Bucket, now: int) -> Slot:
        values = _beginning(bucket, now)
        return self._taken(key, self._table.update(*key, _BEGIN, condition=_IF_FREE, values=values), bucket, now)

    def _use(self, early: EarlySlot) -> Slot:
        early.used = True
        outcome = early.outcome()
        if isinstance(outcome, Exception):
            raise outcome
        return self._taken(early.key, from_item(outcome["Attributes"]), early.bucket, early.now)

    def _taken(self, key: tuple[str, str], item: dict[str, Any], bucket: Bucket, now: int) -> Slot:
        following = int(item["next"])
        self._seen[key] = following
        return Slot(following - bucket.interval, max(0, following - now))

    def _mend(self, key: tuple[str, str], wrong: int, now: int) -> None:
        # The condition fails when another container was faster.
        values = {"now": now, "wrong": wrong}
        self._table.update_if(*key, "SET #next = :now", condition="#next = :wrong", values=values)
        self._seen[key] = now


def _key(account: str, label: str, bucket: str) -> tuple[str, str]:
    return f"budget#{account}", f"{label.lower()}#{bucket}"


def _joining(bucket: Bucket, now: int, latest: int) -> dict[str, int]:
    return {"interval": bucket.interval, "now": now, "latest": latest, "expires_at": _expiry(now)}


def _beginning(bucket: Bucket, now: int) -> dict[str, int]:
    return {"first": now + bucket.interval, "now": now, "expires_at": _expiry(now)}


def _expiry(now: int) -> int:
    return now // MICROSECONDS + _LIFE
