"""The stores that an erasure goes through, and the people that events and projections name."""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from functools import cache
from typing import Any

from zoom_common.access.bearers import BearerStore
from zoom_common.access.key_store import ApiKeyStore
from zoom_common.archive.ledger import Ledger
from zoom_common.archive.policy import PolicyStore
from zoom_common.connections.link_store import AuthorizationStore
from zoom_common.connections.outbox import Outbox
from zoom_common.connections.store import ConnectionStore
from zoom_common.connections.tombstones import Tombstones
from zoom_common.daily_counts import DailyCounts
from zoom_common.erasure.records import ErasureRecords
from zoom_common.erasure_target import ErasureTarget, OwnerOfItems, StoredItem
from zoom_common.events.log.entries import content_of
from zoom_common.events.log.store import EventLog
from zoom_common.events.projections.keys import USER, USERS
from zoom_common.events.projections.record import Record
from zoom_common.events.projections.store import ProjectionStore
from zoom_common.events.routing import HostStore
from zoom_common.events.subscriptions.delivery_store import DeliveryStore
from zoom_common.events.subscriptions.store import SubscriptionStore
from zoom_common.events.webhook.status import WebhookStatusStore
from zoom_common.gateway.change_store import ChangeStore
from zoom_common.gateway.host_calendar import HostCalendar
from zoom_common.gateway.idempotency_store import IdempotencyStore
from zoom_common.gateway.usage import KeptUsage, LiveUsage
from zoom_common.heartbeats import Heartbeats
from zoom_common.jobs.store import JobStore
from zoom_common.ratelimit.quotas import DailyStore, ThrottleStore
from zoom_common.ratelimit.slots import SlotStore

# Members that name one person together: first the address, then the id.
_ANYWHERE = (("host_email", "host_id"), ("operator", "operator_id"))

_PARTICIPANT = (("email", "id"), ("email", "participant_user_id"))

_USER = (("email", "id"),)

_RECORD = (("host_email", "host_id"), ("email", "zoom_user_id"))


def zoom_user_ids(item: Mapping[str, Any], email: str) -> frozenset[str]:
    """Return the Zoom user ids that an item of the Events table names for a case-folded e-mail address.

    The item has plain values, and an entry its whole `body`. An unreadable body names none.
    """
    try:
        found = set(_in_record(item, email) if "record" in item else _in_entry(item, email))
    except (ValueError, TypeError, KeyError, RecursionError, zlib.error):
        return frozenset()
    return frozenset(each for each in found if each)


def _in_entry(item: Mapping[str, Any], email: str) -> Iterator[str]:
    document = json.loads(content_of(item) or b"{}")
    of_a_user = str(item.get("type", "")).startswith("zoom.user.")
    waiting: list[tuple[str, Any]] = [("", document)]
    while waiting:
        name, value = waiting.pop()
        if isinstance(value, list):
            waiting += [(name, each) for each in value]
        elif isinstance(value, dict):
            yield from _paired(value, _ANYWHERE, email)
            if name == "participant":
                yield from _paired(value, _PARTICIPANT, email)
            if of_a_user and name in {"object", "old_object"}:
                yield from _paired(value, _USER, email)
            waiting += value.items()


def _in_record(item: Mapping[str, Any], email: str) -> Iterator[str]:
    values = Record.from_json(zlib.decompress(item["record"])).values
    yield from _paired(values, _RECORD, email)
    if str(item["pk"]).endswith(f"#{USERS}"):
        yield from _paired(values | {"id": str(item["sk"]).removeprefix(USER)}, _USER, email)


def _paired(value: Mapping[str, Any], pairs: tuple[tuple[str, str], ...], email: str) -> Iterator[str]:
    for address, name in pairs:
        said, user = value.get(address), value.get(name)
        if isinstance(said, str) and said.casefold() == email and isinstance(user, str):
            yield user


class TableName(StrEnum):
    """The three tables."""

    CONNECTIONS = "connections"
    EVENTS = "events"
    COORDINATION = "coordination"


STORES: Mapping[TableName, Sequence[OwnerOfItems]] = {
    TableName.CONNECTIONS: (ConnectionStore, Outbox, ApiKeyStore, Tombstones, ErasureRecords, SubscriptionStore),
    TableName.EVENTS: (
        EventLog,
        ProjectionStore,
        HostStore,
        KeptUsage,
        DeliveryStore,
        JobStore,
        Ledger,
        PolicyStore,
    ),
    TableName.COORDINATION: (
        AuthorizationStore,
        BearerStore,
        IdempotencyStore,
        SlotStore,
        DailyStore,
        LiveUsage,
        ChangeStore,
        HostCalendar,
        ThrottleStore,
        WebhookStatusStore,
        Heartbeats,
        DailyCounts,
    ),
}

# Items without an owning store are counted under this name.
OTHERS = "others"


def kind_of(table: TableName, item: StoredItem) -> tuple[OwnerOfItems, str] | None:
    """Return the store that owns an item and the name under which it is counted, or None when no store does."""
    pk, sk = str(item["pk"]), str(item["sk"])
    for store, kind, pk_pattern, sk_pattern in _patterns(table):
        if pk_pattern.fullmatch(pk) and sk_pattern.fullmatch(sk):
            return store, kind
    return None


def kind_to_erase(table: TableName, item: StoredItem, target: ErasureTarget) -> str | None:
    """Return the name under which an item to erase is counted, or None when the item stays.

    An item without an owning store is erased with its tenant, if its key begins with the tenant's name.
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
