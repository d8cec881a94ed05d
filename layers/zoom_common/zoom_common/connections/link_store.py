"""Tickets, states and one-time codes, stored by digest, and the transactions in which a link advances."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar

from zoom_common.aws.table import ConditionFailed, Table
from zoom_common.connections.model import Connection, State, digest
from zoom_common.connections.store import claim_key, folded_item, key_of, to_values
from zoom_common.secret import Secret

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem

TICKET, STATE, CODE = "ticket", "state", "code"
SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRequest:
    """Who asked for a link, for whom, and where the browser goes afterwards.

    `connection_id` is the connection to reconnect, or, with a code, the pending one that the code is for.
    """

    tenant: str
    subject: str
    owner: str
    return_url: str | None = field(default=None, repr=False)
    connection_id: str | None = None
    reconnects: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Which connection holds a Zoom user."""

    tenant: str
    connection_id: str


class AuthorizationStore:
    """Every method raises Unavailable when a table does not answer."""

    OWNED_KEYS: ClassVar = {"coordination": (r"(ticket|state|code)#.+", r"ticket|state|code")}

    def __init__(self, coordination: Table, connections: Table) -> None:
        self._coordination = coordination
        self._connections = connections

    def put_ticket(self, ticket: Secret, link: LinkRequest, *, expires_at: int) -> None:
        """Keep a ticket."""
        self._coordination.put(_entry(TICKET, ticket, link, expires_at))

    def ticket(self, ticket: Secret, *, now: float) -> LinkRequest | None:
        """What a ticket is for; looking consumes nothing."""
        return self._look(TICKET, ticket, now)

    def start(
        self, ticket: Secret, state: Secret, cookie: Secret, *, now: float, expires_at: int
    ) -> LinkRequest | None:
        """Turn a ticket into a state bound to a cookie; None when the ticket is unknown, used or expired."""
        link = self.ticket(ticket, now=now)
        if link is None:
            return None
        entry = _entry(STATE, state, link, expires_at) | {"cookie": digest(cookie)}
        gone = self._coordination.to_delete(*_key(TICKET, ticket), condition="attribute_exists(#pk)")
        try:
            self._coordination.transact([{"Delete": gone}, {"Put": self._coordination.to_put(entry)}])
        except ConditionFailed:
            return None
        return link

    def take_state(self, state: Secret, cookie: Secret, *, now: float) -> LinkRequest | None:
        """Consume a state, if it is this cookie's and has not expired: one atomic delete."""
        try:
            taken = self._coordination.delete(
                *_key(STATE, state),
                condition="#cookie = :cookie AND #expires_at > :now",
                values={"cookie": digest(cookie), "now": now},
            )
        except ConditionFailed:
            return None
        return _link(taken)

    def put_pending(self, pending: Connection, code: Secret, link: LinkRequest, *, expires_at: int) -> None:
        """Store a pending connection and the code that redeems it: both or neither."""
        entry = _entry(CODE, code, link, expires_at)
        self._coordination.transact(
            [
                {"Put": self._connections.to_put(to_values(pending), condition="attribute_not_exists(#pk)")},
                {"Put": self._coordination.to_put(entry)},
            ]
        )

    def code(self, code: Secret, *, now: float) -> LinkRequest | None:
        """What a one-time code is for; looking consumes nothing."""
        return self._look(CODE, code, now)

    def claim(self, client_id: str, zoom_user_id: str) -> Claim | None:
        """Who holds a Zoom user."""
        values = self._connections.get(*claim_key(client_id, zoom_user_id))
        return Claim(tenant=values["tenant"], connection_id=values["connection_id"]) if values else None

    def redeem(
        self,
        code: Secret,
        *,
        pending: Connection,
        connected: Connection,
        replaced: Connection | None,
        claim: Claim | None,
        superseded: Connection | None,
        now: float,
    ) -> None:
        """Consume the code, connect, move the claim, and end the connection that held it: all or nothing.

        `replaced` is what stood under the id of `connected`, when that is not the pending connection's own.
        Raises ConditionFailed when anything is not as it was seen; with position 0, the code is used or expired.
        """
        used = self._coordination.to_delete(*_key(CODE, code), condition="#expires_at > :now", values={"now": now})
        operations = [
            {"Delete": used},
            {"Put": self._as_seen(connected, replaced or pending)},
            self._claimed(connected, claim),
            {"Put": self._connections.to_put(folded_item(connected))},
        ]
        if replaced is not None:
            key = key_of(pending)
            operations.append({"Delete": self._connections.to_delete(*key, condition="attribute_exists(#pk)")})
        if superseded is not None:
            operations.append({"Update": self._superseded(superseded, now)})
        self._coordination.transact(operations)

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether a link under way goes: the tenant's, for a person those that name them or their connection."""
        return target.owns(item.get("tenant")) and (target.whole_tenant or target.names(item.values()))

    def _look(self, kind: str, secret: Secret, now: float) -> LinkRequest | None:
        values = self._coordination.get(*_key(kind, secret))
        return _link(values) if values and values["expires_at"] > now else None

    def _as_seen(self, connected: Connection, seen: Connection) -> dict[str, Any]:
        return self._connections.to_put(
            to_values(connected),
            condition="#grant_id = :grant AND #version = :version",
            values={"grant": seen.grant_id, "version": seen.version},
        )

    def _claimed(self, connected: Connection, seen: Claim | None) -> dict[str, Any]:
        pk, sk = claim_key(connected.client_id, str(connected.zoom_user_id))
        mine = {"tenant": connected.tenant, "connection_id": connected.connection_id}
        item = {"pk": pk, "sk": sk, **mine}
        if seen is None:
            return {"Put": self._connections.to_put(item, condition="attribute_not_exists(#pk)")}
        condition = "#tenant = :tenant AND #connection_id = :connection_id"
        return {"Put": self._connections.to_put(item, condition=condition, values=asdict(seen))}

    def _superseded(self, former: Connection, now: float) -> dict[str, Any]:
        # A grant id of its own makes every refresh that is under way drop what it gets.
        return self._connections.to_update(
            *key_of(former),
            "SET #state = :state, #reason = :reason, #grant_id = :reason, #state_changed_at = :now"
            " REMOVE #due_shard, #due_at",
            condition="#grant_id = :grant",
            values={
                "state": str(State.REAUTHORIZATION_REQUIRED),
                "reason": SUPERSEDED,
                "now": now,
                "grant": former.grant_id,
            },
        )


def _key(kind: str, secret: Secret) -> tuple[str, str]:
    return f"{kind}#{digest(secret)}", kind


def _entry(kind: str, secret: Secret, link: LinkRequest, expires_at: int) -> dict[str, object]:
    pk, sk = _key(kind, secret)
    return {"pk": pk, "sk": sk, "expires_at": expires_at, **asdict(link)}


def _link(values: Mapping[str, Any]) -> LinkRequest:
    return LinkRequest(**{each.name: values[each.name] for each in fields(LinkRequest) if each.name in values})
