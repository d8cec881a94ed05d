"""Counts of a day in DynamoDB: one item per counter and UTC day, taken from in small batches."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, ClassVar

from zoom_common.aws.table import ConditionFailed, Table

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Batch:
    """`calls` that this container may make; `left` is what the counter then still holds for everybody."""

    calls: int
    left: int


class DailyStore:
    """Counters of all containers. Methods raise Unavailable when DynamoDB does not answer usefully."""

    OWNED_KEYS: ClassVar = {"coordination": (r"daily#.+", r"\d+")}

    def __init__(self, table: Table) -> None:
        self._table = table

    def take(self, counter: str, *, day: int, limit: int, most: int) -> Batch | None:
        """Take up to `most` calls of `limit` for the day that is `day` days after the epoch; None: none are left."""
        wanted = most
        while wanted > 0:
            values = {"calls": wanted, "highest": limit - wanted, "expires_at": (day + 2) * DAY}
            change = "SET #used = if_not_exists(#used, :zero) + :calls, #expires_at = :expires_at"
            fits = "attribute_not_exists(#used) OR #used <= :highest"
            try:
                item = self._table.update(*_key(counter, day), change, condition=fits, values=values | {"zero": 0})
            except ConditionFailed as failed:
                wanted = min(wanted - 1, limit - int((failed.item or {}).get("used", 0)))
            else:
                return Batch(wanted, max(0, limit - int(item["used"])))
        return None

    def exhaust(self, counter: str, *, day: int, limit: int) -> None:
        """Count the day as spent: Zoom says so, whoever spent it."""
        values = {"limit": limit, "expires_at": (day + 2) * DAY}
        lower = "attribute_not_exists(#used) OR #used < :limit"
        change = "SET #used = :limit, #expires_at = :expires_at"
        self._table.update_if(*_key(counter, day), change, condition=lower, values=values)

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether a count goes: the person's own, by exact key, in accounts of the tenant's connections."""
        users = {*target.zoom_user_ids, *([target.email] if target.email else [])}
        return item["pk"] in {
            _key(user_counter(account, user), 0)[0] for account in target.account_ids for user in users
        }


def user_counter(account: str, user: str) -> str:
    """The counter of one user of an account: a digest, because a user may be named by e-mail address."""
    return f"{account}#user#{sha256(user.lower().encode()).hexdigest()[:32]}"


def _key(counter: str, day: int) -> tuple[str, str]:
    return f"daily#{counter}", str(day)
