"""Erases a person or a whole tenant: connections and claims, keys, event log, projections, usage, and Coordination.

Every step finds what is left and deletes that, so a run that was interrupted goes on anywhere, and a second one finds
nothing. A job says where it has come to and fits into a queue. The receipt says what was deleted and what ends by
itself, and when.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from zoom_common.aws.table import CONNECTIONS, Table
from zoom_common.connections.changes import Publish, state_changed
from zoom_common.connections.model import Connection, Kind, State
from zoom_common.connections.queue import RevokeQueue
from zoom_common.connections.revocation import EndedGrant
from zoom_common.connections.store import ConnectionStore
from zoom_common.connections.tombstones import Tombstones, of_account, of_person, of_tenant, of_user
from zoom_common.connections.view import iso
from zoom_common.edge.erasure_match import Wanted
from zoom_common.edge.erasure_records import ErasureRecords, Record, erasure_id
from zoom_common.edge.erasure_store import WholeTable
from zoom_common.errors import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

EXPIRES = {
    "point-in-time backups of both tables": "35 days",
    "events on their way, in queues and dead-letter queues": "14 days in each",
    "grants that Zoom is still to be told about, sealed, in the escrow queue": "14 days at most",
    "digests of what was made under an Idempotency-Key (Coordination)": "a day",
    "access tokens and reads in the memory of running functions": "useless at once, gone within the hour",
    "who hosts which meeting, by Zoom's ids (Events, when a whole tenant is erased)": "EventRetentionDays",
    "logs (ids and reasons only)": "LogRetentionDays",
    "tombstones: digests that keep late events away": "45 days",
    "events that subscribers have read": "theirs to erase",
}
# For so long the key that asked for its whole tenant's erasure can still read the receipt, and nothing else.
RECEIPT_READABLE = 7 * 86_400.0


class Stage(StrEnum):
    """The tables, in the order in which they are gone through."""

    CONNECTIONS = "connections"
    EVENTS = "events"
    COORDINATION = "coordination"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is left to do. `after` is the key of the last item looked at; `again` says that a second look is due."""

    wanted: Wanted
    stage: Stage = Stage.CONNECTIONS
    after: tuple[str, str] | None = None
    keep_key: str | None = None
    again: bool = True

    @property
    def name(self) -> str:
        """The id of the erasure."""
        return erasure_id(self.wanted.tenant, self.wanted.zoom_user_id or self.wanted.email)


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """Erases in three tables. Every method raises Unavailable; then the same job is to be done again."""

    dynamodb: DynamoDBClient
    connections_table: str
    events_table: str
    coordination_table: str
    revokes: RevokeQueue
    publish: Publish
    clock: Callable[[], float]

    @property
    def records(self) -> ErasureRecords:
        """What erasures have come to."""
        return ErasureRecords(self._table)

    def begin(self, job: Job) -> Record:
        """From this moment on no earlier event comes in; nothing is deleted yet."""
        wanted, now = job.wanted, self.clock()
        about = "tenant" if wanted.everything else "person"
        names = {of_tenant(wanted.tenant)} if wanted.everything else set()
        for each in self._connections(wanted):
            names |= _names(each, everything=wanted.everything)
        if wanted.zoom_user_id is not None:
            names.add(of_person(wanted.tenant, wanted.zoom_user_id))
        Tombstones(self._table).put(sorted(names), now=now)
        return self.records.begin(wanted.tenant, job.name, about=about, now=now)

    def go_on(self, job: Job, *, enough: Callable[[], bool]) -> Job | None:
        """Do what is left until it is done (None) or `enough` says so; then the rest, a page after another."""
        record = self.records.get(job.wanted.tenant, job.name)
        if record is None:
            return None  # never begun: a message from before
        while True:
            if job.stage is Stage.CONNECTIONS:
                self._end_connections(record, job)
                job = replace(job, stage=Stage.EVENTS, after=None)
                record = self.records.get(job.wanted.tenant, job.name) or record
            else:
                known = replace(job.wanted, connection_ids=record.connection_ids, key_ids=record.key_ids)
                after = self._page(record, job, known)
                if after is not None:
                    job = replace(job, after=after)
                elif job.stage is Stage.EVENTS:
                    job = replace(job, stage=Stage.COORDINATION, after=None)
                else:
                    return replace(job, stage=Stage.EVENTS, after=None, again=False) if job.again else None
            if enough():
                return job

    def finish(self, job: Job) -> Record:
        """It is done: nothing is left to look for."""
        record = self.records.get(job.wanted.tenant, job.name)
        if record is None:
            raise Unavailable(reason="erasure_unknown")
        return self.records.finish(record, now=self.clock())

    def erase(self, wanted: Wanted) -> dict[str, Any]:
        """All of it, in one go, and the receipt."""
        job, left = Job(wanted=wanted, again=False), Job(wanted=wanted, again=False)
        self.begin(job)
        while (more := self.go_on(left, enough=lambda: False)) is not None:
            left = more
        return receipt(self.finish(job))

    @property
    def _table(self) -> Table:
        return Table(self.dynamodb, self.connections_table, CONNECTIONS)

    def _connections(self, wanted: Wanted) -> Iterator[Connection]:
        store, cursor = ConnectionStore(self._table), None
        while True:
            page = store.list(wanted.tenant, cursor=cursor)
            yield from (each for each in page.connections if wanted.takes(each))
            cursor = page.cursor
            if cursor is None:
                return

    def _end_connections(self, record: Record, job: Job) -> None:
        gone = list(self._connections(job.wanted))
        ids = {each.connection_id for each in gone} | record.connection_ids
        keys = self._keys(job, ids)
        record = self.records.found(record, connection_ids=ids, key_ids=keys)
        for connection in gone:
            revokes = self._end(connection)
            self.records.count(record, Counter(connections=1, revokes_queued=revokes))
        for key in sorted(keys):
            self._end_key(job, key, record)

    def _end(self, connection: Connection) -> int:
        """Stop it, have Zoom told from the queue, delete it; whether there is anything to tell Zoom."""
        store, grant = ConnectionStore(self._table), EndedGrant.of(connection)
        ended = store.disconnect(connection, now=self.clock())
        if ended is None:
            return 0
        if grant is not None:  # a superseded one is left alone by whoever takes it from the queue
            self.revokes.enqueue(grant.to_message())
        store.delete(ended)
        self.publish(state_changed(connection, State.DISCONNECTED, "erased", at=self.clock()))
        return int(grant is not None)

    def _keys(self, job: Job, connection_ids: set[str]) -> set[str]:
        """The keys that go: all of a tenant's, or those bound to one of the connections."""
        found, after = set[str](), None
        while True:
            held, after = self._table.query("#pk = :pk", {"pk": f"{job.wanted.tenant}#apikeys"}, after=after)
            for pointer in held:
                key = self._table.get(f"apikey#{pointer['sk']}", "apikey") or {}
                if job.wanted.everything or key.get("connection") in connection_ids:
                    found.add(str(pointer["sk"]))
            if after is None:
                return found

    def _end_key(self, job: Job, key_id: str, record: Record) -> None:
        if key_id == job.keep_key:
            values = {"scopes": frozenset({"erasures:read"}), "until": self.clock() + RECEIPT_READABLE}
            change = "SET #scopes = :scopes, #valid_until = :until"
            self._table.update(f"apikey#{key_id}", "apikey", change, condition="attribute_exists(#pk)", values=values)
            return
        was = self._table.delete(f"apikey#{key_id}", "apikey")
        self._table.delete(f"{job.wanted.tenant}#apikeys", key_id)
        self.records.count(record, Counter(api_keys=int(bool(was))))

    def _page(self, record: Record, job: Job, known: Wanted) -> tuple[str, str] | None:
        """Look at one page of a table and delete what goes. The whole table is read: it is rare, and misses nothing."""
        events = job.stage is Stage.EVENTS
        table = WholeTable(Table(self.dynamodb, self.events_table if events else self.coordination_table))
        done = Counter[str]()
        try:
            items, last = table.page(job.after)
            for item in items:
                for key, kind in self._going(job.stage, item, known):
                    done[kind] += int(table.delete(key))
        finally:
            self.records.count(record, done)
        return last

    def _going(self, stage: Stage, item: Mapping[str, Any], known: Wanted) -> Iterator[tuple[Mapping[str, Any], str]]:
        if stage is Stage.EVENTS:
            if known.takes_event_item(item, self._parts):
                yield from _whole(item)
        elif known.takes_coordination_item(item):
            yield {"pk": item["pk"], "sk": item["sk"]}, "coordination"

    def _parts(self, item: Mapping[str, Any]) -> bytes:
        """The body of an entry too large for one item."""
        table = WholeTable(Table(self.dynamodb, self.events_table))
        found = (table.get({"pk": item["pk"], "sk": sort}) for sort in item["parts"]["L"])
        return b"".join(part["body"]["B"] for part in found if "body" in part)


