"""What the authorizer is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from zoom_common.edge.settings import require


@dataclass(frozen=True, slots=True)
class AuthorizerSettings:
    """Where API keys are."""

    connections_table: str

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> AuthorizerSettings:
        """Read the settings. Raises MissingSetting."""
        return cls(connections_table=require(environ, "CONNECTIONS_TABLE"))
