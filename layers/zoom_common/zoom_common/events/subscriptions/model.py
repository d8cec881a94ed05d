"""Subscriptions: which events they receive, and the rules for attempts, retries and back-off."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Self

from zoom_common.events.bus import CloudEvent
from zoom_common.zoom.events import ZoomEvent, epoch_ms
from zoom_common.zoom.http import retry_after

SUBSCRIPTION_ID = re.compile(r"sub_[0-9a-f]{32}")
SOURCE = "/gateway/subscriptions"
VERIFICATION, TEST = "subscription.verification", "subscription.test"
DISABLED, UNSUBSCRIBED = "subscription.disabled", "subscription.unsubscribed"

_KINDS = {"meeting": "meetings", "webinar": "webinars"}


class State(StrEnum):
    """The state of a subscription. Only an active one gets events."""

    PENDING = "pending"  # its target has not confirmed yet that it wants events
    ACTIVE = "active"
    PAUSED = "paused"  # by its owner
    DISABLED = "disabled"  # its target failed for five days
    UNSUBSCRIBED = "unsubscribed"  # its target answered 410


class Payload(StrEnum):
    """How much of an event is sent."""

    FULL = "full"
    THIN = "thin"  # without `data`, and with a `dataref` from which it can be read


@dataclass(frozen=True, slots=True)
class Filters:
    """Which events of the wanted types are sent. An empty tuple or None accepts every event."""

    meeting: tuple[str, ...] = ()
    host: tuple[str, ...] = ()
    connection: tuple[str, ...] = ()
    kind: str | None = None

    def let_through(self, event: CloudEvent) -> bool:
        """Return whether an event passes all filters."""
        family, _, rest = (event.subject or "").partition("/")
        return (
            (not self.meeting or rest.partition("/")[0] in self.meeting)
            and (not self.connection or event.connection_id in self.connection)
            and (self.kind is None or family == _KINDS[self.kind] or event.detail_type.startswith(f"{self.kind}."))
            and (not self.host or _host_of(event) in self.host)
        )

    def shown(self) -> dict[str, Any]:
        """Return the filters as callers see them."""
        found: dict[str, Any] = {
            name: list(values) for name in ("meeting", "host", "connection") if (values := getattr(self, name))
        }
        return found if self.kind is None else {**found, "kind": self.kind}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """One subscription. Times are epoch seconds; secrets are sealed.

    Exactly one of `url` and `queue` (an SQS queue's URL) is set.
    """

    tenant: str
    subscription_id: str
    state: State
    types: tuple[str, ...]
    created_at: float
    secret: bytes = field(repr=False)
    url: str | None = None
    queue: str | None = None
    filters: Filters = Filters()
    payload: Payload = Payload.FULL
    rate: int | None = None
    """The most deliveries per second; None for no limit."""
    ordered: bool = False
    description: str = ""
    state_changed_at: float = 0.0
    reason: str | None = None
    """The reason for its state, where its owner did not ask for it."""
    challenge: str = field(default="", repr=False)
    previous_secret: bytes | None = field(default=None, repr=False)
    previous_until: float | None = None
    failures: int = 0
    """The number of successive failed attempts."""
    failing_since: float | None = None
    retry_at: float | None = None
    """Set while it backs off. Nothing is sent before this time, then one event at a time until one arrives."""
    rounds: int = 0
    """The number of back-offs since an event last arrived."""
    slow_at: float | None = None
    """When it was found to answer slowly, or None when it answers fast."""
    missed_after: str | None = None
    """The place in the log after which events may have been missed, or None when nothing was."""
    missed_until: float | None = None
    announce: str | None = None
    """The type of the event about its state that is not published yet."""
    last_attempt: str | None = None
    """Its last attempt at a verification, as JSON."""
    due_at: float | None = None
    wakes: int = 0
    lease_owner: str | None = None
    lease_until: float | None = None

    @property
    def backs_off(self) -> bool:
        """Whether its target failed and no event has arrived since."""
        return self.retry_at is not None

    @property
    def needs_a_worker(self) -> bool:
        """Whether a worker of its own sends its events: to keep an order or a rate, or because its target is slow."""
        return self.ordered or self.rate is not None or self.backs_off or self.slow_at is not None

    def wants(self, event: CloudEvent) -> bool:
        """Return whether an event is of a wanted type and passes the filters."""
        return self.wants_type(event.type) and self.filters.let_through(event)

    def wants_type(self, type_: str) -> bool:
        """Return whether events of a type, with or without `zoom.`, are wanted."""
        return any(matches(type_.removeprefix("zoom."), each) for each in self.types)

    def body(self, event: CloudEvent) -> bytes:
        """Return the body of the delivery of an event."""
        thin = self.payload is Payload.THIN and event.type not in {VERIFICATION, TEST} and event.data is not None
        return (event.by_reference() if thin else event).to_json().encode()


def matches(name: str, pattern: str) -> bool:
    """Return whether a type without `zoom.` matches a pattern. A star at the pattern's end matches any rest."""
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern


def new_subscription_id(entropy: bytes) -> str:
    """Return the id of a new subscription, from 16 random bytes."""
    return f"sub_{entropy.hex()}"


def event_time_ms(event: CloudEvent) -> int:
    """Return the event's `time` in epoch milliseconds."""
    return epoch_ms(event.time) or 0


def in_log(event: CloudEvent) -> bool:
    """Return whether an event is stored in the event log. The gateway's own events are not."""
    return event.source.startswith("/zoom/")


def lane_of(event: CloudEvent) -> str:
    """Return a short name for the group in which order is kept: the instance of a meeting, else the event's subject."""
    about = event.uuid or event.subject or event.type
    return hashlib.sha256(about.encode()).hexdigest()[:16]


def place_in_lane(event: CloudEvent) -> str:
    """Return the event's place in its lane. Sorted as text, places are in the order in which events became true."""
    return event.sequence or f"{event_time_ms(event):013}"


def _host_of(event: CloudEvent) -> str | None:
    return None if event.data is None else ZoomEvent(event.detail_type, dict(event.data)).host


# Seconds between an attempt and the next, as Standard Webhooks recommends:
# https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md#deliverability-and-reliability
SCHEDULE = (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 36_000.0)
MOST_ATTEMPTS = len(SCHEDULE) + 1
_JITTER = 0.1
_LONGEST_RETRY_AFTER = 86_400.0
DISABLED_AFTER = 5 * 86_400.0
# An event that had its last attempt while the target failed waits until the target is disabled, for a resume.
LONGEST_PAUSE = DISABLED_AFTER + 7_200.0
# An endpoint that answers with errors is not tried for a while after this many successive failures.
FAILURES_UNTIL_BACK_OFF = 3
# An ordered subscription holds an event back for this long after it was received, so that events received before it
# that are in the log by then are sent first.
ORDER_SECONDS = 1.0
KEPT_ANSWER = 1024

_OK, _REDIRECT = range(200, 300), range(300, 400)
_GONE = 410
_ASKED_TO_WAIT = frozenset({429, 503})


class Outcome(StrEnum):
    """The result of one attempt."""

    DELIVERED = "delivered"
    GONE = "gone"  # 410: the target wants no more events
    ANSWERED = "answered"  # an error, which may be about this event only
    UNREACHED = "unreached"  # no answer, or one that asks to wait: other events would not arrive either


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One attempt. `at` is epoch seconds. `error` is a fixed word; `status` and `answer` are the endpoint's."""

    at: float
    duration_ms: int
    status: int | None = None
    error: str | None = None
    answer: str = ""
    retry_after: float | None = None
    """The seconds that the endpoint asked to wait."""

    @property
    def outcome(self) -> Outcome:
        """The result."""
        if self.error is not None or self.status is None:
            return Outcome.UNREACHED
        if self.status in _OK:
            return Outcome.DELIVERED
        if self.status == _GONE:
            return Outcome.GONE
        return Outcome.UNREACHED if self.retry_after is not None else Outcome.ANSWERED

    @classmethod
    def answered(cls, status: int, headers: Mapping[str, str], body: bytes, *, at: float, duration_ms: int) -> Self:
        """Return the attempt with this answer. A redirect is a failure, and its address is not stored."""
        redirected = status in _REDIRECT
        return cls(
            at=at,
            duration_ms=duration_ms,
            status=status,
            answer="" if redirected else body[:KEPT_ANSWER].decode(errors="replace"),
            retry_after=_asked_to_wait(headers, now=at) if status in _ASKED_TO_WAIT else None,
        )

    def shown(self) -> dict[str, Any]:
        """Return the attempt as callers see it."""
        return {
            "at": datetime.fromtimestamp(self.at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "duration_ms": self.duration_ms,
            "status": self.status,
            "error": self.error,
            "answer": self.answer,
        }


class Status(StrEnum):
    """The state of a delivery."""

    RETRYING = "retrying"
    DELIVERED = "delivered"
    FAILED = "failed"  # after the last attempt; it can be delivered again by request


def _asked_to_wait(headers: Mapping[str, str], *, now: float) -> float | None:
    """Return the seconds that `Retry-After` asks for, at most a day; None for no such header."""
    asked = retry_after(headers.get("retry-after"), now=now)
    return None if asked is None else min(asked, _LONGEST_RETRY_AFTER)


def pause_after(attempts: int, *, random: Callable[[], float], asked: float | None = None) -> float | None:
    """Return the seconds to the next attempt, or None when there is none. `asked` is a lower bound."""
    if attempts >= MOST_ATTEMPTS:
        return None
    return max(_jittered(SCHEDULE[attempts - 1], random), asked or 0.0)


def back_off(rounds: int, *, random: Callable[[], float], asked: float | None = None) -> float:
    """Return the seconds for which a failing target is not tried, after this many back-offs."""
    return max(_jittered(SCHEDULE[min(rounds, len(SCHEDULE) - 1)], random), asked or 0.0)


def to_json(attempts: Sequence[Attempt]) -> str:
    """Return attempts as they are stored. Of many, only the last ones are stored."""
    kept = [asdict(each) for each in attempts[-2 * MOST_ATTEMPTS :]]
    present = [{name: value for name, value in each.items() if value not in (None, "")} for each in kept]
    return json.dumps(present, ensure_ascii=False, separators=(",", ":"))


def from_json(text: str) -> tuple[Attempt, ...]:
    """Return stored attempts."""
    return tuple(Attempt(**each) for each in json.loads(text))


def _jittered(seconds: float, random: Callable[[], float]) -> float:
    return seconds * (1 + _JITTER * random())
