"""Returns Zoom's paged lists as one: `all=true` reads every page, and long periods are split.

Zoom accepts `from` and `to` at most a month apart, for archived files a week. It does not refuse a longer period: it
answers 200 with the last month and states that in the answer's own `from`. So the answered period is compared with the
requested one. https://github.com/onyx-dot-app/onyx/issues/14733
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode

from zoom_common.deadline import Deadline
from zoom_common.errors import GatewayError, TooManyRequests, Unavailable, ZoomRefused
from zoom_common.gateway.list_position import (
    DAYS,
    EARLIEST,
    LENGTH_OF_DAY,
    ONE_DAY,
    PREFIX,
    Position,
    Span,
    day_of,
    left_out_after,
    left_out_before,
    requested_span,
    wrong_token,
)
from zoom_common.gateway.service import Answer
from zoom_common.zoom.operations.model import Operation

ALL = "all"
# One more page has to fit into the remaining time, in seconds; and an answer into what Lambda can return, 6 MB.
_TIME_FOR_A_PAGE = 4.0
_LARGEST = 4_500_000
# A page without entries is not longer than this, in bytes.
_LARGEST_EMPTY_PAGE = 1_000
# Headers about the bytes of one page, which do not apply to the whole.
_OF_ONE_PAGE = frozenset({"etag", "x-zm-trackingid"})
_WAITED = "x-zoom-waited-ms"
_TRUE = frozenset({"true", "1"})
# The list of `GET /users` and `GET /report/users`.
_HOSTS = "users"
# Ids of visits are those of people, and a person may visit twice.
_VISITS = "participants"
_IDS = frozenset({"id", "uuid", "device_id", "group_id", "phone_id", "meeting_uuid"})
_COUNTS_OF_HOST = ("meetings", "participants", "meeting_minutes")

type Fetch = Callable[[str], Answer]


def is_paginated(operation: Operation, query_string: str, *, today: date | None = None) -> bool:
    """Return whether `walk` has to answer a request: for a whole list, or for a period that Zoom does not accept.

    Such periods are longer than a month, or contain days before 2012. A missing required day is reported by the check
    of the query.
    """
    if operation.items is None:
        return False
    query = dict(parse_qsl(query_string))
    required = {each.name for each in operation.query if each.required}
    span = _split_span(operation, query, today or _today()) if required <= query.keys() else None
    is_changed = span is not None and (span.piece != span or _is_too_early(query))
    return _is_true(query, ALL) or is_changed or query.get("next_page_token", "").startswith(PREFIX)


def is_cut(operation: Operation, query_string: str, answer: Answer) -> bool:
    """Return whether `walk` has to answer after all: Zoom left out days, or sent an empty page that is not the last."""
    if operation.items is None:
        return False
    span = _split_span(operation, dict(parse_qsl(query_string)), _today())
    may_be_empty = len(answer.body) < _LARGEST_EMPTY_PAGE
    if span is None and not may_be_empty:
        return False
    try:
        page = json.loads(answer.body or b"null")
    except ValueError:
        return False
    if not isinstance(page, dict):
        return False
    is_empty = may_be_empty and page.get(operation.items) == [] and bool(page.get("next_page_token"))
    return is_empty or (span is not None and left_out_before(_whole_span(span), page) is not None)


def _is_too_early(query: Mapping[str, str]) -> bool:
    return any(query[name].strip()[:LENGTH_OF_DAY] < str(EARLIEST) for name in DAYS if query.get(name))


def _whole_span(span: Span) -> Position:
    return Position(first=str(span.first), last=str(span.last), resume=str(span.last + ONE_DAY))


def _today() -> date:
    return datetime.now(UTC).date()


def _is_true(query: Mapping[str, str], name: str) -> bool:
    return query.get(name, "").lower() in _TRUE


def _split_span(operation: Operation, query: Mapping[str, str], today: date) -> Span | None:
    """Return the requested period, or None for a list that Zoom does not filter by date, such as the trash."""
    if not any(query.get(name) for name in DAYS) or not _is_dated(operation) or _is_true(query, "trash"):
        return None
    span = requested_span(query, today, weekly=operation.weekly)
    is_unlimited = not (operation.monthly or operation.weekly)
    return replace(span, unlimited=True) if span is not None and is_unlimited else span


def _is_dated(operation: Operation) -> bool:
    return any(each.name == DAYS[0] for each in operation.query)


def walk(
    operation: Operation, query_string: str, fetch: Fetch, deadline: Deadline, *, today: date | None = None
) -> Answer:
    """Return one answer for everything that `query_string` asks for, or for as much as there is time for.

    `fetch` gets one of Zoom's pages by its query string. When time, quota or room run out, the answer has what was
    read, a `next_page_token` to continue, and the header `x-gateway-stopped-by`. Without `all=true` the answer is the
    next page with entries. Raises what `fetch` raises before the first page.
    """
    return _Walk(operation, query_string, today or _today()).answer(fetch, deadline)


class _Walk:
    """One walk through a list."""

    def __init__(self, operation: Operation, query_string: str, today: date) -> None:
        query = dict(parse_qsl(query_string, keep_blank_values=True))
        place = Position.parse(query.pop("next_page_token", ""))
        self._days = _days(place, query)
        self._span = _split_span(operation, query, today)
        self._is_split = self._span is not None and self._span.piece != self._span
        # A host's rows of several months become one, which needs all months.
        self._whole = _is_true(query, ALL) or (self._is_split and operation.items == _HOSTS)
        self._today = today
        query.pop(ALL, None)
        largest = _largest_page(operation)
        if self._whole and largest is not None:
            query.setdefault("page_size", str(largest))
        self._query = query
        self._place: Position | None = self._located(place)
        self._items = operation.items or ""

    def _located(self, place: Position) -> Position:
        if self._span is None:
            if place.first:
                raise wrong_token("The next page token belongs to another request.")
            return place
        if place.first:
            return replace(place, days=self._days)
        return replace(Position.at(self._span, self._days), token=place.token)

    def answer(self, fetch: Fetch, deadline: Deadline) -> Answer:
        """Read pages until the list ends, a page is full, or time, quota or room run out."""
        found = _Collected(self._items, is_split=self._is_split, is_whole=self._whole and self._is_at_start())
        while self._place is not None:
            try:
                answer = fetch(urlencode(self._page_query(self._place)))
            except GatewayError as error:
                if not found.count or not _may_pass(error):
                    raise
                found.stopped_by = error.reason
                break
            page = found.add(answer, month=self._place.last)
            self._place = found.unseen(self._next(self._place, page))
            found.is_split = self._is_split
            self._whole |= self._is_split and self._items == _HOSTS
            if self._place is None or (found.count and not self._whole):
                break
            found.stopped_by = _stopped_by(found, deadline)
            if found.stopped_by:
                break
        return found.answer(self._place, self._stated_days(), whole=self._whole)

    def _stated_days(self) -> dict[str, str]:
        """Return the days of the whole period for the answer, where Zoom states those of one month."""
        asked = {name: self._query.get(name, "").strip()[:LENGTH_OF_DAY] for name in DAYS}
        if self._span is not None:
            asked = {"from": asked["from"] or str(self._span.first), "to": asked["to"] or str(self._span.last)}
        return {name: day for name, day in asked.items() if day}

    def _is_at_start(self) -> bool:
        place = self._place
        begins = self._span is None or (place is not None and place.first == str(self._span.first))
        return place is not None and not place.token and not place.number and begins

    def _page_query(self, place: Position) -> dict[str, str]:
        """Return the query of one of Zoom's pages. At both ends of the period, the caller's own text is sent."""
        page = dict(self._query)
        if place.first and self._span is not None:
            asked_first, asked_last = self._query.get("from", ""), self._query.get("to", "")
            # Where Zoom accepts a week, it expects times. Where it states no limit, the caller's form is right.
            is_timed = self._span.weekly or (self._span.unlimited and "T" in asked_first + asked_last)
            first, last = ("T00:00:00Z", "T23:59:59Z") if is_timed else ("", "")
            page["from"] = asked_first if asked_first.strip().startswith(place.first) else place.first + first
            page["to"] = asked_last if asked_last.strip().startswith(place.last) else place.last + last
        if place.token or place.number or (self._span is not None and place.first != str(self._span.first)):
            page.pop("page_number", None)
        if place.token:
            page["next_page_token"] = place.token
        elif place.number:
            page["page_number"] = str(place.number)
        return page

    def _next(self, place: Position, page: Mapping[str, Any]) -> Position | None:
        """Return the position after `page`, None at the end."""
        self._is_split |= self._is_part(place, page)
        token = page.get("next_page_token")
        if isinstance(token, str) and token and token != place.token:
            return replace(place, token=token, number=0)
        number, count = page.get("page_number"), page.get("page_count")
        if not place.token and isinstance(number, int) and isinstance(count, int) and place.number <= number < count:
            return replace(place, token="", number=number + 1)
        return self._next_days(place, page)

    def _is_part(self, place: Position, page: Mapping[str, Any]) -> bool:
        """Return whether `page` is of some of the span's days only, so that its totals are theirs."""
        if self._span is None or not place.first:
            return False
        is_whole = (place.first, place.last) == (str(self._span.first), str(self._span.last))
        left_out = left_out_before(place, page) or left_out_after(place, page, self._today)
        return not is_whole or left_out is not None

    def _next_days(self, place: Position, page: Mapping[str, Any]) -> Position | None:
        """Return the position at the next days: those that Zoom left out of `page`, or the next month."""
        if self._span is None or not place.first:
            return None
        left_out = left_out_after(place, page, self._today)
        resume = left_out or place.resume
        missing = left_out_before(place, page)
        if missing is not None:
            return Position(first=place.first, last=str(missing), resume=resume, days=place.days)
        if day_of(resume) > self._span.last:
            return None
        return Position.at(self._span.after(day_of(resume)), place.days)


