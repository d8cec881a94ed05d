"""Delivers events from the bus to subscriptions, and wakes due subscriptions by schedule."""

from __future__ import annotations

import os
from functools import cache
from typing import Any

from zoom_common.observability import count, logger
from zoom_common.wiring.subscriptions import Subscriptions, SubscriptionSettings


@cache
def subscriptions() -> Subscriptions:
    """Return the collaborators, made once per container."""
    return Subscriptions(SubscriptionSettings.from_env(os.environ))


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:  # noqa: ARG001 - Lambda's signature
    """Deliver a batch. The answer names the messages that have to come back. The schedule's event has no messages."""
    if "Records" not in event:
        woken = subscriptions().fan_out.sweep()
        if woken:
            count("SubscriptionsDue", woken)
        return {"woken": woken}
    failed = subscriptions().fan_out.process(event["Records"])
    subscriptions().tally.write()
    if failed:
        logger().warning("messages come back", messages=failed)
    return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}
