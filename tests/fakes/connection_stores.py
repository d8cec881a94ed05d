"""The vault's stores over DynamoDB in memory, with faults: their own conditions decide, nothing is imitated.

`tests/stores` holds each of them to what it does over moto.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from tests.fakes import tables
from tests.fakes.dynamodb import MemoryDynamoDB
from tests.fakes.dynamodb_expressions import Item
from tests.fakes.dynamodb_view import View
from zoom_common.aws.items import from_item
from zoom_common.aws.table import ConditionFailed, Table
from zoom_common.connections.link_store import AuthorizationStore, Claim, LinkRequest
from zoom_common.connections.model import ID_PREFIX, Connection
from zoom_common.connections.refresh.effects import FinalState, SealedPair
from zoom_common.connections.refresh.policy import RejectionStreak
from zoom_common.connections.refresh.store import RefreshStore
from zoom_common.connections.store import ConnectionStore, claim_key, from_values, partition, to_values
from zoom_common.connections.tombstones import Tombstones
from zoom_common.errors import InternalError, Unavailable
from zoom_common.secret import Secret


class Memory(ConnectionStore):
    """Connections and claims. `faults[method]` is a count of calls that fail before they do anything.

    DynamoDB refuses every call of the methods in `refuses`.
    """

    def __init__(self, dynamodb: MemoryDynamoDB | None = None) -> None:
        self.dynamodb = tables.in_memory(dynamodb)
        self.table = Table(self.dynamodb.client(), tables.CONNECTIONS)
        super().__init__(self.table)
        self.items = self._connections()
        self.claims = self._claims()
        self.faults: dict[str, int] = {}
        self.refuses: set[str] = set()
        self.reads = 0
        self.writes = 0

    def _connections(self) -> MutableMapping[tuple[str, str], Connection]:
        return View(
            table=self.dynamodb.tables[tables.CONNECTIONS],
            place_of=lambda name: (partition(name[0]), name[1]),
            name_of=lambda pk, sk: (pk.removesuffix("#connections"), sk) if sk.startswith(ID_PREFIX) else None,
            read=lambda item: from_values(from_item(item)),
            write=lambda _name, connection: self.put(connection),
        )

    def _claims(self) -> MutableMapping[tuple[str, str], Claim]:
        def name_of(pk: str, sk: str) -> tuple[str, str] | None:
            kind, _, rest = pk.partition("#")
            client_id, _, zoom_user_id = rest.partition("#")
            return (client_id, zoom_user_id) if kind == "claim" and sk == "claim" else None

        def write(name: tuple[str, str], claim: Claim) -> None:
            pk, sk = claim_key(*name)
            self.table.put({"pk": pk, "sk": sk, "tenant": claim.tenant, "connection_id": claim.connection_id})

        return View(
            table=self.dynamodb.tables[tables.CONNECTIONS],
            place_of=lambda name: claim_key(*name),
            name_of=name_of,
            read=lambda item: Claim(tenant=item["tenant"]["S"], connection_id=item["connection_id"]["S"]),
            write=write,
        )

    def put(self, connection: Connection) -> Connection:
        self.table.put(to_values(connection))
        return connection

    def fails(self, method: str) -> None:
        if method in self.refuses:
            raise InternalError(where="connections_store_unavailable", cause="ValidationException")
        if self.faults.get(method, 0) > 0:
            self.faults[method] -= 1
            raise Unavailable(reason="connections_store_unavailable")

    def get(self, tenant: str, connection_id: str) -> Connection | None:
        self.reads += 1
        self.fails("get")
        return super().get(tenant, connection_id)

    def add_account(self, connection: Connection, **more: Any) -> None:
        self.fails("add_account")
        super().add_account(connection, **more)

    def heard(self, tenant: str, connection_id: str, *, now: float) -> None:
        self.fails("heard")
        self.writes += 1
        super().heard(tenant, connection_id, now=now)

    def forget_tokens(self, connection: Connection, *, reason: str, now: float, **more: Any) -> bool:
        self.fails("forget_tokens")
        return super().forget_tokens(connection, reason=reason, now=now, **more)

    def disconnect(self, connection: Connection, *, now: float, **more: Any) -> Connection | None:
        self.fails("disconnect")
        return super().disconnect(connection, now=now, **more)


class MemoryRefresh(RefreshStore):
    """The conditional writes, on the table of a `Memory`, which has the faults as well."""

    def __init__(self, memory: Memory) -> None:
        super().__init__(memory.table)
        self.memory = memory
        self.lost_writes = 0  # writes that happen and say they did not

    def take_lease(self, seen: Connection, attempt: str, *, now: float, until: float, skew: float) -> Connection | None:
        self.memory.fails("take_lease")
        return super().take_lease(seen, attempt, now=now, until=until, skew=skew)

    def write(self, pair: SealedPair, *, release: bool, **more: Any) -> Connection | None:
        self.memory.fails("write")
        found = super().write(pair, release=release, **more)
        if found is None and self.lost_writes > 0:
            self.lost_writes -= 1
            raise Unavailable(reason="connections_store_unavailable")
        return found

    def keep_spare(self, pair: SealedPair) -> bool:
        self.memory.fails("keep_spare")
        return super().keep_spare(pair)

    def note_refusal(self, seen: Connection, row: RejectionStreak, *, version: int | None = None) -> bool:
        self.memory.fails("note_refusal")
        return super().note_refusal(seen, row, version=version)

    def settle(self, seen: Connection, settlement: FinalState, **more: Any) -> bool:
        self.memory.fails("settle")
        return super().settle(seen, settlement, **more)


class MemoryAuthorization(AuthorizationStore):
    """Tickets, states and codes, beside a `Memory`. `memory.faults["redeem"]` is a count of lost races for a claim."""

    def __init__(self, memory: Memory) -> None:
        super().__init__(Table(memory.dynamodb.client(), tables.COORDINATION), memory.table)
        self.memory = memory
        self.lost_writes = 0  # writes of a link that happen and say they did not

    @property
    def entries(self) -> dict[tuple[str, str], Item]:
        """What is kept, as it is stored."""
        stored = self.memory.dynamodb.tables[tables.COORDINATION]
        return {stored.key(item): item for item in stored.items()}

    def put_pending(
        self, pending: Connection, code: Secret | None, link: LinkRequest | None, *, expires_at: int, **more: Any
    ) -> None:
        self.memory.fails("put_pending")
        super().put_pending(pending, code, link, expires_at=expires_at, **more)
        self._loses()

    def redeem(self, code: Secret, *, now: float, **what: Any) -> None:
        self._moves()
        super().redeem(code, now=now, **what)
        self._loses()

    def redeem_in_place(self, code: Secret, **what: Any) -> None:
        self._moves()
        super().redeem_in_place(code, **what)
        self._loses()

    def _moves(self) -> None:
        if self.memory.faults.get("redeem", 0) > 0:
            self.memory.faults["redeem"] -= 1
            raise ConditionFailed(failed=[1])

    def _loses(self) -> None:
        if self.lost_writes > 0:
            self.lost_writes -= 1
            raise Unavailable(reason="connections_store_unavailable")


class MemoryTombstones(Tombstones):
    """Tombstones in a table of their own."""

    def __init__(self, dynamodb: MemoryDynamoDB | None = None) -> None:
        self.dynamodb = tables.in_memory(dynamodb)
        super().__init__(Table(self.dynamodb.client(), tables.CONNECTIONS))

    @property
    def kept(self) -> dict[str, float]:
        """When which name was erased."""
        items = self.dynamodb.tables[tables.CONNECTIONS].items()
        return {item["pk"]["S"].removeprefix("erased#"): float(item["erased_at"]["N"]) for item in items}
