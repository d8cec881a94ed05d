"""A batch through the processor as the function wires it: reads made ahead, writes at once, each message by itself."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.fakes import tables
from tests.fakes.connections import connection
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.events import APP, NOW, Bus, Clock, Counts, meeting, plenty, record
from zoom_common.aws.at_once import ReadAhead
from zoom_common.aws.table import CONNECTIONS, EVENTS
from zoom_common.connections.outbox import Outbox
from zoom_common.connections.store import ConnectionStore, account_partition, claim_key, to_values
from zoom_common.connections.tombstones import Tombstones, of_person
from zoom_common.events.batch_reads import BatchReads
from zoom_common.events.connection_events import ConnectionUpdates, Deauthorization
from zoom_common.events.log.store import EventLog
from zoom_common.events.processor import EventProcessor
from zoom_common.events.projections.store import ProjectionStore
from zoom_common.events.routing import HostStore
from zoom_common.zoom.event_redaction import Redaction

HOSTS = ("host-1", "host-2")


class Counting:
    """A DynamoDB that counts requests by operation."""

    def __init__(self, dynamodb: MemoryDynamoDB) -> None:
        self._dynamodb = dynamodb
        self.asked: Counter[str] = Counter()

    def __getattr__(self, operation: str) -> Any:
        def call(**request: Any) -> Any:
            self.asked[operation] += 1
            return getattr(self._dynamodb, operation)(**request)

        return call


@dataclass
class Gateway:
    """One container of `event_processor`, and the tables that it shares with others."""

    memory: MemoryDynamoDB = field(default_factory=tables.in_memory)
    clock: Clock = field(default_factory=Clock)
    bus: Bus = field(default_factory=Bus)
    counts: Counts = field(default_factory=Counts)

    def __post_init__(self) -> None:
        self.dynamodb: Any = Counting(self.memory)
        self.connections = ReadAhead(self.dynamodb, tables.CONNECTIONS, CONNECTIONS)
        events = ReadAhead(self.dynamodb, tables.EVENTS, EVENTS)
        hosts = HostStore(events, clock=self.clock)
        store = ConnectionStore(self.connections)
        outbox = Outbox(self.connections, lambda _: None, clock=self.clock)
        ends = Deauthorization(connections=store, outbox=lambda: outbox, clock=self.clock)
        updates = ConnectionUpdates(store, ends, Tombstones(self.connections), self.clock)
        self.processor = EventProcessor(
            log=EventLog(events, clock=self.clock),
            connections=store,
            hosts=hosts,
            projections=ProjectionStore(events, pause=lambda _: None),
            publisher=self.bus,
            redaction=Redaction(),
            count=self.counts.count,
            report=self.counts.report,
            update_connections=updates,
            reads=BatchReads(self.connections, events, hosts, knows_tenant=updates.knows),
        )

    def connect(self, host: str, *, account: str = "acc-1") -> None:
        """Connect a Zoom user, each to a tenant of their own."""
        tenant, name = f"tenant-{host}", f"con_{host}"
        found = connection(tenant=tenant, connection_id=name, client_id=APP, zoom_user_id=host, zoom_account_id=account)
        self.connections.put(to_values(found))
        pk, sk = claim_key(APP, host)
        self.connections.put({"pk": pk, "sk": sk, "tenant": tenant, "connection_id": name})

    def process(self, *bodies: bytes) -> list[str]:
        return self.processor.process(
            [record(body, message=f"m-{number}") for number, body in enumerate(bodies)], plenty()
        )

    def published(self) -> list[tuple[str, str, str | None]]:
        return sorted((event.tenant, event.id, event.subject) for event in self.bus.events)

    def stored(self) -> dict[tuple[str, str], Any]:
        """What is in the Events table, but for the moments that depend on when it was written."""
        items = self.memory.scan(TableName=tables.EVENTS)["Items"]
        return {
            (item["pk"]["S"], item["sk"]["S"]): {name: each for name, each in item.items() if name not in _OF_WRITING}
            for item in items
        }


_OF_WRITING = {"writer", "version", "claimed_until"}


def gateway() -> Gateway:
    found = Gateway()
    for host in HOSTS:
        found.connect(host)
    return found


def started(number: int, host: str = "host-1") -> bytes:
    return meeting("meeting.started", host=host, uuid=f"u{number}==", id=str(80_000 + number))


def joined(number: int, person: int, host: str = "host-1") -> bytes:
    participant = {"user_id": str(person), "user_name": "Jill", "join_time": "2026-09-21T14:13:30Z"}
    about: Any = {"uuid": f"u{number}==", "id": str(80_000 + number), "participant": participant}
    return meeting("meeting.participant_joined", host=host, **about)


def nameless(number: int, text: str) -> bytes:
    about = {"id": 80_000 + number, "uuid": f"u{number}==", "chat_message": {"text": text}}
    body = {"event": "meeting.chat_message_sent", "event_ts": 1_789_999_999_001, "payload": {"object": about}}
    return json.dumps(body).encode()


MIXED = [
    started(1),
    started(2, "host-2"),
    joined(1, 1),
    joined(1, 2),
    joined(2, 1, "host-2"),
    nameless(1, "hi"),
    started(1),
    b"no JSON",
    meeting("meeting.updated", host="stranger"),
    joined(1, 1),
]


def test_a_batch_does_what_its_messages_do_one_by_one() -> None:
    """The same events are published, with the same ids and contents, and the same is stored."""
    together, alone = gateway(), gateway()
    assert together.process(*MIXED) == []
    for body in MIXED:
        assert alone.process(body) == []
    assert together.published() == alone.published()
    assert len(together.published()) == 6
    assert together.stored() == alone.stored()
    alone.counts.totals.pop("EventDuplicate")  # in a batch, duplicates share the fate of the first
    assert together.counts.totals == alone.counts.totals


@pytest.mark.parametrize(
    ("bodies", "asked"),
    [
        # Of ten meetings: an entry, a record of the meeting and one of its UUID, each with a condition; hosts; lines.
        (
            [started(number) for number in range(1, 11)],
            {"batch_get_item": 4, "query": 1, "put_item": 30, "batch_write_item": 2},
        ),
        # Ten people in one meeting that has begun: an entry and a session; lines.
        (
            [joined(0, person) for person in range(10)],
            {"batch_get_item": 4, "query": 1, "put_item": 20, "batch_write_item": 1},
        ),
    ],
    ids=["of ten meetings", "of one meeting"],
)
def test_a_batch_asks_for_no_more_than_it_needs(bodies: list[bytes], asked: dict[str, int]) -> None:
    """Requests to DynamoDB of a warm container: what reads share, and what each event needs for itself."""
    found = gateway()
    found.process(started(0), joined(0, 99))
    found.dynamodb.asked.clear()
    assert found.process(*bodies) == []
    assert found.dynamodb.asked == asked


def test_an_event_whose_host_cannot_be_stored_comes_back_alone() -> None:
    """Later events of its meeting would not find their tenant; its neighbours are published."""
    found = gateway()
    unusable = meeting("meeting.started", uuid="u" * 3000, id="80001")
    assert found.process(started(2), unusable, started(3)) == ["m-1"]
    assert {subject for _, _, subject in found.published()} == {"meetings/80002", "meetings/80003"}


def test_what_cannot_be_handled_together_is_handled_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault in one entry, whatever it is, takes none of its neighbours along."""
    found = gateway()
    expiry = EventLog._expiry

    def faulty(log: EventLog, entry: Any) -> int:
        if entry.subject == "meetings/80002":
            raise OverflowError
        return expiry(log, entry)

    monkeypatch.setattr(EventLog, "_expiry", faulty)
    assert found.process(started(1), started(2), started(3)) == ["m-1"]
    assert {subject for _, _, subject in found.published()} == {"meetings/80001", "meetings/80003"}


