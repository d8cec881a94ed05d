"""What is looked for in the event log: lines, filters and time windows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Self

LARGEST_PAGE = 300

PLACE = re.compile(r"[0-9]{13}#evt_[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of the log: what an entry is, without its content. Times in epoch milliseconds."""

    event_id: str
    type: str
    received_at_ms: int
    occurred_at_ms: int | None = None
    subject: str | None = None
    connection_id: str | None = None
    uuid: str | None = None
    recorded_at_ms: int | None = None
    """When it became visible; only where the log is read forwards."""

    @property
    def place(self) -> str:
        """Where the line stands in the log of its day."""
        at_ms = self.received_at_ms if self.recorded_at_ms is None else self.recorded_at_ms
        return f"{at_ms:013}#{self.event_id}"


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Events from `since_ms` until before `until_ms`, in epoch milliseconds.

    They are read newest first, by when they were received, or forwards, by when they became visible.
    """

    since_ms: int
    until_ms: int
    types: tuple[str, ...] = ()
    """Zoom's names; with a star at its end, every name that begins so. None for every type."""
    meeting: str | None = None
    uuid: str | None = None
    connection: str | None = None
    page_size: int = LARGEST_PAGE
    after: str | None = None
    """The place of the last line of the page before."""

    @classmethod
    def within(
        cls,
        *,
        now: float,
        retention_days: int,
        since_ms: int | None = None,
        until_ms: int | None = None,
        kind: str | None = None,
        meeting: str | None = None,
        uuid: str | None = None,
        connection: str | None = None,
        page_size: int = LARGEST_PAGE,
        after: str | None = None,
    ) -> Self:
        """A query for what the log still holds at `now` (epoch seconds): the window is cut to the last days.

        `after` matches `PLACE`; `kind` names one type or several with commas between them, each with or without the
        `zoom.` that the types of published events begin with.
        """
        oldest = int((now - retention_days * 86_400) * 1000)
        latest = int(now * 1000) + 60_000
        return cls(
            oldest if since_ms is None else min(max(oldest, since_ms), latest),
            latest if until_ms is None else min(max(oldest, until_ms), latest),
            tuple(each.removeprefix("zoom.") for each in kind.split(",")) if kind else (),
            meeting,
            uuid,
            connection,
            page_size,
            after,
        )

    def fits(self, line: LogLine) -> bool:
        """Whether the line is one that is looked for."""
        return self.since_ms <= line.received_at_ms < self.until_ms and self.selects(line)

    def selects(self, line: LogLine) -> bool:
        """Whether the line is one that is looked for, at whatever time."""
        name = line.type.removeprefix("zoom.")
        return (
            (not self.types or any(_is_of(name, each) for each in self.types))
            and self.meeting in {None, "".join((line.subject or "").split("/")[1:2])}
            and self.uuid in {None, line.uuid}
            and self.connection in {None, line.connection_id}
        )

    def bounds(self) -> tuple[str, str]:
        """The first and the last place worth reading, both included."""
        upper = f"{self.until_ms:013}"
        return f"{self.since_ms:013}", min(upper, self.after) if self.after else upper


def _is_of(name: str, kind: str) -> bool:
    return name.startswith(kind[:-1]) if kind.endswith("*") else name == kind


def day_of(epoch_ms: int) -> date:
    """The day of a moment, in UTC."""
    return datetime.fromtimestamp(epoch_ms // 1000, UTC).date()
