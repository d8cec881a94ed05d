"""Stores tickets, states and one-time codes by digest, and the transactions in which a link makes progress.

Next to a claim (`claim#app#user`, `claim`), the item `link` names the latest unredeemed link of that Zoom user. Every
transaction that stores or redeems a link writes this item, on the condition that it has not changed since it was read,
so these transactions cannot overlap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any, ClassVar

from zoom_common.aws.table import ConditionFailed, Table
from zoom_common.connections.model import Connection, Spare, State, changes_at, digest
from zoom_common.connections.store import (
    LatestLink,
    claim_key,
    folded_item,
    key_of,
    link_key,
    spare_values,
    to_values,
)
from zoom_common.errors import DependencyFailed
from zoom_common.secret import Secret

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem

TICKET, STATE, CODE = "ticket", "state", "code"
SUPERSEDED = "superseded"

# One operation of a transaction.
type Operation = Mapping[str, Any]

# The most by which clocks may differ, in seconds.
_SKEW = 10.0

# A queue and its dead-letter queue keep the message that ends a link for up to 14 days. The pending connection must
# still exist then, because a missing one counts as redeemed.
LINK_SECONDS = 16 * 86_400

# After a day, a link that has not ended no longer prevents the revocation of another grant of its Zoom user.
_UNDER_WAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkRequest:
    """A request for a link: who asked, for which owner, and where the browser goes afterwards.

    `connection_id` is the connection to reconnect, or, in the item of a code, the pending connection of that code.
    """

    tenant: str
    subject: str
    owner: str
    return_url: str | None = field(default=None, repr=False)
    connection_id: str | None = None
    reconnects: str | None = None
    redeemed: str | None = None  # the connection that the code was redeemed for
    label: str | None = field(default=None, repr=False)  # the program's name for the connection
    asked_by: str | None = None  # the name of the key
    former_label: str | None = field(default=None, repr=False)  # the former label of the connection to reconnect


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The connection that holds a Zoom user."""

    tenant: str
    connection_id: str


