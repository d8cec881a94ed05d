"""What the webhook function is told."""

from __future__ import annotations

from collections.abc import Mapping

from zoom_common.edge.settings import metrics_namespace, optional, require
from zoom_common.values import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """`from_env` raises MissingSetting."""

    ingest_queue_url: str
    webhook_secret_arn: str
    coordination_table: str
    region: str
    service: str
    namespace: str

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """The settings in a function's environment."""
        return cls(
            ingest_queue_url=require(environ, "INGEST_QUEUE_URL"),
            webhook_secret_arn=require(environ, "ZOOM_WEBHOOK_SECRET_ARN"),
            coordination_table=require(environ, "COORDINATION_TABLE"),
            region=require(environ, "AWS_REGION"),
            service=optional(environ, "POWERTOOLS_SERVICE_NAME", "webhook"),
            namespace=metrics_namespace(environ),
        )
