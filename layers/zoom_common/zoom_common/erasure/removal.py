"""Finds and deletes what belongs to a person or tenant, page by page."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from zoom_common.aws.items import from_item
from zoom_common.aws.table import ConditionFailed, Table
from zoom_common.connections.disconnecting import EndedGrant
from zoom_common.connections.model import Connection, Kind, Publish, State, changes_at, state_changed
from zoom_common.connections.outbox import Outbox
from zoom_common.connections.queues import RevokeQueue
from zoom_common.connections.store import ConnectionStore, from_values
from zoom_common.connections.tombstones import Tombstones, of_account, of_user
from zoom_common.erasure.records import ErasureRecords, Record
from zoom_common.erasure_target import ErasureTarget, StoredItem
from zoom_common.errors import InternalError, Unavailable
from zoom_common.events.log.entries import line_keys

type Key = tuple[str, str]

# After a crash at most one page is repeated. DynamoDB ends a page at one megabyte if that comes first.
_PAGE = 500

_AWAY = "erasure_unavailable"

# After this many conflicting changes of state, leave it to the next try of the job.
_TRIES = 4


class WholeTable:
    """Every item of one table. Every method raises Unavailable."""

    def __init__(self, table: Table) -> None:
        self._table = table.with_reason(_AWAY)
        self.name = table.name

    def page(self, after: Key | None) -> tuple[list[dict[str, Any]], Key | None]:
        """Return the next items, read consistently, and the key after which the next page begins (None at the end)."""
        request: dict[str, Any] = {"ConsistentRead": True, "Limit": _PAGE}
        if after is not None:
            request["ExclusiveStartKey"] = _key(after)
        answer = self._table.call("scan", **request)
        last = answer.get("LastEvaluatedKey")
        return [from_item(item) for item in answer["Items"]], (last["pk"]["S"], last["sk"]["S"]) if last else None

    def get(self, key: Key) -> dict[str, Any] | None:
        """Return one item, or None."""
        answer = self._table.call("get_item", Key=_key(key), ConsistentRead=True)
        return from_item(answer["Item"]) if "Item" in answer else None

    def sort_keys(self, pk: str) -> list[str]:
        """Return the sort keys of all items in one partition."""
        request: Any = {
            "KeyConditionExpression": "pk = :pk",
            "ExpressionAttributeValues": {":pk": {"S": pk}},
            "ProjectionExpression": "sk",
            "ConsistentRead": True,
        }
        pages = self._table.pages("query", **request)
        return [item["sk"]["S"] for page in pages for item in page["Items"]]

    def delete(self, key: Key, *, tenant: str | None = None) -> bool:
        """Delete an item, if it still belongs to `tenant` where that is given. Return whether it was deleted."""
        request: dict[str, Any] = {"Key": _key(key), "ReturnValues": "ALL_OLD"}
        if tenant is not None:
            request["ConditionExpression"] = "tenant = :tenant"
            request["ExpressionAttributeValues"] = {":tenant": {"S": tenant}}
        try:
            return "Attributes" in self._table.call("delete_item", **request)
        except ConditionFailed:
            return False

    def delete_together(self, keys: Sequence[Key]) -> None:
        """Delete up to a hundred items, all or none."""
        self._table.transact([{"Delete": self._table.to_delete(*key)} for key in keys])


def _key(key: Key) -> Any:
    return {"pk": {"S": key[0]}, "sk": {"S": key[1]}}


# For this time, the key that requested the erasure of its tenant can still read the receipt, and nothing else.
RECEIPT_READABLE = 7 * 86_400.0


class Copies(Protocol):
    """The copies of recordings in the archive; see `archive.retention.Copies`."""

    def count(self, item: StoredItem) -> int: ...  # noqa: D102
    def erase(self, item: StoredItem) -> int: ...  # noqa: D102


class Files(Protocol):
    """Files of jobs that are no items; see `jobs.engine_client.JobFiles`."""

    def count(self, target: ErasureTarget) -> int: ...  # noqa: D102
    def erase(self, target: ErasureTarget) -> int: ...  # noqa: D102


class Remover(Protocol):
    """Deletes or counts the items of one page. `done` are counts by kind; `taken` are ids that other items name."""

    @property
    def done(self) -> Counter[str]: ...  # noqa: D102

    @property
    def taken(self) -> dict[str, set[str]]: ...  # noqa: D102

    def take(self, table: WholeTable, item: StoredItem, kind: str) -> None:
        """Handle one item with its dependent items. Raises Unavailable."""
        ...

    def take_files(self, files: Files, target: ErasureTarget) -> None:
        """Handle the files of jobs. Raises Unavailable."""
        ...


@dataclass(slots=True, kw_only=True)
class Deletion:
    """Deletes items, each together with its dependent items, so that all can be found again after a crash."""

    table: Table
    records: ErasureRecords
    record: Record
    revokes: RevokeQueue
    publish: Publish
    clock: Callable[[], float]
    keep_key: str | None
    copies: Copies | None = None
    """None: this stack has no archive."""
    looks_again: bool = False
    """Whether a second look follows: until then an event stays that a worker may still write a line of."""
    done: Counter[str] = field(default_factory=Counter)
    taken: dict[str, set[str]] = field(default_factory=dict)

    def take(self, table: WholeTable, item: StoredItem, kind: str) -> None:
        """Delete one item with its dependent items. Raises Unavailable."""
        match kind:
            case "archive_files":
                self._end_copy(table, item)
            case "connections":
                self._end_connection(from_values(item))
            case "api_keys":
                self._end_key(item["key_id"])
            case "outbox":  # an unpublished event is published before it is erased
                self.publish(json.loads(item["change"]))
                self.done[kind] += table.delete(key_of(item), tenant=item.get("tenant"))
            case "api_key_pointers" if item["sk"] == self.keep_key:
                return
            case _:
                hanging = dict(dependents(table, item, kind, whole_tenant=self.record.about == "tenant"))
                if self.looks_again and kind == "events" and self._is_held(item, hanging.values()):
                    return
                if hanging:
                    table.delete_together([*hanging, key_of(item)])
                    self.done.update([*hanging.values(), kind])
                else:
                    self.done[kind] += table.delete(key_of(item), tenant=item.get("tenant"))

    def take_files(self, files: Files, target: ErasureTarget) -> None:
        """Delete what is the target's of the files of jobs. Raises Unavailable."""
        self.done["job_files"] += files.erase(target)

    def _is_held(self, item: StoredItem, hanging: Collection[str]) -> bool:
        return "log_lines" not in hanging and int(item.get("claimed_until", 0)) > self.clock()

    def _end_copy(self, table: WholeTable, item: StoredItem) -> None:
        """Delete the S3 objects of a recording's file, then its item, which leads to them after a crash."""
        if self.copies is None:
            # the erasure fails rather than leave the copy
            raise InternalError(where="archive_bucket", cause="RecordingArchive is off")
        self.done["archive_objects"] += self.copies.erase(item)
        self.done["archive_files"] += table.delete(key_of(item))

    def _end_connection(self, connection: Connection) -> None:
        """Disconnect, queue the revocation at Zoom, and delete the connection."""
        person = {} if connection.zoom_user_id is None else {"zoom_user_ids": [connection.zoom_user_id]}
        if self.record.about == "person":
            self.record = self.records.found(self.record, connection_ids=[connection.connection_id], **person)
        names = tombstone_names(connection, whole_tenant=self.record.about == "tenant")
        Tombstones(self.table).put(names, now=self.record.erased_at)
        store, outbox = ConnectionStore(self.table), Outbox(self.table, self.publish, clock=self.clock)
        latest: Connection | None = connection
        for _ in range(_TRIES):
            if latest is None:
                return
            change = state_changed(latest, State.DISCONNECTED, "erased", at=changes_at(latest, self.clock()))
            ended = store.disconnect(latest, now=change["at"], also=[outbox.entry(change)])
            if ended is not None:
                break
            latest = store.get(connection.tenant, connection.connection_id)
        else:
            raise Unavailable(reason="connection_busy")
        grant = EndedGrant.of(ended)
        if grant is not None:  # the worker ignores a superseded grant in the queue
            self.revokes.enqueue(grant.to_message())
            self.done["revokes_queued"] += 1
        store.delete(ended)
        self.done["connections"] += 1
        outbox.publish(change)

    def _end_key(self, key_id: str) -> None:
        """Delete a key and its pointer. The key that asked for the erasure is kept, and may only read the receipt."""
        self.record = self.records.found(self.record, key_ids=[key_id])
        if key_id == self.keep_key:
            values = {"scopes": frozenset({"erasures:read"}), "until": self.clock() + RECEIPT_READABLE}
            change = "SET #scopes = :scopes, #valid_until = :until"
            self.table.update_if(f"apikey#{key_id}", "apikey", change, condition="attribute_exists(#pk)", values=values)
            return
        self.table.delete(f"{self.record.tenant}#apikeys", key_id)
        self.done["api_keys"] += bool(self.table.delete(f"apikey#{key_id}", "apikey"))


