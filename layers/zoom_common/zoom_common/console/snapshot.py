"""One pass over the Connections table: connections by state, API keys, and all tenants and Zoom accounts.

A scan reads every item, and its price grows with their size (docs/cost.md). So all pages of a container share one
result for half a minute. A scan that runs out of time says that it is not complete.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from zoom_common.access.key_store import from_item as key_from_item
from zoom_common.access.keys import ApiKey
from zoom_common.aws.items import from_item
from zoom_common.aws.table import Table
from zoom_common.connections.model import ID_PREFIX, State
from zoom_common.deadline import Deadline

# The most entries of each kind that are kept in memory. All are counted.
MOST_ROWS = 5_000
FRESH_SECONDS = 30.0
_ONE_PAGE = 6.0

_ATTRIBUTES = (
    *("pk", "sk", "state", "reason", "kind", "client_id", "zoom_account_id", "created_at", "authorized_at"),
    *("state_changed_at", "last_used_at", "last_webhook_at", "failures", "access_expires_at", "refresh_issued_at"),
    *("key_id", "tenant", "name", "scopes", "digest", "connection", "valid_until", "revoked_at", "requests_per_minute"),
)
_SUBSCRIPTION = "sub_"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionRow:
    """What an operator may know of a connection. Times are epoch seconds."""

    tenant: str
    connection_id: str
    state: str
    reason: str | None
    kind: str
    client_id: str
    zoom_account_id: str
    state_changed_at: float
    last_used_at: float
    last_webhook_at: float | None
    failures: int

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> ConnectionRow:
        """Return the row of an item with plain values."""
        heard = values.get("last_webhook_at")
        return cls(
            tenant=str(values["pk"]).removesuffix("#connections"),
            connection_id=str(values["sk"]),
            state=str(values["state"]),
            reason=values.get("reason"),
            kind=str(values.get("kind", "")),
            client_id=str(values.get("client_id", "")),
            zoom_account_id=str(values.get("zoom_account_id", "")),
            state_changed_at=float(values.get("state_changed_at", 0)),
            last_used_at=float(values.get("last_used_at", 0)),
            last_webhook_at=None if heard is None else float(heard),
            failures=int(values.get("failures", 0)),
        )


# What needs action comes first; among equals, what changed last.
_RANKS = {
    State.REAUTHORIZATION_REQUIRED: 0,
    State.REFRESH_FAILING: 1,
    State.DISCONNECTED: 2,
    State.PENDING: 3,
    State.CONNECTED: 4,
}


@dataclass(slots=True)
class Snapshot:
    """What one pass found at `at` (epoch seconds). If it is not `complete`, there may be more than the numbers say."""

    at: float
    complete: bool = True
    states: Counter[str] = field(default_factory=lambda: Counter({str(each): 0 for each in State}))
    reasons: Counter[str] = field(default_factory=Counter)
    subscriptions: Counter[str] = field(default_factory=Counter)
    key_count: int = 0
    tenants: set[str] = field(default_factory=set)
    apps: set[str] = field(default_factory=set)
    accounts: set[str] = field(default_factory=set)
    connections: list[ConnectionRow] = field(default_factory=list)
    keys: list[ApiKey] = field(default_factory=list)

    def take(self, item: Mapping[str, Any]) -> None:
        """Count one item of the table, in attribute values."""
        pk, sk = item["pk"]["S"], item["sk"]["S"]
        if sk == "apikey" and "digest" in item:
            self._key(key_from_item(item))
        elif sk.startswith(ID_PREFIX) and pk.endswith("#connections"):
            self._connection(ConnectionRow.of(from_item(item)))
        elif sk.startswith(_SUBSCRIPTION) and "state" in item:
            self.subscriptions[item["state"]["S"]] += 1

    def _connection(self, row: ConnectionRow) -> None:
        self.states[row.state] += 1
        if row.reason and row.state != State.CONNECTED:
            self.reasons[row.reason] += 1
        self.tenants.add(row.tenant)
        self.apps.add(row.client_id)
        if row.state != State.PENDING:
            self.accounts.add(row.zoom_account_id)
        # In a stack with very many connections, those that work are dropped before those that do not.
        if len(self.connections) < MOST_ROWS or row.state != State.CONNECTED:
            self.connections.append(row)

    def _key(self, key: ApiKey) -> None:
        self.key_count += 1
        self.tenants.add(key.tenant)
        if len(self.keys) < MOST_ROWS:
            self.keys.append(key)

    def finish(self) -> Snapshot:
        """Sort what was found, and keep as much as a container may hold."""
        self.connections.sort(
            key=lambda row: (_RANKS.get(State(row.state), 0), -row.state_changed_at, row.connection_id)
        )
        del self.connections[MOST_ROWS:]
        self.keys.sort(key=lambda key: (-key.created_at, key.key_id))
        return self


@dataclass(slots=True, kw_only=True)
class Snapshots:
    """Takes a snapshot, and returns the last one again for half a minute. `clock` gives epoch seconds."""

    table: Table
    clock: Callable[[], float]
    _last: Snapshot | None = None

    def latest(self, deadline: Deadline) -> Snapshot:
        """Return a snapshot that is at most half a minute old. Raises Unavailable."""
        if self._last is None or self.clock() - self._last.at >= FRESH_SECONDS:
            self._last = self._taken(deadline)
        return self._last

    def forget(self) -> None:
        """Take the next snapshot without the cache, because something has changed."""
        self._last = None

    def _taken(self, deadline: Deadline) -> Snapshot:
        found = Snapshot(at=self.clock())
        names = {f"#a{at}": name for at, name in enumerate(_ATTRIBUTES)}
        pages = self.table.pages(
            "scan", ProjectionExpression=", ".join(names), ExpressionAttributeNames=names, ConsistentRead=False
        )
        for page in pages:
            for item in page["Items"]:
                found.take(item)
            if page.get("LastEvaluatedKey") and not deadline.allows(_ONE_PAGE):
                found.complete = False
                break
        return found.finish()


def tenants_of(snapshot: Snapshot) -> Sequence[str]:
    """Every tenant that has a connection or a key, in order."""
    return sorted(snapshot.tenants)
