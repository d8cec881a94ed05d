"""What the two functions are told that may open refresh tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zoom_common.edge.settings import ZOOM_API, optional, require
from zoom_common.zoom.oauth import ZOOM_OAUTH_URL


@dataclass(frozen=True, slots=True)
class VaultSettings:
    """Where connections, keys, the app and Zoom are, and when to refresh. An empty bus publishes nothing."""

    connections_table: str
    data_key_id: str
    refresh_key_id: str
    app_secret_arn: str
    escrow_queue_url: str
    zoom_oauth_url: str
    zoom_api_base_url: str
    event_bus: str
    keep_warm_hours: float
    keep_alive_days: float

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> VaultSettings:
        """Read the settings. Raises MissingSetting."""
        return cls(
            connections_table=require(environ, "CONNECTIONS_TABLE"),
            data_key_id=require(environ, "DATA_KEY_ID"),
            refresh_key_id=require(environ, "REFRESH_KEY_ID"),
            app_secret_arn=require(environ, "ZOOM_APP_SECRET_ARN"),
            escrow_queue_url=require(environ, "ESCROW_QUEUE_URL"),
            zoom_oauth_url=optional(environ, "ZOOM_OAUTH_URL", ZOOM_OAUTH_URL),
            zoom_api_base_url=optional(environ, "ZOOM_API_BASE_URL", ZOOM_API),
            event_bus=optional(environ, "EVENT_BUS"),
            keep_warm_hours=float(optional(environ, "KEEP_WARM_HOURS", "24")),
            keep_alive_days=float(optional(environ, "KEEP_ALIVE_DAYS", "60")),
        )
