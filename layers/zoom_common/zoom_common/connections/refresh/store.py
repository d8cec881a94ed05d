"""The conditional writes of a refresh: lease, pair, spare and result; and the index of due connections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from zoom_common.aws.table import ConditionFailed, Table
from zoom_common.connections.model import Connection, Spare, State
from zoom_common.connections.refresh.effects import INTENT_WINDOW, FinalState, SealedPair
from zoom_common.connections.refresh.policy import RejectionStreak
from zoom_common.connections.refresh.refusal_rate import AnswerCounts
from zoom_common.connections.store import alive_values, due_shard, from_values, key_of, partition, spare_values


def _leasable(seen: Connection) -> tuple[str, dict[str, object]]:
    """Return the condition under which `seen` may be leased: it is in use, or given up for the same reason as read."""
    if seen.state is not State.REAUTHORIZATION_REQUIRED:
        return "#state IN (:connected, :failing)", dict(alive_values())
    return "#state = :given_up AND #reason = :reason", {"given_up": str(seen.state), "reason": seen.reason}


def _window_key(window: int) -> tuple[str, str]:
    return f"refreshes#{window}", "answers"


def _counts(values: Mapping[str, Any]) -> AnswerCounts:
    return AnswerCounts(int(values.get("granted", 0)), int(values.get("refused", 0)))


class RefreshStore:
    """Every method raises Unavailable when the table does not answer. The write may then have happened or not."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def take_lease(self, seen: Connection, attempt: str, *, now: float, until: float, skew: float) -> Connection | None:
        """Take the lease and store the intent, for the version seen.

        Return None when another has it or the version changed. Another attempt's lease counts as over `skew` seconds
        after its end, because its holder's clock may be slow.
        """
        stale = [each for each, at in seen.intents.items() if at <= now - INTENT_WINDOW]
        names = {"attempt": attempt} | {f"stale{at}": each for at, each in enumerate(stale)}
        change = "SET #lease_owner = :attempt, #lease_expires_at = :until, #intents.#attempt = :now"
        if stale:
            change += " REMOVE " + ", ".join(f"#intents.#stale{at}" for at in range(len(stale)))
        state, states = _leasable(seen)
        return self._unless_changed(
            seen,
            change,
            condition=f"#grant_id = :grant AND #version = :version AND {state}"
            " AND (attribute_not_exists(#lease_owner) OR #lease_owner = :attempt OR #lease_expires_at < :over)",
            values={
                "attempt": attempt,
                "until": until,
                "now": now,
                "over": now - skew,
                "grant": seen.grant_id,
                "version": seen.version,
                **states,
            },
            names=names,
        )

    def write(
        self,
        pair: SealedPair,
        *,
        release: bool,
        state: State | None = None,
        also: Sequence[Mapping[str, Any]] = (),
    ) -> Connection | None:
        """Make `pair` the current one. Return None when it was written, else the connection as it is.

        Raises LookupError when the connection is gone. With `release`, the lease must be the pair's own, and it ends.
        An unproven pair leaves the lease and the state as they are. With `state`, the connection has to be in it. What
        is done `also` is part of the same transaction.
        """
        change = (
            "SET #version = :next, #sealed_access = :access, #sealed_refresh = :refresh, #previous_refresh = :used,"
            " #access_expires_at = :expires, #refresh_issued_at = :issued, #written_by = :attempt,"
            " #failures = :zero, #cool_until = :zero, #due_shard = :shard, #due_at = :due"
        )
        values: dict[str, object] = {
            "next": pair.seen_version + 1,
            "access": pair.sealed_access,
            "refresh": pair.sealed_refresh,
            "used": pair.used_refresh,
            "expires": pair.access_expires_at,
            "issued": pair.issued_at,
            "attempt": pair.attempt,
            "zero": 0,
            "shard": due_shard(pair.connection_id),
            "due": pair.due_at,
            "grant": pair.grant_id,
            "version": pair.seen_version,
        }
        remove = ["#intents.#attempt", *(f"#spares.#tried{at}" for at in range(len(pair.tried)))]
        if not pair.unproven:
            change += ", #state = :connected, #state_changed_at = :changed"
            values |= {"connected": str(State.CONNECTED), "changed": pair.state_changed_at}
            remove.append("#reason")
        for name in ("scopes", "api_url", "last_used_at"):  # Values that Zoom did not send stay as they are.
            if value := getattr(pair, name):
                change += f", #{name} = :{name}"
                values[name] = value
        condition = "#grant_id = :grant AND #version = :version"
        if state is not None:
            condition += " AND #state = :state_seen"
            values["state_seen"] = str(state)
        if release:
            condition += " AND #lease_owner = :attempt"
            remove += [] if pair.unproven else ["#lease_owner", "#lease_expires_at"]
        names = {"attempt": pair.attempt} | {f"tried{at}": each for at, each in enumerate(pair.tried)}
        try:
            self._change(
                key_of(pair),
                f"{change} REMOVE {', '.join(remove)}",
                also,
                condition=condition,
                values=values,
                names=names,
            )
        except ConditionFailed as failed:
            return self._as_it_is(pair.tenant, pair.connection_id, failed)
        return None

    def keep_spare(self, pair: SealedPair) -> bool:
        """Store `pair` next to the current one. Return False when the grant has been replaced or is gone."""
        changed = self._table.update_if(
            *key_of(pair),
            "SET #spares.#attempt = :spare REMOVE #intents.#attempt",
            condition="#grant_id = :grant",
            values={"spare": spare_values(Spare(pair.sealed_refresh, pair.issued_at)), "grant": pair.grant_id},
            names={"attempt": pair.attempt},
        )
        return changed is not None

    def settle(self, seen: Connection, settlement: FinalState, *, also: Sequence[Mapping[str, Any]] = ()) -> bool:
        """Release the lease and store the result.

        Return False, without a change, when lease, state or version have changed. The operations in `also` are part of
        the same transaction.
        """
        values: dict[str, Any] = {
            "attempt": settlement.attempt,
            "grant": seen.grant_id,
            "version": seen.version,
            "state": str(settlement.state),
            "seen": str(seen.state),
            "failures": settlement.failures,
            "cool": settlement.cool_until,
            "changed": settlement.state_changed_at,
        }
        change = "SET #state = :state, #failures = :failures, #cool_until = :cool, #state_changed_at = :changed"
        remove = ["#lease_owner", "#lease_expires_at"]
        for name, value in (("reason", settlement.reason), ("due_at", settlement.due_at)):
            if value is None:
                remove.append(f"#{name}")
            else:
                change += f", #{name} = :{name}"
                values[name] = value
        if settlement.state is State.CONNECTED and seen.state is not State.CONNECTED:
            change += ", #refused_version = :none, #refusals = :none"  # Zoom accepts the tokens again
            values["none"] = 0
        if settlement.due_at is None:
            remove.append("#due_shard")
        else:
            change += ", #due_shard = :shard"
            values["shard"] = due_shard(seen.connection_id)
        if settlement.outcome_known:
            remove.append("#intents.#attempt")
        try:
            self._change(
                key_of(seen),
                f"{change} REMOVE {', '.join(remove)}",
                also,
                # An authorization may have stored a newer pair. The result of the former pair does not apply to it.
                condition="#grant_id = :grant AND #version = :version AND #lease_owner = :attempt AND #state = :seen",
                values=values,
                names={"attempt": settlement.attempt},
            )
        except ConditionFailed:
            return False
        return True

    def note_refusal(self, seen: Connection, row: RejectionStreak, *, version: int | None = None) -> bool:
        """Store the streak and the version that Zoom refused last, by default that of `seen`.

        Return whether `seen` is still the current version; nothing changes otherwise.
        """
        noted = self._unless_changed(
            seen,
            "SET #refused_version = :refused, #refusals = :refusals, #refused_since = :since",
            condition="#grant_id = :grant AND #version = :version AND #state IN (:connected, :failing)",
            values={
                "version": seen.version,
                "refused": seen.version if version is None else version,
                "refusals": row.refusals,
                "since": row.since,
                "grant": seen.grant_id,
                **alive_values(),
            },
            names={},
        )
        return noted is not None

    def postpone(self, seen: Connection, *, due_at: float) -> None:
        """Move the due time of a connection. Nothing happens when it has changed, or is not due any more."""
        self._table.update_if(
            *key_of(seen),
            "SET #due_at = :due",
            condition="#grant_id = :grant AND #version = :version AND attribute_exists(#due_at)",
            values={"due": due_at, "grant": seen.grant_id, "version": seen.version},
        )

    def count_answers(self, window: int, counted: AnswerCounts, *, expires_at: float) -> AnswerCounts:
        """Add Zoom's answers to the counts of a window over all containers, and return the counts."""
        change = (
            "SET #granted = if_not_exists(#granted, :zero) + :granted,"
            " #refused = if_not_exists(#refused, :zero) + :refused, #expires_at = :expires_at"
        )
        always = "attribute_not_exists(#refused) OR #refused >= :zero"
        values = {"granted": counted.granted, "refused": counted.refused, "expires_at": int(expires_at), "zero": 0}
        return _counts(self._table.update(*_window_key(window), change, condition=always, values=values))

    def answers(self, window: int) -> AnswerCounts:
        """Return the counts of Zoom's answers in a window."""
        return _counts(self._table.get(*_window_key(window)) or {})

    def due(self, shard: str, *, now: float, after: dict[str, Any] | None = None) -> tuple[list[tuple[str, str]], Any]:
        """Return one page of (tenant, connection id) due in a shard, longest due first, and where the next page begins.

        The index follows the table with a short delay, so read each connection before you rely on it.
        """
        page, last = self._table.query(
            "#due_shard = :shard AND #due_at <= :now", {"shard": shard, "now": now}, index="due", after=after
        )
        return [(values["pk"].removesuffix("#connections"), values["sk"]) for values in page], last

    def soonest(self, shard: str, *, limit: int) -> list[tuple[str, str]]:
        """Return up to `limit` (tenant, connection id) of a shard, those that are due first, whenever that is."""
        page, _ = self._table.query("#due_shard = :shard", {"shard": shard}, index="due", limit=limit)
        return [(values["pk"].removesuffix("#connections"), values["sk"]) for values in page]

    def _change(self, key: tuple[str, str], change: str, also: Sequence[Mapping[str, Any]], **more: Any) -> None:
        """Change one item, in a transaction if `also` has further operations. Raises ConditionFailed."""
        if also:
            self._table.transact([{"Update": self._table.to_update(*key, change, **more)}, *also])
        else:
            self._table.update(*key, change, **more)

    def _unless_changed(
        self, seen: Connection, change: str, *, condition: str, values: dict[str, object], names: dict[str, str]
    ) -> Connection | None:
        key = key_of(seen)
        found = self._table.update_if(*key, change, condition=condition, values=values, names=names)
        return from_values(found) if found is not None else None

    def _as_it_is(self, tenant: str, connection_id: str, failed: ConditionFailed) -> Connection:
        values = failed.item or self._table.get(partition(tenant), connection_id)
        if not values:
            raise LookupError(connection_id)
        return from_values(values)
