"""Subscriptions in the Connections table: the request, the health of the target, and when it is due next.

Owners and workers change different attributes of one item. A worker holds a lease while it sends. `wakes` counts the
reasons to look at a subscription: a worker stops only if no reason was added while it worked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, ClassVar

from zoom_common.aws.table import ConditionFailed, Table
from zoom_common.connections.store import due_shard as connection_shard
from zoom_common.events.subscriptions.model import Filters, Payload, State, Subscription

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem

MOST_PER_TENANT = 100

_EXISTS = "attribute_exists(#pk)"
_MINE = "#lease_owner = :owner"
_WAKE = "#wakes = if_not_exists(#wakes, :zero) + :one"
_OF_MODEL = frozenset(each.name for each in fields(Subscription))
_TEXTS: Mapping[str, Callable[[Any], str]] = {
    "types": ",".join,
    "filters": lambda value: json.dumps(value.shown(), sort_keys=True),
}
_HEALTHY = ("failures", "failing_since", "retry_at", "rounds")


def partition(tenant: str) -> str:
    """Return the partition of a tenant's subscriptions."""
    return f"{tenant}#subscriptions"


def due_shard(subscription_id: str) -> str:
    """Return the shard of the index `due` for a subscription's due time. Connections have shards of their own."""
    return f"sub#{connection_shard(subscription_id)}"


