"""`/operator`: what operators see and do, for every tenant of the stack. Answers have only ids, states and counts."""

from __future__ import annotations

import json
import os
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from zoom_common import observability
from zoom_common.access.key_store import ApiKeyStore
from zoom_common.access.keys import ApiKey
from zoom_common.access.principal import Principal
from zoom_common.aws.clients import boto3_client
from zoom_common.aws.errors import translated
from zoom_common.aws.table import CONNECTIONS, COORDINATION, EVENTS, Table
from zoom_common.connections.labels import without_addresses
from zoom_common.connections.model import State
from zoom_common.connections.views import iso
from zoom_common.console import views
from zoom_common.console.budgets import Budgets
from zoom_common.console.dead_letters import DeadLetters
from zoom_common.console.snapshot import Snapshots, tenants_of
from zoom_common.console.traffic import CallsByDay, EventsByDay, days_back
from zoom_common.daily_counts import DELIVERIES, DUPLICATES, REFRESHES, DailyCounts
from zoom_common.edge.http import Router
from zoom_common.edge.operator_requests import (
    MOST_LETTERS,
    PLACE,
    Page,
    Selection,
    days_of,
    known_key_id,
    limit_of,
    selection_of,
)
from zoom_common.edge.own_requests import body_of
from zoom_common.edge.request import Request
from zoom_common.edge.request_fields import Fields, PageTokens
from zoom_common.edge.response import Response, json_response
from zoom_common.edge.zoom_api import budget_rules
from zoom_common.errors import NotFound
from zoom_common.events.log.index import LogIndex
from zoom_common.events.webhook.status import AppStatus, WebhookStatusStore, described_app, described_rejections
from zoom_common.gateway.usage import KeptUsage, LiveUsage, day_of
from zoom_common.heartbeats import ROLLUP, SWEEP, Heartbeats
from zoom_common.ratelimit.limiter import RateLimitRules
from zoom_common.ratelimit.quotas import DailyStore
from zoom_common.ratelimit.slots import SlotStore
from zoom_common.settings import optional, require
from zoom_common.wiring.throttle import key_limits


@dataclass(frozen=True, slots=True)
class Settings:
    """`queues` are URLs by the names that people use. Each queue has a dead-letter queue."""

    connections_table: str
    events_table: str
    coordination_table: str
    queues: Mapping[str, str]
    zoom_client_id: str
    budget: RateLimitRules

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings. Raises MissingSetting.

        All queues are in one account and region, so OPERATOR_QUEUES has only their names: `name=queue,...`. Lambda has
        4 KB for all settings together.
        """
        base = require(environ, "INGEST_QUEUE_URL").rpartition("/")[0]
        named = (pair.partition("=") for pair in require(environ, "OPERATOR_QUEUES").split(","))
        return cls(
            connections_table=require(environ, "CONNECTIONS_TABLE"),
            events_table=require(environ, "EVENTS_TABLE"),
            coordination_table=require(environ, "COORDINATION_TABLE"),
            queues={name.strip(): f"{base}/{queue.strip()}" for name, _, queue in named},
            zoom_client_id=optional(environ, "ZOOM_CLIENT_ID"),
            budget=budget_rules(environ),
        )


# In seconds: the time left to return the messages that were read.
_TIME_TO_END = 8.0
_MOST_FAILING = 30
_STATES = re.compile("|".join(State))
_QUEUES_AWAY = "queues_unavailable"


@cache
def settings() -> Settings:
    """Return this container's settings."""
    return Settings.from_env(os.environ)


router = Router(key_limits(settings))
handler = router.handle


def _connections_table() -> Table:
    return Table(boto3_client("dynamodb"), settings().connections_table, CONNECTIONS)


def _events_table() -> Table:
    return Table(boto3_client("dynamodb"), settings().events_table, EVENTS)


def _coordination_table() -> Table:
    return Table(boto3_client("dynamodb"), settings().coordination_table, COORDINATION)