def receipt(record: Record) -> dict[str, Any]:
    """What was deleted, and what else ends when. It names nobody."""
    return {
        "id": record.erasure_id,
        "about": record.about,
        "state": str(record.state),
        "erased_at": iso(record.erased_at),
        "finished_at": iso(record.finished_at) if record.finished_at is not None else None,
        "deleted": dict(record.deleted),
        "expires": EXPIRES,
    }


def _names(connection: Connection, *, everything: bool) -> set[str]:
    """The tombstones of a connection: events that name its user, or reach its account, and nobody else by then."""
    if connection.zoom_user_id is not None:
        return {of_user(connection.client_id, connection.zoom_user_id)}
    whole = everything and connection.kind is Kind.ACCOUNT
    return {of_account(connection.client_id, connection.zoom_account_id)} if whole else set()


def _whole(item: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
    """The item, and what hangs on it: an entry's parts, and its line in the log, which names a subject."""
    yield {"pk": item["pk"], "sk": item["sk"]}, _kind(item)
    if "#event#" not in item["pk"]["S"] or item["sk"]["S"] != "event":
        return
    for sort in item.get("parts", {}).get("L", []):
        yield {"pk": item["pk"], "sk": sort}, "event_parts"
    owner, _, event_id = item["pk"]["S"].rpartition("#event#")
    yield Wanted.line_of(owner, event_id, int(item["received_at_ms"]["N"])), "log_lines"


def _kind(item: Mapping[str, Any]) -> str:
    key: str = item["pk"]["S"]
    if "record" in item:
        return "projections"
    if "#event#" in key:
        return "events" if item["sk"]["S"] == "event" else "event_parts"
    if key.endswith("#usage"):
        return "usage"
    return "log_lines" if "#events#" in key else "others"
