"""What the event processor is told."""

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
    published_secrets: frozenset[str]
    """Kinds of secret that subscribers asked for: download_tokens, passcodes, start_urls, stream_keys, ip_addresses."""
    retention_days: int
    projection_retention_days: int
    coordination_table: str
    reads_are_remembered: bool = False

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """The settings in a function's environment."""
        kinds = optional(environ, "PUBLISHED_SECRETS").split(",")
        return cls(
            connections_table=require(environ, "CONNECTIONS_TABLE"),
            events_table=require(environ, "EVENTS_TABLE"),
            event_bus=require(environ, "EVENT_BUS"),
            published_secrets=frozenset(filter(None, (kind.strip() for kind in kinds))),
            retention_days=int(optional(environ, "EVENT_RETENTION_DAYS", "30")),
            projection_retention_days=int(optional(environ, "PROJECTION_RETENTION_DAYS", "400")),
            coordination_table=require(environ, "COORDINATION_TABLE"),
            reads_are_remembered=float(optional(environ, "READ_CACHE_SECONDS", "0")) > 0,
        )
