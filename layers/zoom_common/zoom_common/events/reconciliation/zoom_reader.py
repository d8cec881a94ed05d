"""What a connection can read at Zoom about its last days. Each list is read once, when it is first needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cached_property
from typing import Any
from urllib.parse import quote, urlencode

from zoom_common.errors import Unavailable
from zoom_common.zoom.events import epoch_ms, identifier

type Row = Mapping[str, Any]

# One GET under /v2 through the gateway and its rate limits. None when Zoom says that there is nothing. Raises
# AccessDenied when Zoom shows this connection nothing of the kind.
type Read = Callable[[str], Row | None]

MISSING_SCOPES = "missing_scopes"

# Zoom answers code 200 for a missing add-on, for a free plan and for a missing permission.
NO_PERMISSION = "no_plan_or_permission"

_MOST_PAGES = 200


class AccessDenied(Exception):
    """Zoom shows this connection nothing of the kind. `reason` is MISSING_SCOPES or NO_PERMISSION."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ZoomReader:
    """Reads for one connection, and records in `unseen` why a kind of thing was not shown.

    A kind is named by its path without ids: `users/webinars`, `report/webinars/participants`. A kind without the scopes
    is asked for once, because no other id of it would be shown either.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self.unseen: dict[str, str] = {}

    def get(self, path: str) -> Row:
        """Return what is at the path, or an empty row. Raises what `read` raises, except AccessDenied."""
        kind = kind_of(path)
        if self.unseen.get(kind) == MISSING_SCOPES:
            return {}
        try:
            return self._read(path) or {}
        except AccessDenied as denied:
            self.unseen.setdefault(kind, denied.reason)
            return {}

    def rows(self, path: str, name: str) -> Iterator[Row]:
        """Yield all rows of a paged list. Raises Unavailable when Zoom's pages do not end."""
        token, joint = "", "&" if "?" in path else "?"
        for _ in range(_MOST_PAGES):
            page = self.get(
                f"{path}{joint}page_size=300" + (f"&next_page_token={quote(token, safe='')}" if token else "")
            )
            rows = page.get(name)
            yield from (row for row in (rows if isinstance(rows, list) else []) if isinstance(row, Mapping))
            token = str(page.get("next_page_token") or "")
            if not token:
                return
        raise Unavailable(reason="endless_pages")

    def why_not(self, *kinds: str) -> str | None:
        """Return why none of these kinds is shown, where one is enough.

        None when one of them is shown, or was not asked for.
        """
        reasons = [self.unseen.get(kind) for kind in kinds]
        return reasons[0] if all(reasons) else None


def kind_of(path: str) -> str:
    """Return a path without its ids, which are every second part: `report/users/meetings`."""
    head, place = "", path.partition("?")[0].removeprefix("/v2/")
    if place.startswith("report/"):
        head, place = "report/", place.removeprefix("report/")
    return head + "/".join(place.split("/")[::2])


# Of an account, this many people are read in each round. With an hourly round that is 9,600 within two days.
_MOST_HOSTS = 200

HOSTS, HELD = "report/users", "report/users/meetings"

_OF_WEBINARS = frozenset({"5", "6", "9"})

_RECURRING = frozenset({"3", "6", "8", "9"})


class Lists:
    """The lists of one connection, as of `now` (epoch seconds) and `lookback` seconds back.

    `zoom_user_id` is None for a whole account. Every attribute raises what the reader of Zoom raises.
    """

    def __init__(self, reader: ZoomReader, zoom_user_id: str | None, *, now: float, lookback: float) -> None:
        self.reader = reader
        self.zoom_user_id = zoom_user_id
        self._now = now
        self._lookback = lookback

    @property
    def period(self) -> str:
        """`from` and `to` for Zoom's lists: days in UTC."""
        moments = (self._now - self._lookback, self._now)
        days = (datetime.fromtimestamp(at, UTC).date().isoformat() for at in moments)
        return urlencode(dict(zip(("from", "to"), days, strict=True)))

    @cached_property
    def hosts(self) -> Sequence[str]:
        """Return the hosts: the person themselves, or everybody of a whole account who held a meeting."""
        if self.zoom_user_id is not None:
            return ["me"]
        rows = self.reader.rows(f"/v2/report/users?type=active&{self.period}", "users")
        active = sorted({user for row in rows if (user := identifier(row.get("id")))})
        first = int(self._now // 3600) * _MOST_HOSTS % max(1, len(active))
        return (active[first:] + active[:first])[:_MOST_HOSTS]

    @cached_property
    def recorded(self) -> Sequence[Row]:
        """Return the cloud recordings of the period."""
        return [
            row
            for host in self.hosts
            for row in self.reader.rows(f"/v2/users/{quote(host, safe='')}/recordings?{self.period}", "meetings")
        ]

    @cached_property
    def reported(self) -> Sequence[Row]:
        """Return the meetings and webinars that reports list as held, also instant ones, each with its `host_id`."""
        return [
            {"host_id": self.zoom_user_id or host, **row}
            for host in self.hosts
            for kind in ("past", "pastOne")
            for row in self.reader.rows(
                f"/v2/report/users/{quote(host, safe='')}/meetings?type={kind}&{self.period}", "meetings"
            )
        ]

    def why_not(self, own: str) -> str | None:
        """Return why held meetings cannot be found, or None when they can. A person has an `own` list for that."""
        if self.zoom_user_id is not None:
            return self.reader.why_not(own, HELD)
        return self.reader.why_not(HOSTS) or self.reader.why_not(HELD)

    def why_not_recorded(self) -> str | None:
        """Return why recordings cannot be found, or None when they can."""
        return self.reader.why_not("users/recordings") or self.reader.why_not(HOSTS)

    def numbers(self, rows: Sequence[Row], *, webinars: bool) -> Iterator[str]:
        """Yield the numbers of the meetings, or of the webinars, among these rows."""
        named = (identifier(row.get("id")) for row in rows if of_webinar(row) == webinars)
        return filter(None, named)

    def may_be_held(self, row: Row) -> bool:
        """Return whether what is planned may have been held in the period."""
        start = epoch_ms(row.get("start_time"))
        near = start is not None and abs(start / 1000 - self._now) < self._lookback
        return near or str(row.get("type")) in _RECURRING

    def in_period(self, row: Row) -> bool:
        """Return whether what is planned begins in the period, or recurs."""
        start = epoch_ms(row.get("start_time"))
        within = start is not None and self._now - self._lookback <= start / 1000 <= self._now
        return within or str(row.get("type")) in _RECURRING


def of_webinar(row: Row) -> bool:
    """Return whether a row is about a webinar. Its type is a number or text, as the list has it."""
    return str(row.get("type")) in _OF_WEBINARS
