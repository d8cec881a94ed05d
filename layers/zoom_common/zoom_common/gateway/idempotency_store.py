"""Records of creates with an Idempotency-Key: one item for each key, and one for each thing that was made."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, ClassVar

from zoom_common.aws.table import ConditionFailed, Table

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem

LIFE = 24 * 3600
_SK = "idempotency"
_BINDING = 1  # its position in the transaction that stores an answer


class Step(StrEnum):
    """The progress of a create. From `sent` on, something may have been made."""

    STARTED = "started"
    SENT = "sent"
    UNKNOWN = "unknown"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """The first answer, without the parts that must not be stored."""

    status: int
    content_type: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """The record of one key. The call `owner` leases it until `lease_until` (epoch seconds)."""

    fingerprint: str
    step: Step
    owner: str
    lease_until: float
    first_sent: float | None = None
    last_sent: float | None = None
    answer: StoredAnswer | None = None


class MadeForAnotherKey(Exception):
    """What was made is bound to another key already."""


class IdempotencyStore:
    """The records of all containers. Every method raises Unavailable when DynamoDB fails."""

    OWNED_KEYS: ClassVar = {"coordination": (r"(key|made)#.+", r"idempotency")}

    def __init__(self, table: Table) -> None:
        self._table = table.with_reason("idempotency_store_unavailable")

    def begin(
        self, key: str, fingerprint: str, *, whose: str, owner: str, now: float, lease_until: float
    ) -> Entry | None:
        """Lease a new record for `whose` (tenant#connection). Return None, or the record that exists already."""
        values = {"fingerprint": fingerprint, "step": Step.STARTED, "owner": owner, "lease_until": lease_until}
        change = "SET #fingerprint = :fingerprint, #step = :step, #owner = :owner, #lease_until = :lease_until, "
        change += (
            "#whose = :whose, #expires_at = :expires_at REMOVE #first_sent, #last_sent, #status, #content_type, #body"
        )
        # Items expire with a delay, so an expired record does not count.
        free = "attribute_not_exists(#step) OR #expires_at <= :now"
        values |= {"expires_at": int(now) + LIFE, "now": int(now), "whose": whose}
        try:
            self._table.update(key, _SK, change, condition=free, values=_plain(values))
        except ConditionFailed as failed:
            return _entry(failed.item or {})
        return None

    def take_over(self, key: str, seen: Entry, *, owner: str, lease_until: float) -> bool:
        """Take over a record with an expired lease. Return False when another call was faster."""
        values = {"seen": seen.owner, "step": seen.step, "owner": owner, "lease_until": lease_until}
        change = "SET #owner = :owner, #lease_until = :lease_until"
        return self._update(key, change, "#owner = :seen AND #step = :step", values)

    def sent(self, key: str, *, owner: str, now: float) -> bool:
        """Store that something may be made from now on. Return False when another call has taken over."""
        change = "SET #step = :step, #first_sent = if_not_exists(#first_sent, :now), #last_sent = :now"
        return self._update(key, change, "#owner = :owner", {"step": Step.SENT, "owner": owner, "now": now})

    def unknown(self, key: str, *, owner: str) -> None:
        """Store that the answer was lost, so that the next call looks for the result first."""
        change = "SET #step = :step, #lease_until = :now"
        self._update(key, change, "#owner = :owner", {"step": Step.UNKNOWN, "owner": owner, "now": 0})

    def forget(self, key: str, *, owner: str) -> None:
        """Delete the record, because nothing was made."""
        try:
            self._table.delete(key, _SK, condition="#owner = :owner", values={"owner": owner})
        except ConditionFailed:
            return

    def done(self, key: str, answer: StoredAnswer, *, owner: str, made: str | None, now: float) -> bool:
        """Store the first answer, and bind what was `made` to this key. Return False when another call has taken over.

        Raises MadeForAnotherKey when it is bound to another key, and then stores nothing.
        """
        expires_at = int(now) + LIFE
        change = "SET #step = :step, #status = :status, #content_type = :content_type, #body = :body"
        values = {"step": Step.DONE, "status": answer.status, "content_type": answer.content_type}
        values |= {"body": answer.body, "owner": owner}
        kept = self._table.to_update(key, _SK, change, condition="#owner = :owner", values=_plain(values))
        operations: list[dict[str, Any]] = [{"Update": kept}]
        if made is not None:
            bound = {"pk": made, "sk": _SK, "key": key, "expires_at": expires_at}
            condition = "attribute_not_exists(#key) OR #key = :key"
            operations.append({"Put": self._table.to_put(bound, condition=condition, values={"key": key})})
        try:
            self._table.transact(operations)
        except ConditionFailed as failed:
            if _BINDING in failed.failed:
                raise MadeForAnotherKey from None
            return False
        return True

    def bound_to(self, made: str) -> str | None:
        """Return the key that something is bound to, or None."""
        item = self._table.get(made, _SK)
        return str(item["key"]) if item else None

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether an erasure deletes a record: the tenant's, or one of the person's connection or answer.

        Digests of what was made identify no person and expire within a day.
        """
        tenant, _, connection = str(item.get("whose", "")).partition("#")
        if not target.owns(tenant):
            return False
        return target.whole_tenant or target.names([connection]) or target.is_named_in_json(item.get("body", b""))

    def _update(self, key: str, change: str, condition: str, values: dict[str, Any]) -> bool:
        changed = self._table.update_if(key, _SK, change, condition=condition, values=_plain(values))
        return changed is not None


def _entry(item: dict[str, Any]) -> Entry:
    done = item.get("step") == Step.DONE
    answer = StoredAnswer(int(item["status"]), str(item["content_type"]), bytes(item["body"])) if done else None
    return Entry(
        fingerprint=str(item.get("fingerprint", "")),
        step=Step(item.get("step", Step.STARTED)),
        owner=str(item.get("owner", "")),
        lease_until=float(item.get("lease_until", 0)),
        first_sent=item.get("first_sent"),
        last_sent=item.get("last_sent"),
        answer=answer,
    )


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: str(value) if isinstance(value, Step) else value for name, value in values.items()}
