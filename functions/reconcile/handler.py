"""Finds what Zoom reports and nobody told us: by schedule for all connections, from its queue for one at a time.

With each round it also measures whether Zoom's deliveries come at all.
"""

from __future__ import annotations

import json
import os
import time
from functools import cache, partial
from typing import Any

from zoom_common.aws import clients
from zoom_common.aws.table import COORDINATION, Table
from zoom_common.deadline import Deadline
from zoom_common.edge.observability import count, fault, logger, measure
from zoom_common.edge.reconcile import Reconciliation
from zoom_common.edge.settings.reconcile import Settings
from zoom_common.edge.webhook_health import WebhookHealth
from zoom_common.edge.webhook_secrets_client import read_webhook_secrets
from zoom_common.edge.webhook_signs_store import WebhookSigns
from zoom_common.errors import GatewayError, InternalError
from zoom_common.events.reconciliation.reconciler import SETTLED_SECONDS
from zoom_common.events.webhook_secrets import UnusableSecrets


@cache
def reconciliation() -> Reconciliation:
    """The wiring, once per container."""
    return Reconciliation(Settings.from_env(os.environ))


@cache
def webhook_health() -> WebhookHealth:
    """What the hourly look needs."""
    settings = Settings.from_env(os.environ)
    return WebhookHealth(
        signs=WebhookSigns(
            Table(clients.boto3_client("dynamodb"), settings.coordination_table, COORDINATION), time.time
        ),
        secrets=partial(read_webhook_secrets, clients.boto3_client("secretsmanager"), settings.webhook_secret_arn),
        measure=measure,
        clock=time.time,
    )


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Hand out all connections, or work through messages; those named in the answer come back."""
    deadline = Deadline.after(context.get_remaining_time_in_millis() / 1000)
    if "Records" in event:
        failed = [each["messageId"] for each in event["Records"] if not _worked(json.loads(each["body"]), deadline)]
        return {"batchItemFailures": [{"itemIdentifier": message} for message in failed]}
    if event.get("action") == "reconcile":
        try:
            return _one(event, deadline)
        except GatewayError as error:
            return {"outcome": "failed", "reason": error.reason}
    apps = _look()
    if event.get("action") == "webhook_health":
        return {"apps": len(apps)}
    handed_out = reconciliation().hand_out()
    logger().info("connections handed out", connections=handed_out)
    again = reconciliation().look_again(apps)
    if again:
        count("EventsLookedAtAgain", again)
    return {"handed_out": handed_out, "looked_at_again": again}


def _look() -> list[str]:
    """The Zoom apps that were looked at; none when that failed, which must not keep the round from starting."""
    try:
        return webhook_health().look()
    except (GatewayError, UnusableSecrets) as error:
        if isinstance(error, InternalError):
            fault(error)
        count("WebhookHealthUnknown")
        logger().warning("webhook health unknown", reason=error.reason)
        return []


def _worked(work: dict[str, Any], deadline: Deadline) -> bool:
    try:
        _one(work, deadline)
    except GatewayError as error:
        if isinstance(error, InternalError):
            fault(error, connection=str(work.get("connection_id")))
        count("ReconcileFailed")
        logger().warning("not reconciled", reason=error.reason, connection=work.get("connection_id"))
        return False
    return True


def _one(work: dict[str, Any], deadline: Deadline) -> dict[str, Any]:
    """One connection. By hand, `settled_seconds` changes the two hours and `at` (epoch seconds) the days looked at."""
    settled, at = float(work.get("settled_seconds", SETTLED_SECONDS)), work.get("at")
    done = reconciliation().reconcile(work["tenant"], work["connection_id"], deadline, settled=settled, at=at)
    if done is None:
        return {"outcome": "not_in_use"}
    count("InstancesCompared", done.compared)
    if done.missing:
        count("EventsReconciled", done.missing)
        logger().warning("events were missing", connection=work["connection_id"], missing=done.missing)
    for what, reason in done.partial.items():
        count("ReconciledInPart", what=what, reason=reason)
    return {
        "outcome": "reconciled",
        "compared": done.compared,
        "missing": done.missing,
        "complete": done.complete,
        "partial": dict(done.partial),
        "unseen": dict(done.unseen),
    }
