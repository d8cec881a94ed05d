"""Stores when a host's meetings and webinars are planned, from creates through the gateway and from webhooks.

The module imports nothing of the gateway, so that the event processor starts without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar

from zoom_common.aws.table import ConditionFailed, Table
from zoom_common.errors import DependencyFailed

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem
    from zoom_common.zoom.events import ZoomEvent

# Start and end, in epoch seconds.
type Span = tuple[int, int]

# In seconds: an item is kept for this long after its last change.
LIFE = 90 * 86_400

_SK = "calendar"
_LONGEST_NUMBER = 20
# When an item has this many meetings, past ones are dropped.
_MOST_PAST = 20
_MOST_SPANS = 200
_DELETED = "deleted"


class HostCalendar:
    """One item for each host, with an attribute for each meeting. `clock` gives epoch seconds."""

    OWNED_KEYS: ClassVar = {"coordination": (r"calendar#.+#.+", _SK)}

    def __init__(self, table: Table, *, clock: Callable[[], float]) -> None:
        self._table = table
        self._clock = clock

    def book(self, account_id: str, host_id: str, number: str, spans: Iterable[Span]) -> dict[str, list[Span]]:
        """Store when a meeting is planned, and return all others of the host by number. Raises Unavailable.

        Storing it again changes nothing.
        """
        attribute, text = f"m{number}", _text(spans)
        values = {"spans": text, "expires_at": int(self._clock()) + LIFE}
        change = f"SET #{attribute} = :spans, #expires_at = :expires_at"
        changes = f"attribute_not_exists(#{attribute}) OR #{attribute} <> :spans"
        try:
            item = self._table.update(_pk(account_id, host_id), _SK, change, condition=changes, values=values)
        except ConditionFailed as same:
            item = same.item or {}
        others = {name[1:]: _spans(item[name]) for name in item if _is_number(name[1:]) and name != attribute}
        self._forget_past(account_id, host_id, others)
        return others

    def cancel(self, account_id: str, host_id: str, number: str) -> None:
        """Remove a meeting that was deleted, or whose time is not known any more. Raises Unavailable."""
        self._remove(account_id, host_id, [number])

    def on_event(self, event: ZoomEvent) -> None:
        """Store the plan in a webhook's event. When DynamoDB does not answer, nothing is raised."""
        about, account = event.object, event.account_id
        family, _, what = event.name.partition(".")
        host, number = str(about.get("host_id") or ""), str(about.get("id") or "")
        if family not in {"meeting", "webinar"} or not (account and host and _is_number(number)):
            return
        with suppress(DependencyFailed):
            match what:
                case "created" if spans := planned(about):
                    self.book(account, host, number, spans)
                case "updated" if spans := planned(about):
                    self.book(account, host, number, spans)
                case "deleted" if event.payload.get("operation") != "single":
                    self.cancel(account, host, number)

    def _forget_past(self, account_id: str, host_id: str, others: Mapping[str, list[Span]]) -> None:
        now = self._clock()
        past = [number for number, spans in others.items() if all(end < now for _, end in spans)]
        if len(past) >= _MOST_PAST:
            self._remove(account_id, host_id, past)

    def _remove(self, account_id: str, host_id: str, numbers: list[str]) -> None:
        change = "SET #expires_at = :expires_at REMOVE " + ", ".join(f"#m{each}" for each in numbers)
        values = {"expires_at": int(self._clock()) + LIFE}
        known = f"attribute_exists(#m{numbers[0]})"
        self._table.update_if(_pk(account_id, host_id), _SK, change, condition=known, values=values)

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether an erasure deletes a calendar: the person's own, by exact key, in the tenant's accounts."""
        keys = {_pk(account, user) for account in target.account_ids for user in target.zoom_user_ids}
        return item["pk"] in keys


def planned(about: Mapping[str, Any]) -> list[Span]:
    """Return when a meeting takes place, as a create's answer or an event shows it; empty when it has no time."""
    occurrences = about.get("occurrences")
    if isinstance(occurrences, list) and occurrences:
        left = [each for each in occurrences if isinstance(each, dict) and each.get("status") != _DELETED]
        return [span for each in left if (span := _span(each, about)) is not None][:_MOST_SPANS]
    span = _span(about, about)
    return [] if span is None or str(about.get("type")) in {"1", "3", "4", "6"} else [span]


def _span(times: Mapping[str, Any], whole: Mapping[str, Any]) -> Span | None:
    duration = times.get("duration", whole.get("duration"))
    try:
        start = datetime.fromisoformat(str(times["start_time"]))
        minutes = int(duration or 0)
    except (KeyError, TypeError, ValueError):
        return None
    begins = int((start if start.tzinfo else start.replace(tzinfo=UTC)).timestamp())
    return (begins, begins + 60 * minutes) if minutes > 0 else None


def overlapping(spans: Iterable[Span], others: Mapping[str, Iterable[Span]]) -> list[str]:
    """Return the numbers of those among `others` that take place at the same time, earliest first."""
    mine, found = list(spans), []
    for number, theirs in others.items():
        begins = [start for start, end in theirs if any(start < last and first < end for first, last in mine)]
        found += [(min(begins), number)] if begins else []
    return [number for _, number in sorted(found)]


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= _LONGEST_NUMBER


def _pk(account_id: str, host_id: str) -> str:
    return f"calendar#{account_id}#{host_id}"


def _text(spans: Iterable[Span]) -> str:
    return ",".join(f"{start}-{end}" for start, end in spans)


def _spans(text: object) -> list[Span]:
    pairs = (each.partition("-") for each in str(text).split(",") if each)
    return [(int(start), int(end)) for start, _, end in pairs]
