"""What to look for in the event log, and where to go on: filters, windows and page tokens. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Self

from zoom_common.errors import FieldError, InvalidRequest

DEFAULT_PAGE, LARGEST_PAGE = 30, 300
_PLACE = re.compile(r"[0-9]{13}#evt_[0-9a-f]{32}")
_TYPE = re.compile(r"(?:zoom\.)?([\x21-\x29\x2b-\x7e]{1,120})(\*?)")
_NUMBER = re.compile(r"[0-9]{1,20}")


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
    page_size: int = DEFAULT_PAGE
    after: str | None = None
    """The place of the last line of the page before."""

    @classmethod
    def from_mapping(cls, query: Mapping[str, str], *, now: float, retention_days: int) -> Self:
        """Read `type`, `meeting`, `from`, `to`, `page_size`, `next_page_token`. Raises InvalidRequest."""
        wrong: list[FieldError] = []
        until = _moment(query, "to", wrong)
        since = _moment(query, "from", wrong)
        kind, meeting = query.get("type") or None, query.get("meeting") or None
        if kind is not None and not _TYPE.fullmatch(kind):
            wrong.append(FieldError("type", "Invalid field."))
        if meeting is not None and not _NUMBER.fullmatch(meeting):
            wrong.append(FieldError("meeting", "Invalid field."))
        size, after = _size(query, wrong), _after(query, wrong)
        if wrong:
            raise InvalidRequest(wrong)
        oldest = int((now - retention_days * 86_400) * 1000)
        latest = int(now * 1000) + 60_000
        return cls(
            max(oldest, since if since is not None else oldest),
            min(latest, until if until is not None else latest),
            kind.removeprefix("zoom.") if kind else None,
            meeting,
            size,
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
        """The days to look through, newest first; those before the last page's place are done."""
        last = min(self.until_ms - 1, int(self.after[:13])) if self.after else self.until_ms - 1
        day = _day(last)
        while day >= _day(self.since_ms):
            yield day
            day -= timedelta(days=1)

    def bounds(self) -> tuple[str, str]:
        """The first and the last place worth reading, both included."""
        upper = f"{self.until_ms:013}"
        return f"{self.since_ms:013}", min(upper, self.after) if self.after else upper


def token(place: str) -> str:
    """A page token for what comes after `place`."""
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def _day(epoch_ms: int) -> date:
    return datetime.fromtimestamp(epoch_ms // 1000, UTC).date()


def _moment(query: Mapping[str, str], name: str, wrong: list[FieldError]) -> int | None:
    text = query.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.replace(" ", "+"))
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        wrong.append(FieldError(name, "Invalid field."))
    return None


def _size(query: Mapping[str, str], wrong: list[FieldError]) -> int:
    text = query.get("page_size") or str(DEFAULT_PAGE)
    size = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0  # noqa: PLR2004 - of no use anyway
    if not 1 <= size <= LARGEST_PAGE:
        wrong.append(FieldError("page_size", f"The value must be between 1 and {LARGEST_PAGE}."))
    return size


def _after(query: Mapping[str, str], wrong: list[FieldError]) -> str | None:
    given = query.get("next_page_token")
    if not given:
        return None
    try:
        place = base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)).decode()
    except (binascii.Error, ValueError):
        place = ""
    if not _PLACE.fullmatch(place):
        wrong.append(FieldError("next_page_token", "The next page token is invalid or expired."))
    return place
