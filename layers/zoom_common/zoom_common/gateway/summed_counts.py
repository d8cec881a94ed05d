"""Counts over any period: Zoom counts a week at once, and the gateway adds the weeks up.

Zoom's count of archived files accepts `from` and `to` at most seven days apart.
https://developers.zoom.us/docs/api/meetings/#tag/archiving/GET/archive_files/statistics
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from zoom_common.deadline import Deadline
from zoom_common.errors import FieldError, InvalidRequest, Unavailable
from zoom_common.gateway.list_position import (
    DAYS,
    Position,
    Span,
    day_of,
    left_out_after,
    left_out_before,
    requested_span,
)
from zoom_common.gateway.service import Answer
from zoom_common.zoom.operations.model import Operation

# One more call has to fit into the remaining time, in seconds.
_TIME_FOR_A_CALL = 2.0
# The weeks that can be read within one request, at the rate of Zoom's smallest plan.
_MOST_WEEKS = 60


def is_summed(operation: Operation, query_string: str, *, today: date | None = None) -> bool:
    """Return whether `summed` has to answer a request: counts of more days than Zoom counts at once.

    Without a first day Zoom chooses it and states it in its answer.
    """
    query = dict(parse_qsl(query_string))
    if operation.items is not None or not operation.weekly or not query.get("from"):
        return False
    span = requested_span(query, today or _today(), weekly=True)
    return span is not None and span.piece != span


def summed(
    operation: Operation,
    query_string: str,
    fetch: Callable[[str], Answer],
    deadline: Deadline,
    *,
    today: date | None = None,
) -> Answer:
    """Return one answer with the sums of all weeks' counts, and the requested days.

    Raises what `fetch` raises, InvalidRequest for more weeks than one request can read, and Unavailable when the time
    runs out, because a sum of some weeks would be wrong.
    """
    now = today or _today()
    query = dict(parse_qsl(query_string))
    span = requested_span(query, now, weekly=operation.weekly)
    if span is None or (span.last - span.first).days > 7 * _MOST_WEEKS:
        raise InvalidRequest([FieldError("from", f"Counts cover at most {_MOST_WEEKS} weeks. Ask for fewer days.")])
    place: Position | None = Position.at(span, ("", ""))
    total: dict[str, Any] = {}
    while place is not None:
        if total and not deadline.allows(_TIME_FOR_A_CALL):
            raise Unavailable(reason="deadline_exceeded")
        answer = fetch(urlencode(_week(place, query)))
        page = json.loads(answer.body or b"null")
        if not isinstance(page, dict):
            raise Unavailable(reason="zoom_gave_no_counts")
        total = _added(total, page)
        place = _next(place, page, span, now)
    total |= {name: query[name] for name in DAYS if query.get(name)}
    text = json.dumps(total, ensure_ascii=False, separators=(",", ":"))
    return Answer(200, {**answer.headers, "content-type": "application/json"}, text.encode())


def _today() -> date:
    return datetime.now(UTC).date()


def _week(place: Position, query: Mapping[str, str]) -> dict[str, str]:
    """Return the query of one week's counts. At both ends of the period, the caller's own text is sent."""
    first, last = query["from"], query.get("to", "")
    return {
        **query,
        "from": first if first.startswith(place.first) else f"{place.first}T00:00:00Z",
        "to": last if last.startswith(place.last) else f"{place.last}T23:59:59Z",
    }


def _next(place: Position, page: Mapping[str, Any], span: Span, today: date) -> Position | None:
    """Return the next days: those that Zoom left out of `page`, or the next week. None at the end."""
    resume = left_out_after(place, page, today) or place.resume
    missing = left_out_before(place, page)
    if missing is not None:
        return Position(first=place.first, last=str(missing), resume=resume)
    if day_of(resume) > span.last:
        return None
    return Position.at(span.after(day_of(resume)), ("", ""))


def _added(total: Mapping[str, Any], page: Mapping[str, Any]) -> dict[str, Any]:
    """Return `total` with the counts of `page` added, at every depth. Other members are those of the first page."""
    found = dict(total)
    for name, value in page.items():
        known = found.get(name)
        if isinstance(value, dict):
            found[name] = _added(known if isinstance(known, dict) else {}, value)
        elif isinstance(value, int) and isinstance(known, int) and not isinstance(value, bool):
            found[name] = known + value
        else:
            found.setdefault(name, value)
    return found
