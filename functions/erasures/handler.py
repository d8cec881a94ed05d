"""`/erasures`: deletes everything that is stored about a person or a tenant, from requests and from a queue.

The request stores the time before which no event comes back, and answers at once. One message does the work. It returns
to the queue until everything is done, and resumes at the position in the record. A second pass, some minutes later,
deletes what was being written during the first.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from zoom_common import observability
from zoom_common.access.principal import Principal
from zoom_common.archive.ledger import Ledger
from zoom_common.archive.retention import Copies
from zoom_common.aws.clients import boto3_client, bucket
from zoom_common.aws.table import EVENTS, Table
from zoom_common.connections.queues import RevokeQueue
from zoom_common.deadline import Deadline
from zoom_common.edge import request_fields
from zoom_common.edge.http import Router
from zoom_common.edge.own_requests import body_of, refuse_bound, text_of
from zoom_common.edge.request import Request
from zoom_common.edge.response import Response, json_response
from zoom_common.erasure.queue import ErasureQueue, Job, from_message
from zoom_common.erasure.runner import Erasure, receipt
from zoom_common.erasure_target import ErasureTarget
from zoom_common.errors import FieldError, InternalError, InvalidRequest, NotFound, Unavailable
from zoom_common.events.connection_events import sender
from zoom_common.jobs.engine_client import JobFiles
from zoom_common.settings import optional, require
from zoom_common.wiring.throttle import key_limits


@dataclass(frozen=True, slots=True)
class ErasuresSettings:
    """Tables, queues and the bus. `settle_seconds`: how long an operation under way may still write items."""

    connections_table: str
    events_table: str
    coordination_table: str
    event_bus: str
    escrow_queue_url: str
    erasure_queue_url: str
    settle_seconds: int
    archive_bucket: str
    """Empty: this stack has no archive."""
    jobs_bucket: str
    """Empty: this stack has no jobs."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> ErasuresSettings:
        """Read the settings. Raises MissingSetting."""
        return cls(
            connections_table=require(environ, "CONNECTIONS_TABLE"),
            events_table=require(environ, "EVENTS_TABLE"),
            coordination_table=require(environ, "COORDINATION_TABLE"),
            event_bus=optional(environ, "EVENT_BUS"),
            escrow_queue_url=require(environ, "ESCROW_QUEUE_URL"),
            erasure_queue_url=require(environ, "ERASURE_QUEUE_URL"),
            settle_seconds=int(optional(environ, "ERASURE_SETTLE_SECONDS", "300")),
            archive_bucket=optional(environ, "ARCHIVE_BUCKET"),
            jobs_bucket=optional(environ, "JOBS_BUCKET"),
        )


_TIME_FOR_A_PAGE_MS = 30_000
# API Gateway gives up after 30 seconds.
_DRY_RUN_SECONDS = 20.0
# How long a failed message waits. The queue gives up after a thousand tries, which take about eight hours.
_PAUSE_SECONDS = 30
_FIELDS = {"zoom_user_id", "email", "tenant", "dry_run"}
_MOST_NAMED = 20  # a body may have more unknown fields than an answer has room for


@cache
def settings() -> ErasuresSettings:
    """Return this container's settings."""
    return ErasuresSettings.from_env(os.environ)


router = Router(key_limits(settings))


@cache
def erasure() -> Erasure:
    """Return the erasure job, made once per container."""
    return Erasure(
        dynamodb=boto3_client("dynamodb"),
        connections_table=settings().connections_table,
        events_table=settings().events_table,
        coordination_table=settings().coordination_table,
        revokes=RevokeQueue(boto3_client("sqs"), settings().escrow_queue_url),
        publish=sender(settings().event_bus, lambda: boto3_client("events")),
        clock=time.time,
        settle_seconds=settings().settle_seconds,
        copies=_copies(),
        files=JobFiles(boto3_client("s3"), settings().jobs_bucket) if settings().jobs_bucket else None,
    )


def _copies() -> Copies | None:
    """Return the copies of recordings in the archive, where the stack has one."""
    if not settings().archive_bucket:
        return None
    ledger = Ledger(Table(boto3_client("dynamodb"), settings().events_table, EVENTS))
    return Copies(ledger, bucket(settings().archive_bucket), time.time)


