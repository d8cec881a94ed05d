"""What the reconcile function is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zoom_common.edge.settings import optional, require
from zoom_common.edge.settings.zoom_api import ZoomApiSettings


@dataclass(frozen=True, slots=True)
class Settings:
    """`from_env` raises MissingSetting."""

    zoom_api: ZoomApiSettings
    events_table: str
    ingest_queue_url: str
    reconcile_queue_url: str
    webhook_secret_arn: str
    coordination_table: str
    projection_retention_days: int

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """The settings in a function's environment."""
        return cls(
            zoom_api=ZoomApiSettings.from_env(environ),
            events_table=require(environ, "EVENTS_TABLE"),
            ingest_queue_url=require(environ, "INGEST_QUEUE_URL"),
            reconcile_queue_url=require(environ, "RECONCILE_QUEUE_URL"),
            webhook_secret_arn=require(environ, "ZOOM_WEBHOOK_SECRET_ARN"),
            coordination_table=require(environ, "COORDINATION_TABLE"),
            projection_retention_days=int(optional(environ, "PROJECTION_RETENTION_DAYS", "400")),
        )
