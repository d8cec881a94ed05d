"""Deliveries in the Events table: a record for each event and subscription, and the events that wait to be sent.

Records are listed by the time of their event. Waiting events are stored by due time, or, for an ordered subscription,
by lane (the instance of a meeting) and by the event's place in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

from zoom_common.aws.items import from_item, to_item
from zoom_common.aws.table import ConditionFailed, Table
from zoom_common.events.bus import CloudEvent
from zoom_common.events.subscriptions.model import (
    Attempt,
    Status,
    Subscription,
    event_time_ms,
    from_json,
    in_log,
    lane_of,
    place_in_lane,
    to_json,
)

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem

_LANES = "lane#"
_MOST_LANES = 2_000
_BEHIND = "~"  # sorts after every lane and place


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """An event that has to be sent to one subscription, not before `due_at` (epoch seconds).

    `body` is the event itself where the log does not have it. `forced` means that somebody asked for it to be sent, so
    the filters do not apply.
    """

    event_id: str
    time_ms: int
    type: str
    due_at: float
    lane: str | None = None
    place: str = ""
    attempts: tuple[Attempt, ...] = ()
    tries: int = 0
    """Attempts since somebody last asked for it. The retry schedule counts these."""
    body: bytes | None = field(default=None, repr=False)
    forced: bool = False
    stored_key: str | None = None
    """Its sort key in the table, or None before it is stored."""

    @property
    def sort_key(self) -> str:
        """Return its sort key."""
        if self.stored_key is not None:
            return self.stored_key
        if self.lane is None:
            return f"{int(self.due_at * 1000):013}#{self.event_id}"
        return f"{_LANES}{self.lane}#{self.place}#{self.event_id}"

    @classmethod
    def of(
        cls,
        event: CloudEvent,
        subscription: Subscription,
        *,
        due_at: float,
        attempts: tuple[Attempt, ...] = (),
        forced: bool = False,
    ) -> Waiting:
        """Return an event that waits for a subscription."""
        return cls(
            event_id=event.id,
            time_ms=event_time_ms(event),
            type=event.type,
            due_at=due_at,
            lane=lane_of(event) if subscription.ordered else None,
            place=place_in_lane(event) if subscription.ordered else "",
            attempts=attempts,
            tries=len(attempts),
            body=None if in_log(event) else event.to_json().encode(),
            forced=forced,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """The record of one event and subscription. `next_at` is when it is tried again, in epoch seconds."""

    event_id: str
    time_ms: int
    type: str
    status: Status
    attempts: tuple[Attempt, ...]
    next_at: float | None = None

    @property
    def place(self) -> str:
        """Its position in the list of deliveries."""
        return place_of(self.time_ms, self.event_id)


def place_of(time_ms: int, event_id: str) -> str:
    """Return the place of a delivery in its subscription's list."""
    return f"{time_ms:013}#{event_id}"


