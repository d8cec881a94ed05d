"""Checks fields of requests to the gateway's own routes: ids, numbers, days, times, page tokens.

Zoom's rules apply to the parameters of `/v2`. `Fields` collects every wrong field, and `check` raises them together, in
Zoom's shape. Ids that cannot exist are not looked up: DynamoDB accepts no empty key, and none that is longer than 2,048
(partition) or 1,024 (sort) bytes.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-partition-sort-keys
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import sha256

from zoom_common.access.principal import CONNECTION_ID
from zoom_common.errors import FieldError, InvalidRequest, NotFound

CONNECTION_HEADER = "X-Zoom-Connection"
DEFAULT_PAGE, LARGEST_PAGE = 30, 300
_ERASURE_ID = re.compile(r"era_[0-9a-f]{32}")
_EVENT_ID = re.compile(r"evt_[0-9a-f]{32}")
# Far more digits than any of our numbers has, and far fewer than Python refuses to read.
_WHOLE_NUMBER = re.compile(r"[0-9]{1,12}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FIRST_DAY, _LAST_DAY = date(1970, 1, 1), date(9998, 12, 31)
_LONGEST_MOMENT = 40
_LONGEST_TOKEN = 300
_CHECKSUM_BYTES = 9


def connection_id(text: str) -> str:
    """Return the id of a connection in a path. Raises NotFound when no connection can have it."""
    return _id(text, CONNECTION_ID, "There is no such connection.", reason="connection_unknown")


def erasure_id(text: str) -> str:
    """Return the id of an erasure in a path. Raises NotFound when no erasure can have it."""
    return _id(text, _ERASURE_ID, "There is no such erasure.", reason="erasure_unknown")


def event_id(text: str) -> str:
    """Return the id of an event in a path. Raises NotFound when no event can have it."""
    return _id(text, _EVENT_ID, "There is no such event.", reason="unknown_event")


def connection_header(headers: Mapping[str, str]) -> str | None:
    """Return the connection in the header `X-Zoom-Connection`, or None without the header. Raises InvalidRequest.

    `headers` have lower-case names. An empty header is an error of the caller and does not mean "any connection".
    """
    text = headers.get(CONNECTION_HEADER.lower())
    if text is not None and not CONNECTION_ID.fullmatch(text):
        raise InvalidRequest([FieldError(CONNECTION_HEADER, "The id of one connection, as GET /connections lists it.")])
    return text


@dataclass(frozen=True, slots=True)
class PageTokens:
    """The page tokens of one listing for one tenant. `place` is the pattern that all places of the listing match.

    A token holds its place and a checksum over listing, tenant and place, which refuses tokens of another list or
    tenant. It needs no signature, because a place is always looked up in the caller's own data.
    """

    listing: str
    tenant: str
    place: re.Pattern[str]

    def encode(self, place: str | None) -> str:
        """Return the token that continues after `place`; empty at the end of the list."""
        if place is None:
            return ""
        return urlsafe_b64encode(self._checksum(place) + place.encode()).rstrip(b"=").decode()

    def decode(self, token: str) -> str | None:
        """Return the place in a token, or None when the token is not one of this listing and tenant."""
        try:
            raw = urlsafe_b64decode(token + "=" * (-len(token) % 4)) if len(token) <= _LONGEST_TOKEN else b""
            place = raw[_CHECKSUM_BYTES:].decode()
        except ValueError:
            return None
        known = self.place.fullmatch(place) is not None and self.encode(place) == token
        return place if known else None

    def _checksum(self, place: str) -> bytes:
        return sha256(f"{self.listing}\0{self.tenant}\0{place}".encode()).digest()[:_CHECKSUM_BYTES]


class Fields:
    """Text fields of one request, read by name. An empty field counts as absent.

    Each method returns a harmless value for a wrong field and notes the error. Call `check` before using any value.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._wrong: list[FieldError] = []

    def wrong(self, name: str, message: str) -> None:
        """Note an error in a field."""
        self._wrong.append(FieldError(name, message))

    def check(self) -> None:
        """Raise InvalidRequest with every noted error, if there is any."""
        if self._wrong:
            raise InvalidRequest(self._wrong)

    def text(self, name: str) -> str:
        """Return a text as it is; empty when it is absent."""
        return self._values.get(name) or ""

    def only(self, names: Sequence[str]) -> None:
        """Note every field that is not in `names`."""
        for name in sorted(self._values.keys() - set(names)):
            self.wrong(name, "Unknown parameter.")

    def matching(self, name: str, pattern: re.Pattern[str], message: str = "Invalid field.") -> str | None:
        """Return a text that matches the whole of `pattern`, or None when it is absent."""
        text = self._values.get(name)
        if text and not pattern.fullmatch(text):
            self.wrong(name, message)
            return None
        return text or None

    def number(self, name: str, *, default: int, least: int, most: int) -> int:
        """Return a whole number in ASCII digits, from `least` to `most`."""
        text = self._values.get(name)
        if not text:
            return default
        if _WHOLE_NUMBER.fullmatch(text) and least <= int(text) <= most:
            return int(text)
        self.wrong(name, f"The value must be between {least} and {most}.")
        return default

    def page_size(self) -> int:
        """Return `page_size`: 30 when it is absent, at most 300."""
        return self.number("page_size", default=DEFAULT_PAGE, least=1, most=LARGEST_PAGE)

    def day(self, name: str, default: date) -> date:
        """Return a day (UTC) from 1970-01-01 to 9998-12-31, so that a few months can be added or subtracted."""
        text = self._values.get(name)
        if not text:
            return default
        try:
            day = date.fromisoformat(text) if _DAY.fullmatch(text) else date.min
        except ValueError:
            day = date.min
        if _FIRST_DAY <= day <= _LAST_DAY:
            return day
        self.wrong(name, "A day as YYYY-MM-DD, in UTC, from 1970 to 9998.")
        return default

    def moment_ms(self, name: str) -> int | None:
        """Return an ISO 8601 time in epoch milliseconds, UTC when it has no zone; None when it is absent."""
        text = self._values.get(name)
        if not text:
            return None
        try:
            return _moment_ms(text)
        except (ValueError, OverflowError):
            self.wrong(name, "A moment as YYYY-MM-DDTHH:MM:SSZ.")
            return None

    def after(self, tokens: PageTokens, name: str = "next_page_token") -> str | None:
        """Return the place after which the token in `name` continues, or None for the first page."""
        token = self._values.get(name)
        if not token:
            return None
        place = tokens.decode(token)
        if place is None:
            self.wrong(name, "The next page token is invalid. Ask for this list again from its start.")
        return place


def _id(text: str, pattern: re.Pattern[str], message: str, *, reason: str) -> str:
    if not pattern.fullmatch(text):
        raise NotFound(message, reason=reason)
    return text


def _moment_ms(text: str) -> int:
    if len(text) > _LONGEST_MOMENT or not text.isascii():
        raise ValueError
    moment = datetime.fromisoformat(text.replace(" ", "+"))  # a plus sign that was not encoded arrives as a space
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
