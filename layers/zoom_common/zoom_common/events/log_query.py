"""What to look for in the event log, and where to go on: filters, windows and places. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
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

    @property
    def place(self) -> str:
        """Where the line stands in the log of its day."""
        return f"{self.received_at_ms:013}#{self.event_id}"


@dataclass(frozen=True, slots=True)
class LogQuery:
    """Events received from `since_ms` until before `until_ms`, in epoch milliseconds, newest first."""

    since_ms: int
    until_ms: int
    type: str | None = None
    """Zoom's name; with a star at its end, every name that begins so."""
    meeting: str | None = None
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
        page_size: int = LARGEST_PAGE,
        after: str | None = None,
    ) -> Self:
        """A query for what the log still holds at `now` (epoch seconds): the window is cut to the last days.

        `after` matches `PLACE`; `kind` may begin with `zoom.`, as the types of published events do.
        """
        oldest = int((now - retention_days * 86_400) * 1000)
        latest = int(now * 1000) + 60_000
        return cls(
            oldest if since_ms is None else min(max(oldest, since_ms), latest),
            latest if until_ms is None else min(max(oldest, until_ms), latest),
            kind.removeprefix("zoom.") if kind else None,
            meeting,
            page_size,
            after,
        )

    def fits(self, line: LogLine) -> bool:
        """Whether the line is one that is looked for."""
        if not self.since_ms <= line.received_at_ms < self.until_ms:
            return False
        name = line.type.removeprefix("zoom.")
        if self.type and not (name.startswith(self.type[:-1]) if self.type.endswith("*") else name == self.type):
            return False
        return self.meeting is None or (line.subject or "").split("/")[1:2] == [self.meeting]

    def days(self) -> Iterator[date]:
        """The days to look through, newest first; those before the last page's place are done. None for no time."""
        last = min(self.until_ms - 1, int(self.after[:13])) if self.after else self.until_ms - 1
        if last < self.since_ms:
            return  # DynamoDB takes no range whose end is before its start
        day = _day(last)
        while day >= _day(self.since_ms):
            yield day
            day -= timedelta(days=1)

    def bounds(self) -> tuple[str, str]:
        """The first and the last place worth reading, both included."""
        upper = f"{self.until_ms:013}"
        return f"{self.since_ms:013}", min(upper, self.after) if self.after else upper


def _day(epoch_ms: int) -> date:
    return datetime.fromtimestamp(epoch_ms // 1000, UTC).date()
