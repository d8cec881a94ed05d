"""Whether something is about whom an erasure is about."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from zoom_common.connections.model import Connection
from zoom_common.events.log_items import day_partition

_APART = ("unrouted.", "malformed.", "hosts.")

type Item = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A tenant's person, by Zoom user id, e-mail address or both; without either, the whole tenant."""

    tenant: str
    zoom_user_id: str | None = None
    email: str | None = None
    connection_ids: frozenset[str] = frozenset()  # theirs, as they are found: usage and links are kept by these
    key_ids: frozenset[str] = frozenset()  # the keys that go: bearers are kept by these

    @property
    def everything(self) -> bool:
        """Whether the whole tenant is meant."""
        return self.zoom_user_id is None and self.email is None

    def takes(self, connection: Connection) -> bool:
        """Whether a connection of the tenant goes."""
        return self.everything or (self.zoom_user_id is not None and connection.zoom_user_id == self.zoom_user_id)

    def takes_event_item(self, item: Item, parts: Callable[[Item], bytes]) -> bool:
        """Whether an item of the Events table goes: the tenant's; for a person also what is kept apart, as nobody's."""
        key: str = item["pk"]["S"]
        if key.startswith(f"{self.tenant}#"):
            return self.everything or self._named_in(_content(item, parts), _labels(item))
        return key.startswith(_APART) and not self.everything and self._named_in(_content(item, parts), _labels(item))

    def takes_coordination_item(self, item: Item) -> bool:
        """Whether an item of the Coordination table goes: links, codes, bearers, stored answers, counts of calls."""
        if self.key_ids and item.get("key_id", {}).get("S") in self.key_ids:
            return True
        if not self._tenants(item):
            # What carries no tenant is counted by Zoom's own ids: one's daily calls, one's meetings that changed.
            return "tenant" not in item and "whose" not in item and self._named_in(b"", _strings(item))
        return self.everything or self._named_in(item.get("body", {}).get("B", b""), _strings(item))

    @staticmethod
    def line_of(owner: str, event_id: str, received_at_ms: int) -> dict[str, Any]:
        """The key of an entry's line in the log."""
        day = datetime.fromtimestamp(received_at_ms // 1000, UTC).date()
        return {"pk": {"S": day_partition(owner, day)}, "sk": {"S": f"{received_at_ms:013}#{event_id}"}}

    def _tenants(self, item: Item) -> bool:
        whose: str = item.get("whose", {}).get("S", "")
        return item.get("tenant", {}).get("S") == self.tenant or whose.startswith(f"{self.tenant}#")

    def _named_in(self, content: bytes, labels: Iterator[str]) -> bool:
        """Whether the person is named, whatever the case of the letters."""
        needles = [each.lower() for each in (self.zoom_user_id, self.email, *self.connection_ids) if each]
        text = "\n".join(labels).lower()
        return any(needle in text or needle.encode() in content.lower() for needle in needles)


def _labels(item: Item) -> Iterator[str]:
    return (item[name]["S"] for name in ("pk", "sk", "subject", "host") if "S" in item.get(name, {}))


def _strings(item: Item) -> Iterator[str]:
    return (value["S"] for value in item.values() if "S" in value)


def _content(item: Item, parts: Callable[[Item], bytes]) -> bytes:
    if "record" in item:
        return zlib.decompress(item["record"]["B"])
    if item["sk"]["S"] != "event":
        return b""
    body: bytes = item["body"]["B"] if "body" in item else parts(item)
    return zlib.decompress(body) if item["deflated"]["BOOL"] else body
