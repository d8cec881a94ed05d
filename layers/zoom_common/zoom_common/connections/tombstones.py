"""What was erased, by digest, so that late events do not bring it back. A tombstone does not say who it is about."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import TYPE_CHECKING, ClassVar

from zoom_common.aws.table import Table

if TYPE_CHECKING:
    from zoom_common.erasure_target import ErasureTarget, StoredItem

# Longer than any queue of ours holds an event (14 days), and its dead-letter queue after it.
_KEPT = 45 * 86_400


def of_person(tenant: str, zoom_user_id: str) -> str:
    """The name under which a tenant's erasure of a Zoom user is remembered."""
    return _digest("person", tenant, zoom_user_id)


def of_user(app: str, zoom_user_id: str) -> str:
    """The same for events of an app that belong to no tenant any more."""
    return _digest("user", app, zoom_user_id)


def of_tenant(tenant: str) -> str:
    """The name under which the erasure of a whole tenant is remembered."""
    return _digest("tenant", tenant)


def of_account(app: str, zoom_account_id: str) -> str:
    """The same for events of an account that belonged to a tenant as a whole, and to nobody now."""
    return _digest("account", app, zoom_account_id)


def key_of(name: str) -> tuple[str, str]:
    """The keys of the tombstone of this name."""
    return f"erased#{name}", "erased"


class Tombstones:
    """Tombstones in the Connections table. Raises Unavailable."""

    OWNED_KEYS: ClassVar = {"tombstones": (r"erased#[0-9a-f]{64}", r"erased")}

    def __init__(self, table: Table) -> None:
        self._table = table

    def put(self, names: Iterable[str], *, now: float) -> None:
        """Remember that these were erased at `now`; doing it again moves the moment."""
        for name in names:
            entry = {"pk": f"erased#{name}", "sk": "erased", "erased_at": now, "expires_at": int(now) + _KEPT}
            self._table.put(entry)

    def erased_at(self, name: str) -> float | None:
        """When that was erased, in epoch seconds, or None."""
        found = self._table.get(*key_of(name))
        return float(found["erased_at"]) if found else None

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:  # noqa: ARG004 - every store's signature
        """Return False: a tombstone names nobody, and ends by itself."""
        return False


def _digest(*parts: str) -> str:
    return sha256("\x00".join(parts).encode()).hexdigest()
