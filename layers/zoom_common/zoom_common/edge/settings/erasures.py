"""What the erasures function is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zoom_common.edge.settings import optional, require


@dataclass(frozen=True, slots=True)
class ErasuresSettings:
    """Where everything is kept. `settle_seconds` is how long something that was under way may still be written."""

    connections_table: str
    events_table: str
    coordination_table: str
    event_bus: str
    escrow_queue_url: str
    erasure_queue_url: str
    settle_seconds: int

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> ErasuresSettings:
        """Read the settings. Raises MissingSetting."""
        return cls(
            connections_table=require(environ, "CONNECTIONS_TABLE"),
            events_table=require(environ, "EVENTS_TABLE"),
            coordination_table=require(environ, "COORDINATION_TABLE"),
            event_bus=optional(environ, "EVENT_BUS"),
            escrow_queue_url=require(environ, "ESCROW_QUEUE_URL"),
            erasure_queue_url=require(environ, "ERASURE_QUEUE_URL"),
            settle_seconds=int(optional(environ, "ERASURE_SETTLE_SECONDS", "300")),
        )
