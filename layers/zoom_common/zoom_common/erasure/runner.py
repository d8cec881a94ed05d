"""Erases a person or a whole tenant from the three tables, resumes after a stop, and writes the receipt."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from zoom_common.aws.table import CONNECTIONS, Table
from zoom_common.connections.model import Connection, Publish, is_own_user
from zoom_common.connections.queues import RevokeQueue
from zoom_common.connections.store import ConnectionStore, to_values
from zoom_common.connections.tombstones import Tombstones, of_person, of_tenant
from zoom_common.connections.views import iso
from zoom_common.erasure.queue import Job, id_of
from zoom_common.erasure.records import KINDS, ErasureRecords, Position, Record, Stage, State, Superseded
from zoom_common.erasure.removal import Copies, Deletion, DryRun, Files, Key, Remover, WholeTable, tombstone_names
from zoom_common.erasure.stores import TableName, kind_to_erase, zoom_user_ids
from zoom_common.erasure_target import ErasureTarget, StoredItem, is_zoom_user_id

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

EXPIRES = {
    "point-in-time backups of both tables": "35 days",
    "events on their way, in queues and dead-letter queues": "14 days in each",
    "grants that are still to be revoked at Zoom, sealed, in the escrow queue": "14 days at most",
    "digests of what was made under an Idempotency-Key (Coordination)": "a day",
    "counts of calls by Zoom account, shared by its tenants, users by digest (Coordination)": "two days",
    "access tokens and reads in the memory of running functions": "useless at once, deleted within the hour",
    "who hosts which meeting, by Zoom's ids (Events, when no connection of the tenant leads there)": (
        "EventRetentionDays"
    ),
    "logs (ids and reasons only)": "LogRetentionDays",
    "tombstones: digests that keep late events away": "45 days",
    "events that subscribers have read": "theirs to erase",
    "recordings at Zoom, and links to copies that were handed out": "Zoom's to delete; links end in five minutes",
}


def receipt(record: Record) -> dict[str, Any]:
    """Return what was deleted, and when other copies expire, as JSON."""
    return {
        "id": record.erasure_id,
        "about": record.about,
        "state": str(record.state),
        "erased_at": iso(record.erased_at),
        "finished_at": iso(record.finished_at) if record.finished_at is not None else None,
        "deleted": dict(record.deleted),
        "expires": EXPIRES,
    }


def preview(target: ErasureTarget, counts: Mapping[str, int], *, complete: bool) -> dict[str, Any]:
    """Return what an erasure would delete now, as JSON. `complete` says whether everything was read."""
    return {
        "dry_run": True,
        "id": id_of(target),
        "about": about(target),
        "complete": complete,
        "deleted": {kind: counts.get(kind, 0) for kind in KINDS},
        "expires": EXPIRES,
    }


def about(target: ErasureTarget) -> str:
    """Return `person` or `tenant`, for the kind of erasure."""
    return "tenant" if target.whole_tenant else "person"


_TABLES = {
    Stage.FIND: TableName.EVENTS,
    Stage.CONNECTIONS: TableName.CONNECTIONS,
    Stage.EVENTS: TableName.EVENTS,
    Stage.COORDINATION: TableName.COORDINATION,
}

_NEXT = dict(zip(list(Stage), list(Stage)[1:], strict=False))


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The result of a job: `finished` when this run ended it, `wait` in seconds when it goes on later, else neither."""

    finished: Record | None = None
    wait: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """Erases in three tables. Every method raises Unavailable; then the same job has to run again.

    `settle_seconds` is how long an operation that was under way may still write. A second pass follows after that.
    """

    dynamodb: DynamoDBClient
    connections_table: str
    events_table: str
    coordination_table: str
    revokes: RevokeQueue
    publish: Publish
    clock: Callable[[], float]
    settle_seconds: float = 300.0
    copies: Copies | None = None
    """The copies of recordings in the archive; None where the stack has none."""
    files: Files | None = None
    """The files of jobs; None where the stack has no jobs."""

    @property
    def records(self) -> ErasureRecords:
        """Return the store of records."""
        return ErasureRecords(self._table)

    def begin(self, target: ErasureTarget) -> Record:
        """Store the tombstones that keep out older events, and start a run. Nothing is deleted yet."""
        now = self.clock()
        known, connections = self._survey(target)
        names = {of_tenant(target.tenant)} if target.whole_tenant else set[str]()
        names |= {of_person(target.tenant, each) for each in known.zoom_user_ids}
        for each in connections:
            names.update(tombstone_names(each, whole_tenant=target.whole_tenant))
        Tombstones(self._table).put(sorted(names), now=now)
        return self.records.begin(target.tenant, id_of(target), about=about(target), now=now)

    def resume(self, job: Job, *, should_stop: Callable[[], bool], second_look: bool = True) -> Progress:
        """Work until everything is done, until `should_stop` returns true, or until the second pass has to wait."""
        record = self.records.get(job.target.tenant, job.erasure_id)
        if record is None or record.run != job.run or record.state is State.DONE:
            return Progress()  # never begun, requested again, or done
        try:
            while True:
                wait = record.position.not_before - self.clock()
                if wait > 0:
                    return Progress(wait=wait)
                looks_again = second_look and not record.position.second_look
                record, position = self._step(record, job, looks_again=looks_again)
                if position is None and looks_again:
                    later = self.clock() + self.settle_seconds
                    position = Position(stage=Stage.EVENTS, second_look=True, not_before=later)
                if position is None:
                    return Progress(finished=self.records.finish(record, now=self.clock()))
                record = self.records.move(record, position)
                if should_stop():
                    return Progress(wait=max(0.0, position.not_before - self.clock()))
        except Superseded:
            return Progress()

    def erase(self, target: ErasureTarget) -> dict[str, Any]:
        """Do everything at once, without a second pass, and return the receipt."""
        job = Job(target=target, run=self.begin(target).run)
        progress = self.resume(job, should_stop=lambda: False, second_look=False)
        record = progress.finished or self.records.get(target.tenant, job.erasure_id)
        return receipt(record) if record is not None else {}

    def dry_run(
        self, target: ErasureTarget, *, should_stop: Callable[[], bool], keep_key: str | None = None
    ) -> dict[str, Any]:
        """Return what an erasure would delete now, and change nothing. Incomplete when `should_stop` returned true."""
        remover = DryRun(whole_tenant=target.whole_tenant, keep_key=keep_key, copies=self.copies)
        known, position = target, Position() if target.email is not None else Position(stage=Stage.CONNECTIONS)
        while not should_stop():
            if position.stage is Stage.FIND:
                after, ids = self._found_on_page(known, position.after)
                known = replace(known, zoom_user_ids=known.zoom_user_ids | ids)
            else:
                if position == Position(stage=Stage.CONNECTIONS):
                    known, _ = self._survey(known)
                after = self._page(position, known, remover)
                known = replace(known, key_ids=known.key_ids | remover.taken.get("key_ids", set()))
            if after is None and position.stage not in _NEXT:
                return preview(target, remover.done, complete=True)
            position = replace(position, after=after, stage=position.stage if after else _NEXT[position.stage])
        return preview(target, remover.done, complete=False)

    @property
    def _table(self) -> Table:
        return Table(self.dynamodb, self.connections_table, CONNECTIONS)

    def _step(self, record: Record, job: Job, *, looks_again: bool) -> tuple[Record, Position | None]:
        """Work on one page. Return where to resume, or None when all stages are done."""
        position, target = record.position, _known(job.target, record)
        if position.stage is Stage.FIND:
            record, after = self._find(record, target)
        else:
            if position == Position(stage=Stage.CONNECTIONS):
                record = self._note_survey(record, target)
                target = _known(job.target, record)
            after = self._erase_page(record, job, target, looks_again=looks_again)
        if after is not None:
            return record, replace(position, after=after)
        following = _NEXT.get(position.stage)
        return record, None if following is None else replace(position, stage=following, after=None)

    def _find(self, record: Record, target: ErasureTarget) -> tuple[Record, Key | None]:
        if target.email is None:
            return record, None
        after, ids = self._found_on_page(target, record.position.after)
        if ids:
            names = sorted(of_person(target.tenant, each) for each in ids)
            Tombstones(self._table).put(names, now=record.erased_at)
            record = self.records.found(record, zoom_user_ids=ids)
        return record, after

    def _found_on_page(self, target: ErasureTarget, after: Key | None) -> tuple[Key | None, frozenset[str]]:
        """Return the Zoom ids that one page of the tenant's events names for the e-mail address."""
        events, ids = self._whole(TableName.EVENTS), set[str]()
        items, last = events.page(after)
        for item in items:
            if target.email is not None and target.owns(item["pk"].partition("#")[0]):
                ids |= zoom_user_ids(_completed(events, item), target.email)
        return last, frozenset(filter(is_zoom_user_id, ids))

    def _survey(self, target: ErasureTarget) -> tuple[ErasureTarget, list[Connection]]:
        """Return the target with the ids from the tenant's connections, and the person's connections."""
        if target.whole_tenant:
            return target, []
        connections = list(self._connections(target.tenant))
        own = [each for each in connections if _is_theirs(each, target)]
        users = {each.zoom_user_id for each in own if each.zoom_user_id is not None}
        target = replace(target, zoom_user_ids=target.zoom_user_ids | users)
        own = [each for each in connections if _is_theirs(each, target)]
        known = replace(
            target,
            connection_ids=target.connection_ids | {each.connection_id for each in own},
            account_ids=target.account_ids | {each.zoom_account_id for each in connections},
            client_ids=target.client_ids | {each.client_id for each in connections},
        )
        return known, own

    def _note_survey(self, record: Record, target: ErasureTarget) -> Record:
        if target.whole_tenant:
            return record
        known, _ = self._survey(target)
        names = sorted(of_person(target.tenant, each) for each in known.zoom_user_ids)
        Tombstones(self._table).put(names, now=record.erased_at)
        return self.records.found(
            record,
            connection_ids=known.connection_ids,
            zoom_user_ids=known.zoom_user_ids,
            account_ids=known.account_ids,
            client_ids=known.client_ids,
        )

    def _connections(self, tenant: str) -> Iterator[Connection]:
        store, cursor = ConnectionStore(self._table), None
        while True:
            page = store.list(tenant, cursor=cursor)
            yield from page.connections
            cursor = page.cursor
            if cursor is None:
                return

    def _erase_page(self, record: Record, job: Job, target: ErasureTarget, *, looks_again: bool) -> Key | None:
        remover = Deletion(
            table=self._table,
            records=self.records,
            record=record,
            revokes=self.revokes,
            publish=self.publish,
            clock=self.clock,
            keep_key=job.keep_key,
            copies=self.copies,
            looks_again=looks_again,
        )
        try:
            return self._page(record.position, target, remover)
        finally:
            self.records.count(record, remover.done)

    def _page(self, position: Position, target: ErasureTarget, remover: Remover) -> Key | None:
        name = _TABLES[position.stage]
        table, by_app = self._whole(name), dict[str, ErasureTarget]()
        items, last = table.page(position.after)
        if name is TableName.EVENTS and position.after is None and self.files is not None:
            remover.take_files(self.files, target)
        for item in items:
            whole = _completed(table, item) if name is TableName.EVENTS and not target.whole_tenant else item
            kind = kind_to_erase(name, whole, self._narrowed(whole, target, by_app))
            if kind is not None:
                remover.take(table, whole, kind)
        return last

    def _narrowed(self, item: StoredItem, target: ErasureTarget, by_app: dict[str, ErasureTarget]) -> ErasureTarget:
        """Return the target as it applies to an item that belongs to no tenant.

        The owner of such an item contains an app and a dot, which tenants' names do not. A Zoom id counts unless
        another tenant has connected that user by the app. The e-mail address counts for apps of the tenant's own
        connections.
        """
        _, dot, app = str(item["pk"]).partition("#")[0].partition(".")
        if not dot:
            return target
        if app not in by_app:
            store = ConnectionStore(self._table)
            holders = {each: store.by_zoom_user(app, each) for each in target.zoom_user_ids}
            others = {each for each, held in holders.items() if held is not None and not target.owns(held.tenant)}
            email = target.email if app in target.client_ids and not others else None
            by_app[app] = replace(target, zoom_user_ids=target.zoom_user_ids - others, email=email)
        return by_app[app]

    def _whole(self, name: TableName) -> WholeTable:
        names = {
            TableName.CONNECTIONS: self.connections_table,
            TableName.EVENTS: self.events_table,
            TableName.COORDINATION: self.coordination_table,
        }
        return WholeTable(Table(self.dynamodb, names[name]))


def _known(target: ErasureTarget, record: Record) -> ErasureTarget:
    """Return the target with the ids found so far."""
    return replace(
        target,
        zoom_user_ids=target.zoom_user_ids | record.zoom_user_ids,
        connection_ids=record.connection_ids,
        key_ids=record.key_ids,
        account_ids=record.account_ids,
        client_ids=record.client_ids,
    )


def _is_theirs(connection: Connection, target: ErasureTarget) -> bool:
    """Return whether a connection is the person's: by an id, or by the stored digest of their e-mail address."""
    own = target.email is not None and target.owns(connection.tenant) and is_own_user(connection, target.email)
    return own or ConnectionStore.erases(to_values(connection), target)


def _completed(table: WholeTable, item: StoredItem) -> StoredItem:
    """Return an entry of the log with its whole body, if the body is stored in parts and none has expired."""
    parts = item.get("parts")
    if parts is None:
        return item
    found = [table.get((item["pk"], _text(sort))) for sort in parts]
    if None in found:
        return item
    return {**item, "body": b"".join(part["body"] for part in found if part is not None)}


def _text(attribute: Any) -> str:
    """Return the text of a list's element, which may be in attribute values."""
    return str(attribute["S"] if isinstance(attribute, dict) else attribute)
