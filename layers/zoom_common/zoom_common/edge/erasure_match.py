"""Whether something is about whom an erasure is about."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from zoom_common.connections.model import Connection
from zoom_common.events.log_items import day_partition

_APART = ("unrouted.", "malformed.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A tenant's person, by Zoom user id, e-mail address or both; without either, the whole tenant."""

    tenant: str
    zoom_user_id: str | None = None
    email: str | None = None
    connection_ids: frozenset[str] = frozenset()  # the person's, as they are found: usage is kept by these

    @property
    def everything(self) -> bool:
        """Whether the whole tenant is meant."""
        return self.zoom_user_id is None and self.email is None

    def takes(self, connection: Connection) -> bool:
        """Whether a connection of the tenant goes."""
        return self.everything or (self.zoom_user_id is not None and connection.zoom_user_id == self.zoom_user_id)

    def owns(self, item: Mapping[str, Any]) -> bool:
        """Whether an item of the Events table is the tenant's; for a person, also what is kept apart, as nobody's."""
        key: str = item["pk"]["S"]
        return key.startswith(f"{self.tenant}#") or (not self.everything and key.startswith(_APART))

    def names(self, item: Mapping[str, Any], parts: Callable[[Mapping[str, Any]], bytes]) -> bool:
        """Whether the item names the person, in its keys or its content."""
        if self.everything:
            return True
        needles = [each.lower().encode() for each in (self.zoom_user_id, self.email, *self.connection_ids) if each]
        text = _content(item, parts).lower() + repr([item["pk"], item["sk"], item.get("subject")]).lower().encode()
        return any(needle in text for needle in needles)

    @staticmethod
    def line_of(owner: str, event_id: str, received_at_ms: int) -> dict[str, Any]:
        """The key of an entry's line in the log."""
        day = datetime.fromtimestamp(received_at_ms // 1000, UTC).date()
        return {"pk": {"S": day_partition(owner, day)}, "sk": {"S": f"{received_at_ms:013}#{event_id}"}}


def _content(item: Mapping[str, Any], parts: Callable[[Mapping[str, Any]], bytes]) -> bytes:
    if "record" in item:
        return zlib.decompress(item["record"]["B"])
    if item["sk"]["S"] != "event":
        return b""
    body: bytes = item["body"]["B"] if "body" in item else parts(item)
    return zlib.decompress(body) if item["deflated"]["BOOL"] else body
