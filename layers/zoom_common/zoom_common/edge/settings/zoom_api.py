"""What the functions are told that serve Zoom's REST API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zoom_common.edge.settings import optional, require

ZOOM_API = "https://api.zoom.us/v2"


@dataclass(frozen=True, slots=True)
class ZoomApiSettings:
    """Where connections and Zoom are, who refreshes, and where people reconnect. Base URLs end without a slash."""

    connections_table: str
    data_key_id: str
    token_refresh_function: str
    public_base_url: str
    connect_page_url: str = ""
    zoom_api_base_url: str = ZOOM_API

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> ZoomApiSettings:
        """Read the settings. Raises MissingSetting."""
        return cls(
            connections_table=require(environ, "CONNECTIONS_TABLE"),
            data_key_id=require(environ, "DATA_KEY_ID"),
            token_refresh_function=require(environ, "TOKEN_REFRESH_FUNCTION"),
            public_base_url=require(environ, "PUBLIC_BASE_URL").rstrip("/"),
            connect_page_url=optional(environ, "CONNECT_PAGE_URL"),
            zoom_api_base_url=optional(environ, "ZOOM_API_BASE_URL", ZOOM_API).rstrip("/"),
        )