class SubscriptionStore:
    """Every method raises Unavailable when the table does not answer."""

    OWNED_KEYS: ClassVar = {"subscriptions": (r"[^#]+#subscriptions", r"sub_.+")}

    def __init__(self, connections: Table) -> None:
        self._table = connections

    def create(self, subscription: Subscription) -> None:
        """Store a new subscription."""
        values = {each.name: getattr(subscription, each.name) for each in fields(Subscription)}
        del values["tenant"], values["subscription_id"]
        self._table.put({**_keys(subscription), **_written(values)} | _due(subscription))

    def get(self, tenant: str, subscription_id: str) -> Subscription | None:
        """Return one subscription as last written."""
        found = self._table.get(partition(tenant), subscription_id)
        return _read(found) if found is not None else None

    def list(self, tenant: str) -> Sequence[Subscription]:
        """Return a tenant's subscriptions, as last written."""
        found: list[Subscription] = []
        after: dict[str, Any] | None = None
        while True:
            page, after = self._table.query("#pk = :pk", {"pk": partition(tenant)}, after=after)
            found += map(_read, page)
            if after is None:
                return found

    def change(self, seen: Subscription, **changes: Any) -> Subscription | None:
        """Change a subscription, if state and challenge are still those seen.

        Return None when they are not, or it is gone. None as a value removes an attribute. A change of `due_at` then
        wakes a worker.
        """
        condition = "#state = :seen AND #challenge = :seen_challenge"
        return self._update(seen, changes, condition, {"seen": str(seen.state), "seen_challenge": seen.challenge})

    def delete(self, tenant: str, subscription_id: str) -> bool:
        """Delete a subscription. Return whether there was one."""
        return bool(self._table.delete(partition(tenant), subscription_id))

    def wake(self, subscription: Subscription, *, at: float) -> None:
        """Set the due time to `at` (epoch seconds) or leave an earlier one. A deleted subscription stays deleted."""
        key = partition(subscription.tenant), subscription.subscription_id
        values: dict[str, object] = {"zero": 0, "one": 1}
        sooner = self._table.update_if(
            *key,
            f"SET {_WAKE}, #due_shard = :shard, #due_at = :at",
            condition=f"{_EXISTS} AND (attribute_not_exists(#due_at) OR #due_at > :at)",
            values={**values, "shard": due_shard(subscription.subscription_id), "at": at},
        )
        if sooner is None:
            self._table.update_if(*key, f"SET {_WAKE}", condition=_EXISTS, values=values)

    def lease(self, tenant: str, subscription_id: str, owner: str, *, now: float, until: float) -> Subscription | None:
        """Take or renew the lease. Return the subscription, or None when another has the lease or the item is gone."""
        found = self._table.update_if(
            partition(tenant),
            subscription_id,
            "SET #lease_owner = :owner, #lease_until = :until",
            condition=f"{_EXISTS} AND (attribute_not_exists(#lease_owner) OR {_MINE} OR #lease_until < :now)",
            values={"owner": owner, "until": until, "now": now},
        )
        return _read(found) if found is not None else None

    def rest(self, leased: Subscription, *, due_at: float | None) -> bool:
        """End the lease until `due_at` (None: until something wakes it).

        Return False when something has woken it already.
        """
        condition = f"{_MINE} AND (#wakes = :wakes OR attribute_not_exists(#wakes))"
        return self._give_back(leased, due_at, condition, {"wakes": leased.wakes})

    def pass_on(self, leased: Subscription, *, due_at: float) -> bool:
        """End the lease with work left, which is due at `due_at`. Return False when the lease was lost."""
        return self._give_back(leased, due_at, _MINE, {})

    def note(self, seen: Subscription, **changes: Any) -> Subscription | None:
        """Store what a worker found out, whatever the state is. Return None when the subscription is gone."""
        return self._update(seen, changes, "#sk = :id", {"id": seen.subscription_id})

    def failed(self, seen: Subscription, *, now: float) -> Subscription | None:
        """Count a failure of a target that does not back off. Return None when it backs off already, or is gone."""
        return self._table_update(
            seen,
            "SET #failures = if_not_exists(#failures, :zero) + :one,"
            " #failing_since = if_not_exists(#failing_since, :now)",
            f"{_EXISTS} AND attribute_not_exists(#retry_at) AND #state = :active",
            {"zero": 0, "one": 1, "now": now, "active": str(State.ACTIVE)},
        )

    def succeeded(self, seen: Subscription) -> Subscription | None:
        """Reset the failures. Return None when the subscription is gone."""
        return self.note(seen, **dict.fromkeys(_HEALTHY))

    def due(
        self, shard: int, *, now: float, after: Mapping[str, Any] | None = None
    ) -> tuple[Sequence[tuple[str, str]], Any]:
        """Return a page of (tenant, subscription id) due in a shard, longest due first, and where the next begins."""
        values = {"shard": f"sub#{shard:02d}", "now": now}
        page, last = self._table.query("#due_shard = :shard AND #due_at <= :now", values, index="due", after=after)
        return [(values["pk"].removesuffix("#subscriptions"), values["sk"]) for values in page], last

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether an erasure deletes a subscription: with its tenant, or when it is for the person only."""
        if not target.owns(str(item["pk"]).partition("#")[0]):
            return False
        hosts = json.loads(item.get("filters", "{}")).get("host", [])
        return target.whole_tenant or (bool(hosts) and all(target.names([each]) for each in hosts))

    def _give_back(self, leased: Subscription, due_at: float | None, condition: str, values: dict[str, Any]) -> bool:
        values = {**values, "owner": leased.lease_owner}
        change = "REMOVE #lease_owner, #lease_until"
        if due_at is None:
            change += ", #due_shard, #due_at"
        else:
            change = f"SET #due_shard = :shard, #due_at = :due {change}"
            values |= {"shard": due_shard(leased.subscription_id), "due": due_at}
        return self._table_update(leased, change, condition, values) is not None

    def _update(
        self, seen: Subscription, changes: Mapping[str, Any], condition: str, values: dict[str, Any]
    ) -> Subscription | None:
        written = _written(changes)
        sets = [f"#{name} = :new_{name}" for name, value in written.items() if value is not None]
        removed = [f"#{name}" for name, value in written.items() if value is None]
        values = {**values, **{f"new_{name}": value for name, value in written.items() if value is not None}}
        if "due_at" in changes:
            sets.append(_WAKE)
            values |= {"zero": 0, "one": 1}
            if changes["due_at"] is None:
                removed.append("#due_shard")
            else:
                sets.append("#due_shard = :shard")
                values["shard"] = due_shard(seen.subscription_id)
        change = f"SET {', '.join(sets)} " * bool(sets) + f"REMOVE {', '.join(removed)}" * bool(removed)
        return self._table_update(seen, change, condition, values)

    def _table_update(
        self, seen: Subscription, change: str, condition: str, values: dict[str, Any]
    ) -> Subscription | None:
        try:
            found = self._table.update(
                partition(seen.tenant), seen.subscription_id, change, condition=condition, values=values
            )
        except ConditionFailed:
            return None
        return _read(found)


def _keys(subscription: Subscription) -> dict[str, object]:
    return {"pk": partition(subscription.tenant), "sk": subscription.subscription_id}


def _due(subscription: Subscription) -> dict[str, object]:
    return {} if subscription.due_at is None else {"due_shard": due_shard(subscription.subscription_id)}


def _written(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return attribute values as they are stored. An empty text and a zero are left out, like None."""
    unknown = changes.keys() - _OF_MODEL
    if unknown:
        raise TypeError(f"no attribute of a subscription: {sorted(unknown)}")
    texts = {name: _TEXTS[name](value) if name in _TEXTS else value for name, value in changes.items()}
    return {
        name: str(value) if isinstance(value, State | Payload) else (value or None) for name, value in texts.items()
    }


def _read(item: Mapping[str, Any]) -> Subscription:
    known = {name: item[name] for name in _OF_MODEL & item.keys()}
    filters = json.loads(item["filters"])
    named: dict[str, Any] = {name: tuple(each) if isinstance(each, list) else each for name, each in filters.items()}
    known |= {
        "tenant": str(item["pk"]).removesuffix("#subscriptions"),
        "subscription_id": item["sk"],
        "state": State(item["state"]),
        "types": tuple(item["types"].split(",")),
        "payload": Payload(item["payload"]),
        "filters": Filters(**named),
    }
    return Subscription(**known)
