"""Stores of the edge over DynamoDB in memory: their own conditions decide, nothing is imitated.

`tests/stores` holds each of them to what it does over moto.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.fakes import tables
from tests.fakes.dynamodb import MemoryDynamoDB
from zoom_common.aws.table import Table
from zoom_common.errors import Unavailable
from zoom_common.events.webhook.status import WebhookStatusStore
from zoom_common.ratelimit.quotas import Batch, ThrottleStore


class MemoryThrottle(ThrottleStore):
    """Requests of keys by minute. `writes` counts what was tried; `away` models a table that does not answer."""

    def __init__(self, *, away: bool = False, dynamodb: MemoryDynamoDB | None = None) -> None:
        self.dynamodb = tables.in_memory(dynamodb)
        super().__init__(Table(self.dynamodb.client(), tables.COORDINATION))
        if away:
            self.dynamodb.fails = Unavailable(reason="away")
        self.writes = 0

    def take(self, counter: str, *, period: int, limit: int, most: int) -> Batch | None:
        self.writes += 1
        return super().take(counter, period=period, limit=limit, most=most)

    @property
    def used(self) -> dict[tuple[str, int], int]:
        """What was counted, by key and minute."""
        items = self.dynamodb.tables[tables.COORDINATION].items()
        return {
            (each["pk"]["S"].removeprefix("throttle#"), int(each["sk"]["S"])): int(each["used"]["N"]) for each in items
        }


class MemoryWebhookStatus(WebhookStatusStore):
    """What is known of deliveries; `remembered` counts how often the age of secrets was written."""

    def __init__(self, *, clock: Callable[[], float], dynamodb: MemoryDynamoDB | None = None) -> None:
        self.dynamodb = tables.in_memory(dynamodb)
        super().__init__(Table(self.dynamodb.client(), tables.COORDINATION), clock)
        self.remembered = 0

    def set(self, of: str, **attributes: float) -> None:
        """Put the attributes there that the webhook's own client writes."""
        self.table.put({"pk": "heartbeat#webhook", "sk": of, **attributes})

    def remember_secrets(self, app: str, since: Mapping[str, float]) -> None:
        self.remembered += 1
        super().remember_secrets(app, since)
