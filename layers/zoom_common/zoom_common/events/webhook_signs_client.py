"""Notes when an app's endpoint was last challenged, and when a delivery was last refused. Standard library only.

Written by the webhook itself: of a delivery that it refuses nobody else hears. Read by `edge.webhook_signs_store`.
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from zoom_common.aws.json_client import AwsCallFailed, AwsJsonClient
from zoom_common.deadline import Deadline

SIGNS = "heartbeat#webhook"
ENDPOINT = "endpoint"
CHALLENGED = "challenged_at"
_KEPT = 120 * 86_400
# Zoom, or whoever knocks, waits for the answer: a note that takes longer is given up.
_SECONDS = 0.6
_PAUSE = 60.0


def app_sign(app: str) -> str:
    """The sort key of one Zoom app's signs."""
    return f"app#{app}"


def rejected_at(reason: str) -> str:
    """The attribute of the endpoint's signs that says when a delivery was last refused for `reason`."""
    return f"rejected_{reason}_at"


class SignWriter:
    """One note of a kind a minute and container at most, or a flood of forgeries would be a flood of writes."""

    def __init__(self, table: str, client: AwsJsonClient, *, clock: Callable[[], float]) -> None:
        self._table = table
        self._client = client
        self._clock = clock
        self._tried: dict[tuple[str, str], float] = {}

    def note(self, of: str, what: str, deadline: Deadline) -> None:
        """Write down that `what` happened now. Never raises: no answer to Zoom depends on it."""
        now = self._clock()
        if now - self._tried.get((of, what), float("-inf")) < _PAUSE:
            return
        self._tried[of, what] = now
        try:
            self._client.call("DynamoDB_20120810.UpdateItem", self._update(of, what, now), _soon(deadline))
        except AwsCallFailed:
            return

    def _update(self, of: str, what: str, now: float) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "Key": {"pk": {"S": SIGNS}, "sk": {"S": of}},
            "UpdateExpression": "SET #what = :now, expires_at = :end",
            "ExpressionAttributeNames": {"#what": what},
            "ExpressionAttributeValues": {":now": {"N": f"{now:.0f}"}, ":end": {"N": f"{now + _KEPT:.0f}"}},
        }


def _soon(deadline: Deadline) -> Deadline:
    return Deadline(min(deadline.at, deadline.clock() + _SECONDS), deadline.clock)
