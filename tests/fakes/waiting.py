"""Waits for the deployed system: for what is queued, and for what the simulated Zoom has yet to deliver."""

from __future__ import annotations

from typing import Any

import httpx

from dev.waiting import PATIENCE, wait_until

CALL_SECONDS = 300.0
"""Seconds that one HTTP call may take. API Gateway ends it after 30; the rest is for a busy machine."""
_COUNTS = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible")


def queued(sqs: Any, url: str) -> int:
    """How many messages stand in a queue, or are being worked on."""
    found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(_COUNTS))["Attributes"]
    return sum(int(found[name]) for name in _COUNTS)


def wait_until_processed(sqs: Any, url: str, *, at_most: int = 0) -> None:
    """Wait until no more than `at_most` messages are left in a queue. Raises Stalled.

    A message whose worker was restarted is hidden for the queue's visibility timeout, so the patience is longer.
    """
    hidden = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    wait_until(
        f"the queue {url.rpartition('/')[2]} to be processed",
        lambda: queued(sqs, url),
        lambda count: count <= at_most,
        patience=PATIENCE + float(hidden["VisibilityTimeout"]),
    )


def wait_until_delivered(zoom: httpx.Client) -> None:
    """Wait until the simulated Zoom, whose control API `zoom` calls, has nothing left to deliver. Raises Stalled."""

    def idle() -> dict[str, Any]:
        answer = zoom.get("/idle", params={"timeout": 5}, timeout=PATIENCE)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    wait_until("Zoom's deliveries", idle, lambda found: found["idle"])
