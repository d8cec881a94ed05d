"""Changes of connections' states that are still to be published.

They are stored with the change and deleted afterwards. An entry is part of the transaction that changes the state, so
neither exists without the other. The function that changed the state publishes at once. What a crash, a lost answer or
a refusal of EventBridge leaves behind is published by the next sweep. An event may therefore be published twice, with
the same id. https://microservices.io/patterns/data/transactional-outbox.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from zoom_common import observability
from zoom_common.aws.table import Table
from zoom_common.deadline import Deadline
from zoom_common.errors import GatewayError

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem

type Change = Mapping[str, Any]

_PARTITION = "outbox"
# Seconds after which an entry counts as left behind. Until then its writer may still be publishing it.
_LEFT_BEHIND = 60.0
_ONE_EVENT = 5.0


class Outbox:
    """Entries in the Connections table. `send` puts one change on the bus and raises a GatewayError if it cannot."""

    OWNED_KEYS: ClassVar = {"outbox": (_PARTITION, r"[0-9]+#.+")}

    def __init__(self, table: Table, send: Callable[[Change], object], *, clock: Callable[[], float]) -> None:
        self._table = table
        self._send = send
        self._clock = clock

    def entry(self, change: Change) -> dict[str, Any]:
        """Return the operation that adds `change` to the transaction which makes it."""
        item = {"pk": _PARTITION, "sk": _name(change), "tenant": change["tenant"], "change": json.dumps(dict(change))}
        return {"Put": self._table.to_put(item)}

    def publish(self, *changes: Change) -> None:
        """Publish the entries that were just written.

        Never raises: the state has changed, and the sweep tries again.
        """
        for change in changes:
            self._publish(change)

    def sweep(self, deadline: Deadline) -> int:
        """Publish what was left behind, oldest first, and return the number of events. Raises Unavailable."""
        published, after, until = 0, None, f"{int((self._clock() - _LEFT_BEHIND) * 1000):014d}"
        while deadline.allows(_ONE_EVENT):
            page, after = self._table.query(
                "#pk = :pk AND #sk < :until", {"pk": _PARTITION, "until": until}, after=after
            )
            for item in page:
                if not deadline.allows(_ONE_EVENT):
                    return published
                published += self._publish(json.loads(item["change"]))
            if after is None:
                break
        return published

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether an erasure deletes an entry: the tenant's, or one that names the person or connection."""
        return target.owns(item.get("tenant")) and (
            target.whole_tenant or target.is_named_in_json(str(item["change"]).encode())
        )

    def _publish(self, change: Change) -> bool:
        try:
            self._send(change)
            self._table.delete(_PARTITION, _name(change))
        except GatewayError as error:
            observability.logger().error(
                "connection change not published", reason=error.reason, connection=change["connection_id"]
            )
            observability.count("ConnectionChangesUnpublished")
            return False
        return True


def _name(change: Change) -> str:
    return f"{int(change['at'] * 1000):014d}#{change['tenant']}#{change['connection_id']}#{change['state']}"
