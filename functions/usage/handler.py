"""`GET /usage`: a tenant's calls by connection, operation and day; and the nightly roll-up."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any

from zoom_common import observability
from zoom_common.access.principal import Principal
from zoom_common.aws.clients import boto3_client
from zoom_common.aws.table import CONNECTIONS, COORDINATION, EVENTS, Table
from zoom_common.connections.selection import visible_connections
from zoom_common.connections.store import ConnectionStore, count_by_state
from zoom_common.deadline import Deadline
from zoom_common.edge.http import Router
from zoom_common.edge.request import Request
from zoom_common.edge.request_fields import Fields
from zoom_common.edge.response import Response, json_response
from zoom_common.errors import FieldError, InvalidRequest
from zoom_common.gateway.usage import KeptUsage, LiveUsage, Usage, between, day_of, roll_up, totals
from zoom_common.heartbeats import ROLLUP, Heartbeats
from zoom_common.settings import optional, require
from zoom_common.wiring.throttle import key_limits


@dataclass(frozen=True, slots=True)
class UsageSettings:
    """The tables with connections, live counters and rolled-up usage, and the retention time of the latter."""

    connections_table: str
    coordination_table: str
    events_table: str
    retention_days: int

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> UsageSettings:
        """Read the settings. Raises MissingSetting."""
        return cls(
            connections_table=require(environ, "CONNECTIONS_TABLE"),
            coordination_table=require(environ, "COORDINATION_TABLE"),
            events_table=require(environ, "EVENTS_TABLE"),
            retention_days=int(optional(environ, "USAGE_RETENTION_DAYS", "400")),
        )


LONGEST_DAYS = 92


@cache
def settings() -> UsageSettings:
    """Return this container's settings."""
    return UsageSettings.from_env(os.environ)


router = Router(key_limits(settings))


@cache
def live() -> LiveUsage:
    """Return the store of the live counters of the last days."""
    return LiveUsage(Table(boto3_client("dynamodb"), settings().coordination_table, COORDINATION))


@cache
def kept() -> KeptUsage:
    """Return the store of the days that were rolled up."""
    return KeptUsage(
        Table(boto3_client("dynamodb"), settings().events_table, EVENTS), retention_days=settings().retention_days
    )


@cache
def connections() -> ConnectionStore:
    """Return the store of connections."""
    return ConnectionStore(Table(boto3_client("dynamodb"), settings().connections_table, CONNECTIONS))


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Answer a request, or run the schedule's `{"action": "roll_up"}`."""
    if event.get("action") == "roll_up":
        observability.begin_correlation(getattr(context, "aws_request_id", ""))
        return _roll_up(Deadline.after(context.get_remaining_time_in_millis() / 1000))
    return router.handle(event, context)


@router.route("GET", "/usage", scope="usage:read")
def usage(request: Request, principal: Principal) -> Response:
    """Answer calls by connection, operation and UTC day. Without `from` and `to`: the last 31 days."""
    today = day_of(time.time())
    first, last = _days(request.query, today)
    allowed = visible_connections(principal, connections())
    rows = [
        each
        for each in between(live(), kept(), principal.tenant, first, last, today=today)
        if allowed is None or each.connection in allowed
        if request.query.get("connection") in {None, each.connection}
        if request.query.get("operation") in {None, each.operation}
    ]
    about = {"from": first.isoformat(), "to": last.isoformat()}
    return json_response(200, {**about, "totals": totals(rows), "usage": [_shown(each) for each in rows]})


def _shown(row: Usage) -> dict[str, str | int]:
    return {
        "date": row.day.isoformat(),
        "connection": row.connection,
        "operation": row.operation,
        "calls": row.calls,
        "requests": row.requests,
        "refused": row.refused,
    }


def _days(query: Mapping[str, str], today: date) -> tuple[date, date]:
    fields = Fields(query)
    last = fields.day("to", today)
    first = fields.day("from", last - timedelta(days=30))
    fields.check()
    if not timedelta() <= last - first < timedelta(days=LONGEST_DAYS):
        raise InvalidRequest([FieldError("from", f"At most {LONGEST_DAYS} days, and not after `to`.")])
    return first, last


def _roll_up(deadline: Deadline) -> dict[str, Any]:
    rows = roll_up(live(), kept(), today=day_of(time.time()))
    observability.count("UsageRolledUp", rows)
    states = count_by_state(Table(boto3_client("dynamodb"), settings().connections_table, CONNECTIONS), deadline)
    for state, number in states.items():
        observability.count("Connections", number, state=state)
    Heartbeats.from_env(os.environ, lambda: boto3_client("dynamodb"), clock=time.time).beat(ROLLUP)
    return {"rows": rows, "connections": states}
