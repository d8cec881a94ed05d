"""Stores the changes of meetings and webinars that webhooks report. They end cached reads early.

The module imports nothing of the gateway, so that the event processor starts without it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from zoom_common.aws.table import Table
from zoom_common.errors import DependencyFailed

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem
    from zoom_common.zoom.events import ZoomEvent

# In seconds: longer than any read is cached.
LIFE = 600

_SK = "change"

_FAMILIES = ("meeting.", "webinar.")


class ChangeStore:
    """When webhooks last reported a change of an account's meetings and webinars. `clock` gives epoch seconds."""

    OWNED_KEYS: ClassVar = {"coordination": (r"change#.+#.+", r"change")}

    def __init__(self, table: Table, *, clock: Callable[[], float]) -> None:
        self._table = table
        self._clock = clock

    def on_event(self, event: ZoomEvent) -> None:
        """Store the time of a change of the event's subject. Joins and leaves change no read of the meeting itself.

        When DynamoDB does not answer, nothing is raised, because cached reads expire soon in any case.
        """
        about = event.name.startswith(_FAMILIES) and "participant" not in event.name
        if about and event.account_id is not None and event.subject is not None:
            now = self._clock()
            item = {"pk": _pk(event.account_id, event.subject), "sk": _SK, "at": now, "expires_at": int(now) + LIFE}
            with suppress(DependencyFailed):
                self._table.put(item)

    def last_change(self, account_id: str, subject: str) -> float | None:
        """Return when `subject` (`meetings/<id>`) last changed, in epoch seconds, or None. Raises Unavailable."""
        item = self._table.get(_pk(account_id, subject), _SK)
        return float(item["at"]) if item else None

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:  # noqa: ARG004 - every store's signature
        """Return False: an item is a meeting's number, kept for ten minutes, and identifies no person."""
        return False


def _pk(account_id: str, subject: str) -> str:
    return f"change#{account_id}#{subject}"
