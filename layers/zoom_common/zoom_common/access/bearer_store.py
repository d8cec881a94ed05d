"""Where short-lived bearers are kept: one item each in the Coordination table, gone soon after their end.

pk bearer#<sha256>  sk bearer  key_id, opened_by, until, connection, expires_at (TTL)
"""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any, ClassVar

from zoom_common.access.bearers import Bearer
from zoom_common.aws.table import Table

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem

_SORT = "bearer"
_AWAY = "bearer_store_unavailable"


class BearerStore:
    """Bearers by digest. Both methods raise Unavailable when the table cannot be asked."""

    OWNED_KEYS: ClassVar = {"coordination": (r"bearer#.+", r"bearer")}

    def __init__(self, coordination: Table) -> None:
        self._table = coordination.with_reason(_AWAY)

    def put(self, bearer: Bearer) -> None:
        """Keep a new bearer until it ends."""
        item: dict[str, Any] = {
            **_key(bearer.digest),
            "key_id": {"S": bearer.key_id},
            "opened_by": {"B": bearer.opened_by},
            "until": {"N": str(bearer.expires_at)},
            "expires_at": {"N": str(ceil(bearer.expires_at))},
        }
        if bearer.connection is not None:
            item["connection"] = {"S": bearer.connection}
        self._table.call("put_item", Item=item)

    def get(self, digest: bytes) -> Bearer | None:
        """The bearer, also one whose end has passed and that is still there; or None."""
        item = self._table.call("get_item", Key=_key(digest), ConsistentRead=True).get("Item")
        if item is None:
            return None
        return Bearer(
            digest=digest,
            key_id=item["key_id"]["S"],
            opened_by=item["opened_by"]["B"],
            expires_at=float(item["until"]["N"]),
            connection=item.get("connection", {}).get("S"),
        )

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether a bearer goes: with its key, or with the connection that it is narrowed to."""
        return item["key_id"] in target.key_ids or item.get("connection") in target.connection_ids


def _key(digest: bytes) -> dict[str, Any]:
    return {"pk": {"S": f"bearer#{digest.hex()}"}, "sk": {"S": _SORT}}
