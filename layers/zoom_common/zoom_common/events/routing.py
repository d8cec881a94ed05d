"""Decides which tenants receive an event, by the connections of the verified app that it concerns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from zoom_common.aws.at_once import begin_put_each
from zoom_common.aws.table import Table
from zoom_common.zoom.event_users import values_at
from zoom_common.zoom.events import ZoomEvent, epoch_ms

if TYPE_CHECKING:
    from zoom_common.connections.model import Connection
    from zoom_common.connections.store import ConnectionStore
    from zoom_common.erasure_target import ErasureTarget, StoredItem
    from zoom_common.errors import DependencyFailed

_SK = "host"

# Numbers of meetings without a known host, which the next round of reconciliation looks for.
_WANTED = "wanted"

_MOST_WANTED = 500

# Unrouted events are tried again for six hours.
_WANTED_SECONDS = 6 * 3600

_MOST_KNOWN = 10_000

# Zoom plans occurrences about two years ahead, so a host is not stored until the year 9999 because of its plan.
_LONGEST_PLAN = 800 * 86_400


class HostStore:
    """Hosts by app and meeting. Every method raises Unavailable when the table cannot be used."""

    OWNED_KEYS: ClassVar = {"others": (r"hosts\..+#.+", r"host|wanted")}

    def __init__(self, events: Table, *, clock: Callable[[], float], retention_days: int = 30) -> None:
        self._table = events
        self._clock = clock
        self._retention = retention_days * 86_400
        self._known: dict[tuple[str, str], tuple[str, int]] = {}  # with the epoch second when it expires
        self._noted: dict[tuple[str, str], tuple[str, int]] = {}  # not in the table yet

    def learn(self, app: str, event: ZoomEvent) -> None:
        """Store the host of what the event is about, until the retention time after its last planned start.

        An update that names no host extends the time of the known host. A container writes once per UUID and number
        while neither the host nor the plan changes.
        """
        self.note(app, event)
        failed = [failed for failed in self.begin_store()().values() if failed is not None]
        if failed:
            raise failed[0]

    def note(self, app: str, event: ZoomEvent) -> None:
        """Note what `learn` would store. It can be found from now on, and `begin_store` stores it."""
        planned = _last_planned(event)
        host = event.host or (self.find(app, event) if planned else None)
        until = min(max(int(self._clock()), planned), int(self._clock()) + _LONGEST_PLAN) + self._retention
        for name in event.meeting_names if host is not None else ():
            known, known_until = self._last(app, name)
            if host is not None and (known != host or until - known_until > self._retention // 2):
                self._noted[app, name] = host, max(until, known_until if known == host else 0)

    def begin_store(self) -> Callable[[], dict[tuple[str, str], DependencyFailed | None]]:
        """Start storing what was noted. Return a function that waits for it and returns the errors by app and name."""
        noted, self._noted = self._noted, {}
        wait = begin_put_each(self._table, [_item(*name, *found) for name, found in noted.items()])

        def stored() -> dict[tuple[str, str], DependencyFailed | None]:
            outcomes = dict(zip(noted, wait(), strict=True))
            if len(self._known) + len(noted) > _MOST_KNOWN:
                self._known.clear()
            self._known |= {name: found for name, found in noted.items() if outcomes[name] is None}
            return outcomes

        return stored

    def find(self, app: str, event: ZoomEvent) -> str | None:
        """Return the Zoom user who hosts what the event is about, as far as this app's events have named them."""
        for name in event.meeting_names:
            host = self._last(app, name)[0] or self._get(app, name)
            if host is not None:
                return host
        return None

    def keys_to_find(self, app: str, event: ZoomEvent) -> list[tuple[str, str]]:
        """Return the keys that `find` reads, for an event that names no host."""
        if event.host is not None:
            return []
        return [(_pk(app, name), _SK) for name in event.meeting_names if self._last(app, name)[0] is None]

    def want(self, app: str, account_id: str, numbers: Collection[str]) -> None:
        """Store the numbers of an account's meetings without a known host. It replaces the numbers stored before."""
        item = {
            "pk": {"S": _pk(app, account_id)},
            "sk": {"S": _WANTED},
            "numbers": {"L": [{"S": number} for number in sorted(numbers)[:_MOST_WANTED]]},
            "expires_at": {"N": str(int(self._clock()) + _WANTED_SECONDS)},
        }
        self._table.call("put_item", Item=item)

    def wanted(self, app: str, account_id: str) -> frozenset[str]:
        """Return the numbers that `want` stored for a Zoom account within the last six hours."""
        key = {"pk": {"S": _pk(app, account_id)}, "sk": {"S": _WANTED}}
        item = self._table.call("get_item", Key=key, ConsistentRead=True).get("Item")
        if item is None or int(item["expires_at"]["N"]) <= self._clock():
            return frozenset()
        return frozenset(number["S"] for number in item["numbers"]["L"])

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether an erasure deletes a host: it is the person, in an app of the tenant's connections."""
        app = str(item["pk"]).removeprefix("hosts.").partition("#")[0]
        return app in target.client_ids and target.names([item.get("host")])

    def _last(self, app: str, name: str) -> tuple[str | None, int]:
        """Return the host as this container knows it, and when the item expires in epoch seconds."""
        return self._noted.get((app, name)) or self._known.get((app, name)) or (None, 0)

    def _get(self, app: str, name: str) -> str | None:
        key = {"pk": {"S": _pk(app, name)}, "sk": {"S": _SK}}
        item = self._table.call("get_item", Key=key, ConsistentRead=True).get("Item")
        return item["host"]["S"] if item else None


