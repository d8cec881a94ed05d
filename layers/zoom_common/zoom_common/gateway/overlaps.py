"""Names the other meetings of a host that take place at the same time as a new one, without asking Zoom."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from zoom_common.connections.model import Kind
from zoom_common.errors import DependencyFailed
from zoom_common.gateway.context import Call
from zoom_common.gateway.create_lookup import json_object
from zoom_common.gateway.host_calendar import HostCalendar, overlapping, planned

HEADER = "x-gateway-overlaps"

# In seconds. With less time left, the answer is sent without the header.
_LEAST_TIME = 3.0
_MOST = 20
_MOVES = frozenset({"start_time", "duration", "timezone", "type", "recurrence", "schedule_for"})


def named(calendar: HostCalendar, call: Call, made: Mapping[str, Any]) -> str:
    """Return the header's value after a create that Zoom answered with `made`; empty when no overlap is known.

    The new meeting is stored for the creates that follow.
    """
    spans, host = planned(made), str(made.get("host_id") or "")
    if not spans or not host or "id" not in made or not call.deadline.allows(_LEAST_TIME):
        return ""
    try:
        others = calendar.book(call.connection.zoom_account_id, host, str(made["id"]), spans)
    except DependencyFailed:
        return ""
    return ", ".join(overlapping(spans, others)[:_MOST])


def moved(calendar: HostCalendar, call: Call) -> None:
    """Remove a meeting of the connection's own user that was deleted or moved. A webhook brings its new time."""
    number = call.ids.get("meetingId") or call.ids.get("webinarId") or ""
    host = call.connection.zoom_user_id if call.connection.kind is Kind.USER else None
    if host is None or not number.isdigit() or "occurrence_id=" in call.query_string:
        return
    moves = call.operation.method == "DELETE" or not _MOVES.isdisjoint(json_object(call.body))
    if not moves or not call.deadline.allows(_LEAST_TIME):
        return
    try:
        calendar.cancel(call.connection.zoom_account_id, host, number)
    except DependencyFailed:
        return
