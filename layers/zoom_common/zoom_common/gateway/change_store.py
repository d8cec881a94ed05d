"""Word of changes, from webhooks to the containers that remember reads: one short-lived item per changed thing."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from zoom_common.aws.table import Table
from zoom_common.errors import DependencyFailed

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem
    from zoom_common.zoom.events import ZoomEvent  # whoever asks, and is never told, does not need it

# Longer than any read is remembered.
LIFE = 600
_SK = "change"
_FAMILIES = ("meeting.", "webinar.")


class ChangeStore:
    """When a Zoom account's meetings and webinars were last said to have changed. `clock` gives epoch seconds."""

    OWNED_KEYS: ClassVar = {"coordination": (r"change#.+#.+", r"change")}

    def __init__(self, table: Table, *, clock: Callable[[], float]) -> None:
        self._table = table
        self._clock = clock

    def told(self, event: ZoomEvent) -> None:
        """A webhook tells of its subject. Who comes and goes changes nothing that is read from a meeting itself.

        A table that does not answer is no reason to lose an event: what is remembered is forgotten soon by itself.
        """
        about = event.name.startswith(_FAMILIES) and "participant" not in event.name
        if about and event.account_id is not None and event.subject is not None:
            now = self._clock()
            item = {"pk": _pk(event.account_id, event.subject), "sk": _SK, "at": now, "expires_at": int(now) + LIFE}
            with suppress(DependencyFailed):
                self._table.put(item)

    def last_change(self, account_id: str, subject: str) -> float | None:
        """When `subject` (`meetings/<id>`) last changed, in epoch seconds, if it was lately. Raises Unavailable."""
        item = self._table.get(_pk(account_id, subject), _SK)
        return float(item["at"]) if item else None

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:  # noqa: ARG004 - every store's signature
        """Return False: a change is a meeting's number for ten minutes, and names nobody."""
        return False


def _pk(account_id: str, subject: str) -> str:
    return f"change#{account_id}#{subject}"
