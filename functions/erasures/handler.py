"""`/erasures`: one call deletes all that is held about a person or a tenant; and the queue behind it.

The request says from which moment on nothing comes back, and answers at once. The work goes on in messages: what
is interrupted goes on, and a second look after a while catches what was being written meanwhile.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from zoom_common import correlation
from zoom_common.access.principal import Principal
from zoom_common.aws.clients import boto3_client
from zoom_common.connections.queue import RevokeQueue
from zoom_common.edge import observability, request_fields
from zoom_common.edge.connection_changes import publisher
from zoom_common.edge.erasure import Erasure, Job, Stage, receipt
from zoom_common.edge.erasure_match import Wanted
from zoom_common.edge.erasure_queue import ErasureQueue, from_message
from zoom_common.edge.http import Request, Response, Router, json_response
from zoom_common.edge.link_requests import body_of, refuse_bound, text_of
from zoom_common.edge.settings.erasures import ErasuresSettings
from zoom_common.errors import FieldError, InternalError, InvalidRequest, NotFound, Unavailable

_TIME_FOR_A_PAGE_MS = 30_000
_FIELDS = {"zoom_user_id", "email", "tenant"}
_MOST_NAMED = 20  # a body has room for more unknown fields than an answer


@cache
def settings() -> ErasuresSettings:
    """What this container was told."""
    return ErasuresSettings.from_env(os.environ)


router = Router(settings)


@cache
def erasure() -> Erasure:
    """The tables, once per container."""
    return Erasure(
        dynamodb=boto3_client("dynamodb"),
        connections_table=settings().connections_table,
        events_table=settings().events_table,
        coordination_table=settings().coordination_table,
        revokes=RevokeQueue(boto3_client("sqs"), settings().escrow_queue_url),
        publish=publisher(settings().event_bus, lambda: boto3_client("events")),
        clock=time.time,
    )


@cache
def queue() -> ErasureQueue:
    """Where the work waits."""
    return ErasureQueue(boto3_client("sqs"), settings().erasure_queue_url)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """A request, or messages of the queue, which fail one by one."""
    if "Records" not in event:
        return router.handle(event, context)
    correlation.begin(getattr(context, "aws_request_id", ""))
    failed = [record["messageId"] for record in event["Records"] if not _taken(record, context)]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}


@router.route("POST", "/erasures", scope="erasures:write")
def erase(request: Request, principal: Principal) -> Response:
    """Erase a person (`zoom_user_id`, and `email` for what names no id), or the tenant (`tenant`, its own name)."""
    refuse_bound(principal)
    wanted = _wanted(body_of(request), principal.tenant)
    key = principal.subject.removeprefix("key:") if principal.is_key else None
    job = Job(wanted=wanted, keep_key=key if wanted.everything else None)
    record = erasure().begin(job)
    queue().send(job)
    observability.count("ErasuresBegun", about=record.about)
    answer = json_response(202, receipt(record))
    return replace(answer, headers={**answer.headers, "location": f"/erasures/{record.erasure_id}"})


@router.route("GET", "/erasures", scope="erasures:read")
def receipts(request: Request, principal: Principal) -> Response:  # noqa: ARG001 - a route's signature
    """What was erased of this tenant."""
    refuse_bound(principal)
    found = sorted(erasure().records.list(principal.tenant), key=lambda each: -each.erased_at)
    return json_response(200, {"erasures": [receipt(each) for each in found]})


@router.route("GET", "/erasures/{erasure_id}", scope="erasures:read")
def show(request: Request, principal: Principal, erasure_id: str) -> Response:  # noqa: ARG001
    """One receipt."""
    refuse_bound(principal)
    record = erasure().records.get(principal.tenant, request_fields.erasure_id(erasure_id))
    if record is None:
        raise NotFound("There is no such erasure.", reason="erasure_unknown")
    return json_response(200, receipt(record))


def _wanted(body: Mapping[str, Any], tenant: str) -> Wanted:
    unknown = [FieldError(name, "Unknown field.") for name in sorted(body.keys() - _FIELDS)[:_MOST_NAMED]]
    if unknown:
        raise InvalidRequest(unknown)  # a slip here must not erase more than was meant
    user, email, whole = (text_of(body, name) for name in ("zoom_user_id", "email", "tenant"))
    if whole is not None:
        if whole != tenant or user is not None or email is not None:
            raise InvalidRequest([FieldError("tenant", "The whole tenant goes: name your own, and nobody beside it.")])
        return Wanted(tenant=tenant)
    if user is None:
        raise InvalidRequest([FieldError("zoom_user_id", "Required, unless `tenant` names your whole tenant.")])
    return Wanted(tenant=tenant, zoom_user_id=user, email=email)


def _taken(record: Mapping[str, Any], context: Any) -> bool:
    """Whether a message is done with. What nobody can read ends in the dead-letter queue."""
    try:
        job = from_message(json.loads(record["body"]))
    except (KeyError, TypeError, ValueError):
        observability.logger().error("message unreadable", message_id=record["messageId"])
        return False
    try:
        _go_on(job, context)
    except InternalError as error:
        observability.fault(error, message_id=record["messageId"])
        return False
    except Unavailable as error:
        observability.logger().warning("message kept", reason=error.reason)
        return False
    return True


def _go_on(job: Job, context: Any) -> None:
    left = erasure().go_on(job, enough=lambda: context.get_remaining_time_in_millis() < _TIME_FOR_A_PAGE_MS)
    if left is not None:
        second_look = job.again and not left.again and left.stage is Stage.EVENTS
        queue().send(left, delay=settings().settle_seconds if second_look else 0)
        return
    done = erasure().finish(job)
    observability.count("ErasuresDone", about=done.about)