class AuthorizationStore:
    """Every method raises Unavailable when a table does not answer."""

    OWNED_KEYS: ClassVar = {"coordination": (r"(ticket|state|code)#.+", r"ticket|state|code")}

    def __init__(self, coordination: Table, connections: Table) -> None:
        self._coordination = coordination
        self._connections = connections

    def put_ticket(self, ticket: Secret, link: LinkRequest, *, expires_at: int) -> None:
        """Store a ticket."""
        self._coordination.put(_entry(TICKET, ticket, link, expires_at))

    def ticket(self, ticket: Secret, *, now: float) -> LinkRequest | None:
        """Return the request of a ticket, without consuming it."""
        return self._look(TICKET, ticket, now)

    def start(
        self, ticket: Secret, state: Secret, cookie: Secret, *, now: float, expires_at: int
    ) -> LinkRequest | None:
        """Turn a ticket into a state that is bound to a cookie.

        Return None when the ticket is unknown, used or expired.
        """
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
        """Consume a state if it belongs to this cookie and has not expired: one atomic write, then a deletion.

        The write has a writer id, which a deletion has not, so a lost answer does not make the state unusable.
        """
        taken = self._coordination.update_if(
            *_key(STATE, state),
            "SET #taken = :yes",
            condition="#cookie = :cookie AND #expires_at > :now AND attribute_not_exists(#taken)",
            values={"cookie": digest(cookie), "now": now, "yes": True},
        )
        if taken is None:
            return None
        with suppress(DependencyFailed):  # The state is consumed, and its item expires.
            self._coordination.delete(*_key(STATE, state))
        return _link(taken)

    def put_pending(
        self,
        pending: Connection,
        code: Secret | None,
        link: LinkRequest | None,
        *,
        expires_at: int,
        latest: LatestLink | None = None,
        also: Sequence[Operation] = (),
    ) -> None:
        """Store a pending connection, the code that redeems it, and the operations in `also`, all or nothing.

        `latest` is the latest link as it was read. Raises ConditionFailed when it has changed, and when the pair was
        stored before. Without a code nobody can redeem the connection.
        """
        placed = _placed(pending.connection_id, code, issued_at=pending.authorized_at)
        operations = [
            {"Put": self._connections.to_put(to_values(pending), condition="attribute_not_exists(#pk)")},
            {"Put": self._connections.to_put(placed, condition="attribute_not_exists(#pk)")},
            self._latest(pending, latest),
            *also,
        ]
        if code is not None and link is not None:
            operations.append({"Put": self._coordination.to_put(_entry(CODE, code, link, expires_at))})
        self._connections.transact(operations)

    def close(self, connection_id: str, *, issued_at: float) -> bool:
        """Make sure that the dead pair of a link cannot be stored any more. Return False when it was stored already."""
        item = _placed(connection_id, None, issued_at=issued_at)
        try:
            self._connections.transact([{"Put": self._connections.to_put(item, condition="attribute_not_exists(#pk)")}])
        except ConditionFailed:
            return False
        return True

    def placed(self, connection_id: str) -> str | None:
        """Return the digest of the code stored with a link's pair, "" without a code, None without a pair."""
        found = self._connections.get(*_placed_key(connection_id))
        return str(found["code"]) if found else None

    def forget(self, pending: Connection) -> None:
        """Delete an unredeemed link if it still exists. Raises ConditionFailed when it was redeemed."""
        self._connections.delete(
            *key_of(pending),
            condition="attribute_not_exists(#pk) OR #state = :pending",
            values={"pending": str(State.PENDING)},
        )
        try:
            self._connections.delete(
                *link_key(pending.client_id, str(pending.zoom_user_id)),
                condition="#connection_id = :id",
                values={"id": pending.connection_id},
            )
        except ConditionFailed:
            return  # There is a later link, or none.

    def to_renew(self, holder: Connection, renewed: Connection) -> Operation:
        """Return the operation that gives `holder` the next version of its tokens, which `renewed` has.

        Leases, intents and spares stay: a refresh that is under way finds a new version, and stores its own pair as a
        spare.
        """
        names = ["version", "sealed_access", "sealed_refresh", "previous_refresh", "access_expires_at", "scopes"]
        names += ["refresh_issued_at", "authorized_at", "state_changed_at", "failures", "cool_until", "written_by"]
        names += ["refused_version", "refusals", "refused_since"]
        return self._to_change(holder, renewed, names, remove=["api_url"] if renewed.api_url is None else [])

    def to_keep_spare(self, holder: Connection, name: str, spare: Spare) -> Operation:
        """Return the operation that stores the pair of an authorization next to the current pair of `holder`."""
        return {
            "Update": self._connections.to_update(
                *key_of(holder),
                "SET #spares.#name = :spare, #authorized_at = :at",
                condition="#grant_id = :grant AND #version = :version",
                values={
                    "spare": spare_values(spare),
                    "at": spare.issued_at,
                    "grant": holder.grant_id,
                    "version": holder.version,
                },
                names={"name": name},
            )
        }

    def redeem_in_place(
        self,
        code: Secret,
        *,
        pending: Connection,
        holder: Connection,
        connected: Connection,
        latest: LatestLink | None,
        now: float,
        also: Sequence[Operation] = (),
    ) -> None:
        """Consume the code for `holder`, which already has the link's tokens, and delete the pending connection.

        Raises ConditionFailed as `redeem` does.
        """
        names = ["state_changed_at", "last_used_at", "failures", "cool_until"]
        operations = [
            self._used(code, connected, now),
            self._to_change(holder, connected, names),
            {"Delete": self._connections.to_delete(*key_of(pending), condition="attribute_exists(#pk)")},
            self._no_latest(pending, latest),
            *also,
        ]
        self._coordination.transact(operations)

    def code(self, code: Secret, *, now: float) -> LinkRequest | None:
        """Return the request of a one-time code, without consuming it."""
        return self._look(CODE, code, now)

    def claim(self, client_id: str, zoom_user_id: str) -> Claim | None:
        """Return the claim on a Zoom user, or None."""
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
        latest: LatestLink | None = None,
        also: Sequence[Operation] = (),
    ) -> None:
        """Consume the code, connect, move the claim, and end the connection that held it, all or nothing.

        `replaced` is the former connection under the id of `connected`, where that id is not the pending one's. Raises
        ConditionFailed when an item has changed; position 0 means that the code is used or expired. The superseded
        connection must have no lease: its refresh would bring a pair that nothing stores.
        """
        operations = [
            self._used(code, connected, now),
            {"Put": self._as_seen(connected, replaced or pending)},
            self._claimed(connected, claim),
            {"Put": self._connections.to_put(folded_item(connected))},
            self._no_latest(pending, latest),
            *also,
        ]
        if replaced is not None:
            key = key_of(pending)
            operations.append({"Delete": self._connections.to_delete(*key, condition="attribute_exists(#pk)")})
        if superseded is not None:
            operations.append({"Update": self._superseded(superseded, now)})
        self._coordination.transact(operations)

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:
        """Return whether an erasure deletes an open link: the tenant's, or one that names the person or connection."""
        return target.owns(item.get("tenant")) and (target.whole_tenant or target.names(item.values()))

    def _look(self, kind: str, secret: Secret, now: float) -> LinkRequest | None:
        values = self._coordination.get(*_key(kind, secret))
        return _link(values) if values and values["expires_at"] > now else None

    def _as_seen(self, connected: Connection, seen: Connection) -> dict[str, Any]:
        return self._connections.to_put(
            to_values(connected),
            condition="#grant_id = :grant AND #version = :version AND #state = :state",
            values={"grant": seen.grant_id, "version": seen.version, "state": str(seen.state)},
        )

    def _used(self, code: Secret, connected: Connection, now: float) -> Operation:
        return {
            "Update": self._coordination.to_update(
                *_key(CODE, code),
                "SET #redeemed = :id",
                condition="#expires_at > :now AND attribute_not_exists(#redeemed)",
                values={"id": connected.connection_id, "now": now},
            )
        }

    def _latest(self, pending: Connection, seen: LatestLink | None) -> Operation:
        newest = pending if seen is None or seen.authorized_at <= pending.authorized_at else seen
        pk, sk = link_key(pending.client_id, str(pending.zoom_user_id))
        link = {name: getattr(newest, name) for name in ("tenant", "connection_id", "authorized_at")}
        item = {"pk": pk, "sk": sk, **link, "expires_at": int(pending.authorized_at) + _UNDER_WAY}
        return {"Put": self._connections.to_put(item, **_as_it_was(seen))}

    def _no_latest(self, pending: Connection, seen: LatestLink | None) -> Operation:
        key = link_key(pending.client_id, str(pending.zoom_user_id))
        return {"Delete": self._connections.to_delete(*key, **_as_it_was(seen))}

    def _to_change(
        self, seen: Connection, changed: Connection, names: Sequence[str], *, remove: Sequence[str] = ()
    ) -> Operation:
        """Return an update of the given attributes and the state, on the condition that `seen` is still current."""
        item, removed = to_values(changed), list(remove)
        names = [*names, "state"]
        names += [name for name in ("api_url", "own_email") if item.get(name) is not None]
        if changed.label != seen.label:
            names.append("label")
        for name in ("reason", "due_at", "due_shard"):
            (removed if item.get(name) is None else names).append(name)
        change = "SET " + ", ".join(f"#{name} = :{name}" for name in names)
        if removed:
            change += " REMOVE " + ", ".join(f"#{name}" for name in removed)
        values = {name: item[name] for name in names}
        return {
            "Update": self._connections.to_update(
                *key_of(seen),
                change,
                condition="#grant_id = :grant AND #version = :seen_version AND #state = :seen_state",
                values=values | {"grant": seen.grant_id, "seen_version": seen.version, "seen_state": str(seen.state)},
            )
        }

    def _claimed(self, connected: Connection, seen: Claim | None) -> dict[str, Any]:
        pk, sk = claim_key(connected.client_id, str(connected.zoom_user_id))
        mine = {"tenant": connected.tenant, "connection_id": connected.connection_id}
        item = {"pk": pk, "sk": sk, **mine}
        if seen is None:
            return {"Put": self._connections.to_put(item, condition="attribute_not_exists(#pk)")}
        condition = "#tenant = :tenant AND #connection_id = :connection_id"
        return {"Put": self._connections.to_put(item, condition=condition, values=asdict(seen))}

    def _superseded(self, former: Connection, now: float) -> dict[str, Any]:
        # With another grant id, every refresh that is under way drops the pair it gets.
        return self._connections.to_update(
            *key_of(former),
            "SET #state = :state, #reason = :reason, #grant_id = :reason, #state_changed_at = :now"
            " REMOVE #due_shard, #due_at",
            condition="#grant_id = :grant AND #version = :version AND #state = :seen"
            " AND (attribute_not_exists(#lease_owner) OR #lease_expires_at < :over)",
            values={
                "state": str(State.REAUTHORIZATION_REQUIRED),
                "seen": str(former.state),
                "reason": SUPERSEDED,
                "now": changes_at(former, now),
                "over": now - _SKEW,
                "grant": former.grant_id,
                "version": former.version,
            },
        )


def _placed_key(connection_id: str) -> tuple[str, str]:
    # By digest, because this item outlives the connection and an erasure.
    return f"placed#{digest(Secret(connection_id))}", "placed"


def _placed(connection_id: str, code: Secret | None, *, issued_at: float) -> dict[str, object]:
    pk, sk = _placed_key(connection_id)
    expires_at = int(issued_at) + LINK_SECONDS
    return {"pk": pk, "sk": sk, "code": digest(code) if code else "", "expires_at": expires_at}


def _as_it_was(seen: LatestLink | None) -> Any:
    if seen is None:
        return {"condition": "attribute_not_exists(#pk)"}
    return {"condition": "#connection_id = :seen", "values": {"seen": seen.connection_id}}


def _key(kind: str, secret: Secret) -> tuple[str, str]:
    return f"{kind}#{digest(secret)}", kind


def _entry(kind: str, secret: Secret, link: LinkRequest, expires_at: int) -> dict[str, object]:
    pk, sk = _key(kind, secret)
    return {"pk": pk, "sk": sk, "expires_at": expires_at, **asdict(link)}


def _link(values: Mapping[str, Any]) -> LinkRequest:
    return LinkRequest(**{each.name: values[each.name] for each in fields(LinkRequest) if each.name in values})
