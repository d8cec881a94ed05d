"""Requests of API keys by minute, in the Coordination table.

pk throttle#<subject>  sk <minutes since the epoch>  used, expires_at (TTL)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from zoom_common.aws.table import Table

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem

_MINUTE = 60


class ThrottleStore:
    """Counters of all containers. `take` raises Unavailable when DynamoDB does not answer usefully."""

    OWNED_KEYS: ClassVar = {"coordination": (r"throttle#.+", r"\d+")}

    def __init__(self, table: Table) -> None:
        self._table = table

    def take(self, subject: str, *, minute: int, limit: int, most: int) -> int:
        """Take up to `most` of the `limit` requests of a minute, in one write; 0: none are left."""
        values = {"zero": 0, "asked": most, "limit": limit, "expires_at": (minute + 2) * _MINUTE}
        change = "SET #used = if_not_exists(#used, :zero) + :asked, #expires_at = :expires_at"
        any_left = "attribute_not_exists(#used) OR #used < :limit"
        item = self._table.update_if(f"throttle#{subject}", str(minute), change, condition=any_left, values=values)
        if item is None:
            return 0
        # The last one may count beyond the limit, and gets what was below it.
        return min(most, limit - (int(item["used"]) - most))

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether a counter goes: with its key."""
        return str(item["pk"]).removeprefix("throttle#key:") in target.key_ids
