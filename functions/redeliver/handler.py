"""Works for one subscription at a time: verifies targets, retries, catches up, and keeps orders and rates."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from zoom_common.deadline import Deadline
from zoom_common.errors import DependencyFailed, InternalError
from zoom_common.events.subscriptions.fanout import read_wake
from zoom_common.observability import fault, logger
from zoom_common.wiring.subscriptions import Subscriptions, SubscriptionSettings

# Work is done in short slices, so that few workers serve many subscriptions in turn. Half of the time is a reserve.
_SLICE_SECONDS = 60.0
# A message that is returned too often would go to the dead-letter queue, although its subscription has not failed.
_MOST_RETURNS = 50


@cache
def subscriptions() -> Subscriptions:
    """Return the collaborators, made once per container."""
    return Subscriptions(SubscriptionSettings.from_env(os.environ))


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Work on messages. The answer names those that have to come back: there is more to do, or they failed."""
    deadline = Deadline.after(min(context.get_remaining_time_in_millis() / 1000, _SLICE_SECONDS))
    failed = [each["messageId"] for each in event["Records"] if not _worked(each, deadline)]
    subscriptions().tally.write()
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}


def _worked(record: Mapping[str, Any], deadline: Deadline) -> bool:
    try:
        tenant, name = read_wake(record["body"])
    except (KeyError, TypeError, ValueError):
        logger().error("message unreadable", message_id=record["messageId"])
        return False
    try:
        more_after = subscriptions().drain.drain(tenant, name, deadline)
    except DependencyFailed as error:
        if isinstance(error, InternalError):
            fault(error, subscription=name)
        logger().warning("deliveries wait", reason=error.reason, subscription=name)
        return False
    if more_after is None or int(record["attributes"]["ApproximateReceiveCount"]) >= _MOST_RETURNS:
        return True  # what is left has a due time, so the sweep finds it
    with suppress(DependencyFailed):
        subscriptions().wakes.return_after(record["receiptHandle"], more_after)
    return False
