"""Zoom's paged lists as one: `all=true` reads every page, and long time spans are split into months."""

from __future__ import annotations

import base64
import binascii
import json
from calendar import monthrange
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode

from zoom_common.deadline import Deadline
from zoom_common.errors import FieldError, GatewayError, InvalidRequest, TooManyRequests, Unavailable, ZoomRefused
from zoom_common.gateway.service import Answer
from zoom_common.zoom.operations.model import Operation

_MOST_MONTHS = 120


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `first` to `last`, both counted."""

    first: date
    last: date


def requested_span(first: str | None, last: str | None) -> Span | None:
    """The span between two days as written in a query, or None when they are not two days in order."""
    try:
        span = Span(date.fromisoformat(first or ""), date.fromisoformat(last or ""))
    except ValueError:
        return None
    return span if span.first <= span.last else None


def months(span: Span) -> list[Span]:
    """`span` in pieces of a month at most, the oldest first: one piece when it is no longer than that.

    Nobody's data goes back further than ten years; what is asked for beyond comes as one piece, for Zoom to refuse.
    """
    pieces: list[Span] = []
    first = span.first
    while first <= span.last:
        if len(pieces) == _MOST_MONTHS:
            return [span]
        last = min(_month_later(first) - timedelta(days=1), span.last)
        pieces.append(Span(first, last))
        first = last + timedelta(days=1)
    return pieces


def _month_later(day: date) -> date:
    if day > date(9998, 1, 1):
        return date.max
    year, month = divmod(day.year * 12 + day.month, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


ALL = "all"

_PREFIX = "igz1."

_LARGEST_COUNT = 1_000_000

# One page more has to fit into what is left, in seconds; and an answer into what Lambda carries, 6 MB.
_TIME_FOR_A_PAGE = 4.0

_LARGEST = 4_500_000

# What says something about one page's bytes, and nothing about the whole.
_OF_ONE_PAGE = frozenset({"etag", "x-zm-trackingid"})

_WAITED = "x-zoom-waited-ms"

type Fetch = Callable[[str], Answer]


@dataclass(frozen=True, slots=True)
class Position:
    """Where a walk is: in which month, at which of Zoom's page tokens or numbers.

    `days` are the span's first and last, for clients that send nothing but the token for the next page.
    """

    month: int = 0
    token: str = ""
    number: int = 0
    days: tuple[str, str] = ("", "")

    def text(self) -> str:
        """The page token that brings a caller back here."""
        raw = json.dumps([self.month, self.token, self.number, *self.days], separators=(",", ":")).encode()
        return _PREFIX + base64.urlsafe_b64encode(raw).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> Position:
        """The place that a page token of ours or of Zoom's stands for. Raises InvalidRequest."""
        if not text.startswith(_PREFIX):
            return cls(token=text)
        packed = text.removeprefix(_PREFIX)
        try:
            return cls._of(*json.loads(base64.urlsafe_b64decode(packed + "=" * (-len(packed) % 4))))
        except (ValueError, TypeError, RecursionError, binascii.Error):
            fault = "The next page token is invalid."
            raise InvalidRequest([FieldError("next_page_token", fault)]) from None

    @classmethod
    def _of(cls, month: object, token: object, number: object, first: object, last: object) -> Position:
        """What `text` wrote. Raises ValueError for anything that it can not have written: callers can write as well."""
        counts = [each for each in (month, number) if type(each) is int and 0 <= each <= _LARGEST_COUNT]
        texts = [each for each in (token, first, last) if isinstance(each, str)]
        if (len(counts), len(texts)) != (2, 3):
            raise ValueError
        "".join(texts).encode()  # half a character is no text
        return cls(counts[0], texts[0], counts[1], (texts[1], texts[2]))


def is_paginated(operation: Operation, query_string: str) -> bool:
    """Whether a request is for `Walk` to answer: it asks for all of a list, or for more months than Zoom takes."""
    if operation.items is None:
        return False
    query = dict(parse_qsl(query_string))
    long = operation.monthly and len(_spans(query)) > 1
    return _wants_all(query) or long or query.get("next_page_token", "").startswith(_PREFIX)


def _wants_all(query: Mapping[str, str]) -> bool:
    return query.get(ALL, "").lower() in {"true", "1"}


def _spans(query: Mapping[str, str]) -> list[Span]:
    span = requested_span(query.get("from"), query.get("to"))
    return [] if span is None else months(span)


