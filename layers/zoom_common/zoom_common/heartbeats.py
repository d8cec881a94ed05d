"""When background work and Zoom's deliveries were last seen: the sweep, the rollup, the webhook."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from zoom_common import observability
from zoom_common.aws.table import COORDINATION, Table
from zoom_common.errors import InternalError, Unavailable
from zoom_common.settings import optional

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from zoom_common.erasure_target import ErasureTarget, StoredItem

SWEEP, ROLLUP, WEBHOOK = "sweep", "rollup", "webhook"
_KEPT = 60 * 86_400


@dataclass(slots=True, kw_only=True)
class Heartbeats:
    """`clock` gives epoch seconds. Each heartbeat is written at most once a minute per container."""

    OWNED_KEYS: ClassVar = {"coordination": (r"heartbeat#.+", r"heartbeat")}

    table: Table | None
    clock: Callable[[], float]
    _written: dict[str, float] = field(default_factory=dict)

    @classmethod
    def from_env(
        cls, environ: Mapping[str, str], dynamodb: Callable[[], DynamoDBClient], *, clock: Callable[[], float]
    ) -> Heartbeats:
        """Return heartbeats in the Coordination table; without that table, beats are not stored."""
        name = optional(environ, "COORDINATION_TABLE")
        return cls(table=Table(dynamodb(), name, COORDINATION) if name else None, clock=clock)

    def beat(self, name: str) -> None:
        """Store that it is running. Never raises, because nothing depends on it."""
        now = self.clock()
        if self.table is None or now - self._written.get(name, 0.0) < 60:  # noqa: PLR2004 - a minute
            return
        try:
            self.table.put({"pk": f"heartbeat#{name}", "sk": "heartbeat", "at": now, "expires_at": int(now) + _KEPT})
        except InternalError as error:
            observability.fault(error, heartbeat=name)
            return
        except Unavailable as error:
            observability.logger().warning("no heartbeat", of=name, reason=error.reason)
            return
        self._written[name] = now

    def age(self, name: str) -> float | None:
        """Return the seconds since the last heartbeat, None when there is none. Raises Unavailable."""
        found = self.table.get(f"heartbeat#{name}", "heartbeat") if self.table else None
        return None if found is None else max(0.0, self.clock() - float(found["at"]))

    @staticmethod
    def erases(item: StoredItem, target: ErasureTarget) -> bool:  # noqa: ARG004 - every store's signature
        """Return False: a heartbeat names nobody."""
        return False