@dataclass(slots=True, kw_only=True)
class DryRun:
    """Counts what `Deletion` would delete, and changes nothing."""

    whole_tenant: bool
    keep_key: str | None
    copies: Copies | None = None
    done: Counter[str] = field(default_factory=Counter)
    taken: dict[str, set[str]] = field(default_factory=dict)
    _lines: set[Key] = field(default_factory=set)

    def take(self, table: WholeTable, item: StoredItem, kind: str) -> None:
        """Count one item with its dependent items. Raises Unavailable."""
        match kind:
            case "archive_files" if self.copies is not None:
                self.done["archive_objects"] += self.copies.count(item)
            case "connections":
                self.done["revokes_queued"] += EndedGrant.of(from_values(item)) is not None
            case "api_keys":
                self.taken.setdefault("key_ids", set()).add(item["key_id"])
                self.done[kind] -= item["key_id"] == self.keep_key
        for key, each in dependents(table, item, kind, whole_tenant=self.whole_tenant):
            self._count(key, each)
        self._count(key_of(item), kind)

    def take_files(self, files: Files, target: ErasureTarget) -> None:
        """Count what is the target's of the files of jobs. Raises Unavailable."""
        self.done["job_files"] += files.count(target)

    def _count(self, key: Key, kind: str) -> None:
        if kind == "log_lines" and not self.whole_tenant:  # found by their entry, by their own scan, or both
            self.done[kind] += key not in self._lines
            self._lines.add(key)
        else:
            self.done[kind] += 1


def key_of(item: StoredItem) -> Key:
    """Return the key of an item."""
    return str(item["pk"]), str(item["sk"])


def dependents(table: WholeTable, item: StoredItem, kind: str, *, whole_tenant: bool) -> Iterator[tuple[Key, str]]:
    """Return the keys of an item's dependent items, which name nobody themselves: parts and log lines of an entry.

    When a whole tenant is erased, the scan finds them by itself.
    """
    if kind != "events" or whole_tenant:
        return
    pk, _ = key_of(item)
    yield from (((pk, sort), "event_parts") for sort in table.sort_keys(pk) if sort != "event")
    yield from ((key, "log_lines") for key in line_keys(item) if table.get(key) is not None)


def tombstone_names(connection: Connection, *, whole_tenant: bool) -> list[str]:
    """Return the tombstones of a connection: for events of its user, or of its account when that is erased."""
    if connection.zoom_user_id is not None:
        return [of_user(connection.client_id, connection.zoom_user_id)]
    whole = whole_tenant and connection.kind is Kind.ACCOUNT
    return [of_account(connection.client_id, connection.zoom_account_id)] if whole else []
