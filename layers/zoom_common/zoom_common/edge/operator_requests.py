"""Checks the fields of operators' requests: days, messages of a dead-letter queue, the limit of a key."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from zoom_common.access.keys import LIMIT_RULE, is_limit
from zoom_common.edge.request_fields import Fields, PageTokens
from zoom_common.errors import FieldError, InvalidRequest, NotFound

MOST_DAYS, USUAL_DAYS = 31, 7
# The most messages of a dead-letter queue that one request reads, because reading hides them from others for a moment.
MOST_LETTERS = 200
_LONGEST_REASON = 200
# A place in an operator's list: how many entries come before it.
PLACE = re.compile(r"[0-9]{1,6}")
_KEY_ID = re.compile(r"[a-z2-7]{12}")
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_LIMIT = "requests_per_minute"


@dataclass(frozen=True, slots=True)
class Selection:
    """The chosen messages of a dead-letter queue.

    `ids` is None for all of them; `reason` is empty where none is needed.
    """

    ids: frozenset[str] | None
    reason: str = ""

    def includes(self, message: str) -> bool:
        """Return whether a message is chosen."""
        return self.ids is None or message in self.ids

    @property
    def most(self) -> int:
        """The most messages that the request can choose."""
        return MOST_LETTERS if self.ids is None else len(self.ids)


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list that is in memory: `size` entries after the first `start`."""

    tokens: PageTokens
    start: int
    size: int

    @classmethod
    def of(cls, fields: Fields, tokens: PageTokens) -> Page:
        """Read `page_size` and `next_page_token`. Errors are noted in `fields`."""
        return cls(tokens, int(fields.after(tokens) or 0), fields.page_size())

    def part[T](self, items: Sequence[T]) -> Sequence[T]:
        """Return the entries of this page."""
        return items[self.start : self.start + self.size]

    def rest(self, items: Sequence[object]) -> dict[str, Any]:
        """Return the members of the answer that lead to the next page."""
        end = self.start + self.size
        return {"page_size": self.size, "next_page_token": self.tokens.encode(str(end) if end < len(items) else None)}


def days_of(fields: Fields) -> int:
    """Return the number of days asked for, today included: 1 to 31."""
    return fields.number("days", default=USUAL_DAYS, least=1, most=MOST_DAYS)


def known_key_id(text: str) -> str:
    """Return the id of a key in a path. Raises NotFound when no key can have it."""
    if not _KEY_ID.fullmatch(text):
        raise NotFound("There is no such key.", reason="key_unknown")
    return text


def limit_of(body: Mapping[str, Any]) -> int | None:
    """Return the new limit of a key, None for the gateway's default. Raises InvalidRequest."""
    unknown = [FieldError(name, f"Only {_LIMIT} can be changed.") for name in body if name != _LIMIT]
    if unknown or _LIMIT not in body:
        raise InvalidRequest(unknown or [FieldError(_LIMIT, "Required: a number, or null for the default.")])
    limit = body[_LIMIT]
    if isinstance(limit, bool) or not isinstance(limit, int | None) or not is_limit(limit):
        raise InvalidRequest([FieldError(_LIMIT, LIMIT_RULE)])
    return limit


def selection_of(body: Mapping[str, Any], *, with_reason: bool) -> Selection:
    """Return the chosen messages: `ids`, or `all`, and the reason where one is needed. Raises InvalidRequest."""
    known = {"ids", "all", "reason"} if with_reason else {"ids", "all"}
    wrong = [FieldError(name, "Unknown field.") for name in sorted(body.keys() - known)]
    ids, every, reason = body.get("ids"), body.get("all", False), body.get("reason")
    if not isinstance(every, bool) or every == ("ids" in body):
        wrong.append(FieldError("ids", "Name the ids of messages, or send all: true."))
    elif not every and not _are_ids(ids):
        wrong.append(FieldError("ids", f"1 to {MOST_LETTERS} ids of messages, as the list has them."))
    if with_reason and not _is_reason(reason):
        wrong.append(FieldError("reason", f"Required: why they may be lost, in 1 to {_LONGEST_REASON} characters."))
    if wrong:
        raise InvalidRequest(wrong)
    return Selection(None if every else frozenset(ids or ()), str(reason).strip() if with_reason else "")


def _are_ids(value: object) -> bool:
    if not isinstance(value, list) or not 0 < len(value) <= MOST_LETTERS:
        return False
    return all(isinstance(each, str) and _MESSAGE_ID.fullmatch(each) for each in value)


def _is_reason(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value.strip()) <= _LONGEST_REASON and value.strip().isprintable()
