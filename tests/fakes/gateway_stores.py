"""The gateway's stores over DynamoDB in memory, with faults: their own conditions decide, nothing is imitated.

`tests/stores` holds each of them to what it does over moto. `fails` is raised by everything from then on.
"""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from dataclasses import asdict
from typing import Any

from tests.fakes import tables
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.dynamodb_view import View
from zoom_common.aws.items import from_item
from zoom_common.aws.table import Table
from zoom_common.gateway import change_store, idempotency_store
from zoom_common.gateway.change_store import ChangeStore
from zoom_common.gateway.host_calendar import HostCalendar
from zoom_common.gateway.idempotency_store import Entry, IdempotencyStore
from zoom_common.ratelimit.quotas import Batch, DailyStore
from zoom_common.ratelimit.slots import Bucket, NoSlot, Slot, SlotStore

_NOW = 1_900_000_000.0


class _Coordination:
    """A Coordination table in memory, for one store."""

    def __init__(self, dynamodb: MemoryDynamoDB | None = None) -> None:
        self.dynamodb = tables.in_memory(dynamodb)
        self.stored = self.dynamodb.tables[tables.COORDINATION]
        self.table = Table(self.dynamodb.client(), tables.COORDINATION)

    @property
    def fails(self) -> Exception | None:
        return self.dynamodb.fails

    @fails.setter
    def fails(self, error: Exception | None) -> None:
        self.dynamodb.fails = error


class MemorySlots(_Coordination, SlotStore):
    """Send slots; `asked` counts how often one was."""

    def __init__(self, dynamodb: MemoryDynamoDB | None = None) -> None:
        _Coordination.__init__(self, dynamodb)
        SlotStore.__init__(self, self.table)
        self.asked = 0

    @property
    def next(self) -> dict[tuple[str, str], int]:
        """The first slot that is free in each lane, in microseconds."""
        return {self.stored.key(item): int(item["next"]["N"]) for item in self.stored.items() if "next" in item}

    def take(self, account: str, label: str, bucket: Bucket, **more: Any) -> Slot | NoSlot:
        self.asked += 1
        return super().take(account, label, bucket, **more)


class MemoryCounters(_Coordination, DailyStore):
    """Daily counters; `batches` are the sizes of what was taken."""

    def __init__(self, dynamodb: MemoryDynamoDB | None = None) -> None:
        _Coordination.__init__(self, dynamodb)
        DailyStore.__init__(self, self.table)
        self.batches: list[int] = []
        self.used = self._used()

    def take(self, counter: str, *, period: int, limit: int, most: int) -> Batch | None:
        batch = super().take(counter, period=period, limit=limit, most=most)
        self.batches += [batch.calls] if batch else []
        return batch

    def _used(self) -> MutableMapping[tuple[str, int], int]:
        def write(name: tuple[str, int], used: int) -> None:
            pk, sk = DailyStore.key(*name)
            self.table.put({"pk": pk, "sk": sk, "used": used})

        return View(
            table=self.stored,
            place_of=lambda name: DailyStore.key(*name),
            name_of=lambda pk, sk: (pk.removeprefix("daily#"), int(sk)),
            read=lambda item: int(item["used"]["N"]),
            write=write,
        )


class MemoryKeys(_Coordination, IdempotencyStore):
    """Records of Idempotency-Keys by key; whoever they are of has a tenant and a connection."""

    def __init__(self, dynamodb: MemoryDynamoDB | None = None) -> None:
        _Coordination.__init__(self, dynamodb)
        IdempotencyStore.__init__(self, self.table)
        self.entries = self._entries()

    def begin(
        self, key: str, fingerprint: str, *, whose: str, owner: str, now: float, lease_until: float
    ) -> Entry | None:
        assert whose.count("#") == 1
        return super().begin(key, fingerprint, whose=whose, owner=owner, now=now, lease_until=lease_until)

    def _entries(self) -> MutableMapping[str, Entry]:
        def write(key: str, entry: Entry) -> None:
            values = {name: value for name, value in asdict(entry).items() if name != "answer"}
            answer = asdict(entry.answer) if entry.answer is not None else {}
            whole = {"pk": key, "sk": "idempotency", "expires_at": int(_NOW) + idempotency_store.LIFE}
            self.table.put(whole | values | answer | {"step": str(entry.step)})

        def name_of(pk: str, sk: str) -> str | None:
            return None if "key" in (self.stored.find((pk, sk)) or {}) else pk

        return View(
            table=self.stored,
            place_of=lambda key: (key, "idempotency"),
            name_of=name_of,
            read=lambda item: idempotency_store._entry(from_item(item)),
            write=write,
        )


class MemoryCalendar(_Coordination, HostCalendar):
    """When hosts' meetings are planned."""

    def __init__(self, dynamodb: MemoryDynamoDB | None = None, *, clock: Callable[[], float] = lambda: _NOW) -> None:
        _Coordination.__init__(self, dynamodb)
        HostCalendar.__init__(self, self.table, clock=clock)


class MemoryChanges(_Coordination, ChangeStore):
    """What webhooks said to have changed, by account and subject: when, in epoch seconds."""

    def __init__(self, dynamodb: MemoryDynamoDB | None = None, *, clock: Callable[[], float] = lambda: _NOW) -> None:
        _Coordination.__init__(self, dynamodb)
        ChangeStore.__init__(self, self.table, clock=clock)
        self.changed = self._changed()

    def _changed(self) -> MutableMapping[tuple[str, str], float]:
        def write(name: tuple[str, str], at: float) -> None:
            self.table.put({"pk": change_store._pk(*name), "sk": "change", "at": at})

        def name_of(pk: str, _sk: str) -> tuple[str, str]:
            _, account, subject = pk.split("#", 2)
            return account, subject

        return View(
            table=self.stored,
            place_of=lambda name: (change_store._pk(*name), "change"),
            name_of=name_of,
            read=lambda item: float(item["at"]["N"]),
            write=write,
        )
