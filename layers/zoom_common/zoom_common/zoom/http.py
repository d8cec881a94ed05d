"""An HTTP request and response as plain values, so that protocol code needs no client."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """What to send. `url` is final, with all encoding done. Headers and body may hold credentials.

    A body of more than `most_bytes` in the answer is left out.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    most_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """What came back. Header names are lower case.

    `too_long`: the body was longer than `most_bytes` and was left out.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    too_long: bool = False


def retry_after(value: str | None, *, now: float) -> float | None:
    """Return the seconds of a `Retry-After` (whole seconds, HTTP date or ISO time), or None if it is unreadable.

    `now` is in epoch seconds.
    """
    text = (value or "").strip()
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return float(text[:9])
    when = _http_date(text) or _iso_time(text)
    return None if when is None else max(0.0, when.timestamp() - now)


def _http_date(text: str) -> datetime | None:
    try:
        return _aware(parsedate_to_datetime(text))
    except (ValueError, OverflowError):
        return None


def _iso_time(text: str) -> datetime | None:
    try:
        return _aware(datetime.fromisoformat(text))
    except (ValueError, OverflowError):
        return None


def _aware(when: datetime) -> datetime:
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)
