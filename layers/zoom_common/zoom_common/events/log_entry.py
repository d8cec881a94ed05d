"""One event as the log keeps it: whose it is, its id, and its bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from zoom_common.events.envelope import CloudEvent

# Owners that are no tenant, because a tenant's id has no dot. What is kept there was published to nobody.
_UNROUTED = "unrouted."
_MALFORMED = "malformed."


@dataclass(frozen=True, slots=True)
class LogEntry:
    """`content` is the CloudEvent as published; of what is kept apart, it is Zoom's body. Times in epoch milliseconds.

    `key` is the dedupe key that `event_id` was made from, `connection_id` the connection it came by.
    """

    owner: str
    event_id: str
    key: str
    app: str
    type: str
    received_at_ms: int
    occurred_at_ms: int | None = None
    subject: str | None = None
    connection_id: str | None = None
    request_id: str = ""
    content: bytes = field(default=b"", repr=False)

    @property
    def cloud_event(self) -> CloudEvent:
        """The event as published; only of what belongs to a tenant."""
        return CloudEvent.from_json(self.content)

    @property
    def unrouted(self) -> bool:
        """Whether it is an event that belongs to nobody."""
        return self.owner.startswith(_UNROUTED)

    @property
    def malformed(self) -> bool:
        """Whether it is signed by Zoom and not readable."""
        return self.owner.startswith(_MALFORMED)


class Admission(StrEnum):
    """What came of trying to admit an event."""

    ADMITTED = "admitted"  # ours to finish, from the entry given back
    IN_PROGRESS = "in_progress"  # another worker's, until its claim runs out
    FINISHED = "finished"  # done before: a duplicate


@dataclass(frozen=True, slots=True)
class Admitted:
    """The outcome, with the entry of the first delivery when it is ours to finish."""

    outcome: Admission
    entry: LogEntry | None = None


def unrouted(app: str) -> str:
    """The owner of the events of `app` that belong to nobody."""
    return _UNROUTED + app


def app_kept_apart(owner: str) -> str | None:
    """The app of an owner that is no tenant, under which events are kept that belong to nobody; None for a tenant."""
    app = owner.removeprefix(_UNROUTED).removeprefix(_MALFORMED)
    return None if app == owner else app


def malformed(app: str) -> str:
    """The owner of what `app` signed and nobody can read."""
    return _MALFORMED + app
