"""The event log, which is also the dedupe record: one item decides who processes an event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from zoom_common.aws.at_once import at_once, begin_put_each
from zoom_common.aws.table import ConditionFailed, Outcome, Table
from zoom_common.errors import DependencyFailed, Unavailable
from zoom_common.events.log.entries import (
    Admission,
    Admitted,
    LogEntry,
    app_of_unpublished,
    content_of,
    entry_items,
    entry_key,
    line_items,
    number,
    read_entry,
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

    def admit(self, entry: LogEntry, *, again: bool = False) -> Admitted:
        """Claim an event that is new, or that its last worker did not finish; the first delivery's content counts.

        `again`: the message was handed to a worker before, who may have died.
        """
        [admitted] = self.admit_all([entry], again=(again,))
        if isinstance(admitted, Exception):
            raise admitted
        return admitted

    def admit_all(self, entries: Sequence[LogEntry], *, again: Sequence[bool] = ()) -> list[Admitted | Exception]:
        """Claim different events as `admit` does, at once. Return for each the outcome, or why there is none."""
        now = self._now_ms()
        return [
            self._admitted(outcome, again=retried)
            if isinstance(outcome, Exception)
            else Admitted(Admission.ADMITTED, replace(entry, recorded_at_ms=now))
            for entry, outcome, retried in zip(
                entries, self._claim_all(entries, now), again or [False] * len(entries), strict=True
            )
        ]

    def finish(self, entry: LogEntry) -> None:
        """Record that an admitted event is published, or counted as unpublished: from now on it is a duplicate."""
        [failed] = self.finish_all([entry])
        if failed is not None:
            raise failed

    def finish_all(self, entries: Sequence[LogEntry]) -> list[DependencyFailed | None]:
        """Finish admitted events at once, as `finish` does. Return for each why it is not finished.

        The line in the log says that the event is finished: one write serves both. It is visible at most LATE_MS after
        the moment in its key.
        """
        lines = [self._lines(entry, entry.recorded_at_ms) for entry in entries]
        failed = iter(begin_put_each(self._table, [line for own in lines for line in own])())
        outcomes = [[next(failed) for _ in own] for own in lines]
        return [
            next(filter(None, own), None) or self._unless_late(entry, entry.recorded_at_ms)
            for entry, own in zip(entries, outcomes, strict=True)
        ]

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

    def _claim_all(self, entries: Sequence[LogEntry], now_ms: int) -> list[Outcome]:
        """Write the entries that do not exist, after the parts of their bodies."""
        claim = int(self._clock()) + CLAIM_SECONDS
        puts, parts = [], []
        for entry in entries:
            item, own = entry_items(entry, claimed_until=claim, recorded_at_ms=now_ms, expires_at=self._expiry(entry))
            puts.append(("put_item", {"Item": item, "ConditionExpression": "attribute_not_exists(pk)"}))
            parts.append([("put_item", {"Item": part}) for part in own])
        stored = [at_once(self._table, own) if own else [] for own in parts]
        failed = {at: each for at, own in enumerate(stored) for each in own if isinstance(each, Exception)}
        put = iter(at_once(self._table, [each for at, each in enumerate(puts) if at not in failed]))
        return [failed[at] if at in failed else next(put) for at in range(len(entries))]

    def _admitted(self, refused: Exception, *, again: bool) -> Admitted | Exception:
        """What to do about an event that could not be claimed as a new one."""
        try:
            if isinstance(refused, ConditionFailed) and refused.raw is not None:
                return self._known(refused.raw, again=again)
        except Exception as failed:  # noqa: BLE001 - what is stored of one event must not stop the others
            return failed
        return refused if isinstance(refused, DependencyFailed) else Unavailable(reason="events_table")

    def _known(self, item: Mapping[str, Any], *, again: bool = False) -> Admitted:
        """What to do about an event whose entry exists.

        A worker may have died when its line was visible too late and before it moved the line. Whoever gets the message
        again moves the line of a finished event, so that nobody who reads forwards has passed it.
        """
        if "done_at" in item:  # the release before kept it there
            return Admitted(Admission.FINISHED)
        finished = self._is_finished(item)
        if finished and not again:
            return Admitted(Admission.FINISHED)
        if int(item["claimed_until"]["N"]) > self._clock() or not self._takes_over(item):
            return Admitted(Admission.IN_PROGRESS)
        known, now = self._read(item), self._now_ms()
        self._move_recorded(known, known.recorded_at_ms, now)
        first = replace(known, recorded_at_ms=now)
        if finished:
            self.finish(first)
            return Admitted(Admission.FINISHED)
        return Admitted(Admission.ADMITTED, first)

    def _is_finished(self, item: Mapping[str, Any]) -> bool:
        """Return whether the line of an entry says so. The release before wrote lines of what it had not finished."""
        if "recorded_at_ms" not in item:
            return False
        owner, _, event_id = item["pk"]["S"].rpartition("#event#")
        line = self._get(recorded_key(owner, event_id, int(item["recorded_at_ms"]["N"])))
        return line is not None and "done_at" in line

    def _takes_over(self, item: Mapping[str, Any]) -> bool:
        return self._update(
            {"pk": item["pk"], "sk": item["sk"]},
            update="SET claimed_until = :until",
            condition="claimed_until = :held",
            values={":until": number(int(self._clock()) + CLAIM_SECONDS), ":held": item["claimed_until"]},
        )

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

    def _lines(self, entry: LogEntry, now_ms: int) -> list[dict[str, Any]]:
        return line_items(entry, now_ms, self._expiry(entry), int(self._clock()))

    def _unless_late(self, entry: LogEntry, written_ms: int) -> DependencyFailed | None:
        """Write a line again with a new moment for as long as it became visible too late."""
        try:
            for left in reversed(range(_MOST_LATE_WRITES)):
                now_ms = self._now_ms()
                if now_ms - written_ms <= LATE_MS:
                    return None
                self._move_recorded(entry, written_ms, now_ms)
                for line in self._lines(entry, now_ms) if left else ():
                    self._table.call("put_item", Item=line)
                written_ms = now_ms
        except DependencyFailed as failed:
            return failed
        return Unavailable(reason="events_table")

    def _move_recorded(self, entry: LogEntry, written_ms: int, now_ms: int) -> None:
        """Prepare the line for a new moment: remove the one that was written, then note the moment.

        The entry always names the moment of its line, so wherever this stops, the next worker finds the line.
        """
        if written_ms:
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
