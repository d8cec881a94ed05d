"""Connections in DynamoDB: keys and items, and reading, finding, ending and counting connections."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, Protocol
from zlib import crc32

from zoom_common.aws.table import ConditionFailed, Table
from zoom_common.connections.model import ALIVE, ID_PREFIX, Connection, Kind, Spare, State
from zoom_common.deadline import Deadline
from zoom_common.errors import Unavailable

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem

# Must never change for a table: it spreads due times over partitions of the index.
SHARDS = 16

_PLAIN = tuple(
    field.name for field in fields(Connection) if field.name not in {"kind", "state", "scopes", "spares", "intents"}
)

_NAMES = frozenset(_PLAIN)

_TIMES = ("access_expires_at", "refresh_issued_at", "created_at", "authorized_at", "state_changed_at", "last_used_at")


# In these states a connection may be in the index of due times: one that was given up is tried again some times, and an
# unfinished disconnect is completed.
_SWEPT = ALIVE | {State.REAUTHORIZATION_REQUIRED, State.DISCONNECTED}

# After this many seconds, the request that began a disconnect has finished it or has died.
_LEFT_BEHIND = 60.0


def partition(tenant: str) -> str:
    """The partition that holds a tenant's connections."""
    return f"{tenant}#connections"


class Keyed(Protocol):
    """What is stored for a connection."""

    @property
    def tenant(self) -> str: ...  # noqa: D102
    @property
    def connection_id(self) -> str: ...  # noqa: D102


def key_of(connection: Keyed) -> tuple[str, str]:
    """Return the keys of a connection."""
    return partition(connection.tenant), connection.connection_id


def claim_key(client_id: str, zoom_user_id: str) -> tuple[str, str]:
    """Return the keys of the claim of one app on one Zoom user."""
    return f"claim#{client_id}#{zoom_user_id}", "claim"


def link_key(client_id: str, zoom_user_id: str) -> tuple[str, str]:
    """Return the keys of the latest unredeemed link of a Zoom user."""
    return claim_key(client_id, zoom_user_id)[0], "link"


def folded_partition(client_id: str, zoom_user_id: str) -> str:
    """Return the partition that lists the connected users of an app whose ids differ only in upper and lower case."""
    return f"folded#{client_id}#{zoom_user_id.casefold()}"


def folded_item(connection: Connection) -> dict[str, Any]:
    """Return the item by which a connected Zoom user is found when an event writes the id in lower case."""
    user = str(connection.zoom_user_id)
    return {
        "pk": folded_partition(connection.client_id, user),
        "sk": user,
        "tenant": connection.tenant,
        "connection_id": connection.connection_id,
    }


def account_partition(client_id: str, account_id: str) -> str:
    """Return the partition that lists the account-level connections of one app and Zoom account."""
    return f"account#{client_id}#{account_id}"


def due_shard(connection_id: str) -> str:
    """Return the shard of the index `due` that holds a connection's due time."""
    return f"{crc32(connection_id.encode()) % SHARDS:02d}"


def to_values(connection: Connection) -> dict[str, object]:
    """Return the whole item.

    Spares and intents are maps by attempt, so that attempts can add to them without reading.
    """
    values: dict[str, object] = {name: getattr(connection, name) for name in _PLAIN}
    values["pk"], values["sk"] = key_of(connection)
    values |= {"kind": str(connection.kind), "state": str(connection.state), "scopes": connection.scopes}
    values["intents"] = dict(connection.intents)
    values["spares"] = {attempt: spare_values(spare) for attempt, spare in connection.spares.items()}
    if connection.due_at is not None and connection.state in _SWEPT:
        values["due_shard"] = due_shard(connection.connection_id)
    else:
        values["due_at"] = None
    return values


def from_values(values: Mapping[str, Any]) -> Connection:
    """Return the connection in an item."""
    known: dict[str, Any] = {name: values[name] for name in values.keys() & _NAMES}
    known |= {name: float(values[name]) for name in _TIMES}
    return Connection(
        **{"reason": None, "zoom_user_id": None, "api_url": None, **known},
        kind=Kind(values["kind"]),
        state=State(values["state"]),
        scopes=values.get("scopes", frozenset()),
        intents=values["intents"],
        spares={
            attempt: Spare(spare["sealed"], float(spare["issued_at"])) for attempt, spare in values["spares"].items()
        },
    )


def spare_values(spare: Spare) -> dict[str, object]:
    """Return a spare as an entry of the map of spares."""
    return {"sealed": spare.sealed, "issued_at": spare.issued_at}


_PAGE = 100

