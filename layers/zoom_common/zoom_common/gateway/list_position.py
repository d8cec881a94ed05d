"""The position of a walk through one of Zoom's lists: periods of days, their months, and page tokens of the gateway."""

from __future__ import annotations

import base64
import binascii
import json
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from zoom_common.errors import FieldError, InvalidRequest
from zoom_common.zoom.operations.model import day_in

DAYS = ("from", "to")
# Zoom has nothing older. A period of more than ten years ends a year from now at the latest, because nothing is
# recorded later.
EARLIEST = date(2012, 1, 1)
LENGTH_OF_DAY = 10
_YEAR_AHEAD = timedelta(days=366)
_TEN_YEARS = timedelta(days=3653)
ONE_DAY = timedelta(days=1)
_WEEK = timedelta(days=7)
_MIDNIGHT = "00:00:00"

PREFIX = "igz1."
_LARGEST_COUNT = 1_000_000


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `first` to `last`, both counted.

    Zoom accepts a month of them at once, or a week with `weekly`. With `unlimited` it states no limit.
    """

    first: date
    last: date
    weekly: bool = False
    unlimited: bool = False

    @property
    def piece(self) -> Span:
        """Return the period's first month or week, or all of it when it is not longer."""
        if self.unlimited:
            return self
        end = self.first + _WEEK if self.weekly else _month_later(self.first)
        return replace(self, last=min(end - ONE_DAY, self.last))

    def after(self, first: date) -> Span:
        """Return the rest of the period from `first` on."""
        return replace(self, first=first)


def requested_span(query: Mapping[str, str], today: date, *, weekly: bool = False) -> Span | None:
    """Return the period of `from` and `to` in a query, or None when they are missing, not days, or out of order.

    A missing `from` means the beginning and a missing `to` means `today`. Text after the day is ignored here. Days
    before 2012 mean 2012-01-01.
    """
    texts = [query.get(name, "").strip() for name in DAYS]
    if not any(texts):
        return None
    days = [day_in(text) if text else None for text in texts]
    if any(text and day is None for text, day in zip(texts, days, strict=True)):
        return None
    first, last = days
    first, last = max(first or EARLIEST, EARLIEST), max(last or today, EARLIEST)
    if last - first > _TEN_YEARS:
        last = min(last, max(today + _YEAR_AHEAD, first + _TEN_YEARS))
    return Span(first, last, weekly) if first <= last else None


def _month_later(day: date) -> date:
    if day > date(9998, 1, 1):
        return date.max
    year, month = divmod(day.year * 12 + day.month, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


@dataclass(frozen=True, slots=True)
class Position:
    """The position of a walk: one of Zoom's page tokens or numbers, and, for split periods, the days.

    `first` and `last` are the days that are asked for now and `resume` is the first day after them, all empty for lists
    that are not split. `days` are the `from` and `to` of the request, for clients that send only the token for the next
    page.
    """

    token: str = ""
    number: int = 0
    first: str = ""
    last: str = ""
    resume: str = ""
    days: tuple[str, str] = ("", "")

    def text(self) -> str:
        """Return the page token of this position."""
        place = [self.token, self.number, self.first, self.last, self.resume, *self.days]
        raw = json.dumps(place, separators=(",", ":")).encode()
        return PREFIX + base64.urlsafe_b64encode(raw).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> Position:
        """Return the position in a page token of ours or of Zoom's. Raises InvalidRequest."""
        if not text.startswith(PREFIX):
            return cls(token=text)
        packed = text.removeprefix(PREFIX)
        try:
            return cls._of(*json.loads(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))))
        except (ValueError, TypeError, RecursionError, binascii.Error):
            raise wrong_token("The next page token is invalid.") from None

    @classmethod
    def _of(cls, token: object, number: object, *rest: object) -> Position:
        """Return the position that `text` wrote.

        Raises ValueError for any other text, because callers can change tokens.
        """
        texts = [each for each in (token, *rest) if isinstance(each, str)]
        if type(number) is not int or not 0 <= number <= _LARGEST_COUNT or len(texts) != 6:  # noqa: PLR2004 - six texts
            raise ValueError
        "".join(texts).encode()  # text with half a character cannot be encoded
        first, last, resume = texts[1:4]
        if any((first, last, resume)) and not date.fromisoformat(first) <= date.fromisoformat(last) < day_of(resume):
            raise ValueError
        return cls(texts[0], number, first, last, resume, (texts[4], texts[5]))

    @classmethod
    def at(cls, span: Span, days: tuple[str, str]) -> Position:
        """Return the position at the first part of `span`."""
        piece = span.piece
        return cls(first=str(piece.first), last=str(piece.last), resume=str(piece.last + ONE_DAY), days=days)


def day_of(text: str) -> date:
    """Return the day in a text that `text` wrote. Raises ValueError."""
    return date.fromisoformat(text)


def wrong_token(message: str) -> InvalidRequest:
    """Return the error for a bad page token."""
    return InvalidRequest([FieldError("next_page_token", message)])


def left_out_before(place: Position, page: Mapping[str, Any]) -> date | None:
    """Return the last requested day before those in `page`, or None when there is none.

    A page that begins in the middle of a day leaves a part of that day out.
    """
    answered = _answered(page, "from")
    if answered is None or not day_of(place.first) < answered <= day_of(place.last):
        return None
    is_part = not _MIDNIGHT.startswith(str(page["from"])[LENGTH_OF_DAY + 1 : LENGTH_OF_DAY + 9])
    return answered if is_part and answered < day_of(place.last) else answered - ONE_DAY


def left_out_after(place: Position, page: Mapping[str, Any], today: date) -> str | None:
    """Return the first requested day, not in the future, after those in `page`."""
    answered = _answered(page, "to")
    if answered is None or not day_of(place.first) <= answered < min(day_of(place.last), today):
        return None
    return str(answered + ONE_DAY)


def _answered(page: Mapping[str, Any], name: str) -> date | None:
    try:
        return day_of(str(page.get(name))[:LENGTH_OF_DAY])
    except ValueError:
        return None