@cache
def snapshots() -> Snapshots:
    """Return what counts connections and keys."""
    return Snapshots(table=_connections_table(), clock=time.time)


@cache
def calls_by_day() -> CallsByDay:
    """Return the usage of all tenants. It is only read here, so the retention time does not matter."""
    return CallsByDay(live=LiveUsage(_coordination_table()), kept=KeptUsage(_events_table(), retention_days=0))


@cache
def events_by_day() -> EventsByDay:
    """Return the events of all tenants by type and day."""
    return EventsByDay(lines=LogIndex(_events_table()))


@cache
def budgets() -> Budgets:
    """Return what is left of daily limits."""
    table = _coordination_table()
    return Budgets(daily=DailyStore(table), slots=SlotStore(table), rules=settings().budget)


@cache
def counts() -> DailyCounts:
    """Return duplicates, refreshes and deliveries by day."""
    return DailyCounts(table=_coordination_table(), clock=time.time)


@cache
def keys() -> ApiKeyStore:
    """Return the store of API keys, to limit and revoke them."""
    return ApiKeyStore(_connections_table())


@cache
def webhook_status() -> WebhookStatusStore:
    """Return the status of Zoom's deliveries."""
    return WebhookStatusStore(_coordination_table(), time.time)


@router.route("GET", "/operator/connections", scope="operator:read")
def connections(request: Request, principal: Principal) -> Response:
    """Answer the stack's connections by state, with what to do. Those that need action come first."""
    fields = Fields(request.query)
    fields.only(("state", "page_size", "next_page_token"))
    state = fields.matching("state", _STATES, f"One of {', '.join(State)}.")
    page = Page.of(fields, PageTokens(f"operator.connections.{state}", principal.tenant, PLACE))
    fields.check()
    found = snapshots().latest(request.deadline)
    rows = [row for row in found.connections if state in {None, row.state}]
    return json_response(
        200,
        {
            **views.about(found),
            "states": dict(found.states),
            "reasons": dict(found.reasons.most_common(20)),
            "subscriptions": dict(found.subscriptions),
            "tenants": len(found.tenants),
            "connections": [views.connection(row) for row in page.part(rows)],
            **page.rest(rows),
        },
    )


@router.route("GET", "/operator/calls", scope="operator:read")
def calls(request: Request, principal: Principal) -> Response:  # noqa: ARG001 - a route's signature
    """Answer calls to Zoom by day, operation and outcome, and what is left of Zoom's daily limits."""
    now, days = time.time(), _days(request)
    found = snapshots().latest(request.deadline)
    by_day = calls_by_day().of(days, tenants_of(found), request.deadline)
    left = budgets().left(found.accounts, now=now)
    complete = all((found.complete, by_day.pop("complete"), left.pop("complete")))
    return json_response(200, {"as_of": iso(now), "complete": complete, **by_day, "budgets": left})


@router.route("GET", "/operator/events", scope="operator:read")
def events(request: Request, principal: Principal) -> Response:  # noqa: ARG001 - a route's signature
    """Answer events by day and type, duplicates, unrouted events, and deliveries to subscriptions by outcome."""
    now, days = time.time(), _days(request)
    found = snapshots().latest(request.deadline)
    apps = (found.apps | {settings().zoom_client_id, *webhook_status().apps()}) - {""}
    by_day = events_by_day().of(days, tenants_of(found), sorted(apps), request.deadline)
    counted = {day.isoformat(): counts().of(day) for day in days}
    for each in by_day["days"]:
        each["duplicates"] = counted[each["date"]][DUPLICATES[0]].get(DUPLICATES[1], 0)
    complete = all((found.complete, by_day.pop("complete")))
    deliveries = [{"date": day, **views.deliveries(each[DELIVERIES])} for day, each in counted.items()]
    return json_response(200, {"as_of": iso(now), "complete": complete, **by_day, "deliveries": deliveries})