class DeliveryStore:
    """`clock` gives epoch seconds. Every method raises Unavailable when the table does not answer."""

    OWNED_KEYS: ClassVar = {
        "deliveries": (r"[^#]+#deliveries#sub_.+", r"\d+#.+"),
        "waiting_deliveries": (r"[^#]+#waiting#sub_.+", r"(\d+|lane)#.+"),
    }

    def __init__(self, events: Table, *, retention_days: int = 30) -> None:
        self._table = events
        self._retention = retention_days * 86_400

    def record(self, subscription: Subscription, delivery: Delivery, *, now: float) -> None:
        """Store the state of a delivery, in place of the former one."""
        values = {
            "pk": _records(subscription),
            "sk": delivery.place,
            "type": delivery.type,
            "status": str(delivery.status),
            "attempts": to_json(delivery.attempts),
            "next_at": delivery.next_at,
            "expires_at": int(now) + self._retention,
        }
        self._table.put(values)

    def get(self, subscription: Subscription, time_ms: int, event_id: str) -> Delivery | None:
        """Return one record."""
        found = self._table.get(_records(subscription), place_of(time_ms, event_id))
        return _delivery(found) if found else None

    def statuses(self, subscription: Subscription, places: Iterable[str]) -> Mapping[str, Status]:
        """Return the status of each of these places that has a record."""
        keys = [{"pk": {"S": _records(subscription)}, "sk": {"S": place}} for place in dict.fromkeys(places)]
        return {item["sk"]["S"]: Status(item["status"]["S"]) for item in self._table.batch_get(keys)}

    def page(
        self, subscription: Subscription, *, limit: int, after: str | None = None, status: Status | None = None
    ) -> tuple[Sequence[Delivery], str | None]:
        """Return one page of records, newest event first, and the place where the next page begins (None at the end).

        With a `status`, a short page need not be the last.
        """
        request: dict[str, Any] = {
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": _records(subscription)}},
            "ScanIndexForward": False,
            "ConsistentRead": True,
            "Limit": limit,
        }
        if after is not None:
            request["ExclusiveStartKey"] = {"pk": {"S": _records(subscription)}, "sk": {"S": after}}
        answer = self._table.call("query", **request)
        found = [_delivery(from_item(item)) for item in answer["Items"]]
        last = answer.get("LastEvaluatedKey")
        return [each for each in found if status in {None, each.status}], last["sk"]["S"] if last else None

    def add(self, subscription: Subscription, waiting: Waiting, *, now: float) -> None:
        """Add an event to send. An event that waits in its lane already stays as it is."""
        values = self._values(subscription, waiting, now)
        if waiting.lane is None:
            self._table.put(values)
            return
        with suppress(ConditionFailed):
            self._table.call("put_item", Item=to_item(values), ConditionExpression="attribute_not_exists(pk)")

    def _values(self, subscription: Subscription, waiting: Waiting, now: float) -> dict[str, object]:
        return {
            "pk": _waiting(subscription),
            "sk": waiting.sort_key,
            "event_id": waiting.event_id,
            "time_ms": waiting.time_ms,
            "type": waiting.type,
            "due": waiting.due_at,
            "attempts": to_json(waiting.attempts) if waiting.attempts else None,
            "tries": waiting.tries or None,
            "body": waiting.body,
            "forced": waiting.forced or None,
            "expires_at": int(now) + self._retention,
        }

    def remove(self, subscription: Subscription, waiting: Waiting) -> None:
        """Remove an event that was sent, given up, or is not wanted any more."""
        self._table.delete(_waiting(subscription), waiting.sort_key)

    def postpone(self, subscription: Subscription, waiting: Waiting, later: Waiting, *, now: float) -> None:
        """Replace a waiting event by the same event with another due time. A crash in between leaves both."""
        self._table.put(self._values(subscription, later, now))
        if later.sort_key != waiting.sort_key:
            self.remove(subscription, waiting)

    def due(self, subscription: Subscription, *, now: float, limit: int) -> Sequence[Waiting]:
        """Return what is due and in no lane, longest due first."""
        values = {"pk": _waiting(subscription), "last": f"{int(now * 1000):013}#{_BEHIND}"}
        page, _ = self._table.query("#pk = :pk AND #sk <= :last", values, limit=limit)
        return [_read(item) for item in page]

    def heads(
        self, subscription: Subscription, *, is_due: Callable[[Waiting], bool], most: int
    ) -> tuple[list[Waiting], float | None]:
        """Return the first events of `most` lanes whose first event is due, or when the next lane is due if none is.

        At most 2,000 lanes are read.
        """
        ready: list[Waiting] = []
        soonest: float | None = None
        behind = _LANES
        for _ in range(_MOST_LANES):
            values = {"pk": _waiting(subscription), "behind": behind}
            page, _after = self._table.query("#pk = :pk AND #sk > :behind", values, limit=1)
            if not page or len(ready) == most:
                break
            head = _read(page[0])
            if is_due(head):
                ready.append(head)
            else:
                soonest = min(head.due_at, soonest or head.due_at)
            behind = f"{_LANES}{head.lane}#{_BEHIND}"
        return ready, soonest

    def next_due(self, subscription: Subscription) -> float | None:
        """Return when the next event outside of lanes is due, in epoch seconds, or None when none waits."""
        page, _ = self._table.query(
            "#pk = :pk AND #sk < :lanes", {"pk": _waiting(subscription), "lanes": _LANES}, limit=1
        )
        return float(page[0]["due"]) if page else None

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether an erasure deletes a delivery: with its tenant, or when a text in it names the person."""
        if not target.owns(str(item["pk"]).partition("#")[0]):
            return False
        attempts = str(item.get("attempts", "[]"))
        answers = [each.answer.encode() for each in from_json(attempts)]
        return target.whole_tenant or any(
            target.is_named_in_json(text) for text in (item.get("body", b""), attempts.encode(), *answers) if text
        )


def again(waiting: Waiting, attempt: Attempt, due_at: float) -> Waiting:
    """Return what waits after one more attempt."""
    return replace(
        waiting, attempts=(*waiting.attempts, attempt), tries=waiting.tries + 1, due_at=due_at, stored_key=None
    )


def _records(subscription: Subscription) -> str:
    return f"{subscription.tenant}#deliveries#{subscription.subscription_id}"


def _waiting(subscription: Subscription) -> str:
    return f"{subscription.tenant}#waiting#{subscription.subscription_id}"


def _delivery(item: Mapping[str, Any]) -> Delivery:
    time_ms, _, event_id = str(item["sk"]).partition("#")
    return Delivery(
        event_id=event_id,
        time_ms=int(time_ms),
        type=item["type"],
        status=Status(item["status"]),
        attempts=from_json(item["attempts"]),
        next_at=item.get("next_at"),
    )


def _read(item: Mapping[str, Any]) -> Waiting:
    sort_key = str(item["sk"])
    lane, place = None, ""
    if sort_key.startswith(_LANES):
        _, lane, place, _ = sort_key.split("#")
    return Waiting(
        event_id=item["event_id"],
        time_ms=item["time_ms"],
        type=item["type"],
        due_at=float(item["due"]),
        lane=lane,
        place=place,
        attempts=from_json(item["attempts"]) if "attempts" in item else (),
        tries=item.get("tries", 0),
        body=item.get("body"),
        forced=item.get("forced", False),
        stored_key=sort_key,
    )
