"""What the token function is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zoom_common.edge.settings import require


@dataclass(frozen=True, slots=True)
class TokenSettings:
    """Where keys and bearers are, and the gateway's own address."""

    connections_table: str
    coordination_table: str
    public_base_url: str

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> TokenSettings:
        """Read the settings. Raises MissingSetting."""
        return cls(
            connections_table=require(environ, "CONNECTIONS_TABLE"),
            coordination_table=require(environ, "COORDINATION_TABLE"),
            public_base_url=require(environ, "PUBLIC_BASE_URL").rstrip("/"),
        )
