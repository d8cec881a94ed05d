"""What the events function is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zoom_common.edge.settings import optional, require


@dataclass(frozen=True, slots=True)
class Settings:
    """`from_env` raises MissingSetting."""

    connections_table: str
    events_table: str
    event_bus: str
    coordination_table: str
    retention_days: int

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """The settings in a function's environment."""
        return cls(
            connections_table=require(environ, "CONNECTIONS_TABLE"),
            events_table=require(environ, "EVENTS_TABLE"),
            event_bus=require(environ, "EVENT_BUS"),
            coordination_table=require(environ, "COORDINATION_TABLE"),
            retention_days=int(optional(environ, "EVENT_RETENTION_DAYS", "30")),
        )
