"""What the stores of the Events table share: how AWS's failures are told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from zoom_common.errors import Unavailable


@contextmanager
def translated() -> Iterator[None]:
    """Turn what a client raises into Unavailable, without its message: it may quote what was to be stored."""
    try:
        yield
    except (ClientError, BotoCoreError):
        raise Unavailable(reason="events_table") from None
