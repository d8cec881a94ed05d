"""What `oauth` is told: the vault, and where browsers come from and go to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zoom_common.edge.settings import optional, require
from zoom_common.edge.settings.vault import VaultSettings


@dataclass(frozen=True, slots=True)
class OAuthSettings:
    """`redirect_uri` goes to Zoom exactly as set; `return_urls` are allowed origins."""

    vault: VaultSettings
    coordination_table: str
    public_base_url: str
    redirect_uri: str
    return_urls: tuple[str, ...]
    connect_page_url: str

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> OAuthSettings:
        """Read the settings. Raises MissingSetting."""
        base = require(environ, "PUBLIC_BASE_URL").rstrip("/")
        listed = optional(environ, "RETURN_URLS").split(",")
        return cls(
            vault=VaultSettings.from_env(environ),
            coordination_table=require(environ, "COORDINATION_TABLE"),
            public_base_url=base,
            redirect_uri=optional(environ, "ZOOM_REDIRECT_URI", f"{base}/auth/zoom/callback"),
            return_urls=tuple(url.strip() for url in listed if url.strip()),
            connect_page_url=optional(environ, "CONNECT_PAGE_URL"),
        )
