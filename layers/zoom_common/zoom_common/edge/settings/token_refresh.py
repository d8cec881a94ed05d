"""What `token_refresh` is told: the vault, and the queue of its workers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zoom_common.edge.settings import require
from zoom_common.edge.settings.vault import VaultSettings


@dataclass(frozen=True, slots=True)
class TokenRefreshSettings:
    """`from_env` raises MissingSetting."""

    vault: VaultSettings
    refresh_queue_url: str

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> TokenRefreshSettings:
        """The settings in a function's environment."""
        return cls(vault=VaultSettings.from_env(environ), refresh_queue_url=require(environ, "REFRESH_QUEUE_URL"))
