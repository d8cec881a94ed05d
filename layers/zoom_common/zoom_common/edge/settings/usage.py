"""What the usage function is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zoom_common.edge.settings import optional, require


@dataclass(frozen=True, slots=True)
class UsageSettings:
    """Where calls are counted, where the counts are kept and for how long."""

    connections_table: str
    coordination_table: str
    events_table: str
    retention_days: int

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> UsageSettings:
        """Read the settings. Raises MissingSetting."""
        return cls(
            connections_table=require(environ, "CONNECTIONS_TABLE"),
            coordination_table=require(environ, "COORDINATION_TABLE"),
            events_table=require(environ, "EVENTS_TABLE"),
            retention_days=int(optional(environ, "USAGE_RETENTION_DAYS", "400")),
        )
