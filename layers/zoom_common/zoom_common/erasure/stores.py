"""Every store that keeps items in one of the three tables. A new store adds its class here and is erased like the rest.

A store says in `OWNED_KEYS` which keys are its own and in `erases` which of those items go, so that one pass over a
table serves all of its stores.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from functools import cache

from zoom_common.access.bearer_store import BearerStore
from zoom_common.access.store import ApiKeyStore
from zoom_common.connections.authorization_store import AuthorizationStore
from zoom_common.connections.store import ConnectionStore
from zoom_common.connections.tombstones import Tombstones
from zoom_common.edge.heartbeat_store import Heartbeats
from zoom_common.edge.throttle_store import ThrottleStore
from zoom_common.edge.webhook_signs_store import WebhookSigns
from zoom_common.erasure.records import ErasureRecords
from zoom_common.erasure_target import ErasureTarget, OwnerOfItems, StoredItem
from zoom_common.events.host_store import HostStore
from zoom_common.events.log_store import EventLog
from zoom_common.events.projection_store import ProjectionStore
from zoom_common.gateway.change_store import ChangeStore
from zoom_common.gateway.daily_store import DailyStore
from zoom_common.gateway.idempotency_store import IdempotencyStore
from zoom_common.gateway.slot_store import SlotStore
from zoom_common.gateway.usage_store import KeptUsage, LiveUsage


class TableName(StrEnum):
    """The three tables."""

    CONNECTIONS = "connections"
    EVENTS = "events"
    COORDINATION = "coordination"


STORES: Mapping[TableName, Sequence[OwnerOfItems]] = {
    TableName.CONNECTIONS: (ConnectionStore, ApiKeyStore, Tombstones, ErasureRecords),
    TableName.EVENTS: (EventLog, ProjectionStore, HostStore, KeptUsage),
    TableName.COORDINATION: (
        AuthorizationStore,
        BearerStore,
        IdempotencyStore,
        SlotStore,
        DailyStore,
        LiveUsage,
        ChangeStore,
        ThrottleStore,
        WebhookSigns,
        Heartbeats,
    ),
}
# How items are counted that no store owns.
OTHERS = "others"


def kind_of(table: TableName, item: StoredItem) -> tuple[OwnerOfItems, str] | None:
    """Return the store that owns an item and the name under which it is counted, or None when no store does."""
    pk, sk = str(item["pk"]), str(item["sk"])
    for store, kind, pk_pattern, sk_pattern in _patterns(table):
        if pk_pattern.fullmatch(pk) and sk_pattern.fullmatch(sk):
            return store, kind
    return None


def kind_to_erase(table: TableName, item: StoredItem, target: ErasureTarget) -> str | None:
    """Return the name under which an item is counted that is to be erased, or None when it stays.

    An item that no store owns goes with its tenant, if its key begins with the tenant's name.
    """
    owned = kind_of(table, item)
    if owned is None:
        return OTHERS if target.whole_tenant and str(item["pk"]).startswith(f"{target.tenant}#") else None
    store, kind = owned
    return kind if store.erases(item, target) else None


@cache
def _patterns(table: TableName) -> list[tuple[OwnerOfItems, str, re.Pattern[str], re.Pattern[str]]]:
    return [
        (store, kind, re.compile(pk, re.DOTALL), re.compile(sk, re.DOTALL))
        for store in STORES[table]
        for kind, (pk, sk) in store.OWNED_KEYS.items()
    ]
