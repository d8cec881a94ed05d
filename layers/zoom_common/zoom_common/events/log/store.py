"""The event log, which is also the dedupe record: one item decides who processes an event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from zoom_common.aws.table import ConditionFailed, Table
from zoom_common.errors import Unavailable
from zoom_common.events.log.entries import (
    Admission,
    Admitted,
    LogEntry,
    app_of_unpublished,
    content_of,
    entry_items,
    entry_key,
    index_item,
    number,
    read_entry,
    recorded_item,
    recorded_key,
)

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem

# Longer than any queue holds a message.
RETENTION_DAYS = 30
# Longer than the processor may run, shorter than its queue hides a message: a crashed worker's claim has run out when
# its message comes back.
CLAIM_SECONDS = 60
# A line that is visible later than this after the moment in its key is written again with a new moment.
LATE_MS = 5_000
_MOST_LATE_WRITES = 3


class EventExpired(Unavailable):
    """A part of an event's content has expired already; the rest follows."""

    def __init__(self) -> None:
        super().__init__(reason="event_expired")


class EventLog:
    """The log in one table. Every method raises Unavailable when the table cannot be used."""

    OWNED_KEYS: ClassVar = {
        "events": (r"[^#]+#event#.+", r"event"),
        "event_parts": (r"[^#]+#event#.+", r"body#.+"),
        "log_lines": (r"[^#]+#(events|recorded)#\d{4}-\d\d-\d\d", r"\d+#.+"),
    }

    def __init__(
        self,
        events: Table,
        *,
        clock: Callable[[], float],
        retention_days: int = RETENTION_DAYS,
    ) -> None:
        self._table = events
        self._clock = clock
        self._retention = retention_days * 86_400

    def admit(self, entry: LogEntry) -> Admitted:
        """Claim an event that is new, or that its last worker did not finish; the first delivery's content counts."""
        claim = int(self._clock()) + CLAIM_SECONDS
        now = self._now_ms()
        item, parts = entry_items(entry, claimed_until=claim, recorded_at_ms=now, expires_at=self._expiry(entry))
        for part in parts:
            self._table.call("put_item", Item=part)
        existing = self._put_new(item)
        if existing is not None:
            return self._known(existing)
        self._put_lines(entry, now)
        return Admitted(Admission.ADMITTED, entry)

    def finish(self, entry: LogEntry) -> None:
        """Record that an admitted event is published, or counted as unpublished: from now on it is a duplicate."""
        self._update(
            entry_key(entry.owner, entry.event_id),
            update="SET done_at = :now REMOVE claimed_until",
            condition="attribute_exists(pk)",  # erased in between: nothing to remember
            values={":now": number(int(self._clock()))},
        )

    def get(self, owner: str, event_id: str) -> LogEntry | None:
        """One entry with its content, read consistently."""
        item = self._get(entry_key(owner, event_id))
        return self._read(item) if item else None

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether an item goes: the tenant's, for a person those that name them, also if never published.

        Parts of a body say nothing by themselves: they go with their entry, which is given here with its whole `body`.
        """
        owner = str(item["pk"]).partition("#")[0]
        if target.whole_tenant:
            return target.owns(owner)
        if not target.owns(owner) and app_of_unpublished(owner) is None:
            return False
        labels = [item.get("connection_id"), *str(item.get("subject", "")).split("/")]
        return target.names(labels) or target.is_named_in_json(content_of(item))

    def _put_new(self, item: dict[str, Any]) -> Mapping[str, Any] | None:
        """Write an entry that does not exist; the one that does, otherwise."""
        try:
            self._table.call(
                "put_item",
                Item=item,
                ConditionExpression="attribute_not_exists(pk)",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except ConditionFailed as failed:
            return failed.raw
        return None

    def _known(self, item: Mapping[str, Any]) -> Admitted:
        """What to do about an event whose entry exists."""
        if "done_at" in item:
            return Admitted(Admission.FINISHED)
        if int(item["claimed_until"]["N"]) > self._clock():
            return Admitted(Admission.IN_PROGRESS)
        taken = self._update(
            {"pk": item["pk"], "sk": item["sk"]},
            update="SET claimed_until = :until",
            condition="claimed_until = :held",
            values={":until": number(int(self._clock()) + CLAIM_SECONDS), ":held": item["claimed_until"]},
        )
        if not taken:
            return Admitted(Admission.IN_PROGRESS)
        first, now = self._read(item), self._now_ms()
        self._move_recorded(first, int(item["recorded_at_ms"]["N"]) if "recorded_at_ms" in item else None, now)
        self._put_lines(first, now)
        return Admitted(Admission.ADMITTED, first)

    def _update(self, key: dict[str, Any], *, update: str, condition: str, values: dict[str, Any]) -> bool:
        """Update one item; False when the condition does not hold."""
        try:
            self._table.call(
                "update_item",
                Key=key,
                UpdateExpression=update,
                ConditionExpression=condition,
                ExpressionAttributeValues=values,
            )
        except ConditionFailed:
            return False
        return True

    def _put_lines(self, entry: LogEntry, now_ms: int) -> None:
        """Write the entry's lines; the recorded one is visible at most LATE_MS after the moment in its key.

        A worker that died before its line was visible is followed by one that writes the line with a new moment.
        """
        self._table.call("put_item", Item=index_item(entry, self._expiry(entry)))
        for _ in range(_MOST_LATE_WRITES):
            self._table.call("put_item", Item=recorded_item(entry, now_ms, self._expiry(entry)))
            late, written = self._now_ms(), now_ms
            if late - written <= LATE_MS:
                return
            self._move_recorded(entry, written, late)
            now_ms = late
        raise Unavailable(reason="events_table")

    def _move_recorded(self, entry: LogEntry, written_ms: int | None, now_ms: int) -> None:
        """Prepare the recorded line for a new moment: remove the one that was written, then note the moment.

        The entry always names the moment of its line, so wherever this stops, the next worker finds the line.
        """
        if written_ms is not None:
            self._table.call("delete_item", Key=recorded_key(entry.owner, entry.event_id, written_ms))
        key = entry_key(entry.owner, entry.event_id)
        values = {":now": number(now_ms)}
        self._update(key, update="SET recorded_at_ms = :now", condition="attribute_exists(pk)", values=values)

    def _now_ms(self) -> int:
        return int(self._clock() * 1000)

    def _read(self, item: Mapping[str, Any]) -> LogEntry:
        return read_entry(item, item["body"]["B"] if "body" in item else self._joined(item))

    def _joined(self, item: Mapping[str, Any]) -> bytes:
        parts = [self._get({"pk": item["pk"], "sk": sort}) for sort in item["parts"]["L"]]
        if None in parts:  # expiry takes items one by one, in any order
            raise EventExpired
        return b"".join(part["body"]["B"] for part in parts if part)

    def _get(self, key: dict[str, Any]) -> Mapping[str, Any] | None:
        return self._table.call("get_item", Key=key, ConsistentRead=True).get("Item")

    def _expiry(self, entry: LogEntry) -> int:
        return entry.received_at_ms // 1000 + self._retention