@cache
def queue() -> ErasureQueue:
    """Return the queue of erasures."""
    return ErasureQueue(boto3_client("sqs"), settings().erasure_queue_url)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Answer a request, or work on messages of the queue. Each message fails by itself."""
    if "Records" not in event:
        return router.handle(event, context)
    observability.begin_correlation(getattr(context, "aws_request_id", ""))
    returned = [record["messageId"] for record in event["Records"] if not _is_done(record, context)]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in returned]}


@router.route("POST", "/erasures", scope="erasures:write")
def erase(request: Request, principal: Principal) -> Response:
    """Erase a person (`zoom_user_id`, `email` or both), or the tenant (`tenant`, its own name).

    With `dry_run`, answer what would be deleted, and change nothing.
    """
    refuse_bound(principal)
    body = body_of(request)
    target = _target(body, principal.tenant)
    key = principal.subject.removeprefix("key:") if principal.is_key and target.whole_tenant else None
    if _is_dry(body):
        deadline = Deadline.after(_DRY_RUN_SECONDS)
        counted = erasure().dry_run(target, should_stop=lambda: not deadline.allows(0), keep_key=key)
        return json_response(200, counted)
    record = erasure().begin(target)
    queue().send(Job(target=target, keep_key=key, run=record.run))
    observability.count("ErasuresBegun", about=record.about)
    answer = json_response(202, receipt(record))
    return replace(answer, headers={**answer.headers, "location": f"/erasures/{record.erasure_id}"})


@router.route("GET", "/erasures", scope="erasures:read")
def receipts(request: Request, principal: Principal) -> Response:  # noqa: ARG001 - a route's signature
    """Answer the receipts of the tenant's erasures, newest first."""
    refuse_bound(principal)
    found = sorted(erasure().records.list(principal.tenant), key=lambda each: -each.erased_at)
    return json_response(200, {"erasures": [receipt(each) for each in found]})


@router.route("GET", "/erasures/{erasure_id}", scope="erasures:read")
def show(request: Request, principal: Principal, erasure_id: str) -> Response:  # noqa: ARG001
    """Answer one receipt."""
    refuse_bound(principal)
    record = erasure().records.get(principal.tenant, request_fields.erasure_id(erasure_id))
    if record is None:
        raise NotFound("There is no such erasure.", reason="erasure_unknown")
    return json_response(200, receipt(record))


def _target(body: Mapping[str, Any], tenant: str) -> ErasureTarget:
    unknown = [FieldError(name, "Unknown field.") for name in sorted(body.keys() - _FIELDS)[:_MOST_NAMED]]
    if unknown:
        raise InvalidRequest(unknown)  # a misspelled field must not erase more than was meant
    user, email, whole = (text_of(body, name) for name in ("zoom_user_id", "email", "tenant"))
    if whole is None:
        return ErasureTarget.person(tenant, zoom_user_id=user, email=email)
    if whole != tenant or user is not None or email is not None:
        raise InvalidRequest(
            [FieldError("tenant", "Name your own tenant and no person: everything in the tenant is erased.")]
        )
    return ErasureTarget.tenant_as_a_whole(tenant)


def _is_dry(body: Mapping[str, Any]) -> bool:
    dry = body.get("dry_run", False)
    if not isinstance(dry, bool):
        # a value other than true or false must not erase
        raise InvalidRequest([FieldError("dry_run", "true or false.")])
    return dry


def _is_done(record: Mapping[str, Any], context: Any) -> bool:
    """Return whether a message is finished. Others come again later; unreadable ones go to the dead-letter queue."""
    try:
        job = from_message(json.loads(record["body"]))
    except (KeyError, TypeError, ValueError):
        observability.logger().error("message unreadable", message_id=record["messageId"])
        return _return_after(record, _PAUSE_SECONDS)
    try:
        wait = _resume(job, context)
    except InternalError as error:
        observability.fault(error, message_id=record["messageId"])
        wait = _PAUSE_SECONDS
    except Unavailable as error:
        observability.logger().warning("message kept", reason=error.reason)
        wait = _PAUSE_SECONDS
    return wait is None or _return_after(record, wait)


def _resume(job: Job, context: Any) -> float | None:
    """Resume a job. Return the seconds until it continues, or None when nothing is left to do."""
    progress = erasure().resume(job, should_stop=lambda: context.get_remaining_time_in_millis() < _TIME_FOR_A_PAGE_MS)
    if progress.finished is not None:
        observability.count("ErasuresDone", about=progress.finished.about)
    return progress.wait


def _return_after(record: Mapping[str, Any], seconds: float) -> bool:
    """Let a message come again in `seconds`, or, if that fails, after the queue's visibility timeout. Return False."""
    with suppress(Unavailable):
        queue().return_after(record["receiptHandle"], seconds)
    return False
