"""What the health function is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from zoom_common import __version__
from zoom_common.edge.settings import optional, require


@dataclass(frozen=True, slots=True)
class HealthSettings:
    """What a health answer says about itself, and where requests are counted whose key has a limit."""

    stage: str
    version: str = __version__
    coordination_table: str = ""

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> HealthSettings:
        """Read the settings; none is required."""
        return cls(
            stage=optional(environ, "STAGE", "local"), coordination_table=optional(environ, "COORDINATION_TABLE")
        )


@dataclass(frozen=True, slots=True)
class DeepHealthSettings:
    """What the deep answer looks at. `queues` are URLs by name; a dead-letter queue's name ends in `_dead_letters`."""

    connections_table: str
    events_table: str
    coordination_table: str
    data_key_id: str
    zoom_api_base_url: str
    queues: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> DeepHealthSettings:
        """Read the settings. Raises MissingSetting."""
        pairs = (pair.partition("=") for pair in require(environ, "HEALTH_QUEUES").split(","))
        return cls(
            connections_table=require(environ, "CONNECTIONS_TABLE"),
            events_table=require(environ, "EVENTS_TABLE"),
            coordination_table=require(environ, "COORDINATION_TABLE"),
            data_key_id=require(environ, "DATA_KEY_ID"),
            zoom_api_base_url=require(environ, "ZOOM_API_BASE_URL").rstrip("/"),
            queues={name.strip(): url.strip() for name, _, url in pairs},
        )
