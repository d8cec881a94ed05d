"""What requests about the event log say."""

from __future__ import annotations

import re

from zoom_common.edge.request_fields import Fields, PageTokens
from zoom_common.events.log_query import PLACE, LogQuery

_TYPE = re.compile(r"(?:zoom\.)?([\x21-\x29\x2b-\x7e]{1,120})(\*?)")
_MEETING = re.compile(r"[0-9]{1,20}")


def log_tokens(tenant: str) -> PageTokens:
    """The page tokens of a tenant's event log, for reading it and for publishing it again."""
    return PageTokens("events", tenant, PLACE)


def log_query_of(fields: Fields, *, now: float, retention_days: int, tokens: PageTokens | None = None) -> LogQuery:
    """Read `type`, `meeting`, `from`, `to`, `page_size` and, with `tokens`, `next_page_token`; raise InvalidRequest.

    `now` is epoch seconds. Nothing older than `retention_days` is looked for, however far back the caller asks.
    """
    until, since = fields.moment_ms("to"), fields.moment_ms("from")
    kind, meeting = fields.matching("type", _TYPE), fields.matching("meeting", _MEETING)
    size, after = fields.page_size(), fields.after(tokens) if tokens is not None else None
    fields.check()
    return LogQuery.within(
        now=now,
        retention_days=retention_days,
        since_ms=since,
        until_ms=until,
        kind=kind,
        meeting=meeting,
        page_size=size,
        after=after,
    )