# A sort key has 1 to 1,024 bytes, and a character up to four of them.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
_LONGEST_ID = 256

type Connections = list[Connection]


@dataclass(frozen=True, slots=True)
class Page:
    """Some connections, oldest id first. The next page begins after the id `cursor`; None at the end."""

    connections: Sequence[Connection]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestLink:
    """The latest unredeemed link of a Zoom user. Its pair may be the only valid one."""

    tenant: str
    connection_id: str
    authorized_at: float
    expires_at: float = float("inf")


class ConnectionStore:
    """A tenant's connections. Every method raises Unavailable when the table does not answer."""

    OWNED_KEYS: ClassVar = {
        "connections": (r"[^#]+#connections", r"con_.+"),
        "claims": (r"claim#.+#.+", r"claim|link"),
        "placed_links": (r"placed#.+", r"placed"),  # These items name nobody, and expire.
        "account_links": (r"account#.+#.+", r"[^#]+#.+"),
        "refresh_answers": (r"refreshes#\d+", r"answers"),  # These counts name nobody.
        "folded_users": (r"folded#.+#.+", r".+"),
    }

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, tenant: str, connection_id: str) -> Connection | None:
        """Return the connection as last written (a consistent read), or None, also for an id that cannot be a key."""
        if not 1 <= len(connection_id) <= _LONGEST_ID:
            return None
        values = self._table.get(partition(tenant), connection_id)
        return from_values(values) if values else None

    def list(self, tenant: str, *, owner: str | None = None, limit: int = _PAGE, cursor: str | None = None) -> Page:
        """Return up to `limit` connections after the id `cursor`, of one owner or of all."""
        found: Connections = []
        after: dict[str, Any] | None = {"pk": partition(tenant), "sk": cursor} if cursor else None
        while True:
            page, after = self._table.query(
                "#pk = :pk AND begins_with(#sk, :prefix)",
                {"pk": partition(tenant), "prefix": "con_"},
                limit=_PAGE,
                after=after,
            )
            for values in page:
                connection = from_values(values)
                if owner is None or connection.owner == owner:
                    found.append(connection)
                if len(found) > limit:
                    return Page(found[:limit], found[limit - 1].connection_id)
            if after is None:
                return Page(found, None)

    def by_zoom_user(self, client_id: str, zoom_user_id: str) -> Connection | None:
        """Return the connection that holds the claim of the app `client_id` on a Zoom user, or None."""
        claim = self._table.get(*claim_key(client_id, zoom_user_id))
        connection = self.get(claim["tenant"], claim["connection_id"]) if claim else None
        return connection if connection and connection.is_of_user(client_id, zoom_user_id) else None

    def latest_link(self, client_id: str, zoom_user_id: str) -> LatestLink | None:
        """Return the latest unredeemed link of a Zoom user, or None."""
        found = self._table.get(*link_key(client_id, zoom_user_id))
        if found is None:
            return None
        return LatestLink(
            tenant=found["tenant"],
            connection_id=found["connection_id"],
            authorized_at=float(found["authorized_at"]),
            expires_at=float(found.get("expires_at", "inf")),
        )

    def by_folded_user(self, client_id: str, zoom_user_id: str, account_id: str | None) -> Connection | None:
        """Return the connection of a Zoom user by their id, ignoring upper and lower case.

        Return None when several connected users of the Zoom account have it, or none.
        """
        users, _ = self._table.query("#pk = :pk", {"pk": folded_partition(client_id, zoom_user_id)})
        names = {zoom_user_id, *(user["sk"] for user in users)}
        held = (self.by_zoom_user(client_id, name) for name in sorted(names))
        found = [each for each in held if each is not None and account_id in {None, each.zoom_account_id}]
        return found[0] if len(found) == 1 else None

    def by_account(self, client_id: str, account_id: str) -> Connections:
        """Return the account-level connections of the app `client_id` to one Zoom account."""
        links, after = self._table.query("#pk = :pk", {"pk": account_partition(client_id, account_id)})
        while after is not None:
            more, after = self._table.query("#pk = :pk", {"pk": account_partition(client_id, account_id)}, after=after)
            links += more
        found = (self.get(link["tenant"], link["connection_id"]) for link in links)
        return [connection for connection in found if connection is not None]

    def add_account(self, connection: Connection, *, also: Sequence[Mapping[str, Any]] = ()) -> None:
        """Store a new account-level connection, its link to the account, and the operations in `also`, all or nothing.

        Raises ConditionFailed when the connection exists.
        """
        link = account_partition(connection.client_id, connection.zoom_account_id)
        at = {"tenant": connection.tenant, "connection_id": connection.connection_id}
        item = {"pk": link, "sk": f"{connection.tenant}#{connection.connection_id}", **at}
        new = "attribute_not_exists(#pk)"
        self._table.transact(
            [
                {"Put": self._table.to_put(to_values(connection), condition=new)},
                {"Put": self._table.to_put(item, condition=new)},
                *also,
            ]
        )

    def replace(self, connection: Connection, *, seen: Connection, also: Sequence[Mapping[str, Any]] = ()) -> None:
        """Replace a connection by another, if it is still as it was seen.

        Raises ConditionFailed when it has changed.
        """
        condition = "#grant_id = :grant AND #version = :version AND #state = :state"
        values = {"grant": seen.grant_id, "version": seen.version, "state": str(seen.state)}
        put = self._table.to_put(to_values(connection), condition=condition, values=values)
        self._table.transact([{"Put": put}, *also])

    def touch(self, connection: Connection, *, now: float, due_at: float) -> None:
        """Store that the connection is in use, which keeps it warm. Nothing happens when it has changed meanwhile."""
        self._table.update_if(
            *key_of(connection),
            "SET #last_used_at = :now, #due_at = :due",
            condition="#grant_id = :grant AND #version = :version AND attribute_exists(#due_at)",
            values={"now": now, "due": due_at, "grant": connection.grant_id, "version": connection.version},
        )

    def rename(self, tenant: str, connection_id: str, label: str | None) -> Connection | None:
        """Set the label, or remove it with None. Return the connection, or None when it is gone or being deleted."""
        change = "REMOVE #label" if label is None else "SET #label = :label"
        values = self._table.update_if(
            partition(tenant),
            connection_id,
            change,
            condition="attribute_exists(#pk) AND #state <> :gone",
            values={"gone": str(State.DISCONNECTED)} | ({} if label is None else {"label": label}),
        )
        return from_values(values) if values else None

    def end(
        self,
        connection: Connection,
        *,
        reason: str,
        now: float,
        again_at: float | None = None,
        also: Sequence[Mapping[str, Any]] = (),
    ) -> bool:
        """Give up a connection, if grant and state are still those seen. The tokens stay.

        Only a connection that is alive can be ended. Its tokens are tried again at `again_at`, if at all. What is done
        `also` is part of the same transaction.
        """
        if connection.state not in ALIVE:
            return False
        values: dict[str, object] = {
            "state": str(State.REAUTHORIZATION_REQUIRED),
            "reason": reason,
            "now": now,
            "grant": connection.grant_id,
            "seen": str(connection.state),
        }
        due = " REMOVE #due_shard, #due_at"
        if again_at is not None:
            due = ", #due_shard = :shard, #due_at = :due"
            values |= {"shard": due_shard(connection.connection_id), "due": again_at}
        change = self._table.to_update(
            *key_of(connection),
            f"SET #state = :state, #reason = :reason, #state_changed_at = :now{due}",
            condition="#grant_id = :grant AND #state = :seen",
            values=values,
        )
        return self._carried_out([{"Update": change}, *also])

    def heard(self, tenant: str, connection_id: str, *, now: float) -> None:
        """Store that Zoom has sent an event for the connection. Nothing happens when the connection is gone.

        A connection made by an older release has no item by which its user is found in lower case. It gets one here.
        """
        values = self._table.update_if(
            partition(tenant),
            connection_id,
            "SET #last_webhook_at = :now",
            condition="attribute_exists(#pk)",
            values={"now": now},
        )
        connection = from_values(values) if values else None
        if connection is not None and connection.zoom_user_id is not None:
            folded = folded_item(connection)
            at = {"tenant": connection.tenant, "id": connection.connection_id}
            change = "SET #tenant = :tenant, #connection_id = :id"
            self._table.update_if(folded["pk"], folded["sk"], change, condition="attribute_not_exists(#pk)", values=at)

    def forget_tokens(
        self, connection: Connection, *, reason: str, now: float, also: Sequence[Mapping[str, Any]] = ()
    ) -> bool:
        """Delete every token and give the connection up, if grant and state are still those seen.

        Return whether they were. Nothing happens either when the person has authorized the app again since then. The
        operations in `also` are part of the same transaction. The new grant id makes every refresh that is under way
        drop its pair.
        """
        change = self._table.to_update(
            *key_of(connection),
            "SET #state = :state, #reason = :reason, #state_changed_at = :now, #grant_id = :reason,"
            " #sealed_access = :empty, #sealed_refresh = :empty, #spares = :none, #intents = :none"
            " REMOVE #previous_refresh, #due_shard, #due_at, #lease_owner, #lease_expires_at",
            condition="#grant_id = :grant AND #state = :seen AND #authorized_at = :authorized_at",
            values={
                "state": str(State.REAUTHORIZATION_REQUIRED),
                "seen": str(connection.state),
                "authorized_at": connection.authorized_at,
                "reason": reason,
                "now": now,
                "empty": b"",
                "none": {},
                "grant": connection.grant_id,
            },
        )
        return self._carried_out([{"Update": change}, *also])

    def disconnect(
        self, connection: Connection, *, now: float, also: Sequence[Mapping[str, Any]] = ()
    ) -> Connection | None:
        """Stop all use and refresh at once, before the revocation. Return None when state or grant have changed.

        The operations in `also` are part of the same transaction. The new grant id makes every refresh that is under
        way drop its pair. The sweep finds the connection a minute later, if nobody has deleted it by then.
        """
        change = self._table.to_update(
            *key_of(connection),
            "SET #state = :state, #state_changed_at = :now, #grant_id = :none, #due_shard = :shard, #due_at = :due"
            " REMOVE #reason",
            condition="#grant_id = :grant AND #state = :seen",
            values={
                "state": str(State.DISCONNECTED),
                "now": now,
                "none": "disconnected",
                "shard": due_shard(connection.connection_id),
                "due": now + _LEFT_BEHIND,
                "grant": connection.grant_id,
                "seen": str(connection.state),
            },
        )
        if not self._carried_out([{"Update": change}, *also]):
            return None
        return self.get(connection.tenant, connection.connection_id)

    def delete(self, connection: Connection) -> None:
        """Delete the connection with its tokens, and its claim in the same transaction if it has one."""
        key = key_of(connection)
        item = {"Delete": self._table.to_delete(*key)}
        if connection.zoom_user_id is None:
            link = account_partition(connection.client_id, connection.zoom_account_id)
            at = f"{connection.tenant}#{connection.connection_id}"
            return self._table.transact([item, {"Delete": self._table.to_delete(link, at)}])
        claim = self._table.to_delete(
            *claim_key(connection.client_id, connection.zoom_user_id),
            condition="#tenant = :tenant AND #connection_id = :id",
            values={"tenant": connection.tenant, "id": connection.connection_id},
        )
        try:
            folded = folded_partition(connection.client_id, connection.zoom_user_id), connection.zoom_user_id
            self._table.transact([item, {"Delete": claim}, {"Delete": self._table.to_delete(*folded)}])
        except ConditionFailed:
            # The claim belongs to another connection, or does not exist. It stays as it is.
            self._table.delete(*key)

    def _carried_out(self, operations: Sequence[Mapping[str, Any]]) -> bool:
        """Return whether the transaction was carried out, or False when one of its conditions does not hold."""
        try:
            self._table.transact(operations)
        except ConditionFailed:
            return False
        return True

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether an erasure deletes an item: the person's connection or one they own, and claims on them.

        The connection to a whole Zoom account belongs to no person: it is deleted with its tenant only.
        """
        first, _, rest = str(item["pk"]).partition("#")
        if not target.owns(first if rest == "connections" else item.get("tenant")):
            return False
        if rest == "connections":
            user = item.get("zoom_user_id")
            return target.whole_tenant or (user is not None and target.names([user, item["owner"], item["sk"]]))
        user = item["sk"] if first == "folded" else rest.rpartition("#")[2]
        held = [user, item["connection_id"]] if first in {"claim", "folded"} else []
        return target.whole_tenant or target.names(held)


def alive_values() -> dict[str, str]:
    """Return the values for the expression `#state IN (:connected, :failing)`."""
    return dict(zip(("connected", "failing"), sorted(map(str, ALIVE)), strict=True))


_ONE_PAGE = 2.0


def count_by_state(table: Table, deadline: Deadline) -> dict[str, int]:
    """Return the number of connections in each state, 0 included. Raises Unavailable, also when time runs out."""
    found: Counter[str] = Counter({str(state): 0 for state in State})
    pages = table.pages(
        "scan",
        ProjectionExpression="#state",
        FilterExpression="begins_with(#sk, :connection) AND attribute_exists(#state)",
        ExpressionAttributeNames={"#state": "state", "#sk": "sk"},
        ExpressionAttributeValues={":connection": {"S": ID_PREFIX}},
    )
    for page in pages:
        found.update(item["state"]["S"] for item in page["Items"])
        if not deadline.allows(_ONE_PAGE):
            raise Unavailable(reason="census_too_long")
    return dict(found)
