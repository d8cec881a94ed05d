"""Erases a person or a whole tenant: connections and claims, keys, event log and what events added up to.

Every step finds what is left and deletes that, so a run that was interrupted is run again, and a second one finds
nothing. The receipt says what was deleted and what ends by itself, and when.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from zoom_common.connections.model import Connection
from zoom_common.connections.queue import RevokeQueue
from zoom_common.connections.revocation import EndedGrant
from zoom_common.connections.store import ConnectionStore
from zoom_common.connections.table_client import Table
from zoom_common.connections.tombstones import Tombstones, of_person, of_user
from zoom_common.edge.erasure_match import Wanted

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

EXPIRES = {
    "point-in-time backups of both tables": "35 days",
    "events on their way, in queues and dead-letter queues": "14 days in each",
    "links being followed, idempotency records, remembered answers (Coordination)": "a day",
    "this week's counts of calls, by connection id (Coordination)": "10 days",
    "access tokens in the memory of running functions": "useless at once, gone within the hour",
    "logs (ids and reasons only)": "LogRetentionDays",
    "events that subscribers have read": "theirs to erase",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """Works with an operator's rights: no function of the gateway may do all this."""

    dynamodb: DynamoDBClient
    connections_table: str
    events_table: str
    revokes: RevokeQueue
    clock: Callable[[], float]

    def erase(self, wanted: Wanted) -> dict[str, Any]:
        """Erase, and the receipt. Raises Unavailable; then it is to be run again."""
        now, done = self.clock(), Counter[str]()
        gone = [each for each in self._connections(wanted.tenant) if wanted.takes(each)]
        # First, so that no event that arrives from now on writes behind our back.
        names = {of_user(each.client_id, each.zoom_user_id) for each in gone if each.zoom_user_id}
        users = {each.zoom_user_id for each in gone if each.zoom_user_id} | ({wanted.zoom_user_id} - {None})
        self._tombstones.put(sorted(names | {of_person(wanted.tenant, str(user)) for user in users}), now=now)
        for connection in gone:
            done["revokes_queued"] += self._end(connection)
            done["connections"] += 1
        if wanted.everything:
            done["api_keys"] += self._keys(wanted.tenant)
        wanted = replace(wanted, connection_ids=frozenset(each.connection_id for each in gone))
        for key, kind in self._events(wanted):
            self.dynamodb.delete_item(TableName=self.events_table, Key=key)
            done[kind] += 1
        return self._receipt(wanted, now, done)

    @property
    def _tombstones(self) -> Tombstones:
        return Tombstones(self._table)

    @property
    def _table(self) -> Table:
        return Table(self.dynamodb, self.connections_table)

    def _connections(self, tenant: str) -> Iterator[Connection]:
        store, cursor = ConnectionStore(self._table), None
        while True:
            page = store.list(tenant, cursor=cursor)
            yield from page.connections
            cursor = page.cursor
            if cursor is None:
                return

    def _end(self, connection: Connection) -> int:
        """Stop it, have Zoom told from the queue, delete it; whether there is anything to tell Zoom."""
        store, grant = ConnectionStore(self._table), EndedGrant.of(connection)
        ended = store.disconnect(connection, now=self.clock())
        if ended is None:
            return 0
        if grant is not None:  # a superseded one is left alone by whoever takes it from the queue
            self.revokes.enqueue(grant.to_message())
        store.delete(ended)
        return int(grant is not None)

    def _keys(self, tenant: str) -> int:
        held, after = self._table.query("#pk = :pk", {"pk": f"{tenant}#apikeys"})
        while after is not None:
            more, after = self._table.query("#pk = :pk", {"pk": f"{tenant}#apikeys"}, after=after)
            held += more
        for key in held:
            self._table.delete(f"apikey#{key['sk']}", "apikey")
            self._table.delete(key["pk"], key["sk"])
        return len(held)

    def _events(self, wanted: Wanted) -> Iterator[tuple[Mapping[str, Any], str]]:
        """Keys of the Events table to delete. It reads the whole table: an erasure is rare, and must miss nothing."""
        pages = self.dynamodb.get_paginator("scan").paginate(TableName=self.events_table, ConsistentRead=True)
        for page in pages:
            for item in page["Items"]:
                if wanted.owns(item) and wanted.names(item, self._parts):
                    yield from self._whole(item)

    def _parts(self, item: Mapping[str, Any]) -> bytes:
        """The body of an entry too large for one item."""
        found = (
            self.dynamodb.get_item(TableName=self.events_table, Key={"pk": item["pk"], "sk": sort}).get("Item", {})
            for sort in item["parts"]["L"]
        )
        return b"".join(part["body"]["B"] for part in found if "body" in part)

    def _whole(self, item: Mapping[str, Any]) -> Iterator[tuple[Mapping[str, Any], str]]:
        """The item, and what hangs on it: an entry's parts, and its line in the log, which names a subject."""
        yield {"pk": item["pk"], "sk": item["sk"]}, _kind(item)
        if "#event#" not in item["pk"]["S"] or item["sk"]["S"] != "event":
            return
        for sort in item.get("parts", {}).get("L", []):
            yield {"pk": item["pk"], "sk": sort}, "event_parts"
        owner, _, event_id = item["pk"]["S"].rpartition("#event#")
        yield Wanted.line_of(owner, event_id, int(item["received_at_ms"]["N"])), "log_lines"

    def _receipt(self, wanted: Wanted, now: float, done: Counter[str]) -> dict[str, Any]:
        about = wanted.zoom_user_id or wanted.email or "*"
        name = sha256(f"{wanted.tenant}\x00{about}".encode()).hexdigest()
        receipt = {"tenant": wanted.tenant, "subject_sha256": name, "erased_at": now, "deleted": dict(done)}
        kept = {"pk": f"{wanted.tenant}#erasures", "sk": f"{name}#{now:.3f}", **receipt}
        self._table.put(kept)
        return {**receipt, "expires": EXPIRES}


def _kind(item: Mapping[str, Any]) -> str:
    if "record" in item:
        return "projections"
    if "#event#" in item["pk"]["S"]:
        return "events" if item["sk"]["S"] == "event" else "event_parts"
    return "log_lines" if "#events#" in item["pk"]["S"] else "others"
