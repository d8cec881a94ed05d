"""What `oauth` is told: the vault, the app, and where browsers come from and go to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zoom_common.edge.settings import optional, require

_ZOOM_OAUTH = "https://zoom.us/oauth"
_ZOOM_API = "https://api.zoom.us/v2"


@dataclass(frozen=True, slots=True)
class OAuthSettings:
    """`redirect_uri` goes to Zoom exactly as set; `return_urls` are allowed origins; an empty bus publishes nothing."""

    connections_table: str
    coordination_table: str
    data_key_id: str
    refresh_key_id: str
    app_secret_arn: str
    public_base_url: str
    redirect_uri: str
    return_urls: tuple[str, ...]
    connect_page_url: str
    zoom_oauth_url: str
    zoom_api_base_url: str
    event_bus: str
    keep_warm_hours: float
    keep_alive_days: float
    escrow_queue_url: str

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> OAuthSettings:
        """Read the settings. Raises MissingSetting."""
        base = require(environ, "PUBLIC_BASE_URL").rstrip("/")
        listed = optional(environ, "RETURN_URLS").split(",")
        return cls(
            connections_table=require(environ, "CONNECTIONS_TABLE"),
            coordination_table=require(environ, "COORDINATION_TABLE"),
            data_key_id=require(environ, "DATA_KEY_ID"),
            refresh_key_id=require(environ, "REFRESH_KEY_ID"),
            app_secret_arn=require(environ, "ZOOM_APP_SECRET_ARN"),
            public_base_url=base,
            redirect_uri=optional(environ, "ZOOM_REDIRECT_URI", f"{base}/auth/zoom/callback"),
            return_urls=tuple(url.strip() for url in listed if url.strip()),
            connect_page_url=optional(environ, "CONNECT_PAGE_URL"),
            zoom_oauth_url=optional(environ, "ZOOM_OAUTH_URL", _ZOOM_OAUTH),
            zoom_api_base_url=optional(environ, "ZOOM_API_BASE_URL", _ZOOM_API),
            event_bus=optional(environ, "EVENT_BUS"),
            keep_warm_hours=float(optional(environ, "KEEP_WARM_HOURS", "24")),
            keep_alive_days=float(optional(environ, "KEEP_ALIVE_DAYS", "60")),
            escrow_queue_url=require(environ, "ESCROW_QUEUE_URL"),
        )
