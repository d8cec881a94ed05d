"""What the events of a batch will read, read at once: whose they are, what was erased, and what is stored of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from zoom_common.aws.at_once import Key, ReadAhead
from zoom_common.connections.store import account_partition, claim_key, partition
from zoom_common.connections.tombstones import key_of, of_account, of_person, of_tenant, of_user
from zoom_common.events.bus import event_id, source_of
from zoom_common.events.connection_events import people_of
from zoom_common.events.log.entries import entry_key, unrouted
from zoom_common.events.projections.projectors import changes
from zoom_common.events.projections.store import record_key
from zoom_common.events.routing import HostStore
from zoom_common.events.webhook.message import Delivery
from zoom_common.zoom.event_keys import dedupe_key, former_keys, second_key
from zoom_common.zoom.events import DEAUTHORIZED, ZoomEvent


@dataclass(frozen=True, slots=True)
class _Holder:
    """Whose connection an event may come by."""

    tenant: str
    connection_id: str


class BatchReads:
    """Reads in two steps, because only the first says which tenants the second is about.

    Connections, hosts and entries of the log are read consistently after the messages were received. The other reads
    cost half, because they may be some milliseconds old
    (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.ReadConsistency.html):

    * records of projections, because their writes are conditional, and what an old one has already a newer one has too;
    * tombstones, because an erasure looks a second time, minutes later;
    * which connections there are, because what Zoom sends in the second of connecting may belong to nobody yet. Whether
      a connection that was found receives events is read consistently.

    A store that asks for something else reads it consistently.
    """

    def __init__(
        self,
        connections: ReadAhead,
        events: ReadAhead,
        hosts: HostStore,
        *,
        knows_tenant: Callable[[str], bool] = lambda _: False,
    ) -> None:
        self._connections = connections
        self._events = events
        self._hosts = hosts
        self._knows_tenant = knows_tenant

    def read(self, deliveries: Sequence[tuple[Delivery, ZoomEvent]]) -> None:
        """Read for these, and forget what was read before. Never raises."""
        self._connections.forget()
        self._events.forget()
        self._read_claims([(delivery.app, event) for delivery, event in deliveries])
        connections: list[Key] = []
        tombstones: list[Key] = []
        records: list[Key] = []
        entries: list[Key] = []
        for delivery, event in deliveries:
            holders = list(dict.fromkeys(self._holders(delivery.app, event)))
            connections += [(partition(each.tenant), each.connection_id) for each in holders]
            tombstones += self._tombstones(delivery.app, event, {each.tenant for each in holders})
            for tenant in {each.tenant for each in holders}:
                records += _records(tenant, event)
            for owner in {each.tenant for each in holders} or {unrouted(delivery.app)}:
                entries += _entries(delivery, event, owner)
        waits = [
            self._connections.begin_read(connections),
            self._connections.begin_read(tombstones, consistent=False),
            self._events.begin_read(entries),
            self._events.begin_read(records, consistent=False),
        ]
        for wait in waits:
            wait()

    def _read_claims(self, events: Sequence[tuple[str, ZoomEvent]]) -> None:
        # Who removes the app in the second of connecting must not keep the connection: that claim is read by itself.
        claims = [claim_key(app, user) for app, event in events if event.name != DEAUTHORIZED for user in event.users]
        accounts = [account_partition(app, event.account_id) for app, event in events if event.account_id]
        hosts = [key for app, event in events for key in self._hosts.keys_to_find(app, event)]
        waits = [
            self._connections.begin_read(claims, consistent=False),
            self._connections.begin_query(accounts, consistent=False),
            self._events.begin_read(hosts),
        ]
        for wait in waits:
            wait()
        found = ((app, host) for app, event in events for host in self._found_hosts(app, event))
        self._connections.begin_read([claim_key(app, host) for app, host in found], consistent=False)()

    def _found_hosts(self, app: str, event: ZoomEvent) -> Iterator[str]:
        for key in self._hosts.keys_to_find(app, event):
            item = self._events.known(key)
            if item is not None:
                yield str(item["host"])

    def _holders(self, app: str, event: ZoomEvent) -> Iterator[_Holder]:
        users = [*event.users, *self._found_hosts(app, event)]
        found = [self._connections.known(claim_key(app, user)) for user in users]
        links = self._connections.partition(account_partition(app, event.account_id)) if event.account_id else []
        for each in (*found, *links):
            if each is not None:
                yield _Holder(each["tenant"], each["connection_id"])

    def _tombstones(self, app: str, event: ZoomEvent, tenants: Collection[str]) -> list[Key]:
        people = people_of(event)
        names = [of_person(tenant, who) for tenant in tenants for who in people]
        names += [of_tenant(tenant) for tenant in tenants if not self._knows_tenant(tenant)]
        if not tenants:
            names = [of_user(app, who) for who in people]
            names += [of_account(app, event.account_id)] if event.account_id else []
        return [key_of(name) for name in names]


def _records(tenant: str, event: ZoomEvent) -> list[Key]:
    try:
        return [record_key(tenant, change) for change in changes(event)]
    except Exception:  # noqa: BLE001 - the processor reports what cannot be projected
        return []


def _entries(delivery: Delivery, event: ZoomEvent, owner: str) -> list[Key]:
    """What an older release may have stored of the event."""
    if delivery.key:
        return []
    keys = [*former_keys(event), *([dedupe_key(event)] if second_key(event) is not None else [])]
    stored = (entry_key(owner, event_id(source_of(delivery.app), owner, key)) for key in keys)
    return [(key["pk"]["S"], key["sk"]["S"]) for key in stored]
