"""Counts of a day in DynamoDB: one item per counter and UTC day, taken from in small batches."""

from __future__ import annotations

from dataclasses import dataclass

from zoom_common.aws.table import ConditionFailed, Table

DAY = 86_400


@dataclass(frozen=True, slots=True)
class Batch:
    """`calls` that this container may make; `left` is what the counter then still holds for everybody."""

    calls: int
    left: int


class DailyStore:
    """Counters of all containers. Methods raise Unavailable when DynamoDB does not answer usefully."""

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


def _key(counter: str, day: int) -> tuple[str, str]:
    return f"daily#{counter}", str(day)
