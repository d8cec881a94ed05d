"""The stores of the events room over DynamoDB in memory, with faults: their own conditions decide, nothing is imitated.

`tests/stores` holds each of them to what it does over moto. While a store is `down`, its table does not answer.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass

from tests.fakes import connections, tables
from tests.fakes.connection_stores import Memory
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.dynamodb_expressions import Item
from tests.fakes.dynamodb_view import View
from zoom_common.aws.table import EVENTS, Table
from zoom_common.connections.link_store import Claim
from zoom_common.connections.model import Kind, State
from zoom_common.connections.store import account_partition
from zoom_common.errors import DependencyFailed, Unavailable
from zoom_common.events import routing
from zoom_common.events.log.entries import LogEntry, entry_key
from zoom_common.events.log.store import EventLog
from zoom_common.events.projections import store
from zoom_common.events.projections.record import Record
from zoom_common.events.projections.store import ProjectionStore
from zoom_common.events.routing import HostStore

_NOW = 1_790_000_000.0


class Crash(BaseException):
    """The worker was killed: nothing catches this, nothing cleans up."""


class _Events:
    """An Events table in memory, for one store."""

    def __init__(self, dynamodb: MemoryDynamoDB | None = None) -> None:
        self.dynamodb = tables.in_memory(dynamodb)
        self.stored = self.dynamodb.tables[tables.EVENTS]
        self.table = Table(self.dynamodb.client(), tables.EVENTS, EVENTS)

    @property
    def down(self) -> bool:
        return self.dynamodb.fails is not None

    @down.setter
    def down(self, down: bool) -> None:
        self.dynamodb.fails = Unavailable(reason="events_table") if down else None


class Log(_Events, EventLog):
    """The event log. `crash_on_finish` kills the worker after publishing."""

    def __init__(self, clock: Callable[[], float], dynamodb: MemoryDynamoDB | None = None) -> None:
        _Events.__init__(self, dynamodb)
        EventLog.__init__(self, self.table, clock=clock)
        self.crash_on_finish = False
        self.entries = self._entries()

    def finish_all(self, entries: Sequence[LogEntry]) -> list[DependencyFailed | None]:
        if self.crash_on_finish:
            raise Crash
        return super().finish_all(entries)

    def _entries(self) -> MutableMapping[tuple[str, str], LogEntry]:
        def place_of(name: tuple[str, str]) -> tuple[str, str]:
            key = entry_key(*name)
            return key["pk"]["S"], key["sk"]["S"]

        def name_of(pk: str, sk: str) -> tuple[str, str] | None:
            owner, _, event_id = pk.rpartition("#event#")
            return (owner, event_id) if sk == "event" else None

        def write(name: tuple[str, str], entry: LogEntry) -> None:
            assert name == (entry.owner, entry.event_id)
            self.admit(entry)

        return View(table=self.stored, place_of=place_of, name_of=name_of, read=self._read, write=write)


class Projections(_Events, ProjectionStore):
    """The projections' records by partition (with its tenant) and sort key."""

    def __init__(self, dynamodb: MemoryDynamoDB | None = None) -> None:
        _Events.__init__(self, dynamodb)
        ProjectionStore.__init__(self, self.table, pause=lambda _: None)
        self.records = self._records()

    def _records(self) -> MutableMapping[tuple[str, str], Record]:
        def write(name: tuple[str, str], record: Record) -> None:
            pk, sk = name
            self.table.call("put_item", **self._to_put((pk, sk), record, 0))

        def read(item: Item) -> Record:
            return store._record(item)

        return View(
            table=self.stored, place_of=lambda name: name, name_of=lambda pk, sk: (pk, sk), read=read, write=write
        )


class Hosts(_Events, HostStore):
    """Who hosts what, as one container knows it; `hosts` by app and meeting are known from the start."""

    def __init__(
        self,
        hosts: Mapping[tuple[str, str], str] | None = None,
        *,
        dynamodb: MemoryDynamoDB | None = None,
        clock: Callable[[], float] = lambda: _NOW,
    ) -> None:
        _Events.__init__(self, dynamodb)
        HostStore.__init__(self, self.table, clock=clock)
        self.known = self._view()
        self.known.update(hosts or {})

    def _write(self, app: str, name: str, host: str) -> None:
        self._noted[app, name] = host, int(_NOW) + 30 * 86_400
        self.begin_store()()

    def _view(self) -> MutableMapping[tuple[str, str], str]:
        def name_of(pk: str, _sk: str) -> tuple[str, str]:
            app, _, meeting = pk.removeprefix("hosts.").partition("#")
            return app, meeting

        return View(
            table=self.stored,
            place_of=lambda name: (routing._pk(*name), "host"),
            name_of=name_of,
            read=lambda item: str(item["host"]["S"]),
            write=lambda name, host: self._write(*name, host),
        )


@dataclass(frozen=True)
class Connection:
    """A connection as routing sees it."""

    tenant: str
    connection_id: str
    kind: str = "user"
    state: str = "connected"


class Connections(Memory):
    """A vault with these connections, by app and Zoom user or account."""

    def __init__(
        self,
        users: Mapping[tuple[str, str], Connection] | None = None,
        accounts: Mapping[tuple[str, str], Sequence[Connection]] | None = None,
    ) -> None:
        super().__init__()
        for (app, user), each in (users or {}).items():
            self.connect_user(app, user, each)
        for (app, account), several in (accounts or {}).items():
            for each in several:
                self._connect_account(app, account, each)

    @property
    def down(self) -> bool:
        return self.dynamodb.fails is not None

    @down.setter
    def down(self, down: bool) -> None:
        self.dynamodb.fails = Unavailable(reason="connections_table") if down else None

    def connect_user(self, app: str, user: str, seen: Connection) -> None:
        made = self._made(seen, app)
        self.put(connections.connection(**made, zoom_user_id=user))
        self.claims[app, user] = Claim(tenant=seen.tenant, connection_id=seen.connection_id)

    def _connect_account(self, app: str, account: str, seen: Connection) -> None:
        made = self._made(seen, app)
        self.put(connections.connection(**made, zoom_user_id=None, zoom_account_id=account))
        at = {"tenant": seen.tenant, "connection_id": seen.connection_id}
        self.table.put({"pk": account_partition(app, account), "sk": f"{seen.tenant}#{seen.connection_id}", **at})

    def _made(self, seen: Connection, app: str) -> dict[str, object]:
        return {
            "tenant": seen.tenant,
            "connection_id": seen.connection_id,
            "client_id": app,
            "kind": Kind(seen.kind),
            "state": State(seen.state),
        }
