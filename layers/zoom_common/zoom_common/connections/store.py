"""Connections in DynamoDB: keys and items; reading, finding, ending and counting connections."""

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

# Fixed for the life of a table: it spreads due times over partitions of the index.
SHARDS = 16

_PLAIN = tuple(
    field.name for field in fields(Connection) if field.name not in {"kind", "state", "scopes", "spares", "intents"}
)

_NAMES = frozenset(_PLAIN)

_TIMES = ("access_expires_at", "refresh_issued_at", "created_at", "authorized_at", "state_changed_at", "last_used_at")


# In these states the index of due times may name a connection: what was given up is tried again some times, and a
# disconnect that stopped half-way is finished.
_SWEPT = ALIVE | {State.REAUTHORIZATION_REQUIRED, State.DISCONNECTED}

# So many seconds after a disconnect began, the one who asked for it has finished it or never will.
_LEFT_BEHIND = 60.0


def partition(tenant: str) -> str:
    """The partition that holds a tenant's connections."""
    return f"{tenant}#connections"


class Keyed(Protocol):
    """What belongs to a connection."""

    @property
    def tenant(self) -> str: ...  # noqa: D102
    @property
    def connection_id(self) -> str: ...  # noqa: D102


def key_of(connection: Keyed) -> tuple[str, str]:
    """The keys of a connection."""
    return partition(connection.tenant), connection.connection_id


def claim_key(client_id: str, zoom_user_id: str) -> tuple[str, str]:
    """The keys of the claim of one app on one Zoom user."""
    return f"claim#{client_id}#{zoom_user_id}", "claim"


def link_key(client_id: str, zoom_user_id: str) -> tuple[str, str]:
    """The keys of the latest link of a Zoom user that nobody has redeemed."""
    return claim_key(client_id, zoom_user_id)[0], "link"


def folded_partition(client_id: str, zoom_user_id: str) -> str:
    """The partition that lists the connected Zoom users of one app whose ids differ in upper and lower case only."""
    return f"folded#{client_id}#{zoom_user_id.casefold()}"


def folded_item(connection: Connection) -> dict[str, Any]:
    """The item by which a connected Zoom user is found when an event writes their id in lower case."""
    user = str(connection.zoom_user_id)
    return {
        "pk": folded_partition(connection.client_id, user),
        "sk": user,
        "tenant": connection.tenant,
        "connection_id": connection.connection_id,
    }


def account_partition(client_id: str, account_id: str) -> str:
    """The partition that lists the account-level connections of one app and Zoom account."""
    return f"account#{client_id}#{account_id}"


def due_shard(connection_id: str) -> str:
    """The shard of the index `due` that a connection's due time is in."""
    return f"{crc32(connection_id.encode()) % SHARDS:02d}"


def to_values(connection: Connection) -> dict[str, object]:
    """The whole item. Spares and intents are maps by attempt, so that writers add to them without reading."""
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
    """A connection from its item."""
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
    """One spare, as it stands in the map of spares."""
    return {"sealed": spare.sealed, "issued_at": spare.issued_at}


_PAGE = 100

# A sort key has 1 to 1,024 bytes, and a character up to four of them.
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
_LONGEST_ID = 256

type Connections = list[Connection]


@dataclass(frozen=True, slots=True)
class Page:
    """Some connections, oldest id first. `cursor` is the id to go on after, None at the end."""

    connections: Sequence[Connection]
    cursor: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LatestLink:
    """The latest link of a Zoom user that nobody has redeemed: its pair may be the only live one."""

    tenant: str
    connection_id: str
    authorized_at: float
    expires_at: float = float("inf")


