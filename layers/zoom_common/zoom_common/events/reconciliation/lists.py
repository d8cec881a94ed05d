"""What Zoom lists of a connection's days, each list read when it is first needed, and once.

https://developers.zoom.us/docs/api/meetings/#tag/reports/GET/report/users/{userId}/meetings
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import cached_property
from urllib.parse import quote, urlencode

from zoom_common.events.reconciliation.sight import Row, Sight
from zoom_common.zoom.events import epoch_ms, identifier

# Of an account this many people a round, others the next: with an hourly round, 9,600 within the two days looked back.
_MOST_HOSTS = 200
HOSTS, HELD = "report/users", "report/users/meetings"
_OF_WEBINARS = frozenset({"5", "6", "9"})
_RECURRING = frozenset({"3", "6", "8", "9"})


class Lists:
    """Of one connection, as of `now` (epoch seconds) and `lookback` seconds back.

    `zoom_user_id` is None for a whole account. Every attribute raises what the sight raises.
    """

    def __init__(self, sight: Sight, zoom_user_id: str | None, *, now: float, lookback: float) -> None:
        self.sight = sight
        self.zoom_user_id = zoom_user_id
        self._now = now
        self._lookback = lookback

    @property
    def period(self) -> str:
        """`from` and `to` as Zoom's lists take them: days in UTC."""
        moments = (self._now - self._lookback, self._now)
        days = (datetime.fromtimestamp(at, UTC).date().isoformat() for at in moments)
        return urlencode(dict(zip(("from", "to"), days, strict=True)))

    @cached_property
    def hosts(self) -> Sequence[str]:
        """Whose meetings these are: the person's own, or, of a whole account, those of everybody who held any."""
        if self.zoom_user_id is not None:
            return ["me"]
        rows = self.sight.rows(f"/v2/report/users?type=active&{self.period}", "users")
        active = sorted({user for row in rows if (user := identifier(row.get("id")))})
        first = int(self._now // 3600) * _MOST_HOSTS % max(1, len(active))
        return (active[first:] + active[:first])[:_MOST_HOSTS]

    @cached_property
    def recorded(self) -> Sequence[Row]:
        """The cloud recordings of the period."""
        return [
            row
            for host in self.hosts
            for row in self.sight.rows(f"/v2/users/{quote(host, safe='')}/recordings?{self.period}", "meetings")
        ]

    @cached_property
    def reported(self) -> Sequence[Row]:
        """What administrators are told was held, meetings and webinars, instant ones too; each with its `host_id`."""
        return [
            {"host_id": self.zoom_user_id or host, **row}
            for host in self.hosts
            for kind in ("past", "pastOne")
            for row in self.sight.rows(
                f"/v2/report/users/{quote(host, safe='')}/meetings?type={kind}&{self.period}", "meetings"
            )
        ]

    def why_not(self, own: str) -> str | None:
        """Why it cannot be found what was held; None when it can. A person has a list of their `own` for that."""
        if self.zoom_user_id is not None:
            return self.sight.why_not(own, HELD)
        return self.sight.why_not(HOSTS) or self.sight.why_not(HELD)

    def why_not_recorded(self) -> str | None:
        """Why recordings cannot be found; None when they can."""
        return self.sight.why_not("users/recordings") or self.sight.why_not(HOSTS)

    def numbers(self, rows: Sequence[Row], *, webinars: bool) -> Iterator[str]:
        """The numbers of the meetings or of the webinars among these rows."""
        named = (identifier(row.get("id")) for row in rows if of_webinar(row) == webinars)
        return filter(None, named)

    def may_be_held(self, row: Row) -> bool:
        """Whether what is planned so may have been held in the period."""
        start = epoch_ms(row.get("start_time"))
        near = start is not None and abs(start / 1000 - self._now) < self._lookback
        return near or str(row.get("type")) in _RECURRING


def of_webinar(row: Row) -> bool:
    """Whether a row of meetings and webinars is about a webinar. Its type is a number or text, as the list has it."""
    return str(row.get("type")) in _OF_WEBINARS