def _days(place: Position, query: dict[str, str]) -> tuple[str, str]:
    """Return the days of the request. Without them in the request, those of the token are used."""
    for name, day in zip(DAYS, place.days, strict=True):
        if day:
            query.setdefault(name, day)
    return query.get("from", ""), query.get("to", "")


def _stopped_by(found: _Collected, deadline: Deadline) -> str:
    if not deadline.allows(_TIME_FOR_A_PAGE):
        return "deadline_exceeded"
    return "answer_too_large" if found.size > _LARGEST else ""


def _may_pass(error: GatewayError) -> bool:
    if isinstance(error, ZoomRefused):
        return error.retryable
    return isinstance(error, TooManyRequests | Unavailable) or error.retryable


def _largest_page(operation: Operation) -> int | None:
    return next((each.maximum for each in operation.query if each.name == "page_size"), None)


class _Collected:
    """What a walk has read: Zoom's first page, with the entries of all pages.

    `is_split`: its pages are of several months. `is_whole`: it began at the start and goes to the end.
    """

    def __init__(self, items: str, *, is_split: bool, is_whole: bool) -> None:
        self._items = items
        self.is_split = is_split
        self._is_whole = is_whole
        self._body: dict[str, Any] = {}
        self._entries: list[Any] = []
        self._known: dict[str, int] = {}
        self._months: dict[str, dict[str, int]] = {}
        self._tokens: set[tuple[str, str]] = set()
        self._headers: Mapping[str, str] = {}
        self._waited = 0
        self.size = 0
        self.stopped_by = ""

    @property
    def count(self) -> int:
        """Return the number of entries."""
        return len(self._entries)

    def add(self, answer: Answer, *, month: str) -> Mapping[str, Any]:
        """Add a page of `month` and return it as JSON. Raises Unavailable when it is not a list."""
        page: Any = json.loads(answer.body or b"null")
        entries = (page.get(self._items) or []) if isinstance(page, dict) else None
        if not isinstance(entries, list):
            raise Unavailable(reason="zoom_gave_no_list")
        self._body = self._body or page
        self._add_entries(entries)
        self._months.setdefault(month, _totals(page))  # they are those of a month, and on each of its pages
        self._headers = answer.headers
        self._waited += int(answer.headers.get(_WAITED, 0))
        self.size += len(answer.body)
        return cast("Mapping[str, Any]", page)

    def _add_entries(self, entries: list[Any]) -> None:
        """Add the entries that no earlier page had. A list that changes while it is read repeats some entries.

        Entries without an id, such as lines of a log or two visits of a participant, may be equal and still be two.
        """
        first_of_page = len(self._entries)
        for each in entries:
            identity = _identity(each, self._items)
            index = len(self._entries) if identity is None else self._known.setdefault(identity, len(self._entries))
            if index >= first_of_page:
                self._entries.append(each)
            elif self._items == _HOSTS and self.is_split:
                self._entries[index] = _added_up(self._entries[index], each)

    def unseen(self, place: Position | None) -> Position | None:
        """Return `place`, or None when the walk was there before, so that it does not go in circles."""
        if place is None or not place.token:
            return place
        mark = (place.last, place.token)
        if mark in self._tokens:
            return None
        self._tokens.add(mark)
        return place

    def answer(self, place: Position | None, days: Mapping[str, str], *, whole: bool) -> Answer:
        """Return the answer, with a token for what is left at `place`. `days` are those of the whole period."""
        body = {**self._body, self._items: self._entries, "next_page_token": "" if place is None else place.text()}
        body |= {name: day for name, day in days.items() if name in body}
        if whole:
            body.pop("page_number", None)
            body |= {name: count for name, count in (("page_count", 1), ("page_size", self.count)) if name in body}
        self._state_totals(body, complete=self._is_whole and place is None)
        if self.is_split and not whole:
            body.pop("page_count", None)
            body.pop("page_number", None)
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        return Answer(200, {**self._answer_headers(), "content-type": "application/json"}, text.encode())

    def _state_totals(self, body: dict[str, Any], *, complete: bool) -> None:
        """Keep only correct totals: of the whole list once it is complete, or Zoom's own of a list in one piece."""
        if self.is_split:
            for name in _totals(body):
                sums = sum(each.get(name, 0) for each in self._months.values())
                body |= {name: sums} if complete else {}
                if not complete:
                    del body[name]
        if complete and "total_records" in body:
            body["total_records"] = self.count

    def _answer_headers(self) -> dict[str, str]:
        headers = {name: value for name, value in self._headers.items() if name not in _OF_ONE_PAGE}
        headers |= {_WAITED: str(self._waited)} if self._waited else {}
        return headers | ({"x-gateway-stopped-by": self.stopped_by} if self.stopped_by else {})


def _identity(entry: Any, items: str) -> str | None:
    """Return a key that is equal for two copies of one entry, or None for an entry without an id."""
    if not isinstance(entry, dict):
        return json.dumps(entry)
    if items == _HOSTS and "id" in entry:
        return str(entry["id"])
    if entry.get("uuid"):
        return json.dumps([entry["uuid"], entry.get("start_time"), entry.get("occurrence_id")])
    return json.dumps(entry, sort_keys=True) if items != _VISITS and not _IDS.isdisjoint(entry) else None


def _added_up(row: Any, other: Any) -> Any:
    """Return a host's row over two months, with the counts added."""
    return {**row, **{name: row.get(name, 0) + other.get(name, 0) for name in _COUNTS_OF_HOST if name in row}}


def _totals(page: Mapping[str, Any]) -> dict[str, int]:
    return {name: value for name, value in page.items() if name.startswith("total_") and isinstance(value, int)}