class ConnectionStore:
    """A tenant's connections. Every method raises Unavailable when the table does not answer."""

    OWNED_KEYS: ClassVar = {
        "connections": (r"[^#]+#connections", r"con_.+"),
        "claims": (r"claim#.+#.+", r"claim|link"),
        "placed_links": (r"placed#.+", r"placed"),  # they name nobody, and end by themselves
        "account_links": (r"account#.+#.+", r"[^#]+#.+"),
        "refresh_answers": (r"refreshes#\d+", r"answers"),  # counts that name nobody
        "folded_users": (r"folded#.+#.+", r".+"),
    }

    def __init__(self, table: Table) -> None:
        self._table = table

    def get(self, tenant: str, connection_id: str) -> Connection | None:
        """The connection as last written (a consistent read), or None. An id that cannot be a key is not asked for."""
        if not 1 <= len(connection_id) <= _LONGEST_ID:
            return None
        values = self._table.get(partition(tenant), connection_id)
        return from_values(values) if values else None

    def list(self, tenant: str, *, owner: str | None = None, limit: int = _PAGE, cursor: str | None = None) -> Page:
        """Up to `limit` connections after the id `cursor`, of one owner or of all."""
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
        """The connection that holds the claim of app `client_id` on a Zoom user."""
        claim = self._table.get(*claim_key(client_id, zoom_user_id))
        connection = self.get(claim["tenant"], claim["connection_id"]) if claim else None
        return connection if connection and connection.is_of_user(client_id, zoom_user_id) else None

    def latest_link(self, client_id: str, zoom_user_id: str) -> LatestLink | None:
        """Return the latest link of a Zoom user that nobody has redeemed."""
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
        """Return the connection whose Zoom user has this id apart from upper and lower case.

        Return None when several connected users of the Zoom account have it, or none.
        """
        users, _ = self._table.query("#pk = :pk", {"pk": folded_partition(client_id, zoom_user_id)})
        names = {zoom_user_id, *(user["sk"] for user in users)}
        held = (self.by_zoom_user(client_id, name) for name in sorted(names))
        found = [each for each in held if each is not None and account_id in {None, each.zoom_account_id}]
        return found[0] if len(found) == 1 else None

    def by_account(self, client_id: str, account_id: str) -> Connections:
        """The account-level connections of app `client_id` to one Zoom account."""
        links, after = self._table.query("#pk = :pk", {"pk": account_partition(client_id, account_id)})
        while after is not None:
            more, after = self._table.query("#pk = :pk", {"pk": account_partition(client_id, account_id)}, after=after)
            links += more
        found = (self.get(link["tenant"], link["connection_id"]) for link in links)
        return [connection for connection in found if connection is not None]

    def add_account(self, connection: Connection, *, also: Sequence[Mapping[str, Any]] = ()) -> None:
        """Store a new account-level connection, its link to the Zoom account, and what is done `also`: all or nothing.

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
        """Put a whole connection in the place of the one seen. Raises ConditionFailed when that has changed."""
        condition = "#grant_id = :grant AND #version = :version AND #state = :state"
        values = {"grant": seen.grant_id, "version": seen.version, "state": str(seen.state)}
        put = self._table.to_put(to_values(connection), condition=condition, values=values)
        self._table.transact([{"Put": put}, *also])

    def touch(self, connection: Connection, *, now: float, due_at: float) -> None:
        """Note that the connection is in use, which keeps it warm. Nothing happens when it has changed meanwhile."""
        self._table.update_if(
            *key_of(connection),
            "SET #last_used_at = :now, #due_at = :due",
            condition="#grant_id = :grant AND #version = :version AND attribute_exists(#due_at)",
            values={"now": now, "due": due_at, "grant": connection.grant_id, "version": connection.version},
        )

    def rename(self, tenant: str, connection_id: str, label: str | None) -> Connection | None:
        """Set the label, or take it away with None. Return the connection, or None when it is gone or about to go."""
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
        """Ask for re-authorization, if grant and state are still those seen; tokens stay. Whether they were.

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
        """Note that Zoom has sent an event for the connection. Nothing happens when the connection is gone.

        A connection that an older release made has no item by which its user is found in lower case. It gets one here.
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
        """Delete every token and ask for re-authorization, if grant and state are still those seen. Whether they were.

        Nothing happens either when the person has authorized the app once more since then. What is done `also` is part
        of the same transaction.
        A grant id of its own makes every refresh that is under way drop what it gets, and escrow what it brings.
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
        """Stop all use and refresh at once, before the revocation. Return None when state or grant are others by now.

        What is done `also` is part of the same transaction. A grant id of its own makes every refresh that is under way
        drop what it gets. The sweep finds the connection a minute later, if nobody has deleted it by then.
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
        """Delete the connection with its tokens, and its claim in the same transaction if the claim is its own."""
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
            # The claim is another's, or was never made: it stays as it is.
            self._table.delete(*key)

    def _carried_out(self, operations: Sequence[Mapping[str, Any]]) -> bool:
        """Return whether the transaction was carried out: False when one of its conditions does not hold."""
        try:
            self._table.transact(operations)
        except ConditionFailed:
            return False
        return True

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether an item goes: the person's connection or one they own, and the claims of the tenant on them.

        The connection to a whole Zoom account is nobody's own: it goes with its tenant only.
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
    """The values that `#state IN (:connected, :failing)` compares with."""
    return dict(zip(("connected", "failing"), sorted(map(str, ALIVE)), strict=True))


_ONE_PAGE = 2.0


def count_by_state(table: Table, deadline: Deadline) -> dict[str, int]:
    """The number of connections in each state, none left out. Raises Unavailable, also when time runs out."""
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
