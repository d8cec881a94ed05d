"""What a function is told that reads rosters out of the events of meetings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zoom_common.edge.settings import require


@dataclass(frozen=True, slots=True)
class RosterSettings:
    """Where events and connections are."""

    connections_table: str
    events_table: str

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> RosterSettings:
        """Read the settings. Raises MissingSetting."""
        return cls(
            connections_table=require(environ, "CONNECTIONS_TABLE"), events_table=require(environ, "EVENTS_TABLE")
        )
