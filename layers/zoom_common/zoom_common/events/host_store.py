"""Whose meeting it is, for events that do not say: chat, quality, feedback and realtime streams name the meeting alone.

Events table: pk hosts.<app>#<meeting's UUID or number>, sk host. No tenant's id has a dot, so this is nobody's
partition; what it holds came from events that the same app's secret verified.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from zoom_common.aws.table import Table
from zoom_common.zoom.events import ZoomEvent

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem

_SK = "host"
_MOST_KNOWN = 10_000


class HostStore:
    """Hosts by app and meeting. Every method raises Unavailable when the table cannot be used."""

    OWNED_KEYS: ClassVar = {"others": (r"hosts\..+#.+", r"host")}

    def __init__(self, events: Table, *, clock: Callable[[], float], retention_days: int = 30) -> None:
        self._table = events
        self._clock = clock
        self._retention = retention_days * 86_400
        self._known: dict[tuple[str, str], str] = {}

    def learn(self, app: str, event: ZoomEvent) -> None:
        """Note who hosts what the event is about; once per container, UUID and number."""
        host = event.host
        for name in event.meeting_names if host is not None else ():
            if host is not None and self._known.get((app, name)) != host:
                self._put(app, name, host)

    def find(self, app: str, event: ZoomEvent) -> str | None:
        """The Zoom user who hosts what the event is about, as far as events of this app have told."""
        for name in event.meeting_names:
            host = self._known.get((app, name)) or self._get(app, name)
            if host is not None:
                return host
        return None

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether a host goes: the person, in an app that the tenant is connected by."""
        app = str(item["pk"]).removeprefix("hosts.").partition("#")[0]
        return app in target.client_ids and target.names([item["host"]])

    def _put(self, app: str, name: str, host: str) -> None:
        item = {
            "pk": {"S": _pk(app, name)},
            "sk": {"S": _SK},
            "host": {"S": host},
            "expires_at": {"N": str(int(self._clock()) + self._retention)},
        }
        self._table.call("put_item", Item=item)
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known[app, name] = host

    def _get(self, app: str, name: str) -> str | None:
        key = {"pk": {"S": _pk(app, name)}, "sk": {"S": _SK}}
        item = self._table.call("get_item", Key=key, ConsistentRead=True).get("Item")
        return item["host"]["S"] if item else None


def _pk(app: str, name: str) -> str:
    return f"hosts.{app}#{name}"