@router.route("GET", "/operator/refreshes", scope="operator:read")
def refreshes(request: Request, principal: Principal) -> Response:  # noqa: ARG001 - a route's signature
    """Answer refreshes by day and outcome, connections whose tokens cannot be renewed, and when the sweep last ran."""
    days = _days(request)
    found = snapshots().latest(request.deadline)
    beats = Heartbeats(table=_coordination_table(), clock=time.time)
    failing = [row for row in found.connections if row.state == State.REFRESH_FAILING]
    return json_response(
        200,
        {
            **views.about(found),
            "days": [{"date": day.isoformat(), **views.refreshes(counts().of(day)[REFRESHES])} for day in days],
            "failing": found.states[State.REFRESH_FAILING],
            "given_up": found.states[State.REAUTHORIZATION_REQUIRED],
            "connections": [views.connection(row) for row in failing[:_MOST_FAILING]],
            "sweep_age_seconds": _whole(beats.age(SWEEP)),
            "rollup_age_seconds": _whole(beats.age(ROLLUP)),
        },
    )


@router.route("GET", "/operator/webhooks", scope="operator:read")
def webhooks(request: Request, principal: Principal) -> Response:  # noqa: ARG001 - a route's signature
    """Answer for each Zoom app: last verified delivery, last challenge, age of its secrets; and refusals."""
    now, known = time.time(), webhook_status().apps()
    own = settings().zoom_client_id
    if own:
        known.setdefault(own, AppStatus())
    apps = [{"zoom_client_id": name, **described_app(app, now=now)} for name, app in sorted(known.items())]
    rejections = described_rejections(webhook_status().rejections(), now=now)
    return json_response(200, {"as_of": iso(now), "complete": True, "apps": apps, "rejections": rejections})


@router.route("GET", "/operator/keys", scope="operator:read")
def api_keys(request: Request, principal: Principal) -> Response:
    """Answer the API keys of all tenants, newest first, and how many were made and revoked on each day."""
    fields, now = Fields(request.query), time.time()
    fields.only(("days", "page_size", "next_page_token"))
    page = Page.of(fields, PageTokens("operator.keys", principal.tenant, PLACE))
    days = days_back(day_of(now), days_of(fields))
    fields.check()
    found = snapshots().latest(request.deadline)
    made = Counter(day_of(each.created_at) for each in found.keys)
    revoked = Counter(day_of(each.revoked_at) for each in found.keys if each.revoked_at is not None)
    states = Counter(views.key_state(each, now) for each in found.keys)
    return json_response(
        200,
        {
            **views.about(found),
            "total": found.key_count,
            "states": {name: states[name] for name in views.KEY_STATES},
            "limited": sum(each.requests_per_minute is not None for each in found.keys),
            "days": [{"date": day.isoformat(), "made": made[day], "revoked": revoked[day]} for day in days],
            "keys": [views.api_key(each, now) for each in page.part(found.keys)],
            **page.rest(found.keys),
        },
    )


@router.route("PATCH", "/operator/keys/{key_id}", scope="operator:write")
def limit_key(request: Request, principal: Principal, key_id: str) -> Response:
    """Set how many requests a key may make per minute; null means the gateway's default.

    It takes effect within a minute.
    """
    key = keys().limit(known_key_id(key_id), limit_of(body_of(request)))
    return _changed(key, principal, "limit")


@router.route("POST", "/operator/keys/{key_id}/revoke", scope="operator:write")
def revoke_key(request: Request, principal: Principal, key_id: str) -> Response:  # noqa: ARG001 - a route's signature
    """Revoke a key for good. It takes effect within a minute."""
    return _changed(keys().revoke(known_key_id(key_id), now=time.time()), principal, "revoke")


@router.route("GET", "/operator/dead-letters", scope="operator:read")
def dead_letter_queues(request: Request, principal: Principal) -> Response:  # noqa: ARG001 - a route's signature
    """Answer every dead-letter queue with its number of messages, and the number in the queue before it."""
    listed = [
        {"queue": name, "dead_letters": _waiting(_dead_letter_queue(url)), "waiting": _waiting(url)}
        for name, url in settings().queues.items()
    ]
    return json_response(200, {"as_of": iso(time.time()), "complete": True, "queues": listed})


