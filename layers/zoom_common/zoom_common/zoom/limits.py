"""Zoom's 429: which limit was hit, and when it is over.

Zoom documents no header of a 429 by name; what older documents and clients name is read when it is there. Messages are
localised: one is read, where neither header nor code tells. https://developers.zoom.us/docs/api/rate-limits/
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from enum import StrEnum
from math import ceil

from zoom_common.zoom.wire import HttpResponse

CATEGORY_HEADER = "x-ratelimit-category"
# A wait longer than this, in seconds, is for the next day and not for the next second or minute.
_LONGEST_SHORT_WAIT = 5 * 60
# Zoom's contract prints this code for its limit per second; its guide and its answers use 429 for all limits.
_PER_SECOND_CODE = 4001
_CONCURRENT_MESSAGE = "too many concurrent requests"


class Limit(StrEnum):
    """Zoom's limits.

    Too many per second or at once is over at once, a day's limit at the time Zoom names, a user's at 00:00 UTC.
    """

    PER_SECOND = "per_second"
    CONCURRENT = "concurrent"
    DAILY = "daily"
    PER_USER = "per_user"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A 429. `retry_after` is in seconds from now, None when nobody can say."""

    limit: Limit
    retry_after: float | None


def retry_after(value: str | None, *, now: float) -> float | None:
    """Seconds to wait for a `Retry-After` of whole seconds, an HTTP date or an ISO time. None: absent or unreadable.

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


def read(response: HttpResponse, *, counts_for_user: bool, now: float) -> Refusal:
    """What a 429 says. `counts_for_user`: the operation is one of those Zoom counts for each user and day."""
    headers = response.headers
    wait = retry_after(headers.get("retry-after"), now=now)
    kind = headers.get("x-ratelimit-type", "").lower()
    code, message = _body(response)
    if kind.startswith("concurrent"):
        return Refusal(Limit.CONCURRENT, wait)
    if kind.startswith("daily") or (not kind and wait is not None and wait > _LONGEST_SHORT_WAIT):
        return Refusal(Limit.DAILY, wait if wait is not None else until_midnight(now))
    if code == _PER_SECOND_CODE or kind.startswith("qps"):
        return Refusal(Limit.PER_SECOND, wait)
    if counts_for_user and wait is None and _quota_left(headers):
        # Seen on the limit of 100 a day for one user: the account has plenty left, and no word on when to come back.
        return Refusal(Limit.PER_USER, until_midnight(now))
    if not kind and message.lower().startswith(_CONCURRENT_MESSAGE):
        return Refusal(Limit.CONCURRENT, wait)
    return Refusal(Limit.PER_SECOND, wait)


def _body(response: HttpResponse) -> tuple[int | None, str]:
    try:
        body = json.loads(response.body)
    except (ValueError, RecursionError):
        return None, ""
    if not isinstance(body, dict):
        return None, ""
    return body.get("code"), str(body.get("message", ""))


def _quota_left(headers: Mapping[str, str]) -> bool:
    remaining = headers.get("x-ratelimit-remaining", "").strip()
    return remaining.isascii() and remaining.isdigit() and int(remaining[:9]) > 0


def until_midnight(now: float) -> float:
    """Seconds until 00:00 UTC, when Zoom's daily counts start again."""
    today = datetime.fromtimestamp(now, UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return float(ceil((today + timedelta(days=1)).timestamp() - now))