def walk(operation: Operation, query_string: str, fetch: Fetch, deadline: Deadline) -> Answer:
    """One answer for all that `query_string` asks for, or for as much as there is time for.

    `fetch` gets one page of Zoom's by its query string. When time, quota or room run out after the first page, what is
    there comes back with a `next_page_token` to go on from. Raises what `fetch` raises for the first page.
    """
    query = dict(parse_qsl(query_string, keep_blank_values=True))
    whole = _wants_all(query)
    query.pop(ALL, None)
    place: Position | None = Position.parse(query.pop("next_page_token", ""))
    if operation.monthly and place is not None:
        place = _with_days(place, query)
    spans = _spans(query) if operation.monthly else []
    largest = _largest_page(operation)
    if whole and largest is not None:
        query.setdefault("page_size", str(largest))
    collected = _Collected(operation.items or "")
    while place is not None:
        try:
            answer = fetch(urlencode(_at(place, query, spans)))
        except GatewayError as error:
            if collected.empty or not _may_pass(error):
                raise
            collected.stopped_by = error.reason
            break
        page = collected.add(answer, month=place.month)
        place = _next(place, page, len(spans))
        if not whole or not deadline.allows(_TIME_FOR_A_PAGE) or collected.size > _LARGEST:
            break
    return collected.answer(place, query, whole=whole)


def _with_days(place: Position, query: dict[str, str]) -> Position:
    """The span of a token stands in for one that the request does not repeat."""
    for name, day in zip(("from", "to"), place.days, strict=True):
        if day:
            query.setdefault(name, day)
    return replace(place, days=(query.get("from", ""), query.get("to", "")))


def _may_pass(error: GatewayError) -> bool:
    if isinstance(error, ZoomRefused):
        return error.retryable
    return isinstance(error, TooManyRequests | Unavailable) or error.retryable


def _largest_page(operation: Operation) -> int | None:
    return next((each.maximum for each in operation.query if each.name == "page_size"), None)


def _at(place: Position, query: Mapping[str, str], spans: list[Span]) -> dict[str, str]:
    """The query of one page of Zoom's."""
    if spans and place.month >= len(spans):
        raise InvalidRequest([FieldError("next_page_token", "The next page token belongs to another request.")])
    days = {"from": str(spans[place.month].first), "to": str(spans[place.month].last)} if len(spans) > 1 else {}
    page = {**query, **days}
    if place.token or place.number or place.month:
        page.pop("page_number", None)
    if place.token:
        page["next_page_token"] = place.token
    elif place.number:
        page["page_number"] = str(place.number)
    return page


def _next(place: Position, page: Mapping[str, Any], pieces: int) -> Position | None:
    """The place after `page`, None at the end. A token that comes back unchanged is an end: no walk goes in circles."""
    token = page.get("next_page_token")
    if isinstance(token, str) and token and token != place.token:
        return replace(place, token=token, number=0)
    number, count = page.get("page_number"), page.get("page_count")
    if not place.token and isinstance(number, int) and isinstance(count, int) and place.number <= number < count:
        return replace(place, token="", number=number + 1)
    return Position(place.month + 1, days=place.days) if place.month + 1 < pieces else None


class _Collected:
    """What a walk has found: Zoom's first page, with the entries of all of them."""

    def __init__(self, items: str) -> None:
        self._items = items
        self._whole: dict[str, Any] = {}
        self._headers: Mapping[str, str] = {}
        self._month = -1
        self._waited = 0
        self.empty = True
        self.size = 0
        self.stopped_by = ""

    def add(self, answer: Answer, *, month: int) -> Mapping[str, Any]:
        """Take a page of `month` in; returns it as JSON. Raises Unavailable when it is no list."""
        page: Any = json.loads(answer.body or b"null")
        entries = (page.get(self._items) or []) if isinstance(page, dict) else None
        if not isinstance(entries, list):
            raise Unavailable(reason="zoom_gave_no_list")
        entries = list(entries)
        if self.empty:
            self._whole = {**page, self._items: entries}
        else:
            self._whole[self._items] += entries
            if month != self._month:  # totals are those of a month, and stand on each of its pages
                so_far = _totals(self._whole)
                self._whole |= {name: so_far.get(name, 0) + total for name, total in _totals(page).items()}
        self._month, self.empty, self._headers = month, False, answer.headers
        self._waited += int(answer.headers.get(_WAITED, 0))
        self.size += len(answer.body)
        return cast("Mapping[str, Any]", page)

    def answer(self, place: Position | None, query: Mapping[str, str], *, whole: bool) -> Answer:
        """The answer, with a token for what is left at `place`."""
        body = {**self._whole, "next_page_token": "" if place is None else place.text()}
        body |= {name: query[name] for name in ("from", "to") if name in body and query.get(name)}
        if whole:
            body.pop("page_number", None)
            body |= {name: count for name, count in (("page_count", 1), ("page_size", self._count)) if name in body}
            if place is None and "total_records" in body:
                body["total_records"] = self._count
        headers = {name: value for name, value in self._headers.items() if name not in _OF_ONE_PAGE}
        if self._waited:
            headers[_WAITED] = str(self._waited)
        if self.stopped_by:
            headers["x-gateway-stopped-by"] = self.stopped_by
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        return Answer(200, {**headers, "content-type": "application/json"}, text.encode())

    @property
    def _count(self) -> int:
        return len(self._whole[self._items])


def _totals(page: Mapping[str, Any]) -> dict[str, int]:
    return {name: value for name, value in page.items() if name.startswith("total_") and isinstance(value, int)}