@router.route("GET", "/operator/dead-letters/{queue_name}", scope="operator:read")
def dead_letters(request: Request, principal: Principal, queue_name: str) -> Response:  # noqa: ARG001 - a route's signature
    """Answer the messages of a dead-letter queue: ids, types and times, without bodies. At most 200."""
    listed: list[dict[str, Any]] = []
    complete = True
    with translated(_QUEUES_AWAY), _letters(queue_name) as letters:
        for letter in letters.read():
            listed.append({"id": letter.id, **letter.about})
            complete = len(listed) < MOST_LETTERS and request.deadline.allows(_TIME_TO_END)
            if not complete:
                break
    return json_response(200, {"queue": queue_name, "complete": complete, "messages": listed})


@router.route("POST", "/operator/dead-letters/{queue_name}/redrive", scope="operator:write")
def redrive(request: Request, principal: Principal, queue_name: str) -> Response:
    """Move messages back to their queue: `ids`, or `all` of them, 200 at a time."""
    return _moved(request, principal, queue_name, selection_of(body_of(request), with_reason=False))


@router.route("POST", "/operator/dead-letters/{queue_name}/discard", scope="operator:write")
def discard(request: Request, principal: Principal, queue_name: str) -> Response:
    """Delete messages: `ids`, or `all` of them, with a `reason`, which is logged."""
    return _moved(request, principal, queue_name, selection_of(body_of(request), with_reason=True))


def _days(request: Request) -> Sequence[date]:
    """Return the requested days, oldest first. Raises InvalidRequest."""
    fields = Fields(request.query)
    fields.only(("days",))
    number = days_of(fields)
    fields.check()
    return days_back(day_of(time.time()), number)


def _whole(seconds: float | None) -> int | None:
    return None if seconds is None else round(seconds)


def _changed(key: ApiKey, principal: Principal, action: str) -> Response:
    observability.logger().warning("operator changed a key", action=action, key=key.key_id, by=principal.subject)
    snapshots().forget()
    return json_response(200, views.api_key(key, time.time()))


def _attribute(url: str, name: Any) -> str:
    with translated(_QUEUES_AWAY):
        return boto3_client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name]


def _waiting(url: str) -> int:
    return int(_attribute(url, "ApproximateNumberOfMessages"))


@cache
def _dead_letter_queue(url: str) -> str:
    """Return the URL of a queue's dead-letter queue, as the queue's own settings name it."""
    arn = json.loads(_attribute(url, "RedrivePolicy"))["deadLetterTargetArn"]
    return f"{url.rpartition('/')[0]}/{arn.rpartition(':')[2]}"


def _letters(queue: str) -> DeadLetters:
    if queue not in settings().queues:
        raise NotFound(f"There is no such queue. There are: {', '.join(settings().queues)}.", reason="queue_unknown")
    url = settings().queues[queue]
    return DeadLetters(boto3_client("sqs"), url, _dead_letter_queue(url))


def _moved(request: Request, principal: Principal, queue: str, selection: Selection) -> Response:
    """Redrive the chosen messages, or discard them where there is a reason, and answer which were not found."""
    action, done = "discard" if selection.reason else "redrive", set[str]()
    with translated(_QUEUES_AWAY), _letters(queue) as letters:
        for letter in letters.read():
            if selection.includes(letter.id):
                (letters.discard if selection.reason else letters.redrive)(letter)
                done.add(letter.id)
                observability.logger().warning(
                    "operator moved a dead letter",
                    action=action,
                    queue=queue,
                    id=letter.id,
                    by=principal.subject,
                    reason=without_addresses(selection.reason),
                )
            if len(done) == selection.most or not request.deadline.allows(_TIME_TO_END):
                break
    missing = sorted((selection.ids or frozenset()) - done)
    left = _waiting(_dead_letter_queue(settings().queues[queue]))
    return json_response(200, {"queue": queue, "done": len(done), "not_found": missing, "left": left})
