"""Tombstones: what was erased, by digest, so that late events do not bring it back. A tombstone names nobody."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import TYPE_CHECKING, ClassVar

from zoom_common.aws.table import Table

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem

# Longer than any queue and its dead-letter queue hold an event (14 days each).
_KEPT = 45 * 86_400


def of_person(tenant: str, zoom_user_id: str) -> str:
    """Return the name of the tombstone for a tenant's erasure of a Zoom user."""
    return _digest("person", tenant, zoom_user_id)


def of_user(app: str, zoom_user_id: str) -> str:
    """Return the name of the tombstone of a Zoom user, for an app's events that belong to no tenant any more."""
    return _digest("user", app, zoom_user_id)


def of_tenant(tenant: str) -> str:
    """Return the name of the tombstone of a whole tenant."""
    return _digest("tenant", tenant)


def of_account(app: str, zoom_account_id: str) -> str:
    """Return the name of the tombstone of a Zoom account, for events after a whole tenant was connected to it."""
    return _digest("account", app, zoom_account_id)


def key_of(name: str) -> tuple[str, str]:
    """Return the keys of the tombstone of this name."""
    return f"erased#{name}", "erased"


class Tombstones:
    """Tombstones in the Connections table. Raises Unavailable."""

    OWNED_KEYS: ClassVar = {"tombstones": (r"erased#[0-9a-f]{64}", r"erased")}

    def __init__(self, table: Table) -> None:
        self._table = table

    def put(self, names: Iterable[str], *, now: float) -> None:
        """Store that these were erased at `now`. Repeating it moves the time."""
        for name in names:
            entry = {"pk": f"erased#{name}", "sk": "erased", "erased_at": now, "expires_at": int(now) + _KEPT}
            self._table.put(entry)

    def erased_at(self, name: str) -> float | None:
        """Return when that was erased, in epoch seconds, or None."""
        found = self._table.get(*key_of(name))
        return float(found["erased_at"]) if found else None

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:  # noqa: ARG004 - every store's signature
        """Return False: a tombstone names nobody, and expires."""
        return False


def _digest(*parts: str) -> str:
    return sha256("\x00".join(parts).encode()).hexdigest()