def test_every_batch_reads_anew() -> None:
    """A connection that has ended between two batches gets nothing of the second, and a new one does."""
    found = gateway()
    found.process(started(1))
    found.memory.delete_item(TableName=tables.CONNECTIONS, Key=_key(*claim_key(APP, "host-1")))
    found.process(started(2), started(3, "host-2"))
    assert [tenant for tenant, _, _ in found.published()] == ["tenant-host-1", "tenant-host-2"]


def test_who_was_erased_is_kept_out_of_a_batch_too() -> None:
    """The tombstone is among what is read at once."""
    found = gateway()
    Tombstones(found.connections).put([of_person("tenant-host-1", "host-1")], now=NOW)
    assert found.process(started(1), started(2, "host-2")) == []
    assert [tenant for tenant, _, _ in found.published()] == ["tenant-host-2"]


def test_a_connection_of_the_account_is_found_in_a_batch() -> None:
    """Its events name users that nobody has connected."""
    found = gateway()
    account = connection(
        tenant="whole", connection_id="con_w", client_id=APP, zoom_account_id="acc-1", kind="account", zoom_user_id=None
    )
    found.connections.put(to_values(account))
    link = {"pk": account_partition(APP, "acc-1"), "sk": "whole#con_w", "tenant": "whole", "connection_id": "con_w"}
    found.connections.put(link)
    assert found.process(started(1, "somebody"), started(2, "somebody-else")) == []
    assert [tenant for tenant, _, _ in found.published()] == ["whole", "whole"]


def test_reads_that_fail_are_made_again_by_whoever_needs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading ahead decides nothing."""
    found = gateway()
    monkeypatch.setattr(ReadAhead, "_keep", lambda *_: None)
    assert found.process(*MIXED) == []
    assert len(found.published()) == 6


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}