def _last_planned(event: ZoomEvent) -> int:
    """Return the last start that the event plans, in epoch seconds; 0 where it plans none."""
    places = ("start_time", "occurrences[].start_time", "recurrence.end_date_time")
    moments = (epoch_ms(value) for place in places for value in values_at(event.object, place))
    return max((moment // 1000 for moment in moments if moment is not None), default=0)


def _item(app: str, name: str, host: str, until: int) -> dict[str, Any]:
    return {
        "pk": {"S": _pk(app, name)},
        "sk": {"S": _SK},
        "host": {"S": host},
        "expires_at": {"N": str(until)},
    }


def _pk(app: str, name: str) -> str:
    return f"hosts.{app}#{name}"


# Not a connection that is not redeemed yet, and not a disconnected one.
_RECEIVING = frozenset({"connected", "refresh_failing", "reauthorization_required"})


@dataclass(frozen=True, slots=True)
class Route:
    """One tenant an event goes to, and the connection it came by."""

    tenant: str
    connection_id: str


def routes(event: ZoomEvent, app: str, connections: ConnectionStore, hosts: HostStore) -> list[Route]:
    """Return where the event goes, each tenant once: its host, the users it names, its operator, then its account."""
    found: dict[str, Route] = {}
    for connection in _candidates(event, app, connections, hosts):
        if str(connection.state) in _RECEIVING:
            found.setdefault(connection.tenant, Route(connection.tenant, connection.connection_id))
    return list(found.values())


def _candidates(event: ZoomEvent, app: str, connections: ConnectionStore, hosts: HostStore) -> Iterator[Connection]:
    # An update names its author and not the host, so the host that earlier events named comes first.
    known = hosts.find(app, event) if event.host is None else None
    for user in dict.fromkeys(filter(None, (known, *event.users))):
        connection = _of_user(user, event, app, connections)
        if connection is not None:
            yield connection
    if event.account_id:
        yield from (each for each in connections.by_account(app, event.account_id) if each.kind == "account")


def _of_user(user: str, event: ZoomEvent, app: str, connections: ConnectionStore) -> Connection | None:
    """Return the connection of a Zoom user, also by an id in lower case if that belongs to only one user."""
    exact = connections.by_zoom_user(app, user)
    if event.folds_case and (exact is None or user == user.casefold()):
        return connections.by_folded_user(app, user, event.account_id)
    return exact
