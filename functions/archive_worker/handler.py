"""Copies files from Zoom into the archive: one message of the queue names one file, and returns until that is done."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from typing import Any

from zoom_common import observability
from zoom_common.archive.transfer import Transfer, of_message
from zoom_common.deadline import Deadline
from zoom_common.errors import GatewayError, InternalError, Unavailable
from zoom_common.wiring.archive import Archive, ArchiveSettings

_PAUSE_SECONDS = 60.0
# A run is over after 300 seconds, killed or not, so its message need not be hidden for the queue's half an hour.
_HIDDEN_SECONDS = 360.0


@cache
def archive() -> Archive:
    """Return this container's archive."""
    return Archive(ArchiveSettings.from_env(os.environ))


@cache
def transfer() -> Transfer:
    """Return what copies files, with connections that stay open from one message to the next."""
    return archive().transfer()


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """Work on the messages. The answer names those that have to come back."""
    observability.begin_correlation(getattr(context, "aws_request_id", ""))
    deadline = Deadline.after(context.get_remaining_time_in_millis() / 1000)
    returned = [record["messageId"] for record in event["Records"] if not _is_done(record, deadline)]
    return {"batchItemFailures": [{"itemIdentifier": each} for each in returned]}


def _is_done(record: Mapping[str, Any], deadline: Deadline) -> bool:
    """Return whether a message is finished. An unreadable one goes to the dead-letter queue."""
    work = of_message(record["body"])
    if work is None:
        observability.logger().error("message unreadable", message_id=record["messageId"])
        return False
    _return_after(record, _HIDDEN_SECONDS)
    try:
        again = transfer().work(work["tenant"], work["recording_id"], work["file_id"], deadline)
    except GatewayError as error:
        if isinstance(error, InternalError):
            observability.fault(error, message_id=record["messageId"])
        observability.logger().warning("message kept", reason=error.reason)
        _return_after(record, _PAUSE_SECONDS)
        return False
    if again is not None:
        _return_after(record, again.seconds)
    return again is None


def _return_after(record: Mapping[str, Any], seconds: float) -> None:
    with suppress(Unavailable):
        archive().queue.return_after(record["receiptHandle"], seconds)
